"""One Gaussian on a straight (or level) background under every spectrum of a map or a series at once.

y = height·exp(−(x−centre)²/2σ²) + offset + slope·(x−x̄), x̄ the middle of the axis.

Height, offset and slope enter linearly, so the search is one over centre and σ alone (variable projection):
y is regressed on the five columns 1, x, g, u·g and u²·g, where u = (x−centre)/σ, and the coefficients of the
last two are the step. All that this takes is a handful of sums; those without data have closed forms as long
as the peak lies inside a uniform axis, and only three sums with the data are left.

Two engines give the same answers: NumPy (`_peak_maps_numpy`) and, where it is installed, numba
(`_peak_maps_numba`).

G. H. Golub, V. Pereyra, SIAM J. Numer. Anal. 10 (1973) 413; damping as K. Levenberg, Q. Appl. Math. 2 (1944)
164.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.numerics.compiled import pays

Array = NDArray[np.float64]

NAMES = ("height", "centre", "sigma", "offset", "slope")
MIN_POINTS = 8
BLOCKS = 64  # the start is sought among so many means of neighbouring points
MIXED = 0.3  # of a peak's height: a deeper trough beside it means that the line was through the peak
INSIDE_SIGMAS = 6.5  # beyond, a Gaussian is below 10⁻⁹ of its height
SHORTEST_SIGMA = 0.5  # in steps of the axis: below, no shape is left to fit
CLOSED_FORM_SIGMA = 1.2  # in steps: from here on, sums and integrals of a Gaussian differ by less than 10⁻¹²
FINE = 1e-8  # square, in standard errors, of the step that would follow the last one
EXACT = 1e-9  # the last step in σ, where there is no noise
MAX_ITERATIONS = 40
MAX_DAMPING = 1e6
ROUNDING = 4e-16  # of the sum of squares: what is left of an exact fit


@dataclass(frozen=True)
class PeakFits:
    """B fits; NaN where no peak was found, or where the spectrum holds a number that is not finite.

    params, errors : (B, 5) in the order of NAMES, and their standard errors √diag(s²(JᵀJ)⁻¹), s² = SSR/(N−P):
        right when the noise is the same everywhere. The slope of a level background is 0 ± 0
    ssr : (B,) sum of squared residuals
    converged : (B,) the next step would be below a ten thousandth of a standard error
    iterations : (B,)
    """

    params: Array
    errors: Array
    ssr: Array
    converged: NDArray[np.bool_]
    iterations: NDArray[np.int64]


class Raw(NamedTuple):
    """What an engine answers, on an axis from −1 to 1; as in PeakFits."""

    params: Array
    errors: Array
    ssr: Array
    converged: NDArray[np.bool_]
    iterations: NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """t : (N,) the axis from −1 to 1; step : its mean step"""

    t: Array
    step: float
    uniform: bool


def gaussian_on_line(x: Array, params: Array) -> Array:
    """(B, N) curves of (B, 5) parameters in the order of NAMES."""
    height, centre, sigma, offset, slope = (column[:, None] for column in params.T)
    curve = height * np.exp(-0.5 * ((x - centre) / sigma) ** 2)
    return np.asarray(curve + offset + slope * (x - (x[0] + x[-1]) / 2))


def fit(x: Array, y: NDArray[np.floating], *, level: bool = False, engine: str = "auto") -> PeakFits:
    """Least-squares fit of one Gaussian and a straight background to B spectra on one axis.

    x : (N,) increasing, N ≥ 8; a uniform one is several times faster
    y : (B, N)
    level : the background has no slope
    engine : "numpy", "numba", or "auto" for numba where it pays

    Centres stay on the axis and σ between half a step and twice its length; no spectrum's answer depends on
    who else is fitted. Raises ValueError for what is no axis.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y)
    if x.ndim != 1 or x.size < MIN_POINTS or not np.all(np.diff(x) > 0):
        raise ValueError(f"The axis must hold at least {MIN_POINTS} increasing values.")
    if y.ndim != 2 or y.shape[1] != x.size:
        raise ValueError(f"Spectra of shape {y.shape} do not fit an axis of {x.size} values.")
    if engine == "numba" or (engine == "auto" and pays("_peak_maps_numba", y.size)):
        from analysis.numerics._peak_maps_numba import fit_rows
    else:
        from analysis.numerics._peak_maps_numpy import fit_rows
    with np.errstate(all="ignore"):  # squares of 1e300 are not finite, and then not converged
        return _in_units(x, fit_rows(_axis(x), y, level))


def _axis(x: Array) -> Axis:
    t = (x - (x[0] + x[-1]) / 2) / ((x[-1] - x[0]) / 2)
    step = 2 / (x.size - 1)
    uniform = bool(np.max(np.abs(np.diff(t) - step)) < 1e-6 * step)
    if uniform:
        t = np.linspace(-1.0, 1.0, x.size)
    return Axis(t, step, uniform)


def _in_units(x: Array, raw: Raw) -> PeakFits:
    half = (x[-1] - x[0]) / 2
    to_x = np.array([1.0, half, half, 1.0, 1 / half])
    params, errors = raw.params * to_x, raw.errors * to_x
    params[:, 1] += (x[0] + x[-1]) / 2
    converged = raw.converged & np.all(np.isfinite(params) & np.isfinite(errors), axis=1)
    params[~converged], errors[~converged] = np.nan, np.nan
    return PeakFits(params, errors, raw.ssr, converged, raw.iterations)
