"""Measurements: the list, the page of one, and what can be done on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from analysis import methods
from analysis.models import Calibration
from analysis.services import request_run
from analysis.services.choosing import without_secrets
from analysis.services.requesting import NothingToRunError
from frontend import runs
from frontend.access import login_required, must_write
from frontend.keyset import page
from frontend.plots import usual_scale
from frontend.scope import narrowed, scope
from frontend.views.decisions import decided
from frontend.views.pictures import in_colour
from measurements.models import Dataset, Measurement, QcLevel
from measurements.services import RefusedError, assign, set_technique
from measurements.techniques import Technique
from samples.incoming import row_number
from samples.models import Sample

FILTERS = {
    "technique": ("Technique", Technique.choices),
    "status": ("Status", Measurement.Status.choices),
    "origin": ("Origin", Measurement.Origin.choices),
    "qc_level": ("Quality", QcLevel.choices),
}

ASKED_FOR_WITHIN = timedelta(seconds=20)  # of the reading, unless the worker died in between


@login_required
def measurement_list(request: HttpRequest) -> HttpResponse:
    rows: QuerySet[Measurement] = narrowed(Measurement.objects.all(), request)
    chosen = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    for name, value in chosen.items():
        rows = rows.filter(**{name: value})
    if code := request.GET.get("sample", "").strip():
        rows = rows.filter(sample__code__icontains=code)
    found = page(
        rows.for_list(),
        "id",
        descending=True,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    context = {
        "page": found,
        "count": rows.count(),
        "filters": [
            {"name": name, "label": label, "choices": choices, "chosen": chosen.get(name, "")}
            for name, (label, choices) in FILTERS.items()
        ],
        "filtered": bool(chosen or code),
        "sample": code,
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
        "without_cursor": _without(request, "after", "before"),
    }
    return render(request, "measurements/list.html", context)


def _without(request: HttpRequest, *names: str) -> str:
    query = request.GET.copy()
    for name in names:
        query.pop(name, None)
    return f"{query.urlencode()}&" if query else ""


@login_required
def measurement(request: HttpRequest, pk: int) -> HttpResponse:
    row = _row(request, pk)
    context = _context(request, row)
    template = (
        "measurements/live.html" if request.GET.get("part") == "live" else "measurements/measurement.html"
    )
    return render(request, template, context)


def _row(request: HttpRequest, pk: int) -> Measurement:
    seen = Measurement.objects.visible_to(request.user)
    return get_object_or_404(seen.select_related("project", "sample", "instrument", "received_by"), pk=pk)


def _context(
    request: HttpRequest, row: Measurement, forms: list[runs.RunForm] | None = None
) -> dict[str, Any]:
    history = runs.history(request.user, row)
    datasets = list(row.datasets.filter(current=True).defer("preview").order_by("number"))
    steering = [
        f"{name}={request.GET[name]}" for name in ("dataset", "unit", "scale", "run") if request.GET.get(name)
    ]
    figure = reverse("measurement-figure", args=[row.pk])
    may_write = scope(request).may_write(row.project_id)
    seen = Calibration.objects.visible_to(request.user)
    return {
        "measurement": row,
        "files": list(row.files.select_related("blob")),
        "datasets": datasets,
        "pictures": in_colour(datasets),
        "dataset": next((d for d in datasets if str(d.number) == request.GET.get("dataset")), None)
        or (datasets[0] if datasets else None),
        "history": history,
        "analyses": runs.current(history),
        "unfinished": row.status == Measurement.Status.RECEIVED
        or _just_read(row, datasets, history)
        or any(entry.run.unfinished or entry.verifying for entry in history),
        "stamp": "-".join([row.status, *(f"{entry.run.pk}{entry.run.status}" for entry in history)]),
        "forms": (forms if forms is not None else runs.forms(request.user, row, history))
        if may_write
        else [],
        "figure_url": f"{figure}?{'&'.join(steering)}" if steering else figure,
        "unit": request.GET.get("unit", ""),
        "scale": request.GET.get("scale", usual_scale(row.technique)),
        "usual_scale": usual_scale(row.technique),
        "conditions": runs.conditions(row),
        "may_write": may_write,
        **decided(request, row),
        "calibrations_seen": set(seen.filter(uses__run__measurement=row).values_list("pk", flat=True)),
        "serves": list(seen.filter(measurement=row).select_related("instrument").with_end()),
        "may_calibrate": row.instrument is not None and scope(request).manages(row.instrument.project_id),
        "techniques": Technique.choices,
    }


def _just_read(row: Measurement, datasets: Sequence[Dataset], history: Sequence[object]) -> bool:
    """Runs are asked for once the reading has been committed: who looks in between must look again."""
    if row.status != Measurement.Status.READ or history or not datasets:
        return False
    return max(each.read_at for each in datasets) > timezone.now() - ASKED_FOR_WITHIN


@require_POST
@login_required
def run_again(request: HttpRequest, pk: int) -> HttpResponse:
    row = _row(request, pk)
    must_write(request, row.project_id)
    method = request.POST.get("method", "")
    given = {
        name: value for name, value in request.POST.items() if name not in ("method", "csrfmiddlewaretoken")
    }
    params = {name: value for name, value in given.items() if not name.startswith(runs.PREFIX)}
    try:
        run, created = request_run(row, method, params, user=request.user, inputs=_named(request, row, given))
    except methods.ParamsError as error:
        history = runs.history(request.user, row)
        forms = runs.forms(request.user, row, history, method, given, {error.field: error.message})
        return render(request, "measurements/measurement.html", _context(request, row, forms), status=422)
    except (KeyError, NothingToRunError) as error:
        messages.error(request, str(error.args[0]))
        return redirect(row)
    if not created and not run.unfinished:
        messages.info(
            request, "These parameters have been run before on these bytes; their values are current again."
        )
    return redirect(row)


def _named(request: HttpRequest, row: Measurement, given: Mapping[str, str]) -> dict[str, Measurement]:
    """The measurements that a person named for the roles of a method."""
    asked = {
        name.removeprefix(runs.PREFIX): row_number(value)
        for name, value in given.items()
        if name.startswith(runs.PREFIX) and value
    }
    open_ones = without_secrets(Measurement.objects.open_to(request.user), row)
    found = open_ones.in_bulk([pk for pk in asked.values() if pk])
    if missing := sorted(role for role, pk in asked.items() if pk not in found):
        raise NothingToRunError(
            f"For “{missing[0].replace('_', ' ')}” a measurement is named that does not exist among yours; "
            "choose another."
        )
    return {role: found[pk] for role, pk in asked.items() if pk is not None}


@require_POST
@login_required
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it its sample, or say its technique."""
    row = _row(request, pk)
    must_write(request, row.project_id)
    try:
        if code := request.POST.get("sample", "").strip():
            assign(row, _sample(request, code), user=request.user)
            messages.success(request, f"It belongs to {code} now.")
        if technique := request.POST.get("technique", ""):
            set_technique(row, technique, user=request.user)
            messages.success(request, f"Its technique is {Technique(technique).label.lower()} now.")
    except RefusedError as error:
        messages.error(request, error.message)
    except PermissionDenied as error:
        messages.error(request, str(error))
    return redirect(row)


def _sample(request: HttpRequest, code: str) -> Sample:
    found = Sample.objects.visible_to(request.user).filter(code__iexact=code).first()
    if found is None:
        raise RefusedError("sample", f"There is no sample “{code}”. Check the code on the label.")
    return found
