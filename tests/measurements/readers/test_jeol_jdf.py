"""JEOL's JDF: real signals against jeolconverter; planes and the other byte order in bytes written here."""

import struct
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import jeol_jdf
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import mutations

REAL = [
    "datalab_SW20AP_proton.jdf",
    "npm_11_pm033220_400JEOL_278Kcarbon_.jdf",
    "npm_Rutin_3080ug200uL_DMSOd6_qHNMR_400MHz_Jeol.jdf",
    "npm_fluorine.jdf",
]


def written(
    sections: list[np.ndarray], *, order: str, axis_types: bytes, layout: int, unit: bytes, stop: float
) -> bytes:
    """A file as Delta lays it out: one parameter, then the sections; planes in blocks of 32."""
    head = bytearray(1360)
    head[:9] = b"JEOL.NMR" + (b"\1" if order == "<" else b"\0")
    head[14] = layout  # type 0: 64-bit floats
    head[24 : 24 + len(axis_types)] = axis_types
    head[32:36] = unit * 2
    sizes = sections[0].shape[::-1]
    for number, size in enumerate(sizes):
        struct.pack_into(">I", head, 176 + 4 * number, size)
        struct.pack_into(">I", head, 240 + 4 * number, size - 1)
        struct.pack_into(">d", head, 336 + 8 * number, stop)
    struct.pack_into(">I", head, 1212, 1360)
    struct.pack_into(">I", head, 1284, 1360 + 16 + 64)
    parameter = struct.pack(f"{order}4I", 64, 0, 0, 80)
    parameter += b"\0" * 4 + struct.pack(f"{order}h", 6) + bytes([0x01, 13]) + b"\0" * 8
    parameter += (
        struct.pack(f"{order}d", 400.0) + b"\0" * 8 + struct.pack(f"{order}i", 2) + b"X_FREQ".ljust(28)
    )
    numbers = b""
    for section in sections:
        if section.ndim == 2:
            section = section.reshape(section.shape[0] // 32, 32, -1, 32).transpose(0, 2, 1, 3)
        numbers += section.astype(f"{order}f8").tobytes()
    return bytes(head) + parameter + numbers


@pytest.mark.parametrize("name", REAL)
def test_signals_agree_with_jeolconverter(reference: Path, name: str) -> None:
    datasets = jeol_jdf.read(reference / "instrument_files" / "nmr" / name)
    (reading,) = readings_of(reference)[f"nmr/{name}"]
    assert disagreements(datasets, [reading]) == []
    info, conditions = reading["info"], datasets[0].conditions
    assert conditions["solvent"].value == info["solvent"]
    assert conditions["temperature"].value == pytest.approx(info["temperature"]["magnitude"])
    assert conditions["spectral_width"].value == pytest.approx(info["spectralWidth"][0]["magnitude"])
    assert conditions["larmor_frequency"].value == pytest.approx(
        info["originFrequency"][0]["magnitude"] / 1e6
    )


@pytest.mark.parametrize("name", REAL)
def test_the_moment_differs_from_the_local_clock_by_a_zone(reference: Path, name: str) -> None:
    signal = jeol_jdf.read(reference / "instrument_files" / "nmr" / name)[0]
    local = datetime.fromisoformat(str(signal.conditions["local_time"].value)).replace(tzinfo=UTC)
    assert signal.acquired_at is not None
    hours = (local - signal.acquired_at).total_seconds() / 3600
    assert abs(hours - round(hours)) < 10 / 3600  # the clock is written at the start, give or take seconds
    assert -6 <= round(hours) <= 2  # Chicago to Manchester


def test_points_in_time_are_as_far_apart_as_the_sweep_says(reference: Path) -> None:
    signal = jeol_jdf.read(reference / "instrument_files/nmr/npm_fluorine.jdf")[0]
    step_s = np.diff(signal.axes[0].values)
    assert step_s == pytest.approx(1 / signal.conditions["spectral_width"].value, rel=1e-5)


def test_a_big_endian_spectrum_has_its_shifts_and_scaled_parameters(tmp_path: Path) -> None:
    path = tmp_path / "file"
    values = np.arange(8.0)
    path.write_bytes(
        written([values], order=">", axis_types=b"\1", layout=1, unit=bytes([0x01, 26]), stop=-7.0)
    )
    (only,) = jeol_jdf.read(path)
    assert (only.axes[0].name, only.axes[0].unit) == ("Chemical shift", "ppm")
    assert list(only.axes[0].values) == [0, -1, -2, -3, -4, -5, -6, -7]
    assert np.array_equal(only.signal.values, values)
    assert only.header["X_FREQ"] == "400000000.0 Hz"
    assert only.conditions["larmor_frequency"].value == 400.0


def test_a_plane_is_put_together_from_its_blocks(tmp_path: Path) -> None:
    path = tmp_path / "file"
    plane = np.arange(32.0 * 64).reshape(32, 64)
    path.write_bytes(
        written([plane, -plane], order="<", axis_types=b"\4\4", layout=2, unit=bytes([0x01, 28]), stop=3.0)
    )
    real, imaginary = jeol_jdf.read(path)
    assert np.array_equal(real.signal.values, plane)
    assert np.array_equal(imaginary.signal.values, -plane)


def test_three_dimensions_are_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(
        written([np.zeros(8)], order="<", axis_types=b"\1", layout=3, unit=bytes([1, 28]), stop=1.0)
    )
    with pytest.raises(ReadError, match="export them from Delta as JCAMP-DX"):
        jeol_jdf.read(path)


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    whole = written([np.arange(64.0)] * 2, order="<", axis_types=b"\3", layout=1, unit=b"\1\x1c", stop=1.0)
    for _, content in mutations(whole, seed=1):
        path.write_bytes(content)
        try:
            assert all(np.isfinite(d.axes[0].values).all() for d in jeol_jdf.read(path))
        except ReadError:
            continue
