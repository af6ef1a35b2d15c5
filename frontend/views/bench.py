"""The bench: run sheets of preparations, for a tablet beside the balance and the furnace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from frontend import sheets
from frontend.access import login_required, must_write
from frontend.forms.bench import PoolForm, amount_g, moment_of, number_of, said_of
from frontend.keyset import page
from frontend.scope import narrowed, scope
from measurements.services import RefusedError, Subject, attach, attach_log
from measurements.store import StoreError
from samples.models import Preparation, Sample
from samples.services import performing
from samples.services.performing import Part, Portion
from samples.step_kinds import KINDS, SEGMENT_FIELDS

STATES: dict[str, tuple[str, dict[str, Any]]] = {
    "open": ("To be done", {"performed_at": None, "samples__planned": True}),
    "done": ("Done", {"samples__planned": False}),
    "all": ("All", {}),
}
STEPS = (
    "sintering_steps__segments",
    "sintering_steps__planned__segments",
    *(f"{kind}_steps__planned" for kind in ("milling", "quench", "otherstep")),
    *(f"recipe__{kind}_steps" for kind in ("milling", "quench", "otherstep")),
    "recipe__sintering_steps__segments",
    "ingredients__sample__material",
    "ingredients__material",
)
MOST_PARTS = 8


@login_required
def preparation_list(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    rows = narrowed(Preparation.objects.all(), request).filter(**STATES[state][1]).distinct()
    found = page(
        rows.select_related("project", "recipe", "design").prefetch_related(
            Prefetch("samples", queryset=Sample.objects.order_by("code")), *STEPS
        ),
        "id",
        descending=True,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    for row in found.rows:
        places = performing.sheet(row)
        row.recorded = sum(place.performed is not None for place in places)
        row.weighed = sum(i.mass_g is not None for i in row.ingredients.all())
        row.total = len(places) + len(row.ingredients.all())
    context = {
        "page": found,
        "state": state,
        "states": {word: label for word, (label, _) in STATES.items()},
        "may_write": scope(request).may_write_anywhere,
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
    }
    return render(request, "bench/list.html", context)


@login_required
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    row = _seen(request, pk)
    attachments = list(row.attachments.in_use().select_related("blob", "attached_by"))
    told = sheets.bench(row, request.user, attachments)
    adding = KINDS.get(request.GET.get("add", ""))
    context = {
        "preparation": row,
        "samples": list(row.samples.filter(voided_at=None).order_by("code")),
        "bench": told,
        "figures": sheets.figures(row, {}, request.user),
        "attachments": [a for a in attachments if not a.step],
        "may_write": scope(request).may_write(row.project_id),
        "kinds": KINDS.values(),
        "adding": adding,
        "segment_names": [(f.name, f.label, f.unit) for f in SEGMENT_FIELDS],
        "portions": range(1, 4),
    }
    return render(request, "bench/sheet.html", context)


@login_required
def numbers(request: HttpRequest, pk: int) -> HttpResponse:
    """The live numbers for what is being typed; what is no number yet is left out."""
    row = _seen(request, pk)
    typed_in = {}
    for name, text in list(request.GET.items())[:300]:
        try:
            value = number_of(text, name)
        except ValidationError:
            continue
        if value is not None and 0 < value < 1e12:
            typed_in[name] = value
    return render(request, "bench/numbers.html", {"figures": sheets.figures(row, typed_in, request.user)})


@require_POST
@login_required
def weigh(request: HttpRequest, pk: int, ingredient: int) -> HttpResponse:
    row = _writable(request, pk)
    weighed = get_object_or_404(row.ingredients.select_related("sample", "material"), pk=ingredient)

    def act() -> str:
        mass_g = amount_g(request.POST, "mass_mg", "Mass")
        if mass_g is None:
            raise ValidationError("Type the mass that the balance shows.")
        lot_pk = request.POST.get("lot", "")
        lot = None
        if lot_pk:
            lot = (
                performing.candidates(weighed, request.user)
                .filter(pk=lot_pk if lot_pk.isdecimal() and len(lot_pk) < 19 else 0)
                .first()
            )
            if lot is None:
                raise ValidationError("That lot cannot be weighed from; choose another.")
        performing.weigh(
            user=request.user,
            ingredient=weighed,
            mass_g=mass_g,
            sigma_g=amount_g(request.POST, "sigma_mg", "Balance σ"),
            sample=lot,
            at=moment_of(request.POST, "weighed_at"),
            reason=request.POST.get("reason", ""),
        )
        return f"{sheets.name_of(weighed)}: weighed."

    return _acted(request, row, act, f"weigh-{weighed.pk}")


@require_POST
@login_required
def take_back(request: HttpRequest, pk: int, ingredient: int) -> HttpResponse:
    row = _writable(request, pk)
    weighed = get_object_or_404(row.ingredients, pk=ingredient)

    def act() -> str:
        performing.take_back(user=request.user, ingredient=weighed, reason=request.POST.get("reason", ""))
        return "The weigh-out is taken back; its grams are where they came from."

    return _acted(request, row, act, f"weigh-{weighed.pk}")


@require_POST
@login_required
def perform(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    row = _writable(request, pk)

    def act() -> str:
        place = performing.place(row, key)
        performing.perform(
            user=request.user,
            preparation=row,
            key=key,
            said=said_of(request.POST, place, place.kind),
            at=moment_of(request.POST),
            notes=request.POST.get("notes", ""),
            reason=request.POST.get("reason", ""),
        )
        _take_files(request, row, key)
        return f"{place.kind.word}: recorded."

    return _acted(request, row, act, key)


@require_POST
@login_required
def undo(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    row = _writable(request, pk)

    def act() -> str:
        performing.undo(user=request.user, preparation=row, key=key, reason=request.POST.get("reason", ""))
        return "The record of this step is taken back."

    return _acted(request, row, act, key)


@require_POST
@login_required
def add_step(request: HttpRequest, pk: int) -> HttpResponse:
    row = _writable(request, pk)

    def act() -> str:
        kind = KINDS.get(request.POST.get("kind", ""))
        if kind is None:
            raise ValidationError("Choose what was done.")
        performing.add_step(
            user=request.user,
            preparation=row,
            kind=kind.key,
            said=said_of(request.POST, None, kind),
            at=moment_of(request.POST),
            notes=request.POST.get("notes", ""),
        )
        return f"{kind.word}: recorded, though not planned."

    return _acted(request, row, act, "add")


@require_POST
@login_required
def finish(request: HttpRequest, pk: int) -> HttpResponse:
    row = _writable(request, pk)

    def act() -> str:
        codes = list(row.samples.filter(voided_at=None).values_list("code", flat=True))
        made = performing.finish(
            user=request.user,
            preparation=row,
            at=moment_of(request.POST),
            amounts_g={code: amount_g(request.POST, f"amount-{code}", code) for code in codes},
            left_out=bool(request.POST.get("left_out")),
        )
        return f"{', '.join(sample.code for sample in made)}: made. Measurements can come."

    return _acted(request, row, act, "finish")


@require_POST
@login_required
def split(request: HttpRequest, pk: int) -> HttpResponse:
    row = _writable(request, pk)

    def act() -> str:
        portions = [
            Portion(code=code.strip(), amount_g=amount_g({"mg": mg}, "mg", "Amount"))
            for code, mg in zip(
                request.POST.getlist("code"), request.POST.getlist("portion_mg"), strict=False
            )
            if code.strip() or mg.strip()
        ]
        made = performing.split(user=request.user, preparation=row, portions=portions)
        return f"Split: {', '.join(sample.code for sample in made)}."

    return _acted(request, row, act, "split")


@require_POST
@login_required
def attach_to(request: HttpRequest, pk: int) -> HttpResponse:
    row = _writable(request, pk)
    key = request.POST.get("step", "")

    def act() -> str:
        if not _take_files(request, row, key):
            raise ValidationError("Choose a file first.")
        return "Attached."

    return _acted(request, row, act, key or "files")


@login_required
def pool(request: HttpRequest) -> HttpResponse:
    """One sample from several."""
    form = PoolForm(request.POST or None)
    codes, masses = request.POST.getlist("part"), request.POST.getlist("mass_mg")
    if request.method == "POST" and form.is_valid():
        try:
            sample = _pooled(request, form, codes, masses)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"{sample.code} is mixed.")
            return redirect(sample)
    rows = list(zip(codes, masses, strict=False)) or [(request.GET.get("sample", ""), "")]
    rows += [("", "")] * max(2, MOST_PARTS // 2 - len(rows))
    known = narrowed(Sample.objects.filter(planned=False, voided_at=None), request).order_by("code")
    context = {"form": form, "rows": rows, "codes": known.values_list("code", flat=True)[:500]}
    return render(request, "bench/pool.html", context, status=422 if form.errors else 200)


def _pooled(request: HttpRequest, form: PoolForm, codes: list[str], masses: list[str]) -> Sample:
    parts = []
    for code, mg in zip(codes, masses, strict=False):
        if not code.strip():
            continue
        found = Sample.objects.visible_to(request.user).filter(code__iexact=code.strip()).first()
        if found is None:
            raise ValidationError(f"There is no sample “{code[:40]}”. Check the code on the label.")
        must_write(request, found.project_id)
        parts.append(Part(found, amount_g({"mg": mg}, "mg", found.code)))
    if not parts:
        raise ValidationError("Name the samples that were mixed.")
    said = form.cleaned_data
    return performing.pool(
        user=request.user,
        project=parts[0].sample.project,
        parts=parts,
        code=said["code"],
        name=said["name"],
        state=said["state"],
        at=moment_of(request.POST, "mixed_at"),
        amount_g=None if said["amount_mg"] is None else said["amount_mg"] / 1000,
        notes=said["notes"],
    )


def _seen(request: HttpRequest, pk: int) -> Preparation:
    rows: QuerySet[Preparation] = Preparation.objects.visible_to(request.user)
    return get_object_or_404(
        rows.select_related("project", "recipe", "design").prefetch_related(*STEPS), pk=pk
    )


def _writable(request: HttpRequest, pk: int) -> Preparation:
    row = _seen(request, pk)
    must_write(request, row.project_id)
    return row


def _take_files(request: HttpRequest, row: Preparation, key: str) -> int:
    note = request.POST.get("file_note", "")
    for file in request.FILES.getlist("file"):
        subject = Subject(preparation=row, step=key)
        attach(user=request.user, subject=subject, name=file.name or "", stream=file, note=note)
    for file in request.FILES.getlist("log"):
        attach_log(user=request.user, preparation=row, step=key, name=file.name or "", stream=file, note=note)
    return len(request.FILES.getlist("file")) + len(request.FILES.getlist("log"))


def _acted(request: HttpRequest, row: Preparation, act: Callable[[], str], anchor: str) -> HttpResponse:
    """All of it or nothing, then back to the place on the sheet. The tablet keeps what was typed."""
    try:
        with transaction.atomic():
            messages.success(request, act())
    except ValidationError as error:
        messages.error(request, f"Nothing was recorded. {' '.join(error.messages)}")
    except (RefusedError, StoreError) as error:
        messages.error(request, f"Nothing was recorded. {error}")
    return redirect(f"{reverse('preparation', args=[row.pk])}#{anchor}")
