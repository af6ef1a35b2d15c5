"""What the figures of points share: positions, hover texts, the table behind the figure."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from frontend.figures._template import ORIGINS, axis
from frontend.figures.base import Column, Numbers, Points, Quantity, Words
from frontend.formatting import COMPARATORS, MARKS, ORIGIN_WORDS, number, quantity
from samples.notation import to_html


@dataclass(frozen=True)
class Positions:
    """Where points stand on an axis; words stand at 0, 1, 2, … under their own tick."""

    at: Numbers
    words: tuple[str, ...]

    def axis(self, quantity: Quantity, **more: Any) -> dict[str, Any]:
        if self.words:
            more |= {"tickvals": list(range(len(self.words))), "ticktext": list(self.words)}
        return axis(quantity.title, **more)


def positions(values: Numbers | Words, quantity: Quantity) -> Positions:
    if values.dtype == object:
        words = tuple(sorted({word for word in values if word}))
        place = {word: float(index) for index, word in enumerate(words)}
        at = np.array([place.get(word, np.nan) for word in values], dtype=np.float64)
        return Positions(at, tuple(word.replace("_", " ") for word in words))
    return Positions(np.asarray(values, dtype=np.float64) * quantity.factor, ())


def known(points: Points) -> tuple[Points, list[str]]:
    """The points that can be drawn, and sentences about those that cannot."""
    has_x, has_y = _recorded(points.x), np.isfinite(points.y)
    notes = []
    if missing := int((~has_x & has_y).sum()):
        notes.append(
            f"{_counted(missing)} of {plain(points.y_is.label)} {'is' if missing == 1 else 'are'} left out: "
            f"{plain(points.x_is.label)} is not recorded."
        )
    return take(points, np.flatnonzero(has_x & has_y)), notes


def take(points: Points, rows: Any) -> Points:
    """Some rows of all columns."""

    def listed(column: Sequence[str]) -> list[str]:
        return [column[row] for row in rows]

    return replace(
        points,
        x=points.x[rows],
        y=points.y[rows],
        sigma=points.sigma[rows],
        color=None if points.color is None else points.color[rows],
        code=listed(points.code),
        notation=listed(points.notation),
        origin=listed(points.origin),
        comparator=listed(points.comparator),
        source=listed(points.source),
    )


def _recorded(values: Numbers | Words) -> Any:
    if values.dtype == object:
        return np.array([bool(word) for word in values], dtype=bool)
    return np.isfinite(values)


def _counted(count: int) -> str:
    return "1 value" if count == 1 else f"{number(count)} values"


def without_color(points: Points, count: int, fate: str) -> list[str]:
    """The sentence about values whose colour is not known."""
    if not count or points.color_is is None:
        return []
    are = "is" if count == 1 else "are"
    return [f"{_counted(count)} {are} {fate}: {plain(points.color_is.label)} is not recorded."]


def shown(value: Any, quantity_is: Quantity) -> str:
    """One factor or property value in words."""
    if isinstance(value, str):
        return value.replace("_", " ") or "not recorded"
    return _written(float(value), quantity_is.unit, quantity_is.as_percent)


@lru_cache(maxsize=4096)  # a factor has few levels and many points
def _written(value: float, unit: str, as_percent: bool) -> str:
    return str(quantity(value, unit=unit, as_percent=as_percent))


def measured(points: Points, row: int) -> str:
    """`81.3 ± 0.4 %` of one point."""
    return str(
        quantity(
            float(points.y[row]),
            float(points.sigma[row]),
            points.y_is.unit,
            comparator=points.comparator[row],
            as_percent=points.y_is.as_percent,
        )
    )


def origin_of(points: Points, row: int) -> str:
    origin = points.origin[row]
    words = f"{MARKS.get(origin, '')} {ORIGIN_WORDS.get(origin, origin)}"
    return f"{words}, {html.escape(points.source[row])}" if points.source[row] else words


def hover(points: Points, row: int) -> str:
    """What stands beside the pointer: sample, value ± σ, unit, factors, origin."""
    lines = [f"<b>{html.escape(points.code[row])}</b>"]
    if points.notation[row]:
        lines.append(_subscripted(points.notation[row]))
    lines.append(f"{points.y_is.label}\u2002<b>{measured(points, row)}</b>")
    lines.append(f"{points.x_is.label}\u2002{shown(points.x[row], points.x_is)}")
    if points.color is not None and points.color_is is not None:
        lines.append(f"{points.color_is.label}\u2002{shown(points.color[row], points.color_is)}")
    lines.append(origin_of(points, row))
    return "<br>".join(lines)


@lru_cache(maxsize=4096)  # an array has few notations and many samples
def _subscripted(notation: str) -> str:
    return to_html(notation)


def table(points: Points) -> list[Column]:
    """Exactly what is drawn, one row a point, in the units of the axes."""
    scaled = points.y_is.factor
    columns = [
        Column("sample", points.code),
        _column(points.x, points.x_is),
        Column(plain(points.y_is.label), points.y * scaled, points.y_is.shown_unit),
        Column("sigma", points.sigma * scaled, points.y_is.shown_unit),
        Column("comparator", [COMPARATORS.get(sign, sign) or "=" for sign in points.comparator]),
    ]
    if points.color is not None and points.color_is is not None:
        columns.append(_column(points.color, points.color_is))
    return [*columns, Column("origin", points.origin), Column("source", points.source)]


def _column(values: Numbers | Words, quantity: Quantity) -> Column:
    if values.dtype == object:
        return Column(plain(quantity.label), list(values))
    return Column(plain(quantity.label), values * quantity.factor, quantity.shown_unit)


def plain(label: str) -> str:
    """A label without its markup: T<sub>g</sub> → Tg."""
    return html.unescape(label.replace("<sub>", "").replace("</sub>", ""))


def count_origins(points: Points) -> str:
    """`12 published, 40 simulated`"""
    counts = Counter(points.origin)
    return ", ".join(
        f"{number(counts[origin])} {ORIGIN_WORDS[origin]}" for origin in ORIGINS if counts[origin]
    )


def extremes_in_words(points: Points) -> str:
    if not points.y.size:
        return ""
    sentences = []
    for word, row in (("Highest", int(np.argmax(points.y))), ("Lowest", int(np.argmin(points.y)))):
        at = f"{plain(points.x_is.label)} {shown(points.x[row], points.x_is)}"
        if points.color is not None and points.color_is is not None:
            at += f", {plain(points.color_is.label)} {shown(points.color[row], points.color_is)}"
        sentences.append(
            f"{word}: {measured(points, row)} at {at} ({points.code[row]}, "
            f"{ORIGIN_WORDS.get(points.origin[row], points.origin[row])})."
        )
    return " ".join(sentences)


def file_stem(points: Points, kind: str) -> str:
    parts = [points.y_is.key, "vs", points.x_is.key]
    if points.color_is is not None:
        parts += ["by", points.color_is.key]
    return "-".join([*parts, kind])
