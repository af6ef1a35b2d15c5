"""The peak of a CL map, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.methods import _peak_map
from analysis.methods.base import Dataset, Outcome

METHOD = _peak_map.declared("cl", "cl", version=2)
Params = _peak_map.MapParams


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite is refused or left out
def run(datasets: Mapping[str, Dataset], params: _peak_map.MapParams) -> Outcome:
    return _peak_map.outcome(datasets["sample"], params, "cl")
