"""What figures draw, as JSON. Whoever may not see a thing gets 404 for its figure too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import conditional_page
from rest_framework.exceptions import ValidationError

from analysis.explore import ExploreError
from analysis.models import Run
from frontend import figures, question
from frontend.access import login_required
from frontend.gathering import gather
from frontend.gathering.asked import filters_of, options_of
from frontend.plots import curves_over_values, figure_of, points_for, refused, sent, sentence, usual_scale
from frontend.scope import scope
from measurements.models import Dataset, Measurement
from measurements.store import StoreError
from samples.incoming import row_number

NOTHING_YET = "There is nothing to draw yet."


@login_required
def explore(request: HttpRequest) -> HttpResponse:
    if scope(request).unknown:
        return refused("There is no such project among yours.", 404)
    asked = question.asked(request)
    try:
        points = points_for(request.user, asked)
    except ValidationError as error:
        return refused(sentence(error))
    drawing = figures.get(asked["as"]).draw(points, asked.dict())
    address = f"{reverse('api-explore')}?{question.for_interface(asked).urlencode()}"
    return sent(request, drawing, api=address)


@login_required
@conditional_page
def view(request: HttpRequest, key: str) -> HttpResponse:
    """A figure over many samples: `?project=`, its own choices, and the filters of Explore."""
    known = {loaded.key: loaded for loaded in figures.taking("view")}
    if key not in known or scope(request).unknown:
        return refused("There is no such view, or no such project among yours.", 404)
    figure = known[key].figure
    try:
        filters = filters_of(request.GET, figure, scope(request).project)
        found = gather(request.user, figure, filters)
    except ValidationError as error:
        return refused(sentence(error))
    except ExploreError as error:
        return refused(str(error))
    if not found.subjects:
        narrowed = bool(filters.at_least or filters.at_most or filters.texts or filters.origins)
        said = "Nothing lies within these limits; choose wider ones." if narrowed else NOTHING_YET
        empty = figures.Drawing(empty=said, notes=found.missing)
        return sent(request, empty, api=_numbers_behind(figure))
    drawing = known[key].draw(found, options_of(request.GET, figure))
    told = [note for note in found.missing if note not in drawing.notes]
    return sent(request, replace(drawing, notes=[*drawing.notes, *told]), api=_numbers_behind(figure))


def _numbers_behind(figure: figures.Figure) -> str:
    """The call that gives a script what the figure rests on: its first property, or its measurements."""
    if figure.reads:
        asked = {"x": (*figure.factors, question.DEFAULT["x"])[0], "y": figure.reads[0]}
        return f"{reverse('api-explore')}?{urlencode(asked)}"
    technique = figure.curves[0].technique if figure.curves else ""
    return f"{reverse('measurement-list')}?{urlencode({'technique': technique})}"


@login_required
def measurement(request: HttpRequest, pk: int) -> HttpResponse:
    """`?dataset=` its number, `?run=` whose curves; without, the newest that is done."""
    row = get_object_or_404(Measurement.objects.visible_to(request.user), pk=pk)
    seen = Run.objects.visible_to(request.user)
    runs = seen.filter(measurement=row, status=Run.Status.DONE, artifact__isnull=False)
    asked = row_number(request.GET.get("run", ""))
    if asked is not None:
        runs = runs.filter(pk=asked)
    return _spectrum(request, row, newest(runs))


@login_required
def run(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Run.objects.visible_to(request.user).select_related("measurement"), pk=pk)
    if row.measurement is None:
        return _over_values(request, row)
    return _spectrum(request, row.measurement, row)


def _over_values(request: HttpRequest, row: Run) -> HttpResponse:
    """`?of=` which quantity, in the words of its curves; without, the first one."""
    api = reverse("run-detail", args=[row.pk])
    try:
        shown = curves_over_values(row, request.GET.get("of", ""))
    except StoreError as error:
        return refused(str(error), 500)
    if shown is None:
        return sent(request, figures.Drawing(empty="This run left no curves."), api=api)
    drawing = figures.get("spectrum").draw(shown, {})
    return sent(request, drawing, api=api, more={"filename": f"run-{row.pk}"})


def newest(runs: QuerySet[Run]) -> Run | None:
    """The run whose curves stand for a measurement: current before superseded, fits before descriptions."""
    rows = runs.filter(values__current=True).distinct().select_related("artifact").order_by("-pk")
    return (
        min(rows, key=lambda row: "fit" not in row.artifact.names, default=None)
        or runs.order_by("-pk").first()
    )


def _spectrum(request: HttpRequest, row: Measurement, of_run: Run | None) -> HttpResponse:
    datasets: Any = Dataset.objects.filter(measurement=row, current=True).select_related("blob")
    asked = row_number(request.GET.get("dataset", ""))
    if asked is not None:
        datasets = datasets.filter(number=asked)
    dataset = datasets.order_by("number").first()
    if dataset is None:
        waiting = "The file waits to be read." if row.status == Measurement.Status.RECEIVED else row.error
        return sent(
            request,
            figures.Drawing(empty=waiting or "There is no dataset."),
            api=reverse("measurement-detail", args=[row.pk]),
        )
    api = reverse("dataset-data", args=[dataset.pk])
    try:
        shown = figure_of(dataset, of_run)
    except StoreError as error:
        return refused(str(error), 500)
    drawn = figures.get("heat" if isinstance(shown, figures.Map) else "spectrum")
    options = {"scale": usual_scale(row.technique)} | request.GET.dict()
    drawing = drawn.draw(shown, options)
    return sent(request, drawing, api=f"{api}?as=json", more={"filename": f"measurement-{row.pk}"})
