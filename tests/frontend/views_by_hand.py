"""Views made by hand: samples with factors and readings, as the loader would give them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from frontend.figures import Reading, Subject, View

TYPES = {"f8": np.float64, "f4": np.float32, "i4": np.int32}


class Bench:
    """Samples are added one by one; `view` is what a figure gets."""

    def __init__(self) -> None:
        self.subjects: list[Subject] = []
        self.readings: list[Reading] = []

    def sample(self, code: str = "", notation: str = "", **factors: Any) -> int:
        known = {key: value for key, value in factors.items() if value is not None}
        self.subjects.append(Subject(code or f"VT-{len(self.subjects)}", notation, known))
        return len(self.subjects) - 1

    def read(self, subject: int, wanted: str, value: float, **more: Any) -> None:
        key, _, component = wanted.partition(":")
        told: dict[str, Any] = {"sigma": float("nan"), "origin": "measured"} | more
        self.readings.append(Reading(subject, key, component, value, **told))

    @property
    def view(self) -> View:
        return View(self.subjects, self.readings, [], {})


def decoded(spec: Any) -> Any:
    if not isinstance(spec, dict):
        return spec
    values = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=TYPES[spec["dtype"]])
    return values.reshape([int(size) for size in spec["shape"].split(",")]) if "shape" in spec else values


def column(drawing: Any, name: str) -> Any:
    (found,) = [each.values for each in drawing.table if each.name == name]
    return found
