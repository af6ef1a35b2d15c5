"""Jobs: what runs, what waits, and what failed, by reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from analysis import methods, services
from analysis.backlog import Backlog, backlog, failed_runs, unreadable
from analysis.models import Run
from analysis.querysets import RunQuerySet
from analysis.services import request_over, request_run
from analysis.services.choosing import named_inputs
from analysis.services.requesting import NothingToRunError
from frontend.access import login_required
from frontend.formatting import number
from frontend.scope import scope
from measurements.models import Measurement
from measurements.services import reread
from samples.incoming import row_number
from samples.models import Project

RECENT = 40
MOST_AT_ONCE = 500


@login_required
def jobs(request: HttpRequest) -> HttpResponse:
    runs, measurements = _seen(request)
    found = backlog(runs, measurements)
    recent = list(runs.for_list()[:RECENT])
    for run in [*found.running, *recent]:
        run.may_cancel = scope(request).may_write(_project_of(run))
    context = {
        "sentence": sentence(found),
        "backlog": found,
        "recent": recent,
        "titles": {key: loaded.method.title for key, loaded in methods.registry().items()},
        "may_write": scope(request).may_write_anywhere,
    }
    return render(request, "jobs_live.html" if request.GET.get("part") == "live" else "jobs.html", context)


def _seen(request: HttpRequest) -> tuple[RunQuerySet, Any]:
    """What the reader may see, of the chosen project or of all theirs."""
    chosen = scope(request)
    if chosen.unknown:
        raise Http404("There is no such project among yours.")
    projects = [chosen.project.pk] if chosen.project else [m.project_id for m in chosen.memberships]
    return (
        Run.objects.visible_to(request.user, projects=projects),
        Measurement.objects.visible_to(request.user, projects=projects),
    )


def _project_of(run: Run) -> int:
    return run.over.pk if isinstance(run.over, Project) else run.over.project_id


def sentence(found: Backlog) -> str:
    """`3 running, 212 waiting, about 4 minutes`"""
    if not found.busy:
        return "All done"
    parts = []
    if found.runs:
        parts.append(f"{number(found.runs)} running")
    if found.waits:
        parts.append(f"{number(found.waits)} waiting")
    if found.unread:
        parts.append(f"{number(found.unread)} {'file' if found.unread == 1 else 'files'} to be read")
    if found.waits and found.about_s is not None:
        parts.append(in_words(found.about_s))
    return ", ".join(parts)


def in_words(seconds: float) -> str:
    """As exact as an estimate is: `less than a minute`, `about 4 minutes`, `about 3 hours`."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 60:
        return "less than a minute"
    if minutes < 100:
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    return f"about {number(hours)} hours" if hours < 72 else f"about {number(round(hours / 24))} days"


@require_POST
@login_required
def retry(request: HttpRequest) -> HttpResponse:
    """Everything that failed for one reason, or the runs named: asked again, with the parameters they had."""
    if request.POST.get("what") == "file":
        return _read_again(request)
    runs, _ = _seen(request)
    wanted = [pk for pk in map(row_number, request.POST.getlist("run")) if pk is not None]
    if "reason" in request.POST:
        key = (request.POST.get("method", ""), request.POST["reason"])
        wanted += [pk for each in failed_runs(runs) if (each.method, each.key) == key for pk in each.runs]
    open_runs = Run.objects.open_to(request.user).filter(
        pk__in=wanted, status=Run.Status.FAILED, verifies=None
    )
    asked, refused = 0, ""
    for run in open_runs.select_related("measurement").order_by("pk")[:MOST_AT_ONCE]:
        try:
            _again(run, request.user)
            asked += 1
        except (KeyError, methods.ParamsError, NothingToRunError) as error:
            refused = str(error.args[0])
    return _told(request, asked, len(wanted), refused, "asked for again")


def _again(run: Run, user: Any) -> None:
    if run.measurement is None:
        request_over(run.over, run.method, run.params, user=user)
    else:
        request_run(run.measurement, run.method, run.params, user=user, inputs=named_inputs(run))


def _read_again(request: HttpRequest) -> HttpResponse:
    _, measurements = _seen(request)
    reason = request.POST.get("reason", "")
    wanted = [pk for each in unreadable(measurements) if each.key == reason for pk in each.measurements]
    rows = Measurement.objects.open_to(request.user).filter(pk__in=wanted)
    asked, refused = 0, ""
    for row in rows.order_by("pk")[:MOST_AT_ONCE]:
        try:
            reread(row, user=request.user)
            asked += 1
        except ValidationError as error:
            refused = " ".join(error.messages)
    return _told(request, asked, len(wanted), refused, "handed to the readers again")


def _told(request: HttpRequest, asked: int, of: int, refused: str, done: str) -> HttpResponse:
    if refused:
        messages.error(request, refused)
    if asked:
        rest = f" of {number(of)}, press again for the rest" if asked == MOST_AT_ONCE < of else ""
        messages.success(request, f"{number(asked)} {done}{rest}.")
    return redirect("jobs")


@require_POST
@login_required
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=pk)
    if not Run.objects.open_to(request.user).filter(pk=pk).exists():
        raise PermissionDenied("You may look at this project but not end its runs; ask its manager.")
    ended = services.cancel(run)
    if ended.status == Run.Status.CANCELLED:
        messages.success(request, f"Run {pk} is cancelled.")
    elif ended.unfinished:
        messages.success(request, f"Run {pk} ends within seconds.")
    else:
        messages.success(request, f"Run {pk} had ended already.")
    return redirect("jobs")


urlpatterns: list[URLPattern] = [
    path("jobs/", jobs, name="jobs"),
    path("jobs/retry/", retry, name="jobs-retry"),
    path("jobs/<int:pk>/cancel/", cancel, name="job-cancel"),
]
