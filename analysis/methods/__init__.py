"""Methods: one file in this folder is one method. Nothing else is edited to add one.

`registry()` finds the files, refuses those that break the contract, and says why in `refusals()`:
one bad file must not take the laboratory's other methods down with it.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from analysis.methods._awaited import AWAITED
from analysis.methods._contract import BrokenMethodError, check_outcome, check_reads, check_together, load
from analysis.methods._params import canonical_params, params_schema, parse_params
from analysis.methods.base import (
    CALIBRATIONS,
    Array,
    ContractError,
    Curve,
    Dataset,
    LoadedMethod,
    Method,
    MethodError,
    Outcome,
    ParamsError,
    Property,
    Result,
    Role,
    ValueRow,
    param,
    progress,
    report_to,
)

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
    "canonical_params",
    "check_outcome",
    "discover",
    "for_technique",
    "get",
    "load",
    "over_values",
    "param",
    "params_schema",
    "parse_params",
    "progress",
    "refusals",
    "registry",
    "report_to",
]

log = logging.getLogger(__name__)


def registry() -> Mapping[str, LoadedMethod]:
    """Every method that keeps the contract, by key, in alphabetical order."""
    return _found()[0]


def refusals() -> Mapping[str, str]:
    """Files of this folder that were refused, with the sentence for their author."""
    return _found()[1]


def get(key: str) -> LoadedMethod:
    methods = registry()
    if key not in methods:
        why = refusals().get(key)
        raise KeyError(why or f"There is no method “{key}”; known are: {', '.join(methods)}.")
    return methods[key]


def for_technique(technique: str) -> list[LoadedMethod]:
    """Methods whose first role takes this technique. Whether its datasets fit is asked of the role."""
    return [
        m for m in registry().values() if m.method.accepts and technique in m.method.accepts[0].techniques
    ]


def over_values(over: str | None = None) -> list[LoadedMethod]:
    """Methods whose inputs are values: of a "sample", of a "project", or both kinds."""
    return [m for m in registry().values() if m.over_values and over in (None, m.method.over)]


def discover(module_names: Iterable[str]) -> tuple[dict[str, LoadedMethod], dict[str, str]]:
    """Methods and refusals among importable module names."""
    awaited = {declared.key: declared for declared in AWAITED}
    methods: dict[str, LoadedMethod] = {}
    refused: dict[str, str] = {}
    for name in sorted(module_names):
        key = name.rpartition(".")[2]
        try:
            candidate = load(importlib.import_module(name))
            check_together(candidate, methods.values(), awaited)
        except ContractError as error:
            refused[key] = str(error)
        except (ImportError, SyntaxError) as error:
            refused[key] = f"{key}.py cannot be imported: {error}."
        else:
            methods[key] = candidate
    _without_loops(methods, refused, awaited)
    return methods, refused


def _without_loops(methods: dict[str, LoadedMethod], refused: dict[str, str], known: Iterable[str]) -> None:
    """One method after the other is left out, until all read only what exists, and none its own results."""
    while True:
        try:
            check_reads(methods, known)
        except BrokenMethodError as error:
            refused[error.key] = str(error)
            del methods[error.key]
        else:
            return


@cache
def _found() -> tuple[Mapping[str, LoadedMethod], Mapping[str, str]]:
    names = [
        f"{__name__}.{entry.name}"
        for entry in pkgutil.iter_modules(__path__)
        if entry.name != "base" and not entry.name.startswith("_")
    ]
    methods, refused = discover(names)
    for sentence in refused.values():
        log.error("Method refused. %s", sentence)
    return MappingProxyType(methods), MappingProxyType(refused)
