"""How long the emission lasts: intensity and wavelength of a PL series over time. Row A-08."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods import _photostability as stability
from analysis.methods._axes import TIME
from analysis.methods._pl_series import frames, series
from analysis.methods.base import Dataset, Method, Outcome, Property, Role, param

METHOD = Method(
    title="PL: stability over time",
    version=4,
    accepts=(
        Role("sample", ("pl",), help="Emission spectra, one after another.", axes=("time", "wavelength")),
        stability.REFERENCE,
    ),
    properties=(
        *stability.properties(preferred=True),
        Property("pl_drift", "PL peak drift", "nm/h"),
        Property("pl_shift", "PL peak shift, beginning to end", "nm"),
    ),
    reference=stability.PAPERS,
    equation=stability.EQUATION,
    description=(
        "Intensity: integral above the median of the outer 5 % of points. Wavelength: centre of a Gaussian "
        "on a level background, where it stands five times above the noise. BIC chooses among constant, "
        "line, exponential and stretched exponential; the loss of a constant is judged by its line. Times to "
        "80 and 50 % are given only if they were reached, and no time beyond the last spectrum is. Sigmas "
        "come from the scatter around the curve and from what other curves say that are about as credible. "
        "Stable: retained and shifted within the limits over the whole time, by the curve and by the means "
        "of neighbouring points; the time for which it was stable is then a lower bound, and none is given "
        "where the points deviate together from the curve. Where the curve leaves the points at an end by "
        "more than a tenth, neither retention nor times are given."
    ),
    time_limit_s=120,  # of thousands of spectra; where numba is not compiled yet, that comes first
)


@dataclass(frozen=True)
class Params(stability.EnduranceParams):
    max_shift_nm: float = param(1.0, unit="nm", min=0.0, max=1000.0, help="Stable: moved by at most this.")
    irradiance_mw_per_cm2: float | None = param(
        None, unit="mW/cm²", min=1e-9, max=1e9, help="Where the file does not say it, or says it wrongly."
    )
    window_min_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies below.")
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is refused or left out
def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    sample = datasets["sample"]
    data = series(sample, TIME, params.window_min_nm, params.window_max_nm)
    found = frames(data)
    intensity, said = found.intensity, data.warnings
    if "reference" in datasets:
        factor, more = stability.reference(datasets["reference"], data.at)
        intensity, said = intensity / factor, (*said, *more)
    lit = stability.light(sample, params.irradiance_mw_per_cm2, params.irradiance_error)
    return stability.outcome(
        data.at,
        intensity,
        (found.centre, found.centre_sigma),
        stability.medium_of(sample, params.medium, lit),
        lit,
        stability.Limits(params.min_retention, params.max_shift_nm),
        said,
    )
