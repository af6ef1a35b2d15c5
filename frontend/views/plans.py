"""Planning a composite, and the materials that it is made of."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from frontend import history
from frontend.access import login_required
from frontend.forms.plan import ComponentFormSet, PlanForm, SegmentFormSet
from frontend.forms.samples import MaterialForm
from frontend.history.recipe_facts import material_warnings
from frontend.scope import scope
from frontend.views.materials import saved
from samples.incoming import row_number
from samples.models import Material, Project, Recipe, Sample
from samples.services import plan_composite


@login_required
def plan(request: HttpRequest) -> HttpResponse:
    projects = Project.objects.open_to(request.user)
    if not scope(request).may_write_anywhere:
        return render(request, "samples/plan_nowhere.html")
    earlier = _recipe_to_repeat(request)
    if request.method == "GET" and earlier and not history.fits_the_plan(earlier):
        return redirect(f"{reverse('recipe-new')}?from={earlier.pk}")  # where none of its steps is lost
    project = _project_to_plan_in(request, earlier)
    materials = Material.objects.filter(project=project)
    start = history.plan_of(earlier, _habit(request, project))
    posted = request.POST or None
    form = PlanForm(posted, projects=projects, initial={**start.fields, "project": project.slug})
    components = ComponentFormSet(
        posted, prefix="component", form_kwargs={"materials": materials}, initial=start.components
    )
    segments = SegmentFormSet(posted, prefix="segment", initial=start.segments)
    if request.method == "POST" and all([form.is_valid(), components.is_valid(), segments.is_valid()]):
        made = _planned(request, form, components, segments)
        if made is not None:
            return redirect(made)
    context = {
        "form": form,
        "components": components,
        "segments": segments,
        "project": project,
        "materials": materials,
        "earlier": earlier,
    }
    return render(request, "samples/plan.html", context, status=422 if request.method == "POST" else 200)


def _planned(request: HttpRequest, form: PlanForm, components: Any, segments: Any) -> Sample | None:
    cleaned = form.cleaned_data
    if cleaned["sinter"] and not segments.rows():
        form.add_error("sinter", "Give the furnace at least one temperature, or untick sintering.")
        return None
    try:
        planned = plan_composite(
            user=request.user,
            project=cleaned["project"],
            name=cleaned["name"],
            components=components.pairs(),
            milling=form.milling(),
            sintering={"equipment": cleaned["equipment"], "segments": segments.rows()}
            if cleaned["sinter"]
            else None,
            quench=form.quenching(),
            code=cleaned["code"],
            notes=cleaned["notes"],
        )
    except ValidationError as error:
        form.add_error(None, " ".join(error.messages))
        return None
    messages.success(
        request,
        f"{planned.code} is planned. Write the code on the vial; files named after it find their way here.",
    )
    return planned


def _habit(request: HttpRequest, project: Project) -> Recipe | None:
    """The person's last recipe here, or anybody's: most composites differ from the last in one thing."""
    composites = Recipe.objects.filter(project=project, components__isnull=False).order_by("-pk")
    return composites.filter(created_by=request.user).first() or composites.first()


def _recipe_to_repeat(request: HttpRequest) -> Recipe | None:
    asked = row_number(request.GET.get("recipe", ""))
    if asked is None:
        return None
    return get_object_or_404(Recipe.objects.visible_to(request.user), pk=asked)


def _project_to_plan_in(request: HttpRequest, earlier: Recipe | None) -> Project:
    """The one posted, or that of the recipe, or the chosen one, or the person's own; always an open one."""
    open_projects = {project.slug: project for project in scope(request).writable()}
    chosen, own = scope(request).project, request.user.default_project
    candidates = [
        request.POST.get("project"),
        earlier.project.slug if earlier else None,
        chosen.slug if chosen else None,
        own.slug if own else None,
        *open_projects,
    ]
    return next(open_projects[slug] for slug in candidates if slug in open_projects)


@login_required
def material_create(request: HttpRequest) -> HttpResponse:
    projects = Project.objects.open_to(request.user)
    chosen = scope(request).project
    form = MaterialForm(request.POST or None, projects=projects, initial={"project": chosen})
    if request.method == "POST" and form.is_valid() and saved(form):
        material = form.instance
        messages.success(request, f"{material.name} can be weighed now.")
        for sentence in material_warnings(material):
            messages.warning(request, sentence)
        return redirect("sample-plan")
    return render(
        request, "samples/material.html", {"form": form}, status=422 if request.method == "POST" else 200
    )
