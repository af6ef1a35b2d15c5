"""On a sample's page: what happened to it since it was made, and what is attached to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from frontend.access import login_required, must_write
from frontend.forms.bench import ExposureForm
from measurements.models import Attachment, Measurement
from measurements.services import RefusedError, Subject, attach, void_attachment
from measurements.store import StoreError
from samples.models import Exposure, ProcessFactors, Sample
from samples.services import exposures


def told(sample: Sample, factors: ProcessFactors) -> dict[str, Any]:
    """What the page of a sample needs for its exposures and attachments."""
    quenched = factors.quenched_at
    return {
        "exposures": _with_neighbours(sample),
        "exposure_form": ExposureForm(),
        "attachments": list(sample.attachments.in_use().select_related("blob", "attached_by")),
        "since_quench": timezone.now() - quenched if quenched else None,
    }


def _with_neighbours(sample: Sample) -> list[Exposure]:
    """Exposures, each with the last measurement before it and the first one after it. A measurement without
    a date of its own is neither."""
    dated = list(
        sample.measurements.filter(acquired_at__isnull=False)
        .exclude(status=Measurement.Status.VOID)
        .order_by("acquired_at", "pk")
    )
    exposures = list(sample.exposures.order_by("-started_at", "-pk"))
    for exposure in exposures:
        before = [m for m in dated if m.acquired_at <= exposure.started_at]
        after = [m for m in dated if exposure.ended_at and m.acquired_at >= exposure.ended_at]
        exposure.measured_before, exposure.measured_after = before[-1:], after[:1]
    return exposures


@require_POST
@login_required
def expose(request: HttpRequest, code: str) -> HttpResponse:
    row = _writable(request, code)
    form = ExposureForm(request.POST)

    def act() -> str:
        if not form.is_valid():
            raise ValidationError(
                [f"{form[name].label}: {' '.join(texts)}" for name, texts in form.errors.items()]
            )
        exposure = exposures.expose(
            user=request.user,
            sample=row,
            kind=form.cleaned_data["kind"],
            started_at=form.cleaned_data["started_at"] or timezone.now(),
            ended_at=form.cleaned_data["ended_at"],
            conditions=form.conditions(),
        )
        return f"{exposure.get_kind_display()}: recorded."

    return _acted(request, row, act, "exposures")


@require_POST
@login_required
def end(request: HttpRequest, pk: int) -> HttpResponse:
    row = _exposure(request, pk)

    def act() -> str:
        exposures.end(user=request.user, exposure=row)
        return f"{row.get_kind_display()}: ended now."

    return _acted(request, row.sample, act, "exposures")


@require_POST
@login_required
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    row = _exposure(request, pk)

    def act() -> str:
        exposures.remove(user=request.user, exposure=row, reason=request.POST.get("reason", ""))
        return "The exposure is removed; the audit trail keeps it."

    return _acted(request, row.sample, act, "exposures")


@require_POST
@login_required
def attach_to(request: HttpRequest, code: str) -> HttpResponse:
    row = _writable(request, code)

    def act() -> str:
        files = request.FILES.getlist("file")
        if not files:
            raise ValidationError("Choose a file first.")
        for file in files:
            attach(
                user=request.user,
                subject=Subject(sample=row),
                name=file.name or "",
                stream=file,
                note=request.POST.get("file_note", ""),
            )
        return "Attached."

    return _acted(request, row, act, "attachments")


@require_POST
@login_required
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    found = Attachment.objects.visible_to(request.user).select_related("sample", "preparation")
    row = get_object_or_404(found, pk=pk)
    owner = row.sample or row.preparation
    assert owner is not None  # the database refuses an attachment of nothing
    must_write(request, owner.project_id)

    def act() -> str:
        void_attachment(user=request.user, attachment=row, reason=request.POST.get("reason", ""))
        return f"{row.filename} is withdrawn."

    if row.sample is not None:
        return _acted(request, row.sample, act, "attachments")
    return _acted(request, owner, act, row.step or "files")


def _writable(request: HttpRequest, code: str) -> Sample:
    row = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    must_write(request, row.project_id)
    return row


def _exposure(request: HttpRequest, pk: int) -> Exposure:
    row = get_object_or_404(Exposure.objects.visible_to(request.user).select_related("sample"), pk=pk)
    must_write(request, row.sample.project_id)
    return row


def _acted(request: HttpRequest, owner: Any, act: Callable[[], str], anchor: str) -> HttpResponse:
    """All of it or nothing, then back to the place on the page. `owner` is a sample or a preparation."""
    try:
        with transaction.atomic():
            messages.success(request, act())
    except ValidationError as error:
        messages.error(request, f"Nothing was recorded. {' '.join(error.messages)}")
    except (RefusedError, StoreError) as error:
        messages.error(request, f"Nothing was recorded. {error}")
    return redirect(f"{owner.get_absolute_url()}#{anchor}")
