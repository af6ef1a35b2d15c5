"""How long the emission lasts, from its intensity alone against time. Row A-08."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods import _photostability as stability
from analysis.methods.base import Dataset, Method, Outcome, Role, param

METHOD = Method(
    title="PL: stability of one intensity over time",
    version=1,
    accepts=(
        Role(
            "sample",
            ("pl",),
            help="Intensity against time under light of a known irradiance.",
            axes=("time",),
            conditions=("irradiance",),  # what only says “intensity” might be anything
        ),
        Role(
            "reference",
            ("pl",),
            help="A lamp monitor or a stable sample measured beside it; its changes are divided out.",
            required=False,
        ),
    ),
    properties=stability.properties(preferred=False),
    reference=(
        "Hou et al., Science 374 (2021) 621, doi:10.1126/science.abf4460, Fig. 4A, S37-S40; "
        "Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Fig. 2b"
    ),
    equation="I = a;  I = a + b·t;  I = a·exp(−(t/τ)<sup>β</sup>)",
    description=(
        "As the method for series of spectra, without a wavelength to follow: BIC chooses among constant, "
        "line and stretched exponential; times to 80 and 50 % are given only if they were reached; sigmas "
        "come from the scatter around the curve. The background must have been subtracted already."
    ),
)


@dataclass(frozen=True)
class Params:
    medium: str = param(
        "auto",
        choices=("auto", *stability.MEDIA),
        help="What it had to endure; auto: the solvent in the file, else the light.",
    )
    min_retention: float = param(0.95, min=0.0, max=1.0, help="Stable: at least this share is left.")
    irradiance_error: float = param(0.05, min=0.0, max=1.0, help=stability.ERRORS_HELP)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is refused
def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    sample = datasets["sample"]
    hours, intensity = stability.trace(sample)
    said: list[str] = []
    if "reference" in datasets:
        factor, said = stability.reference(datasets["reference"], hours)
        intensity = intensity / factor
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
