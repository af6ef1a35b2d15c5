"""The whole history of samples, fetched in a bounded number of queries however deep it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from django.db import connection

from samples.genealogy import kin
from samples.models import Ingredient, Preparation, Recipe, Sample

MOST_TOLD = 200
"""Relatives in each direction that a page tells with all their steps."""

# LATERAL … OFFSET 0: each generation looks its neighbours up by index. A planner that is left free scans the
# whole table once a generation where its statistics are old, which ten thousand generations would feel.
ANCESTORS = """
    WITH RECURSIVE ancestor(id) AS (
        SELECT unnest(%s::bigint[])
        UNION
        SELECT parent.id
        FROM ancestor
        CROSS JOIN LATERAL (
            SELECT ingredient.sample_id AS id
            FROM samples_sample sample
            JOIN samples_ingredient ingredient ON ingredient.preparation_id = sample.preparation_id
            WHERE sample.id = ancestor.id AND ingredient.sample_id IS NOT NULL
            OFFSET 0
        ) parent
    )
    SELECT id FROM ancestor
"""

DESCENDANTS = """
    WITH RECURSIVE descendant(id) AS (
        SELECT unnest(%s::bigint[])
        UNION
        SELECT child.id
        FROM descendant
        CROSS JOIN LATERAL (
            SELECT sample.id
            FROM samples_ingredient ingredient
            JOIN samples_sample sample ON sample.preparation_id = ingredient.preparation_id
            WHERE ingredient.sample_id = descendant.id
            OFFSET 0
        ) child
    )
    SELECT id FROM descendant
"""

WITH_STEPS = (
    "preparation__recipe__components__material",
    *(f"preparation__{kind}_steps__planned" for kind in ("milling", "quench")),
    "preparation__otherstep_steps",
    *(f"preparation__recipe__{kind}_steps" for kind in ("milling", "quench", "otherstep")),
    "preparation__sintering_steps__segments",
    "preparation__sintering_steps__planned__segments",
    "preparation__recipe__sintering_steps__segments",
    "preparation__ingredients__material",
)


@dataclass(frozen=True)
class Family:
    """Samples with all their ancestors, parents before children."""

    members: dict[int, Sample]
    order: tuple[int, ...] = field(default=())

    def ingredients(self, sample: Sample) -> list[Ingredient]:
        return list(sample.preparation.ingredients.all()) if sample.preparation else []

    def parents(self, sample: Sample) -> list[Sample]:
        return [self.members[i.sample_id] for i in self.ingredients(sample) if i.sample_id]


def _ids(query: str, samples: Iterable[Sample]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, [[sample.pk for sample in samples]])
        return [row[0] for row in cursor.fetchall()]


def family(samples: Iterable[Sample]) -> Family:
    """Raises graphlib.CycleError when a sample is its own ancestor, which the database does not allow."""
    return _members(_ids(ANCESTORS, samples))


def _members(ids: Iterable[int]) -> Family:
    """These samples with all that was done to them; parents outside of them are left out of the order."""
    rows = Sample.objects.select_related("material", "preparation__recipe", "project").prefetch_related(
        *WITH_STEPS
    )
    members = {sample.pk: sample for sample in rows.filter(pk__in=list(ids))}
    graph = {
        pk: [i.sample_id for i in sample.preparation.ingredients.all() if i.sample_id in members]
        if sample.preparation
        else []
        for pk, sample in members.items()
    }
    return Family(members, tuple(TopologicalSorter(graph).static_order()))


def descendants(samples: Iterable[Sample]) -> list[Sample]:
    """The samples themselves and everything ever made from them."""
    return list(Sample.objects.filter(pk__in=_ids(DESCENDANTS, samples)))


def steps_of(preparation: Preparation | None) -> list[Any]:
    """Steps in order: those performed, or those planned by the recipe while nothing was performed.

    While a run sheet is under way, what is still to be done stands behind what was done already.
    """
    if preparation is None:
        return []
    performed = _steps(preparation)
    planned = planned_steps(preparation.recipe) if preparation.recipe else []
    if preparation.started_at is None or preparation.performed_at is not None:
        return performed or planned
    done = {(type(step), step.planned_id) for step in performed}
    to_do = [step for step in planned if (type(step), step.pk) not in done]
    return sorted([*performed, *to_do], key=lambda step: step.order)


def planned_steps(recipe: Recipe) -> list[Any]:
    return _steps(recipe)


def _steps(owner: Any) -> list[Any]:
    kinds = (owner.milling_steps, owner.sintering_steps, owner.quench_steps, owner.otherstep_steps)
    return sorted((step for kind in kinds for step in kind.all()), key=lambda step: step.order)


@dataclass(frozen=True)
class Edge:
    """`mass_g` went from parent to child; None where it was not recorded."""

    parent: Sample
    child: Sample
    mass_g: float | None


@dataclass(frozen=True)
class Lineage:
    """Where a sample comes from, parents first, and what was made of it, nearest first.

    Of a large family only the nearest are here; the others are counted.
    """

    sample: Sample
    ancestors: list[Sample]
    descendants: list[Sample]
    edges: list[Edge]
    more_ancestors: int = 0
    more_descendants: int = 0


def lineage(sample: Sample, most: int = MOST_TOLD) -> Lineage:
    near = kin(sample.pk, most)
    above = _members([pk for pk, steps in near.generation.items() if steps <= 0])
    below_ids = [pk for pk, steps in near.generation.items() if steps > 0]
    below = Sample.objects.in_bulk(below_ids)
    members = {**below, **above.members}
    edges = [
        Edge(members[link.parent], members[link.child], link.mass_g)
        for link in near.links
        if link.parent in members and link.child in members
    ]
    return Lineage(
        above.members[sample.pk],
        [above.members[pk] for pk in above.order if pk != sample.pk],
        [below[pk] for pk in below_ids if pk in below],
        edges,
        near.more_ancestors,
        near.more_descendants,
    )
