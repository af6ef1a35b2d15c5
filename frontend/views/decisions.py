"""What can be decided on the page of a measurement: its sample, void or not, read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from frontend.access import login_required, must_write
from measurements import moves, services
from measurements.models import Decision, Measurement
from measurements.services import RefusedError
from measurements.services.suggesting import suggest
from measurements.services.waiting import why
from measurements.techniques import Technique
from samples.models import Sample


@dataclass(frozen=True)
class Told:
    decision: Decision
    sentence: str
    by: str


def decided(request: HttpRequest, row: Measurement) -> dict[str, Any]:
    """What the page of a measurement says about it: the newest decision first."""
    rows = list(row.decisions.select_related("by", "rule").order_by("-pk"))
    codes = moves.codes_seen(rows, request.user)
    told = [Told(each, _sentence(each, codes), _by(each)) for each in rows]
    moved = next((each for each in rows if each.kind in (Decision.Kind.MOVED, Decision.Kind.ASSIGNED)), None)
    back = moves.said(moved, "from", codes) if moved and moved.to_sample_id == row.sample_id else ""
    return {
        "decisions": told,
        "conflict": next((r for r in why(request.user, [row])[row.pk] if r.key == "conflict"), None),
        "suggestion": suggest(request.user, [row]).get(row.pk) if row.conflict else None,
        "moves_back_to": "" if back in (moves.HIDDEN, "") else back,
        "moves_back_to_code": back if back in codes.values() else "",
    }


def _sentence(row: Decision, codes: dict[int, str]) -> str:
    if row.kind in (Decision.Kind.ASSIGNED, Decision.Kind.MOVED):
        return f"moved from {moves.said(row, 'from', codes)} to {moves.said(row, 'to', codes)}"
    if row.kind == Decision.Kind.TECHNIQUE:
        labels = dict(Technique.choices)
        return f"technique: {labels.get(row.before, row.before)} → {labels.get(row.after, row.after)}"
    return str(row.get_kind_display())


def _by(row: Decision) -> str:
    if row.rule is not None:
        return f"the rule {row.rule}" + (f", applied by {row.by.username}" if row.by else "")
    return row.by.username if row.by else "Vitrine"


def _act(what: Callable[[HttpRequest, Measurement], str]) -> Callable[..., HttpResponse]:
    @require_POST
    @login_required
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        seen = Measurement.objects.visible_to(request.user).select_related("project", "sample")
        row = get_object_or_404(seen, pk=pk)
        must_write(request, row.project_id)
        try:
            messages.success(request, what(request, row))
        except RefusedError as error:
            messages.error(request, error.message)
        except PermissionDenied as error:
            messages.error(request, str(error))
        return redirect(row)

    return view


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "")


def _move(request: HttpRequest, row: Measurement) -> str:
    code = request.POST.get("sample", "").strip()
    to = _sample(request, code) if code else None
    if to is None and "inbox" not in request.POST:
        raise RefusedError("sample", "Say which sample it belongs to.")
    services.move(row, to, user=request.user, reason=_reason(request))
    return f"It belongs to {to.code} now, with everything computed from it." if to else "It is in the inbox."


def _void(request: HttpRequest, row: Measurement) -> str:
    services.void(row, user=request.user, reason=_reason(request))
    return "It is void: its values have left the figures. Restore it here if that was wrong."


def _restore(request: HttpRequest, row: Measurement) -> str:
    services.restore(row, user=request.user, reason=_reason(request))
    return "It is no longer void."


def _reread(request: HttpRequest, row: Measurement) -> str:
    services.reread(row, user=request.user, reason=_reason(request))
    return "It is read again; what was read before stays readable."


def _keep(request: HttpRequest, row: Measurement) -> str:
    services.keep(row, user=request.user, reason=_reason(request))
    return "It stays as it is."


def _sample(request: HttpRequest, code: str) -> Sample:
    found = Sample.objects.visible_to(request.user).filter(code__iexact=code).first()
    if found is None:
        raise RefusedError("sample", f"There is no sample “{code}”. Check the code on the label.")
    return found


urlpatterns: list[URLPattern] = [
    path("measurements/<int:pk>/move/", _act(_move), name="decide-move"),
    path("measurements/<int:pk>/void/", _act(_void), name="decide-void"),
    path("measurements/<int:pk>/restore/", _act(_restore), name="decide-restore"),
    path("measurements/<int:pk>/reread/", _act(_reread), name="decide-reread"),
    path("measurements/<int:pk>/keep/", _act(_keep), name="decide-keep"),
]
