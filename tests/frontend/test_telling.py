"""What a measurement's page says before any database is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from frontend.plots import usual_scale
from frontend.runs.telling import _group, conditions
from measurements.models import Measurement


def test_components_of_a_decay_keep_their_labels_whole() -> None:
    """`PL lifetime of a component`, of component 1: nothing but “PL” is shared."""
    found: list[Any] = [
        SimpleNamespace(label=label, component="1")
        for label in ("PL lifetime of a component", "PL amplitude of a component", "Share of the light")
    ]
    group = _group("1", found)
    assert group.heading == "Component 1"
    assert [label for label, _ in group.lines] == [line.label for line in found]


def test_components_of_a_peak_share_their_first_words_in_the_heading() -> None:
    found: list[Any] = [
        SimpleNamespace(label=f"PL peak {what}", component="II") for what in ("centre", "height")
    ]
    group = _group("II", found)
    assert (group.heading, [label for label, _ in group.lines]) == ("PL peak II", ["centre", "height"])


def test_spectra_of_a_sphere_and_decays_begin_on_a_logarithmic_scale() -> None:
    assert [usual_scale(technique) for technique in ("plqy", "trpl", "pl", "uvvis")] == ["log", "log", "", ""]


def test_conditions_are_told_with_their_units_however_the_sender_named_them() -> None:
    said = {
        "xray_wavelength": {"value": 1.540598, "unit": "Å"},
        "note": "after lunch",
        "temperature_c": 25,
        "heating_rate_k_per_min": 20,
    }
    assert conditions(Measurement(conditions=said)) == [
        ("Temperature", "25\u202f°C"),
        ("Heating rate", "20\u202fK\u202fmin⁻¹"),
        ("X-ray wavelength", "1.540598\u202fÅ"),
        ("Note", "after lunch"),
    ]
