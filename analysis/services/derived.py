"""Methods over values: asked again when what they read has changed, and not otherwise.

What changed is written down where it changes (`changed`); here it is taken up, once for many changes. No
circle can arise, for the registry refuses methods that live on their own results.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from analysis import methods, properties
from analysis.methods import LoadedMethod
from analysis.models import ChangedValues, ProjectParams, Run, Value, ValueInput
from analysis.services.currency import decide_current
from analysis.services.parameters import still_known, wanted_by
from analysis.services.requesting import NothingToRunError, _ask_again, lane_of, queue
from analysis.services.value_rows import Rows, Subject, identity_over, rows_for
from samples.models import Project, Sample, User

AT_ONCE = 5000
PATIENCE = timedelta(minutes=1)
NOTHING_LEFT = "Nothing is left of what it read, or too little."


@transaction.atomic
def derive() -> int:
    """Ask everything that reads what has changed; how many new runs that makes.

    While a project's measurements are still being analysed, it waits for the end of that, up to PATIENCE:
    ten thousand reanalysed spectra do not make ten thousand control charts.
    """
    # skip_locked: whoever comes at the same time takes what is left.
    rows = list(ChangedValues.objects.select_for_update(skip_locked=True).order_by("pk")[:AT_ONCE])
    by_project: dict[int, list[ChangedValues]] = {}
    for row in rows:
        by_project.setdefault(row.project_id, []).append(row)
    busy = _busy(by_project)
    asked = 0
    for project_id, changes in by_project.items():
        if project_id in busy and min(row.at for row in changes) > timezone.now() - PATIENCE:
            continue
        asked += _of_project(Project.objects.get(pk=project_id), changes)
        ChangedValues.objects.filter(pk__in=[row.pk for row in changes]).delete()
    return asked


def _busy(projects: Collection[int]) -> set[int]:
    unfinished = Run.objects.filter(
        status__in=[Run.Status.QUEUED, Run.Status.RUNNING], measurement__project__in=projects, verifies=None
    )
    return set(unfinished.order_by().values_list("measurement__project_id", flat=True).distinct())


def _of_project(project: Project, changes: Iterable[ChangedValues]) -> int:
    everything = not all(change.properties for change in changes)
    touched = {key for change in changes for key in change.properties}
    samples = {change.sample_id for change in changes}
    asked = 0
    for loaded in methods.over_values():
        if not (everything or touched & set(loaded.method.reads)):
            continue
        subjects: Iterable[Subject] = [project]
        if loaded.method.over == "sample":
            subjects = _worth_asking(loaded, project, samples)
        asked += sum(ask(loaded, subject) for subject in subjects)
    return asked


def _worth_asking(loaded: LoadedMethod, project: Project, samples: set[int | None]) -> Iterable[Sample]:
    """Samples with enough values, and those that had enough before: in two statements for all of them."""
    values = Value.objects.filter(current=True, property__in=loaded.method.reads, sample__project=project)
    asked = Run.objects.filter(method=loaded.key, sample__project=project, verifies=None)
    if None not in samples:
        values, asked = values.filter(sample__in=samples), asked.filter(sample__in=samples)
    counted = values.order_by().values("sample", "property", "component").annotate(count=Count("pk"))
    enough = counted.filter(count__gte=loaded.method.at_least).values_list("sample", flat=True)
    keys = {*enough, *asked.order_by().values_list("sample_id", flat=True).distinct()}
    return Sample.objects.filter(pk__in=keys).order_by("pk")


@transaction.atomic
def ask(loaded: LoadedMethod, subject: Subject) -> bool:
    """The run that answers for today's values, with the parameters that the project wants; whether it is new.
    What a person asked with others holds until the values change, also for a newer version."""
    last = _lock(loaded, subject)
    rows = rows_for(loaded, subject)
    if not rows:
        _retire(loaded, subject)
        return False
    if last is not None and _holds(last, loaded, subject, rows):
        return False
    named = _named_by_a_person(last, loaded, subject, rows)
    trigger = Run.Trigger.VALUES if named is None else Run.Trigger.SUPERSESSION
    run, is_new = _answering(loaded, subject, rows, named or {}, last, trigger=str(trigger))
    if not is_new and (run != last or run.stale):  # the values are again what they once were
        _bring_back(run)
    return is_new


def _holds(last: Run, loaded: LoadedMethod, subject: Subject, rows: Rows) -> bool:
    """It answers for these values, and the project's parameters have not been changed since it was asked."""
    if last.status == Run.Status.CANCELLED or last.stale or last.method_version != loaded.method.version:
        return False
    if last.identity != identity_over(loaded, last.params, subject, rows):
        return False
    return not _changed_since(last, subject)


def _changed_since(last: Run, subject: Subject) -> bool:
    """Whether the project has wanted other parameters since."""
    later = ProjectParams.objects.filter(
        project=_project_of(subject), method=last.method, changed_at__gt=last.requested_at
    )
    return later.exists()


def _named_by_a_person(
    last: Run | None, loaded: LoadedMethod, subject: Subject, rows: Rows
) -> dict[str, Any] | None:
    """The parameters of the last run, where it is a person's and only its version stands between."""
    if last is None or last.trigger not in (Run.Trigger.PERSON, Run.Trigger.SUPERSESSION):
        return None
    if last.status == Run.Status.CANCELLED or last.stale or last.method_version >= loaded.method.version:
        return None
    read = set(ValueInput.objects.filter(run=last).values_list("value", flat=True))
    return None if read != set(rows) or _changed_since(last, subject) else still_known(loaded, last.params)


def _bring_back(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(requested_at=timezone.now(), stale="")
    if run.status == Run.Status.CANCELLED:  # it had given way to what does not count any more
        _ask_again(run, str(Run.Trigger.VALUES))
    else:
        decide_current(run.over, run.method)


@transaction.atomic
def ask_newer(run: Run) -> None:
    """It waited while another version was installed: that is asked, with the parameters a person named."""
    loaded, subject = methods.get(run.method), run.over
    if run.trigger == Run.Trigger.VALUES:
        ask(loaded, subject)
        return
    last = _lock(loaded, subject)
    rows = rows_for(loaded, subject)
    if not rows:
        _retire(loaded, subject)
        return
    params = still_known(loaded, run.params)
    found, is_new = _answering(loaded, subject, rows, params, last, trigger=str(Run.Trigger.SUPERSESSION))
    if not is_new:
        _bring_back(found)


@transaction.atomic
def request_over(
    subject: Subject, method: str, params: Mapping[str, Any] | None = None, *, user: User | None = None
) -> Run:
    """For a person: the run that answers this for today's values. When these change it is asked anew, then
    with the parameters that the project wants.

    Raises KeyError (no such method), methods.ParamsError and NothingToRunError, each with a sentence.
    """
    loaded = methods.get(method)
    over = "project" if isinstance(subject, Project) else "sample"
    if loaded.method.over != over:
        raise NothingToRunError(f"{loaded.method.title} is asked of a {loaded.method.over}; name one.")
    last = _lock(loaded, subject)
    rows = rows_for(loaded, subject)
    if not rows:
        raise NothingToRunError(f"{loaded.method.title} takes {needed(loaded)}, and {subject} has less.")
    run, is_new = _answering(loaded, subject, rows, params or {}, last, user)
    if not is_new:
        Run.objects.filter(pk=run.pk).update(stale="")
        _ask_again(run, str(Run.Trigger.PERSON))
    return run


def needed(loaded: LoadedMethod) -> str:
    """In words, how much there must be before it is asked."""
    method = loaded.method
    if method.repeats > 1:
        return f"a sample on which the same quantity was measured {method.repeats} times"
    wanted = [f"“{properties.get(key).label}”" for key in method.needs]
    values = "samples’ values" if method.over == "project" else "values"
    return f"{method.at_least} {values} of {' and '.join(wanted) or 'the same quantity'}"


def _lock(loaded: LoadedMethod, subject: Subject) -> Run | None:
    """One at a time for a subject, so that what is asked last has also read last. The last run of it."""
    type(subject).objects.select_for_update(no_key=True).get(pk=subject.pk)
    earlier = Run.objects.filter(**{loaded.method.over: subject}, method=loaded.key, verifies=None)
    return earlier.order_by("-method_version", "-requested_at", "-pk").first()


def _answering(
    loaded: LoadedMethod,
    subject: Subject,
    rows: Rows,
    params: Mapping[str, Any],
    last: Run | None,
    user: User | None = None,
    trigger: str = str(Run.Trigger.VALUES),
) -> tuple[Run, bool]:
    """The run that reads these rows, and whether it is new. With a user it is that person's."""
    settled = methods.canonical_params(loaded, wanted_by(_project_of(subject), loaded) | dict(params))
    now = timezone.now()
    link = loaded.method.over
    run, is_new = Run.objects.get_or_create(
        identity=identity_over(loaded, settled, subject, rows),
        defaults={
            link: subject,
            "method": loaded.key,
            "method_version": loaded.method.version,
            "params": settled,
            "trigger": Run.Trigger.PERSON if user else trigger,
            "lane": lane_of(loaded),
            "priority": Run.Priority.PERSON if user else Run.Priority.UPLOAD,
            "requested_by": user,
            "requested_at": now,
            "queued_at": now,
            "supersedes": last,
        },
    )
    if is_new:
        earlier = Run.objects.filter(**{link: subject}, method=loaded.key, verifies=None)
        _put_in_place_of(earlier.exclude(pk=run.pk), run, rows)
    return run, is_new


def _project_of(subject: Subject) -> int:
    return subject.pk if isinstance(subject, Project) else subject.project_id


def _put_in_place_of(earlier: Iterable[Run], run: Run, rows: Rows) -> None:
    """What still waits with yesterday's values need not be computed any more."""
    ValueInput.objects.bulk_create(ValueInput(run=run, value_id=pk) for pk in rows)
    Run.objects.filter(pk__in=[e.pk for e in earlier], status=Run.Status.QUEUED).update(
        status=Run.Status.CANCELLED,
        finished_at=timezone.now(),
        message="Before it began it was asked anew: its values have changed, or its parameters.",
    )
    queue(run)


def _retire(loaded: LoadedMethod, subject: Subject) -> None:
    """What was found from values that no longer count does not count either; it stays readable."""
    answered = Run.objects.filter(**{loaded.method.over: subject}, method=loaded.key, verifies=None)
    if answered.filter(stale="").update(stale=NOTHING_LEFT):
        decide_current(subject, loaded.key)
