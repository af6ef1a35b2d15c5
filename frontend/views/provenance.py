"""The page of one value: the chain from the raw file to the number, and whether it comes out again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from analysis import methods, properties
from analysis.models import Conflict, Run, Value
from analysis.provenance import provenance
from analysis.services.literature import enter_published, find_or_add_publication, publications_for
from analysis.services.verifying import verify
from frontend.access import login_required, must_write
from frontend.forms.literature import PublishedValueForm
from frontend.scope import scope
from samples.models import Sample


@require_GET
@login_required
def value(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Value.objects.visible_to(request.user)
    row = get_object_or_404(
        seen.select_related(
            "sample__project", "measurement", "project", "run", "publication", "entered_by", "extracted_by"
        ).prefetch_related("reviews__by"),
        pk=pk,
    )
    told = provenance(row, request.user)
    declared = properties.all().get(row.property)
    loaded = methods.registry().get(row.method)
    owner = _project_id(row)
    # Of a run that was given what is under an embargo only the chain is told, by hashes.
    run_seen = Run.objects.visible_to(request.user).filter(pk=row.run_id).exists()
    context = {
        "value": row,
        "label": declared.label if declared else row.property,
        "help": declared.help if declared else "",
        "told": told,
        "run": row.run,
        "run_seen": run_seen,
        "method": loaded.method if loaded else None,
        "history": list(_with_rows(told["history"])),
        "conflicts": Conflict.objects.visible_to(request.user).filter(values=row),
        "may_write": scope(request).may_write(owner),
        "unfinished": any(
            each["status"] in ("queued", "running") for each in (told["run"] or {}).get("verifications", ())
        ),
        "figure_url": _figure_url(row) if run_seen else "",
    }
    part = request.GET.get("part") == "verifications" and row.run is not None
    return render(request, "values/verifications.html" if part else "values/value.html", context)


def _project_id(row: Value) -> int:
    if row.sample is not None:
        return row.sample.project_id
    if row.measurement is not None:
        return row.measurement.project_id
    assert row.project_id is not None  # a constraint of the table
    return row.project_id


def _with_rows(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the value itself, as the template writes values; the newest first."""
    rows = Value.objects.in_bulk([each["id"] for each in history])
    return [each | {"row": rows[each["id"]]} for each in reversed(history)]


def _figure_url(row: Value) -> str:
    if row.run is None or row.measurement_id is None:
        return ""
    return f"{reverse('measurement-figure', args=[row.measurement_id])}?run={row.run_id}"


@require_POST
@login_required
def run_verify(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.visible_to(request.user), pk=pk)
    try:
        again = verify(run, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        said = again.verdict or "It is computed once more; the verdict stands here as soon as it is done."
        messages.success(request, said)
    back = (
        Value.objects.visible_to(request.user).filter(pk=_number(request.POST.get("value")), run=run).first()
    )
    if back is not None:
        return redirect("value", back.pk)
    return redirect(run.measurement) if run.measurement is not None else redirect("jobs")


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else None


@require_http_methods(["GET", "POST"])
@login_required
def literature(request: HttpRequest, code: str) -> HttpResponse:
    """A value that a publication states, entered by whoever read it there."""
    sample = get_object_or_404(Sample.objects.visible_to(request.user).select_related("project"), code=code)
    must_write(request, sample.project_id)
    known = list(publications_for(request.user))
    form = PublishedValueForm(request.POST or None, known=known)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                publication = find_or_add_publication(**form.source())
                entered = enter_published(
                    user=request.user, sample=sample, publication=publication, **form.answer()
                )
        except ValidationError as error:
            _onto(form, error)
        else:
            _say_entered(request, entered)
            return redirect("value", entered.pk)
    context = {"sample": sample, "form": form}
    return render(request, "values/literature.html", context, status=400 if form.errors else 200)


def _onto(form: PublishedValueForm, error: ValidationError) -> None:
    """Each sentence beside its field, or above the form."""
    for name, sentences in error.message_dict.items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)


def _say_entered(request: HttpRequest, entered: Value) -> None:
    conflict = Conflict.objects.visible_to(request.user).open().filter(values=entered).first()
    if conflict is None:
        messages.success(request, "Entered with its publication and your name.")
    else:
        messages.warning(
            request, f"Entered. Another source says otherwise: both are kept, as conflict {conflict.code}."
        )


urlpatterns: list[URLPattern] = [
    path("values/<int:pk>/", value, name="value"),
    path("runs/<int:pk>/verify/", run_verify, name="run-verification"),
    path("samples/<str:code>/literature/", literature, name="literature"),
]
