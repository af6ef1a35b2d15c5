"""Quantum yield that the instrument's own program found and wrote into the file. Row A-06."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods import _plqy_noise as noise
from analysis.methods import _plqy_spectra as spectra
from analysis.methods.base import Array, Dataset, Method, MethodError, Outcome, Property, Result, Role, param
from analysis.numerics.quantum_yield import band

METHOD = Method(
    title="PLQY: as the instrument reports it",
    version=1,
    accepts=(
        Role(
            "sample",
            ("plqy",),
            help="A spectrum whose file states its quantum yield, such as LuQY Pro’s.",
            axes=("wavelength",),
            conditions=("quantum_yield",),
        ),
    ),
    properties=(
        Property("plqy", "PL quantum yield", "1", True, html="Φ", as_percent=True, preferred=False),
    ),
    reference=(
        "The program of the instrument, by the rule of J. C. de Mello, H. F. Wittmann, R. H. Friend, Adv. "
        "Mater. 9 (1997) 230; the number is taken from the header and not computed again"
    ),
    description=(
        "The number of the header, as a fraction. Such headers give no error, so σ is what can be known from "
        "the file: the noise of the integrated spectrum, from the scatter of neighbouring points, and half a "
        "unit of the last digit that was written, over √3. It says how repeatable this one file is; errors "
        "of the instrument’s calibration and of the absorption that it assumes are larger and not in it. "
        "Where a measurement in an integrating sphere gives spectra, the method that computes from them is "
        "preferred."
    ),
)  # fmt: skip

MIN_POINTS = 15
TITLES = ("quantum yield", "plqy", "luqy")


@dataclass(frozen=True)
class Params:
    relative_sigma: float | None = param(
        None, min=0, max=1, help="Relative σ of the instrument, where it is known; added in squares."
    )


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    dataset = datasets["sample"]
    stated = dataset.conditions.get("quantum_yield")
    if stated is None or isinstance(stated.value, str):
        raise MethodError("The file states no quantum yield; look at its header.")
    value = float(stated.value)
    if not np.isfinite(value) or not -0.01 <= value <= 1:
        raise MethodError(
            f"The file states a quantum yield of {value:g}, which is no share between 0 and 1. Look at its "
            "header, and whether the instrument’s calibration was right."
        )
    said = [
        "The file gives no error of the quantum yield; σ holds the noise of its spectrum and the last digit, "
        "not the instrument’s calibration."
    ]
    share = _relative_noise(dataset, said)
    rounding = _half_digit(dataset, value) / np.sqrt(3)
    instrument = (params.relative_sigma or 0.0) * abs(value)
    sigma = float(np.sqrt((share * value) ** 2 + rounding**2 + instrument**2))
    if sigma <= 0:
        raise MethodError(
            "Neither the spectrum nor the header shows how sure the quantum yield is. Give relative_sigma."
        )
    if value <= 0:
        said.append("The instrument reports no emission.")
    notes = {"relative noise of the spectrum": share, "half of the last digit": _half_digit(dataset, value)}
    return Outcome((Result("plqy", value, sigma),), (), tuple(said), notes)


def _relative_noise(dataset: Dataset, said: list[str]) -> float:
    """σ of the integral over the integral; programs set to zero what lies outside the emission."""
    one = spectra.scan("on_beam", dataset, [])
    lit = np.flatnonzero(one.y)
    if lit.size < MIN_POINTS:
        said.append("The spectrum holds no emission from which its noise could be seen.")
        return 0.0
    part = slice(int(lit[0]), int(lit[-1]) + 1)
    x, y = one.x[part], one.y[part]
    weights = band(x, x[0], x[-1])
    total = float(weights @ y)
    variance: Array
    if one.errors is not None:
        variance = one.errors[part] ** 2
    else:
        variance = noise.variances([y], [slice(None)], noise.SCATTER)[0][0]
    spread = float(np.sqrt(weights**2 @ variance))
    if total <= spread:
        said.append("The spectrum of the file does not stand above its noise.")
        return 0.0
    return spread / total


def _half_digit(dataset: Dataset, value: float) -> float:
    """Half a unit of the last digit that the header wrote: 0.0400 in % is known to 0.00005 %."""
    for title, text in dataset.header.items():
        if not any(word in title.lower() for word in TITLES):
            continue
        try:
            number = float(text)
        except ValueError:
            continue
        scale = 0.01 if "%" in title else 1.0
        if abs(number * scale - value) <= 1e-9 + 1e-6 * abs(value):
            decimals = len(text.strip().lower().partition("e")[0].partition(".")[2])
            return float(0.5 * 10.0**-decimals * scale)
    return 0.0
