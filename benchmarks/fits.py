"""Two-Gaussian fits: ours against lmfit, the same spectra, interleaved in one run, equal answers.

    .venv/bin/python -m benchmarks fits

Fails if the answers differ: speed with other numbers is no speed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import lmfit
import lmfit.models
import numpy as np

from analysis import methods
from analysis.numerics import compiled, gaussians
from measurements.data import Array, Axis, Dataset, Signal

X_NM = np.arange(550.0, 801.0)
LONG_NM = np.linspace(550.0, 800.0, 2048)  # a whole detector
TRUTH = np.array([81.13, 682.82, 39.27, 418305.79, 716.94, 21.78, 21896.09])  # Li2023 SI14b
NOISE_SD = 114.129
NAMES = ("y0", "xc1", "w1", "A1", "xc2", "w2", "A2")
ROUNDS = 7
LMFIT_PER_ROUND = 20


def spectra(count: int, x: Array = X_NM) -> Array:
    curve = gaussians.gaussian_model(x)(TRUTH[None])[0]
    return curve + np.random.default_rng(20231101).normal(0, NOISE_SD, (count, x.size))


def starts(y: Array, x: Array = X_NM) -> Array:
    """(B, 7) the start of the specification: the highest point, and a shoulder 0.85 widths beside it."""
    offset, center, width, area = gaussians.start_one(x, y).T
    second = (center + 0.85 * width, 0.5 * width, 0.1 * area)
    return np.column_stack([offset, center, width, area, *second])


def curve(x: Array, y0: float, xc1: float, w1: float, A1: float, xc2: float, w2: float, A2: float) -> Array:
    root = gaussians.ROOT_HALF_PI
    first = A1 / (w1 * root) * np.exp(-2 * ((x - xc1) / w1) ** 2)
    return y0 + first + A2 / (w2 * root) * np.exp(-2 * ((x - xc2) / w2) ** 2)


LEAN = lmfit.Model(curve)
USUAL = (
    lmfit.models.ConstantModel()
    + lmfit.models.GaussianModel(prefix="a_")
    + lmfit.models.GaussianModel(prefix="b_")
)


def by_usual_lmfit(y: Array, start: Array, x: Array = X_NM) -> tuple[Array, Array]:
    """As a user writes it: lmfit's own models, whose sigma is half our width."""
    params = USUAL.make_params(c=start[0])
    for prefix, (center, width, area) in (("a_", start[1:4]), ("b_", start[4:7])):
        params[prefix + "center"].value = center
        params[prefix + "sigma"].set(value=width / 2, min=2.5, max=60)
        params[prefix + "amplitude"].set(value=area, min=0)
    found = USUAL.fit(y, params, x=x).params
    names = ["c"] + [prefix + name for prefix in ("a_", "b_") for name in ("center", "sigma", "amplitude")]
    factor = np.array([1, 1, 2, 1, 1, 2, 1])
    values = np.array([found[name].value for name in names])
    errors = np.array([found[name].stderr for name in names], dtype=float)
    return values * factor, errors * factor


def by_lean_lmfit(y: Array, start: Array, x: Array = X_NM) -> tuple[Array, Array]:
    """One plain function: the fastest that lmfit gets."""
    params = LEAN.make_params(**dict(zip(NAMES, start, strict=True)))
    for area, width in (("A1", "w1"), ("A2", "w2")):
        params[area].min = 0
        params[width].set(min=5, max=120)
    found = LEAN.fit(y, params, x=x).params
    return np.array([found[n].value for n in NAMES]), np.array([found[n].stderr for n in NAMES], dtype=float)


def by_ours(y: Array, start: Array, x: Array = X_NM) -> tuple[Array, Array]:
    fits = gaussians.fit(x, y, start[:, None])
    return fits.params, np.sqrt(np.einsum("bpp->bp", fits.errors.classical))


def check_equal(ours: tuple[Array, Array], theirs: tuple[Array, Array]) -> tuple[float, float]:
    """Largest difference of a parameter in standard errors and of a standard error relative to itself."""
    in_sigmas = float(np.max(np.abs(ours[0] - theirs[0]) / theirs[1]))
    relative = float(np.max(np.abs(ours[1] / theirs[1] - 1)))
    if not (in_sigmas < 1e-3 and relative < 0.01):
        raise SystemExit(f"The answers differ: {in_sigmas:.2g} sigma, standard errors by {relative:.2%}.")
    return in_sigmas, relative


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(count: int = 500) -> str:
    y = spectra(count)
    start = starts(y)
    loaded = methods.get("pl_gaussians")
    params = methods.parse_params(loaded, {})
    some = range(LMFIT_PER_ROUND)

    def method(i: int) -> object:
        data = Dataset(Signal("intensity", "counts", y[i]), (Axis("wavelength", "nm", X_NM),))
        return loaded.run({"sample": data}, params)

    ours = by_ours(y[: len(some)], start[: len(some)])
    worst = (0.0, 0.0)
    for theirs in (by_usual_lmfit, by_lean_lmfit):  # also warms both up
        values, errors = zip(*(theirs(y[i], start[i]) for i in some), strict=True)
        in_sigmas, relative = check_equal(ours, (np.array(values), np.array(errors)))
        worst = (max(worst[0], in_sigmas), max(worst[1], relative))

    work: dict[str, tuple[int, Callable[[], object]]] = {
        "lmfit": (len(some), lambda: [by_usual_lmfit(y[i], start[i]) for i in some]),
        "lean lmfit": (len(some), lambda: [by_lean_lmfit(y[i], start[i]) for i in some]),
        "batch": (count, lambda: by_ours(y, start)),
        "single": (len(some), lambda: [by_ours(y[i : i + 1], start[i : i + 1]) for i in some]),
        "method": (len(some), lambda: [method(i) for i in some]),
    }
    per_fit_ms: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, (fits, run) in work.items():
            per_fit_ms[name].append(1e3 * seconds(run) / fits)
    table = report({name: median(times) for name, times in per_fit_ms.items()}, count, worst)
    return f"{table}\n\n{long_spectra()}"


def long_spectra() -> str:
    """One spectrum at a time of as many points as a detector has."""
    if compiled.has_numba():
        compiled.compile_all()
    x = LONG_NM
    y = spectra(LMFIT_PER_ROUND, x)
    start = starts(y, x)
    some = range(LMFIT_PER_ROUND)
    work: dict[str, Callable[[int], tuple[Array, Array]]] = {
        "lmfit's models": lambda i: by_usual_lmfit(y[i], start[i], x),
        "lmfit, one function": lambda i: by_lean_lmfit(y[i], start[i], x),
        "ours": lambda i: by_ours(y[i : i + 1], start[i : i + 1], x),
    }
    ours = by_ours(y, start, x)
    answers = {name: [fit(i) for i in some] for name, fit in work.items()}
    checks = [
        check_equal(ours, (np.array([a for a, _ in found]).reshape(ours[0].shape),
                           np.array([e for _, e in found]).reshape(ours[1].shape)))
        for found in answers.values()
    ]  # fmt: skip
    ms: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, fit in work.items():
            ms[name].append(1e3 * seconds(lambda fit=fit: [fit(i) for i in some]) / len(some))
    medians = {name: median(times) for name, times in ms.items()}
    in_sigmas, relative = (max(each) for each in zip(*checks, strict=True))
    return "\n".join(
        [
            f"Two-Gaussian fit of one spectrum of {x.size} points, {gaussians_engine()}.",
            f"Same minimum within {in_sigmas:.0e} sigma, standard errors within {relative:.1e}.",
            "",
            "| work | ms a spectrum | × ours |",
            "|---|---|---|",
            *(f"| {name} | {t:.3f} | {t / medians['ours']:.1f} |" for name, t in medians.items()),
        ]
    )


def gaussians_engine() -> str:
    return "compiled by numba" if compiled.has_numba() else "in NumPy"


def report(ms: dict[str, float], count: int, worst: tuple[float, float]) -> str:
    rows = {
        f"kernel, {count} spectra in one batch": ms["batch"],
        "kernel, one spectrum at a time": ms["single"],
        "whole method (one and two Gaussians, five starts, choice, both errors, checks)": ms["method"],
    }
    usual, lean = ms["lmfit"], ms["lean lmfit"]
    return "\n".join(
        [
            f"Two-Gaussian fit, {X_NM.size} points, 7 parameters; median of {ROUNDS} interleaved rounds.",
            f"Same minimum within {worst[0]:.0e} sigma, standard errors within {worst[1]:.1e}.",
            f"lmfit {lmfit.__version__}: its own models {usual:.2f} ms, one plain function {lean:.2f} ms.",
            "",
            "| work | ms a spectrum | × lmfit's models | × lmfit, one function |",
            "|---|---|---|---|",
            *(f"| {name} | {t:.3f} | {usual / t:.0f} | {lean / t:.1f} |" for name, t in rows.items()),
        ]
    )
