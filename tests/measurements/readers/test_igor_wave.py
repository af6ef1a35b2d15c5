"""Igor waves: a real one against the text of the same region, others written here after TN003."""

import struct
from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import igor_wave, scienta_text
from tests.measurements.readers.mutations import mutations


def summed_to_zero(headers: bytearray, order: str, at: int) -> bytes:
    total = int(np.frombuffer(bytes(headers), f"{order}i2").sum(dtype=np.int64))
    struct.pack_into(f"{order}H", headers, at, -total & 0xFFFF)
    return bytes(headers)


def version_2(order: str, values: list[float], note: bytes) -> bytes:
    data = np.array(values, f"{order}f4").tobytes()
    file = struct.pack(f"{order}hiiih", 2, 110 + len(data) + 16, len(note), 0, 0)
    wave = bytearray(110)
    struct.pack_into(f"{order}h", wave, 0, 2)
    wave[6:10] = b"wave"
    wave[34:38], wave[38:42] = b"V\0\0\0", b"s\0\0\0"
    struct.pack_into(f"{order}i", wave, 42, len(values))
    struct.pack_into(f"{order}dd", wave, 48, 0.5, 10.0)
    body = data + b"\0" * 16
    # Igor's header of a wave ends with room for its first numbers, and the sum runs over that room as well.
    return summed_to_zero(bytearray(file) + wave + body[:16], order, 14) + body[16:] + note


def version_5(order: str, values: np.ndarray, note: bytes, units: list[bytes]) -> bytes:
    data = values.astype(f"{order}c16").tobytes()
    sizes = [
        320 + len(data),
        0,
        len(note),
        len(units[0]),
        len(units[1]),
        len(units[2]),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ]
    headers = bytearray(struct.pack(f"{order}hh15i", 5, 0, *sizes)) + bytearray(320)
    struct.pack_into(f"{order}ih", headers, 76, values.size, 5)
    struct.pack_into(f"{order}4i", headers, 132, *values.shape[::-1], 0, 0)
    struct.pack_into(f"{order}4d", headers, 148, 0.1, 2.0, 1, 1)
    struct.pack_into(f"{order}4d", headers, 180, 5.0, -2.0, 0, 0)
    return summed_to_zero(headers, order, 2) + data + note + b"".join(units)


def test_a_real_wave_holds_what_the_text_of_the_same_region_says(reference: Path) -> None:
    folder = reference / "instrument_files" / "xps"
    path = folder / "pynx_Ag_0001Ag__001.ibw"
    assert igor_wave.recognises(path.read_bytes(), "any")
    (wave,), (text,) = igor_wave.read(path), scienta_text.read(folder / "pynx_Ag_0001.txt")
    assert wave.signal.values == pytest.approx(text.signal.values, rel=1e-14)
    assert wave.axes[0].values == pytest.approx(text.axes[0].values, rel=1e-12)
    assert wave.axes[0].name == text.axes[0].name
    assert dict(wave.conditions) == dict(text.conditions)
    assert wave.technique == "xps"


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_old_wave_of_either_byte_order(tmp_path: Path, order: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(version_2(order, [1, 2, 4], b"temp=20\rfree words"))
    assert igor_wave.recognises(path.read_bytes(), "any")
    (wave,) = igor_wave.read(path)
    assert list(wave.signal.values) == [1, 2, 4]
    assert (list(wave.axes[0].values), wave.axes[0].unit) == ([10, 10.5, 11], "s")
    assert dict(wave.header) == {"wave": "wave", "temp": "20", "note line 2": "free words"}
    assert wave.technique == ""


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_complex_plane_becomes_two_datasets(tmp_path: Path, order: str) -> None:
    path = tmp_path / "file"
    plane = np.arange(6).reshape(2, 3) * (1 + 2j)
    path.write_bytes(version_5(order, plane, b"", [b"Counts [a.u.]", b"Kinetic Energy [eV]", b"Angle [deg]"]))
    assert igor_wave.recognises(path.read_bytes(), "any")
    real, imaginary = igor_wave.read(path)
    assert np.array_equal(real.signal.values, plane.real)
    assert np.array_equal(imaginary.signal.values, plane.imag)
    assert [(a.name, a.unit, a.values[1]) for a in real.axes] == [
        ("Angle", "deg", 0),
        ("Kinetic energy", "eV", 5.1),
    ]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_packed_file_gives_every_wave_in_it(tmp_path: Path, order: str) -> None:
    records = [
        (1, b"variables"),
        (3, version_2(order, [1, 2, 4], b"")),
        (9, b"folder"),
        (3, version_2(order, [8], b"")),
    ]
    path = tmp_path / "file"
    path.write_bytes(
        b"".join(struct.pack(f"{order}HhI", kind, 0, len(data)) + data for kind, data in records)
    )
    assert igor_wave.recognises(path.read_bytes(), "any")
    assert [list(wave.signal.values) for wave in igor_wave.read(path)] == [[1, 2, 4], [8]]


def test_an_experiment_is_known_by_its_records_even_when_its_waves_come_late(tmp_path: Path) -> None:
    settings = [(11, bytes(52)), (13, bytes(1118)), (26, bytes(70_000))]
    records = [*settings, (3, version_2("<", [1, 2, 4], b""))]
    content = b"".join(struct.pack("<HhI", kind, 0, len(data)) + data for kind, data in records)
    path = tmp_path / "file"
    path.write_bytes(content)
    assert 0 < igor_wave.recognises(content[:65536], "any.pxp") < 1
    assert [list(wave.signal.values) for wave in igor_wave.read(path)] == [[1, 2, 4]]
    assert not igor_wave.recognises(b"\0" + content[:65535], "any.pxp")


def test_a_changed_header_is_not_taken_for_a_wave() -> None:
    content = bytearray(version_2("<", [1, 2, 4], b""))
    content[50] ^= 1
    assert not igor_wave.recognises(bytes(content), "any.ibw")


def test_a_wave_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(version_2("<", [1, 2, 4, 8, 16, 32], b"")[:-24])
    with pytest.raises(ReadError, match="Was it cut off"):
        igor_wave.read(path)


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for whole in (
        version_2("<", [1, 2, 4], b"a=b"),
        version_5(">", np.ones((2, 3)), b"a=b", [b"", b"eV", b""]),
    ):
        for _, content in mutations(whole, seed=3):
            path.write_bytes(content)
            try:
                assert all(np.isfinite(axis.values).all() for d in igor_wave.read(path) for axis in d.axes)
            except ReadError:
                continue
