"""Bruker RAW 1 to 4: a real file against an independent reading, and bytes as the manuals describe them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import _bruker_raw4, bruker_raw
from measurements.readers._binary import Bytes
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import offences

REAL = "xrd/datalab_TiO2.raw"
COUNTS = [5.0, 7.0, 9.0, 4.0]


def read(path: Path, content: bytes) -> list[Dataset]:
    path.write_bytes(content)
    assert bruker_raw.recognises(content, "file")
    return readers.read(readers.get("bruker_raw"), path)


def put(length: int, *fields: tuple[int, str, object]) -> bytes:
    """A record of zeros with numbers and texts at their offsets."""
    record = bytearray(length)
    for offset, layout, value in fields:
        packed = value if isinstance(value, bytes) else struct.pack(f"<{layout}", value)
        record[offset : offset + len(packed)] = packed
    return bytes(record)


def floats(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def version_1(following: int, start: float, *, magic: bool = True) -> bytes:
    """Offsets of the DIFFRAC-AT manual, counted from the beginning of the file."""
    record = put(
        156, (0, "", b"RAW "), (4, "I", len(COUNTS)), (8, "f", 1.5), (12, "f", 0.02), (24, "f", start),
        (28, "f", -1e6), (40, "", b"quartz"), (72, "f", 1.54056), (76, "f", 1.54439), (152, "I", following),
    )  # fmt: skip
    return (record if magic else record[4:]) + floats(COUNTS)


def version_2(*kelvins: int) -> bytes:
    head = put(
        256, (0, "", b"RAW2"), (4, "H", len(kelvins)), (168, "", b"01-Jan-1999 12:00:00"), (188, "", b"Cu"),
        (190, "f", 1.54056), (194, "f", 1.54439), (198, "f", 0.5),
    )  # fmt: skip
    blocks = [
        put(
            60,
            (0, "H", 60),
            (2, "H", len(COUNTS)),
            (8, "f", 2),
            (12, "f", 0.05),
            (16, "f", 20),
            (46, "H", kelvin),
        )
        + floats(COUNTS)
        for kelvin in kelvins
    ]
    return head + b"".join(blocks)


DRIVES = (20.0, 30.0, 40.0, 50.0, 60.0)  # where χ, φ, x, y and z start


def version_3(*, supplement: bytes = b"", varying: int = 0, scan_type: int = 0, points: bytes = b"") -> bytes:
    head = put(
        712, (0, "", b"RAW1.01"), (8, "I", 1), (12, "I", 2), (16, "", b"05/06/02"), (326, "", b"LaB6"),
        (608, "", b"Cu"), (616, "d", 1.5418), (624, "d", 1.5406), (632, "d", 1.54439), (648, "d", 0.5),
    )  # fmt: skip
    size = 12 if varying else 4
    ranges = [
        put(
            304,
            (0, "I", 304),
            (4, "I", len(COUNTS)),
            (8, "d", 5),
            (16, "d", 10),
            *((24 + 8 * place, "d", start) for place, start in enumerate(DRIVES)),
            (176, "d", 0.02),
            (192, "f", seconds),
            (196, "I", scan_type),
            (212, "f", kelvin),
            (224, "I", 40),
            (228, "I", 30),
            (240, "d", 1.5406),
            (248, "I", varying),
            (252, "I", size),
            (256, "I", len(supplement)),
        )
        + supplement
        + (points or floats(COUNTS))
        for seconds, kelvin in ((1, 298), (20, 573))
    ]
    return head + b"".join(ranges)


def version_4(scan_type: bytes = b"Locked Coupled", counts: list[float] = COUNTS) -> bytes:
    value = b"LaB6\0"
    text = put(36, (0, "I", 10), (4, "I", 36 + len(value)), (12, "", b"SAMPLEID")) + value
    source = put(136, (0, "I", 30), (4, "I", 136), (80, "d", 1.5406), (88, "d", 1.54439), (116, "", b"Cu"))
    drive = put(92, (0, "I", 50), (4, "I", 92), (12, "", b"Temperature"), (56, "d", 150.0))
    scan = put(
        160, (32, "", scan_type), (72, "d", 10), (80, "d", 0.5), (88, "I", len(counts)), (92, "f", 3),
        (100, "f", 40), (104, "f", 25), (136, "I", 4), (140, "I", len(drive)),
    )  # fmt: skip
    head = put(61, (0, "", b"RAW4.00"), (12, "", b"07/11/2018"), (24, "", b"15:55:31"))
    return head + text + source + (scan + drive + floats(counts)) * 2


def test_a_real_file_of_version_4_agrees_with_an_independent_reading(reference: Path) -> None:
    (dataset,) = readers.read(readers.get("bruker_raw"), reference / "instrument_files" / REAL)
    assert not disagreements([dataset], readings_of(reference)[REAL])
    assert dataset.conditions["dwell_time"].value == 77.9
    assert dataset.conditions["xray_wavelength"].value == 1.5406
    assert dataset.header["START_THETA"] == "5"


@pytest.mark.parametrize("magic", [True, False])
def test_version_1_has_several_ranges_with_or_without_their_mark(tmp_path: Path, magic: bool) -> None:
    first, second = read(tmp_path / "file", version_1(1, 10) + version_1(0, 50, magic=magic))
    np.testing.assert_allclose(second.axes[0].values, [50, 50.02, 50.04, 50.06])
    np.testing.assert_array_equal(first.signal.values, COUNTS)
    assert first.conditions["xray_wavelength"].value == 1.54056
    assert first.header["SAMPLE_NAME"] == "quartz"
    assert "THETA_START" not in first.header


def test_version_2_gives_each_range_its_temperature(tmp_path: Path) -> None:
    cold, hot = read(tmp_path / "file", version_2(300, 673))
    assert [d.conditions["temperature"].value for d in (cold, hot)] == [
        pytest.approx(26.85),
        pytest.approx(399.85),
    ]
    np.testing.assert_allclose(hot.axes[0].values, [20, 20.05, 20.1, 20.15])
    assert hot.conditions["anode"].value == "Cu"
    assert hot.conditions["xray_wavelength"].value == 1.54056
    assert hot.conditions["kalpha2_ratio"].value == 0.5
    assert hot.conditions["local_time"].value == "01-Jan-1999 12:00:00"


def test_version_3_has_its_own_counting_time_and_temperature_in_each_range(tmp_path: Path) -> None:
    short, long = read(tmp_path / "file", version_3(supplement=b"\1" * 40))
    np.testing.assert_array_equal(long.signal.values, COUNTS)
    assert [d.conditions["dwell_time"].value for d in (short, long)] == [1, 20]
    assert long.conditions["temperature"].value == pytest.approx(299.85)
    assert long.conditions["tube_voltage"].value == 40
    assert long.axes[0].name == "2θ"


def test_a_rocking_curve_of_version_3_is_driven_from_theta(tmp_path: Path) -> None:
    curve, _ = read(tmp_path / "file", version_3(scan_type=3))
    assert curve.axes[0].name == "ω"
    assert curve.axes[0].values[0] == 5


@pytest.mark.parametrize(
    ("scan_type", "name", "unit", "start"),
    [
        (4, "χ", "deg", 20), (5, "φ", "deg", 30), (6, "x", "mm", 40), (7, "y", "mm", 50), (8, "z", "mm", 60),
        (20, "2θ", "deg", 10), (129, "2θ", "deg", 10), (130, "2θ", "deg", 10),
    ],
)  # fmt: skip
def test_every_drive_of_version_3_starts_where_its_own_field_says(
    tmp_path: Path, scan_type: int, name: str, unit: str, start: float
) -> None:
    curve, _ = read(tmp_path / "file", version_3(scan_type=scan_type))
    axis = curve.axes[0]
    assert (axis.name, axis.unit, axis.values[0]) == (name, unit, start)


def test_a_scan_in_reciprocal_space_is_not_taken_for_one_in_angle(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="a range is a scan of type 13"):
        read(tmp_path / "file", version_3(scan_type=13))


def test_the_temperature_of_each_point_of_version_3_is_named(tmp_path: Path) -> None:
    points = b"".join(struct.pack("<fd", count, 300.0 + n) for n, count in enumerate(COUNTS))
    datasets = read(tmp_path / "file", version_3(varying=1 << 11, points=points))
    assert datasets[2].title.endswith("temperature")


def test_points_of_version_3_with_a_measured_angle_keep_it(tmp_path: Path) -> None:
    points = b"".join(struct.pack("<fd", count, 10.001 + n) for n, count in enumerate(COUNTS))
    datasets = read(tmp_path / "file", version_3(varying=1, points=points))
    np.testing.assert_array_equal(datasets[0].signal.values, COUNTS)
    assert datasets[2].title.endswith("measured 2θ")
    np.testing.assert_allclose(datasets[2].signal.values, [10.001, 11.001, 12.001, 13.001])


def test_version_4_finds_sample_tube_temperature_and_points_never_measured(tmp_path: Path) -> None:
    dataset, _ = read(tmp_path / "file", version_4(counts=[5, 7, -9999]))
    assert dataset.header["SAMPLEID"] == "LaB6"
    assert dataset.conditions["temperature"].value == 150
    assert dataset.conditions["tube_current"].value == 25
    np.testing.assert_array_equal(dataset.signal.values, [5, 7, np.nan])
    assert dataset.header["points not measured"].startswith("1,")


def test_a_file_cut_in_its_counts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="Was it cut off"):
        read(tmp_path / "file", version_4()[:-1])


@pytest.mark.parametrize("content", [version_1(0, 10), version_2(300, 400), version_3(), version_4()])
def test_mutilated_files_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert not list(offences(readers.get("bruker_raw"), tmp_path / "file"))


def test_points_of_version_4_with_a_whole_number_beside_them_are_counts_and_states() -> None:
    content = b"".join(struct.pack("<fI", counts, state) for counts, state in ((5, 1), (7, 1), (9, 2)))
    intensity, further, size = _bruker_raw4.records(Bytes(content), 0, 3, 8, 0)
    np.testing.assert_array_equal(intensity, [5, 7, 9])
    np.testing.assert_array_equal(further["state of each point"], [1, 1, 2])
    assert size == 8
    with pytest.raises(ReadError, match="what they mean is not known here"):
        _bruker_raw4.records(Bytes(struct.pack("<ff", 5, 1)), 0, 1, 8, 0)
