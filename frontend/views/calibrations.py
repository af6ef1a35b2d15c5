"""Adding calibrations to an instrument, withdrawing them and taking that back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from analysis import services
from analysis.models import Calibration
from analysis.services.calibrations import dependents
from frontend.access import login_required
from frontend.forms.base import Form
from frontend.forms.calibrations import CalibrationForm, WithdrawalForm
from frontend.scope import scope
from measurements.models import Instrument, Measurement
from samples.incoming import row_number

RECENT = 30


@login_required
def create(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Instrument.objects.visible_to(request.user).select_related("project")
    instrument = get_object_or_404(seen, pk=pk)
    _must_manage(request, instrument.project_id)
    form = CalibrationForm(request.POST or None, initial=_proposed(request))
    if request.method == "POST" and form.is_valid():
        said = dict(form.cleaned_data)
        try:
            said["measurement"] = _measurement(request, said["measurement"])
            row = services.add_calibration(user=request.user, instrument=instrument, **said)
        except ValidationError as error:
            _blame(form, error)
        else:
            messages.success(
                request,
                f"{row.get_kind_display()} added. What it takes over is flagged and computed again.",
            )
            return redirect("instrument", instrument.pk)
    recent = Measurement.objects.visible_to(request.user).filter(instrument=instrument, status="read")
    context = {"instrument": instrument, "form": form, "recent": list(recent.order_by("-pk")[:RECENT])}
    return render(request, "calibrations/create.html", context, status=422 if form.errors else 200)


@login_required
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    row = _visible(request, pk)
    _must_manage(request, row.project_id)
    if row.withdrawn_at is not None:
        messages.info(request, "It is withdrawn already.")
        return redirect("instrument", row.instrument_id)
    form = WithdrawalForm(request.POST or None)
    found = dependents(row, request.user)
    if request.method == "POST" and form.is_valid():
        try:
            _withdraw(request, row, form)
        except ValidationError as error:
            _blame(form, error)
        else:
            flagged = f" {found.sentence()} They are flagged." if found.values else ""
            messages.success(request, f"It is withdrawn.{flagged}")
            return redirect("instrument", row.instrument_id)
    context = {"calibration": row, "form": form, "dependents": found}
    return render(request, "calibrations/withdraw.html", context, status=422 if form.errors else 200)


def _withdraw(request: HttpRequest, row: Calibration, form: WithdrawalForm) -> None:
    said = form.cleaned_data
    if said["measurement"] is None:
        services.withdraw_calibration(row, user=request.user, reason=said["reason"])
        return
    measurement = _measurement(request, said["measurement"])
    services.replace_calibration(
        row,
        measurement,
        user=request.user,
        reason=said["reason"],
        from_elsewhere=said["from_elsewhere"],
    )


@require_POST
@login_required
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    row = _visible(request, pk)
    _must_manage(request, row.project_id)
    try:
        services.restore_calibration(row, user=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "It is in force again. What was computed with it counts again.")
    return redirect("instrument", row.instrument_id)


def _visible(request: HttpRequest, pk: int) -> Calibration:
    row: Calibration = get_object_or_404(
        Calibration.objects.visible_to(request.user).for_list(request.user), pk=pk
    )
    return row


def _must_manage(request: HttpRequest, project_id: int) -> None:
    if not scope(request).manages(project_id):
        raise PermissionDenied("Only a manager of the project decides about calibrations; ask one of them.")


def _measurement(request: HttpRequest, pk: int) -> Measurement:
    row: Measurement | None = Measurement.objects.visible_to(request.user).filter(pk=pk).first()
    if row is None:
        raise ValidationError({"measurement": f"There is no measurement {pk} in your projects."})
    return row


def _proposed(request: HttpRequest) -> dict[str, Any]:
    """From the page of a measurement: that one, valid since it was made."""
    pk = row_number(request.GET.get("measurement", ""))
    row = Measurement.objects.visible_to(request.user).filter(pk=pk).first() if pk is not None else None
    if row is None:
        return {}
    return {"measurement": row.pk, "valid_from": timezone.localtime(row.acquired_at or row.received_at)}


def _blame(form: Form, error: ValidationError) -> None:
    for name, sentences in getattr(error, "message_dict", {"": error.messages}).items():
        form.add_error(name if name in form.fields else None, sentences)


urlpatterns: list[URLPattern] = [
    path("instruments/<int:pk>/calibrations/new/", create, name="calibration-create"),
    path("calibrations/<int:pk>/withdraw/", withdraw, name="calibration-withdraw"),
    path("calibrations/<int:pk>/restore/", restore, name="calibration-restore"),
]
