"""What the unit of an intensity says."""

from __future__ import annotations

import pytest

from analysis.methods._signal_units import is_energy, is_rate


@pytest.mark.parametrize(
    "unit",
    ["W", "W/nm", "µW/nm", "μW/nm", "uW/nm", "Watt/nm", "Watts/nm", "W·m⁻²·nm⁻¹", "Wm-2nm-1", "mW cm^-2",
     "µW/(nm)", "J", "µJ/nm", "microwatt/nm", "10^-6 W/nm", "W/m²/nm"],
)  # fmt: skip
def test_every_spelling_of_watts_and_joules_is_energy(unit: str) -> None:
    assert is_energy(unit)


@pytest.mark.parametrize(
    "unit", ["", "counts", "counts/s", "cps", "a.u.", "1", "photons/s", "wavelength", "V", "mV", "%"]
)
def test_all_else_counts_photons(unit: str) -> None:
    assert not is_energy(unit)


@pytest.mark.parametrize(
    "unit",
    ["counts/s", "cps", "kcps", "1/s", "s⁻¹", "counts s-1", "counts·s⁻¹", "counts/(s nm)", "counts/nm/s",
     "Hz", "counts/ms", "photons/s/nm", "counts per second", "W", "μW/nm", "counts/sec"],
)  # fmt: skip
def test_rates_are_known(unit: str) -> None:
    assert is_rate(unit)


@pytest.mark.parametrize("unit", ["", "counts", "a.u.", "photons", "counts/nm", "µJ/nm", "photons/cm²", "1"])
def test_totals_are_no_rates(unit: str) -> None:
    assert not is_rate(unit)
