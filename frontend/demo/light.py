"""The forward model of what else the demo's light was measured with: spheres, decays, absorption, endurance.

What the publications say in words and numbers holds: the highest quantum yield is 81.3 % at (0.05, 275 °C);
lifetimes rise with sintering temperature and with faster quenching (Hou2021, figs S8-S10); the composite
sintered at 175 °C has two absorption edges, hotter ones have one (Hou2021, Fig. 1D); the emission lasts under
57 mW/cm² for 5 000 s, 285 J/cm² (Li2023, Fig. 2b), and 10 000 h in water (Hou2021, Fig. 4A). How long, how
steep and how bright beyond that is our assumption. None of it is a measurement.

Pure: NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from frontend.demo.forward import SEED, Array, expected_plqy, planted_line

# Integrating sphere: photons at each wavelength, and what the detector makes of them

SPHERE_NM: Array = np.arange(400.0, 801.0)
LASER_NM, LASER_SD_NM = 440.0, 1.5
LASER_PHOTONS = 4e7
ABSORBED_INDIRECTLY, ABSORBED = 0.12, 0.60  # of the light in the sphere, and of the laser on the sample
SPHERE_COUNTS = 20.0  # of the dark detector, subtracted by its program: only its noise is left
SPHERE_ROLES = ("empty", "off_beam", "on_beam")


def sphere_factor(wavelength_nm: Array) -> Array:
    """Photons behind one count: the detector and the sphere's coat lose towards the red."""
    away = (wavelength_nm - 440.0) / 360.0
    return 1.0 + 0.9 * away**2


def sphere_counts(loading: float, temperature_c: float, role: str) -> Array:
    """Counts at SPHERE_NM of one of the three spectra, whole numbers."""
    laser = _gaussian(SPHERE_NM, LASER_NM, LASER_SD_NM)
    line = planted_line(loading, temperature_c)
    above: Array = line.counts(SPHERE_NM) - line.offset
    emission = above / above.sum()
    yield_ = expected_plqy(loading, temperature_c)
    indirect = yield_ * ABSORBED_INDIRECTLY
    photons = {
        "empty": (1.0, 0.0),
        "off_beam": (1 - ABSORBED_INDIRECTLY, indirect),
        "on_beam": (
            (1 - ABSORBED_INDIRECTLY) * (1 - ABSORBED),
            yield_ * ABSORBED + (1 - ABSORBED) * indirect,
        ),
    }
    of_laser, of_emission = photons[role]
    expected = LASER_PHOTONS * (of_laser * laser + of_emission * emission) / sphere_factor(SPHERE_NM)
    generator = _generator(10 + SPHERE_ROLES.index(role), loading, temperature_c)
    dark = generator.poisson(SPHERE_COUNTS, expected.size) - SPHERE_COUNTS
    return generator.poisson(expected) + dark


# Decays

CHANNEL_NS = 0.2
DECAY_NS: Array = np.asarray(np.arange(2048) * CHANNEL_NS)
PULSE_NS, RESPONSE_SD_NS = 12.0, 0.45
PEAK_COUNTS, DARK_COUNTS = 10_000.0, 4.0
SHARES, FACTORS = (0.7, 0.3), (0.4, 2.4)  # of two components; Σ share × factor is 1


def lifetime_ns(temperature_c: float, quench: str) -> float:
    """Amplitude-weighted. Rises with sintering; what cooled slowly has more traps."""
    return (8.0 + 0.085 * (temperature_c - 150.0)) * (0.55 if quench == "slow" else 1.0)


def response_counts() -> Array:
    expected = 50_000 * _response() / _response().max() + 1.0
    return _generator(20, 0, 0).poisson(expected).astype(float)


def decay_counts(loading: float, temperature_c: float, quench: str) -> Array:
    tau = lifetime_ns(temperature_c, quench)
    decays = np.zeros(DECAY_NS.size)
    for share, factor in zip(SHARES, FACTORS, strict=True):
        decays += share * np.exp(-DECAY_NS / (factor * tau))
    expected = np.convolve(_response(), decays)[: DECAY_NS.size]
    expected = PEAK_COUNTS * expected / expected.max() + DARK_COUNTS
    generator = _generator(21 if quench == "slow" else 22, loading, temperature_c)
    return generator.poisson(expected).astype(float)


def _response() -> Array:
    return _gaussian(DECAY_NS, PULSE_NS, RESPONSE_SD_NS)


# Absorption

ABSORPTION_NM: Array = np.arange(350.0, 801.0)
DELTA_EDGE_NM, DELTA_WIDTH_NM = 432.0, 6.0
ONE_EDGE_ABOVE_C = 185.0
ABSORBANCE_NOISE = 0.0004


def gamma_edge_nm(temperature_c: float) -> float:
    """Inflection of the absorption of γ-CsPbI3; moves to the red as the grains grow."""
    return 688.0 + 0.06 * (temperature_c - 150.0)


def absorbance(loading: float, temperature_c: float) -> Array:
    """At ABSORPTION_NM: δ and γ below 185 °C, else γ alone, over the scattering of a ground powder."""

    def step(edge_nm: float, width_nm: float) -> Array:
        return 1 / (1 + np.exp((ABSORPTION_NM - edge_nm) / width_nm))

    mixed = temperature_c < ONE_EDGE_ABOVE_C
    expected: Array = 0.03 * (800 / ABSORPTION_NM)
    expected = expected + (0.35 if mixed else 0.75) * step(gamma_edge_nm(temperature_c), 7.0)
    if mixed:
        expected = expected + 0.55 * step(DELTA_EDGE_NM, DELTA_WIDTH_NM)
    return expected + _generator(30, loading, temperature_c).normal(0, ABSORBANCE_NOISE, expected.size)


# Endurance

ENDURANCE_NM: Array = np.arange(620.0, 761.0, 2.0)


@dataclass(frozen=True)
class Endurance:
    """The emission of one sample again and again. `remaining` at the end, as a share of the beginning."""

    key: str
    sample: str
    times: tuple[float, ...]
    unit: str
    remaining: float
    drift_nm: float
    conditions: tuple[tuple[str, float | str, str], ...]


UNDER_LASER = Endurance(
    "laser", "NC-250-275", tuple(np.linspace(0, 5000, 51).tolist()), "s", 0.975, 0.3,
    (("irradiance", 57.0, "mW/cm²"), ("excitation_wavelength", 440.0, "nm"), ("gas", "air", "")),
)  # fmt: skip
HOURS = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
MEDIA = {"water": (0.96, 0.2), "ethanol": (0.92, 0.5), "hexane": (0.98, 0.1)}
IN_LIQUIDS = tuple(
    Endurance(medium, "SC-250-300", HOURS, "h", remaining, drift, (("solvent", medium, ""),))
    for medium, (remaining, drift) in MEDIA.items()
)


def endurance_counts(of: Endurance, loading: float, temperature_c: float) -> Array:
    """(times, wavelengths): the planted line, fading and drifting in proportion to the time."""
    line = planted_line(loading, temperature_c)
    share = np.array(of.times) / of.times[-1]
    rows = []
    for passed in share:
        moved = line.counts(ENDURANCE_NM - of.drift_nm * passed) - line.offset
        rows.append(20_000 * (1 - (1 - of.remaining) * passed) * moved)
    expected = np.array(rows) / (line.counts(ENDURANCE_NM).max() - line.offset) + line.offset
    stream = 40 + sum(map(ord, of.key))
    return _generator(stream, loading, temperature_c).poisson(expected).astype(float)


# Halides

HALIDE_NM: Array = np.arange(380.0, 801.0)
HALIDES = {  # unsintered: in one cell with the array they would dim its brightest sample
    "SC-PURE-CsPbCl3": (411.0, 18.0),
    "SC-PURE-CsPbClBr3": (463.0, 24.0),
    "SC-PURE-CsPbBr3": (519.0, 20.0),
    "SC-PURE-CsPbBrI3": (598.0, 30.0),
    "SC-PURE-CsPbI3": (692.0, 40.0),
}
HALIDE_COUNTS, HALIDE_OFFSET = 40_000.0, 60.0


def halide_counts(code: str) -> Array:
    """At HALIDE_NM: one line of the full width at half maximum that HALIDES says."""
    center, fwhm = HALIDES[code]
    sd = fwhm / 2.354820045
    expected = HALIDE_COUNTS * np.exp(-(((HALIDE_NM - center) / sd) ** 2) / 2) + HALIDE_OFFSET
    return _generator(50, center, fwhm).poisson(expected).astype(float)


def _gaussian(x: Array, center: float, sd: float) -> Array:
    return np.exp(-(((x - center) / sd) ** 2) / 2) / (sd * sqrt(2 * pi))


def _generator(stream: int, loading: float, temperature_c: float) -> np.random.Generator:
    return np.random.default_rng([SEED, stream, round(1e6 * loading), round(1000 * temperature_c)])
