"""Writing recipes, their next versions, what differs between two, and planning to carry one out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from frontend.access import login_required, must_write
from frontend.forms import recipe as fields
from frontend.history.changes import told
from frontend.scope import scope
from samples.ancestry import planned_steps
from samples.incoming import row_number
from samples.models import Material, Project, Recipe
from samples.services import recipes
from samples.step_kinds import as_written

NOTHING = fields.Written([{}, {}], [])


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """An empty recipe, or one that begins as another: `?from=12`."""
    if not scope(request).may_write_anywhere:
        return render(request, "samples/plan_nowhere.html")
    begun = row_number(request.GET.get("from", ""))
    earlier = None
    if begun is not None:
        earlier = get_object_or_404(Recipe.objects.visible_to(request.user), pk=begun)
    return _editor(request, _project(request, earlier), earlier, in_place=False)


@login_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The recipe itself while nobody has used it; its next version otherwise. The page says which."""
    row = get_object_or_404(Recipe.objects.visible_to(request.user).select_related("project"), pk=pk)
    must_write(request, row.project_id)
    return _editor(request, row.project, row, in_place=row.frozen_at is None)


def _editor(
    request: HttpRequest, project: Project, earlier: Recipe | None, *, in_place: bool
) -> HttpResponse:
    materials = Material.objects.filter(project=project).order_by("name")
    form = fields.RecipeForm(request.POST or None, initial=_beginning(earlier))
    typed, wrong = _typed(request, earlier)
    if request.method == "POST" and form.is_valid() and not wrong:
        try:
            row = _save(request, project, form.cleaned_data, typed, materials, earlier, in_place=in_place)
        except ValidationError as error:
            wrong = " ".join(error.messages)
        else:
            said = f"{row} is changed." if in_place else f"{row} is saved."
            messages.success(request, f"{said} Make it, or change it as long as nobody has.")
            return redirect("recipe", row.pk)
    if wrong:
        form.add_error(None, wrong)
    context = {
        "form": form,
        "project": project,
        "projects": scope(request).writable(),
        "earlier": earlier,
        "in_place": in_place,
        "may_rename": earlier is None or request.resolver_match.url_name == "recipe-new",
        "next_version": recipes.next_version(project, earlier.name) if earlier else None,
        "materials": materials,
        "components": typed.component_rows(),
        "steps": typed.step_rows(),
        "blank_steps": fields.blank_steps(),
        "blank_component": fields.ComponentRow("component-__row__", "", ""),
        "blank_segment": fields.segment_row("__step__-segment-__row__", {}),
    }
    return render(request, "recipes/edit.html", context, status=422 if request.method == "POST" else 200)


def _typed(request: HttpRequest, earlier: Recipe | None) -> tuple[fields.Written, str]:
    if request.method == "POST":
        try:
            return fields.posted(request.POST), ""
        except ValidationError as error:
            return NOTHING, " ".join(error.messages)
    if earlier is None:
        return NOTHING, ""
    return fields.written(earlier, [as_written(step) for step in planned_steps(earlier)]), ""


def _beginning(earlier: Recipe | None) -> dict[str, Any]:
    if earlier is None:
        return {}
    first = earlier.components.first()
    return {"name": earlier.name, "notes": earlier.notes, "basis": first.basis if first else "mass"}


def _save(
    request: HttpRequest,
    project: Project,
    cleaned: dict[str, Any],
    typed: fields.Written,
    materials: Any,
    earlier: Recipe | None,
    *,
    in_place: bool,
) -> Recipe:
    said: dict[str, Any] = {
        "components": typed.shares(materials),
        "steps": typed.said(),
        "notes": cleaned["notes"],
        "basis": cleaned["basis"],
    }
    if in_place and earlier is not None:
        return recipes.change_recipe(recipe=earlier, **said)
    return recipes.save_recipe(
        user=request.user, project=project, name=cleaned["name"], derived_from=earlier, **said
    )


def _project(request: HttpRequest, earlier: Recipe | None) -> Project:
    """That of the earlier recipe where one may write there, the one posted, the chosen one, one's own."""
    chosen = scope(request)
    writable = {project.slug: project for project in chosen.writable()}
    own = getattr(request.user, "default_project", None)
    candidates = [
        earlier.project.slug if earlier else None,
        request.POST.get("project"),
        chosen.project.slug if chosen.project else None,
        own.slug if own else None,
        *writable,
    ]
    return next(writable[slug] for slug in candidates if slug in writable)


@login_required
@require_POST
def prepare(request: HttpRequest, pk: int) -> HttpResponse:
    """Make it again: a planned sample of the same recipe."""
    row = get_object_or_404(Recipe.objects.visible_to(request.user).select_related("project"), pk=pk)
    must_write(request, row.project_id)
    grams = request.POST.get("batch_mass_g", "").strip()
    try:
        sample = recipes.prepare(
            user=request.user,
            recipe=row,
            code=request.POST.get("code", ""),
            batch_mass_g=fields.number(grams, "The batch mass") if grams else None,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("recipe", row.pk)
    messages.success(request, f"{sample.code} is planned. Write the code on the vial.")
    return redirect(sample)


@login_required
@require_GET
def diff(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """What changes from one recipe to another."""
    seen = Recipe.objects.visible_to(request.user).select_related("project")
    before, after = get_object_or_404(seen, pk=pk), get_object_or_404(seen, pk=other)
    context = {"before": before, "after": after, "changes": told(recipes.diff(before, after))}
    return render(request, "recipes/diff.html", context)
