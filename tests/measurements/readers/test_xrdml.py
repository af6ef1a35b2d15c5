"""PANalytical XRDML: real files against independent readings, and scans written as the schema says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import xrdml
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import offences

FILES = (
    "xrd/dara_Bi2O3-V2O5_400C_60min.xrdml", "xrd/dara_CoO-ZnO_1100C_60min.xrdml",
    "xrd/dara_mix_TiO2_0p4009-ZnO_0p6010--2min.xrdml", "xrd/dara_mix_TiO2_0p4009-ZnO_0p6010--8min.xrdml",
    "xrd/datalab_CG20396_jdb12-1.xrdml", "xrd/nomad_XRD-918-16_10.xrdml", "xrd/nomad_m54313_om2th_10.xrdml",
    *(f"xrd_insitu/datalab_ScanC_series/Scan_C{number}.xrdml" for number in range(1, 6)),
)  # fmt: skip

SCAN = """<scan scanAxis="{axis}" mode="Pre-set time"><header><startTimeStamp>{time}</startTimeStamp></header>
<dataPoints>{positions}<commonCountingTime unit="seconds">2</commonCountingTime>
{counts}</dataPoints>{after}</scan>"""
ENDS = (
    '<positions axis="2Theta" unit="deg"><startPosition>10</startPosition><endPosition>11</endPosition>'
    "</positions>"
)


def scan(
    counts: str = "<counts>1 2 3</counts>",
    *,
    axis: str = "Gonio",
    time: str = "2024-01-02T03:04:05Z",
    positions: str = ENDS,
    after: str = "",
) -> str:
    return SCAN.format(axis=axis, time=time, positions=positions, counts=counts, after=after)


def read(path: Path, *scans: str, schema: str = "2.1") -> list[Dataset]:
    path.write_text(
        f'<?xml version="1.0"?><xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/{schema}">'
        f'<xrdMeasurement measurementType="Scan">{"".join(scans)}</xrdMeasurement></xrdMeasurements>',
        encoding="utf-8",
    )
    assert xrdml.recognises(path.read_bytes(), "file")
    return readers.read(readers.get("xrdml"), path)


@pytest.mark.parametrize("name", FILES)
def test_real_files_agree_with_independent_readings(reference: Path, name: str) -> None:
    datasets = readers.read(readers.get("xrdml"), reference / "instrument_files" / name)
    assert not disagreements(datasets, readings_of(reference)[name])
    assert (datasets[0].axes[0].name, datasets[0].axes[0].unit) == ("2θ", "deg")


def test_the_main_curve_has_its_attenuation_applied(reference: Path) -> None:
    path = reference / "instrument_files" / "xrd" / "nomad_m54313_om2th_10.xrdml"
    main, *_ = readers.read(readers.get("xrdml"), path)
    assert main.signal.values.sum() == 416528
    assert main.conditions["attenuation"].value == "applied, factors 1 to 188"


def test_comments_of_the_file_and_of_the_measurement_are_both_in_the_header(reference: Path) -> None:
    path = reference / "instrument_files" / "xrd" / "nomad_m54313_om2th_10.xrdml"
    header = readers.read(readers.get("xrdml"), path)[0].header
    assert header["comment.entry"].startswith("Configuration=Safe configuration")
    assert header["xrdMeasurement.comment.entry"] == "m54313"


def test_intensities_of_schema_1_are_not_attenuated_twice(tmp_path: Path) -> None:
    inside = "<beamAttenuationFactors>1 9 1</beamAttenuationFactors><intensities>1 90 3</intensities>"
    (dataset,) = read(tmp_path / "file", scan(inside), schema="1.5")
    np.testing.assert_array_equal(dataset.signal.values, [1, 90, 3])


def test_every_scan_has_its_temperature_and_its_moment(tmp_path: Path) -> None:
    hot = (
        '<nonAmbientPoints type="Temperature"><nonAmbientValues unit="K">573.15 573.15</nonAmbientValues>'
        "</nonAmbientPoints>"
    )
    cold, warm = read(tmp_path / "file", scan(), scan(after=hot, time="2024-01-02T05:04:05+01:00"))
    assert "temperature" not in cold.conditions
    assert warm.conditions["temperature"].value == pytest.approx(300)
    assert warm.acquired_at == datetime(2024, 1, 2, 4, 4, 5, tzinfo=UTC)
    assert warm.title == "scan 2, 2θ, 300.0 °C"


def test_positions_in_a_list_and_a_rocking_curve_are_read_as_they_are(tmp_path: Path) -> None:
    listed = (
        '<positions axis="2Theta" unit="deg"><commonPosition>31</commonPosition></positions>'
        '<positions axis="Omega" unit="deg"><listPositions>1 2 4</listPositions></positions>'
    )
    (dataset,) = read(tmp_path / "file", scan(axis="Omega", positions=listed, time="2024-01-02T03:04:05"))
    assert dataset.axes[0].name == "ω"
    np.testing.assert_array_equal(dataset.axes[0].values, [1, 2, 4])
    assert dataset.acquired_at is None
    assert dataset.conditions["local_time"].value == "2024-01-02T03:04:05"


def test_a_missing_attenuation_factor_is_refused(tmp_path: Path) -> None:
    inside = "<beamAttenuationFactors>1 9</beamAttenuationFactors><counts>1 90 3</counts>"
    with pytest.raises(ReadError, match="3 counts and 2 attenuation factors"):
        read(tmp_path / "file", scan(inside))


def test_mutilated_files_are_read_or_refused(reference: Path) -> None:
    path = reference / "instrument_files" / "xrd" / "nomad_m54313_om2th_10.xrdml"
    assert not list(offences(readers.get("xrdml"), path, flips=60))
