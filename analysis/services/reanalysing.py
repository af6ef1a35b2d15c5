"""Reanalysis: what is outdated is asked again, in campaigns of one project each.

A campaign is planned (how many, how long), begun, paused and resumed, and reports when its last run has
ended. Its runs wait at the lowest priority: uploads and people pass them.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from analysis import methods
from analysis.models import Reanalysis, Run
from analysis.services.asking_again import ask_again
from analysis.services.campaign_report import report_of
from analysis.services.notices import tell_of_campaign
from analysis.services.outdated import outdated_of
from analysis.services.waking import wake
from analysis.services.webhooks import tell_of_reanalysis
from samples.models import Project, User

REMEMBERED = 500
PAUSED = "Paused with its reanalysis; it goes on when that is resumed."


@dataclass(frozen=True)
class Planned:
    """So many runs of one method in one project, for one reason; `seconds` of computing, None when no run of
    the method has ended yet."""

    project: Project
    method: str
    reason: str
    runs: int
    seconds: float | None


def plan(projects: Iterable[Project], method: str | None = None) -> list[Planned]:
    """What `begin` would ask, and how long that took before. Nothing is changed."""
    by_key = {project.pk: project for project in projects}
    found = []
    for key in methods.registry():
        if method not in (None, key):
            continue
        counted = (
            outdated_of(key)
            .filter(measurement__project__in=by_key)
            .order_by()
            .values_list("measurement__project", "reason")
            .annotate(runs=Count("pk"))
        )
        took_s = _typical_s(key) if counted else None
        found += [
            Planned(by_key[pk], key, reason, runs, None if took_s is None else runs * took_s)
            for pk, reason, runs in counted
        ]
    return sorted(found, key=lambda each: (each.project.name, each.method, each.reason))


def _typical_s(method: str) -> float | None:
    """Median duration of the last runs that ended well."""
    done = Run.objects.filter(method=method, status=Run.Status.DONE, duration_s__isnull=False)
    last = list(done.order_by("-pk").values_list("duration_s", flat=True)[:REMEMBERED])
    return statistics.median(last) if last else None


@transaction.atomic
def begin(
    project: Project,
    method: str | None = None,
    *,
    user: User | None = None,
    trigger: str = "schedule",
    reason: str = "",
) -> Reanalysis | None:
    """A campaign over everything outdated in a project; None when nothing is. A second call finds nothing."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # two at once ask everything once
    outdated = [
        run for key in _keys(method) for run in outdated_of(key, project).select_related("measurement")
    ]
    if not outdated:
        return None
    campaign = Reanalysis.objects.create(
        trigger=trigger, method=method or "", project=project, asked_by=user, reason=reason.strip()
    )
    campaign.found = len(ask_again(outdated, campaign))
    if not campaign.found:  # all of them had been answered before
        campaign.delete()
        return None
    campaign.save(update_fields=["found"])
    return campaign


def _keys(method: str | None) -> list[str]:
    return list(methods.registry()) if method is None else [methods.get(method).key]


def reanalyse(
    method: str | None = None, projects: Iterable[Project] | None = None, *, trigger: str = "schedule"
) -> list[Reanalysis]:
    """A campaign for every project in which something is outdated."""
    wanted = Project.objects.all() if projects is None else projects
    asked = [begin(project, method, trigger=trigger) for project in wanted]
    return [campaign for campaign in asked if campaign is not None]


@transaction.atomic
def pause(campaign: Reanalysis) -> int:
    """What runs now ends; what waits, waits until somebody resumes it. How many wait."""
    mine = Reanalysis.objects.filter(pk=campaign.pk, state=Reanalysis.State.RUNNING)
    if not mine.update(state=Reanalysis.State.PAUSED):
        return 0
    waiting = Run.objects.filter(reanalysis=campaign, status=Run.Status.QUEUED)
    return waiting.update(status=Run.Status.CANCELLED, message=PAUSED)


@transaction.atomic
def resume(campaign: Reanalysis) -> int:
    """How many wait again."""
    mine = Reanalysis.objects.filter(pk=campaign.pk, state=Reanalysis.State.PAUSED)
    if not mine.update(state=Reanalysis.State.RUNNING):
        return 0
    paused = Run.objects.filter(reanalysis=campaign, status=Run.Status.CANCELLED, message=PAUSED)
    runs = list(paused.select_for_update())
    paused.update(status=Run.Status.QUEUED, queued_at=timezone.now(), message="")
    for lane in sorted({run.lane for run in runs}):
        wake(lane)
    return len(runs)


def finish_campaigns() -> int:
    """Write the report of every campaign whose last run has ended, once, and tell the people concerned."""
    unfinished = Run.objects.filter(
        reanalysis=OuterRef("pk"), status__in=[Run.Status.QUEUED, Run.Status.RUNNING]
    )
    over = Reanalysis.objects.filter(~Exists(unfinished), state=Reanalysis.State.RUNNING)
    return sum(_finish(campaign) for campaign in over.select_related("project"))


@transaction.atomic
def _finish(campaign: Reanalysis) -> bool:
    mine = Reanalysis.objects.filter(pk=campaign.pk, state=Reanalysis.State.RUNNING)
    if not mine.update(state=Reanalysis.State.DONE, finished_at=timezone.now()):
        return False  # somebody else reports it
    mine.model.objects.filter(pk=campaign.pk).update(report=report_of(campaign))
    campaign.refresh_from_db()
    tell_of_campaign(campaign)
    tell_of_reanalysis(campaign)
    return True
