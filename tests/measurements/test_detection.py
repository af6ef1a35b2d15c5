from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from measurements.data import Axis, Dataset, Signal
from measurements.detection import detect
from measurements.models import Measurement
from measurements.services import Receipt, read_measurement
from tests.measurements.conftest import incoming

Read = Callable[..., Measurement]


def curve(axis: str, axis_unit: str, signal: str, signal_unit: str = "", technique: str = "") -> Dataset:
    numbers = np.arange(3.0)
    return Dataset(
        Signal(signal, signal_unit, numbers), (Axis(axis, axis_unit, numbers),), technique=technique
    )


@pytest.mark.parametrize(
    ("dataset", "technique"),
    [
        (curve("2θ", "deg", "Intensity", "counts"), "xrd"),
        (curve("q", "Å⁻¹", "Intensity", "cm⁻¹"), "saxs"),
        (curve("Wavelength", "nm", "Absorbance"), "uvvis"),
        (curve("Wavelength", "nm", "Counts", "counts"), "pl"),
        (curve("Wavenumber", "cm⁻¹", "Transmittance", "%"), "ftir"),
        (curve("Raman shift", "cm⁻¹", "Intensity", "counts"), "raman"),
        (curve("Time", "ns", "Counts", "counts"), "trpl"),
        (curve("Time", "min", "Heat flow", "mW"), "dsc"),
        (curve("Temperature", "°C", "Weight", "mg"), "tga"),
        (curve("Binding energy", "eV", "Intensity", "counts"), "xps"),
        (curve("2Theta", "", "Intensity"), "xrd"),
        (curve("2th_deg", "", "I"), "xrd"),
    ],
)
def test_axes_and_units_tell_the_technique(dataset: Dataset, technique: str) -> None:
    guess = detect([dataset], "Delimited text", (), ["run7.txt"])
    assert guess is not None
    assert guess.technique == technique
    assert 0.5 <= guess.confidence < 0.95


def test_a_later_column_tells_less_surely_what_the_first_leaves_open() -> None:
    temperature, mass = curve("Time", "min", "Temperature", "°C"), curve("Time", "min", "Weight", "mg")
    first, later = (detect(found, "Text", (), []) for found in ([mass], [temperature, mass]))
    assert first is not None
    assert later is not None
    assert (first.technique, later.technique) == ("tga", "tga")
    assert later.confidence < first.confidence


def test_what_the_file_says_comes_before_what_it_looks_like() -> None:
    guess = detect([curve("Wavelength", "nm", "Counts", "counts", "plqy")], "Some", (), ["x_XRD.txt"])
    assert guess is not None
    assert (guess.technique, guess.confidence) == ("plqy", 0.95)


def test_a_file_name_that_agrees_makes_a_guess_surer_and_never_a_sure_one_weaker() -> None:
    counts = curve("Wavelength", "nm", "Counts", "counts")
    alone, named = (detect([counts], "Text", (), [name]) for name in ("run7.txt", "run7_PL.txt"))
    assert alone is not None
    assert named is not None
    assert (alone.technique, named.technique) == ("pl", "pl")
    assert named.confidence > alone.confidence
    told = curve("Wavelength", "nm", "Counts", "counts", "pl")
    said = detect([told], "Fluoracle", ("pl", "trpl"), ["run7_PL.txt"])
    assert said is not None
    assert said.confidence == 0.95


def test_a_file_name_alone_is_not_enough_to_decide() -> None:
    guess = detect([curve("x", "", "y")], "Delimited text", (), ["VT-7K3M2_XRD_300K.txt"])
    assert guess is not None
    assert (guess.technique, guess.confidence < 0.5) == ("xrd", True)


def test_a_technique_that_the_format_cannot_hold_is_not_guessed() -> None:
    guess = detect([curve("Wavelength", "nm", "Counts", "counts")], "XPS text", ("xps", "xas"), ["a.txt"])
    assert guess is None


def test_letters_within_a_word_say_nothing() -> None:
    assert detect([curve("x", "", "y")], "Delimited text", (), ["sample_plate.txt"]) is None


def test_an_upload_without_a_technique_gets_the_detected_one_with_its_reason(read: Read) -> None:
    measurement = read(b"Wavelength (nm)\tAbsorbance\n400\t0.1\n401\t0.2\n402\t0.3\n")
    assert measurement.technique == "uvvis"
    assert measurement.technique_confidence == pytest.approx(0.8)
    assert "Absorbance against Wavelength in nm" in measurement.technique_reason


def test_a_person_s_word_stands_against_the_detection(read: Read) -> None:
    measurement = read(b"Wavelength (nm)\tAbsorbance\n400\t0.1\n401\t0.2\n", technique="pl")
    assert (measurement.technique, measurement.technique_confidence) == ("pl", None)


def test_the_same_bytes_are_not_made_a_second_measurement_of_one_technique(given: Any) -> None:
    text = b"Wavelength (nm)\tAbsorbance\n400\t0.1\n401\t0.2\n"
    first: Receipt = given(text, technique="uvvis")
    second: Receipt = given(files=[incoming(text, "again.txt")], technique="other")
    Measurement.objects.filter(pk=second.measurement.pk).update(technique="unknown")
    read_measurement(first.measurement)
    read_measurement(Measurement.objects.get(pk=second.measurement.pk))
    row = Measurement.objects.get(pk=second.measurement.pk)
    assert (row.status, row.technique) == ("read", "unknown")
    assert "UV-Vis" in row.technique_reason
