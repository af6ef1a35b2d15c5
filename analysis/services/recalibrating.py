"""What follows from a calibration that was added, replaced or withdrawn.

A run disagrees when it was given another calibration than would be chosen for it today. Its values are
flagged with a sentence, and its question is put again. Who named an input by hand has decided: their runs are
left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, Q, Subquery, When
from django.db.models import Value as Constant
from django.db.models.functions import Coalesce
from django.utils import timezone

from analysis import methods
from analysis.methods import LoadedMethod, Role
from analysis.models import Calibration, Reanalysis, Run, RunInput, Value
from analysis.querysets import RunQuerySet
from analysis.services.asking_again import ask_again
from analysis.services.choosing import serving
from analysis.services.requesting import NothingToRunError, request_run
from measurements.models import Instrument, Measurement
from samples.queueing import enqueue

NONE = 0  # no calibration, where a key would stand


def disagreeing(instrument: Instrument | None = None) -> Iterator[tuple[Role, RunQuerySet]]:
    """For every role that a calibration fills, the runs to be flagged, annotated with the keys of the
    calibration that they were given (`used`) and of the one that is `valid`."""
    for loaded, role in _roles():
        yield role, _disagreeing(loaded.key, role, instrument)


def _disagreeing(method: str, role: Role, instrument: Instrument | None) -> RunQuerySet:
    given = RunInput.objects.filter(run=OuterRef("pk"), role=role.key)
    runs = _considered(method)
    if instrument is not None:
        runs = runs.filter(
            Q(measurement__instrument=instrument) | Exists(given.filter(calibration__instrument=instrument))
        )
    moment = Coalesce("measurement__acquired_at", "measurement__received_at")
    found: RunQuerySet = (
        runs.annotate(moment=moment)
        .annotate(
            used=_key(Subquery(given.values("calibration")[:1])),
            valid=Case(
                When(Exists(serving(OuterRef("measurement"))), then=Constant(NONE)),
                default=_key(_valid("measurement__instrument", role)),
                output_field=BigIntegerField(),
            ),
        )
        .filter(~Exists(given.filter(calibration=None)))
        .exclude(used=F("valid"))
    )
    return found


def _key(calibration: Subquery) -> Coalesce:
    return Coalesce(calibration, Constant(NONE), output_field=BigIntegerField())


def _valid(instrument: str, role: Role) -> Subquery:
    of_instrument = Calibration.objects.filter(instrument=OuterRef(instrument), kind=role.calibration)
    return Subquery(of_instrument.valid_at(OuterRef("moment")).values("pk")[:1])


def _considered(method: str) -> RunQuerySet:
    """Runs whose values are shown, and those asked last: what came before has been answered anew."""
    same = Run.objects.filter(measurement=OuterRef("measurement"), method=method, verifies=None)
    asked_later = same.filter(requested_at__gt=OuterRef("requested_at"))
    shown = Value.objects.filter(run=OuterRef("pk"), current=True)
    runs: RunQuerySet = (
        Run.objects.filter(method=method, measurement__isnull=False, verifies=None)
        .exclude(status=Run.Status.CANCELLED)
        .exclude(measurement__status=Measurement.Status.VOID)
        .annotate(is_last=~Exists(asked_later))
        .filter(Q(is_last=True) | Exists(shown))
    )
    return runs


def _roles() -> Iterator[tuple[LoadedMethod, Role]]:
    for loaded in methods.registry().values():
        for role in loaded.method.accepts:
            if role.calibration:
                yield loaded, role


@transaction.atomic
def flag(instrument: Instrument | None = None) -> int:
    """At once and in a few statements: runs whose values are in doubt say so, those that are not any more do
    not. How many are newly flagged. The questions are put again in the background."""
    flagged = _flag(instrument)
    from analysis import tasks

    enqueue(tasks.recalibrate, *([instrument.pk] if instrument else []))
    return flagged


def _flag(instrument: Instrument | None) -> int:
    doubts: dict[int, list[str]] = defaultdict(list)
    for role, runs in disagreeing(instrument):
        rows = list(runs.values_list("pk", "used", "valid"))
        known = Calibration.objects.in_bulk({key for _, *keys in rows for key in keys} - {NONE})
        for pk, used, valid in rows:
            doubts[pk].append(_sentence(role, known.get(used), known.get(valid)))
    by_sentence: dict[str, list[int]] = defaultdict(list)
    for pk, sentences in doubts.items():
        by_sentence[" ".join(sentences)].append(pk)
    flagged = sum(
        Run.objects.filter(pk__in=keys).exclude(stale=sentence).update(stale=sentence)
        for sentence, keys in by_sentence.items()
    )
    _clear(instrument, doubts)
    return flagged


def _clear(instrument: Instrument | None, doubts: dict[int, list[str]]) -> None:
    for method in {loaded.key for loaded, _ in _roles()}:
        runs = _considered(method).exclude(stale="").exclude(pk__in=list(doubts))
        if instrument is not None:
            runs = runs.filter(measurement__instrument=instrument)
        Run.objects.filter(pk__in=list(runs.values_list("pk", flat=True))).update(stale="")


def _sentence(role: Role, used: Calibration | None, valid: Calibration | None) -> str:
    kind = Calibration.Kind(role.calibration).label
    if used is None:
        assert valid is not None  # two of none do not disagree
        return f"Computed without {_lower(kind)}; a calibration of {_day(valid.valid_from)} is valid now."
    old = f"The calibration “{_lower(kind)}” of {_day(used.valid_from)}"
    if used.withdrawn_at is not None:
        happened = f"{old} was withdrawn"
    elif used.measurement.status != Measurement.Status.READ:
        happened = f"{old} rests on a measurement that does not count any more"
    elif valid is not None:
        return f"{old} was replaced by the one of {_day(valid.valid_from)}."
    else:
        return f"{old} is not valid for this measurement."
    if valid is not None:
        return f"{happened}; the one of {_day(valid.valid_from)} takes its place."
    return f"{happened}, and no other is valid{'' if role.required else '; it is computed without one'}."


def _lower(label: str) -> str:
    """ "Dark counts" within a sentence, but "q scale (AgBeh)" as it is."""
    return label[:1].lower() + label[1:]


def _day(moment: datetime) -> str:
    """In the zone of the house, for the sentence is kept."""
    local = moment.astimezone(timezone.get_default_timezone())
    return f"{local.day} {local:%B %Y}"


def recalibrate(instrument: Instrument | None = None) -> list[Run]:
    """Put every question again whose answer rests on another calibration than would be chosen today, and
    those that could not be put for want of one. What is to be computed; a second call finds nothing.

    One campaign for each project, whose report says what moved.
    """
    _flag(instrument)  # a measurement may have got another date or instrument meanwhile
    affected: dict[int, dict[int, Run]] = defaultdict(dict)
    for role, runs in disagreeing(instrument):
        last = runs.filter(is_last=True)
        if role.required:
            last = last.exclude(valid=NONE)
        for run in last.select_related("measurement__instrument"):
            assert run.measurement is not None  # as `_considered` asks
            affected[run.measurement.project_id][run.pk] = run
    asked = []
    for project_id, runs_of_project in affected.items():
        asked += _campaign(project_id, list(runs_of_project.values()), instrument)
    for loaded, measurement in _waiting(instrument):
        with suppress(NothingToRunError):
            asked.append(request_run(measurement, loaded.key, trigger=Run.Trigger.CALIBRATION)[0])
    return asked


@transaction.atomic
def _campaign(project_id: int, runs: list[Run], instrument: Instrument | None) -> list[Run]:
    Run.objects.filter(pk__in=[run.pk for run in runs], status=Run.Status.QUEUED).update(
        status=Run.Status.CANCELLED,
        finished_at=timezone.now(),
        message="Before it began another calibration became valid; it is asked again with that one.",
    )
    campaign = Reanalysis.objects.create(
        trigger=Run.Trigger.CALIBRATION,
        project_id=project_id,
        reason=f"Calibrations of {instrument} changed." if instrument else "Calibrations changed.",
    )
    asked = ask_again(runs, campaign)
    if not asked:  # every answer was there from before, and is current again
        campaign.delete()
        return []
    campaign.found = len(asked)
    campaign.save(update_fields=["found"])
    return asked


def _waiting(instrument: Instrument | None) -> Iterator[tuple[LoadedMethod, Measurement]]:
    """Measurements that a method would have analysed, had there been the calibrations that it needs."""
    for loaded in methods.registry().values():
        needed = [role for role in loaded.method.accepts if role.required and role.calibration]
        if not needed or not any(
            loaded in methods.for_technique(t) for t in loaded.method.accepts[0].techniques
        ):
            continue
        rows = Measurement.objects.filter(
            ~Exists(serving(OuterRef("pk"))),
            ~Exists(Run.objects.filter(measurement=OuterRef("pk"), method=loaded.key)),
            status=Measurement.Status.READ,
            technique__in=loaded.method.accepts[0].techniques,
        ).annotate(moment=Coalesce("acquired_at", "received_at"))
        if instrument is not None:
            rows = rows.filter(instrument=instrument)
        for number, role in enumerate(needed):
            rows = rows.annotate(**{f"valid_{number}": _valid("instrument", role)})
            rows = rows.filter(**{f"valid_{number}__isnull": False})
        for measurement in rows:
            yield loaded, measurement
