"""The words every figure speaks: what it takes, and what it gives back.

Pure floor: NumPy only. A figure never asks the database and never sees a request; it gets numbers and returns
plain dictionaries, in which a colour such as `var(--accent)` is looked up in the page's stylesheet when it is
drawn, so that one figure serves the light theme, the dark one and paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frontend.formatting import unit_text

Numbers = NDArray[np.float64]
Words = NDArray[np.object_]


@dataclass(frozen=True)
class Quantity:
    """What an axis shows. `label` may hold <sub>; unit "1" is a pure number, `as_percent` shows it in %."""

    key: str
    label: str
    unit: str = "1"
    as_percent: bool = False

    @property
    def shown_unit(self) -> str:
        return "%" if self.as_percent else unit_text(self.unit)

    @property
    def title(self) -> str:
        unit = self.shown_unit
        return f"{self.label} ({unit})" if unit and unit != self.label.lower() else self.label

    @property
    def factor(self) -> float:
        return 100.0 if self.as_percent else 1.0


@dataclass(frozen=True)
class Points:
    """Values against factors, one row a point; all arrays of one length.

    x, color : float64, or words for a factor such as the quench medium; unknown is NaN or ""
    y, sigma : float64 in the unit of `y_is`; sigma NaN where the source gives none
    comparator : "=", "~", "<", "<=", ">" or ">="
    """

    x: Numbers | Words
    y: Numbers
    sigma: Numbers
    color: Numbers | Words | None
    code: Sequence[str]
    notation: Sequence[str]
    origin: Sequence[str]
    comparator: Sequence[str]
    source: Sequence[str]
    x_is: Quantity
    y_is: Quantity
    color_is: Quantity | None


@dataclass(frozen=True)
class Trace:
    """A line of a measurement or of its run; x and y of equal length, `errors` one sigma."""

    name: str
    x: Numbers
    y: Numbers
    role: str = "data"  # data, fit, component, residual
    errors: Numbers | None = None


@dataclass(frozen=True)
class Spectrum:
    """A measured curve with what a run made of it; `of_points`: how many there are if these are fewer."""

    x_is: Quantity
    y_is: Quantity
    traces: Sequence[Trace]
    of_points: int = 0


@dataclass(frozen=True)
class Map:
    """A signal over two axes; z is (y, x), NaN where there is nothing."""

    x_is: Quantity
    y_is: Quantity
    z_is: Quantity
    x: Numbers
    y: Numbers
    z: Numbers
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Column:
    """One column of the table behind a figure; `values` float64 or words."""

    name: str
    values: Numbers | Sequence[str]
    unit: str = ""


@dataclass(frozen=True)
class Drawing:
    """What travels to the browser.

    table : exactly what is drawn; it becomes the CSV and the table behind the key
    summary : the figure in sentences, for whoever cannot see it
    notes : what is missing or simplified, and why
    empty : the sentence shown instead of a figure when there is nothing to draw
    """

    data: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)
    table: Sequence[Column] = ()
    summary: str = ""
    notes: Sequence[str] = ()
    empty: str = ""
    filename: str = "figure"


@dataclass(frozen=True)
class Figure:
    """What a figure file declares. `key` is the module's name, filled in by the registry.

    takes : the kind of data it draws, "points", "spectrum" or "map"; Explore offers
        every figure that takes points
    """

    title: str
    takes: str
    order: int = 0
    help: str = ""
    key: str = ""


@dataclass(frozen=True)
class LoadedFigure:
    """A figure file. `draw` takes the kind of data it declares, hence Any, and options from the address."""

    key: str
    figure: Figure
    draw: Callable[[Any, Mapping[str, str]], Drawing]
