"""Where a sample comes from and what was made of it, with grams."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from frontend.formatting import mass
from samples.ancestry import Lineage
from samples.models import Sample

MOST_CHILDREN = 24


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
    more_children: int
    hidden: int


def relatives(family: Lineage, visible: Collection[int], projects: Collection[int]) -> Relatives:
    """`visible`: keys of the samples that the reader may see; `projects`: of the reader's projects. What is
    hidden in these is under an embargo and is not even counted."""

    def seen(sample: Sample) -> bool:
        return sample.pk in visible

    parents: list[Relative] = []

    def climb(child: Sample, depth: int) -> None:
        for edge in (edge for edge in family.edges if edge.child.pk == child.pk and seen(edge.parent)):
            parents.append(Relative(depth, edge.parent, "", mass(edge.mass_g)))
            climb(edge.parent, depth + 1)
        if seen(child) and child.preparation:
            for ingredient in child.preparation.ingredients.all():
                if ingredient.material is not None:
                    parents.append(Relative(depth, None, ingredient.material.name, mass(ingredient.mass_g)))

    climb(family.sample, 0)
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
    return Relatives(parents, children, len(below) - len(children), elsewhere)
