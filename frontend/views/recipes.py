"""Recipes: the plans, and what was made by them."""

from __future__ import annotations

from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from frontend import history
from frontend.access import login_required
from frontend.history.recipe_facts import facts
from frontend.keyset import page
from frontend.scope import narrowed, scope
from samples.models import Component, Material, Recipe, Sample
from samples.querysets import hidden_from

MOST_SAMPLES = 100
STEPS = ("milling_steps", "sintering_steps__segments", "quench_steps", "otherstep_steps")


@login_required
def recipe_list(request: HttpRequest) -> HttpResponse:
    components = Component.objects.select_related("material")
    rows = (
        narrowed(Recipe.objects.all(), request)
        .select_related("project", "created_by")
        .prefetch_related(Prefetch("components", queryset=components), *STEPS)
        .annotate(sample_count=Count("preparations__samples", filter=_counted_for(request), distinct=True))
    )
    search = request.GET.get("search", "").strip()
    if search:
        rows = rows.filter(name__icontains=search)
    found = page(
        rows,
        "created_at",
        descending=True,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    for recipe in found.rows:
        recipe.steps = history.recipe_steps(recipe)
    chosen = scope(request)
    context = {
        "page": found,
        "search": search,
        "may_write": chosen.may_write_anywhere,
        "several_projects": chosen.project is None and len(chosen.memberships) > 1,
    }
    return render(request, "recipes/list.html", context)


def _counted_for(request: HttpRequest) -> Q:
    """Samples that the reader may see and that are not void."""
    hidden = Q(preparations__samples__in=hidden_from(request.user))
    return Q(preparations__samples__voided_at=None) & ~hidden


@login_required
def recipe(request: HttpRequest, pk: int) -> HttpResponse:
    seen = Recipe.objects.visible_to(request.user).select_related("project", "created_by", "derived_from")
    row = get_object_or_404(seen.prefetch_related("components__material", *STEPS), pk=pk)
    made = (
        Sample.objects.kept()
        .visible_to(request.user)
        .filter(preparation__recipe=row)
        .select_related("factors")
        .order_by("code")
    )
    versions = (
        Recipe.objects.visible_to(request.user)
        .filter(Q(project=row.project, name=row.name) | Q(pk=row.derived_from_id) | Q(derived_from=row))
        .exclude(pk=row.pk)
        .order_by("name", "-version")
    )
    context = {
        "recipe": row,
        "steps": history.recipe_steps(row),
        "programme": history.recipe_programme(row),
        "facts": facts(row, list(Material.objects.filter(project=row.project_id))),
        "samples": list(made[:MOST_SAMPLES]),
        "sample_count": made.count(),
        "versions": list(versions),
        "may_write": scope(request).may_write(row.project_id),
    }
    return render(request, "recipes/recipe.html", context)
