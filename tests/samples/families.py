"""Families of samples made in bulk: chains, diamonds and crowds, in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pgtrigger
from django.db import connection

from samples.models import Ingredient, Material, Preparation, Project, Sample

Part = tuple[str, float | None, float | None]


def lot(project: Project, code: str, material: Material | None = None) -> Sample:
    return Sample.objects.create(project=project, code=code, state="powder", material=material)


def grow(project: Project, recipes: Mapping[str, Sequence[Part]]) -> dict[str, Sample]:
    """New samples {code: [(parent's code, grams, sigma), …]}; parents may be new or there already."""
    preparations = Preparation.objects.bulk_create(Preparation(project=project) for _ in recipes)
    Sample.objects.bulk_create(
        Sample(project=project, code=code, state="mixture", preparation=preparation)
        for code, preparation in zip(recipes, preparations, strict=True)
    )
    members = {sample.code: sample for sample in Sample.objects.filter(project=project)}
    with connection.cursor() as cursor:  # as autovacuum does for tables that grow slowly
        cursor.execute("ANALYZE samples_sample, samples_preparation, samples_ingredient")
    rows = [
        Ingredient(preparation=preparation, sample=members[parent], mass_g=mass_g, mass_sigma_g=sigma_g)
        for preparation, parts in zip(preparations, recipes.values(), strict=True)
        for parent, mass_g, sigma_g in parts
    ]
    with pgtrigger.ignore("samples.Ingredient:insert_insert"):  # the audit trail has tests of its own
        # The youngest first: for each, the database looks for a circle among the ancestors that are there.
        Ingredient.objects.bulk_create(reversed(rows))
    return members


def chain_of(project: Project, start: str, length: int, other: str) -> dict[str, Sample]:
    """Each is made from the one before; every hundredth is 9 parts of it and 1 part of `other`."""
    names = [start, *(f"C{number:05}" for number in range(length))]

    def parts(number: int, parent: str) -> list[Part]:
        return [(parent, 9.0, 0.001), (other, 1.0, 0.001)] if number % 100 == 0 else [(parent, 9.0, None)]

    return grow(
        project,
        {child: parts(number, parent) for number, (parent, child) in enumerate(pairwise(names))},
    )


def stacked_diamonds(project: Project, top: str, count: int) -> dict[str, Sample]:
    """Every generation is split in two and mixed again: 2 ** count paths, 4 × count edges."""
    recipes: dict[str, Sequence[Part]] = {}
    above = top
    for number in range(count):
        left, right, below = (f"{side}{number:03}" for side in ("LEFT", "RIGHT", "JOINED"))
        recipes |= {left: [(above, 1.0, None)], right: [(above, 1.0, None)]}
        recipes[below] = [(left, 1.0, 1e-5), (right, 1.0, 1e-5)]
        above = below
    return grow(project, recipes)
