"""EMSA spectra, block files and MRC, from bytes written here as their specifications say."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.children import in_a_child
from tests.measurements.readers.mutations import offences

MSA = """#FORMAT      : EMSA/MAS Spectral Data File
#VERSION     : 1.0
#TITLE       : NIO EELS OK SHELL
#DATE        : 01-OCT-1991
#TIME        : 12:00
#OWNER       : EMSA TASK FORCE
#NPOINTS     : 20.
#NCOLUMNS    : 5.
#XUNITS      : eV
#YUNITS      : Intensity
#DATATYPE    : Y
#XPERCHAN    : 3.1
#OFFSET      : 520.13
#SIGNALTYPE  : ELS
#XLABEL      : Energy
#YLABEL      : Counts
#BEAMKV   -kV: 120.0
#PROBECUR -nA: 12.345
#CONVANGLE-mR: 1.5
#COLLANGLE-mR: 3.4
##OXINSTLAB  : a line of a vendor's own
#SPECTRUM    : Spectral Data Starts Here
65.820, 67.872, 65.626, 68.762, 71.395
74.996, 78.132, 78.055, 77.861, 84.598
83.500, 82.107, 82.504, 84.194, 87.304
90.402, 95.512, 96.555, 96.502, 97.023
#ENDOFDATA   :
"""


def read(content: bytes, folder: Path, key: str) -> list[Dataset]:
    path = folder / "file"
    path.write_bytes(content)
    reader = readers.recognise(content[: readers.HEAD_BYTES], "file")
    assert reader is not None
    assert reader.key == key
    return readers.read(reader, path)


def blo(nx: int = 3, ny: int = 2, side: int = 4, **other: Any) -> tuple[bytes, np.ndarray]:
    """A block file as NanoMegas describes it, and its patterns."""
    field_at, note = 0x1000, b"a note"
    patterns = np.arange(ny * nx * side * side, dtype=np.uint8).reshape(ny, nx, side, side)
    patterns_at = field_at + nx * ny + 10
    header = b"IMGBLO" + struct.pack("<HIIIHHHHH", 0x0102, field_at, patterns_at, 131141, side, 0, nx, ny, 0)
    header += struct.pack("<ddIHId", 5.0, 4.0, 300_000, 8000, 2000, 45_000.5) + struct.pack(
        "<22d", *[0.0] * 22
    )
    content = (header + note).ljust(field_at, b"\0") + bytes(range(nx * ny)) + bytes(10)
    for number, pattern in enumerate(patterns.reshape(-1, side * side)):
        content += struct.pack("<HI", 0x55AA, number) + pattern.tobytes()
    return content, patterns


def mrc(values: np.ndarray, mode: int, *, extended: bytes = b"", order: str = "<", **other: Any) -> bytes:
    """A file as MRC2014 says."""
    nz, ny, nx = values.shape
    header = struct.pack(f"{order}4i3i3i", nx, ny, nz, mode, 0, 0, 0, nx, ny, nz)
    header += struct.pack(f"{order}3f3f3i", 20.0 * nx, 20.0 * ny, 20.0 * nz, 90, 90, 90, 1, 2, 3)
    header += struct.pack(f"{order}3fii", values.min(), values.max(), values.mean(), 1, len(extended))
    header = (
        header.ljust(104, b"\0") + other.get("kind", b"").ljust(4, b"\0") + struct.pack(f"{order}i", 20140)
    )
    header = header.ljust(128, b"\0") + struct.pack(f"{order}2h", *other.get("flags", (0, 0)))
    header = header.ljust(208, b"\0") + b"MAP " + (b"DA\0\0" if order == "<" else b"\x11\x11\0\0")
    header += struct.pack(f"{order}fi", values.std(), 1) + b"aligned by hand".ljust(800)
    return header + extended + values.astype(np.dtype(order + values.dtype.str[1:])).tobytes()


def mib(frames: np.ndarray) -> bytes:
    """Frames of a Merlin: a header of text, then big-endian counts, from below upwards."""
    content = b""
    for index, frame in enumerate(frames, start=1):
        height, width = frame.shape
        header = (
            f"MQ1,{index:06},00384,01,{width:04},{height:04},U16,   1x1,01,"
            "2026-05-04 12:00:00.000000,0.001000,0,0,0,1.2E+2,5.11E+2,"
            "MQ1A,2026-05-04T10:00:00.000000000Z,1000000ns,12"
        )
        content += header.encode().ljust(384, b" ") + frame[::-1].astype(">u2").tobytes()
    return content


def test_a_spectrum_of_the_standard_has_its_axis_and_angles(tmp_path: Path) -> None:
    (dataset,) = read(MSA.encode(), tmp_path, "msa")
    assert dataset.technique == "eels"
    assert dataset.axes[0].unit == "eV"
    assert dataset.axes[0].values[[0, 19]].tolist() == pytest.approx([520.13, 520.13 + 19 * 3.1])
    assert dataset.signal.values[[0, 7, 19]].tolist() == [65.820, 78.055, 97.023]
    known = {key: (quantity.value, quantity.unit) for key, quantity in dataset.conditions.items()}
    assert known["acceleration_voltage"] == (120, "kV")
    assert known["beam_current"] == (12.345, "nA")
    assert known["collection_angle"] == (3.4, "mrad")
    assert known["local_time"] == ("01-OCT-1991 12:00", "")
    assert dataset.header["OXINSTLAB"] == "a line of a vendor's own"


def test_pairs_of_x_and_y_give_the_same_spectrum(tmp_path: Path) -> None:
    (by_step,) = read(MSA.encode(), tmp_path, "msa")
    x, y = by_step.axes[0].values, by_step.signal.values
    pairs = "\n".join(f"{a!r}, {b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    head, _, rest = MSA.partition("65.820")
    content = head.replace("DATATYPE    : Y", "DATATYPE    : XY") + pairs + rest[rest.index("\n#ENDOFDATA") :]
    (dataset,) = read(content.encode(), tmp_path, "msa")
    assert np.array_equal(dataset.axes[0].values, x)
    assert np.array_equal(dataset.signal.values, y)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("97.023", ""), "announces 20 points, the file has 19"),
        (("#ENDOFDATA   :\n", ""), "#ENDOFDATA is missing"),
        (("78.055", "78.o55"), "Line 24: expected a number, found “78.o55”"),
    ],
)
def test_a_spectrum_that_lost_something_is_refused(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    with pytest.raises(ReadError, match=sentence):
        read(MSA.replace(*change).encode(), tmp_path, "msa")


def test_a_spectrum_with_more_points_than_announced_is_whole_if_it_has_its_end(tmp_path: Path) -> None:
    (dataset,) = read(MSA.replace("97.023", "97.023, 98.5").encode(), tmp_path, "msa")
    assert (dataset.signal.values.size, dataset.signal.values[-1]) == (21, 98.5)
    assert dataset.header["points in the file"] == "21, although its header announces 20"


def test_a_block_file_is_a_pattern_at_each_point_and_a_bright_field(tmp_path: Path) -> None:
    content, patterns = blo()
    scan, field = read(content, tmp_path, "blockfile")
    assert np.array_equal(scan.signal.values, patterns)
    assert [(axis.name, axis.unit, axis.values[1]) for axis in scan.axes] == [
        ("y", "nm", 4.0), ("x", "nm", 5.0), ("ky", "cm", 1 / 80), ("kx", "cm", 1 / 80),
    ]  # fmt: skip
    assert field.signal.values.ravel().tolist() == list(range(6))
    assert scan.technique == "sed"
    assert scan.conditions["acceleration_voltage"].value == 300
    assert scan.conditions["camera_length"].value == 200
    assert scan.conditions["local_time"].value == "2023-03-15 12:00:00"
    assert scan.header["Note"] == "a note"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("mode", "dtype"), [(0, "i1"), (1, "i2"), (2, "f4"), (6, "u2")])
def test_a_volume_has_its_values_and_steps_whatever_its_type_and_order(
    tmp_path: Path, mode: int, dtype: str, order: str
) -> None:
    values = (np.arange(24).reshape(2, 3, 4) * (1 if dtype[0] == "u" else -1)).astype(dtype)
    (dataset,) = read(mrc(values, mode, order=order), tmp_path, "mrc")
    assert np.array_equal(dataset.signal.values, values)
    assert [(axis.name, axis.unit, axis.values[1]) for axis in dataset.axes] == [
        ("z", "nm", 2.0), ("y", "nm", 2.0), ("x", "nm", 2.0),
    ]  # fmt: skip
    assert dataset.header["label 1"] == "aligned by hand"
    assert dataset.technique == "tomography"


def test_angles_of_a_tilt_series_are_those_of_the_extended_header(tmp_path: Path) -> None:
    values = np.arange(24, dtype="i2").reshape(2, 3, 4)
    fei = b"".join(struct.pack("<f", angle).ljust(128, b"\0") for angle in (-60.0, 60.0)).ljust(
        1024 * 128, b"\0"
    )
    (dataset,) = read(mrc(values, 1, extended=fei), tmp_path, "mrc")
    assert (dataset.axes[0].name, dataset.axes[0].values.tolist()) == ("Tilt", [-60.0, 60.0])
    assert np.array_equal(dataset.signal.values, values)
    # FEI1: entries of a size that each begins with, the angle as a double at byte 100
    fei1 = b"".join(
        struct.pack("<i", 160).ljust(100, b"\0") + struct.pack("<d", a).ljust(60, b"\0") for a in (-60, 60)
    )
    (dataset,) = read(mrc(values, 1, extended=fei1, kind=b"FEI1"), tmp_path, "mrc")
    assert (dataset.axes[0].name, dataset.axes[0].values.tolist()) == ("Tilt", [-60.0, 60.0])
    # SerialEM: one short a section, the angle in hundredths of a degree
    serial_bytes = b"".join(struct.pack("<h", angle) for angle in (-6000, 6000))
    (dataset,) = read(mrc(values, 1, extended=serial_bytes, kind=b"SERI", flags=(2, 1)), tmp_path, "mrc")
    assert (dataset.axes[0].unit, dataset.axes[0].values.tolist()) == ("deg", [-60.0, 60.0])


def test_frames_of_a_merlin_are_a_scan_when_the_hdr_beside_them_tells_its_lines(tmp_path: Path) -> None:
    frames = np.arange(6 * 8 * 4).reshape(6, 8, 4)
    (alone,) = read(mib(frames), tmp_path, "merlin_mib")
    assert np.array_equal(alone.signal.values, frames)
    assert alone.axes[0].name == "Frame"
    assert alone.acquired_at == datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert alone.conditions["exposure_time"].value == 0.001
    folder = tmp_path / "scan"
    folder.mkdir()
    (folder / "a.mib").write_bytes(mib(frames))
    (folder / "a.hdr").write_text("HDR,\t\nTime and Date Stamp (day, mnth, yr, hr, min, s):\t04/05/2026\n"
                                  "Frames per Trigger (Number):\t3\nEnd\t\n")  # fmt: skip
    reader = readers.get("merlin_mib")
    assert reader.confidence_in_names(["a.mib", "a.hdr"]) > 0
    assert reader.confidence_in_names(["a.mib", "b.txt"]) == 0
    (scan,) = readers.read(reader, folder)
    assert np.array_equal(scan.signal.values, frames.reshape(2, 3, 8, 4))


def test_raw_frames_of_a_merlin_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="R64 means raw"):
        read(mib(np.ones((1, 8, 4))).replace(b"U16", b"R64"), tmp_path, "merlin_mib")


def test_values_that_a_picture_cannot_show_are_named(tmp_path: Path) -> None:
    values = np.zeros((1, 2, 2), "f4")
    content = bytearray(mrc(values, 2))
    content[12] = 4
    with pytest.raises(ReadError, match=r"mode 4 \(complex numbers"):
        read(bytes(content), tmp_path, "mrc")


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("msa", MSA.encode()),
        ("blockfile", blo()[0]),
        ("mrc", mrc(np.zeros((2, 3, 4), "f4"), 2)),
        ("merlin_mib", mib(np.ones((2, 8, 4)))),
    ],
)
def test_mutilated_files_are_refused_or_read(tmp_path: Path, key: str, content: bytes) -> None:
    path = tmp_path / "whole"
    path.write_bytes(content)
    assert list(offences(readers.get(key), path)) == []


NION: dict[str, Any] = {
    "created": "2026-05-04T10:00:00.123456",
    "title": "loss",
    "spatial_calibrations": [
        {"offset": 0.0, "scale": 0.5, "units": "nm"},
        {"offset": -20.0, "scale": 0.25, "units": "eV"},
    ],
    "intensity_calibration": {"offset": 0.0, "scale": 1.0, "units": "counts"},
    "metadata": {"hardware_source": {"exposure": 0.1, "autostem": {"high_tension_v": 100000.0}}},
}


@pytest.mark.parametrize("kind", ["ndata", "h5"])
def test_a_map_of_nion_swift_has_its_calibrations(tmp_path: Path, kind: str) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    target = io.BytesIO()
    if kind == "ndata":
        array = io.BytesIO()
        np.save(array, values)
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("data.npy", array.getvalue())
            archive.writestr("metadata.json", json.dumps(NION))
    else:
        with h5py.File(target, "w") as file:
            file["data"] = values
            file["data"].attrs["properties"] = json.dumps(NION)
    (dataset,) = read(target.getvalue(), tmp_path, "nion_swift")
    assert np.array_equal(dataset.signal.values, values)
    assert [(axis.unit, axis.values[1]) for axis in dataset.axes] == [("nm", 0.5), ("eV", -19.75)]
    assert dataset.technique == "eels"
    assert dataset.acquired_at == datetime(2026, 5, 4, 10, 0, 0, 123456, tzinfo=UTC)
    assert dataset.conditions["acceleration_voltage"].value == 100
    assert dataset.conditions["exposure_time"].value == 0.1
    path = tmp_path / "whole"
    path.write_bytes(target.getvalue())
    reader = in_a_child(readers.get("nion_swift"), tmp_path)
    assert list(offences(reader, path, cuts=8, flips=20)) == []


def test_an_array_of_python_objects_is_not_unpickled(tmp_path: Path) -> None:
    array, target = io.BytesIO(), io.BytesIO()
    np.save(array, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("data.npy", array.getvalue())
    with pytest.raises(ReadError, match="type object, which are not read"):
        read(target.getvalue(), tmp_path, "nion_swift")


SPX = b"""<?xml version="1.0" encoding="WINDOWS-1252" standalone="yes"?>
<TRTSpectrum><ClassInstance Type="TRTSpectrum" Name="spectrum"><TRTHeaderedClass>
<ClassInstance Type="TRTSpectrumHardwareHeader"><LifeTime>9000</LifeTime></ClassInstance>
<ClassInstance Type="TRTESMAHeader"><PrimaryEnergy>20</PrimaryEnergy></ClassInstance></TRTHeaderedClass>
<ClassInstance Type="TRTSpectrumHeader"><Date>4.5.2026</Date><Time>10:00:00</Time>
<ChannelCount>5</ChannelCount><CalibAbs>-9.5E-1</CalibAbs><CalibLin>1.0E-2</CalibLin></ClassInstance>
<Channels>0,1,2,3,4</Channels></ClassInstance></TRTSpectrum>
"""


def test_a_spectrum_of_bruker_is_over_energy(tmp_path: Path) -> None:
    (dataset,) = read(SPX, tmp_path, "bruker_spx")
    assert dataset.signal.values.tolist() == [0, 1, 2, 3, 4]
    assert dataset.axes[0].values == pytest.approx([-0.95, -0.94, -0.93, -0.92, -0.91])
    assert dataset.conditions["live_time"].value == 9
    assert dataset.conditions["acceleration_voltage"].value == 20
    assert list(offences(readers.get("bruker_spx"), tmp_path / "file")) == []
    with pytest.raises(ReadError, match="announces 5 channels and has 4"):
        read(SPX.replace(b"3,4<", b"3<"), tmp_path, "bruker_spx")
