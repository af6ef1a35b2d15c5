"""Reanalysis: a method or reader has moved on, exactly the outdated runs are asked again."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q

from analysis import methods
from analysis.models import Run
from analysis.querysets import RunQuerySet
from analysis.services.requesting import NothingToRunError, request_run


def outdated(method: str | None = None) -> Iterator[Run]:
    """Finished runs that an older method version or reader made and that no newer run has answered."""
    for key, loaded in methods.registry().items():
        if method in (None, key):
            yield from _outdated(key, loaded.method.version)


def _outdated(method: str, newest: int) -> RunQuerySet:
    of_measurement = Run.objects.filter(measurement=OuterRef("measurement"), method=method)
    answered = of_measurement.filter(method_version=newest).exclude(inputs__dataset__current=False)
    later = of_measurement.filter(requested_at__gt=OuterRef("requested_at"))
    finished = Run.objects.filter(method=method, status__in=[Run.Status.DONE, Run.Status.FAILED])
    return (
        finished.filter(Q(method_version__lt=newest) | Q(inputs__dataset__current=False))
        .filter(~Exists(answered), ~Exists(later))
        .select_related("measurement")
        .distinct()
    )


def reanalyse(method: str | None = None, *, trigger: str = "schedule") -> list[Run]:
    """Ask again for everything outdated, with the parameters each run had. A second call finds nothing."""
    asked = []
    for run in list(outdated(method)):
        try:
            asked.append(request_run(run.measurement, run.method, _still_known(run), trigger=trigger)[0])
        except NothingToRunError:
            continue  # its file could not be read by the newer reader; the old values stay
    return asked


def _still_known(run: Run) -> dict[str, object]:
    """The parameters that the newer version still has; a choice it no longer allows falls back to default."""
    loaded = methods.get(run.method)
    names = {row["name"] for row in methods.params_schema(loaded)}
    kept = {name: value for name, value in run.params.items() if name in names}
    try:
        methods.parse_params(loaded, kept)
    except methods.ParamsError as error:
        kept.pop(error.field, None)
    return kept
