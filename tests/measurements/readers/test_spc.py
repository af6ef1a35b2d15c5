"""Galactic SPC written as Galactic describes it: both byte orders, the old version, every kind of axis."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from measurements.data import Dataset, ReadError
from measurements.readers import spc

SHORTS, MANY, OWN_LABELS, OWN_X, HAS_X = 0x01, 0x04, 0x20, 0x40, 0x80
FLOATS = -128


def new(
    *bodies: bytes,
    order: str = "<",
    flags: int = 0,
    exponent: int = FLOATS,
    points: int = 3,
    ends: tuple[float, float] = (400.0, 402.0),
    subfiles: int = 1,
    experiment: int = 4,
    units: tuple[int, int, int] = (1, 2, 4),
    labels: bytes = b"",
) -> bytes:
    """The header of 512 bytes, then what follows."""
    version = {"<": 0x4B, ">": 0x4C}[order]
    ends_and_count = (*ends, subfiles)
    head = struct.pack(f"{order}BBBbiddi", flags, version, experiment, exponent, points, *ends_and_count)
    date = 2024 << 20 | 5 << 16 | 6 << 11 | 7 << 6 | 8
    head += struct.pack(f"{order}BBBBI", *units, 0, date)
    head += b"4".ljust(9, b"\0") + b"FTS".ljust(9, b"\0") + bytes(34)
    head += b"a comment".ljust(130, b"\0") + labels.ljust(30, b"\0")
    return head.ljust(512, b"\0") + b"".join(bodies)


def subfile(y: bytes, *, order: str = "<", exponent: int = FLOATS, z: float = 0, points: int = 0) -> bytes:
    return struct.pack(f"{order}BbhfffiifI", 0, exponent, 0, z, 0, 0, points, 0, 0, 0) + y


def read(tmp_path: Path, content: bytes, name: str = "a.spc") -> list[Dataset]:
    assert spc.recognises(content, name) >= 0.6
    path = tmp_path / "file"
    path.write_bytes(content)
    return spc.read(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_even_spectrum_of_floats_in_both_byte_orders(tmp_path: Path, order: str) -> None:
    y = np.array([1.5, -2, 3], dtype=f"{order}f4").tobytes()
    (dataset,) = read(tmp_path, new(subfile(y, order=order), order=order))
    np.testing.assert_array_equal(dataset.axes[0].values, [400, 401, 402])
    np.testing.assert_array_equal(dataset.signal.values, [1.5, -2, 3])
    assert (dataset.axes[0].name, dataset.signal.name, dataset.technique) == (
        "Wavenumber",
        "Absorbance",
        "ftir",
    )
    assert dataset.conditions["local_time"].value == "2024-05-06 07:08"
    assert dataset.acquired_at is None  # no zone in the file


def test_integers_are_scaled_by_the_exponent(tmp_path: Path) -> None:
    # y = 2^(exponent − 32) · integer, or − 16 for short integers
    longs = subfile(np.array([1 << 30, -(1 << 29), 0], dtype="<i4").tobytes())
    (dataset,) = read(tmp_path, new(longs, exponent=4))
    np.testing.assert_array_equal(dataset.signal.values, [4, -2, 0])
    shorts = subfile(np.array([1 << 14, -(1 << 13), 0], dtype="<i2").tobytes())
    (dataset,) = read(tmp_path, new(shorts, exponent=4, flags=SHORTS))
    np.testing.assert_array_equal(dataset.signal.values, [4, -2, 0])


def test_an_uneven_axis_stands_before_the_values(tmp_path: Path) -> None:
    x = np.array([400, 410, 405], dtype="<f4").tobytes()
    y = subfile(np.array([1, 2, 3], dtype="<f4").tobytes())
    (dataset,) = read(tmp_path, new(x, y, flags=HAS_X))
    np.testing.assert_array_equal(dataset.axes[0].values, [400, 410, 405])


def test_subfiles_with_one_axis_make_a_plane_over_their_z(tmp_path: Path) -> None:
    bodies = [subfile(np.full(3, n, dtype="<f4").tobytes(), z=10 * n) for n in (1, 2)]
    (dataset,) = read(tmp_path, new(*bodies, flags=MANY, subfiles=2))
    assert [(axis.name, axis.unit) for axis in dataset.axes] == [("Time", "s"), ("Wavenumber", "cm⁻¹")]
    np.testing.assert_array_equal(dataset.axes[0].values, [10, 20])
    np.testing.assert_array_equal(dataset.signal.values, [[1, 1, 1], [2, 2, 2]])


def test_subfiles_with_their_own_axes_are_datasets_of_their_own(tmp_path: Path) -> None:
    bodies = []
    for n in (2, 3):
        x, y = np.arange(n, dtype="<f4"), np.arange(n, dtype="<f4") * 2
        bodies.append(subfile(x.tobytes() + y.tobytes(), points=n, z=n))
    first, second = read(tmp_path, new(*bodies, flags=MANY | HAS_X | OWN_X, subfiles=2, points=0))
    assert (first.signal.values.size, second.signal.values.size) == (2, 3)
    np.testing.assert_array_equal(second.signal.values, [0, 2, 4])


def test_labels_of_the_file_win_over_its_codes(tmp_path: Path) -> None:
    y = subfile(np.array([1, 2, 3], dtype="<f4").tobytes())
    (dataset,) = read(tmp_path, new(y, flags=OWN_LABELS, labels=b"Field\0Moment\0"))
    assert (dataset.axes[0].name, dataset.axes[0].unit, dataset.signal.name) == ("Field", "", "Moment")


def test_the_old_version_has_the_words_of_its_integers_swapped(tmp_path: Path) -> None:
    head = struct.pack("<BBhfffBBH4B", 0, 0x4D, 4, 3.0, 400.0, 402.0, 3, 2, 1991, 2, 3, 4, 5)
    integers = np.array([1 << 30, -(1 << 29), 0], dtype="<i4").view("<u2").reshape(-1, 2)
    content = head.ljust(256, b"\0") + integers[:, ::-1].tobytes()
    (dataset,) = read(tmp_path, content)
    np.testing.assert_array_equal(dataset.signal.values, [4, -2, 0])
    np.testing.assert_array_equal(dataset.axes[0].values, [400, 401, 402])
    assert dataset.axes[0].unit == "nm"
    assert dataset.conditions["local_time"].value == "1991-02-03 04:05"


def test_a_cut_file_is_refused_and_a_zip_is_not_recognised(tmp_path: Path) -> None:
    whole = new(subfile(np.zeros(3, dtype="<f4").tobytes()))
    with pytest.raises(ReadError, match="Was it cut off on its way"):
        read(tmp_path, whole[:-4])
    assert spc.recognises(b"PK\x03\x04" + whole[4:], "archive.zip") == 0
