"""The curves of a view: measured ones, and those that runs left, few enough to be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet
from numpy.typing import NDArray

from analysis import explore, methods
from analysis.compact import unpack
from analysis.curves import load_curves_of
from analysis.explore.axes import HOURS_SINCE_QUENCH
from analysis.explore.several import Several
from analysis.models import Run, RunInput, Value
from frontend import formatting
from frontend.figures import Curves, Line, Quantity
from frontend.figures.base import MOST_LINE_POINTS
from frontend.gathering.pieces import Piece, pieces
from measurements import models as measured
from measurements.models import Measurement
from measurements.overview import extremes, unpacked
from measurements.services import load
from measurements.store import StoreError
from measurements.techniques import Technique

MOST_MEASUREMENTS = 100
CANDIDATES = 2000  # the newest; whoever wants older ones narrows what is shown
NARROW = "narrow loading or sintering temperature to see others"


@dataclass(frozen=True)
class Found:
    """A measurement whose curves are drawn; `place` of its sample."""

    measurement: Measurement
    place: int
    run: Run | None = None


@dataclass
class Drawn:
    """`lines` whose subject is still the place of the sample in Several."""

    lines: list[Line] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def places(self) -> NDArray[np.intp]:
        return np.array([line.subject for line in self.lines], dtype=np.intp)

    def on(self, position: NDArray[np.intp]) -> list[Line]:
        """Those whose sample has a position, with it."""
        moved = (replace(line, subject=int(position[line.subject])) for line in self.lines)
        return [line for line in moved if line.subject >= 0]


def drawn(user: Any, wanted: Sequence[Curves], seen: Several, filters: explore.Filters) -> Drawn:
    answer = Drawn()
    for curves in wanted:
        if curves.method and curves.method not in methods.registry():
            continue  # its method is not there; what it would have left is not missing
        found = _found(user, curves, seen, filters, answer.missing)
        if "data" in curves.names:
            answer.lines += _measured(found, answer.missing)
        if curves.method:
            names = [name for name in curves.names if name != "data"]
            answer.lines += _computed(found, names, answer.missing)
    answer.missing = list(dict.fromkeys(answer.missing))
    return answer


def _found(
    user: Any, curves: Curves, seen: Several, filters: explore.Filters, missing: list[str]
) -> list[Found]:
    rows = _of_runs(user, curves, filters) if curves.method else _of_technique(user, curves, filters)
    keys = np.array([row.measurement.sample_id for row in rows], dtype=np.int64)
    places = seen.places(keys).tolist()
    visible = [replace(row, place=place) for row, place in zip(rows, places, strict=True) if place >= 0]
    chosen = _newest_of_each(visible, MOST_MEASUREMENTS)
    if len(chosen) < len(visible):
        counted = formatting.number(len(visible)) + ("" if len(rows) < CANDIDATES else " or more")
        label = Technique(curves.technique).label
        missing.append(
            f"{label}: {len(chosen)} of {counted} measurements are drawn, the newest of each sample first; "
            f"{NARROW}."
        )
    return sorted(chosen, key=lambda row: (row.place, row.measurement.pk))


def _newest_of_each(rows: Sequence[Found], most: int) -> list[Found]:
    """rows : the newest first"""
    before: Counter[int] = Counter()
    ranked = []
    for order, row in enumerate(rows):
        ranked.append((before[row.place], order, row))
        before[row.place] += 1
    return [row for _, _, row in sorted(ranked, key=lambda each: each[:2])[:most]]


def _of_technique(user: Any, curves: Curves, filters: explore.Filters) -> list[Found]:
    rows = Measurement.objects.visible_to(user).filter(technique=curves.technique)
    rows = _narrowed(rows.filter(status=Measurement.Status.READ), "", filters)
    return [Found(row, -1) for row in rows.order_by("-pk")[:CANDIDATES]]


def _of_runs(user: Any, curves: Curves, filters: explore.Filters) -> list[Found]:
    """The newest run of each measurement that has values in force."""
    current = Value.objects.filter(run=OuterRef("pk"), current=True)
    runs = Run.objects.visible_to(user).filter(
        Exists(current),
        method=curves.method,
        status=Run.Status.DONE,
        measurement__technique=curves.technique,
        measurement__status=Measurement.Status.READ,
    )
    runs = _narrowed(runs, "measurement__", filters).select_related("measurement", "artifact__blob")
    newest: dict[int, Found] = {}
    for run in runs.order_by("-pk")[:CANDIDATES]:
        if run.measurement is not None:
            newest.setdefault(run.measurement.pk, Found(run.measurement, -1, run))
    return list(newest.values())


def _narrowed(rows: QuerySet[Any], path: str, filters: explore.Filters) -> QuerySet[Any]:
    """Before the newest are taken, so that those asked for are among them."""
    asked: dict[str, Any] = {f"{path}sample__voided_at": None, f"{path}sample__isnull": False}
    if filters.projects:
        asked[f"{path}project__slug__in"] = list(filters.projects)
    if filters.origins:
        asked[f"{path}origin__in"] = list(filters.origins)
    wanted = (("gte", filters.at_least), ("lte", filters.at_most), ("in", filters.texts))
    for comparison, bounds in wanted:
        for key, bound in bounds.items():
            if key != HOURS_SINCE_QUENCH:  # no column; several() has left out whom it leaves out
                asked[f"{path}sample__factors__{key}__{comparison}"] = bound
    return rows.filter(**asked)


def _measured(found: Sequence[Found], missing: list[str]) -> Iterator[Line]:
    """All their datasets, or of a run those that it read."""
    of = {row.measurement.pk: row for row in found}
    rows: Any = measured.Dataset.objects.filter(measurement__in=list(of), current=True)
    given = [row.run.pk for row in found if row.run is not None]
    if given:
        rows = rows.filter(pk__in=RunInput.objects.filter(run__in=given).values("dataset"))
    rows = rows.select_related("blob__quick_input", "file").defer("header", "preview")
    for dataset in rows.order_by("measurement_id", "number"):
        yield from _lines_of(dataset, of[dataset.measurement_id], missing)


def _lines_of(dataset: measured.Dataset, row: Found, missing: list[str]) -> Iterator[Line]:
    if len(dataset.axes) > 2:
        missing.append("Data over more than two axes are shown on the pages of their measurements.")
        return
    try:
        found = list(pieces(dataset, _numbers(dataset)))
    except StoreError as error:
        missing.append(f"Measurement {row.measurement.pk}: {error}")
        return
    conditions = plain({**row.measurement.conditions, **dataset.conditions})
    if dataset.file is not None and dataset.file.role:
        conditions["role"] = dataset.file.role
    y_is = quantity(dataset.signal_name, dataset.signal_unit)
    for piece in found:
        yield _line(row, "data", piece, y_is, conditions)


def _numbers(dataset: measured.Dataset) -> tuple[tuple[NDArray[np.float64], ...], NDArray[np.float64]]:
    """Coordinates and values: from the overview of what is large, from a copy, or from the file."""
    if dataset.overview is not None:
        shown = unpacked(dataset.overview)  # of one or two axes, which are in their order there
        return shown.coordinates, shown.values
    copy = getattr(dataset.blob, "quick_input", None)
    arrays = unpack(copy.content) if copy is not None else load(dataset)
    return tuple(axis.values for axis in arrays.axes), arrays.signal.values


def _computed(found: Sequence[Found], names: Sequence[str], missing: list[str]) -> Iterator[Line]:
    with_curves = [row for row in found if names and row.run is not None and hasattr(row.run, "artifact")]
    artifacts = [row.run.artifact for row in with_curves if row.run is not None]
    try:
        curves = load_curves_of(artifacts)
    except StoreError as error:
        missing.append(str(error))
        return
    for row, of_run in zip(with_curves, curves, strict=True):
        conditions = plain(row.measurement.conditions)
        for curve in of_run:
            if any(fnmatchcase(curve.name, name) for name in names):
                x_is = quantity(curve.x_name, curve.x_unit)
                piece = Piece(np.asarray(curve.x, float), np.asarray(curve.y, float), x_is)
                yield _line(row, curve.name, piece, quantity(curve.y_name, curve.y_unit), conditions)


def _line(row: Found, name: str, piece: Piece, y_is: Quantity, conditions: Mapping[str, float | str]) -> Line:
    kept = extremes(piece.y, MOST_LINE_POINTS)
    return Line(
        subject=row.place,
        measurement=row.measurement.pk,
        name=name,
        x=piece.x[kept],
        y=piece.y[kept],
        x_is=piece.x_is,
        y_is=y_is,
        origin=row.measurement.origin,
        conditions=conditions,
        series=piece.series,
        series_is=piece.series_is,
    )


def plain(conditions: Mapping[str, Any]) -> dict[str, float | str]:
    """Without their units, which the vocabulary has; what is no number and no word is left out."""
    values = {
        key: said.get("value") if isinstance(said, Mapping) else said for key, said in conditions.items()
    }
    return {key: value for key, value in values.items() if isinstance(value, (int, float, str))}


def quantity(name: str, unit: str) -> Quantity:
    word = name or "value"
    return Quantity(word, word[:1].upper() + word[1:].replace("_", " "), unit or "1")
