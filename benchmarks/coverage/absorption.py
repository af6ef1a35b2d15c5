"""Absorption edges, Tauc gaps and Urbach feet: in absorbance, %T and %R, over constants and scattering."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.optimize import minimize_scalar

from benchmarks.coverage.simulating import HC_EV_NM, Case, Key, spectrum
from measurements.data import Array, Dataset

X_NM = np.arange(400.0, 801.0)
WIDE_NM = np.arange(400.0, 901.0)
PUBLISHED_RULE = 1240.0
Curve = Callable[[Array], Array]


def sigmoid(x: Array, centre: float, width: float = 8.0) -> Array:
    return np.asarray(1 / (1 + np.exp((x - centre) / width)))


def measured(
    method: str,
    name: str,
    curve: Curve,
    noise: float,
    truth: Mapping[Key, float],
    x: Array = X_NM,
    kind: str = "Absorbance",
    **params: object,
) -> Case:
    """curve : absorbance, or the share that is reflected; noise of absorbance, or of T and R as shares"""
    clean = np.asarray(curve(x))
    unit = {"Absorbance": "1", "T": "%", "R": "%"}[kind]
    seen = 10**-clean if kind == "T" else clean
    scale = 1.0 if kind == "Absorbance" else 100.0

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        return {"sample": spectrum(scale * (seen + rng.normal(0, noise, x.size)), x, kind, unit)}

    counted = {"absorption_edge_number": "a count"} if method == "uvvis_edge" else {}
    return Case(method, name, simulate, truth, params, counted)


def edges(**found: tuple[float, float]) -> dict[Key, float]:
    """By name (one for the only one): where the tangent meets what lies beyond, and the inflection."""
    truth: dict[Key, float] = {}
    for name, (at, inflection) in found.items():
        label = "" if name == "one" else name
        truth |= {
            ("band_edge", label): at,
            ("band_gap", label): PUBLISHED_RULE / at,
            ("band_gap_exact", label): HC_EV_NM / at,
            ("band_edge_inflection", label): inflection,
        }
    return truth


def edge_of(curve: Curve, near: float, beyond: float) -> tuple[float, float]:
    """By the definition: the steepest place, and where the tangent there meets `beyond`."""
    step = 1e-3

    def slope(x: float) -> float:
        return float((curve(np.array([x + step])) - curve(np.array([x - step])))[0]) / (2 * step)

    at = float(minimize_scalar(slope, bounds=(near - 25, near + 25), method="bounded").x)
    return at + (beyond - float(curve(np.array([at]))[0])) / slope(at), at


def kubelka_munk(x: Array) -> Array:
    r = 0.85 - 0.6 * sigmoid(x, 700)
    return np.asarray((1 - r) ** 2 / (2 * r))


def direct(x: Array) -> Array:
    return np.asarray(np.sqrt(np.maximum(HC_EV_NM / x - 1.75, 0)) / (HC_EV_NM / x))


def indirect(x: Array) -> Array:
    return np.asarray(np.maximum(HC_EV_NM / x - 1.75, 0) ** 2 / (HC_EV_NM / x))


def one_tauc(
    name: str, curve: Curve, key: str, noise: float, kind: str = "Absorbance", beneath: float = 0.0
) -> Case:
    """The other exponent's gap is reported too; no gap of that kind was planted."""
    height = float(np.max(curve(WIDE_NM)))
    truth = {(key, ""): 1.75}
    other = "tauc_gap_indirect" if key == "tauc_gap_direct" else "tauc_gap_direct"

    def seen(x: Array) -> Array:
        return curve(x) / height + beneath * (x / 724) ** -4

    case = measured("uvvis_tauc", name, seen, noise, truth, WIDE_NM, kind)
    return Case("uvvis_tauc", name, case.simulate, truth, bounds={other: "the gap of another exponent"})


FOOT_NM = np.arange(500.0, 900.0, 0.5)


def foot(x: Array, urbach_mev: float = 15.0) -> Array:
    """exp(E/E_U) up to 1.75 eV; above, it levels off at one."""
    above = 1e3 * (HC_EV_NM / x - 1.75) / urbach_mev
    return np.asarray(
        np.where(above < 0, 0.5 * np.exp(np.minimum(above, 0)), 1 - 0.5 * np.exp(-np.maximum(above, 0)))
    )


def of_foot(
    name: str,
    urbach_mev: float,
    noise: float,
    power: float = 0,
    beneath: float = 0.02,
    kind: str = "Absorbance",
) -> Case:
    def curve(x: Array) -> Array:
        a = foot(x, urbach_mev) + beneath * (x / 500) ** -power
        return np.asarray(1 + a - np.sqrt(a**2 + 2 * a)) if kind == "R" else a

    return measured(
        "urbach_absorbance", name, curve, noise, {("urbach_energy", ""): urbach_mev}, FOOT_NM, kind
    )


def _two(x: Array) -> Array:
    return 0.6 * sigmoid(x, 490, 7) + 0.5 * sigmoid(x, 690) + 0.05


KUBELKA_MUNK = edge_of(kubelka_munk, 690, 0.15**2 / 1.7)
ONE = edges(one=(724.0, 708.0))
TWO = edges(delta=(504.0, 490.0), gamma=(706.0, 690.0))


def _scattering(height: float, power: float) -> Curve:
    return lambda x: sigmoid(x, 708) + height * (x / 724) ** -power


CASES = (
    measured("uvvis_edge", "noise 0.001", lambda x: sigmoid(x, 708), 0.001, ONE),
    measured("uvvis_edge", "noise 0.005", lambda x: sigmoid(x, 708), 0.005, ONE),
    measured("uvvis_edge", "noise 0.015", lambda x: sigmoid(x, 708), 0.015, ONE),
    measured("uvvis_edge", "over λ⁻⁴ of 0.3, noise 0.002", _scattering(0.3, 4), 0.002, ONE),
    measured("uvvis_edge", "over λ⁻² of 0.3, noise 0.002", _scattering(0.3, 2), 0.002, ONE),
    measured("uvvis_edge", "two edges, noise 0.002", _two, 0.002, TWO),
    measured("uvvis_edge", "two edges, noise 0.005", _two, 0.005, TWO),
    measured("uvvis_edge", "two edges over λ⁻⁴ of 0.2, noise 0.002",
             lambda x: _two(x) - 0.05 + 0.2 * (x / 724) ** -4, 0.002, TWO),
    measured("uvvis_edge", "%T, noise 0.2 %", lambda x: 0.8 * sigmoid(x, 700) + 0.1, 0.002,
             edges(one=(716.0, 700.0)), kind="T"),
    measured("uvvis_edge", "two edges in %T, noise 0.2 %", _two, 0.002, TWO, kind="T"),
    measured("uvvis_edge", "%R, noise 0.2 %", lambda x: 0.85 - 0.6 * sigmoid(x, 700), 0.002,
             edges(one=KUBELKA_MUNK), kind="R"),
    one_tauc("direct, noise 0.003", direct, "tauc_gap_direct", 0.003),
    one_tauc("direct, noise 0.01", direct, "tauc_gap_direct", 0.01),
    one_tauc("direct over λ⁻⁴ of 0.1, noise 0.003", direct, "tauc_gap_direct", 0.003, beneath=0.1),
    one_tauc("indirect, noise 0.003", indirect, "tauc_gap_indirect", 0.003),
    one_tauc("direct in %T, noise 0.2 %", direct, "tauc_gap_direct", 0.002, "T"),
    one_tauc("indirect in %T, noise 0.2 %", indirect, "tauc_gap_indirect", 0.002, "T"),
    of_foot("15 meV, noise 0.0002", 15, 2e-4),
    of_foot("25 meV, noise 0.0005", 25, 5e-4),
    of_foot("15 meV over λ⁻¹", 15, 5e-4, 1, 0.15),
    of_foot("15 meV over λ⁻²", 15, 5e-4, 2, 0.15),
    of_foot("15 meV over λ⁻³", 15, 5e-4, 3, 0.15),
    of_foot("15 meV over λ⁻⁴", 15, 5e-4, 4, 0.15),
    of_foot("25 meV over λ⁻⁴", 25, 5e-4, 4, 0.15),
    of_foot("15 meV in %T, noise 0.05 %", 15, 5e-4, kind="T"),
    of_foot("15 meV in %R, noise 0.05 %", 15, 5e-4, beneath=0.0, kind="R"),
)  # fmt: skip
