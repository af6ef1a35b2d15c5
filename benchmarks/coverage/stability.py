"""Intensities and spectra over time: what is left, when it fell, how far the peak moved, and the dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.coverage.simulating import Case, Key, bell
from measurements.data import Array, Axis, Dataset, Quantity, Signal

X_NM = np.arange(640.0, 740.0)
LASER = "stability_laser"
Shape = Callable[[Array], Array]
PER_HOUR = {"light": ("stability_laser", 3600.0), "water": ("stability_water", 1.0),
            "air": ("stability_ambient", 1 / 24), "sonication": ("stability_sonication", 1.0)}  # fmt: skip
STILL_STABLE = "still stable at the end: a lower bound"


def constant(u: Array) -> Array:
    return np.ones_like(u)


def line(loss: float) -> Shape:
    return lambda u: 1 - loss * u


def stretched(tau: float, beta: float) -> Shape:
    return lambda u: np.exp(-((u / tau) ** beta))


def passed(shape: Shape, level: float, hours: float) -> float | None:
    """When this share was left, by a fine grid."""
    fine = np.linspace(0, 1, 400_001)
    low = np.flatnonzero(shape(fine) <= level * shape(fine[:1])[0])
    return hours * float(fine[low[0]]) if low.size else None


def truth_of(shape: Shape, hours: float, medium: str, least: float = 0.95) -> dict[Key, float]:
    left = shape(np.array([0.0, 1.0]))
    truth = {("pl_retention", medium): float(left[1] / left[0])}
    for key, level in (("pl_t80", 0.8), ("pl_half_life", 0.5)):
        if (at := passed(shape, level, hours)) is not None:
            truth[key, medium] = at
    if (at := passed(shape, least, hours)) is not None:
        key, factor = PER_HOUR[medium]
        truth[key, ""] = at * factor
    return truth


def meter(rng: np.random.Generator) -> dict[str, Quantity]:
    """An irradiance of 57 mW/cm², measured to 5 %."""
    return {"irradiance": Quantity(57.0 * rng.normal(1, 0.05), "mW/cm²")}


def trace(name: str, shape: Shape, points: int, sd: float) -> Case:
    seconds = np.linspace(0, 5000, points)
    clean = 1000 * shape(seconds / 5000)

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        y = clean + rng.normal(0, sd, points)
        return {
            "sample": Dataset(Signal("PL", "counts", y), (Axis("time", "s", seconds),), conditions=meter(rng))
        }

    truth = truth_of(shape, 5000 / 3600, "light") | {("light_dose", ""): 285.0}
    return Case("photostability_trace", name, simulate, truth, bounds=_bounds(truth, "light"))


def _bounds(truth: Mapping[Key, float], medium: str) -> dict[str, str]:
    key = PER_HOUR[medium][0]
    return {} if (key, "") in truth else {key: STILL_STABLE}


def series(
    name: str,
    shape: Shape,
    hours: float,
    points: int,
    *,
    medium: str = "light",
    shift_nm: float = 0.0,
    max_shift_nm: float = 1.0,
    lamp: float = 0.0,
    sd: float = 20.0,
    least: float = 0.95,
) -> Case:
    """lamp : by how much it fades meanwhile, which a reference beside the sample tells"""
    at = np.linspace(0, hours, points)
    u = at / hours
    fading = 1 - lamp * u
    height = 1000 * shape(u) * fading
    y = 50 + height[:, None] * bell(X_NM, 690 + shift_nm * u[:, None], 12)

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        axes = (Axis("time", "h", at), Axis("wavelength", "nm", X_NM))
        noisy = y + rng.normal(0, sd, y.shape)
        state = meter(rng) if medium == "light" else {"solvent": Quantity("water")}
        made = {"sample": Dataset(Signal("intensity", "counts", noisy), axes, conditions=state)}
        if lamp:
            monitor = 5e4 * fading + rng.normal(0, 20, points)
            made["reference"] = Dataset(Signal("monitor", "counts", monitor), (Axis("time", "h", at),))
        return made

    truth = truth_of(shape, hours, medium, least)
    truth |= {("pl_drift", ""): shift_nm / hours, ("pl_shift", ""): shift_nm}
    key, factor = PER_HOUR[medium]
    if abs(shift_nm) > max_shift_nm:
        truth[key, ""] = hours * factor * max_shift_nm / abs(shift_nm)
    if medium == "light":
        truth["light_dose", ""] = 57e-3 * hours * 3600
    params = {"medium": medium, "max_shift_nm": max_shift_nm, "min_retention": least}
    return Case("photostability", name, simulate, truth, params, _bounds(truth, medium))


CASES = (
    trace("constant, 60 points, 0.4 %", constant, 60, 4),
    trace("line to 0.7, 60 points, 0.4 %", line(0.3), 60, 4),
    trace("line to 0.4, 60 points, 2 %", line(0.6), 60, 20),
    trace("stretched to 0.24, 60 points, 0.4 %", stretched(0.6, 0.7), 60, 4),
    trace("stretched to 0.24, 60 points, 2 %", stretched(0.6, 0.7), 60, 20),
    trace("exponential to 0.61, 200 points, 1 %", stretched(2.0, 1.0), 200, 10),
    trace("exponential to 0.61, 60 points, 2 %", stretched(2.0, 1.0), 60, 20),
    trace("exponential to 0.78, 60 points, 2 %", stretched(4.0, 1.0), 60, 20),
    trace("line to 0.7, 60 points, 2 %", line(0.3), 60, 20),
    trace("stretched to 0.56, 60 points, 2 %", stretched(2.0, 0.8), 60, 20),
    trace("line to 0.9, 20 points, 1 %", line(0.1), 20, 10),
    series(
        "laser, line to 0.76, shift 0.5 nm", line(0.24), 5, 30, shift_nm=0.5, max_shift_nm=0.25, least=0.5
    ),
    series("laser, stretched to 0.37", stretched(1.0, 0.6), 2, 60),
    series("water, constant for 10 000 h", constant, 10_000, 40, medium="water"),
    series("air, line to 0.45 in 650 d", line(0.55), 15_600, 40, medium="air", shift_nm=-0.3),
    series("sonication, stretched to 0.61", stretched(2.0, 1.0), 20, 40, medium="sonication"),
    series("laser, line to 0.6, the lamp fades by 10 %", line(0.4), 5, 40, lamp=0.1),
)
