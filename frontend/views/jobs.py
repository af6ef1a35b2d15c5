"""Jobs: what runs, what waits, and what failed, by reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from analysis import methods
from analysis.models import Run
from analysis.services import request_run
from analysis.services.requesting import NothingToRunError
from frontend.access import login_required
from frontend.formatting import number
from frontend.scope import narrowed, scope
from measurements.models import Measurement
from samples.incoming import row_number

RECENT = 40
MOST_FAILURES = 500
RATE_OVER_S = 120
NUMBERS = re.compile(r"[−-]?\d[\d.,\u202f]*")


@dataclass
class Reason:
    """Failures that say the same, but for the numbers in it."""

    sentence: str
    title: str
    measurements: list[int] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.measurements)


@login_required
def jobs(request: HttpRequest) -> HttpResponse:
    runs: QuerySet[Run] = narrowed(Run.objects.all(), request, "measurement__project")
    measurements: QuerySet[Measurement] = narrowed(Measurement.objects.all(), request)
    context = _context(request, runs, measurements)
    return render(request, "jobs_live.html" if request.GET.get("part") == "live" else "jobs.html", context)


def _context(
    request: HttpRequest, runs: QuerySet[Run], measurements: QuerySet[Measurement]
) -> dict[str, Any]:
    lately = timezone.now() - timedelta(seconds=RATE_OVER_S)
    counted = runs.filter(Q(status__in=["queued", "running"]) | Q(finished_at__gte=lately)).aggregate(
        running=Count("pk", filter=Q(status="running")),
        waiting=Count("pk", filter=Q(status="queued")),
        finished=Count("pk", filter=Q(finished_at__gte=lately)),
    )
    unread = measurements.filter(status=Measurement.Status.RECEIVED).count()
    failed_runs = runs.filter(status=Run.Status.FAILED).order_by("-pk")[:MOST_FAILURES]
    unreadable = measurements.filter(status=Measurement.Status.FAILED).order_by("-pk")[:MOST_FAILURES]
    busy = counted["running"] + counted["waiting"] + unread > 0
    return {
        "sentence": sentence(counted["running"], counted["waiting"], unread, counted["finished"]),
        "busy": busy,
        "every": "2s" if busy else "15s",
        "reasons": [*_of_runs(failed_runs), *_of_files(unreadable)],
        "recent": runs.select_related("measurement__sample", "measurement__project")[:RECENT],
        "titles": {key: loaded.method.title for key, loaded in methods.registry().items()},
        "may_write": scope(request).may_write_anywhere,
    }


def sentence(running: int, waiting: int, unread: int, finished_lately: int) -> str:
    """`3 running, 212 waiting, about 4 minutes`; how long, from what was finished in the last two minutes."""
    if not running + waiting + unread:
        return "All done"
    parts = []
    if running:
        parts.append(f"{number(running)} running")
    if waiting:
        parts.append(f"{number(waiting)} waiting")
    if unread:
        parts.append(f"{number(unread)} {'file' if unread == 1 else 'files'} to be read")
    if finished_lately and waiting > 20:
        minutes = waiting / finished_lately * RATE_OVER_S / 60
        parts.append("less than a minute" if minutes < 1 else f"about {number(round(minutes))} min")
    return ", ".join(parts)


def _of_runs(runs: Iterable[Run]) -> list[Reason]:
    reasons: dict[tuple[str, str], Reason] = {}
    for run in runs:
        loaded = methods.registry().get(run.method)
        title = loaded.method.title if loaded else run.method
        reason = reasons.setdefault((title, _without_numbers(run.message)), Reason(run.message, title))
        reason.measurements.append(run.measurement_id)
        reason.runs.append(run.pk)
    return sorted(reasons.values(), key=lambda reason: -reason.count)


def _of_files(measurements: Iterable[Measurement]) -> list[Reason]:
    reasons: dict[str, Reason] = {}
    for row in measurements:
        reason = reasons.setdefault(_without_numbers(row.error), Reason(row.error, "Reading the file"))
        reason.measurements.append(row.pk)
    return sorted(reasons.values(), key=lambda reason: -reason.count)


def _without_numbers(text: str) -> str:
    return NUMBERS.sub("#", text)


@require_POST
@login_required
def retry(request: HttpRequest) -> HttpResponse:
    """Ask again for runs that failed, with the parameters that they had."""
    wanted = [pk for pk in map(row_number, request.POST.getlist("run")) if pk is not None]
    open_runs = Run.objects.open_to(request.user).filter(pk__in=wanted, status=Run.Status.FAILED)
    asked, refused = 0, ""
    for run in open_runs.select_related("measurement"):
        try:
            request_run(run.measurement, run.method, run.params, user=request.user)
            asked += 1
        except (KeyError, methods.ParamsError, NothingToRunError) as error:
            refused = str(error.args[0])
    if refused:
        messages.error(request, refused)
    if asked:
        messages.success(request, f"{number(asked)} asked for again.")
    return redirect("jobs")
