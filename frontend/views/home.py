"""Home: what waits for me, what came in, the project's key figure."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analysis.backlog import without_numbers
from analysis.models import Run, Value
from analysis.querysets import RunQuerySet
from frontend.access import login_required, or_first_administrator
from frontend.scope import narrowed, scope
from frontend.values import shown
from frontend.views.storage import damaged_files
from measurements.models import Dataset, Measurement
from samples import supplies
from samples.models import Lot, Material, Sample

WAITING = 5
MANY = 200
RECENT = 7


@or_first_administrator
@login_required
def home(request: HttpRequest) -> HttpResponse:
    chosen = scope(request)
    context: dict[str, Any] = {
        "has_projects": bool(chosen.memberships),
        "damaged_files": damaged_files(request),
        "may_write": chosen.may_write_anywhere,
        "waiting": _waiting(request),
        "recent": _recent(request),
        "has_samples": narrowed(Sample.objects.kept(), request).exists(),
        "several_projects": chosen.project is None and len(chosen.memberships) > 1,
        "has_plqy": _has_values(request, "plqy"),
    }
    return render(request, "home.html", context)


def _waiting(request: HttpRequest) -> dict[str, Any]:
    """The first few of each kind; the lists behind them hold the rest."""
    measurements = narrowed(Measurement.objects.all(), request).select_related("sample")
    failed_runs = Run.objects.filter(status=Run.Status.FAILED, values__isnull=True)
    lots = narrowed(Lot.objects.all(), request, "sample__project").select_related("sample__material")
    return {
        "low": list(supplies.running_low(narrowed(Material.objects.all(), request), request.user)[:WAITING]),
        "expiring": list(supplies.expiring(lots)[:WAITING]),
        "inbox": list(measurements.inbox().filter(sample=None).order_by("-pk")[:WAITING]),
        "unread": list(measurements.filter(status=Measurement.Status.FAILED).order_by("-pk")[:WAITING]),
        "failures": _failures(narrowed(failed_runs, request, "measurement__project")),
        "planned": list(
            narrowed(Sample.objects.kept().filter(planned=True), request)
            .filter(created_by=request.user)
            .order_by("-pk")[:WAITING]
        ),
    }


def _failures(runs: RunQuerySet) -> list[dict[str, Any]]:
    """Failed runs by reason, the commonest first: one remedy helps them all. A sentence that differs in its
    numbers only is the same reason; that of the newest run stands for all."""
    newest = runs.select_related("measurement__sample").order_by("-pk")[:MANY]
    reasons: dict[tuple[str, str], list[Run]] = {}
    for run in newest:
        reasons.setdefault((run.method, without_numbers(run.message)), []).append(run)
    grouped = sorted(reasons.values(), key=lambda found: -len(found))
    return [
        {
            "method": found[0].method,
            "message": found[0].message,
            "runs": found[:WAITING],
            "more": len(found) - WAITING,
        }
        for found in grouped[:WAITING]
    ]


def _recent(request: HttpRequest) -> list[Measurement]:
    """The last measurements, each with its first picture and its first value."""
    current = Dataset.objects.filter(current=True).only("measurement_id", "preview", "number")
    rows = list(
        narrowed(Measurement.objects.all(), request)
        .select_related("sample", "instrument")
        .prefetch_related(
            Prefetch("datasets", queryset=current, to_attr="pictures"),
            Prefetch("values", queryset=Value.objects.current(), to_attr="current_values"),
        )
        .order_by("-pk")[:RECENT]
    )
    for measurement in rows:
        lines = shown(measurement.current_values)
        measurement.first_value = lines[0] if lines else None
    return rows


def _has_values(request: HttpRequest, key: str) -> bool:
    found = Value.objects.filter(property=key, current=True, value__isnull=False, sample__isnull=False)
    return narrowed(found, request, "sample__project").exists()
