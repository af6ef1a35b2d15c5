"""Where the demo's simulated spectra and quantum yields come from: a forward model with planted truth.

For every point (loading x, sintering temperature T) of the published array the model states a two-Gaussian
emission line; a seeded generator adds shot noise and read noise. What the publications say in numbers holds:

* the brightest sample of a row is at 300 °C for x = 0.01, 275 °C for 0.25, 225 °C for 0.85, the brightest of
  all is (0.25, 275 °C), and emission falls strongly above 300 °C (Li2023, Results, optics);
* at (0.25, 300 °C) the line has the positions, widths and share of Peak II of Li2023-SI, SI Fig. 14b;
* with loading the line first shifts to the red, then to the blue; with temperature it shifts to the red and
  narrows (Li2023-SI, SI Fig. 9; Hou2021, Fig. 1C).

How much it shifts and narrows is our assumption, as is a weak emission that remains far from the optimum, so
that every spectrum of the array holds a line. The quantum yield is one smooth hill with its top, 81.3 %, at
(0.05, 275 °C). None of it is a measurement, and everything made of it carries the origin `simulated`.

Pure: NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, log, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VERSION = 1
SEED = 20231101
WAVELENGTH_NM: Array = np.arange(550.0, 801.0)

BRIGHTEST_COUNTS = 2_000_000.0  # height of Peak I at the brightest point, summed over scans
OFFSET_COUNTS = 81.13
READ_NOISE_COUNTS = 8.0
REMAINING_EMISSION = 0.08  # of a row's maximum, however far from the optimum

PLQY_MAXIMUM = 0.813
PLQY_RELATIVE_NOISE = 0.01
PLQY_LEAST_SIGMA = 0.0005  # no integrating sphere tells less


@dataclass(frozen=True)
class Line:
    """The planted truth of one spectrum; Origin's parameters, so that w is 2σ and A the area."""

    offset: float
    center_nm: tuple[float, float]
    width_nm: tuple[float, float]
    area: tuple[float, float]

    def counts(self, wavelength_nm: Array) -> Array:
        """Expected counts at each wavelength, (N,) from (N,)."""
        expected = np.full(wavelength_nm.shape, self.offset)
        for center, width, area in zip(self.center_nm, self.width_nm, self.area, strict=True):
            height = area / (width * sqrt(np.pi / 2))
            expected += height * np.exp(-2 * ((wavelength_nm - center) / width) ** 2)
        return expected


def optimum_c(loading: float) -> float:
    """Sintering temperature of the brightest emission at a loading; linear between the three stated."""
    return float(np.interp(loading, [0.01, 0.25, 0.85], [300.0, 275.0, 225.0]))


def intensity(loading: float, temperature_c: float) -> float:
    """Emission relative to the brightest point of the array, (0.25, 275 °C)."""
    return _hill(loading, temperature_c) / _hill(0.25, 275.0)


def _hill(loading: float, temperature_c: float) -> float:
    along_temperature = np.exp(-(((temperature_c - optimum_c(loading)) / 35) ** 2))
    along_loading = np.exp(-((log(loading / 0.25) / 1.2) ** 2))
    still_emitting = 1 / (1 + np.exp((temperature_c - 315) / 10))
    remaining = REMAINING_EMISSION + (1 - REMAINING_EMISSION) * along_temperature * still_emitting
    return float(along_loading * remaining)


def planted_line(loading: float, temperature_c: float) -> Line:
    warmer = (temperature_c - 300) / 50
    center = 682.82 + 2.0 * warmer - 0.7 * (log(loading / 0.20) ** 2 - log(0.25 / 0.20) ** 2)
    width = (39.27 - 0.8 * warmer, 21.78 - 0.4 * warmer)
    height = BRIGHTEST_COUNTS * intensity(loading, temperature_c)
    area = height * width[0] * sqrt(np.pi / 2)
    share = 0.04974 * np.exp(0.2 * warmer)
    return Line(
        offset=OFFSET_COUNTS,
        center_nm=(center, center + 34.12),
        width_nm=width,
        area=(area, area * share / (1 - share)),
    )


def spectrum(loading: float, temperature_c: float) -> Array:
    """Counts at WAVELENGTH_NM as a detector would give them, (251,). The same ones every time."""
    generator = _generator(loading, temperature_c, stream=0)
    expected = planted_line(loading, temperature_c).counts(WAVELENGTH_NM)
    noise = generator.normal(0, READ_NOISE_COUNTS, WAVELENGTH_NM.size)
    return generator.poisson(expected) + noise


def expected_plqy(loading: float, temperature_c: float) -> float:
    along_temperature = np.exp(-(((temperature_c - 275) / 38) ** 2))
    along_loading = np.exp(-((log(loading / 0.05) / 1.6) ** 2))
    return float(PLQY_MAXIMUM * along_temperature * along_loading)


def plqy(loading: float, temperature_c: float) -> tuple[float, float]:
    """A simulated quantum yield and its sigma, both as fractions."""
    expected = expected_plqy(loading, temperature_c)
    noise = _generator(loading, temperature_c, stream=1).normal(0, PLQY_RELATIVE_NOISE)
    return expected * (1 + noise), hypot(expected * PLQY_RELATIVE_NOISE, PLQY_LEAST_SIGMA)


def _generator(loading: float, temperature_c: float, stream: int) -> np.random.Generator:
    # Seeded by the point, not by its place in a loop, so that no point changes when another is added.
    return np.random.default_rng([SEED, stream, round(1e6 * loading), round(1000 * temperature_c)])
