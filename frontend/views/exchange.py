"""Samples in and out as files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from frontend.access import login_required, must_write
from frontend.exchange.kept import ExpiredError, Kept, keep, kept
from frontend.forms.exchange import ImportForm
from frontend.forms.samples import SampleFilter
from frontend.scope import narrowed, scope
from frontend.views.samples import listed
from samples.api.exchange import attached, exported
from samples.exchange import FileError, Outcome, Problem
from samples.exchange.exporting import extent
from samples.exchange.formats import FORMATS, XLSX, take_in
from samples.exchange.tables import tables
from samples.exchange.writing import template
from samples.models import Project, Sample

MOST_SHOWN = 200


@login_required
def import_page(request: HttpRequest) -> HttpResponse:
    """Choose a file; see what it would make and what is wrong with it; then say yes."""
    projects = scope(request).writable()
    if request.method == "POST" and "ticket" in request.POST:
        return _commit(request)
    chosen = scope(request).project
    form = ImportForm(
        request.POST or None,
        request.FILES or None,
        projects=projects,
        initial={"project": chosen.slug if chosen else None},
    )
    context: dict[str, Any] = {"form": form, "tables": tables(), "projects": projects}
    if request.method == "POST" and form.is_valid():
        file = keep(request.FILES["file"], request.user)
        project = _project(request, form.cleaned_data["project"])
        context |= _report(request, project, file, form.cleaned_data["table"])
    status = 422 if form.errors or context.get("problems") else 200
    return render(request, "exchange/import.html", context, status=status)


def _commit(request: HttpRequest) -> HttpResponse:
    project = _project(request, request.POST.get("project", ""))
    try:
        file = kept(request.POST["ticket"], request.user)
    except ExpiredError:
        messages.error(request, "The checked file is not here any more; choose it again.")
        return redirect("import")
    outcome = _taken(request, project, file, request.POST.get("table", ""), dry_run=False)
    if not outcome.saved:
        form = ImportForm(projects=scope(request).writable(), initial={"project": project.slug})
        context = {"form": form, "tables": tables(), "projects": scope(request).writable()}
        context |= _described(project, file, outcome, "")
        return render(request, "exchange/import.html", context, status=422)
    file.path.unlink(missing_ok=True)
    messages.success(request, f"Imported {_in_words(outcome)} from {file.filename}.")
    return redirect(f"{reverse('samples')}?project={project.slug}")


def _project(request: HttpRequest, slug: str) -> Project:
    seen = Project.objects.visible_to(request.user)
    project = get_object_or_404(seen, slug=slug.replace("\0", ""))
    must_write(request, project.pk)
    return project


def _report(request: HttpRequest, project: Project, file: Kept, table: str) -> dict[str, Any]:
    outcome = _taken(request, project, file, table, dry_run=True)
    return _described(project, file, outcome, table)


def _described(project: Project, file: Kept, outcome: Outcome, table: str) -> dict[str, Any]:
    return {
        "project": project,
        "file": file,
        "table": table,
        "checked": True,
        "counts": outcome.counts,
        "problems": outcome.problems[:MOST_SHOWN],
        "problem_count": len(outcome.problems),
        "in_words": _in_words(outcome),
    }


def _taken(request: HttpRequest, project: Project, file: Kept, table: str, *, dry_run: bool) -> Outcome:
    try:
        with file.open() as stream:
            return take_in(
                user=request.user,
                project=project,
                stream=stream,
                filename=file.filename,
                size=file.size,
                dry_run=dry_run,
                zone=timezone.get_current_timezone(),
                table=table,
            )
    except FileError as error:
        return Outcome({}, [Problem("", "", str(error))], saved=False)


def _in_words(outcome: Outcome) -> str:
    count = outcome.counts.get("samples", 0)
    rest = sum(outcome.counts.values()) - count
    samples = "1 sample" if count == 1 else f"{count} samples"
    return samples if not rest else f"{samples} and {rest} rows of other tables"


@login_required
def template_file(request: HttpRequest) -> HttpResponseBase:
    return attached(template(), XLSX, "vitrine-template.xlsx")


@login_required
def export_file(request: HttpRequest) -> HttpResponseBase:
    """What the sample list shows under the same filters, or with `whole` all of a project."""
    key = request.GET.get("as", "xlsx")
    project = scope(request).project or _only_project(request)
    if project is None or key not in FORMATS:
        messages.error(request, "Choose the project to export first: a file holds one.")
        return redirect("samples")
    if "whole" in request.GET:
        return exported(extent(request.user, project), key)
    everything = narrowed(Sample.objects.all(), request).filter(project=project)
    halide = request.GET.get("halide", "")
    chosen = SampleFilter(request.GET, halides=[halide] if halide else []).chosen()
    return exported(extent(request.user, project, listed(everything, chosen)), key)


def _only_project(request: HttpRequest) -> Project | None:
    memberships = scope(request).memberships
    return memberships[0].project if len(memberships) == 1 else None
