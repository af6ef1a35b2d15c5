"""What milling does: time against grain size against PLQY. Row D-22."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from frontend.figures import _points
from frontend.figures._from_view import factor_of, points_of, quantity_of
from frontend.figures._panels import Panel, beside
from frontend.figures.base import Drawing, Figure, Option, Points, Quantity, Reading, View
from frontend.formatting import number

TIME = Quantity("milling_duration_min", "Milling time", "min")
PLQY = Quantity("plqy", "PL quantum yield", "1", as_percent=True)
SIZES = {
    "crystallite_size": Quantity("crystallite_size", "Crystallite size", "nm"),
    "crystallite_size:gamma": Quantity("crystallite_size:gamma", "Crystallite size of γ", "nm"),
    "particle_size": Quantity("particle_size", "Particle size", "nm"),
}
ANY = "any"

FIGURE = Figure(
    title="Milling time, grain size and PLQY",
    takes="view",
    order=22,
    theme="Quantum yield",
    reads=(PLQY.key, *SIZES),
    factors=(TIME.key,),
    options=(
        Option(
            "size",
            "Grain size",
            (
                (ANY, "any that is known"),
                ("crystallite_size", "crystallites"),
                ("crystallite_size:gamma", "crystallites of γ"),
                ("particle_size", "particles in the microscope"),
            ),
        ),
    ),
    height_px=420,
    help="Three views of the same samples. A diffraction size is that of a crystallite, a microscope’s that "
    "of a particle; they are never averaged.",
    needs="Measure quantum yield and grain size of samples that were milled for different times.",
)


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    chosen = _size(view, options.get("size", ANY))
    size_is = quantity_of(view, chosen, SIZES[chosen])
    sizes, yields = _finite(view, chosen), _finite(view, PLQY.key)
    time_is, plqy_is = quantity_of(view, TIME.key, TIME), quantity_of(view, PLQY.key, PLQY)
    first, second = (
        _against_time(view, sizes, size_is, time_is),
        _against_time(view, yields, plqy_is, time_is),
    )
    third = _pairs(view, sizes, yields, size_is, plqy_is)
    notes = _left_out(len(sizes) + len(yields) - first.y.size - second.y.size)
    if not (first.y.size or second.y.size or third.y.size):
        return Drawing(
            empty="No quantum yield or grain size of a sample whose milling is known.", notes=notes
        )
    label = _points.plain(size_is.label)
    panels = [
        Panel(first, x_more={"rangemode": "tozero"}, empty=f"{label}: nothing yet."),
        Panel(second, x_more={"rangemode": "tozero"}, empty="PL quantum yield: nothing yet."),
        Panel(third, x_more={"rangemode": "tozero"}, empty="No sample has both yet."),
    ]
    return replace(
        beside(panels),
        summary=" ".join(_summary(panel.points) for panel in panels),
        notes=notes,
        filename="milling",
    )


def _size(view: View, asked: str) -> str:
    """The size that is asked for; of any, the one known of most samples whose milling is known."""
    if asked in SIZES:
        return asked

    def known(key: str) -> tuple[int, int]:
        readings = view.values(key)
        return sum(TIME.key in view.subjects[each.subject].factors for each in readings), len(readings)

    return max(SIZES, key=known)


def _finite(view: View, key: str) -> list[Reading]:
    return [reading for reading in view.values(key) if np.isfinite(reading.value)]


def _left_out(count: int) -> list[str]:
    if not count:
        return []
    are = "1 value is" if count == 1 else f"{number(count)} values are"
    return [f"{are} left out against milling time, which is not recorded."]


def _against_time(view: View, readings: list[Reading], y_is: Quantity, time_is: Quantity) -> Points:
    minutes = factor_of(view, readings, TIME.key)
    points = points_of(view, readings, y_is, (minutes, time_is))
    return _points.take(points, np.flatnonzero(np.isfinite(minutes)))


def _pairs(
    view: View, sizes: list[Reading], yields: list[Reading], size_is: Quantity, plqy_is: Quantity
) -> Points:
    """Samples that have both, of one origin: a simulated size tells nothing about a measured yield."""
    size_of = {(each.subject, each.origin): each.value for each in sizes}
    both = [each for each in yields if (each.subject, each.origin) in size_of]
    x = np.array([size_of[each.subject, each.origin] for each in both], dtype=np.float64)
    return points_of(view, both, plqy_is, (x, size_is))


def _summary(points: Points) -> str:
    against = f"{_points.plain(points.y_is.title)} against {_points.plain(points.x_is.title)}"
    if not points.y.size:
        return f"{against}: no values."
    return f"{against}: {_points.count_origins(points)}. {_points.extremes_in_words(points)}"
