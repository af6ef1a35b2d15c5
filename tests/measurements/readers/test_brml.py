"""Bruker BRML: a real file against an independent reading, and archives as DIFFRAC.SUITE writes them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import brml
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import offences

REAL = "xrd/nomad_23-012-AG_2thomega_long.brml"
RAW_DATA = """<?xml version="1.0"?><RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<TimeStampStarted>2024-03-12T15:02:00.1234567+02:00</TimeStampStarted><DataRoutes>
<DataRoute RouteFlag="Measured"><ScanInformation ScanName="{name}"><TimePerStep>0.5</TimePerStep>
<ScanAxes>{axes}</ScanAxes></ScanInformation>{datums}<DataViews>{views}</DataViews></DataRoute></DataRoutes>
<FixedInformation><Tube><WaveLengthAlpha1 Unit="Å" Value="1.5406"/><TubeMaterial>Cu</TubeMaterial></Tube>
</FixedInformation></RawData>"""
TIME = '<RawDataView xsi:type="FixedRawDataView" Start="0" Length="1" LogicName="MeasuredTime"/>'
TWO_THETA = (
    '<RawDataView xsi:type="VaryingRawDataView" Start="1" Length="1"><Varying LogicName="ScanAxes">'
    '<FieldDefinitions FieldName="TwoTheta" AxisId="TwoTheta"/></Varying></RawDataView>'
)


def recorded(start: int, name: str, base: str, length: int = 1) -> str:
    return (
        f'<RawDataView xsi:type="RecordedRawDataView" Start="{start}" Length="{length}">'
        f'<Recording LogicName="{name}"><Unit Prefix="None" Base="{base}"/></Recording></RawDataView>'
    )


def raw_data(*points: str, views: str, name: str = "CoupledTwoTheta_Theta", axes: str = "") -> str:
    datums = "".join(f"<Datum>{point}</Datum>" for point in points)
    return RAW_DATA.format(name=name, datums=datums, views=views, axes=axes)


def read(path: Path, *ranges: str) -> list[Dataset]:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Experiment0/DataContainer.xml", "<DataContainer/>")
        for number, text in enumerate(ranges):
            archive.writestr(f"Experiment0/RawData{number}.xml", text)
    assert brml.recognises(path.read_bytes(), "file")
    return readers.read(readers.get("brml"), path)


def test_a_real_file_agrees_with_an_independent_reading(reference: Path) -> None:
    datasets = readers.read(readers.get("brml"), reference / "instrument_files" / REAL)
    assert not disagreements(datasets, readings_of(reference)[REAL])
    assert datasets[0].conditions["attenuation"].value == "applied, factors 1 to 8.3"
    assert datasets[0].conditions["xray_wavelength"].value == 1.5406


def test_ranges_come_in_the_order_of_their_numbers_with_their_temperature(tmp_path: Path) -> None:
    """RawData10 after RawData9, not after RawData1."""
    views = (
        TIME
        + TWO_THETA
        + recorded(2, "TemperatureSensor", "DegreeCelsius")
        + recorded(3, "Counter", "Counts")
    )
    ranges = [raw_data(f"1,10,{25 + n},{n}", f"1,11,{25 + n},{n + 1}", views=views) for n in range(11)]
    datasets = read(tmp_path / "file", *ranges)
    main = datasets[:11]
    assert [dataset.signal.values[0] for dataset in main] == list(range(11))
    assert [dataset.conditions["temperature"].value for dataset in main] == list(range(25, 36))
    assert datasets[11].title == "range 1: TemperatureSensor"
    assert main[0].acquired_at is not None


def test_snapshots_of_a_strip_detector_become_one_map(tmp_path: Path) -> None:
    axes = (
        '<ScanAxisInfo AxisId="TwoTheta" Unit="°"><Reference>20</Reference><Start>0</Start><Stop>0.3</Stop>'
        "<Increment>0.1</Increment></ScanAxisInfo>"
    )
    text = raw_data(
        "1,5,6,7,8",
        "1,9,6,7,8",
        views=TIME + recorded(1, "Counter1D", "Counts", 4),
        axes=axes,
        name="PsdFixed",
    )
    (dataset,) = read(tmp_path / "file", text)
    assert dataset.signal.values.shape == (2, 4)
    np.testing.assert_allclose(dataset.axes[1].values, [20, 20.1, 20.2, 20.3])


def test_coordinates_that_are_worked_out_and_not_stored_are_passed_over(tmp_path: Path) -> None:
    computed = (
        '<RawDataView Start="2" Length="3843"><Varying><FieldDefinitions FieldName="RecSpX"/></Varying>'
        "</RawDataView>"
    )
    views = TIME + TWO_THETA + computed + recorded(2, "C", "Counts")
    (dataset,) = read(tmp_path / "file", raw_data("1,10,7", "1,11,8", views=views))
    np.testing.assert_array_equal(dataset.signal.values, [7, 8])


def test_a_point_that_was_never_measured_is_not_a_number(tmp_path: Path) -> None:
    (dataset,) = read(
        tmp_path / "file",
        raw_data("1,10,7", "1,11,-9999", views=TIME + TWO_THETA + recorded(2, "C", "Counts")),
    )
    assert np.isnan(dataset.signal.values[1])
    assert dataset.header["points not measured"] == "1, marked -9999 in the file"


def test_a_file_that_does_not_describe_its_columns_is_read_as_its_program_wrote_it(tmp_path: Path) -> None:
    axes = '<ScanAxisInfo AxisId="TwoTheta"/><ScanAxisInfo AxisId="Theta"/>'
    (dataset,) = read(tmp_path / "file", raw_data("1,1,10,5,7", "1,1,11,5.5,8", views="", axes=axes))
    np.testing.assert_array_equal(dataset.axes[0].values, [10, 11])
    np.testing.assert_array_equal(dataset.signal.values, [7, 8])


def test_a_plan_without_a_measurement_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="a plan without a measurement"):
        read(tmp_path / "file")


def test_mutilated_files_are_read_or_refused(tmp_path: Path) -> None:
    views = TIME + TWO_THETA + recorded(2, "C", "Counts")
    read(tmp_path / "whole", raw_data(*(f"1,{n},{n * n}" for n in range(30)), views=views))
    assert not list(offences(readers.get("brml"), tmp_path / "whole"))
