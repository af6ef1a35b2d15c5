"""What is left of a sample and where it stands; the lead of a project, and where it went."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from frontend.access import login_required, must_write
from frontend.forms.stock import PlaceForm, StockForm
from frontend.keyset import page
from frontend.sample_table import BYTE_ORDER_MARK, _cell, _Echo
from frontend.scope import narrowed, scope
from frontend.views.materials import free_places
from samples.composition import Composition, composition_of
from samples.lead import LeadLine, lead_lines, may_hold_lead
from samples.models import Sample, StockEntry
from samples.services import stock
from samples.services.genealogy import visible_ingredients

MOST_MOVEMENTS = 12
BATCH = 500
LEAD_COLUMNS = (
    "code", "notation", "project", "mass_left_g", "lead_mg_per_g", "lead_left_mg", "basis", "place",
)  # fmt: skip
WASTE_COLUMNS = (
    "disposed_at", "code", "waste_stream", "mass_g", "lead_mg", "basis", "reason", "by",
)  # fmt: skip


def panel(request: HttpRequest, sample: Sample) -> dict[str, Any]:
    """What the page of a sample says about its amount."""
    taken = (
        visible_ingredients(request.user)
        .filter(sample=sample, mass_g__isnull=False)
        .select_related("weighed_by")
        .prefetch_related("preparation__samples")
        .order_by("-weighed_at", "-pk")
    )
    entries = sample.stock_entries.select_related("by")
    return {
        "stock_entries": list(entries[:MOST_MOVEMENTS]),
        "weigh_outs": list(taken[:MOST_MOVEMENTS]),
        "more_weigh_outs": max(0, taken.count() - MOST_MOVEMENTS),
        "stock_form": StockForm(is_known=sample.amount_g is not None or sample.mass_left_g is not None),
        "place_form": PlaceForm(
            places=free_places(sample.project_id, keep=sample.place_id), initial={"place": sample.place_id}
        ),
        "waste_streams": _streams(request),
        "composition": _composition(request, sample),
    }


def _composition(request: HttpRequest, sample: Sample) -> dict[str, Any]:
    """Derived, with the codes of what is unknown on the way, as far as the reader may see them."""
    found: Composition = composition_of(sample)
    unknown = [pk for (kind, pk), _ in found.unknown if kind == "sample"]
    unweighed = [pk for (kind, pk), _ in found.unknown if kind == "made"]
    seen = Sample.objects.visible_to(request.user)
    return {
        "found": found,
        "known": found.is_known,
        "elements": found.elements[:12],
        "unknown_samples": list(seen.filter(pk__in=unknown).order_by("code")[:5]),
        "unweighed": list(seen.filter(preparation__in=unweighed).order_by("code")[:5]),
        "unknown_share": sum(share for _, share in found.unknown),
    }


def _streams(request: HttpRequest) -> list[str]:
    used = StockEntry.objects.visible_to(request.user).exclude(waste_stream="")
    return sorted(set(used.order_by().values_list("waste_stream", flat=True).distinct()[:30]))


@require_POST
@login_required
def enter(request: HttpRequest, code: str) -> HttpResponse:
    sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    must_write(request, sample.project_id)
    form = StockForm(request.POST, is_known=sample.amount_g is not None or sample.mass_left_g is not None)
    if not form.is_valid():
        messages.error(request, f"Nothing was recorded. {_sentences(form)}")
        return redirect(sample)
    said = form.cleaned_data
    try:
        if said["kind"] == "amount":
            mass_g = form.mass_g()
            if mass_g is None:
                raise ValidationError("Give the mass.")
            stock.set_amount(sample, mass_g, request.user)
        else:
            stock.enter(
                sample,
                said["kind"],
                form.mass_g(),
                said["reason"],
                request.user,
                waste_stream=said["waste_stream"],
            )
    except ValidationError as error:
        messages.error(request, f"Nothing was recorded. {' '.join(error.messages)}")
    else:
        messages.success(request, "Recorded, with your name.")
    return redirect(sample)


@require_POST
@login_required
def put(request: HttpRequest, code: str) -> HttpResponse:
    sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    must_write(request, sample.project_id)
    form = PlaceForm(request.POST, places=free_places(sample.project_id, keep=sample.place_id))
    if not form.is_valid():
        messages.error(request, f"{sample.code} stays where it is. {_sentences(form)}")
        return redirect(sample)
    place = form.cleaned_data["place"]
    try:
        stock.put(sample, place, request.user)
    except ValidationError as error:
        messages.error(request, f"{sample.code} stays where it is. {' '.join(error.messages)}")
    else:
        messages.success(request, f"{sample.code} is in {place.path}." if place else f"{sample.code} is out.")
    return redirect(sample)


def _sentences(form: Any) -> str:
    return " ".join(f"{form[name].label}: {' '.join(texts)}" for name, texts in form.errors.items())


# Lead


@login_required
def lead(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Every sample that holds lead and is not gone, and what was thrown away, by waste stream."""
    if request.GET.get("as") == "csv":
        return _csv("lead.csv", LEAD_COLUMNS, _kept_rows(_kept(request)))
    if request.GET.get("as") == "waste":
        return _csv("lead-waste.csv", WASTE_COLUMNS, _waste_rows(_disposals(request)))
    kept = _kept(request)
    found = page(kept, "code", after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    disposals = list(_disposals(request)[:50])
    context = {
        "page": found,
        "lines": [line for line in lead_lines(found.rows) if line.mg_per_g != 0],
        "disposals": list(zip(disposals, _lead_of(disposals), strict=True)),
        "streams": _by_stream(request),
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
    }
    return render(request, "materials/lead.html", context)


def _kept(request: HttpRequest) -> QuerySet[Sample]:
    there = narrowed(Sample.objects.all(), request).filter(voided_at=None, planned=False)
    return may_hold_lead(there.exclude(mass_left_g=0)).select_related("project", "place", "preparation")


def _disposals(request: HttpRequest) -> QuerySet[StockEntry]:
    thrown = narrowed(StockEntry.objects.all(), request, "sample__project").filter(kind="disposal")
    leaded = may_hold_lead(Sample.objects.all()).values("pk")
    return thrown.filter(sample__in=leaded).select_related("sample__preparation", "by").order_by("-pk")


def _lead_of(entries: list[StockEntry]) -> list[tuple[LeadLine, float | None]]:
    """The line of each entry's sample, and the lead that went with it."""
    samples = list({entry.sample_id: entry.sample for entry in entries}.values())
    lines = {line.sample.pk: line for line in lead_lines(samples)}
    return [(lines[entry.sample_id], _went_mg(entry, lines[entry.sample_id])) for entry in entries]


def _went_mg(entry: StockEntry, line: LeadLine) -> float | None:
    if entry.mass_g is None or line.mg_per_g is None:
        return None
    return entry.mass_g * line.mg_per_g


def _by_stream(request: HttpRequest) -> list[dict[str, Any]]:
    """Totals by waste stream; what is not known is counted and not summed."""
    totals: dict[str, dict[str, Any]] = {}
    for entries in _batches(_disposals(request)):
        for entry, (_, lead_mg) in zip(entries, _lead_of(entries), strict=True):
            name = entry.waste_stream or "not recorded"
            total = totals.setdefault(
                name, {"name": name, "entries": 0, "mass_g": 0.0, "lead_mg": 0.0, "unknown": 0}
            )
            total["entries"] += 1
            total["mass_g"] += entry.mass_g or 0.0
            total["lead_mg"] += lead_mg or 0.0
            total["unknown"] += lead_mg is None
    return sorted(totals.values(), key=lambda total: str(total["name"]))


def _batches(rows: QuerySet) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows.iterator(BATCH):
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _csv(name: str, heading: tuple[str, ...], rows: Iterator[list[Any]]) -> StreamingHttpResponse:
    def written() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield BYTE_ORDER_MARK
        yield writer.writerow(heading)
        for row in rows:
            yield writer.writerow([_cell(cell) for cell in row])

    answer = StreamingHttpResponse(written(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _kept_rows(samples: QuerySet[Sample]) -> Iterator[list[Any]]:
    for batch in _batches(samples.order_by("code")):
        for line in lead_lines(batch):
            if line.mg_per_g != 0:
                sample = line.sample
                yield [
                    sample.code, sample.notation, sample.project.slug, sample.mass_left_g, line.mg_per_g,
                    line.left_mg, line.basis, sample.location,
                ]  # fmt: skip


def _waste_rows(entries: QuerySet[StockEntry]) -> Iterator[list[Any]]:
    for batch in _batches(entries):
        for entry, (line, lead_mg) in zip(batch, _lead_of(batch), strict=True):
            yield [
                entry.at, entry.sample.code, entry.waste_stream, entry.mass_g, lead_mg, line.basis,
                entry.reason, entry.by.get_username(),
            ]  # fmt: skip


urlpatterns: list[URLPattern] = [
    path("samples/<str:code>/stock/", enter, name="stock-enter"),
    path("samples/<str:code>/place/", put, name="sample-put"),
    path("lead/", lead, name="lead"),
]
