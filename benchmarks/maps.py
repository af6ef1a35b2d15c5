"""A map of spectra: one Gaussian on a line under each, ours against HyperSpy's multifit, equal answers.

    .venv/bin/python -m benchmarks maps

Parameters and standard errors of all five. Fails if the answers differ: speed with other numbers is no speed.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import curve_fit

from analysis.numerics import peak_maps
from measurements.data import Array

SIDE, CHANNELS = 128, 512
PART = 40  # HyperSpy fits PART × PART of the spectra, and its time is multiplied up
X_NM = np.linspace(600.0, 820.0, CHANNELS)
START = (1000.0, 710.0, 15.0, 100.0, 0.0)  # of the anchors; ours finds its own
NOISE_SD = 30.0
ROUNDS = 5
SCIPY_SPECTRA = 200
ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


def cube() -> Array:
    """Spectra like published cathodoluminescence: centres 705-715 nm, σ 12-18 nm, signal to noise 17-50."""
    rng = np.random.default_rng(20231101)
    rows = SIDE * SIDE
    columns = [rng.uniform(*limits, rows) for limits in ((500, 1500), (705, 715), (12, 18), (50, 150))]
    truth = np.stack([*columns, rng.normal(0, 0.2, rows)], axis=1)
    return peak_maps.gaussian_on_line(X_NM, truth) + rng.normal(0, NOISE_SD, (rows, CHANNELS))


def model_of_hyperspy(y: Array) -> Any:
    """As a user writes it, its functions compiled by one fit before anything is timed."""
    import hyperspy.api as hs

    hs.set_log_level("ERROR")
    signal = hs.signals.Signal1D(y.reshape(PART, PART, CHANNELS))
    axis = signal.axes_manager[-1]
    axis.offset, axis.scale = X_NM[0], X_NM[1] - X_NM[0]
    model = signal.create_model()
    gaussian, line = hs.model.components1D.Gaussian(), hs.model.components1D.Polynomial(order=1)
    model.extend([gaussian, line])
    height, centre, sigma, offset, slope = START
    gaussian.A.value, gaussian.centre.value, gaussian.sigma.value = (
        height * sigma * ROOT_TWO_PI,
        centre,
        sigma,
    )
    line.a0.value, line.a1.value = offset, slope
    model.fit(optimizer="lm")
    return model


def answers_of_hyperspy(model: Any) -> tuple[Array, Array]:
    gaussian, line = model
    of_model = (gaussian.A, gaussian.centre, gaussian.sigma, line.a0, line.a1)

    def maps(field: str) -> Array:
        return np.stack([part.as_signal(field=field).data.ravel() for part in of_model], axis=1)

    return maps("values"), maps("std")


def by_scipy(y: Array) -> tuple[Array, Array]:
    def curve(x: Array, height: float, centre: float, sigma: float, offset: float, slope: float) -> Array:
        return height * np.exp(-0.5 * ((x - centre) / sigma) ** 2) + offset + slope * (x - 710)

    found = [curve_fit(curve, X_NM, row, START, xtol=1e-12, ftol=1e-12) for row in y]
    return np.array([f for f, _ in found]), np.array([np.sqrt(np.diag(c)) for _, c in found])


def agreement(ours: peak_maps.PeakFits, theirs: tuple[Array, Array], columns: list[int]) -> str:
    rows = len(theirs[0])
    params, errors = ours.params[:rows, columns], ours.errors[:rows, columns]
    values, sigmas = theirs[0][:, columns], theirs[1][:, columns]
    in_nm = float(np.max(np.abs(params[:, 0] - values[:, 0])))
    in_sigmas, relative = np.max(np.abs(params - values) / errors), np.max(np.abs(errors / sigmas - 1))
    if not (in_nm < 1e-4 and in_sigmas < 1e-3 and relative < 0.01):
        raise SystemExit(f"Answers differ: {in_nm:.2g} nm, {in_sigmas:.2g} sigma, errors by {relative:.2%}.")
    return f"centres within {in_nm:.1e} nm, all within {in_sigmas:.1e} sigma, errors within {relative:.1e}"


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> str:
    warnings.simplefilter("ignore")
    y = cube()
    part = y[: PART * PART]
    found = {engine: peak_maps.fit(X_NM, y, engine=engine) for engine in ("numpy", "numba")}
    times: dict[str, list[float]] = {"hyperspy": [], "scipy": [], "numpy": [], "numba": []}
    for _ in range(ROUNDS):
        model = model_of_hyperspy(part)
        whole = len(y) / len(part)
        times["hyperspy"].append(
            whole * seconds(lambda model=model: model.multifit(optimizer="lm", show_progressbar=False))
        )
        times["scipy"].append(len(y) / SCIPY_SPECTRA * seconds(lambda: by_scipy(y[:SCIPY_SPECTRA])))
        for engine in found:
            times[engine].append(
                min(seconds(lambda engine=engine: peak_maps.fit(X_NM, y, engine=engine)) for _ in range(2))
            )
    hyperspy, scipy = answers_of_hyperspy(model), by_scipy(y[:SCIPY_SPECTRA])
    lines = [
        f"{engine}: {np.mean(fits.converged):.2%} converged; with HyperSpy "
        f"{agreement(fits, hyperspy, [1, 2])}; with curve_fit {agreement(fits, scipy, [1, 0, 2, 3, 4])}."
        for engine, fits in found.items()
    ]
    return report({name: median(taken) for name, taken in times.items()}, lines)


def report(s: dict[str, float], agreements: list[str]) -> str:
    words = {
        "hyperspy": f"HyperSpy multifit (from {PART} × {PART} spectra)",
        "scipy": f"curve_fit (from {SCIPY_SPECTRA} spectra)",
        "numpy": "ours, NumPy",
        "numba": "ours, numba",
    }
    return "\n".join(
        [
            f"{SIDE} × {SIDE} spectra of {CHANNELS} points, Gaussian and line, five parameters and errors;",
            f"one core; median of {ROUNDS} interleaved rounds.",
            *agreements,
            "",
            "| work | s a cube | × HyperSpy | × curve_fit |",
            "|---|---|---|---|",
            *(
                f"| {words[name]} | {taken:.3f} | {s['hyperspy'] / taken:.0f} | {s['scipy'] / taken:.0f} |"
                for name, taken in s.items()
            ),
        ]
    )


if __name__ == "__main__":
    print(main())
