"""The peak of a CL map, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods import _peak_map
from analysis.methods.base import Dataset, Method, Outcome, Role

METHOD = Method(
    title="CL: map of the peak",
    version=1,
    accepts=(
        Role(
            "sample",
            ("cl",),
            help="A spectrum at every place of a map, against wavelength in nm.",
            axes=("position", "position", "wavelength"),
        ),
    ),
    properties=_peak_map.properties("cl", "CL"),
    reference="Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Fig. 2c-f, SI 11, 12",
    equation="y = a · exp(−(λ − c)²/2σ²) + b",
    description=_peak_map.DESCRIPTION,
    time_limit_s=300,
)


@dataclass(frozen=True)
class Params(_peak_map.MapParams):
    pass


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is refused or left out
def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    return _peak_map.outcome(datasets["sample"], params, "cl")
