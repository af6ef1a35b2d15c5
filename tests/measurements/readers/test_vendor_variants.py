"""Variants of vendors' text that other versions, countries and programs write, with invented numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import HEAD_BYTES
from tests.measurements.readers.mutations import offences

Reading = Callable[..., list[Dataset]]

AVASOFT_7 = (
    "feather \nIntegration time: 150 ms\nAverage: 10 scans\nNr of pixels used for smoothing: 0\n"
    "Data measured with spectrometer serial number: 0411041S1\n"
    "Wave   ;Dark     ;Ref      ;Sample   ;Transmittance\n"
    "[nm]   ;[counts] ;[counts] ;[counts] ;[% transmittance] \n"
    "300,00;1,50;6000,0;120,0;2,0\n300,30;-2,50;6100,0;183,0;3,0\n300,60;3,25;10102;404,0;4,0\n"
)
UVPROBE = (
    "[SUMMARY]\nSoftware Information\nSoftware Name:\tUVProbe\nVersion:\t2.43\n\nData Information\n"
    "Analyst:\tAnna\nDate/Time:\t12.02.2018 16:38:29\n\n[METHOD]\n[Measurement Properties]\n"
    "Wavelength Range (nm.):\t300,0000 to 304,0000\n[Instrument Properties]\n"
    "Instrument Type:\tUV-3100PC Series\nMeasuring Mode:\tTransmittance\nSlit Width:\t5,0 nm\n\n"
    "[DATA]\nWavelength\tData\n300.0\t87.5\n302.0\t85.4\n304.0\t85.2\n"
)
SMARTLAB = (
    '*FILE_SAMPLE "ZIF"\n*HW_XG_WAVE_LENGTH_ALPHA1 "1.540593"\n*MEAS_SCAN_AXIS_X "TwoThetaTheta"\n'
    '*MEAS_SCAN_STEP "0.5"\n*MEAS_SCAN_UNIT_X "deg"\n*MEAS_SCAN_UNIT_Y "cps"\n'
    "#Attenuator_coefficient=1.0000\n10.0000 100.5\n10.5000 150.2\n11.0000 300.8\n"
)
KRATOS = (
    "Dataset filename          = t.dset\nObject name               = pos/1\n"
    "   8 Stage Position Name     = Pos A\nDataset filename          = t.dset\n"
    "Object name               = C 1s/2\n   3 Spectrum scan start       = 1191.5 eV\n"
    "   4 Spectrum scan step size   = 0.25 eV\n   5 Abscissa label            = Kinetic Energy\n"
    "   7 Dwell time                = 0.5 seconds\n   9 Ordinate units            = Counts\n"
    "  12 Ordinate values           = {10, 11.5,\n12, 13}\n  42 Pass energy               = 20 eV\n"
    "3113 Chemical symbol or formula = C\n3114 Transition or charge state = 1s\n"
    "5587 Transmission Function Object (ke,t) = {\n"
    "    5615 Transmission Function Kinetic Energy = {1190, 1195}\n"
    "    5616 Transmission Function Value = {1.5, 1.25}\n}\n"
    "Object name = O 1s/3\nSpectrum scan start = 950.0 eV\nSpectrum scan step size = 0.1 eV\n"
    "Ordinate values = {5, 6, 7}\n"
)
WITEC = (
    "X-Axis\tSeries_000_Spec.Data 1(0)\tSeries_000_Spec.Data 1(1)\nrel. 1/cm\tCCD cts\tCCD cts\n"
    " 8.7E+01\t 9.95E+02\t 9.94E+02\n 9.0E+01\t 9.96E+02\t 9.91E+02\n 9.3E+01\t 9.92E+02\t 9.90E+02\n"
)
HRPT = (
    "HRPT, sample one\nlambda=  1.49400, T= 300.000, dT=  0.100, Date=2001-06-16 06:25:59\n"
    '   2.950   0.050   3.550 18000000., sample="one"\n'
    "   7444.   7639.   7731.1234567.   7479.   7718.   7820.   7861.   7945.   8090.\n"
    "   7844.   7970.   7788.\n"
    "     86.     87.     88.     89.     86.     88.     88.     89.     89.     90.\n"
    "     89.     89.     88.\nFilelist='hrpt/one'\n"
)
SNS = (
    "# 5000\n# file: PDF/one_ftfrgr.gr\n# Comment: neutron, Qmax=31.4, Qdamp=0.0177, Qbroad= 0.0192\n#\n"
    "  0.01   0.000\n  0.02   0.010\n  0.03   0.025\n"
)
MSA = (
    "#FORMAT : EMSA/MAS Spectral Data File\n#VERSION : 1.0\n#NPOINTS : 3\n#NCOLUMNS : 1\n"
    "#XUNITS : Energy Loss (eV)\n#YUNITS : COUNTS\n#DATATYPE : Y\n#XPERCHAN : 0.5\n#OFFSET : 10.0\n"
    "#SIGNALTYPE : ELS\n#SPECTRUM : \n10.0, 7.0\n10.5, 8.0\n11.0, 9.5\n#ENDOFDATA : \n"
)
TRIOS = (
    "[Version]\nTA Instruments LIMS export format version\t1\n[Header]\nInstrument name\tDSC2A\n"
    "[Sample]\nSample Mass\t23.840 mg\nPan Type\tTzero Aluminum\n[Parameters: Configuration]\n"
    "Instrument Type\tDSC2500\nExotherm Direction\tDown\nGas Selected\tChannel 1: Nitrogen\n"
    "Flow Rate\t50 mL/min\n[Parameters: Direct Cp Calibration]\nTemperature\t-79.9 °C\nCp\t0.8158\n"
    "Temperature\t-79.2 °C\nCp\t0.8183\n[Analysis]\nAnalyzed step\tRamp 20.00 °C/min to 180.00 °C\n"
    "[Step]\nStep name\tRamp 20.00 °C/min to 180.00 °C\nNumber of points\t3\n"
    "Variables\tTime\tTemperature\tHeat Flow\tHeat Flow (Normalized)\nUnits\tmin\t°C\tmW\tW/g\n"
    "Data point\t0\t30.1\t-0.55\t-0.0233\nData point\t0.5\t40.2\t-0.56\t-0.0235\nData point\t1\t50.2\t\t\n"
    "[Step]\nStep name\tRamp 20.00 °C/min to 30.00 °C\nNumber of points\t2\n"
    "Variables\tTime\tTemperature\tHeat Flow\tHeat Flow (Normalized)\nUnits\tmin\t°C\tmW\tW/g\n"
    "Data point\t7.5\t179.5\t-0.5\t-0.021\nData point\t8\t169.1\t-0.4\t-0.017\n"
)
SAMPLES = {
    "avantes": AVASOFT_7, "shimadzu_text": UVPROBE, "ras": SMARTLAB, "kratos_text": KRATOS,
    "witec_text": WITEC, "psi_powder": HRPT, "pdfget": SNS, "msa": MSA,
    "ta_trios": TRIOS,
}  # fmt: skip


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def read_text(key: str, text: str) -> list[Dataset]:
        path = tmp_path / "file"
        path.write_text(text)
        reader = readers.recognise(path.read_bytes()[:HEAD_BYTES], "file.txt")
        assert reader is not None
        assert reader.key == key
        return readers.read(reader, path)

    return read_text


def values(dataset: Dataset) -> list[float]:
    return [float(value) for value in dataset.signal.values]


def axis(dataset: Dataset) -> list[float]:
    return [float(value) for value in dataset.axes[-1].values]


def test_avasoft_7_with_decimal_commas_gives_transmittance_in_percent(read: Reading) -> None:
    first, dark, *_ = read("avantes", AVASOFT_7)
    assert (first.signal.name, first.signal.unit, values(first)) == ("Transmittance", "%", [2, 3, 4])
    assert (dark.signal.unit, values(dark)) == ("counts", [1.5, -2.5, 3.25])
    assert axis(first) == [300, 300.3, 300.6]
    assert first.conditions["exposure_time"].value == 0.15


def test_uvprobe_tells_its_mode_in_a_summary(read: Reading) -> None:
    (dataset,) = read("shimadzu_text", UVPROBE)
    assert (dataset.signal.name, dataset.signal.unit) == ("Transmittance", "%")
    assert (dataset.axes[0].unit, axis(dataset), values(dataset)) == (
        "nm",
        [300, 302, 304],
        [87.5, 85.4, 85.2],
    )
    assert dataset.conditions["bandwidth"].value == 5.0
    assert dataset.header["Analyst"] == "Anna"


def test_uvprobe_s_summary_without_its_data_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match=r"the section \[DATA\] is missing"):
        read("shimadzu_text", UVPROBE.partition("[DATA]")[0])


def test_smartlab_s_plain_text_is_a_scan(read: Reading) -> None:
    (dataset,) = read("ras", SMARTLAB)
    assert (dataset.axes[0].name, dataset.signal.unit) == ("2θ", "counts/s")
    assert (axis(dataset), values(dataset)) == ([10, 10.5, 11], [100.5, 150.2, 300.8])
    assert dataset.header["line 7"] == "#Attenuator_coefficient=1.0000"


def test_two_scans_in_smartlab_s_plain_text_stay_apart(read: Reading) -> None:
    first, second = read("ras", SMARTLAB + SMARTLAB.replace("ZIF", "MOF").replace("100.5", "99.5"))
    assert (values(first)[0], values(second)[0]) == (100.5, 99.5)
    assert (first.header["FILE_SAMPLE"], second.header["FILE_SAMPLE"]) == ("ZIF", "MOF")


@pytest.mark.parametrize("leading", [1, 2])
def test_a_labspec_map_without_a_header_keeps_its_axis(read: Reading, leading: int) -> None:
    shifts = [2000 - 1.5 * n for n in range(80)]
    lines = ["\t" * leading + "\t".join(map(str, shifts))]
    lines += [
        "\t".join(map(str, [float(row)] * leading + [row * 100 + n for n in range(80)])) for row in (0, 1)
    ]
    dataset = read("labspec", "\n".join(lines) + "\n")[0]
    assert axis(dataset) == shifts
    np.testing.assert_array_equal(dataset.signal.values[1], np.arange(100, 180))
    assert dataset.axes[-1].unit == ""


def test_kratos_objects_are_spectra_on_the_kinetic_energy_that_was_measured(read: Reading) -> None:
    carbon, oxygen, transmission = read("kratos_text", KRATOS)
    assert (carbon.title, carbon.axes[0].name, carbon.axes[0].unit) == (
        "C 1s/2: C 1s",
        "Kinetic energy",
        "eV",
    )
    assert (axis(carbon), values(carbon)) == ([1191.5, 1191.75, 1192, 1192.25], [10, 11.5, 12, 13])
    assert (axis(oxygen), values(oxygen)) == ([950.0, 950.1, 950.2], [5, 6, 7])
    assert (axis(transmission), values(transmission)) == ([1190, 1195], [1.5, 1.25])
    assert {key: carbon.conditions[key].value for key in ("pass_energy", "dwell_time", "region")} == {
        "pass_energy": 20.0, "dwell_time": 0.5, "region": "C 1s",
    }  # fmt: skip


def test_a_kratos_dump_that_ends_within_its_values_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="its list of values does not end"):
        read("kratos_text", KRATOS.partition("12, 13}")[0])


def test_witec_s_table_is_raman_where_its_axis_is_relative(read: Reading) -> None:
    first, second = read("witec_text", WITEC)
    assert (first.axes[0].name, first.axes[0].unit, first.technique) == ("Raman shift", "cm⁻¹", "raman")
    assert (values(second), second.signal.unit) == ([994, 991, 990], "counts")


def test_many_spectra_of_witec_are_one_map(read: Reading) -> None:
    count = 40
    titles = "\t".join(["X-Axis", *(f"Map_Spec.Data 1({n})" for n in range(count))])
    rows = ["\t".join([f"{500 + row}", *(f"{row * 100 + n}" for n in range(count))]) for row in range(3)]
    (dataset,) = read("witec_text", "\n".join([titles, "nm" + "\tCCD cts" * count, *rows]) + "\n")
    assert (dataset.signal.values.shape, dataset.axes[1].name) == ((count, 3), "Wavelength")
    np.testing.assert_array_equal(dataset.signal.values[7], [7, 107, 207])


def test_psi_s_counts_are_followed_by_their_errors(read: Reading) -> None:
    (dataset,) = read("psi_powder", HRPT)
    assert (dataset.signal.values.size, axis(dataset)[0]) == (13, 2.95)
    assert axis(dataset)[-1] == pytest.approx(3.55)
    assert values(dataset)[2:5] == [7731, 1234567, 7479]
    assert dataset.signal.errors is not None
    assert dataset.signal.errors[-1] == 88
    assert dataset.conditions["neutron_wavelength"].value == 1.494
    assert dataset.conditions["temperature"].value == pytest.approx(26.85)


def test_psi_data_without_all_of_their_points_are_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="announces 13 points"):
        read("psi_powder", HRPT.replace("     89.     89.     88.\n", ""))


def test_a_pair_distribution_of_sns_is_known_by_qdamp(read: Reading) -> None:
    (dataset,) = read("pdfget", SNS)
    assert (dataset.axes[0].unit, dataset.signal.name, values(dataset)) == ("Å", "G(r)", [0, 0.01, 0.025])
    assert dataset.conditions["q_max"].value == 31.4


def test_pairs_that_hyperspy_wrote_as_single_values_are_pairs(read: Reading) -> None:
    (dataset,) = read("msa", MSA)
    assert (axis(dataset), values(dataset)) == ([10, 10.5, 11], [7, 8, 9.5])
    assert (dataset.axes[0].unit, dataset.signal.unit) == ("eV", "counts")


def test_two_detectors_in_an_emsa_file_are_two_curves(read: Reading) -> None:
    text = MSA.replace(": Y\n", ": YY\n").replace("10.0\n#SIG", "10.0, 10.0    eV of first channel\n#SIG")
    first, second = read("msa", text)
    assert (values(first), values(second)) == ([10, 10.5, 11], [7, 8, 9.5])
    assert axis(first) == [10, 10.5, 11]


def test_trios_export_for_lims_is_one_run_of_all_its_steps(read: Reading) -> None:
    heat, normalised, temperature = read("ta_trios", TRIOS)
    assert axis(heat) == [0, 0.5, 1, 7.5, 8]
    np.testing.assert_array_equal(heat.signal.values, [-0.55, -0.56, np.nan, -0.5, -0.4])
    assert (heat.signal.unit, normalised.signal.unit, heat.technique) == ("mW", "W/g", "dsc")
    assert values(temperature) == [30.1, 40.2, 50.2, 179.5, 169.1]
    wanted = ("mass", "gas", "gas_flow", "mode", "heating_rate")
    assert {key: heat.conditions[key].value for key in wanted} == {
        "mass": 23.84, "gas": "Nitrogen", "gas_flow": 50.0, "mode": "exo down", "heating_rate": 20.0,
    }  # fmt: skip
    assert heat.header["Parameters: Direct Cp Calibration.Cp"] == "0.8158\n0.8183"


NETZSCH_DE = (
    "#EXPORTTYP:DATEN ALLE\n#FORMAT:NETZSCH5\n#DEZIMAL:KOMMA\n#TRENNZEICHEN:SEMIKOLON\n#MTYP:DSC-TG\n\n"
    "##Temp./°C;Zeit/min;DSC/(mW/mg);Masse/%\n27,25;0,0;0,012;99,9\n29,75;0,5;0,013;99,8\n"
)


def test_proteus_in_german_keeps_its_decimal_commas(read: Reading) -> None:
    datasets = {each.title: each for each in read("netzsch_text", NETZSCH_DE)}
    assert values(datasets["DSC"]) == [0.012, 0.013]
    assert values(datasets["Masse"]) == [99.9, 99.8]


def test_a_proteus_export_without_rows_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="no rows of numbers below the titles"):
        read("netzsch_text", NETZSCH_DE.partition("27,25")[0])


def test_a_trios_step_with_fewer_points_than_it_announces_is_refused(read: Reading) -> None:
    with pytest.raises(ReadError, match="announces 2 points, and 1 follow"):
        read("ta_trios", TRIOS.partition("Data point\t8")[0])


@pytest.mark.parametrize("key", SAMPLES)
def test_mutilated_variants_are_read_or_refused(key: str, tmp_path: Path) -> None:
    path = tmp_path / f"sample.{key}"
    path.write_text(SAMPLES[key])
    assert list(offences(readers.get(key), path, cuts=20, flips=60, swaps=6)) == []
