"""Storage: for operators all of it, for managers their projects. Who keeps how much, and is it sound?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST

from frontend.access import login_required
from frontend.forms.base import Form
from frontend.scope import scope
from measurements.models import Backup, Blob
from measurements.services import holdings, quota
from measurements.store import StoreError, store
from samples.models import Project

GB = 10**9
BACKUPS_SHOWN = 5
OLD_BACKUP = timedelta(days=8)  # a week, and a day for whoever notices


class QuotaForm(Form):
    limit_gb = forms.FloatField(label="Quota in GB", min_value=0, max_value=10**6, required=False)


def watched(request: HttpRequest) -> list[Project]:
    """The projects whose storage the reader answers for: all of them, or those that they manage."""
    if request.user.is_staff:
        return list(Project.objects.all())
    memberships = scope(request).memberships
    return [row.project for row in memberships if scope(request).manages(row.project_id)]


def damaged_files(request: HttpRequest) -> int:
    """How many damaged files the reader answers for; nearly always none, which an empty index tells."""
    damaged = Blob.objects.damaged()
    if not damaged.exists():
        return 0
    if not request.user.is_staff:
        damaged = holdings.damaged_of(watched(request))
    return damaged.count()


@login_required
def storage(request: HttpRequest) -> HttpResponse:
    projects = watched(request)
    is_operator = request.user.is_staff
    if not projects and not is_operator:
        raise PermissionDenied("Storage is for operators and for managers of a project; ask one of them.")
    damaged = holdings.damaged(None if is_operator else projects, request.user)
    backups = list(Backup.objects.all()[:BACKUPS_SHOWN])
    context: dict[str, Any] = {
        "is_operator": is_operator,
        "holdings": holdings.holdings(projects),
        "round": holdings.fixity_round(),
        "damaged": damaged,
        "backups": backups,
        "backup_is_old": bool(backups) and timezone.now() - backups[0].finished_at > OLD_BACKUP,
        "old_backup_days": OLD_BACKUP.days,
    }
    if is_operator:
        context |= _place()
    return render(request, "storage.html", context)


def _place() -> dict[str, Any]:
    try:
        files = store()
        files.require_reachable()
        return {"free_bytes": files.free_bytes(), "least_free_bytes": files.least_free_bytes}
    except StoreError as error:
        return {"unreachable": str(error)}


@require_POST
@login_required
def set_quota(request: HttpRequest, slug: str) -> HttpResponse:
    is_operator = request.user.is_staff
    seen = Project.objects.all() if is_operator else Project.objects.visible_to(request.user)
    project = get_object_or_404(seen, slug=slug)
    if not is_operator:
        raise PermissionDenied("Only an operator may change a quota.")
    form = QuotaForm(request.POST)
    if not form.is_valid():
        messages.error(request, "A quota is a number of GB, or empty for none.")
        return redirect("storage")
    limit_gb = form.cleaned_data["limit_gb"]
    quota.set_quota(project, None if limit_gb is None else round(limit_gb * GB))
    said = "may keep as much as there is room for" if limit_gb is None else f"may keep {limit_gb:g} GB"
    messages.success(request, f"{project} {said}.")
    return redirect("storage")


urlpatterns = [
    path("storage/", storage, name="storage"),
    path("projects/<slug:slug>/quota/", set_quota, name="project-quota"),
]
