"""What a method file must keep, checked when it is found and again on everything it returns."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from analysis.methods import _params
from analysis.methods._axes import KINDS
from analysis.methods.base import (
    CALIBRATIONS,
    ContractError,
    Curve,
    LoadedMethod,
    Method,
    MethodError,
    Outcome,
    Property,
    Result,
    Role,
)
from measurements.vocabulary import CONDITIONS

WORDS = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
UNIT_WORDS = set(
    """nm um mm cm cm1 m pm a angstrom ev mev kev j kj mj c k degc celsius kelvin s ms us ns ps h d min
    ug mg g kg percent pct ppm wt counts cps hz mhz pa kpa mpa v mv w mw deg rad""".split()  # noqa: SIM905
)
FACTORS = {
    "loading_mass_fraction", "loading_mole_fraction", "loading_volume_fraction", "milling_duration_min",
    "milling_speed_rpm", "ball_to_powder_ratio", "sintering_temperature_c", "sintering_ramp_c_per_min",
    "sintering_hold_min", "quench_rate_c_per_min",
}  # fmt: skip
CELL_EDGES = {"lattice_a", "lattice_b", "lattice_c"}  # letters of crystallography, not ampere and °C


def load(module: ModuleType) -> LoadedMethod:
    """The method in a module, or ContractError saying what the author must repair."""
    key = module.__name__.rpartition(".")[2]
    try:
        return _load(key, module)
    except ContractError as error:
        raise ContractError(f"{key}.py: {error}") from None


def _load(key: str, module: ModuleType) -> LoadedMethod:
    method = getattr(module, "METHOD", None)
    if not isinstance(method, Method):
        raise ContractError("METHOD is missing or is not a Method; declare METHOD = Method(…).")
    params = getattr(module, "Params", None)
    if not (isinstance(params, type) and dataclasses.is_dataclass(params)):
        raise ContractError(
            "Params is missing or is not a dataclass; declare an empty one if there are none."
        )
    if not getattr(params, "__dataclass_params__").frozen:  # noqa: B009
        raise ContractError("Params must be frozen: @dataclass(frozen=True).")
    run = getattr(module, "run", None)
    if not callable(run):
        raise ContractError("run(datasets, params) is missing.")
    run_many = getattr(module, "run_many", None)
    if run_many is not None and not callable(run_many):
        raise ContractError("run_many is not a function; declare run_many(inputs, params) or leave it out.")
    _check_method(method)
    loaded = LoadedMethod(key, dataclasses.replace(method, key=key), params, run, run_many)
    _check_defaults(loaded)
    return loaded


def _check_method(method: Method) -> None:
    for name in ("title", "reference"):
        if not isinstance(getattr(method, name), str) or not getattr(method, name).strip():
            raise ContractError(f"METHOD.{name} is empty.")
    if type(method.version) is not int or method.version < 1:
        raise ContractError(f"METHOD.version is a whole number from 1, not {method.version!r}.")
    if type(method.time_limit_s) is not int or method.time_limit_s < 1:
        raise ContractError(f"METHOD.time_limit_s is a whole number from 1, not {method.time_limit_s!r}.")
    if type(method.on_upload) is not bool:
        raise ContractError(f"METHOD.on_upload is True or False, not {method.on_upload!r}.")
    _check_tuple("properties", method.properties, Property)
    _check_unique("property", [declared.key for declared in method.properties])
    for declared in method.properties:
        check_property(declared)
    if method.over == "measurement":
        _check_roles(method)
    else:
        _check_reads(method)


def _check_roles(method: Method) -> None:
    if method.reads or method.needs or method.factors:
        raise ContractError('reads, needs and factors belong to a method over="sample" or over="project".')
    _check_tuple("accepts", method.accepts, Role)
    _check_unique("role", [role.key for role in method.accepts])
    for role in method.accepts:
        if not role.techniques or not all(WORDS.fullmatch(name) for name in role.techniques):
            raise ContractError(f"the role “{role.key}” must name its techniques in lower-case words.")
        if role.calibration and role.calibration not in CALIBRATIONS:
            known = ", ".join(CALIBRATIONS)
            raise ContractError(f"there is no calibration “{role.calibration}”; the kinds are {known}.")
        if unknown := set(role.axes) - KINDS:
            raise ContractError(f"there is no kind of axis “{min(unknown)}”; the kinds are {_words(KINDS)}.")
        if unknown := set(role.conditions) - set(CONDITIONS):
            raise ContractError(f"measurements.vocabulary knows no condition “{min(unknown)}”.")
    if method.accepts[0].calibration:
        raise ContractError("the first role is what is analysed, so it cannot be a calibration.")


def _check_reads(method: Method) -> None:
    if method.over not in ("sample", "project"):
        raise ContractError(f"METHOD.over is measurement, sample or project, not {method.over!r}.")
    if method.accepts:
        raise ContractError(f"a method over values of a {method.over} reads no datasets; leave out accepts.")
    _check_tuple("reads", method.reads, str)
    _check_unique("property it reads", list(method.reads))
    if not set(method.needs) <= set(method.reads):
        raise ContractError("METHOD.needs names properties that METHOD.reads does not.")
    if unknown := set(method.factors) - FACTORS:
        raise ContractError(f"there is no process factor “{min(unknown)}”; there are {_words(FACTORS)}.")
    for name in ("at_least", "repeats"):
        if type(getattr(method, name)) is not int or getattr(method, name) < 1:
            raise ContractError(f"METHOD.{name} is a whole number from 1, not {getattr(method, name)!r}.")


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _check_tuple(name: str, items: Any, kind: type) -> None:
    if not isinstance(items, tuple) or not items or not all(isinstance(item, kind) for item in items):
        raise ContractError(f"METHOD.{name} is a non-empty tuple of {kind.__name__}, not {items!r}.")


def _check_unique(what: str, keys: list[str]) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise ContractError(f"the {what} “{key}” is declared twice.")


def check_property(declared: Property) -> None:
    key = declared.key
    if not isinstance(key, str) or not WORDS.fullmatch(key):
        raise ContractError(f"the property key “{key}” must be lower-case words joined by underscores.")
    *words, last = key.split("_")
    if words and last in UNIT_WORDS and key not in CELL_EDGES:
        raise ContractError(f"the property key “{key}” ends in a unit; put “{last}” into unit= instead.")
    if not isinstance(declared.label, str) or not declared.label.strip():
        raise ContractError(f"the property “{key}” has no label.")
    if not isinstance(declared.unit, str) or not declared.unit.strip():
        raise ContractError(f"the property “{key}” has no unit; a pure number has the unit “1”.")
    if declared.as_percent and declared.unit != "1":
        raise ContractError(f"the property “{key}” is shown in %, so it is stored as a fraction of unit “1”.")
    if not isinstance(declared.components, tuple) or not all(isinstance(c, str) for c in declared.components):
        raise ContractError(f"the components of “{key}” are a tuple of labels, not {declared.components!r}.")


def _check_defaults(loaded: LoadedMethod) -> None:
    for entry in _params.schema_of(loaded.Params):
        if entry["default"] is dataclasses.MISSING:
            raise ContractError(f"the parameter “{entry['name']}” has no default.")
        if not entry["help"].strip():
            raise ContractError(f"the parameter “{entry['name']}” has no help.")
    try:
        _params.parse_params(loaded, {})
    except _params.ParamsError as error:
        raise ContractError(
            f"the default of “{error.field}” breaks its own limits: {error.message}"
        ) from None


def check_together(
    candidate: LoadedMethod, accepted: Iterable[LoadedMethod], awaited: Mapping[str, Property]
) -> None:
    """One key means one thing everywhere: the same unit, and one preferred method."""
    for declared in candidate.method.properties:
        known = awaited.get(declared.key)
        if known is not None and known.unit != declared.unit:
            raise ContractError(
                f"{candidate.key}.py: “{declared.key}” is in {known.unit} elsewhere, here in {declared.unit}."
            )
        for other in accepted:
            for theirs in other.method.properties:
                if theirs.key != declared.key:
                    continue
                if theirs.unit != declared.unit:
                    raise ContractError(
                        f"{candidate.key}.py: “{declared.key}” is in {theirs.unit} in {other.key}, "
                        f"here in {declared.unit}."
                    )
                if theirs.preferred and declared.preferred:
                    raise ContractError(
                        f"{candidate.key}.py: {other.key} is already preferred for “{declared.key}”; "
                        "set preferred=False in one of them."
                    )


def check_reads(accepted: Mapping[str, LoadedMethod], known: Iterable[str]) -> None:
    """What methods over values read must exist, and none may live, over whatever detour, on what it yields:
    every answer would ask the question anew.

    known : properties that no method yields but that people enter
    """
    yields = {key: {p.key for p in loaded.method.properties} for key, loaded in accepted.items()}
    existing = set(known).union(*yields.values())
    for key, loaded in accepted.items():
        if missing := set(loaded.method.reads) - existing:
            raise BrokenMethodError(key, f"nothing yields “{min(missing)}”, which it reads.")
    rests_on = {
        key: {other for other, theirs in yields.items() if theirs & set(loaded.method.reads)}
        for key, loaded in accepted.items()
    }
    for key in sorted(rests_on):
        if path := _way_back(key, rests_on):
            raise BrokenMethodError(key, f"it would live on its own results: {' ← '.join(path)}.")


class BrokenMethodError(ContractError):
    """A ContractError that says which of several methods is to be left out."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}.py: {message}")
        self.key = key


def _way_back(start: str, rests_on: Mapping[str, set[str]]) -> list[str]:
    """From a method along what it rests on back to itself; empty when there is no such way."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for following in sorted(rests_on[way[-1]]):
            if following == start:
                return [*way, start]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return []


def check_outcome(loaded: LoadedMethod, outcome: Any) -> Outcome:
    """The outcome itself when every number in it may be stored; MethodError otherwise.

    `outcome` is Any because it comes from a plug-in and is believed only after this.
    """
    if not isinstance(outcome, Outcome):
        raise MethodError(f"{loaded.key} returned {type(outcome).__name__} instead of an Outcome.")
    if not outcome.values:
        raise MethodError(f"{loaded.key} returned no values and no reason.")
    seen = set()
    for result in outcome.values:
        _check_result(loaded, result)
        if (result.property, result.component) in seen:
            raise MethodError(f"{loaded.key} returned {_name(result)} twice.")
        seen.add((result.property, result.component))
    for curve in outcome.curves:
        _check_curve(loaded, curve)
    for note, value in outcome.notes.items():
        if not isinstance(value, str) and not math.isfinite(value):
            raise MethodError(
                f"{loaded.key} returned the note “{note}” as {value}, which is not a finite number."
            )
    if not all(isinstance(warning, str) for warning in outcome.warnings):
        raise MethodError(f"{loaded.key} returned a warning that is not a sentence.")
    return outcome


def _check_result(loaded: LoadedMethod, result: Any) -> None:
    if not isinstance(result, Result):
        raise MethodError(f"{loaded.key} returned {result!r} among its values; expected Result(…).")
    try:
        declared = loaded.method.property(result.property)
    except KeyError:
        raise MethodError(f"{loaded.key} returned “{result.property}”, which it does not declare.") from None
    if result.component not in (declared.components or ("",)):
        raise MethodError(f"{loaded.key} returned {_name(result)}; the component is not declared.")
    for name in ("value", "sigma"):
        number = getattr(result, name)
        if isinstance(number, bool) or not isinstance(number, (float, int)) or not math.isfinite(number):
            raise MethodError(f"{loaded.key} found no finite {name} for {_name(result)}: {number}.")
    if result.sigma < 0:
        raise MethodError(f"{loaded.key} found a negative sigma for {_name(result)}: {result.sigma}.")


def _check_curve(loaded: LoadedMethod, curve: Any) -> None:
    if not isinstance(curve, Curve) or np.ndim(curve.x) != 1 or np.shape(curve.x) != np.shape(curve.y):
        raise MethodError(f"{loaded.key} returned a curve whose x and y do not match.")
    if not np.all(np.isfinite(curve.x)) or not np.all(np.isfinite(curve.y)):
        raise MethodError(f"{loaded.key} returned the curve “{curve.name}” with points that are not finite.")


def _name(result: Result) -> str:
    return f"“{result.property}” {result.component}".rstrip()
