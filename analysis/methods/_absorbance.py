"""One absorption spectrum against wavelength, whatever the instrument called its signal.

Shared by the UV-Vis methods; not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.methods._spectra import (
    COUNTS,
    HC_EV_NM,
    NANOMETRES,
    UNSAID,
    _check_finite,
    _in_order,
    _inside,
)
from analysis.methods.base import Array, Dataset, MethodError, Role, param
from analysis.numerics.peaks import noise_sigma, running_mean

WAVENUMBERS, MICROMETRES = {"cm⁻¹", "cm-1", "cm^-1", "1/cm"}, {"µm", "μm", "um"}
SAMPLE = Role(
    "sample",
    ("uvvis",),
    help="Absorbance, transmittance or diffuse reflectance against wavelength in nm.",
    axes=("wavelength",),
)
SIGNALS = ("absorbance", "transmittance", "reflectance", "kubelka-munk", "coefficient")
NAMED = {
    "reflectance": ("reflect", "%r", "r%", "r"),
    "transmittance": ("transm", "%t", "t%", "t"),
    "kubelka-munk": ("kubelka", "f(r)", "k/s", "k-m", "km"),
    "coefficient": ("absorption coefficient", "alpha", "α"),
    "absorbance": ("absorbance", "abs", "optical density", "od", "extinction", "a"),
}
PER_LENGTH = {"cm⁻¹", "cm-1", "1/cm", "cm^-1", "m⁻¹", "1/m", "m-1"}
SMALLEST_FRACTION = 1e-4  # of the light; less is the detector's dark
MOST_ABSORBANCE = 2.0
LARGEST_ABSORBANCE = 20.0
PHASES = ("", "alpha", "beta", "gamma", "delta")
GUIDE_EV = {"delta": (2.4, 3.2), "gamma": (1.5, 2.0)}


@dataclass(frozen=True)
class SpectrumParams:
    signal: str = param(
        "auto",
        choices=("auto", *SIGNALS),
        help="What the signal is; auto tells by its name and unit. %T becomes −log₁₀T, %R becomes (1−R)²/2R.",
    )
    window_min_nm: float | None = param(
        350.0,
        unit="nm",
        min=10,
        max=100_000,
        help="Ignore what lies below: framework and substrate absorb there.",
    )
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")


@dataclass(frozen=True)
class EdgeParams(SpectrumParams):
    edges: str = param(
        "auto",
        choices=("auto", "one"),
        help="auto: up to two edges more than 60 nm apart; one: the steepest.",
    )
    background: str = param(
        "auto",
        choices=("auto", "constant", "line", "scattering"),
        help="What lies beyond the edge. auto: constant, unless it plainly slopes. scattering: a·λ^(−p).",
    )
    smallest_share: float = param(
        0.1,
        unit="1",
        min=0.001,
        max=1,
        help="Smallest drop that counts as an edge, of the range of the signal.",
    )


@dataclass(frozen=True)
class Absorbance:
    """x : (N,) nm, increasing. y : (N,) what grows with absorption; variance : (N,) of y."""

    x: Array
    y: Array
    variance: Array
    kind: str
    warnings: tuple[str, ...]

    @property
    def y_name(self) -> str:
        return {"coefficient": "absorption coefficient", "reflectance": "Kubelka-Munk F(R)"}.get(
            self.kind, "Kubelka-Munk F(R)" if self.kind == "kubelka-munk" else "absorbance"
        )


def absorbance(dataset: Dataset, params: SpectrumParams) -> Absorbance:
    """Raises MethodError where no edge could be found in it whatever one did."""
    values = dataset.signal.values
    if values.ndim != 1:
        shape = " × ".join(str(size) for size in values.shape)
        raise MethodError(f"One spectrum is expected, but this dataset has the shape {shape}.")
    x, y = np.asarray(dataset.axes[0].values, float), np.asarray(values, float)
    if x.size == 0:
        raise MethodError("The spectrum is empty: it has no points.")
    _check_finite(x, y)
    x, warnings = _in_nanometres(x, dataset.axes[0].unit)
    x, y = _in_order(x, y)
    x, y = _inside(x, y, params.window_min_nm, params.window_max_nm)
    low, high, largest = float(y.min()), float(y.max()), float(np.max(np.abs(y)))
    if low == high:
        raise MethodError(f"All {y.size} points have the same signal, {low:g}: there is no edge.")
    if largest > 1e100 or high - low < max(1e-100, 1e-12 * largest) or np.diff(x).min() < 1e-6:
        raise MethodError(f"Signals from {low:g} to {high:g} are no spectrometer's; check the columns.")
    kind, said = _kind(dataset.signal.name, dataset.signal.unit, params.signal)
    y, variance, more = _absorbing(x, y, kind, dataset.signal.unit)
    return Absorbance(x, y, variance, kind, (*warnings, *said, *more))


def _in_nanometres(x: Array, unit: str) -> tuple[Array, list[str]]:
    word = unit.strip().lower()
    if word == "ev" or (word in UNSAID and x.min() >= 0.4 and x.max() <= 7):
        if x.min() <= 0:
            raise MethodError(f"A photon energy of {x.min():g} eV is none; check the columns.")
        unsaid = "" if word == "ev" else "The file does not name the unit of its axis; "
        return HC_EV_NM / x, [f"{unsaid}{x.min():g} to {x.max():g} eV is read as {HC_EV_NM:.3f}/E nm."]
    if word in WAVENUMBERS:
        if x.min() <= 0:
            raise MethodError(f"A wavenumber of {x.min():g} cm⁻¹ is none; check the columns.")
        return 1e7 / x, [f"{x.min():g} to {x.max():g} cm⁻¹ is read as 10⁷/ν nm."]
    if word in MICROMETRES:
        return 1e3 * x, []
    if word not in NANOMETRES and word not in UNSAID:
        raise MethodError(f"The axis is in “{unit}”; a wavelength in nm is needed. Export it in nm.")
    if x.min() < 10 or x.max() > 100_000:
        raise MethodError(
            f"An axis from {x.min():g} to {x.max():g} is not a wavelength in nm; check the columns."
        )
    said = f"The file does not name the unit of its axis; {x.min():g} to {x.max():g} is taken as nm."
    return x, [said] if word in UNSAID else []


def _kind(name: str, unit: str, asked: str) -> tuple[str, list[str]]:
    if asked != "auto":
        return asked, []
    word, unit = name.strip().lower(), unit.strip().lower()
    if unit in COUNTS:
        raise MethodError(
            "The signal is raw counts, not absorbance. Export absorbance, %T or %R, which need the reference "
            "that the instrument has."
        )
    for kind, words in NAMED.items():
        if word in words or any(len(part) > 3 and part in word for part in words):
            if "%" in unit and kind not in ("transmittance", "reflectance"):
                raise MethodError(
                    f"“{name}” in {unit}: no {kind} is a share of the light. Say under “signal” whether it "
                    "is transmittance or reflectance, or export it without the %."
                )
            return kind, []
    if unit in PER_LENGTH:
        return "coefficient", []
    if unit in ("%t", "%r"):
        return {"%t": "transmittance", "%r": "reflectance"}[unit], []
    if unit in UNSAID:
        return "absorbance", [f"The file does not say what “{name}” is; it is taken as absorbance."]
    raise MethodError(
        f"“{name}” in {unit} may be transmittance or reflectance; say which under “signal” and run it again."
    )


def _absorbing(x: Array, y: Array, kind: str, unit: str) -> tuple[Array, Array, list[str]]:
    """What grows with absorption, the variance of each point, and what is to be flagged."""
    sigma = noise_sigma(y)
    said = []
    if kind in ("transmittance", "reflectance"):
        if "%" in unit or y.max() > 1.5:
            y, sigma = y / 100, sigma / 100
        dark = max(SMALLEST_FRACTION, 3 * sigma)
        if y.max() > 1.5 or float(np.median(y)) < -dark:
            raise MethodError(
                f"A {kind} from {100 * y.min():.4g} to {100 * y.max():.4g} % is none; measure the "
                "reference again."
            )
        few = y < dark
        y = np.maximum(y, dark)
        if kind == "reflectance":
            if few.any():
                said.append(f"Hardly any light comes back {_where(x, few)}; F(R) is cut off there.")
            return (1 - y) ** 2 / (2 * y), _of_kubelka_munk(y, sigma), said
        y, variance = -np.log10(y), (sigma / (y * np.log(10))) ** 2
    else:
        variance = np.full(y.shape, sigma**2)
        if kind == "absorbance" and y.max() > LARGEST_ABSORBANCE:
            raise MethodError(
                f"A signal up to {y.max():.4g} is no absorbance; say under “signal” what it is, or export it."
            )
    if kind in ("absorbance", "transmittance") and (strong := y > MOST_ABSORBANCE).any():
        said.append(
            f"The absorbance is above {MOST_ABSORBANCE:g} {_where(x, strong)}: less than 1 % of the light "
            "arrives, and stray light flattens the curve. Measure a thinner or more dilute sample."
        )
    return y, variance, said


def _of_kubelka_munk(reflectance: Array, sigma: float) -> Array:
    """Variance of F(R), to second order: near R = 1 the slope of F vanishes, the noise does not. From the
    mean of neighbours, for a point that noise put near 1 is no better than they."""
    level = np.maximum(running_mean(reflectance, 2), float(reflectance.min()))
    return np.asarray(((1 - 1 / level**2) / 2 * sigma) ** 2 + (sigma**2 / level**3) ** 2 / 2 + 1e-30)


def _where(x: Array, chosen: NDArray[np.bool_]) -> str:
    first, last = x[chosen][0], x[chosen][-1]
    return f"from {first:g} to {last:g} nm" if last > first else f"at {first:g} nm"
