"""From what a figure over many samples declares to the numbers it draws: a View.

The value that stands for a sample is the one that Explore shows; values of different origin stay apart.
The number of database queries depends on the figure, never on how many samples there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import explore, properties
from analysis.explore.several import Several, several
from analysis.models import Value
from frontend import formatting
from frontend.figures import Figure, Quantity, Reading, Subject, View
from frontend.gathering.curves import drawn

__all__ = ["MOST_SAMPLES", "gather"]

MOST_SAMPLES = 5000


def gather(user: Any, figure: Figure, filters: explore.Filters) -> View:
    """What this person may see of what the figure asks for. Raises ExploreError for a filter that is none."""
    reads, unknown = _axes_read(figure.reads)
    factors = [explore.axis(key) for key in figure.factors]
    seen = several(user, properties=reads, factors=factors, filters=filters)
    lines = drawn(user, figure.curves, seen, filters)
    rows = {axis.key: _rows(seen, axis, filters) for axis in reads}
    kept, missing = _kept(seen, [*(places for _, places in rows.values()), lines.places])
    sources = _sources(user, reads) if _any_published(seen, rows) else {}
    position = np.full(len(seen.code) + 1, -1)
    position[kept] = np.arange(kept.size)
    readings = [
        reading for axis in reads for reading in _readings(seen, axis, *rows[axis.key], position, sources)
    ]
    return View(
        subjects=[_subject(seen, place) for place in kept.tolist()],
        readings=readings,
        lines=lines.on(position),
        quantities=_quantities(reads, factors),
        missing=[*missing, *lines.missing, *unknown],
    )


def _axes_read(wanted: Sequence[str]) -> tuple[list[explore.Axis], list[str]]:
    """A property without its component means that without one, or, where it always has one, all of them."""
    found: dict[tuple[str, str], explore.Axis] = {}
    unknown = []
    for key in wanted:
        word, _, component = key.partition(":")
        if word not in properties.all():
            unknown.append(f"No method yields “{word}” yet.")
            continue
        known = properties.get(word).components or ("",)
        for each in [component] if component or "" in known else known:
            axis = explore.axis(f"{word}:{each}" if each else word)
            found[axis.property, axis.component] = axis
    return list(found.values()), unknown


def _rows(
    seen: Several, axis: explore.Axis, filters: explore.Filters
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which points of a property are of samples that one sees, and where those stand."""
    points = seen.values[axis.key]
    places = seen.places(points.key >> 3)
    wanted = places >= 0
    if filters.origins:
        wanted &= np.isin(points.origin, list(filters.origins))
    rows = np.flatnonzero(wanted)
    return rows, places[rows]


def _kept(seen: Several, places: Sequence[NDArray[np.intp]]) -> tuple[NDArray[np.intp], list[str]]:
    """The samples with anything to draw, the newest where there are too many."""
    found = np.unique(np.concatenate([np.empty(0, np.intp), *places]))
    if found.size <= MOST_SAMPLES:
        return found, []
    return found[-MOST_SAMPLES:], [
        f"The newest {formatting.number(MOST_SAMPLES)} of {formatting.number(found.size)} samples are drawn; "
        "choose a project, or narrow loading or sintering temperature."
    ]


def _any_published(seen: Several, rows: Mapping[str, tuple[NDArray[np.intp], Any]]) -> bool:
    return any(
        bool((seen.values[key].origin[chosen] == "published").any()) for key, (chosen, _) in rows.items()
    )


def _readings(
    seen: Several,
    axis: explore.Axis,
    rows: NDArray[np.intp],
    places: NDArray[np.intp],
    position: NDArray[np.intp],
    sources: Mapping[tuple[str, str, str], str],
) -> Iterator[Reading]:
    points = seen.values[axis.key]
    origins = points.origin[rows].tolist()
    for row, place, origin in zip(rows.tolist(), places.tolist(), origins, strict=True):
        if position[place] < 0:
            continue
        identity = (seen.code[place], axis.property, axis.component)
        yield Reading(
            subject=int(position[place]),
            property=axis.property,
            component=axis.component,
            value=float(points.value[row]),
            sigma=float(points.sigma[row]),
            origin=origin,
            comparator=str(points.comparator[row]),
            source=sources.get(identity, "") if origin == "published" else "",
        )


def _subject(seen: Several, place: int) -> Subject:
    known: dict[str, float | str] = {}
    for key, column in seen.factors.items():
        value = column[place]
        if isinstance(value, str):
            if value:
                known[key] = value
        elif np.isfinite(value):
            known[key] = float(value)
    return Subject(seen.code[place], seen.notation[place], known)


def _sources(user: Any, reads: Sequence[explore.Axis]) -> dict[tuple[str, str, str], str]:
    """(sample code, property, component) → where its published value stands: DOI and place."""
    rows = Value.objects.visible_to(user).filter(
        origin=Value.Origin.PUBLISHED, property__in={axis.property for axis in reads}, current=True
    )
    return {
        (code, key, component): ", ".join(part for part in (f"doi:{doi}" if doi else paper, place) if part)
        for code, key, component, paper, doi, place in rows.values_list(
            "sample__code", "property", "component", "publication__key", "publication__doi", "place"
        )
    }


def _quantities(reads: Sequence[explore.Axis], factors: Sequence[explore.Axis]) -> dict[str, Quantity]:
    found = {}
    for axis in [*reads, *factors]:
        quantity = Quantity(axis.key, axis.label, axis.unit or "1", axis.as_percent)
        found[axis.key] = quantity
        if axis.component:
            found[f"{axis.property}:{axis.component}"] = quantity
    return found
