"""Small-angle scattering: text, PDH, NIST ABS, canSAS XML and NXcanSAS."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.children import in_a_child
from tests.measurements.readers.expected import disagreements, readings_of, summaries
from tests.measurements.readers.mutations import offences

FILES = {
    "sasdata_10wtAOT_Reline_120_reduced.pdh": "pdh",
    "sasdata_33837rear_1D_1.75_16.5_CanSAS1D.xml": "cansas_xml",
    "sasdata_33837rear_1D_1.75_16.5_NXcanSAS.h5": "nxcansas",
    "sasdata_APS_DND-CAT.TXT": "sas_text",
    "sasdata_AUSANS_run4_1_with_buffer.ABS": "nist_abs",
    "sasdata_Alumina_usaxs.csv": "sas_text",
    "sasdata_FK403_0006_Nika.hdf": "nxcansas",
    "sasdata_ISIS_83404.TXT": "sas_text",
    "sasdata_P123_D2O_30_percent.xml": "cansas_xml",
    "sasdata_conalbumin.txt": "sas_text",
    "sasdata_test_cansas1d.xml": "cansas_xml",
    "sasdata_test_cansas1d_badunits.xml": "cansas_xml",
    "sasdata_test_sam14_cor.ABS": "nist_abs",
}


def read(path: Path, name: str = "", *, key: str = "") -> list[Dataset]:
    reader = readers.recognise(path.read_bytes()[: readers.HEAD_BYTES], name or path.name)
    assert reader is not None
    assert reader.key == (key or reader.key)
    return readers.read(reader, path)


@pytest.mark.parametrize(("name", "key"), FILES.items())
def test_every_file_is_read_by_its_reader_and_agrees_with_sasdata(
    reference: Path, name: str, key: str
) -> None:
    datasets = read(reference / "instrument_files" / "saxs" / name, key=key)
    readings = readings_of(reference)[f"saxs/{name}"]
    assert summaries(readings) > 0
    assert disagreements(datasets, readings) == []
    first = datasets[0]
    assert first.technique == "saxs"
    assert first.signal.errors is not None
    sigma = readings[0]["datasets"][0]["dy_first"]
    assert first.signal.errors[0] == pytest.approx(sigma, rel=1e-6)


@pytest.mark.parametrize(("name", "key"), FILES.items())
def test_a_mutilated_file_is_refused_in_a_sentence_or_read(
    reference: Path, name: str, key: str, tmp_path: Path
) -> None:
    source = reference / "instrument_files" / "saxs" / name
    if key == "nxcansas":
        reader = in_a_child(readers.get(key), tmp_path)
        assert list(offences(reader, source, flips=50)) == []
    else:
        assert list(offences(readers.get(key), source)) == []


def test_the_unit_of_q_in_a_pdh_file_is_that_of_its_xml(reference: Path) -> None:
    """sasdata calls these numbers Å⁻¹; the file itself and its wavelength of 0.1542 nm say nm⁻¹."""
    dataset = read(reference / "instrument_files/saxs/sasdata_10wtAOT_Reline_120_reduced.pdh")[0]
    assert dataset.axes[0].unit == "nm⁻¹"
    assert dataset.conditions["xray_wavelength"].value == 1.542


def test_units_of_cansas_are_converted_and_the_files_own_kept(reference: Path) -> None:
    dataset = read(reference / "instrument_files/saxs/sasdata_test_cansas1d_badunits.xml")[0]
    assert (dataset.axes[0].unit, dataset.signal.unit) == ("Å⁻¹", "cm⁻¹")
    assert dataset.header["Idata/Q@unit"] == "1/nm"
    assert dataset.conditions["neutron_wavelength"].value == 6.0  # the file says 0.600 nm


ENTRY = """<SASentry><Title>{title}</Title><Run>1</Run>{data}<SASsample><ID>{title}</ID></SASsample>
<SASinstrument><name>x</name></SASinstrument><SASnote/></SASentry>"""
POINT = '<Idata><Q unit="1/A">{q}</Q><I unit="1/cm">{i}</I>{sigma}</Idata>'


def cansas(*entries: str) -> str:
    return (
        f'<?xml version="1.0"?><SASroot version="1.1" xmlns="urn:cansas1d:1.1">{"".join(entries)}</SASroot>'
    )


def test_each_sasdata_of_each_entry_is_a_dataset_and_a_missing_error_a_gap(tmp_path: Path) -> None:
    with_sigma = POINT.format(q=0.1, i=5, sigma='<Idev unit="1/cm">0.5</Idev>')
    without = POINT.format(q=0.2, i=6, sigma="")
    path = tmp_path / "two.xml"
    one = f'<SASdata name="short">{with_sigma}{without}</SASdata><SASdata name="long">{without}</SASdata>'
    path.write_text(
        cansas(
            ENTRY.format(title="A", data=one), ENTRY.format(title="B", data=f"<SASdata>{without}</SASdata>")
        )
    )
    datasets = read(path, key="cansas_xml")
    assert [dataset.title for dataset in datasets] == ["A: short", "A: long", "B"]
    errors = datasets[0].signal.errors
    assert errors is not None
    assert errors[0] == 0.5
    assert np.isnan(errors[1])
    assert datasets[1].signal.errors is None


def test_a_unit_that_changes_among_the_points_is_refused(tmp_path: Path) -> None:
    other = POINT.format(q=0.2, i=6, sigma="").replace("1/A", "1/nm")
    data = f"<SASdata>{POINT.format(q=0.1, i=5, sigma='')}{other}</SASdata>"
    path = tmp_path / "mixed.xml"
    path.write_text(cansas(ENTRY.format(title="A", data=data)))
    with pytest.raises(ReadError, match="Q changes its unit"):
        read(path)


def test_xml_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.xml"
    path.write_text(cansas(ENTRY.format(title="A", data="<a>" * 5000 + "</a>" * 5000)))
    with pytest.raises(ReadError, match="nested more than 200 deep"):
        read(path, key="cansas_xml")


def test_titles_say_what_the_columns_of_a_beamline_file_are(tmp_path: Path) -> None:
    path = tmp_path / "scatter.dat"
    rows = "".join(f"{0.01 * n:.4f}\t{100 / n:.5f}\t{1 / n:.5f}\n" for n in range(1, 30))
    path.write_text(f"# Exposure Time: 2 s\n# Wavelength (nm): 0.1127\nq(nm-1)\tI(q)\tsigma\n{rows}")
    (dataset,) = read(path, key="sas_text")
    assert dataset.axes[0].unit == "Å⁻¹"
    assert dataset.axes[0].values[0] == pytest.approx(0.001)
    assert dataset.signal.errors is not None
    assert dataset.signal.errors[1] == 0.5
    assert dataset.conditions["xray_wavelength"].value == pytest.approx(1.127)


@pytest.mark.parametrize(
    ("above", "below", "units"),
    [
        ("Sample description: lysozyme\nParent(s):\n", "creator: autosub\n", ("Å⁻¹", "")),
        ("<X>   <Y>   <dY>\n", "", ("Å⁻¹", "")),
        ("# Q(1/A) I(1/cm) dI(1/cm)\n", "", ("Å⁻¹", "cm⁻¹")),
        ("### DATA:\n#          Q             I(Q)           Error     \n", "", ("Å⁻¹", "")),
    ],
)
def test_programs_that_write_three_columns_each_in_its_way(
    tmp_path: Path, above: str, below: str, units: tuple[str, str]
) -> None:
    rows = "".join(f"{0.01 * n:.4f} {100 / n:.5f} {1 / n:.5f}\n" for n in range(1, 30))
    path = tmp_path / "curve.dat"
    path.write_text(above + rows + below)
    (dataset,) = read(path, key="sas_text")
    assert (dataset.axes[0].unit, dataset.signal.unit) == units
    assert dataset.signal.values[1] == 50
    assert dataset.signal.errors is not None
    assert dataset.signal.errors[1] == 0.5


def test_a_count_of_points_that_is_wrong_shows_that_a_file_was_cut(reference: Path, tmp_path: Path) -> None:
    content = (reference / "instrument_files/saxs/sasdata_ISIS_83404.TXT").read_text()
    path = tmp_path / "cut.txt"
    path.write_text("\n".join(content.splitlines()[:100]) + "\n")
    with pytest.raises(ReadError, match="announces 121 points, the file has 95"):
        read(path)


def test_a_map_of_the_detector_is_not_taken_for_a_curve(tmp_path: Path) -> None:
    path = tmp_path / "map.h5"
    with h5py.File(path, "w") as file:
        entry = file.create_group("sasentry01")
        entry.attrs["canSAS_class"] = "SASentry"
        data = entry.create_group("sasdata01")
        data.attrs.update({"canSAS_class": "SASdata", "signal": "I", "I_axes": "Qx,Qy"})
        data["I"], data["Qx"] = np.ones((4, 4)), np.ones((4, 4))
    with pytest.raises(ReadError, match="q is not one axis"):
        read(path, key="nxcansas")


def test_a_pattern_over_two_theta_is_not_taken_for_scattering(tmp_path: Path) -> None:
    path = tmp_path / "pattern.xye"
    path.write_text("".join(f"{5 + 0.02 * n:.2f} {100 + n} {10 + n / 10}\n" for n in range(200)))
    reader = readers.recognise(path.read_bytes(), path.name)
    assert reader is None or reader.key != "sas_text"
