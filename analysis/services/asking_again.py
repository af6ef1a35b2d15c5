"""Asking many outdated runs again at once: rows in bulk, one message at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from analysis import methods
from analysis.models import Calibration, ProjectParams, Reanalysis, Run, RunInput
from analysis.services import requesting
from analysis.services.choosing import chosen_for, named_inputs, recorded, said_about
from analysis.services.currency import decide_current
from analysis.services.inputs import datasets_of, own_inputs, stated
from analysis.services.parameters import settled, still_known
from analysis.services.waking import wake
from measurements.models import Dataset, Measurement

AT_ONCE = 1000


@dataclass(frozen=True)
class Question:
    """A run that is outdated, and what its method would read today."""

    old: Run
    datasets: Mapping[str, Dataset]
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)


@transaction.atomic
def ask_again(runs: Iterable[Run], campaign: Reanalysis) -> list[Run]:
    """A new run for every one of these, with the parameters it had, for the newest version and the datasets
    of today. Those that were answered before are taken at their word, and not returned."""
    asked: list[Run] = []
    waiting = iter(runs)
    while some := list(islice(waiting, AT_ONCE)):
        asked += _ask_again(some, campaign)
    for lane in sorted({run.lane for run in asked}):
        wake(lane)
    return asked


def _ask_again(runs: Sequence[Run], campaign: Reanalysis) -> list[Run]:
    now = timezone.now()
    defaults = {row.method: row for row in ProjectParams.objects.filter(project=campaign.project_id)}
    asked: dict[str, tuple[Run, Question]] = {}
    for question in _questions(runs):
        new = _run(question, campaign, now, defaults.get(question.old.method))
        asked[new.identity] = new, question
    known = {run.identity: run for run in Run.objects.filter(identity__in=asked)}
    fresh = [both for key, both in asked.items() if key not in known]
    Run.objects.bulk_create([new for new, _ in fresh])
    RunInput.objects.bulk_create(
        RunInput(
            run=new,
            role=role,
            dataset=dataset,
            calibration=question.calibrations.get(role),
            conditions=stated(dataset),
        )
        for new, question in fresh
        for role, dataset in question.datasets.items()
    )
    again = [run for key, run in known.items() if _waits_again(run, *asked[key])]
    return [new for new, _ in fresh] + again


def _run(question: Question, campaign: Reanalysis, now: datetime, defaults: ProjectParams | None) -> Run:
    old, loaded = question.old, methods.get(question.old.method)
    assert old.measurement is not None
    params = _params(loaded, old, defaults)
    return Run(
        measurement=old.measurement,
        method=old.method,
        method_version=loaded.method.version,
        params=params,
        identity=requesting.identity(
            old.method, loaded.method.version, params, old.measurement.pk, question.datasets
        ),
        trigger=campaign.trigger,
        requested_by=campaign.asked_by,
        requested_at=now,
        queued_at=now,
        lane=requesting.lane_of(loaded),
        priority=Run.Priority.REANALYSIS,
        warnings=said_about(old.measurement, question.calibrations) if question.calibrations else [],
        supersedes=old,
        reanalysis=campaign,
    )


def _waits_again(run: Run, new: Run, question: Question) -> bool:
    """The question has been put before: an answer counts again, a failure is tried again."""
    for role, dataset in question.datasets.items():  # the same content, read again by the same reader
        run.inputs.filter(role=role).update(dataset=dataset)
    recorded(run, question.calibrations)
    failed = run.status in (Run.Status.FAILED, Run.Status.CANCELLED) and run.pk != question.old.pk
    run.stale, run.requested_at = "", new.requested_at
    if not failed:
        run.save(update_fields=["stale", "requested_at"])
        decide_current(new.measurement, run.method)
        return False
    run.status, run.queued_at, run.attempts, run.message = Run.Status.QUEUED, new.queued_at, 0, ""
    run.priority, run.reanalysis, run.supersedes = new.priority, new.reanalysis, question.old
    run.cancel_asked_at = None
    run.save()
    return True


def _questions(runs: Sequence[Run]) -> Iterator[Question]:
    """Without those of which an input cannot be read any more, or whose calibration is missing: their old
    values stay."""
    held: dict[int, list[Dataset]] = defaultdict(list)
    for dataset in datasets_of(list({run.measurement_id for run in runs if run.measurement_id})):
        held[dataset.measurement_id].append(dataset)
    for run in runs:
        loaded = methods.get(run.method)
        assert run.measurement is not None
        own = own_inputs(loaded, held[run.measurement.pk])
        chosen: Mapping[str, Calibration] = {}
        others: dict[str, Measurement] = {}
        if len(loaded.method.accepts) > 1:  # rarely; without it one query serves a thousand
            named = named_inputs(run)
            chosen = chosen_for(loaded, run.measurement, {*named, *own})
            others = {role: calibration.measurement for role, calibration in chosen.items()} | named
        try:
            datasets = requesting.inputs_of(loaded, run.measurement, others, own)
        except requesting.NothingToRunError:
            continue
        yield Question(run, datasets, chosen)


def _params(loaded: methods.LoadedMethod, run: Run, defaults: ProjectParams | None) -> dict[str, Any]:
    """Those it had; where they were the default of its project, what that is today."""
    if defaults is not None and run.params in defaults.former:
        return settled(loaded, defaults)
    return methods.canonical_params(loaded, still_known(loaded, run.params))
