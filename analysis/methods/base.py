"""The words every method speaks: what it accepts, what it yields, and how it says no.

Pure floor. Nothing heavier than NumPy is imported here, so the web process can list methods for nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from measurements.data import Array, Dataset

__all__ = [
    "CALIBRATIONS",
    "Array",
    "ContractError",
    "Curve",
    "Dataset",
    "LoadedMethod",
    "Method",
    "MethodError",
    "Outcome",
    "ParamsError",
    "Property",
    "Result",
    "Role",
    "ValueRow",
    "param",
    "progress",
    "report_to",
]


class MethodError(Exception):
    """No credible result, in a sentence for the person who can act on it."""


class ParamsError(Exception):
    """A parameter that the method cannot use; `field` names it, `message` is a sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class ContractError(Exception):
    """A method file that breaks the contract, in a sentence for its author."""


LONG_ABOVE_S = 20
CALIBRATIONS = (
    "blank", "dark", "irf", "sphere", "spectral", "xrd_profile", "q_scale", "temperature", "energy",
)  # fmt: skip


@dataclass(frozen=True)
class Property:
    """Something a sample has and people plot. Declared where it is produced.

    key : words, no unit: `pl_peak_center`
    unit : as printed, "1" for a pure number
    components : labels a value may carry; empty means the property has none. Include "" to allow both
    html : symbol for axes and tables, such as "T<sub>g</sub>"
    as_percent : stored as a fraction, shown in %
    preferred : the declaring method is the one whose value a dashboard shows
    """

    key: str
    label: str
    unit: str
    higher_is_better: bool | None = None
    components: tuple[str, ...] = ()
    html: str = ""
    as_percent: bool = False
    preferred: bool = True
    help: str = ""


@dataclass(frozen=True)
class Role:
    """One input: which datasets may fill it. A person may name another measurement for it; else it is filled
    by the dataset of the measurement's own file that was given this role, the first role also by any other
    dataset that fits. A method runs by itself when all its required roles are filled so.

    axes : kinds of the axes it must have, in their order, such as ("time", "wavelength"); empty: any
    told : their units must say so; else an axis without a unit may be what is wanted
    conditions : those of measurements.vocabulary that the dataset must state
    calibration : a kind of CALIBRATIONS; the role is then filled by the calibration of the measurement's
        instrument that was valid when it was measured, where neither a person nor a file fills it
    """

    key: str = "sample"
    techniques: tuple[str, ...] = ()
    help: str = ""
    required: bool = True
    calibration: str = ""
    axes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    told: bool = False


@dataclass(frozen=True)
class ValueRow:
    """One value among those that a method over values reads: a number of one sample, measured here or entered
    by hand.

    sigma : None where its source gives none
    measured_at : None where nobody recorded it, and for values entered by hand
    method : the key of the method that found it; empty for what was entered
    recipe : the same for samples made by the same recipe; empty without one
    factors : those that the method declares, as far as they are known
    """

    sample: str
    property: str
    value: float
    sigma: float | None = None
    component: str = ""
    origin: str = "measured"
    method: str = ""
    measured_at: datetime | None = None
    recipe: str = ""
    factors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """What a method declares. `key` is the module's name, filled in by the registry.

    version : bump whenever a number may change
    over : what it is given: the datasets of a "measurement", or the values of a "sample" or of a "project"
    accepts : its datasets; empty for a method over values
    reads : the properties of the values it is given; empty for a method over datasets
    needs : those of `reads` without which it is not asked; empty: one of them will do
    at_least : how many values of each of these there must be before it is asked
    repeats : how many of them, of one component, one sample must have
    factors : the process factors of the samples that it looks at
    on_upload : whether every upload that fits is asked; no for what ordinary data must refuse: a person then
        asks for it where the data are made for it
    time_limit_s : for one run. Up to LONG_ABOVE_S it is a fast one and travels in batches; above, it has a
        process and a queue of its own
    """

    title: str
    version: int
    properties: tuple[Property, ...]
    reference: str
    accepts: tuple[Role, ...] = ()
    over: str = "measurement"
    reads: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    at_least: int = 2
    repeats: int = 1
    factors: tuple[str, ...] = ()
    description: str = ""
    equation: str = ""
    on_upload: bool = True
    time_limit_s: int = 20
    key: str = ""

    def property(self, key: str) -> Property:
        for declared in self.properties:
            if declared.key == key:
                return declared
        raise KeyError(f"{self.key} does not declare the property “{key}”.")


@dataclass(frozen=True)
class Result:
    """One value with one sigma; its unit is that of the property."""

    property: str
    value: float
    sigma: float
    component: str = ""


@dataclass(frozen=True)
class Curve:
    """A named line to draw beside the data; x and y of equal length."""

    name: str
    x: Array
    y: Array
    x_name: str = ""
    x_unit: str = ""
    y_name: str = ""
    y_unit: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a run found. `notes` are diagnostics (R², BIC, why this model), never plotted properties."""

    values: tuple[Result, ...]
    curves: tuple[Curve, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadedMethod:
    """A method file that kept the contract.

    `Params` is Any because every method brings its own frozen dataclass; so is what `run` is given, which is
    datasets by role or a sequence of ValueRow.

    run_many : several inputs with the same parameters at once, the same answers in the same order as `run`
        would give one by one; None for a method that has nothing to gain from it
    """

    key: str
    method: Method
    Params: type[Any]
    run: Callable[[Any, Any], Outcome]
    run_many: Callable[[Sequence[Any], Any], Sequence[Outcome | MethodError]] | None = None

    @property
    def over_values(self) -> bool:
        return self.method.over != "measurement"

    @property
    def is_long(self) -> bool:
        return self.method.time_limit_s > LONG_ABOVE_S


def param(
    default: Any,
    *,
    unit: str = "",
    min: float | None = None,
    max: float | None = None,
    choices: Sequence[str] = (),
    help: str = "",
) -> Any:
    """A field of `Params`: the form, the API schema and the docs all come from this one line.

    Returns Any so that `width_nm: float = param(5.0)` satisfies the type checker.
    """
    metadata = {"unit": unit, "minimum": min, "maximum": max, "choices": tuple(choices), "help": help}
    return dataclasses.field(default=default, metadata=metadata)


Reporter = Callable[[float, str], None]
_reporter: ContextVar[Reporter | None] = ContextVar("reporter", default=None)


def progress(fraction: float, note: str = "") -> None:
    """Tell who waits how far a long computation is, 0 to 1. Call it as often as you like."""
    if (reporter := _reporter.get()) is not None:
        reporter(min(max(float(fraction), 0.0), 1.0), note)


@contextmanager
def report_to(reporter: Reporter) -> Iterator[None]:
    """What a method says with `progress` goes here while the block lasts."""
    token = _reporter.set(reporter)
    try:
        yield
    finally:
        _reporter.reset(token)
