"""Instruments and their tokens. A token is shown once, at the moment it is made."""

from __future__ import annotations

import json
from pathlib import Path

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from knox.models import AuthToken

from frontend import calibrations
from frontend.access import login_required, must_manage
from frontend.forms.people import InstrumentForm
from frontend.scope import narrowed, scope
from measurements import agent as agent_file
from measurements.api.contents import attached
from measurements.models import Instrument, Measurement
from measurements.services import RefusedError, add_instrument, issue_token
from samples.models import Project, Role
from samples.querysets import hidden_from

RECENT = 10


@login_required
def instrument_list(request: HttpRequest) -> HttpResponse:
    seen = Q(measurements__sample=None) | ~Q(measurements__sample__in=hidden_from(request.user))
    rows = (
        narrowed(Instrument.objects.all(), request)
        .select_related("project")
        .annotate(
            sent=Count("measurements", filter=seen), last_sent=Max("measurements__received_at", filter=seen)
        )
    )
    context = {"instruments": list(rows), "may_write": scope(request).manages_anywhere}
    return render(request, "instruments/list.html", context)


@login_required
def instrument_create(request: HttpRequest) -> HttpResponse:
    projects = Project.objects.with_role(request.user, Role.MANAGER)
    if not projects.exists():
        raise PermissionDenied("Only a manager of a project adds instruments to it; ask one.")
    form = InstrumentForm(
        request.POST or None, projects=projects, initial={"project": scope(request).project}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = add_instrument(**form.cleaned_data)
        except RefusedError as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"{made.name} is known. Give it a token, and it can send its files.")
            return redirect("instrument", made.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "instruments/create.html", {"form": form}, status=status)


@login_required
def instrument(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk))


@never_cache
@require_POST
@login_required
def token_create(request: HttpRequest, pk: int) -> HttpResponse:
    row = _visible(request, pk)
    must_manage(request, row.project_id)
    _, token = issue_token(row.account)
    return _page(request, row, token)


@never_cache
@require_POST
@login_required
def agent(request: HttpRequest, pk: int) -> HttpResponse:
    """The program for the instrument's computer, with this address and a new token filled in."""
    row = _visible(request, pk)
    must_manage(request, row.project_id)
    _, token = issue_token(row.account)
    address = request.build_absolute_uri("/").rstrip("/")
    source = Path(agent_file.__file__).read_text(encoding="utf-8")
    filled = source.replace('SERVER = ""', f"SERVER = {json.dumps(address)}", 1)
    filled = filled.replace('TOKEN = ""', f"TOKEN = {json.dumps(token)}", 1)
    response = HttpResponse(filled, content_type="text/x-python; charset=utf-8")
    return attached(response, "vitrine_agent.py")


@require_POST
@login_required
def token_revoke(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    row = _visible(request, pk)
    must_manage(request, row.project_id)
    get_object_or_404(AuthToken, user=row.account, token_key=key).delete()
    messages.success(request, f"The token {key}… is revoked; whoever holds it is refused from now on.")
    return redirect("instrument", row.pk)


def _visible(request: HttpRequest, pk: int) -> Instrument:
    seen = Instrument.objects.visible_to(request.user).select_related("project", "account")
    return get_object_or_404(seen, pk=pk)


def _page(request: HttpRequest, row: Instrument, token: str = "") -> HttpResponse:
    recent = Measurement.objects.visible_to(request.user).filter(instrument=row).select_related("sample")
    known = calibrations.lines(row, request.user)
    context = {
        "instrument": row,
        "token": token,
        "tokens": list(AuthToken.objects.filter(user=row.account).order_by("-created")),
        "recent": list(recent.order_by("-pk")[:RECENT]),
        "address": request.build_absolute_uri("/api/v1/uploads/spectrum.csv"),
        "may_write": scope(request).manages(row.project_id),  # a token outlives its maker's membership
        "manages": scope(request).manages(row.project_id),
        "calibrations": known,
        "serving": {line.row.measurement_id for line in known if line.row.is_in_force},
        "most_calibrations": calibrations.MOST,
    }
    return render(request, "instruments/instrument.html", context)
