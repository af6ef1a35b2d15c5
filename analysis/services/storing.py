"""What runs found, into the database: a handful of statements for a whole batch, in one transaction."""

from __future__ import annotations

import json
import platform
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from analysis.curves import store_curves, store_together
from analysis.methods import LoadedMethod, Outcome
from analysis.models import Run, Value
from analysis.services.changed import note_changed
from analysis.services.currency import decide_current, make_way
from analysis.services.value_rows import origins_of
from analysis.services.verifying import judge
from analysis.services.webhooks import tell_of_runs
from measurements.models import Blob, Measurement
from measurements.services.datasets import blobs_of

LIBRARIES = ("numpy", "h5py", "Django")
COLUMNS = (
    "run_id", "measurement_id", "sample_id", "project_id", "method", "property", "component", "value",
    "sigma", "unit", "origin", "current", "created_at", "comparator", "text", "inferred", "rejected",
    "place", "note",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """An outcome that kept the contract, and the run that it answers.

    compiled : what its kernels were compiled with, by version; nothing where NumPy did the work
    """

    run: Run
    loaded: LoadedMethod
    outcome: Outcome
    duration_s: float
    compiled: Mapping[str, str]


@dataclass(frozen=True)
class Subject:
    """To what a value belongs, as it is now: it may have got another sample while the method computed."""

    measurement_id: int | None
    sample_id: int | None
    project_id: int | None
    origin: str


def finish(found: Sequence[Found]) -> None:
    """Values, curves and states of all of them; nothing of a run that another worker has taken over."""
    if not found:
        return
    curves = _Curves([each for each in found if each.run.verifies_id is None])
    with transaction.atomic():
        mine = _done(found)
        kept = [each for each in found if each.run.pk in mine]
        for each in kept:
            if each.run.verifies_id is not None:
                judge(each.run, each.outcome)
        kept = [each for each in kept if each.run.verifies_id is None]
        if not kept:
            return
        subjects = _subjects([each.run for each in kept])
        runs = [each.run for each in kept]
        _copy_values(kept, subjects, _counting(runs))
        curves.keep(runs)
        _decided(runs)
        tell_of_runs(mine)


class _Curves:
    """The files, durably in the store before any row names them."""

    def __init__(self, found: Sequence[Found]) -> None:
        drawn = [each for each in found if each.outcome.curves]
        self.names = {each.run.pk: [curve.name for curve in each.outcome.curves] for each in drawn}
        self.member: dict[int, int | None] = {each.run.pk: place for place, each in enumerate(drawn)}
        self.blob: Blob | None = None
        if len(drawn) == 1:
            self.member[drawn[0].run.pk] = None
            self.blob = store_curves(drawn[0].outcome.curves)
        elif drawn:
            (self.blob,) = blobs_of([store_together([each.outcome.curves for each in drawn])])

    def keep(self, runs: Iterable[Run]) -> None:
        if self.blob is None:
            return
        drawn = [run.pk for run in runs if run.pk in self.names]
        _copy(
            "analysis_artifact",
            ("run_id", "blob_id", "names", "member"),
            ((pk, self.blob.pk, self.names[pk], self.member[pk]) for pk in drawn),
        )


def _done(found: Sequence[Found]) -> set[int]:
    """Marks those runs done that are still ours; a worker that lost its lease changes nothing any more."""
    rows = [
        {
            "id": each.run.pk,
            "attempts": each.run.attempts,
            "duration_s": each.duration_s,
            "warnings": list(each.outcome.warnings),
            "notes": dict(each.outcome.notes),
            "compiled": dict(each.compiled),
        }
        for each in found
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_run AS run SET status = 'done', finished_at = statement_timestamp(),"
            " lease_until = NULL, message = '', progress = NULL, progress_note = '', duration_s ="
            " mine.duration_s, notes = mine.notes, libraries = %s::jsonb || mine.compiled,"
            " warnings = run.warnings || ARRAY(SELECT jsonb_array_elements_text(mine.warnings))"
            " FROM jsonb_to_recordset(%s::jsonb)"
            " AS mine(id bigint, attempts int, duration_s float8, warnings jsonb, notes jsonb,"
            "         compiled jsonb)"
            " WHERE run.id = mine.id AND run.attempts = mine.attempts AND run.status = 'running'"
            " RETURNING run.id",
            [json.dumps(_libraries()), json.dumps(rows)],
        )
        return {pk for (pk,) in cursor.fetchall()}


@cache
def _libraries() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def _subjects(runs: Sequence[Run]) -> dict[int, Subject]:
    """By run. Measurements are locked, so that none moves before its values have been written."""
    keys = [run.measurement_id for run in runs if run.measurement_id]
    rows = Measurement.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")
    measured = {pk: (sample, origin) for pk, sample, origin in rows.values_list("pk", "sample", "origin")}
    origins = origins_of([run for run in runs if run.measurement_id is None])
    subjects = {}
    for run in runs:
        if run.measurement_id is not None:
            sample_id, origin = measured[run.measurement_id]
            subjects[run.pk] = Subject(run.measurement_id, sample_id, None, origin)
        else:
            subjects[run.pk] = Subject(None, run.sample_id, run.project_id, origins[run.pk])
    return subjects


def _copy_values(found: Sequence[Found], subjects: Mapping[int, Subject], counting: Container[int]) -> None:
    _copy("analysis_value", COLUMNS, _rows(found, subjects, counting))


def _copy(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    # Django's cursor knows no COPY; the one inside it is psycopg's.
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _rows(
    found: Sequence[Found], subjects: Mapping[int, Subject], counting: Container[int]
) -> Iterator[tuple[Any, ...]]:
    now = timezone.now()
    for each in found:
        run, of = each.run, subjects[each.run.pk]
        is_current = run.pk in counting
        subject = (run.pk, of.measurement_id, of.sample_id, of.project_id, run.method)
        for result in each.outcome.values:
            unit = each.loaded.method.property(result.property).unit
            number = (result.property, result.component, float(result.value), float(result.sigma), unit)
            yield (*subject, *number, of.origin, is_current, now, "=", "", False, False, "", "")


def _counting(runs: Sequence[Run]) -> set[int]:
    """Those whose values are current from the moment they are written: of measurements, which are locked."""
    counting: set[int] = set()
    for method, measurement_ids in _by_method(runs).items():
        counting |= make_way(measurement_ids, method)
    return counting


def _decided(runs: Sequence[Run]) -> None:
    for run in runs:
        if run.measurement_id is None:
            decide_current(run.over, run.method)
    for method, measurement_ids in _by_method(runs).items():
        note_changed(Value.objects.filter(measurement__in=measurement_ids, method=method))


def _by_method(runs: Sequence[Run]) -> dict[str, list[int]]:
    by_method: dict[str, list[int]] = {}
    for run in runs:
        if run.measurement_id is not None:
            by_method.setdefault(run.method, []).append(run.measurement_id)
    return by_method
