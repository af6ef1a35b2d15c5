"""What the views of PL share: which curves of an array are drawn together, and how their ends are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.numerics.ridges import meant_loading, meant_temperature_c
from frontend.figures._points import plain, shown
from frontend.figures._template import ORIGINS, SECOND, along_scale, legend_mark, named
from frontend.figures.base import Line, Numbers, Quantity, Reading, View
from frontend.formatting import MARKS, ORIGIN_WORDS

LOADING, SINTERING = "loading_mass_fraction", "sintering_temperature_c"
OTHER = {LOADING: SINTERING, SINTERING: LOADING}
# Where an array offers several rows of equal length, the one through the published maximum is drawn.
USUAL = {LOADING: 0.25, SINTERING: 275.0}
FALLBACK = {
    LOADING: Quantity(LOADING, "Loading", "1", as_percent=True),
    SINTERING: Quantity(SINTERING, "Sintering temperature", "°C"),
}
MOST_CURVES, MOST_LEVELS = 24, 12  # that are drawn, that are listed
PARABOLA: Numbers = np.array([-3.0, 12.0, 17.0, 12.0, -3.0]) / 35  # Savitzky and Golay 1964
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


# What else samples may differ in; of those alike in both factors the most usual one stands for them.
PEROVSKITE = ("perovskite", "halide")
MADE = (*PEROVSKITE, "quench_medium", "milling_duration_min", "sintering_hold_min")


@dataclass(frozen=True)
class Usual:
    """How most samples of a view were made, and how far each is from that.

    odd : in how many ways a sample differs, or does not say
    foreign : samples of a perovskite that is known to be another one
    """

    odd: Sequence[int]
    foreign: frozenset[int]
    note: str


def usual(view: View) -> Usual:
    """Only one perovskite is compared along a row or over a map: another emits elsewhere."""
    known = {key: Counter(s.factors[key] for s in view.subjects if key in s.factors) for key in MADE}
    most = {key: max(counts, key=lambda v: (counts[v], str(v))) for key, counts in known.items() if counts}
    odd = [sum(s.factors.get(key) != value for key, value in most.items()) for s in view.subjects]
    foreign = {
        place
        for place, subject in enumerate(view.subjects)
        for key in PEROVSKITE
        if key in most and subject.factors.get(key, most[key]) != most[key]
    }
    perovskite = str(most.get("perovskite", most.get("halide", "")))
    note = ""
    if foreign:
        one = len(foreign) == 1
        others = "1 sample of another perovskite is" if one else f"{len(foreign)} of other perovskites are"
        note = f"Drawn are samples of {perovskite.translate(LOWERED)}; {others} left out."
    return Usual(odd, frozenset(foreign), note)


@dataclass(frozen=True)
class Curve:
    """A line with its level of the factor that is walked along."""

    level: float
    line: Line
    name: str
    color: str


@dataclass(frozen=True)
class Row:
    """Curves along one factor at one level of the other. `fixed` None where that is not recorded."""

    along: str
    fixed: float | None
    curves: Sequence[Curve]
    notes: Sequence[str]


def quantity_of(view: View, factor: str) -> Quantity:
    return view.quantities.get(factor, FALLBACK[factor])


def code_of(view: View, of: Line | Reading) -> str:
    """The sample to which a curve or a mark leads."""
    return view.subjects[of.subject].code


def factor_of(view: View, subject: int, factor: str) -> float | None:
    """The level that was meant; None where it is not recorded."""
    value = view.subjects[subject].factors.get(factor)
    if value is None or isinstance(value, str) or not np.isfinite(value):
        return None
    return meant_loading(value) if factor == LOADING else meant_temperature_c(value)


def row_along(view: View, lines: Sequence[Line], along: str) -> Row:
    """The longest row of one curve a level, the newest of the first origin; empty without any level."""
    other, made = OTHER[along], usual(view)
    rows: dict[float | None, dict[float, list[Line]]] = {}
    unknown = 0
    for line in lines:
        if line.subject in made.foreign:
            continue
        level = factor_of(view, line.subject, along)
        if level is None:
            unknown += 1
            continue
        rows.setdefault(factor_of(view, line.subject, other), {}).setdefault(level, []).append(line)
    notes = [made.note] if made.note and any(line.subject in made.foreign for line in lines) else []
    if unknown:
        are = "1 curve is" if unknown == 1 else f"{unknown} curves are"
        notes.append(f"{are} left out: {words(quantity_of(view, along))} is not recorded.")
    if not rows:
        return Row(along, None, (), notes)
    fixed = max(rows, key=lambda level: (len(rows[level]), -_distance(level, other)))
    notes += _others(view, rows, fixed, other)
    levels = sorted(rows[fixed])
    if len(levels) > MOST_CURVES:
        places = np.unique(np.linspace(0, len(levels) - 1, MOST_CURVES).round().astype(int))
        notes.append(f"{MOST_CURVES} of {len(levels)} levels are drawn; narrow them to see all.")
        levels = [levels[place] for place in places]
    curves = []
    for place, level in enumerate(levels):
        line = _foremost(rows[fixed][level], made)
        color = along_scale(place / max(len(levels) - 1, 1))
        curves.append(Curve(level, line, _named(level, quantity_of(view, along), line.origin), color))
    more = sum(len(rows[fixed][level]) - 1 for level in levels)
    if more:
        notes.append(
            f"{more} more {'curve' if more == 1 else 'curves'} of the same levels; the newest are drawn."
        )
    return Row(along, fixed, curves, notes)


def _distance(level: float | None, factor: str) -> float:
    return np.inf if level is None else abs(level - USUAL[factor])


def _others(view: View, rows: dict[Any, Any], fixed: float | None, other: str) -> list[str]:
    rest = sorted(level for level in rows if level is not None and level != fixed)
    if not rest:
        return []
    quantity = quantity_of(view, other)
    listed = ", ".join(shown(level, quantity) for level in rest[:MOST_LEVELS])
    if len(rest) > MOST_LEVELS:
        listed += f" and {len(rest) - MOST_LEVELS} more"
    at = "unknown" if fixed is None else shown(fixed, quantity)
    return [f"Drawn at {words(quantity)} {at}; narrow it to see {listed}."]


def _foremost(lines: Sequence[Line], made: Usual) -> Line:
    """Measured before simulated, made as usual before made otherwise, then the newest."""
    return min(
        lines,
        key=lambda line: (ORIGINS.index(line.origin), made.odd[line.subject], -line.measurement),
    )


def _named(level: float, quantity: Quantity, origin: str) -> str:
    mark = "" if origin == "measured" else f" {MARKS[origin]}"
    return f"{shown(level, quantity)}{mark}"


def words(quantity: Quantity) -> str:
    label = plain(quantity.label)
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def title_of(view: View, row: Row) -> str:
    """`at loading 25 %`, for a summary."""
    if row.fixed is None:
        return ""
    quantity = quantity_of(view, OTHER[row.along])
    return f" at {words(quantity)} {shown(row.fixed, quantity)}"


def smoothed(y: Numbers) -> Numbers:
    """Running parabolas over five points, which take noise from the top of a peak and leave its height."""
    return np.convolve(np.pad(y, 2, mode="edge"), PARABOLA, mode="valid")


def origins_of(origins: Sequence[str]) -> list[dict[str, Any]]:
    """Entries of the legend, when anything but measured data is drawn."""
    present = [origin for origin in ORIGINS if origin in origins]
    return [] if present == ["measured"] else [legend_mark(origin) for origin in present]


def origin_words(origins: Sequence[str]) -> str:
    return ", ".join(
        f"{sum(o == origin for o in origins)} {ORIGIN_WORDS[origin]}"
        for origin in ORIGINS
        if origin in origins
    )


def heading(text: str, **more: Any) -> dict[str, Any]:
    """A title inside the figure, above one of its panels."""
    above = {"yanchor": "bottom", "yshift": 4, "xref": "paper", "yref": "paper"}
    return named(0, 1, text, SECOND, **(above | more))


def best_of(view: View, wanted: str, place: Callable[[Reading], Any]) -> dict[Any, Reading]:
    """One reading of a property a place: origins are never mixed, the first in their order stands for it;
    of several samples the one that was made as usual, then the newest."""
    made = usual(view)
    found: dict[Any, Reading] = {}

    def rank(reading: Reading) -> tuple[int, int, int]:
        return ORIGINS.index(reading.origin), made.odd[reading.subject], -reading.subject

    for reading in view.values(wanted):
        if reading.subject in made.foreign or (where := place(reading)) is None:
            continue
        if where not in found or rank(reading) < rank(found[where]):
            found[where] = reading
    return found
