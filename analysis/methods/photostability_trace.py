"""How long the emission lasts, from its intensity alone against time. Row A-08."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.methods import _photostability as stability
from analysis.methods.base import Dataset, Method, Outcome, Role

METHOD = Method(
    title="PL: stability of one intensity over time",
    version=3,
    accepts=(
        Role(
            "sample",
            ("pl",),
            help="Intensity against time under light of a known irradiance.",
            axes=("time",),
            told=True,
            conditions=("irradiance",),  # what only says “intensity” might be anything
        ),
        stability.REFERENCE,
    ),
    properties=stability.properties(preferred=False),
    reference=stability.PAPERS,
    equation=stability.EQUATION,
    description=(
        "As the method for series of spectra, without a wavelength to follow: BIC chooses among constant, "
        "line, exponential and stretched exponential; times to 80 and 50 % are given only if they were "
        "reached; sigmas come from the scatter around the curve and from what other curves say that are "
        "about as credible. The background must have been subtracted already."
    ),
)
Params = stability.EnduranceParams


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is refused
def run(datasets: Mapping[str, Dataset], params: stability.EnduranceParams) -> Outcome:
    sample = datasets["sample"]
    hours, intensity = stability.trace(sample)
    lost = sample.signal.values.size - intensity.size
    said = [f"{lost} points are not finite numbers and are left out."] if lost else []
    if "reference" in datasets:
        factor, more = stability.reference(datasets["reference"], hours)
        intensity, said = intensity / factor, said + more
    lit = stability.light(sample, None, params.irradiance_error)
    return stability.outcome(
        hours,
        intensity,
        None,
        stability.medium_of(sample, params.medium, lit),
        lit,
        stability.Limits(params.min_retention, float("inf")),
        tuple(said),
    )
