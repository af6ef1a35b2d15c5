"""Parameters of a method: from what a person or a program sent to a checked, frozen `Params`."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from analysis.methods.base import ContractError, LoadedMethod, ParamsError

TYPE_NAMES: dict[type, str] = {float: "number", int: "integer", bool: "boolean", str: "string"}
YES, NO = {"true", "on", "yes", "1"}, {"false", "off", "no", "0"}


def params_schema(loaded: LoadedMethod) -> list[dict[str, Any]]:
    """One entry a parameter: name, type, nullable, default, unit, minimum, maximum, choices, help.

    Drives the form, the API schema and the docs.
    """
    return schema_of(loaded.Params)


def parse_params(loaded: LoadedMethod, mapping: Mapping[str, Any]) -> Any:
    """`Params` from JSON or from a form. Texts are converted; an empty text means "not given".

    Raises ParamsError naming the field.
    """
    entries = {entry["name"]: entry for entry in params_schema(loaded)}
    for name in mapping:
        if name not in entries:
            known = ", ".join(entries) or "none"
            raise ParamsError(str(name), f"“{name}” is not a parameter of {loaded.key}; it knows: {known}.")
    return loaded.Params(**{name: _checked(entry, mapping) for name, entry in entries.items()})


def canonical_params(loaded: LoadedMethod, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter with its value, defaults filled in: the same run always has the same dictionary."""
    return dataclasses.asdict(parse_params(loaded, mapping))


def schema_of(params: type[Any]) -> list[dict[str, Any]]:
    hints = _hints(params)  # type: ignore[arg-type]  # classes are hashable, whatever they hold
    entries = []
    for field in dataclasses.fields(params):
        kind, nullable = _kind(hints[field.name])
        if kind is None:
            raise ContractError(
                f"the parameter “{field.name}” is of type {hints[field.name]}; use float, int, bool or str, "
                "with “| None” when it may be left out."
            )
        if "help" not in field.metadata:
            raise ContractError(f"the parameter “{field.name}” must be made with param(default, …, help=…).")
        meta = field.metadata
        entries.append(
            {
                "name": field.name,
                "type": TYPE_NAMES[kind],
                "nullable": nullable,
                "default": field.default,
                "unit": meta["unit"],
                "minimum": meta["minimum"],
                "maximum": meta["maximum"],
                "choices": list(meta["choices"]),
                "help": meta["help"],
            }
        )
    return entries


@cache
def _hints(params: type[Any]) -> dict[str, Any]:
    """Kept, for whoever asks for ten thousand runs settles ten thousand sets of parameters."""
    return typing.get_type_hints(params)


def _kind(hint: Any) -> tuple[type | None, bool]:
    """The plain type behind `float` or `float | None`, and whether None is allowed."""
    if hint in TYPE_NAMES:
        return hint, False
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        if len(kinds) == 1 and len(typing.get_args(hint)) == 2 and kinds[0] in TYPE_NAMES:
            return kinds[0], True
    return None, False


def _checked(entry: dict[str, Any], mapping: Mapping[str, Any]) -> Any:
    name = entry["name"]
    raw = mapping.get(name, entry["default"])
    if isinstance(raw, str) and raw.strip() == "" and "" not in entry["choices"]:
        raw = None if entry["nullable"] else entry["default"]
    if raw is None:
        if entry["nullable"]:
            return None
        raise ParamsError(name, f"{name} needs a value; the default is {entry['default']}.")
    value = _converted(name, entry["type"], raw)
    _check_limits(entry, value)
    return value


def _converted(name: str, type_name: str, raw: Any) -> Any:
    match type_name:
        case "boolean":
            if isinstance(raw, bool):
                return raw
            if isinstance(raw, str) and raw.strip().lower() in YES | NO:
                return raw.strip().lower() in YES
            raise ParamsError(name, f"{name} is yes or no, not “{raw}”.")
        case "string":
            if isinstance(raw, str):
                return raw
            raise ParamsError(name, f"{name} is a word, not {raw!r}.")
        case "integer":
            number = _number(name, raw)
            if number != int(number):
                raise ParamsError(name, f"{name} is a whole number, not {raw}.")
            return int(number)
        case _:
            return _number(name, raw)


def _number(name: str, raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ParamsError(name, f"{name} is a number, not {raw!r}.")
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        raise ParamsError(name, f"{name} is a number such as 12.5, not “{raw}”.") from None
    if not math.isfinite(number):
        raise ParamsError(name, f"{name} must be a finite number, not {raw}.")
    return number + 0.0  # −0.0 and 0.0 are one run, not two


def _check_limits(entry: dict[str, Any], value: Any) -> None:
    name, unit = entry["name"], f" {entry['unit']}" if entry["unit"] else ""
    if entry["choices"] and value not in entry["choices"]:
        raise ParamsError(name, f"{name} is one of {', '.join(entry['choices'])}; not “{value}”.")
    if entry["minimum"] is not None and value < entry["minimum"]:
        raise ParamsError(name, f"{name} is at least {entry['minimum']:g}{unit}; {value:g} is too small.")
    if entry["maximum"] is not None and value > entry["maximum"]:
        raise ParamsError(name, f"{name} is at most {entry['maximum']:g}{unit}; {value:g} is too large.")
