"""Where a sample comes from and what was made of it, with grams."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from frontend.formatting import mass
from samples.ancestry import Edge, Lineage
from samples.models import Sample

MOST_CHILDREN = 24
MOST_PARENTS = 40


@dataclass(frozen=True)
class Relative:
    depth: int
    sample: Sample | None
    name: str
    amount: str


@dataclass(frozen=True)
class Relatives:
    parents: list[Relative]
    children: list[Relative]
    more_parents: int
    more_children: int
    hidden: int


def relatives(family: Lineage, visible: Collection[int], projects: Collection[int]) -> Relatives:
    """`visible`: keys of the samples that the reader may see; `projects`: of the reader's projects. What is
    hidden in these is under an embargo and is not even counted."""

    def seen(sample: Sample) -> bool:
        return sample.pk in visible

    parents, more_parents = _climbed(family, seen)
    grams = {edge.child.pk: edge.mass_g for edge in family.edges if edge.parent.pk == family.sample.pk}
    below = [child for child in family.descendants if seen(child)]
    below.sort(key=lambda child: (child.pk not in grams, child.code))
    children = [
        Relative(
            0 if child.pk in grams else 1, child, "", mass(grams.get(child.pk)) if child.pk in grams else ""
        )
        for child in below[:MOST_CHILDREN]
    ]
    everyone = [*family.ancestors, *family.descendants]
    elsewhere = sum(not seen(member) and member.project_id not in projects for member in everyone)
    more_children = len(below) - len(children) + family.more_descendants
    return Relatives(parents, children, more_parents + family.more_ancestors, more_children, elsewhere)


def _climbed(family: Lineage, seen: Callable[[Sample], bool]) -> tuple[list[Relative], int]:
    """Ancestors as a tree, each told once however many ways lead to it; and how many were not told."""
    sources: dict[int, list[Edge]] = {}
    for edge in family.edges:
        if seen(edge.parent):
            sources.setdefault(edge.child.pk, []).append(edge)
    lines: list[Relative] = []
    told: set[int] = set()
    waiting: list[Relative | tuple[Sample, int]] = [(family.sample, 0)]
    while waiting and len(lines) < MOST_PARENTS:
        entry = waiting.pop()
        if isinstance(entry, Relative):
            lines.append(entry)
            continue
        child, depth = entry
        branch: list[Relative | tuple[Sample, int]] = []
        for edge in sources.get(child.pk, ()):
            branch.append(Relative(depth, edge.parent, "", mass(edge.mass_g)))
            if edge.parent.pk not in told:
                told.add(edge.parent.pk)
                branch.append((edge.parent, depth + 1))
        if seen(child) and child.preparation:
            branch += [
                Relative(depth, None, ingredient.material.name, mass(ingredient.mass_g))
                for ingredient in child.preparation.ingredients.all()
                if ingredient.material is not None
            ]
        waiting.extend(reversed(branch))
    shown = {line.sample.pk for line in lines if line.sample is not None}
    return lines, sum(seen(member) and member.pk not in shown for member in family.ancestors)
