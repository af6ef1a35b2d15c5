"""Figures: one file in this folder is one figure. Nothing else is edited to add one.

A figure file declares `FIGURE = Figure(…)` and `draw(data, options) -> Drawing`. Names that start with an
underscore are what figures share.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from frontend.figures._arrays import typed
from frontend.figures.base import (
    Column,
    Curves,
    Drawing,
    Drawn,
    Figure,
    Line,
    LoadedFigure,
    Map,
    Option,
    Points,
    Quantity,
    Reading,
    Repeated,
    Spectrum,
    Subject,
    Trace,
    View,
)

__all__ = [
    "Column",
    "Curves",
    "Drawing",
    "Drawn",
    "Figure",
    "Line",
    "LoadedFigure",
    "Map",
    "Option",
    "Points",
    "Quantity",
    "Reading",
    "Repeated",
    "Spectrum",
    "Subject",
    "Trace",
    "View",
    "get",
    "registry",
    "taking",
    "typed",
]


@cache
def registry() -> Mapping[str, LoadedFigure]:
    found = {}
    for entry in pkgutil.iter_modules(__path__):
        if entry.name == "base" or entry.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{entry.name}")
        figure = replace(module.FIGURE, key=entry.name)
        found[entry.name] = LoadedFigure(entry.name, figure, module.draw)
    return MappingProxyType(found)


def get(key: str) -> LoadedFigure:
    if key not in registry():
        raise KeyError(f"There is no figure “{key}”; known are: {', '.join(registry())}.")
    return registry()[key]


def taking(kind: str) -> list[LoadedFigure]:
    """Figures that draw this kind of data, in the order in which they are offered."""
    fitting = [loaded for loaded in registry().values() if loaded.figure.takes == kind]
    return sorted(fitting, key=lambda loaded: (loaded.figure.order, loaded.key))
