"""A genealogy as a drawing: generations from left to right, grams on the way. Pure: what goes in is words.

The layout is that of Sugiyama in its simplest form: layers by the longest way to the sample, then a few
sweeps that put each node at the mean height of its neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 168, 44
COLUMN, ROW = 268, 60
MARGIN = 16
SWEEPS = 6


@dataclass(frozen=True)
class Node:
    """`kind`: sample, material, loss, disposal; `label` and `under` are its two lines."""

    key: str
    layer: int
    label: str
    under: str = ""
    kind: str = "sample"
    url: str = ""
    is_self: bool = False
    title: str = ""


@dataclass(frozen=True)
class Arrow:
    """`changed`: the state changed on the way, such as powder → glass."""

    start: str
    end: str
    grams: str = ""
    changed: bool = False
    lost: bool = False


@dataclass
class _Place:
    x: float
    y: float
    neighbours: list[str] = field(default_factory=list)


def draw(nodes: Sequence[Node], arrows: Sequence[Arrow], about: str) -> str:
    """An SVG of its natural size, with a group a node and a path an arrow, for a script to move in."""
    places = _placed(nodes, arrows)
    width = max(place.x for place in places.values()) + WIDTH + MARGIN
    height = max(place.y for place in places.values()) + HEIGHT + MARGIN
    return (
        f'<svg class="genealogy" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="group" aria-label="{escape(about)}">'
        '<defs><marker id="into" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
        + "".join(_arrow(arrow, places) for arrow in arrows)
        + "".join(_node(node, places[node.key]) for node in nodes)
        + "</svg>"
    )


def _placed(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> dict[str, _Place]:
    first = min(node.layer for node in nodes)
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        columns[node.layer].append(node)
    places = {
        node.key: _Place(MARGIN + (node.layer - first) * COLUMN, MARGIN + row * ROW)
        for column in columns.values()
        for row, node in enumerate(column)
    }
    for arrow in arrows:
        places[arrow.start].neighbours.append(arrow.end)
        places[arrow.end].neighbours.append(arrow.start)
    tallest = max(len(column) for column in columns.values())
    for sweep in range(SWEEPS):
        for layer in sorted(columns, reverse=bool(sweep % 2)):
            wanted = {node.key: _mean_height(places, node.key) for node in columns[layer]}
            columns[layer].sort(key=lambda node, wanted=wanted: wanted[node.key])  # type: ignore[misc]
            top = MARGIN + (tallest - len(columns[layer])) * ROW / 2
            for row, node in enumerate(columns[layer]):
                places[node.key].y = top + row * ROW
    return places


def _mean_height(places: dict[str, _Place], key: str) -> float:
    near = places[key].neighbours
    return sum(places[other].y for other in near) / len(near) if near else places[key].y


def _node(node: Node, place: _Place) -> str:
    classes = f"node {node.kind}{' self' if node.is_self else ''}"
    inside = (
        f'<title>{escape(node.title or node.label)}</title><rect width="{WIDTH}" height="{HEIGHT}" rx="4"/>'
        f'<text class="name" x="10" y="18">{escape(_short(node.label))}</text>'
        f'<text class="under" x="10" y="34">{escape(_short(node.under))}</text>'
    )
    if node.url:
        inside = f'<a href="{escape(node.url)}" tabindex="0">{inside}</a>'
    return (
        f'<g class="{classes}" data-node="{escape(node.key)}" '
        f'transform="translate({place.x:.1f} {place.y:.1f})">{inside}</g>'
    )


def _arrow(arrow: Arrow, places: dict[str, _Place]) -> str:
    start, end = places[arrow.start], places[arrow.end]
    x1, y1 = start.x + WIDTH, start.y + HEIGHT / 2
    x2, y2 = end.x, end.y + HEIGHT / 2
    bend = max((x2 - x1) / 2, 24)
    classes = "arrow" + (" changed" if arrow.changed else "") + (" lost" if arrow.lost else "")
    middle = f'x="{(x1 + x2) / 2:.1f}" y="{(y1 + y2) / 2 - 4:.1f}"'
    label = f'<text class="grams" {middle}>{escape(arrow.grams)}</text>' if arrow.grams else ""
    return (
        f'<g class="{classes}" data-start="{escape(arrow.start)}" data-end="{escape(arrow.end)}">'
        f'<path d="M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}" '
        f'marker-end="url(#into)"/>{label}</g>'
    )


def _short(text: str, longest: int = 24) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
