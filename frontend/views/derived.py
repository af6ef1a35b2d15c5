"""What methods found over the values of a whole project: correlations, drift, agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from analysis import methods
from analysis.curves import load_curves
from analysis.methods import LoadedMethod
from analysis.models import Artifact, Run, Value
from analysis.services.derived import needed
from frontend.access import login_required
from frontend.formatting import number
from frontend.values import Shown, shown
from measurements.store import StoreError
from samples.models import Project

MOST_SAMPLES = 50


@dataclass(frozen=True)
class Section:
    """A method's answer for the project. `table`: rows by property where values carry several components."""

    method: str
    title: str
    description: str
    reference: str
    state: str
    run: Run | None
    lines: list[Shown]
    columns: list[str]
    table: list[tuple[str, list[Shown | None]]]
    figures: list[tuple[str, str]]
    said: list[tuple[str, str]]
    notes: list[tuple[str, str]]


@login_required
def results(request: HttpRequest, slug: str) -> HttpResponse:
    project = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    runs = Run.objects.visible_to(request.user).filter(project=project, verifies=None)
    context = {
        "project": project,
        "sections": [_section(loaded, runs, request.user) for loaded in methods.over_values("project")],
        "replicates": _of_samples(project, request.user),
        "most": MOST_SAMPLES,
    }
    return render(request, "people/results.html", context)


def _section(loaded: LoadedMethod, runs: Any, user: Any) -> Section:
    last = runs.filter(method=loaded.key).order_by("-requested_at", "-pk").first()
    # A new question may still wait; until it is answered, the answer to the one before stands.
    found = Value.objects.visible_to(user).filter(run__in=runs.filter(method=loaded.key), current=True)
    lines = shown(found.select_related("run", "publication", "entered_by", "measurement"))
    run = lines[0].source.run if lines else None
    columns, table = _table(lines)
    notes = {name: _written(value) for name, value in (run.notes if run else {}).items()}
    words = {name for name, value in (run.notes if run else {}).items() if isinstance(value, str)}
    return Section(
        method=loaded.key,
        title=loaded.method.title,
        description=loaded.method.description,
        reference=loaded.method.reference,
        state=_state(last, loaded),
        run=run,
        lines=[] if columns else lines,
        columns=columns,
        table=table,
        figures=_figures(run),
        said=[(name, notes[name]) for name in notes if name in words],
        notes=[(name, notes[name]) for name in notes if name not in words],
    )


def _state(last: Run | None, loaded: LoadedMethod) -> str:
    """What is to be said besides the values: why there are none, or that newer ones are on their way."""
    if last is None or last.stale:
        return f"Not asked: it takes {needed(loaded)}."
    if last.unfinished:
        return "Values have changed; it is being computed anew."
    return last.message if last.status == Run.Status.FAILED else ""


def _table(lines: Sequence[Shown]) -> tuple[list[str], list[tuple[str, list[Shown | None]]]]:
    """Properties against components, where one property has several of these."""
    by_property: dict[str, dict[str, Shown]] = {}
    for line in lines:
        by_property.setdefault(line.label, {})[line.component] = line
    if all(len(of) < 2 for of in by_property.values()):
        return [], []
    columns = list(dict.fromkeys(line.component for line in lines))
    return columns, [(label, [of.get(name) for name in columns]) for label, of in by_property.items()]


def _figures(run: Run | None) -> list[tuple[str, str]]:
    """Title and address, one for each quantity that has curves."""
    artifact = Artifact.objects.select_related("blob").filter(run=run).first() if run else None
    if run is None or artifact is None:
        return []
    try:
        quantities = dict.fromkeys(curve.y_name for curve in load_curves(artifact))
    except StoreError:
        return []
    address = reverse("run-figure", args=[run.pk])
    return [(name, f"{address}?{urlencode({'of': name})}") for name in quantities]


def _of_samples(project: Project, user: Any) -> list[tuple[str, list[Shown]]]:
    """Code and lines of samples that have values derived from their own."""
    keys = [loaded.key for loaded in methods.over_values("sample")]
    seen = Value.objects.visible_to(user).filter(
        sample__project=project, measurement=None, method__in=keys, current=True
    )
    codes = list(
        seen.order_by("sample__code").values_list("sample__code", flat=True).distinct()[:MOST_SAMPLES]
    )
    rows: dict[str, list[Value]] = {code: [] for code in codes}
    related = ("sample", "run", "publication", "entered_by", "measurement")
    for value in seen.filter(sample__code__in=codes).select_related(*related):
        assert value.sample is not None
        rows[value.sample.code].append(value)
    return [(code, shown(values)) for code, values in rows.items()]


def _written(value: Any) -> str:
    return number(value, 3) if isinstance(value, (int, float)) else str(value)


urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/results/", results, name="project-results"),
]
