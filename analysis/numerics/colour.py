"""From a spectrum to its colour: CIE 1931 2° tristimulus values, chromaticity, dominant wavelength, CCT.

x, y : CIE 1931 chromaticity; u′, v′ : CIE 1976; u, v : CIE 1960. Only ratios of X, Y, Z mean anything here,
so they carry no K_m. Checked against the package colour-science in the tests.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.numerics._cie_1931 import MATCHING, WAVELENGTHS_NM

Array = NDArray[np.float64]

EQUAL_ENERGY = (1 / 3, 1 / 3)
D65 = (0.31272, 0.32903)  # CIE 015:2018, table T.3
WHITES = {"E": EQUAL_ENERGY, "D65": D65}
LOCUS_NM = (390, 699)  # outside, the locus hardly moves and turns back on itself
SECOND_RADIATION_M_K = 1.438776877e-2  # hc/k, CODATA 2018
PLANCKIAN_K = (1000.0, 100_000.0)
MCCAMY_K = (2000.0, 12_500.0)
LARGEST_DUV = 0.05  # further from the Planckian locus no colour temperature is defined (CIE 015:2018, 9.5)


def tristimulus_weights(x_nm: ArrayLike) -> Array:
    """(3, N) W such that W @ S is (X, Y, Z) of a spectrum S on these wavelengths.

    x_nm : (N,) strictly increasing, N ≥ 2
    S, energy per nanometre, and the standard's functions are straight between their points, and the integral
    of their product is exact; outside the scan S counts as zero.
    """
    x = np.asarray(x_nm, float)
    u = np.union1d(x, np.clip(WAVELENGTHS_NM, x[0], x[-1]))
    g = np.stack([np.interp(u, WAVELENGTHS_NM, line, left=0.0, right=0.0) for line in MATCHING])
    sixth = np.diff(u) / 6
    at = np.zeros_like(g)
    at[:, :-1] += sixth * (2 * g[:, :-1] + g[:, 1:])
    at[:, 1:] += sixth * (g[:, :-1] + 2 * g[:, 1:])
    left = np.clip(np.searchsorted(x, u, side="right") - 1, 0, x.size - 2)
    share = (u - x[left]) / (x[left + 1] - x[left])
    weights = np.zeros((3, x.size))
    for row, line in zip(weights, at, strict=True):
        np.add.at(row, left, line * (1 - share))
        np.add.at(row, left + 1, line * share)
    return weights


def tristimulus(x_nm: ArrayLike, energy: ArrayLike) -> Array:
    """(X, Y, Z) of a spectrum in energy per nanometre. One in photons is divided by its wavelength first."""
    return np.asarray(tristimulus_weights(x_nm) @ np.asarray(energy, float))


def chromaticity(xyz: ArrayLike) -> Array:
    """(..., 3) → (..., 2) x and y."""
    values = np.asarray(xyz, float)
    return np.asarray(values[..., :2] / values.sum(axis=-1, keepdims=True))


def uv_prime(xy: ArrayLike) -> Array:
    """(..., 2) x, y → u′, v′ of CIE 1976."""
    x, y = np.moveaxis(np.asarray(xy, float), -1, 0)
    below = -2 * x + 12 * y + 3
    return np.stack([4 * x / below, 9 * y / below], axis=-1)


def uv_1960(xy: ArrayLike) -> Array:
    """(..., 2) x, y → u, v of CIE 1960, in which distances from the Planckian locus are told."""
    return np.asarray(uv_prime(xy) * np.array([1.0, 2 / 3]))


@cache
def locus() -> tuple[Array, Array]:
    """(M,) wavelengths in nm and (M, 2) x, y of the spectral locus, where it runs one way round."""
    first, last = (place - int(WAVELENGTHS_NM[0]) for place in LOCUS_NM)
    return WAVELENGTHS_NM[first : last + 1], chromaticity(MATCHING.T)[first : last + 1]


def dominant_wavelength(xy: ArrayLike, white: ArrayLike = EQUAL_ENERGY) -> tuple[float, float]:
    """Dominant wavelength in nm and excitation purity, 0 to 1; above 1 only where noise puts a colour outside
    the spectral locus.

    Where the line from the white point through the colour ends on the purple line, the wavelength is the
    complementary one, negative. (NaN, 0) for the white point itself.

    CIE 015:2018, 9.3.
    """
    colour, start = np.asarray(xy, float), np.asarray(white, float)
    away = colour - start
    if float(np.hypot(*away)) < 1e-9:
        return float("nan"), 0.0
    wavelengths, points = locus()
    found = _first_hit(start, away, points)
    if found is not None:
        place, reach = found
        return float(np.interp(place, np.arange(wavelengths.size), wavelengths)), 1 / reach
    _, reach = _first_hit(start, away, points[[0, -1]]) or (0.0, 1.0)
    place, _ = _first_hit(start, -away, points) or (0.0, 1.0)
    return -float(np.interp(place, np.arange(wavelengths.size), wavelengths)), 1 / reach


def _first_hit(start: Array, away: Array, line: Array) -> tuple[float, float] | None:
    """Where a ray crosses a line of points: the place on it, counted in points, and the reach in `away`s."""
    a, along = line[:-1], np.diff(line, axis=0)
    cross = away[0] * along[:, 1] - away[1] * along[:, 0]
    offset = a - start
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (offset[:, 0] * along[:, 1] - offset[:, 1] * along[:, 0]) / cross
        share = (offset[:, 0] * away[1] - offset[:, 1] * away[0]) / cross
    hits = np.flatnonzero((cross != 0) & (reach > 0) & (share >= -1e-12) & (share <= 1 + 1e-12))
    if not hits.size:
        return None
    best = int(hits[np.argmax(reach[hits])])
    return best + float(share[best]), float(reach[best])


def mccamy(xy: ArrayLike) -> float:
    """Correlated colour temperature in K; within 2 K from 2 856 to 6 500 K, usable in MCCAMY_K.

    C. S. McCamy, Color Res. Appl. 17 (1992) 142.
    """
    x, y = np.asarray(xy, float)
    n = (x - 0.3320) / (0.1858 - y)
    return float(449 * n**3 + 3525 * n**2 + 6823.3 * n + 5520.33)


def nearest_planckian(xy: ArrayLike) -> tuple[float, float] | None:
    """Temperature in K of the nearest black body and Duv, the distance from it in u, v: positive above.

    None where the nearest one would lie outside PLANCKIAN_K.
    Y. Ohno, LEUKOS 10 (2014) 47, with a finer search instead of his table.
    """
    uv = uv_1960(xy)
    mired, points = _planckian_table()
    near = int(np.argmin(_distances(uv, points)))
    if near in (0, mired.size - 1):
        return None
    low, high = mired[near - 1], mired[near + 1]
    for _ in range(4):  # each makes the step ten times smaller; the parabola does the rest
        mired = np.linspace(low, high, 21)
        away = _distances(uv, _planckian(1e6 / mired))
        near = int(np.clip(np.argmin(away), 1, 19))
        low, high = mired[near - 1], mired[near + 1]
    before, here, after = away[near - 1 : near + 2] ** 2
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend > 0 else 0.0
    temperature = 1e6 / (mired[near] + shift * (mired[1] - mired[0]))
    black = _planckian(np.array([temperature]))[0]
    return float(temperature), float(np.copysign(np.hypot(*(uv - black)), uv[1] - black[1]))


def temperature(xy: ArrayLike) -> tuple[float | None, float | None]:
    """Correlated colour temperature after McCamy in K, and Duv; each None where it is not defined: the
    temperature beyond LARGEST_DUV or MCCAMY_K, both where no black body in PLANCKIAN_K is nearest."""
    near = nearest_planckian(xy)
    if near is None:
        return None, None
    kelvin, duv = mccamy(xy), near[1]
    low, high = MCCAMY_K
    return (kelvin if abs(duv) <= LARGEST_DUV and low <= kelvin <= high else None), duv


def planckian_xy(temperature_k: Array) -> Array:
    """(M,) temperatures in K → (M, 2) x, y of black bodies."""
    metres = WAVELENGTHS_NM * 1e-9
    spectrum = metres**-5 / np.expm1(SECOND_RADIATION_M_K / (metres * temperature_k[:, None]))
    return chromaticity(spectrum @ MATCHING.T)


def _planckian(temperature_k: Array) -> Array:
    """(M, 2) u, v of black bodies."""
    return uv_1960(planckian_xy(temperature_k))


@cache
def _planckian_table() -> tuple[Array, Array]:
    mired = np.geomspace(1e6 / PLANCKIAN_K[1], 1e6 / PLANCKIAN_K[0], 300)
    return mired, _planckian(1e6 / mired)


def _distances(uv: Array, points: Array) -> Array:
    return np.asarray(np.hypot(*(points - uv).T))


TO_LINEAR_SRGB = np.array(  # IEC 61966-2-1
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)


def screen_colour(xy: ArrayLike) -> str:
    """`#rrggbb`: the brightest colour of this chromaticity that an sRGB screen has; what it has not is moved
    to the edge of its gamut."""
    x, y = np.asarray(xy, float)
    linear = np.maximum(TO_LINEAR_SRGB @ np.array([x, y, 1 - x - y]), 0.0)
    linear /= max(float(linear.max()), 1e-9)
    level = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in level)
