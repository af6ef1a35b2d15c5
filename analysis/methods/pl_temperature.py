"""How an emission moves and broadens with temperature: a PL series over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods._axes import TEMPERATURE
from analysis.methods._peak_map import FWHM_PER_SIGMA
from analysis.methods._pl_series import frames, series
from analysis.methods.base import (
    Array,
    Curve,
    Dataset,
    Method,
    MethodError,
    Outcome,
    Property,
    Result,
    Role,
    param,
)
from analysis.numerics.straight_lines import Line, weighted_line

MIN_PEAKS = 5
BENT = 9.0  # χ² over its degrees of freedom, beyond which a line is not what happens

METHOD = Method(
    title="PL: peak over temperature",
    version=1,
    accepts=(
        Role(
            "sample", ("pl",), help="Emission spectra at one temperature after another.",
            axes=("temperature", "wavelength"),
        ),
    ),
    properties=(
        Property("pl_center_slope", "PL peak shift with temperature", "nm/K", html="dλ/dT"),
        Property("pl_width_slope", "PL broadening with temperature, full width", "nm/K", False),
        Property("pl_center_at_25", "PL peak centre at 25 °C", "nm"),
    ),
    reference="Y. P. Varshni, Physica 34 (1967) 149, doi:10.1016/0031-8914(67)90062-6",
    description=(
        "A Gaussian on a level background is fitted to every spectrum; where it stands five times above the "
        "noise, its centre and full width enter a straight line against temperature, weighted by their "
        "errors. Where the points scatter more than these say, the sigmas grow accordingly. The centre at "
        "25 °C is given if 25 °C lies within the series."
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Params:
    window_min_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies below.")
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is refused or left out
def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    data = series(datasets["sample"], TEMPERATURE, params.window_min_nm, params.window_max_nm)
    found = frames(data)
    known = np.isfinite(found.centre) & (found.centre_sigma > 0) & (found.width_sigma > 0)
    if known.sum() < MIN_PEAKS:
        raise MethodError(
            f"A peak stands above the noise in {known.sum()} spectra; a line needs at least {MIN_PEAKS}."
        )
    at = data.at[known]
    centre = _line(at - 25, found.centre[known], found.centre_sigma[known])
    width = _line(at - 25, found.width[known] * FWHM_PER_SIGMA, found.width_sigma[known] * FWHM_PER_SIGMA)
    values = [
        Result("pl_center_slope", centre.slope, centre.slope_sigma),
        Result("pl_width_slope", width.slope, width.slope_sigma),
    ]
    if at[0] <= 25 <= at[-1]:
        values.append(Result("pl_center_at_25", centre.intercept, centre.intercept_sigma))
    warnings = list(data.warnings)
    if centre.chi2 > BENT * centre.dof:
        warnings.append(
            "The centres leave the straight line by more than their errors: a phase changes, or the shift is "
            "not linear over this range. Look at the curve before using the slope."
        )
    notes = {
        "spectra": float(data.at.size),
        "spectra with a peak": float(known.sum()),
        "chi2 over degrees of freedom, centre": centre.chi2 / max(centre.dof, 1),
    }
    lines = {
        "centre": (at, found.centre[known], "nm"),
        "centre fit": (at, centre.intercept + centre.slope * (at - 25), "nm"),
        "width": (at, found.width[known] * FWHM_PER_SIGMA, "nm"),
        "intensity": (data.at, found.intensity / found.intensity[0], "1"),
    }
    curves = tuple(Curve(n, x, y, "temperature", "°C", n, unit) for n, (x, y, unit) in lines.items())
    return Outcome(tuple(values), curves, tuple(warnings), notes)


def _line(x: Array, y: Array, sigma: Array) -> Line:
    line = weighted_line(x, y, sigma)
    if line is None:
        raise MethodError("All spectra with a peak have the same temperature; a slope needs several.")
    return line
