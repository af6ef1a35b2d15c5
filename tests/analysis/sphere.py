"""Planted spectra of an integrating sphere: every photon in its band is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from analysis.methods import Dataset, Outcome
from measurements.data import Array, Axis, Quantity, Signal

X_NM = np.arange(400.0, 851.0)
LASER_NM, EMISSION_NM, EMISSION_WIDTH_NM = 440.0, 680.0, 18.0
# Row A-06: A = 0.6, and 0.813 = (P_c − 0.4·P_b)/(L_a·0.6)
PLANTED = {
    "empty": (1e6, 0.0),
    "off_beam": (880_000.0, 97_560.0),
    "on_beam": (352_000.0, 526_824.0),
}


def bell(x: Array, center: float, width: float) -> Array:
    """Of area one."""
    return np.exp(-0.5 * ((x - center) / width) ** 2) / (width * np.sqrt(2 * np.pi))


def light(laser: float, emission: float, x: Array = X_NM) -> Array:
    return laser * bell(x, LASER_NM, 2.0) + emission * bell(x, EMISSION_NM, EMISSION_WIDTH_NM)


def spectrum(
    y: ArrayLike, x: Array = X_NM, *, axis_unit: str = "nm", unit: str = "counts", **stated: float
) -> Dataset:
    conditions = {"excitation_wavelength": Quantity(LASER_NM, "nm")} | {
        key: Quantity(value, "") for key, value in stated.items()
    }
    return Dataset(
        Signal("intensity", unit, np.asarray(y, float)),
        (Axis("wavelength", axis_unit, x),),
        conditions=conditions,
    )


def planted(photons: Mapping[str, tuple[float, float]] = PLANTED) -> dict[str, Dataset]:
    return {role: spectrum(light(*given)) for role, given in photons.items()}


def counted(
    rng: np.random.Generator, photons: Mapping[str, tuple[float, float]] = PLANTED
) -> dict[str, Dataset]:
    return {role: spectrum(rng.poisson(light(*given) + 2.0)) for role, given in photons.items()}


def table(outcome: Outcome) -> dict[str, tuple[float, float]]:
    return {result.property: (result.value, result.sigma) for result in outcome.values}
