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
MOST_LINE_POINTS = 1500


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
class Subject:
    """A sample in a view, with those of its process factors that the view asked for, as far as known."""

    code: str
    notation: str
    factors: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """A value that stands for a sample; `subject` is its place in View.subjects, sigma NaN where unknown."""

    subject: int
    property: str
    component: str
    value: float
    sigma: float
    origin: str
    comparator: str = "="
    source: str = ""


@dataclass(frozen=True)
class Line:
    """A curve of a sample: measured (`name` is "data"), or what a run made of it, under the run's own name.

    x, y : float64 of equal length, at most MOST_LINE_POINTS of them
    conditions : those of the measurement, as numbers or words in the units of measurements.vocabulary
    series : the coordinate of this curve where it is one of a series (a time, a temperature), else NaN
    """

    subject: int
    measurement: int
    name: str
    x: Numbers
    y: Numbers
    x_is: Quantity
    y_is: Quantity
    origin: str = "measured"
    conditions: Mapping[str, float | str] = field(default_factory=dict)
    series: float = float("nan")
    series_is: Quantity | None = None


@dataclass(frozen=True)
class Curves:
    """Which curves a view asks for: those of the newest current run of `method` that are named, or with
    "data" the measured ones. Without a method the data of every measurement of the technique."""

    technique: str
    method: str = ""
    names: tuple[str, ...] = ("data",)


@dataclass(frozen=True)
class Option:
    """A choice under a view: `?name=key`; the first of `choices`, (key, words), is what it shows unasked."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class View:
    """What a view asked for and may see, of one project or of all that the person sees.

    quantities : "property" or "property:component" and factor keys → how they are called
    missing : what was left out and why, in sentences
    """

    subjects: Sequence[Subject]
    readings: Sequence[Reading]
    lines: Sequence[Line]
    quantities: Mapping[str, Quantity]
    missing: Sequence[str] = ()

    def values(self, wanted: str) -> list[Reading]:
        """Of "property" or "property:component"."""
        key, _, component = wanted.partition(":")
        return [r for r in self.readings if (r.property, r.component) == (key, component)]

    def curves(self, name: str = "data") -> list[Line]:
        return [line for line in self.lines if line.name == name]


@dataclass(frozen=True)
class Repeated:
    """Numbers of a column that travel once: each of `values` stands `each` times, all of that `times` over.
    drawn : where the figure's first trace holds the same numbers anyway, its key, and they do not travel."""

    values: Numbers
    each: int = 1
    times: int = 1
    drawn: str = ""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Numbers:
        return np.tile(np.repeat(self.values, self.each), self.times).astype(dtype or np.float64)

    def __len__(self) -> int:
        return self.values.size * self.each * self.times


@dataclass(frozen=True)
class Column:
    """One column of the table behind a figure; `values` float64 or words."""

    name: str
    values: Numbers | Repeated | Sequence[str]
    unit: str = ""


@dataclass(frozen=True)
class Drawn:
    """Traces whose points stand in no table: in the CSV each has two columns of its own.

    y : headings by the `meta` of the traces, with their unit; x : that of all
    """

    x: str
    y: Mapping[str, str]


@dataclass(frozen=True)
class Drawing:
    """What travels to the browser.

    table : exactly what is drawn; it becomes the CSV and the table behind the key
    curves : what is drawn besides, for the CSV alone
    summary : the figure in sentences, for whoever cannot see it
    notes : what is missing or simplified, and why
    empty : the sentence shown instead of a figure when there is nothing to draw
    """

    data: list[dict[str, Any]] = field(default_factory=list)
    layout: dict[str, Any] = field(default_factory=dict)
    table: Sequence[Column] = ()
    curves: Drawn | None = None
    summary: str = ""
    notes: Sequence[str] = ()
    empty: str = ""
    filename: str = "figure"


@dataclass(frozen=True)
class Figure:
    """What a figure file declares. `key` is the module's name, filled in by the registry.

    takes : the kind of data it draws, "points", "spectrum", "map" or "view"; Explore offers every figure
        that takes points, Dashboards every one that takes a view
    reads, factors, curves : what a view asks for: properties ("plqy", "pl_peak_center:I"), process
        factors, and curves
    options : choices under the figure of a view
    theme : under which heading of Dashboards a view stands; without one, under that of its technique
    height_px : of a view
    needs : what to do when there is nothing to draw, a sentence
    """

    title: str
    takes: str
    order: int = 0
    help: str = ""
    key: str = ""
    reads: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    curves: tuple[Curves, ...] = ()
    options: tuple[Option, ...] = ()
    theme: str = ""
    height_px: int = 420
    needs: str = ""


@dataclass(frozen=True)
class LoadedFigure:
    """A figure file. `draw` takes the kind of data it declares, hence Any, and options from the address."""

    key: str
    figure: Figure
    draw: Callable[[Any, Mapping[str, str]], Drawing]
