"""Samples: the list, the page of one, the plan of a new one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from analysis.models import Value
from analysis.services import enter_value
from frontend import history, sample_table
from frontend.access import login_required, must_write
from frontend.formatting import grouped
from frontend.forms.base import Form
from frontend.forms.samples import MadeForm, SampleFilter
from frontend.forms.values import ValueForm
from frontend.keyset import page
from frontend.scope import narrowed, scope
from frontend.values import by_sample, shown, with_conflicts
from frontend.views import aftermath, stock
from measurements.models import Dataset, Measurement
from samples.ancestry import lineage
from samples.models import ProcessFactors, Quench, Sample
from samples.querysets import SampleQuerySet
from samples.services import voiding
from samples.services.stock import set_amount

# What can be sorted by: word in the address → (heading, column, is a number)
COLUMNS = {
    "code": ("Code", "code", False),
    "loading": ("Loading", "factors__loading_mass_fraction", True),
    "temperature": ("Sintered at", "factors__sintering_temperature_c", True),
    "quench": ("Quench", "factors__quench_medium", False),
}
KEY_VALUES = (("plqy", ""), ("pl_peak_center", "I"))
MOST_LABELS = 300
COUNTED = 10_000
CONDITIONS = {
    "state": "state",
    "halide": "factors__halide",
    "quench": "factors__quench_medium",
    "temperature_min": "factors__sintering_temperature_c__gte",
    "temperature_max": "factors__sintering_temperature_c__lte",
}


@login_required
def sample_list(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    everything = narrowed(Sample.objects.all(), request)
    filters = SampleFilter(request.GET, halides=everything.halides())
    chosen = filters.chosen()
    rows = listed(everything, chosen)
    if request.GET.get("as") == "csv":
        return sample_table.response(rows.for_list().order_by("code"))
    if request.GET.get("as") == "labels":
        return _to_labels(request, rows)
    sort = request.GET.get("sort", "code").lstrip("-")
    sort = sort if sort in COLUMNS else "code"
    descending = request.GET.get("sort", "").startswith("-")
    found = page(
        rows.filter(factors__isnull=False).for_list(),  # always so; the join may then walk an index
        COLUMNS[sort][1],
        descending=descending,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    _with_key_values(found.rows)
    context = {
        "page": found,
        "count": _counted(rows),
        "filters": filters,
        "chosen": chosen,
        "columns": _headings(sort, descending),
        "may_write": scope(request).may_write_anywhere,
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
    }
    return render(request, "samples/list.html", context)


def _counted(rows: SampleQuerySet) -> str:
    """How many, up to a number that nobody reads to the end of."""
    count = rows.order_by()[: COUNTED + 1].count()
    return f"more than {grouped(COUNTED)}" if count > COUNTED else grouped(count) if count else ""


def _to_labels(request: HttpRequest, rows: SampleQuerySet) -> HttpResponse:
    """The label page for what is listed; an address has room for so many codes."""
    codes = list(rows.order_by("code").values_list("code", flat=True)[: MOST_LABELS + 1])
    if len(codes) > MOST_LABELS:
        messages.warning(request, f"Labels are printed for at most {MOST_LABELS} samples; narrow the list.")
        return redirect("samples")
    return redirect(f"{reverse('labels')}?{urlencode({'codes': ' '.join(codes)})}")


def listed(rows: SampleQuerySet, chosen: dict[str, Any]) -> SampleQuerySet:
    """What the list shows under these filters and its files hold: the void only where they are asked for."""
    rows = rows.exclude(voided_at=None) if "void" in chosen else rows.kept()
    rows = rows.filter(**{CONDITIONS[name]: value for name, value in chosen.items() if name in CONDITIONS})
    if "loading_min" in chosen:
        rows = rows.filter(factors__loading_mass_fraction__gte=chosen["loading_min"] / 100)
    if "loading_max" in chosen:
        rows = rows.filter(factors__loading_mass_fraction__lte=chosen["loading_max"] / 100)
    if "made" in chosen:
        rows = rows.filter(planned=chosen["made"] == "planned")
    return rows.search(chosen["search"]) if "search" in chosen else rows


def _headings(sort: str, descending: bool) -> list[dict[str, Any]]:
    """Each column with the sort that a click on it asks for."""
    return [
        {
            "word": word,
            "heading": heading,
            "number": number,
            "asks": f"-{word}" if word == sort and not descending else word,
            "sorted": ("descending" if descending else "ascending") if word == sort else "",
        }
        for word, (heading, _, number) in COLUMNS.items()
    ]


def _with_key_values(rows: list[Sample]) -> None:
    values = Value.objects.filter(
        sample__in=rows, current=True, property__in=[key for key, _ in KEY_VALUES]
    ).order_by("pk")
    found = by_sample(values)
    for row in rows:
        row.processing = _processing(row)
        row.quench_label = _quench(row)
        row.key_values = [found.get(row.pk, {}).get(key) for key in KEY_VALUES]


def _processing(row: Sample) -> ProcessFactors:
    """The sample's factors; all unknown while they are not derived yet."""
    return getattr(row, "factors", None) or ProcessFactors()


def _quench(row: Sample) -> str:
    medium = _processing(row).quench_medium
    return dict(Quench.Medium.choices).get(medium, medium)


@login_required
def sample(request: HttpRequest, code: str) -> HttpResponse:
    seen = Sample.objects.visible_to(request.user)
    row = get_object_or_404(seen.select_related("project", "factors", "preparation__recipe"), code=code)
    row.processing = _processing(row)
    family = lineage(row)
    members = [member.pk for member in (*family.ancestors, row, *family.descendants)]
    seen_members = Sample.objects.visible_to(request.user).filter(pk__in=members)
    visible = set(seen_members.values_list("pk", flat=True))
    values = shown(
        with_conflicts(Value.objects.visible_to(request.user), request.user)
        .filter(sample=row, current=True)
        .select_related("publication", "run", "measurement", "entered_by")
    )
    context = {
        "sample": row,
        "may_write": scope(request).may_write(row.project_id),
        "chapters": history.chapters(family, visible),
        "programme": history.programme(family, visible),
        "relatives": history.relatives(
            family, visible, [membership.project_id for membership in scope(request).memberships]
        ),
        "stock": stock.panel(request, row),
        "values": values,
        "measurements": _measurements(row),
        "quench_label": _quench(row),
        "may_void": voiding.may_void(row, request.user),
        "embargoed": Sample.objects.under_embargo().filter(pk=row.pk).exists(),
        "made_form": MadeForm(),
        "value_form": ValueForm(),
        **aftermath.told(row, row.processing),
    }
    return render(request, "samples/sample.html", context)


def _measurements(row: Sample) -> list[Measurement]:
    """What was measured, newest first, each with its pictures."""
    pictures = Dataset.objects.filter(current=True).only("measurement_id", "preview", "number")
    return list(
        row.measurements.exclude(status=Measurement.Status.VOID)
        .select_related("instrument")
        .prefetch_related(Prefetch("datasets", queryset=pictures, to_attr="pictures"))
        .order_by("technique", "-pk")
    )


@require_POST
@login_required
def made(request: HttpRequest, code: str) -> HttpResponse:
    row = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    must_write(request, row.project_id)
    form = MadeForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Nothing was recorded. {_sentences(form)}")
        return redirect(row)
    amount_mg = form.cleaned_data["amount_mg"]
    row.planned = False
    row.made_at = form.cleaned_data["made_at"]
    try:
        with transaction.atomic():
            row.full_clean()
            row.save(update_fields=["planned", "made_at"])
            if amount_mg is not None:
                set_amount(row, amount_mg / 1000, request.user)
    except ValidationError as error:
        messages.error(request, f"Nothing was recorded. {' '.join(error.messages)}")
    else:
        messages.success(request, f"{row.code} is made. Its measurements can come.")
    return redirect(row)


@require_POST
@login_required
def value_enter(request: HttpRequest, code: str) -> HttpResponse:
    row = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    must_write(request, row.project_id)
    form = ValueForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Nothing was entered. {_sentences(form)}")
        return redirect(row)
    try:
        enter_value(user=request.user, sample=row, **form.answer())
    except ValidationError as error:
        messages.error(request, f"Nothing was entered. {' '.join(error.messages)}")
    else:
        messages.success(request, "Entered by hand, with your name and the reason.")
    return redirect(row)


def _sentences(form: Form) -> str:
    return " ".join(f"{form[name].label}: {' '.join(texts)}" for name, texts in form.errors.items())
