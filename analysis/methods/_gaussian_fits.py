"""How many Gaussians are credible under a PL spectrum.

The working half of `pl_gaussians`; not a method itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.methods.base import Array, MethodError
from analysis.numerics import gaussians
from analysis.numerics.residuals import bic, serial_correlation, variance_trend

MIN_DELTA_BIC = 10.0
MIN_SIGMAS = 3.0
TREND_SIGMAS = 3.1  # one in a thousand spectra of even noise
SERIAL_SIGMAS = 6.0
POOR_R2 = 0.5
NAMES = ("offset", "centre I", "width I", "area I", "centre II", "width II", "area II")


@dataclass(frozen=True)
class Fit:
    """One model fitted to one spectrum.

    params : (1+3k,) offset, then centre, width, area of each Gaussian
    classical, sandwich : (1+3k, 1+3k) covariances; `covariance` is the one that is reported
    residuals : (N,) data − curve; weights : (N,) as used, ones if none
    """

    params: Array
    ssr: float
    converged: bool
    at_bound: Array
    classical: Array
    sandwich: Array
    y: Array
    residuals: Array
    weights: Array

    @property
    def peaks(self) -> int:
        return (self.params.size - 1) // 3

    @cached_property
    def bic(self) -> float:
        return bic(self.ssr, self.y.size, self.params.size)

    @cached_property
    def ssr_of_constant(self) -> float:
        mean = float(self.weights @ self.y / self.weights.sum())
        return float(self.weights @ (self.y - mean) ** 2)

    @property
    def r2(self) -> float:
        return 1 - self.ssr / self.ssr_of_constant

    @property
    def weighted_residuals(self) -> Array:
        return self.residuals * np.sqrt(self.weights)

    @cached_property
    def variance_trend(self) -> float:
        return variance_trend(self.weighted_residuals, self.y - self.residuals)

    @property
    def uneven(self) -> bool:
        return self.variance_trend > TREND_SIGMAS

    @cached_property
    def serial_correlation(self) -> float:
        return serial_correlation(self.weighted_residuals)

    @property
    def structured(self) -> bool:
        """What the fit leaves over is not only noise."""
        return bool(self.serial_correlation * np.sqrt(self.y.size) > SERIAL_SIGMAS)

    @property
    def covariance(self) -> Array:
        return self.sandwich if self.uneven else self.classical

    @property
    def determined(self) -> bool:
        return self.converged and bool(np.all(np.diag(self.covariance) > 0))

    def sigma(self, gradient: Mapping[int, float]) -> float:
        """Standard error of a quantity from its derivatives by the parameters."""
        g = np.zeros(self.params.size)
        g[list(gradient)] = list(gradient.values())
        return max(float(g @ self.covariance @ g), 0.0) ** 0.5

    @cached_property
    def largest_correlation(self) -> tuple[float, str]:
        """The strongest correlation between two parameters, and their names."""
        scale = np.sqrt(np.diag(self.covariance))
        correlation = np.abs(np.tril(self.covariance / np.outer(scale, scale), -1))
        i, j = np.unravel_index(int(np.argmax(correlation)), correlation.shape)
        return float(correlation[i, j]), f"{NAMES[j]} and {NAMES[i]}"


def fit_one_and_two(
    x: Array, y: Array, model: str, poisson: bool, min_width_nm: float, max_width_nm: float
) -> list[tuple[Fit, Fit | None]]:
    """For each row of y (B, N): one Gaussian and, unless the model is "one", two. No row knows of another."""

    def fit(starts: Array, weights: Array | None = None) -> gaussians.Fits:
        return gaussians.fit(x, y, starts, min_width=min_width_nm, max_width=max_width_nm, weights=weights)

    found = [fit(gaussians.start_one(x, y)[:, None])]
    if model != "one":
        found.append(fit(gaussians.starts_two(x, y, found[0].params)))
    weights: Array | None = None
    if poisson:
        # Expected counts come from the fit: a point that happens to be low would otherwise weigh more than
        # its neighbour and pull the curve below both. One round is enough, the weights hardly change.
        expected = y - found[-1].errors.residuals
        weights = 1 / np.maximum(expected, 1e-4 * y.max(axis=1, keepdims=True))
        found = [fit(gaussian.params[:, None], weights) for gaussian in found]
    one, two = found[0], found[1] if len(found) > 1 else None
    return [
        (_row(i, y, one, weights), None if two is None else _row(i, y, two, weights)) for i in range(len(y))
    ]


def _row(i: int, y: Array, found: gaussians.Fits, weights: Array | None) -> Fit:
    return Fit(
        params=found.params[i],
        ssr=float(found.minima.ssr[i]),
        converged=bool(found.minima.converged[i]),
        at_bound=found.minima.at_bound[i],
        classical=found.errors.classical[i],
        sandwich=found.errors.sandwich[i],
        y=y[i],
        residuals=found.errors.residuals[i],
        weights=np.ones_like(y[i]) if weights is None else weights[i],
    )


def share_of_second(fit: Fit) -> tuple[float, float]:
    """Area of II over the area of both, and its sigma."""
    first, second = float(fit.params[3]), float(fit.params[6])
    total = first + second
    if total <= 0:
        return 0.0, 1.0
    return second / total, fit.sigma({3: -second / total**2, 6: first / total**2})


def choose(one: Fit, two: Fit | None, model: str) -> tuple[Fit, str, tuple[str, ...]]:
    """The fit to report, why it and not the other, and what the person should know about the choice.

    Raises MethodError when no Gaussian is credible.
    """
    if model == "two" and two is not None:
        if not two.determined:
            raise MethodError("Two Gaussians cannot be told apart in this spectrum; choose the model auto.")
        _refuse_another_shape(two)
        return two, "Two Gaussians were asked for.", _limits_hit(two)
    why = "One Gaussian was asked for."
    doubts: tuple[str, ...] = ()
    if two is not None:
        why, doubts = _against_two(one, two)
        if not why:
            _refuse_another_shape(two)
            return two, f"BIC falls by {one.bic - two.bic:.1f} with the second Gaussian.", ()
    _refuse_without_a_peak(one)
    _refuse_another_shape(one)
    return one, why, doubts


def _against_two(one: Fit, two: Fit) -> tuple[str, tuple[str, ...]]:
    """The first reason for one Gaussian instead of two; empty when two are credible."""
    gain = one.bic - two.bic
    if not two.determined:
        return "The second Gaussian is not determined by the data.", ()
    if gain <= MIN_DELTA_BIC:
        return f"BIC falls by {gain:.1f} with the second Gaussian, not by more than {MIN_DELTA_BIC:g}.", ()
    if two.at_bound.any():
        why = f"With two Gaussians the {_bound_names(two)} runs into a limit."
        return why, (f"{why} One Gaussian is reported, although BIC falls by {gain:.0f} with two.",)
    for label, area in (("I", 3), ("II", 6)):
        if two.params[area] <= MIN_SIGMAS * two.sigma({area: 1.0}):
            return f"The area of {label} is not above {MIN_SIGMAS:g} standard errors.", ()
    share, sigma = share_of_second(two)
    if min(share, 1 - share) <= 1.96 * sigma:
        return f"The share of II, {share:.3f} ± {sigma:.3f}, does not differ from {round(share)}.", ()
    first, second = two.params[1], two.params[4]
    if second - first <= MIN_SIGMAS * two.sigma({1: -1.0, 4: 1.0}):
        return f"The two centres, {first:.1f} and {second:.1f} nm, do not differ.", (
            f"The line is not Gaussian: two of different width at the same place ({first:.1f} nm) fit better "
            f"(BIC falls by {gain:.0f}). That is a shape, not two emitters, so one Gaussian is reported.",
        )
    return "", ()


def _refuse_without_a_peak(one: Fit) -> None:
    if one.at_bound[1]:
        raise MethodError(
            f"The intensity still rises towards the end of the window at {one.params[1]:g} nm: the peak lies "
            "outside, or there is none. Widen the scan or the window."
        )
    for sentence in _limits_hit(one):
        raise MethodError(f"{sentence} Change min_width_nm or max_width_nm if the peak is real.")
    flat = bic(one.ssr_of_constant, one.y.size, 1)
    if (
        not one.determined
        or flat - one.bic <= MIN_DELTA_BIC
        or one.params[3] <= MIN_SIGMAS * one.sigma({3: 1.0})
    ):
        raise MethodError("No peak stands above the noise; measure longer or narrow the window.")


def _refuse_another_shape(fit: Fit) -> None:
    """A poor fit of noisy data is a weak result; a poor fit that leaves structure is none."""
    if fit.r2 < POOR_R2 and fit.structured:
        curves = "one Gaussian explains" if fit.peaks == 1 else "two Gaussians explain"
        raise MethodError(
            f"The spectrum is not an emission peak on a flat background: {curves} {100 * fit.r2:.0f} % of it "
            "and more than noise is left. Look at the data, or narrow the window."
        )


def _bound_names(fit: Fit) -> str:
    return ", ".join(name for name, hit in zip(NAMES, fit.at_bound, strict=False) if hit)


def _limits_hit(fit: Fit) -> tuple[str, ...]:
    return tuple(
        f"The {name} runs into its limit at {value:.6g}; it is a limit, not an estimate."
        for name, value, hit in zip(NAMES, fit.params, fit.at_bound, strict=False)
        if hit
    )
