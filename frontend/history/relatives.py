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


def relatives(family: Lineage, visible_projects: Collection[int]) -> Relatives:
    def seen(sample: Sample) -> bool:
        return sample.project_id in visible_projects

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
    return Relatives(
        parents, children, len(below) - len(children), sum(not seen(member) for member in everyone)
    )
