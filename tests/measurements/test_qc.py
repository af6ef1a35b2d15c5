"""What is said to be odd about a dataset, and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from measurements import qc
from measurements.data import Axis, Dataset, Quantity, Signal
from measurements.vocabulary import understood

FLAT = np.r_[np.full(20, 12.8), np.linspace(12.8, 2.3, 80)]


def curve(unit: str = "counts", **more: Any) -> Dataset:
    return Dataset(Signal("y", unit, FLAT), (Axis("2θ", "deg", np.arange(100.0)),), **more)


def checks(dataset: Dataset, said: dict[str, object] | None = None) -> list[str]:
    return [flag.check for flag in qc.flags(dataset, understood(said or {}))]


def test_a_flat_top_of_counts_may_be_a_saturated_detector() -> None:
    assert checks(curve()) == ["saturation"]


@pytest.mark.parametrize(
    "still",
    [
        curve("mg"),
        curve("°C"),
        curve("%", technique="tga"),
        Dataset(Signal("Attenuation", "1", FLAT), curve().axes),
    ],
)
def test_a_balance_at_rest_is_no_saturated_detector(still: Dataset) -> None:
    assert checks(still) == []


@pytest.mark.parametrize(
    "said",
    [
        {"xray_energy_kev": 101, "xray_wavelength_angstrom": 0.10173},
        {
            "xray_energy": {"value": 101000, "unit": "eV"},
            "xray_wavelength": {"value": 0.010173, "unit": "nm"},
        },
    ],
)
def test_the_senders_energy_and_wavelength_pass_the_gate_too(said: dict[str, object]) -> None:
    """A-16: 101 keV with 0.10173 Å happened in print."""
    assert checks(curve("mg"), said) == ["energy_and_wavelength"]


def test_the_wavelength_of_the_file_is_compared_with_the_energy_of_its_sender() -> None:
    file = curve("mg", conditions={"xray_wavelength": Quantity(0.10173, "Å")})
    assert checks(file, {"xray_energy_kev": 101}) == ["energy_and_wavelength"]
    assert checks(file, {"xray_energy_kev": 121.876}) == []


def test_a_single_point_is_counted_in_the_singular() -> None:
    one = Dataset(Signal("y", "counts", np.ones(1)), (Axis("x", "nm", np.ones(1)),))
    assert [flag.sentence for flag in qc.flags(one)] == ["The axis “x” has only 1 point."]


@pytest.mark.parametrize("technique", ["leaching", "environment", "computation", "structure", "image", "em"])
def test_three_vials_or_three_coordinates_are_not_too_few_points(technique: str) -> None:
    three = Dataset(
        Signal("Pb", "µg/L", np.ones(3)), (Axis("Sample", "1", np.arange(3.0)),), technique=technique
    )
    assert checks(three) == []


def test_what_a_sender_says_is_understood_by_name_and_unit_and_nothing_is_guessed() -> None:
    said = {
        "gas": "Ar", "mass_g": 0.0102, "excitation_wavelength_nm": 440, "humidity_percent": 40,
        "temperature": 25, "temperature_f": 77, "note": "x", "irradiance_mw_per_cm2": 57,
        "cell_a": {"value": 4.66, "unit": "Å"}, "xray_wavelength_2_a": 1.5444, "tilt_deg": True,
    }  # fmt: skip
    assert understood(said) == {
        "gas": Quantity("Ar"),
        "mass": Quantity(10.2, "mg"),
        "excitation_wavelength": Quantity(440, "nm"),
        "humidity": Quantity(0.4, "1"),
        "irradiance": Quantity(57, "mW/cm²"),
        "cell_a": Quantity(4.66, "Å"),
        "xray_wavelength_2": Quantity(1.5444, "Å"),
    }
