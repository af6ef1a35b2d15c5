"""Every optical, infrared and Raman file of the reference folder: who reads it, and do the numbers agree?"""

from __future__ import annotations

from pathlib import Path

import pytest

from measurements import readers
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import offences

READER_OF = {
    "uvvis/Andor_Solis_kinetic.asc": "andor_text",
    "uvvis/Avantes_1908047U1_0000.Raw8.TXT": "avantes",
    "uvvis/Avantes_1908047U1_0001.Raw8.txt": "avantes",
    "uvvis/Avantes_1908047U1_0060.Raw8.txt": "avantes",
    "uvvis/Cary_CuPCtS_H2O.csv": "cary",
    "uvvis/JASCO_V570_PbSe_batch_1.txt": "jasco_text",
    "uvvis/JASCO_V570_PbSe_batch_4_2012-02-21.txt": "jasco_text",
    "uvvis/JASCO_uvvis_abs.jws": "jasco_jws",
    "uvvis/JASCO_uvvis_abs.txt": "jasco_text",
    "uvvis/OceanOptics_tsunami.scope": "ocean_optics",
    "uvvis/PE_F4-P3HT_1-10_0p5_mgml.Probe.Raw.asc": "perkinelmer_asc",
    "uvvis/PE_KTF-D.Probe.Raw.asc": "perkinelmer_asc",
    "uvvis/PE_sphere_test01.Probe.Raw.asc": "perkinelmer_asc",
    "uvvis/Shimadzu_MoS2_Czech2015.txt": "delimited_text",
    "uvvis/Shimadzu_SA_5_MM.csv": "shimadzu_text",
    "uvvis/SpectraWiz_calib_0.1ppm.ABS": "spectrawiz",
    "uvvis/hysprint_S3207.trspv.txt": "time_wavelength_text",
    "uvvis/perovskite_absorption_Elliott_FACs_1.dat": "delimited_text",
    "ftir/JASCO_ftir_test.csv": "jasco_text",
    "ftir/JASCO_ftir_test.jws": "jasco_jws",
    "ftir/Tensor27_CuPCtS_powder_ATR.dpt": "bruker_dpt",
    "ftir/datalab_FTIRText020.txt": "shimadzu_text",
    "ftir/datalab_FeSO4_ref.asp": "asp",
    "ftir/openspecy_ftir_ldpe_soil.asp": "asp",
    "ftir/openspecy_ftir_polyethylene_reflectance_adjustment_not_working.spa": "omnic_spa",
    "ftir/openspecy_ftir_ps.0": "bruker_opus",
    "ftir/opusreader2_629266_1TP_A-1_C1.0": "bruker_opus",
    "ftir/opusreader2_MMP_2107_Test1.001": "bruker_opus",
    "ftir/opusreader2_test_spectra.0": "bruker_opus",
    "ftir/specio_spectra.sp": "perkinelmer_sp",
    "ftir/specio_spectra.spc": "spc",
    "raman/LabRAM_spectrum_nm.txt": "labspec",
    "raman/LabRAM_spectrum_wn.txt": "labspec",
    "raman/LabRAM_survey_nm.txt": "labspec",
    "raman/datalab_labspec_raman_example.txt": "labspec",
    "raman/datalab_raman_example.txt": "renishaw_text",
    "raman/datalab_raman_example.wdf": "renishaw_wdf",
    "raman/openspecy_raman_atacamit.spc": "spc",
    "raman/openspecy_raman_hdpe.csv": "delimited_text",
    "pl/andor_DD58_785_1_Fe2O3_5x10s.sif": "andor_sif",
    "pl/andor_raman1.asc": "andor_text",
    "pl/andor_raman1.sif": "andor_sif",
    "pl/andor_rubpy3_in_ethanolpulsed.sif": "andor_sif",
    "pl/hysprint_MAPI_2PACz_ITO.pl.csv": "fluoracle",
    "plqy/demello_1/B2.txt": "delimited_text",
    "plqy/demello_1/C2.txt": "delimited_text",
    "plqy/demello_2/B2.txt": "delimited_text",
    "plqy/demello_2/C2.txt": "delimited_text",
    "plqy/demello_CF.txt": "delimited_text",
    "plqy/hysprint_100_40-1.abspl.txt": "luqy_pro",
    "plqy/hysprint_AA142.pli.txt": "luqy_pro",
    "nmr/datalab_13c.jdx": "jcamp_dx",
    "nmr/npm_Rutin_3080ug200uL_DMSOd6_qHNMR_400MHz_JDX.jdx": "jcamp_dx",
    "nmr/npm_aspirin-1h.dx": "jcamp_dx",
    "nmr/npm_aspirin-1h.fid.dx": "jcamp_dx",
    "thermal/tga_jcamp.jdx": "jcamp_dx",
}
ONE_OF_EACH = {reader: name for name, reader in READER_OF.items() if reader != "delimited_text"}


@pytest.mark.parametrize("name", READER_OF)
def test_the_right_reader_reads_the_numbers_of_independent_readings(reference: Path, name: str) -> None:
    path = reference / "instrument_files" / name
    with path.open("rb") as file:
        reader = readers.recognise(file.read(readers.HEAD_BYTES), path.name)
    assert reader is not None
    assert reader.key == READER_OF[name]
    datasets = readers.read(reader, path)
    assert not disagreements(datasets, readings_of(reference).get(name, []))


@pytest.mark.parametrize("reader", ONE_OF_EACH)
def test_a_mutilated_file_is_read_or_refused_and_nothing_else(reference: Path, reader: str) -> None:
    path = reference / "instrument_files" / ONE_OF_EACH[reader]
    assert not list(offences(readers.get(reader), path, cuts=8, flips=25, swaps=5))


def test_jasco_s_binary_and_text_of_one_measurement_agree(reference: Path) -> None:
    folder = reference / "instrument_files" / "uvvis"
    (binary,) = readers.read(readers.get("jasco_jws"), folder / "JASCO_uvvis_abs.jws")
    (text,) = readers.read(readers.get("jasco_text"), folder / "JASCO_uvvis_abs.txt")
    assert binary.axes[0].values.tolist() == text.axes[0].values.tolist()
    assert abs(binary.signal.values - text.signal.values).max() < 1e-9
    assert binary.acquired_at is not None
    assert binary.acquired_at.isoformat() == "2026-06-04T07:08:01+00:00"  # the text says 16:08 in Japan


def test_andor_s_binary_and_text_of_one_measurement_agree(reference: Path) -> None:
    folder = reference / "instrument_files" / "pl"
    (binary,) = readers.read(readers.get("andor_sif"), folder / "andor_raman1.sif")
    (text,) = readers.read(readers.get("andor_text"), folder / "andor_raman1.asc")
    assert abs(binary.axes[0].values - text.axes[0].values).max() < 1e-4
    assert abs(binary.signal.values / text.signal.values - 1).max() < 1e-5
    assert binary.conditions["exposure_time"] == text.conditions["exposure_time"]


def test_renishaw_s_binary_and_text_of_one_measurement_agree(reference: Path) -> None:
    folder = reference / "instrument_files" / "raman"
    (binary,) = readers.read(readers.get("renishaw_wdf"), folder / "datalab_raman_example.wdf")
    (text,) = readers.read(readers.get("renishaw_text"), folder / "datalab_raman_example.txt")
    assert abs(binary.axes[0].values - text.axes[0].values).max() < 1e-5
    assert abs(binary.signal.values - text.signal.values).max() < 1e-3
    assert (binary.axes[0].name, binary.technique) == ("Raman shift", "raman")


def test_the_main_dataset_of_opus_is_what_was_computed(reference: Path) -> None:
    folder = reference / "instrument_files" / "ftir"
    absorbance, *others = readers.read(readers.get("bruker_opus"), folder / "openspecy_ftir_ps.0")
    assert (absorbance.signal.name, absorbance.axes[0].unit) == ("Absorbance", "cm⁻¹")
    assert [other.title for other in others] == [
        "Single channel, sample", "Single channel, reference",
        "Interferogram, sample", "Interferogram, reference",
    ]  # fmt: skip
    assert absorbance.acquired_at is not None
    assert absorbance.acquired_at.utcoffset() is not None
    assert absorbance.conditions["resolution"].value == 4


def test_the_omnic_file_agrees_with_what_its_history_says(reference: Path) -> None:
    name = "openspecy_ftir_polyethylene_reflectance_adjustment_not_working.spa"
    spectrum, *_ = readers.read(readers.get("omnic_spa"), reference / "instrument_files" / "ftir" / name)
    assert spectrum.header["Final format"] == "%Reflectance"
    assert (spectrum.signal.name, spectrum.signal.unit) == ("Reflectance", "%")
    assert spectrum.header["Resolution"].startswith("4.000 from 649.9207 to 3999.8086")
    assert [round(float(end), 3) for end in spectrum.axes[0].values[[0, -1]]] == [3999.809, 649.921]


def test_the_quantum_yield_of_luqy_is_a_fraction(reference: Path) -> None:
    path = reference / "instrument_files" / "plqy" / "hysprint_AA142.pli.txt"
    flux, counts = readers.read(readers.get("luqy_pro"), path)
    assert flux.conditions["quantum_yield"].value == pytest.approx(0.015194)
    assert flux.conditions["implied_voltage"].value == 1.262
    assert (flux.signal.unit, counts.signal.unit) == ("photons/(s cm² nm)", "counts")
