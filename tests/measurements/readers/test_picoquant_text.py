"""Decays that PicoQuant's programs export as text, and plain columns as laboratories publish them."""

from __future__ import annotations

from pathlib import Path

import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.expected import disagreements, readings_of

FILES = {
    "trpl/hysprint_Si6505_TimeHarp260.trpl.dat": "picoquant_text",
    "trpl/koberczerny_Seo_FAPI1_Glass_0.dat": "picoquant_fluotime",
    "trpl/koberczerny_TRPL_MBG_Air_OD1.dat": "picoquant_fluotime",
    "trpl/metrotrpl/F520_N0.csv": "delimited_text",
    "trpl/metrotrpl/F520_N0_raw.csv": "delimited_text",
    "trpl/metrotrpl/F700_N1.csv": "delimited_text",
    "trpl/metrotrpl/F700_N1_raw.csv": "delimited_text",
    "trpl/metrotrpl/G520_N0.csv": "delimited_text",
    "trpl/metrotrpl/G520_N0_raw.csv": "delimited_text",
    "trpl/metrotrpl/irf_520nm.csv": "delimited_text",
    "trpl/metrotrpl/irf_745nm.csv": "delimited_text",
}
TWO_CURVES = (
    "#PicoHarp 300  Histogram Data\t\t2021-03-22 04:00:21 PM\n#channels per curve\n3\n"
    "#display curve no.\n0\t1\n#memory block no.\n0\t7\n#ns/channel\n0.0040\t0.0080\n"
    "#counts\n5\t1\t\n6\t2\t\n7\t3\t\n"
)
DECAY_AND_IRF = (
    "Parameters:\n  Sample : glass\n  Exc_Wavelength : 505.5 nm\n  Det_Wavelength : 770.0 nm\n"
    "  Sync_Frequency : 500000 Hz\n\nData:\nTime [ns]\tIRF [Cnts.]\tTime [ns]\tDecay [Cnts.]\n"
    "0\t9\t0\t4\n1\t8\t1\t5\n\t\t2\t6\n"
)


def read(content: bytes, folder: Path, key: str) -> list[Dataset]:
    found = readers.recognise(content[: readers.HEAD_BYTES], "decay.dat")
    assert found is not None
    assert found.key == key
    path = folder / "stored"
    path.write_bytes(content)
    return readers.read(found, path)


@pytest.mark.parametrize("name", FILES)
def test_a_real_export_is_read_as_independent_programs_read_it(name: str, reference: Path) -> None:
    source = reference / "instrument_files" / name
    found = readers.recognise(source.read_bytes()[: readers.HEAD_BYTES], source.name)
    assert found is not None
    assert found.key == FILES[name]
    assert disagreements(readers.read(found, source), readings_of(reference)[name]) == []


def test_settings_of_a_fluotime_become_conditions(reference: Path) -> None:
    source = reference / "instrument_files" / "trpl" / "koberczerny_TRPL_MBG_Air_OD1.dat"
    (decay,) = readers.read(readers.get("picoquant_fluotime"), source)
    known = {key: (quantity.value, quantity.unit) for key, quantity in decay.conditions.items()}
    assert known["excitation_wavelength"] == (505.5, "nm")
    assert known["emission_wavelength"] == (770.0, "nm")
    assert known["repetition_rate"] == (0.5, "MHz")
    assert known["channel_width"] == (1.0, "ns")
    assert known["exposure_time"] == (290.6, "s")
    assert known["count_rate"] == (9240.0, "counts/s")
    assert known["local_time"] == ("14/02/2022 12:52:59", "")
    assert decay.acquired_at is None


def test_curves_of_a_counter_have_their_own_channel_width(tmp_path: Path) -> None:
    first, second = read(TWO_CURVES.encode(), tmp_path, "picoquant_text")
    assert first.signal.values.tolist() == [5, 6, 7]
    assert first.axes[0].values.tolist() == pytest.approx([0, 0.004, 0.008])
    assert second.axes[0].values.tolist() == pytest.approx([0, 0.008, 0.016])
    assert (second.title, second.signal.values.tolist()) == ("Curve 7", [1, 2, 3])


def test_a_histogram_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="announces 3 channels, the file has 2"):
        read(TWO_CURVES.replace("7\t3\t\n", "").encode(), tmp_path, "picoquant_text")


def test_decay_and_instrument_response_keep_their_own_lengths(tmp_path: Path) -> None:
    response, decay = read(DECAY_AND_IRF.encode(), tmp_path, "picoquant_fluotime")
    assert (response.title, response.signal.values.tolist()) == ("IRF", [9, 8])
    assert (decay.title, decay.signal.values.tolist()) == ("Decay", [4, 5, 6])
    assert decay.axes[0].values.tolist() == [0, 1, 2]
