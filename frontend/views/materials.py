"""The registry of materials, the bottles of each, and the places they stand in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path

from frontend.access import login_required, must_write
from frontend.forms.stock import ChangePlaceForm, LotForm, MaterialForm, NewPlaceForm
from frontend.history.recipe_facts import material_facts
from frontend.keyset import page
from frontend.scope import narrowed, scope
from samples import supplies
from samples.models import Location, Lot, Material, Project, Sample
from samples.services import materials, places

MOST_LOTS = 200
MOST_PLACES = 2000


@login_required
def material_list(request: HttpRequest) -> HttpResponse:
    rows = narrowed(Material.objects.all(), request)
    low = supplies.running_low(rows, request.user)
    lots = narrowed(Lot.objects.all(), request, "sample__project").select_related("sample__material")
    search = request.GET.get("search", "").strip()[:100]
    shown = supplies.with_stock(rows, request.user).select_related("project")
    if search:
        shown = shown.filter(
            Q(name__icontains=search) | Q(formula__icontains=search) | Q(cas__icontains=search)
        )
    found = page(shown, "name", after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    context = {
        "page": found,
        "search": search,
        "low": list(low[:20]),
        "expiring": [(lot, supplies.is_expired(lot)) for lot in supplies.expiring(lots)[:20]],
        "may_write": scope(request).may_write_anywhere,
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
    }
    return render(request, "materials/list.html", context)


@login_required
def material(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(_registry(request).select_related("project"), pk=pk)
    bottles = (
        Sample.objects.visible_to(request.user)
        .filter(material=row, voided_at=None)
        .select_related("lot", "place")
        .order_by("code")
    )
    shown = list(bottles[:MOST_LOTS])
    for bottle in shown:
        bottle.its_lot = getattr(bottle, "lot", None)
        bottle.is_expired = bottle.its_lot is not None and supplies.is_expired(bottle.its_lot)
    context = {
        "material": row,
        "holds_lead": materials.holds_lead(row.formula),
        "facts": material_facts(row, list(Material.objects.filter(project=row.project_id))),
        "is_low": row.minimum_stock_g is not None and (row.left_g or 0) < row.minimum_stock_g,
        "bottles": shown,
        "more": max(0, bottles.count() - MOST_LOTS) if len(shown) == MOST_LOTS else 0,
        "recipes": row.components.select_related("recipe").order_by("recipe__name")[:20],
        "may_write": scope(request).may_write(row.project_id),
    }
    return render(request, "materials/material.html", context)


def _registry(request: HttpRequest) -> Any:
    return supplies.with_stock(Material.objects.visible_to(request.user), request.user)


@login_required
def material_edit(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Material.objects.visible_to(request.user), pk=pk)
    must_write(request, row.project_id)
    form = MaterialForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid() and saved(form):
        messages.success(request, f"{row.name} is changed; its history says who did.")
        return redirect("material", row.pk)
    return render(
        request,
        "materials/edit.html",
        {"form": form, "title": row.name, "back": pk},
        status=422 if request.method == "POST" else 200,
    )


def saved(form: Any) -> bool:
    """Checked and saved, or the form says at which field what is wrong."""
    try:
        materials.save_material(form.instance)
    except ValidationError as error:
        blame(form, error)
        return False
    return True


def blame(form: Any, error: ValidationError) -> None:
    """Each sentence at its field, or above the form."""
    named = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    for name, sentences in named.items():
        form.add_error(name if name in form.fields else None, sentences)


@login_required
def lot_receive(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Material.objects.visible_to(request.user).select_related("project"), pk=pk)
    must_write(request, row.project_id)
    form = LotForm(request.POST or None, places=free_places(row.project_id))
    if request.method == "POST" and form.is_valid():
        try:
            sample = materials.receive_lot(user=request.user, material=row, **form.answer())
        except ValidationError as error:
            blame(form, error)
        else:
            messages.success(request, f"{sample.code} is on the shelf. Write the code on the bottle.")
            return redirect("material", row.pk)
    return render(
        request,
        "materials/receive.html",
        {"form": form, "material": row},
        status=422 if request.method == "POST" else 200,
    )


def free_places(project_id: int, keep: int | None = None) -> Any:
    """Where something can be put: all but the slots that hold something already."""
    taken = Location.objects.filter(kind="slot", samples__isnull=False).exclude(pk=keep)
    return Location.objects.filter(project=project_id).exclude(pk__in=taken.values("pk"))


# Places


@login_required
def place_list(request: HttpRequest) -> HttpResponse:
    writable = Project.objects.open_to(request.user)
    form = NewPlaceForm(
        request.POST or None,
        projects=writable,
        places=Location.objects.open_to(request.user).exclude(kind="slot"),
        initial={"project": scope(request).project},
    )
    if request.method == "POST" and not scope(request).may_write_anywhere:
        must_write(request, 0)
    if request.method == "POST" and form.is_valid():
        try:
            made = places.create_place(**form.cleaned_data)
        except ValidationError as error:
            blame(form, error)
        else:
            messages.success(request, f"{made.path} is there.")
            return redirect("places")
    rows = list(
        narrowed(Location.objects.all(), request)
        .select_related("project")
        .annotate(held=Count("samples", filter=Q(samples__voided_at=None)))
        .order_by("project", "path")[: MOST_PLACES + 1]
    )
    context = {
        "tree": _tree(rows[:MOST_PLACES]),
        "more": len(rows) > MOST_PLACES,
        "form": form,
        "may_write": scope(request).may_write_anywhere,
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
    }
    return render(request, "materials/places.html", context, status=422 if request.method == "POST" else 200)


def _tree(rows: list[Location]) -> list[dict[str, Any]]:
    """Rooms with what stands in them, slots as one grid in their box. Depth first."""
    children: dict[int | None, list[Location]] = {}
    for row in rows:
        children.setdefault(row.parent_id, []).append(row)
    lines: list[dict[str, Any]] = []

    def walk(parent: int | None, depth: int) -> None:
        for row in children.get(parent, []):
            if row.kind == "slot":
                continue
            slots = [c for c in children.get(row.pk, []) if c.kind == "slot"]
            slots.sort(key=lambda slot: (slot.name.rstrip("0123456789"), len(slot.name), slot.name))
            lines.append({"place": row, "depth": depth, "slots": slots})
            walk(row.pk, depth + 1)

    walk(None, 0)
    return lines


@login_required
def place(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(
        Location.objects.visible_to(request.user).select_related("project", "parent"), pk=pk
    )
    if request.method == "POST":
        must_write(request, row.project_id)
    others = Location.objects.filter(project=row.project_id).exclude(pk=pk).exclude(kind="slot")
    form = ChangePlaceForm(
        request.POST or None, places=others, initial={"name": row.name, "parent": row.parent}
    )
    if request.method == "POST" and form.is_valid():
        try:
            _changed(row, form.cleaned_data)
        except ValidationError as error:
            blame(form, error)
            row.refresh_from_db()
        else:
            messages.success(request, f"It is {row.path} now.")
            return redirect("place", row.pk)
    seen = Sample.objects.visible_to(request.user).filter(voided_at=None)
    context = {
        "place": row,
        "inside": list(row.children.annotate(held=Count("samples")).order_by("path")[:MOST_PLACES]),
        "samples": list(
            seen.filter(Q(place=row) | Q(place__parent=row))
            .select_related("place")
            .order_by("place__path")[:MOST_LOTS]
        ),
        "form": form,
        "may_write": scope(request).may_write(row.project_id),
    }
    return render(request, "materials/place.html", context, status=422 if request.method == "POST" else 200)


@transaction.atomic
def _changed(row: Location, said: dict[str, Any]) -> None:
    if said["name"] != row.name:
        places.rename_place(row, said["name"])
    if said["parent"] != row.parent:
        places.move_place(row, said["parent"])
    if said["rows"] and said["columns"]:
        places.create_slots(box=row, rows=said["rows"], columns=said["columns"])


urlpatterns: list[URLPattern] = [
    path("materials/", material_list, name="materials"),
    path("materials/<int:pk>/", material, name="material"),
    path("materials/<int:pk>/edit/", material_edit, name="material-edit"),
    path("materials/<int:pk>/receive/", lot_receive, name="lot-receive"),
    path("places/", place_list, name="places"),
    path("places/<int:pk>/", place, name="place"),
]
