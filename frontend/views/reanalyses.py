"""Reanalysis, for managers: what is outdated, the button that asks it again, and what came of it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from analysis import methods, properties, services
from analysis.models import Reanalysis, Run, Schedule, Value
from analysis.services.campaign_report import change_rows
from analysis.services.outdated import REASONS
from analysis.services.schedule import DAYS, TASK, Nightly, nightly, set_nightly
from frontend.access import login_required
from frontend.forms.base import Form
from frontend.scope import scope
from frontend.views.comparing import in_sigmas
from samples.models import Project, Sample

RECENT = 30
ENDED = Q(runs__status__in=["done", "failed", "cancelled"])


class ScheduleForm(Form):
    enabled = forms.BooleanField(label="Ask again by itself", required=False)
    at = forms.TimeField(label="At (UTC)", widget=forms.TimeInput(attrs={"type": "time"}))
    day = forms.TypedChoiceField(
        label="On",
        choices=[("", "every day"), *((str(n), f"every {day}") for n, day in enumerate(DAYS))],
        coerce=int,
        empty_value=None,
        required=False,
    )


def managed(request: HttpRequest) -> list[Project]:
    chosen = scope(request)
    mine = [m.project for m in chosen.memberships if chosen.manages(m.project_id)]
    return [project for project in mine if chosen.project in (None, project)]


def _manages_anything(request: HttpRequest) -> bool:
    chosen = scope(request)
    return any(chosen.manages(m.project_id) for m in chosen.memberships)


@login_required
def reanalysis_list(request: HttpRequest) -> HttpResponse:
    if not _manages_anything(request) and not request.user.is_staff:
        raise PermissionDenied("Reanalysis is for managers of a project; ask one of them.")
    projects = managed(request)
    when = nightly()
    campaigns = Reanalysis.objects.visible_to(request.user).filter(project__in=projects)
    context = {
        "planned": [(each, _title(each.method), REASONS[each.reason]) for each in services.plan(projects)],
        "projects": projects,
        "campaigns": campaigns.select_related("project", "asked_by").annotate(
            ended=Count("runs", filter=ENDED)
        )[:RECENT],
        "schedule": when,
        "schedule_row": Schedule.objects.filter(task=TASK).order_by("pk").first(),
        "form": ScheduleForm(initial={"enabled": when.enabled, "at": when.at, "day": when.day}),
    }
    return render(request, "reanalysis/list.html", context)


@require_POST
@login_required
def begin(request: HttpRequest) -> HttpResponse:
    project = get_object_or_404(
        Project.objects.visible_to(request.user), slug=request.POST.get("project", "")
    )
    if not scope(request).manages(project.pk):
        raise PermissionDenied("Only a manager of the project may begin a reanalysis.")
    method = request.POST.get("method") or None
    if method is not None and method not in methods.registry():
        messages.error(request, f"There is no method “{method}”.")
        return redirect("reanalyses")
    campaign = services.begin(project, method, user=request.user, trigger=Run.Trigger.PERSON)
    if campaign is None:
        messages.info(request, "Nothing is outdated any more.")
        return redirect("reanalyses")
    messages.success(request, "Begun. It waits behind uploads and behind what people ask for.")
    return redirect("reanalysis", campaign.pk)


@login_required
def reanalysis(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = _campaign(request, pk)
    counted = campaign.runs.aggregate(
        done=Count("pk", filter=Q(status="done")),
        failed=Count("pk", filter=Q(status="failed")),
        cancelled=Count("pk", filter=Q(status="cancelled")),
        running=Count("pk", filter=Q(status="running")),
        waiting=Count("pk", filter=Q(status="queued")),
    )
    context = {
        "campaign": campaign,
        "method": _title(campaign.method) if campaign.method else "",
        "counted": counted,
        "ended": counted["done"] + counted["failed"] + counted["cancelled"],
        **(_told(request, campaign) if campaign.report else {}),
    }
    part = request.GET.get("part") == "live"
    return render(request, "reanalysis/live.html" if part else "reanalysis/reanalysis.html", context)


@dataclass(frozen=True)
class Moved:
    label: str
    component: str
    old: Value
    new: Value
    shift: str


def _told(request: HttpRequest, campaign: Reanalysis) -> dict[str, Any]:
    """The report in words; only of what its reader may see when they read it."""
    report = campaign.report
    keys = [change[which] for change in report["largest"] for which in ("old", "new")]
    seen = Value.objects.visible_to(request.user).select_related("sample", "run")
    values = seen.in_bulk(keys)
    largest = [
        Moved(
            _label(values[change["new"]].property),
            values[change["new"]].component,
            values[change["old"]],
            values[change["new"]],
            in_sigmas(change["sigmas"]),
        )
        for change in report["largest"]
        if change["old"] in values and change["new"] in values
    ]
    ranked = {pk for each in report["conclusions"] for pk in (*each["before"], *each["after"])}
    codes = Sample.objects.visible_to(request.user).in_bulk(list(ranked))
    return {
        "report": report,
        "bands": _bands(report["bounds"]),
        "distributions": [{**each, "label": _label(each["property"])} for each in report["properties"]],
        "largest": largest,
        "conclusions": [
            {
                "label": _label(each["property"]),
                "component": each["component"],
                "origin": each["origin"],
                "before": [codes[pk] for pk in each["before"] if pk in codes],
                "after": [codes[pk] for pk in each["after"] if pk in codes],
                "leader": each["before"][:1] != each["after"][:1],
            }
            for each in report["conclusions"]
        ],
        "failures": report["failures"],
    }


def _bands(bounds: list[float]) -> list[str]:
    """`below 0.1 σ`, `to 0.5 σ`, …, `above 5 σ`"""
    return [
        f"<\u202f{bounds[0]:g}\u202fσ",
        *(f"to {b:g}\u202fσ" for b in bounds[1:]),
        f"≥\u202f{bounds[-1]:g}\u202fσ",
    ]


def _label(key: str) -> str:
    declared = properties.all().get(key)
    return declared.label if declared else key


def _title(key: str) -> str:
    loaded = methods.registry().get(key)
    return loaded.method.title if loaded else key


def _campaign(request: HttpRequest, pk: int) -> Reanalysis:
    seen = Reanalysis.objects.visible_to(request.user)
    return get_object_or_404(seen.select_related("project", "asked_by"), pk=pk)


@require_POST
@login_required
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    waiting = services.pause(_campaign(request, pk))
    messages.success(request, f"Paused: {waiting} wait until somebody resumes it.")
    return redirect("reanalysis", pk)


@require_POST
@login_required
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    again = services.resume(_campaign(request, pk))
    messages.success(request, f"It goes on: {again} are to be done.")
    return redirect("reanalysis", pk)


class _Echo:
    """What a CSV writer takes for a file, and what gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


@login_required
def changes_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    campaign = _campaign(request, pk)

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        for row in change_rows(campaign, request.user):
            yield writer.writerow(row)

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="reanalysis-{campaign.pk}.csv"'
    return answer


@require_POST
@login_required
def schedule(request: HttpRequest) -> HttpResponse:
    form = ScheduleForm(request.POST)
    if not request.user.is_staff:
        raise PermissionDenied("Only an operator of this installation may change when reanalysis runs.")
    if not form.is_valid():
        messages.error(request, "Nothing was changed. Give a time of day, such as 02:30.")
        return redirect("reanalyses")
    at: time = form.cleaned_data["at"]
    set_nightly(Nightly(form.cleaned_data["enabled"], at, form.cleaned_data["day"]), request.user)
    messages.success(request, str(nightly()))
    return redirect("reanalyses")


urlpatterns: list[URLPattern] = [
    path("reanalysis/", reanalysis_list, name="reanalyses"),
    path("reanalysis/begin/", begin, name="reanalysis-begin"),
    path("reanalysis/schedule/", schedule, name="reanalysis-schedule"),
    path("reanalysis/<int:pk>/", reanalysis, name="reanalysis"),
    path("reanalysis/<int:pk>/changes.csv", changes_csv, name="reanalysis-changes"),
    path("reanalysis/<int:pk>/pause/", pause, name="campaign-pause"),
    path("reanalysis/<int:pk>/resume/", resume, name="campaign-resume"),
]
