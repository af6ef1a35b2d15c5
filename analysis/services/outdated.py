"""Which runs are outdated: found by query, exactly, and told apart by why."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When

from analysis import methods
from analysis.models import Run, RunInput
from analysis.querysets import RunQuerySet
from analysis.services.parameters import with_former_defaults
from measurements.models import Dataset, Measurement
from samples.models import Project

VERSION, READER, STALE, PARAMETERS = "version", "reader", "stale", "parameters"
REASONS = {
    VERSION: "a newer version of the method is installed",
    READER: "its file was read again by a newer reader",
    STALE: "something it relied on was withdrawn or replaced",
    PARAMETERS: "the project’s default parameters were changed",
}


def outdated(method: str | None = None, project: Project | None = None) -> Iterator[Run]:
    """The last finished run of each measurement and method that would be answered otherwise today."""
    for key in methods.registry():
        if method in (None, key):
            yield from outdated_of(key, project).select_related("measurement")


def outdated_of(method: str, project: Project | None = None) -> RunQuerySet:
    """Annotated with `reason`. What was asked later, whatever became of it, has answered already."""
    newest = methods.get(method).method.version
    same = Run.objects.filter(measurement=OuterRef("measurement"), method=method, verifies=None)
    asked_later = same.filter(requested_at__gt=OuterRef("requested_at"))
    read_anew = RunInput.objects.filter(run=OuterRef("pk"), dataset__current=False)
    readable = Dataset.objects.filter(measurement=OuterRef("measurement"), current=True)
    last = Run.objects.filter(
        ~Exists(asked_later),
        Exists(readable),
        method=method,
        measurement__isnull=False,
        verifies=None,
        status__in=[Run.Status.DONE, Run.Status.FAILED],
    ).exclude(measurement__status=Measurement.Status.VOID)
    if project is not None:
        last = last.filter(measurement__project=project)
    reason = Case(
        When(method_version__lt=newest, then=Value(VERSION)),
        When(Exists(read_anew), then=Value(READER)),
        When(~Q(stale=""), then=Value(STALE)),
        When(with_former_defaults(method), then=Value(PARAMETERS)),
        default=Value(""),
        output_field=CharField(),
    )
    found: RunQuerySet = last.annotate(reason=reason).exclude(reason="")
    return found
