"""What the two processes say to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analysis.methods import Dataset, LoadedMethod, Outcome


@dataclass(frozen=True)
class Job:
    """One question to one method. `inputs` gives the datasets, in the child, where a broken file can only
    hurt itself. `params` is Any because every method has its own."""

    key: int
    loaded: LoadedMethod
    params: Any
    inputs: Callable[[], Mapping[str, Dataset]]


@dataclass(frozen=True)
class Answer:
    """What came of a job: an outcome, the sentence of a refusal, or a mistake of the method.

    compiled : what its kernels were compiled with, by version; empty where NumPy did the work
    """

    key: int
    outcome: Outcome | None = None
    refusal: str = ""
    mistake: str = ""
    details: str = ""
    duration_s: float = 0.0
    compiled: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    fraction: float
    note: str


@dataclass(frozen=True)
class Farewell:
    """The last word: packages that had to be imported, and bytes that the questions left behind, by name."""

    packages: list[str]
    left: Mapping[str, bytes]
