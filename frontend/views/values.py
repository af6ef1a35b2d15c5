"""Values: the record of a sample, where nothing is left out, and what people judge of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_POST

from analysis import properties, services
from analysis.models import Value
from analysis.services.entering_many import COLUMNS, TableError, enter_many, table_of
from frontend.access import login_required
from frontend.scope import scope
from frontend.values import with_conflicts
from samples.incoming import row_number
from samples.models import Sample

MOST_VALUES = 500
MOST_BYTES = 2 * 1024**2


@require_GET
@login_required
def record(request: HttpRequest, code: str) -> HttpResponse:
    sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    seen = with_conflicts(Value.objects.visible_to(request.user), request.user).filter(sample=sample)
    rows = seen.select_related("publication", "entered_by", "run").prefetch_related("reviews__by")
    newest = list(rows.order_by("-pk")[: MOST_VALUES + 1])
    values = sorted(newest[:MOST_VALUES], key=lambda value: (value.property, value.component, -value.pk))
    declared = properties.all()
    for value in values:
        value.label = declared[value.property].label if value.property in declared else value.property
    context = {
        "sample": sample,
        "values": values,
        "more": len(newest) > MOST_VALUES,
        "may_write": scope(request).may_write(sample.project_id),
    }
    return render(request, "values/record.html", context)


@require_POST
@login_required
def review_one(request: HttpRequest) -> HttpResponse:
    """One of several, chosen in a list."""
    return review(request, row_number(request.POST.get("value", "")) or 0)


@require_POST
@login_required
def review(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Value.objects.visible_to(request.user)
    value = get_object_or_404(seen.select_related("sample", "measurement"), pk=pk)
    try:
        services.review(
            value=value,
            verdict=request.POST.get("verdict", ""),
            reason=request.POST.get("reason", ""),
            user=request.user,
        )
    except ValidationError as error:
        messages.error(request, f"Nothing was recorded. {' '.join(error.messages)}")
    else:
        said = "Rejected: it has left every figure." if value.rejected else "Accepted."
        messages.success(request, f"{said} Your name and the reason stand beside it.")
    if value.sample is not None and (request.POST.get("on") == "sample" or value.measurement is None):
        return redirect("value-record", value.sample.code)
    return redirect(value.measurement or "home")


@login_required
def batch(request: HttpRequest) -> HttpResponse:
    """A table is checked first; entered when its reader says so."""
    if not scope(request).may_write_anywhere:
        raise PermissionDenied("You may look but not enter values; ask a manager of the project.")
    context: dict[str, Any] = {"columns": COLUMNS, "properties": properties.all().values(), "text": ""}
    if request.method == "POST":
        context["text"] = _text(request)
        try:
            wants_entry = "enter" in request.POST
            report = enter_many(request.user, table_of(context["text"]), dry_run=not wants_entry)
        except TableError as error:
            context["wrong_table"] = str(error)
        else:
            if report.saved:
                count = len(report.rows)
                messages.success(request, f"{count} entered, with your name and the reasons.")
                return redirect("values-entry")
            context["report"] = report
    wrong = context.get("wrong_table") or (context.get("report") and context["report"].wrong)
    return render(request, "values/batch.html", context, status=422 if wrong else 200)


def _text(request: HttpRequest) -> str:
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("text", "")
    return file.read(MOST_BYTES).decode("utf-8", errors="replace")


urlpatterns: list[URLPattern] = [
    path("values/batch/", batch, name="values-entry"),
    path("samples/<str:code>/values/all/", record, name="value-record"),
    path("values/review/", review_one, name="values-judge"),
    path("values/<int:pk>/review/", review, name="value-judge"),
]
