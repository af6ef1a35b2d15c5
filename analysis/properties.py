"""Everything a value can be about: what the methods declare, and what people publish or enter by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from analysis import methods
from analysis.methods._awaited import AWAITED
from analysis.methods.base import Property

__all__ = ["Property", "all", "get", "methods_yielding", "preferred_method"]


def all() -> Mapping[str, Property]:  # read as `properties.all()`
    """Every property by key; components are the union over the methods that yield it."""
    return _collected()


def get(key: str) -> Property:
    if key not in _collected():
        raise KeyError(f"There is no property “{key}”; only what a method declares can be stored.")
    return _collected()[key]


def preferred_method(key: str) -> str | None:
    """The method whose value a dashboard shows for this property; None while no method yields it."""
    return next(iter(methods_yielding(key)), None)


def methods_yielding(key: str) -> list[str]:
    """The preferred one first; another speaks for a sample for which those before it have nothing to say."""
    yielding = sorted(
        (not declared.preferred, loaded.key)
        for loaded in methods.registry().values()
        for declared in loaded.method.properties
        if declared.key == key
    )
    return [method for _, method in yielding]


@cache
def _collected() -> Mapping[str, Property]:
    collected: dict[str, Property] = {}
    for loaded in methods.registry().values():
        for declared in loaded.method.properties:
            collected[declared.key] = _merged(declared, collected.get(declared.key))
    for awaited in AWAITED:
        collected[awaited.key] = _merged(collected.get(awaited.key, awaited), awaited)
    return MappingProxyType(collected)


def _merged(first: Property, second: Property | None) -> Property:
    if second is None:
        return first
    main, other = (first, second) if first.preferred or not second.preferred else (second, first)
    ours, theirs = main.components or ("",), other.components or ("",)
    components = tuple(dict.fromkeys(ours + theirs))
    return replace(main, components=() if components == ("",) else components)
