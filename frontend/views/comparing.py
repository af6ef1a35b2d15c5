"""Two runs of one measurement side by side: what each said, by how much they differ, both fits drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse

from analysis import methods, properties, services
from analysis.models import Run
from analysis.services.comparing import Pair
from frontend import figures, formatting
from frontend.access import login_required
from frontend.formatting import Written, quantity
from frontend.plots import compared, refused, sent, usual_scale
from frontend.runs import params_told
from measurements.models import Dataset
from measurements.store import StoreError
from samples.incoming import row_number


@dataclass(frozen=True)
class Line:
    label: str
    component: str
    old: Written | None
    new: Written | None
    shift: str
    far: bool


@login_required
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """`?with=` another run of the same measurement; without, the one that it superseded, or the last one."""
    run = _run(request, pk)
    others = list(
        Run.objects.visible_to(request.user)
        .filter(measurement=run.measurement_id, method=run.method, verifies=None)
        .filter(status=Run.Status.DONE)
        .exclude(pk=run.pk)
        .order_by("-pk")
    )
    context: dict[str, Any] = {
        "run": run,
        "measurement": run.measurement,
        "title": _title(run),
        "others": others,
    }
    other = _other(request, run, others)
    if other is not None:
        old, new = sorted((run, other), key=lambda each: (each.requested_at, each.pk))
        context |= {
            "old": old,
            "new": new,
            "lines": [_line(pair) for pair in services.compare(old, new)],
            "params": _differing(old, new),
            "figure_url": f"{reverse('compare-figure', args=[new.pk])}?with={old.pk}",
        }
    return render(request, "measurements/compare.html", context)


@login_required
def figure(request: HttpRequest, pk: int) -> HttpResponse:
    new = _run(request, pk)
    if not request.GET.get("with"):
        return refused("Name the run to compare it with: ?with=7.")
    old = get_object_or_404(
        Run.objects.visible_to(request.user), pk=row_number(request.GET.get("with", "")) or 0
    )
    if old.measurement_id != new.measurement_id:
        raise Http404
    given = new.inputs.filter(dataset__measurement=new.measurement_id).select_related("dataset__blob")
    dataset: Any = given.first().dataset if given else None
    api = f"{reverse('run-compare', args=[new.pk])}?with={old.pk}"
    if dataset is None:
        return sent(request, figures.Drawing(empty="The run read no dataset."), api=api)
    try:
        shown = compared(Dataset.objects.select_related("blob").get(pk=dataset.pk), old, new)
    except StoreError as error:
        return refused(str(error), 500)
    drawn = figures.get("heat" if isinstance(shown, figures.Map) else "spectrum")
    more = {"filename": f"runs-{old.pk}-{new.pk}"}
    options = {"scale": usual_scale(dataset.measurement.technique)} | request.GET.dict()
    return sent(request, drawn.draw(shown, options), api=api, more=more)


def _run(request: HttpRequest, pk: int) -> Run:
    seen = Run.objects.visible_to(request.user).filter(measurement__isnull=False)
    return get_object_or_404(seen.select_related("measurement__sample"), pk=pk)


def _other(request: HttpRequest, run: Run, others: list[Run]) -> Run | None:
    asked = row_number(request.GET.get("with", ""))
    if asked is not None:
        found = next((each for each in others if each.pk == asked), None)
        if found is None:
            raise Http404("There is no such run to compare it with.")
        return found
    superseded = next((each for each in others if each.pk == run.supersedes_id), None)
    return superseded or next(iter(others), None)


def _title(run: Run) -> str:
    loaded = methods.registry().get(run.method)
    return loaded.method.title if loaded else run.method


def _line(pair: Pair) -> Line:
    declared = properties.all().get(pair.property_key)

    def written(value: Any) -> Written | None:
        if value is None:
            return None
        as_percent = bool(declared and declared.as_percent)
        return quantity(value.value, value.sigma, value.unit, as_percent=as_percent)

    return Line(
        label=declared.label if declared else pair.property_key,
        component=pair.component,
        old=written(pair.old),
        new=written(pair.new),
        shift=shift(pair),
        far=pair.sigmas is not None and abs(pair.sigmas) >= 1,
    )


def shift(pair: Pair) -> str:
    """`+0.4 σ`, or what stands in the way of saying it."""
    if pair.old is None:
        return "new"
    if pair.new is None:
        return "gone"
    if pair.difference == 0:
        return "the same"
    if pair.sigmas is None:
        return "no sigma"
    return in_sigmas(pair.sigmas)


def in_sigmas(sigmas: float) -> str:
    sign = "+" if sigmas > 0 else formatting.MINUS
    size = abs(sigmas)
    written = formatting.number(size, 2) if size >= 0.005 else "<\u202f0.005"
    return f"{sign}{written}\u202fσ"


def _differing(old: Run, new: Run) -> list[tuple[str, str, str]]:
    """What was asked otherwise: version, then parameters, each as both runs had it."""
    loaded = methods.registry().get(new.method)
    was, now = dict(params_told(loaded, old.params)), dict(params_told(loaded, new.params))
    rows = [("version", str(old.method_version), str(new.method_version))]
    rows += [(name, was.get(name, "not known"), now.get(name, "not known")) for name in {**was, **now}]
    return [row for row in rows if row[1] != row[2]]


urlpatterns: list[URLPattern] = [
    path("runs/<int:pk>/compare/", compare, name="runs-compared"),
    path("figures/runs/<int:pk>/compare.json", figure, name="compare-figure"),
]
