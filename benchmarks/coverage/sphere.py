"""Integrating spheres: laser and emission of known photon numbers, counted or with a detector's scatter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.coverage.simulating import Case, Key, bell, spectrum
from measurements.data import Array, Dataset, Quantity

X_NM = np.arange(400.0, 851.0)
LASER_NM, EMISSION_NM, EMISSION_SIGMA_NM = 440.0, 680.0, 18.0
STATED = {"excitation_wavelength": Quantity(LASER_NM, "nm")}
Photons = Mapping[str, tuple[float, float]]
# Row A-06: A = 0.6, and 0.813 = (P_c − 0.4·P_b)/(L_a·0.6)
PLANTED: Photons = {"empty": (1e6, 0.0), "off_beam": (880_000.0, 97_560.0), "on_beam": (352_000.0, 526_824.0)}
WEAK: Photons = {role: (laser / 20, emission / 400) for role, (laser, emission) in PLANTED.items()}


def _of_area(area: float, centre: float, sigma: float) -> Array:
    return area * bell(X_NM, centre, sigma) / (sigma * np.sqrt(2 * np.pi))


def light(laser: float, emission: float) -> Array:
    return _of_area(laser, LASER_NM, 2.0) + _of_area(emission, EMISSION_NM, EMISSION_SIGMA_NM)


def counted(rng: np.random.Generator, y: Array) -> Array:
    return rng.poisson(y + 2.0).astype(float)


def scattering(read: float, shot: float) -> Callable[[np.random.Generator, Array], Array]:
    """Averages of a camera, dark counts subtracted: σ² = read² + shot·signal."""
    return lambda rng, y: y + np.sqrt(read**2 + shot * y) * rng.standard_normal(y.size)


def three_or_two(
    name: str,
    photons: Photons,
    plqy: float,
    absorptance: float,
    noise: Callable[[np.random.Generator, Array], Array] = counted,
    unit: str = "counts",
    drift: float = 0.0,
    exposures_s: Mapping[str, float] | None = None,
    **params: object,
) -> Case:
    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        made = {}
        for role, (laser, emission) in photons.items():
            lit = light(laser, emission) * (1 + drift * rng.standard_normal())
            stated = STATED
            if exposures_s is not None:
                lit = lit * exposures_s[role]
                stated = STATED | {"exposure_time": Quantity(exposures_s[role], "s")}
            made[role] = spectrum(noise(rng, lit), X_NM, unit=unit, conditions=stated)
        return made

    truth = {("plqy", ""): plqy, ("plqy_absorptance", ""): absorptance}
    return Case("plqy", name, simulate, truth, params)


def reabsorbed() -> Case:
    """A sphere's red edge against that of a dilute sample tells what is absorbed again."""
    edge = np.where(X_NM > 690, 1.0, np.clip((X_NM - 600) / 90, 0, 1))
    whole = _of_area(4e5, EMISSION_NM, EMISSION_SIGMA_NM)
    laser = _of_area(1e6, LASER_NM, 2.0)
    again = 1 - float((whole * edge).sum() / whole.sum())
    observed = 4e5 * (1 - again) / 8e5

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        made = {"empty": laser, "on_beam": 0.2 * laser + whole * edge, "reference": 0.3 * whole}
        return {
            role: spectrum(rng.poisson(y).astype(float), X_NM, conditions=STATED) for role, y in made.items()
        }

    truth: dict[Key, float] = {
        ("plqy", ""): observed,
        ("plqy_absorptance", ""): 0.8,
        ("plqy_reabsorbed", ""): again,
        ("plqy_corrected", ""): observed / (1 - again + again * observed),
    }
    return Case("plqy", "two spectra, red edge of a dilute sample", simulate, truth)


CASES = (
    three_or_two("three spectra, counted, Φ 0.813", PLANTED, 0.813, 0.6),
    three_or_two("three spectra, weak, Φ 0.041", WEAK, 0.813 / 20, 0.6),
    three_or_two("two spectra, counted, Φ 0.05", {"empty": (5e4, 0.0), "on_beam": (2e4, 1500.0)}, 0.05, 0.6),
    three_or_two("two spectra, Φ 0.0123", {"empty": (1e6, 0.0), "on_beam": (4e5, 7380.0)}, 0.0123, 0.6),
    three_or_two("two spectra, absorption 0.1", {"empty": (1e6, 0.0), "on_beam": (9e5, 5e4)}, 0.5, 0.1),
    three_or_two("two spectra of 1 and 5 s", {"empty": (1e5, 0.0), "on_beam": (4e4, 2e4)}, 1 / 3, 0.6,
                 exposures_s={"empty": 1.0, "on_beam": 5.0}),
    three_or_two("three spectra, a camera's averages", PLANTED, 0.813, 0.6, scattering(30, 5)),
    three_or_two("two spectra, a camera's averages, Φ 0.0217",
                 {"empty": (1e6, 0.0), "on_beam": (4e5, 13020.0)}, 0.0217, 0.6, scattering(30, 5)),
    three_or_two("three spectra, laser drifts by 2 %, which was said", PLANTED, 0.813, 0.6, drift=0.02,
                 laser_drift=0.02),
    reabsorbed(),
)  # fmt: skip
