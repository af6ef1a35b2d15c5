"""The genealogy of a sample as a graph, in both directions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from graphlib import TopologicalSorter

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path

from frontend.access import login_required
from frontend.drawings import lineage as drawing
from frontend.formatting import mass
from samples import notation
from samples.genealogy import Kin, kin
from samples.incoming import row_number
from samples.models import Material, Sample, StockEntry

MOST = (24, 60, 150)
"""Relatives in each direction: what is shown at first, and what a reader may ask for."""


@login_required
def lineage(request: HttpRequest, code: str) -> HttpResponse:
    seen = Sample.objects.visible_to(request.user)
    sample = get_object_or_404(seen.select_related("project"), code=code)
    asked = row_number(request.GET.get("most", ""))
    most = asked if asked in MOST else MOST[1]
    near = kin(sample.pk, most)
    members = {row.pk: row for row in seen.filter(pk__in=near.generation)}
    graph = _graph(near, members, sample)
    context = {
        "sample": sample,
        "svg": drawing.draw(graph.nodes, graph.arrows, f"Lineage of {sample.code}"),
        "lines": graph.lines,
        "count": len(members) - 1,
        "near": near,
        "most": most,
        "wider": next((number for number in MOST if number > most), None),
    }
    return render(request, "samples/lineage.html", context)


@dataclass(frozen=True)
class Graph:
    nodes: list[drawing.Node]
    arrows: list[drawing.Arrow]
    lines: list[tuple[str, str, str]]
    """(from, grams, into), the same as a table."""


def _graph(near: Kin, members: dict[int, Sample], sample: Sample) -> Graph:
    links = [
        link
        for link in near.links
        if link.child in members and (link.parent is None or link.parent in members)
    ]
    layers = _layers(near, members, [(link.parent, link.child) for link in links if link.parent is not None])
    materials = Material.objects.in_bulk({link.material for link in links if link.material is not None})
    nodes = [_node(row, layers[row.pk], is_self=row.pk == sample.pk) for row in members.values()]
    arrows, lines = [], []
    for number, link in enumerate(links):
        child = members[link.child]
        grams = mass(link.mass_g) if link.mass_g is not None else ""
        if link.parent is not None:
            parent = members[link.parent]
            arrows.append(_arrow(str(parent.pk), child, grams, changed=parent.state != child.state))
            lines.append((parent.code, grams or mass(None), child.code))
        elif link.material in materials:
            name = materials[link.material].name
            key = f"material-{link.material}-{child.pk}-{number}"
            nodes.append(drawing.Node(key, layers[child.pk] - 1, name, "lot not recorded", "material"))
            arrows.append(_arrow(key, child, grams))
            lines.append((f"{name} (lot not recorded)", grams or mass(None), child.code))
    for entry in StockEntry.objects.filter(sample__in=members).exclude(kind="recount")[:60]:
        key, word = f"entry-{entry.pk}", entry.get_kind_display().lower()
        grams = mass(entry.mass_g) if entry.mass_g is not None else "the rest"
        row = members[entry.sample_id]
        about, title = entry.waste_stream or entry.reason, f"{word}: {entry.reason}"
        nodes.append(drawing.Node(key, layers[row.pk] + 1, word, about, entry.kind, title=title))
        arrows.append(drawing.Arrow(str(row.pk), key, grams, lost=True))
        lines.append((row.code, grams, word))
    return Graph(nodes, arrows, lines)


def _arrow(start: str, child: Sample, grams: str, *, changed: bool = False) -> drawing.Arrow:
    return drawing.Arrow(start, str(child.pk), grams or "not recorded", changed)


def _node(row: Sample, layer: int, *, is_self: bool) -> drawing.Node:
    name = notation.to_unicode(row.notation) or row.name or row.get_state_display()
    left = "" if row.mass_left_g is None else f" · {mass(row.mass_left_g)} left"
    title = f"{row.code} {name}, {row.get_state_display().lower()}{left}"
    return drawing.Node(
        str(row.pk), layer, row.code, f"{row.get_state_display().lower()}, {name}", "sample",
        row.get_absolute_url(), is_self, title,
    )  # fmt: skip


def _layers(near: Kin, members: dict[int, Sample], links: list[tuple[int, int]]) -> dict[int, int]:
    """A column for each: every ancestor left of all that was made from it, the sample's own is 0."""
    below: dict[int, set[int]] = defaultdict(set)
    above: dict[int, set[int]] = defaultdict(set)
    for parent, child in links:
        below[parent].add(child)
        above[child].add(parent)
    layers: dict[int, int] = {}
    parents_first = list(TopologicalSorter({pk: above[pk] & members.keys() for pk in members}).static_order())
    for pk in parents_first:
        if near.generation[pk] >= 0:
            made_from = [layers[parent] for parent in above[pk] if parent in layers]
            layers[pk] = max(made_from, default=0) + 1 if near.generation[pk] else 0
    for pk in reversed(parents_first):
        if near.generation[pk] < 0:
            layers[pk] = min((layers[child] for child in below[pk] if child in layers), default=0) - 1
    return layers


urlpatterns: list[URLPattern] = [path("samples/<str:code>/lineage/", lineage, name="sample-lineage")]
