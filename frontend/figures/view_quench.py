"""What the quench decides: PLQY, lifetime and γ fraction by its medium. Row D-21."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from frontend.figures import _points
from frontend.figures._from_view import factor_of, merged, points_of, quantity_of
from frontend.figures._panels import Panel, beside
from frontend.figures.base import Drawing, Figure, Quantity, Reading, View
from frontend.formatting import number

MEDIUM = Quantity("quench_medium", "Quench")
SHOWN = (
    Quantity("plqy", "PL quantum yield", "1", as_percent=True),
    Quantity("trpl_tau_amp", "PL lifetime", "ns"),
    Quantity("phase_fraction:gamma", "γ fraction", "1", as_percent=True),
)
ALIKE = ("loading_mass_fraction", "sintering_temperature_c", "halide")  # what the quench is compared at
FASTEST_FIRST = (
    "liquid_nitrogen", "ice_water", "water", "oil", "metal_plate", "air", "instrument_ramp", "furnace",
    "slow",
)  # fmt: skip

FIGURE = Figure(
    title="Quench: PLQY, lifetime and γ fraction",
    takes="view",
    order=21,
    theme="Quantum yield",
    reads=tuple(quantity.key for quantity in SHOWN),
    factors=(MEDIUM.key, *ALIKE),
    height_px=420,
    help="By the medium of the quench, the fastest first. Samples of the same loading, temperature and "
    "halide are joined; those without such a partner are pale.",
    needs="Measure samples that were made alike and quenched differently.",
)


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    shown = [_known(view, key.key) for key in SHOWN]
    words = _ordered({medium for readings in shown for medium in _media(view, readings)})
    if not words:
        return Drawing(empty="No value of a sample whose quench is known.", notes=_unknown(view, shown))
    panels = [
        _panel(view, quantity, readings, words) for quantity, readings in zip(SHOWN, shown, strict=True)
    ]
    return replace(
        beside(panels),
        summary=" ".join(_summary(panel) for panel in panels),
        notes=_unknown(view, shown),
        filename="quench",
    )


def _known(view: View, key: str) -> list[Reading]:
    return [
        reading
        for reading in view.values(key)
        if np.isfinite(reading.value) and view.subjects[reading.subject].factors.get(MEDIUM.key)
    ]


def _unknown(view: View, shown: Sequence[Sequence[Reading]]) -> list[str]:
    missing = sum(len(view.values(quantity.key)) for quantity in SHOWN) - sum(map(len, shown))
    if not missing:
        return []
    are = "1 value is" if missing == 1 else f"{number(missing)} values are"
    return [f"{are} left out: the quench is not recorded."]


def _media(view: View, readings: Sequence[Reading]) -> list[str]:
    return [str(word) for word in factor_of(view, readings, MEDIUM.key, words=True)]


def _ordered(media: set[str]) -> tuple[str, ...]:
    known = [medium for medium in FASTEST_FIRST if medium in media]
    return (*known, *sorted(media - set(known)))


def _panel(view: View, quantity: Quantity, readings: Sequence[Reading], words: tuple[str, ...]) -> Panel:
    x_is = quantity_of(view, MEDIUM.key, MEDIUM)
    media = factor_of(view, readings, MEDIUM.key, words=True)
    points = points_of(view, readings, quantity, (media, x_is))  # its own label, which is short
    groups: dict[tuple[object, ...], list[int]] = {}
    for row, alike in enumerate(_alike(view, readings)):
        groups.setdefault(alike, []).append(row)
    partners = [rows for rows in groups.values() if len({points.x[row] for row in rows}) > 1]
    joined = [sorted(rows, key=lambda row: words.index(points.x[row])) for rows in partners]
    together = {row for rows in partners for row in rows}
    pale = frozenset(range(len(readings))) - together if together else frozenset[int]()
    return Panel(points, words, joined, pale, empty=f"{quantity.label}: nothing yet.")


def _alike(view: View, readings: Sequence[Reading]) -> list[tuple[object, ...]]:
    """What samples must share to be compared; an unknown is like no other, so it stands alone."""
    loading = merged(factor_of(view, readings, ALIKE[0]), relative=0.03)  # type: ignore[arg-type]
    temperature = merged(factor_of(view, readings, ALIKE[1]), absolute=2.0)  # type: ignore[arg-type]
    halide = factor_of(view, readings, ALIKE[2], words=True)
    return [
        (reading.origin, float(loading[row]), float(temperature[row]), str(halide[row]))
        for row, reading in enumerate(readings)
    ]


def _summary(panel: Panel) -> str:
    points = panel.points
    label = _points.plain(points.y_is.title)
    if not points.y.size:
        return f"{label}: no values."
    told = []
    for word in panel.words:
        rows = [row for row in range(points.y.size) if points.x[row] == word]
        if rows:
            best = max(rows, key=lambda row: points.y[row])
            told.append(f"{word.replace('_', ' ')} up to {_points.measured(points, best)} ({len(rows)})")
    return f"{label} by quench: {', '.join(told)}."
