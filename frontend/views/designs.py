"""Arrays of samples: designed with a forecast beside the form, created at once, followed, withdrawn."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from frontend.access import login_required, must_write
from frontend.forms.designs import ArrayForm
from frontend.scope import narrowed, scope
from samples.models import Design, Project, Sample
from samples.services import designs

MOST_LISTED = 200


@login_required
def design_list(request: HttpRequest) -> HttpResponse:
    rows = narrowed(Design.objects.select_related("project", "created_by"), request)
    seen = Sample.objects.visible_to(request.user).values("pk")
    samples = Q(preparations__samples__in=seen)
    counted = rows.annotate(
        count=Count("preparations__samples", filter=samples),
        made=Count("preparations__samples", filter=samples & Q(preparations__samples__planned=False)),
        withdrawn=Count(
            "preparations__samples", filter=samples & Q(preparations__samples__voided_at__isnull=False)
        ),
    )
    context = {
        "designs": counted.order_by("-pk")[:MOST_LISTED],
        "may_write": scope(request).may_write_anywhere,
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
    }
    return render(request, "designs/list.html", context)


@login_required
def design_create(request: HttpRequest) -> HttpResponse:
    if not scope(request).may_write_anywhere:
        return render(request, "samples/plan_nowhere.html")
    project = _project(request)
    form = _form(request, project)
    if request.method == "POST" and form.is_valid() and "create" in request.POST and form.array:
        try:
            design = designs.create_design(
                user=request.user, array=form.array, name=form.cleaned_data["name"]
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            count = design.preparations.count()
            messages.success(request, f"{count} samples are planned. Print their labels, then weigh.")
            return redirect("design", design.pk)
    context = {"form": form, "project": project, "projects": scope(request).writable()}
    status = 422 if request.method == "POST" and form.errors else 200
    return render(request, "designs/create.html", context | _preview(request, form), status=status)


@require_POST
@login_required
def preview(request: HttpRequest) -> HttpResponse:
    """What the array in the form would take; asked again while one types."""
    if not scope(request).may_write_anywhere:
        raise Http404("There is no project that you may add to.")
    project = _project(request)
    form = _form(request, project)
    form.is_valid()
    context = {"form": form, "project": project} | _preview(request, form)
    return render(request, "designs/preview.html", context)


def _form(request: HttpRequest, project: Project) -> ArrayForm:
    start = {"seed": secrets.randbelow(10**6)}
    return ArrayForm(request.POST or None, project=project, initial=start)


def _project(request: HttpRequest) -> Project:
    """The one posted, or the chosen one, or the person's own; always one that is open to them."""
    open_projects = {project.slug: project for project in scope(request).writable()}
    chosen, own = scope(request).project, request.user.default_project
    asked = request.POST.get("in_project")
    if asked and asked not in open_projects:
        raise Http404("There is no such project that you may add to.")
    candidates = [asked, chosen.slug if chosen else None, own.slug if own else None, *open_projects]
    return next(open_projects[slug] for slug in candidates if slug in open_projects)


def _preview(request: HttpRequest, form: ArrayForm) -> dict[str, Any]:
    """Forecast and map of the array in the form, or the sentence that says what is missing."""
    slots, forecast = [], None
    if form.array is not None:
        try:
            forecast = designs.forecast(form.array, request.user)
            slots = form.array.slots()
        except ValidationError as error:
            form.add_error(None, error.messages)
    return {
        "forecast": forecast,
        "coverage": designs.coverage(form.project, request.user, slots),
        "missing": _missing(form) if form.is_bound else "Give loadings and a mass to see a forecast.",
    }


def _missing(form: ArrayForm) -> str:
    """The first thing that stands between the form and a forecast; a name can wait until the end."""
    for name, texts in form.errors.items():
        if name != "name":
            label = "" if name == "__all__" else f"{form[name].label}: "
            return texts[0] if texts[0].startswith(label) else f"{label}{texts[0]}"
    return ""


@login_required
def design(request: HttpRequest, pk: int) -> HttpResponse:
    row = _seen(request, pk)
    samples = list(
        Sample.objects.visible_to(request.user)
        .filter(preparation__design=row)
        .select_related("preparation", "factors")
        .order_by("preparation__run_order", "code")
    )
    standing = designs.standing(row)
    context = {
        "design": row,
        "samples": samples,
        "standing": standing,
        "is_withdrawn": bool(samples) and standing["withdrawn"] == standing["samples"],
        "coverage": designs.coverage(row.project, request.user, design=row.pk),
        "may_write": scope(request).may_write(row.project_id),
        "several_runs": len({sample.preparation.block for sample in samples}) > 1,
    }
    return render(request, "designs/design.html", context)


@login_required
def weighing(request: HttpRequest, pk: int) -> HttpResponse:
    row = _seen(request, pk)
    return designs.weighing_file(row, request.user, "pdf" if request.GET.get("as") == "pdf" else "csv")


@require_POST
@login_required
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    row = _seen(request, pk)
    must_write(request, row.project_id)
    try:
        count = designs.withdraw(user=request.user, design=row)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"Withdrawn: {count} planned samples. Their codes are never used again.")
    return redirect("design", row.pk)


def _seen(request: HttpRequest, pk: int) -> Design:
    return get_object_or_404(Design.objects.visible_to(request.user).select_related("project"), pk=pk)
