"""Takes as long as it is told, and says how far it is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.methods.base import Dataset, Method, Outcome, Property, Result, Role, param, progress

METHOD = Method(
    title="Patient",
    version=1,
    accepts=(Role("sample", ("nmr",)),),
    properties=(Property("patient_mean", "Mean", "counts"),),
    reference="None",
    time_limit_s=120,
)


@dataclass(frozen=True)
class Params:
    seconds: float = param(1.0, unit="s", min=0, max=100, help="How long it takes.")


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    began = time.monotonic()
    while (spent := time.monotonic() - began) < params.seconds:
        progress(spent / params.seconds, f"{spent:.1f} s gone")
        time.sleep(0.05)
    return Outcome((Result("patient_mean", float(datasets["sample"].signal.values.mean()), 1.0),))
