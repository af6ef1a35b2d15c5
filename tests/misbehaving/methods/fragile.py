"""Fine with most files; with a poisonous one it does what `how` says."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods.base import Curve, Dataset, Method, Outcome, Property, Result, Role, param

POISONOUS_POINTS = 120

METHOD = Method(
    title="Fragile",
    version=1,
    accepts=(Role("sample", ("nmr",)),),
    properties=(Property("fragile_mean", "Mean", "counts"),),
    reference="None",
    time_limit_s=5,
)


@dataclass(frozen=True)
class Params:
    how: str = param(
        "raise",
        choices=("raise", "segfault", "memory", "endless", "spin", "killed", "unstorable"),
        help="What it does.",
    )
    nap_s: float = param(0.0, unit="s", min=0, max=60, help="How long each takes.")


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    signal_ = datasets["sample"].signal.values
    said = ("\0",) if params.how == "unstorable" and signal_.size == POISONOUS_POINTS else ()
    if signal_.size == POISONOUS_POINTS and not said:
        misbehave(params.how)
    time.sleep(params.nap_s)
    x = np.arange(float(signal_.size))
    return Outcome((Result("fragile_mean", float(signal_.mean()), 1.0),), (Curve("data", x, signal_),), said)


def misbehave(how: str) -> None:
    if how == "segfault":
        ctypes.string_at(0)
    if how == "memory":
        hoard = []
        while True:
            hoard.append(np.empty(2**24))
    if how == "endless":
        time.sleep(3600)
    if how == "spin":
        while True:
            pass
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise ZeroDivisionError("division by zero")
