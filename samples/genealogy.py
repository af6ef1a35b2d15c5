"""The genealogy without its furniture: who was made from whom with how many grams, in one query.

`samples.ancestry` loads samples with all their steps; this loads keys and grams, for ten thousand ancestors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from django.db import connection

from samples.blending import Key, Weighing

# A sample is made from its ingredients. UNION drops what was met before, so that stacked diamonds cost what
# their edges cost and not what their paths would.
EDGES_UP = """
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
    SELECT sample.id, sample.material_id, sample.preparation_id,
           ingredient.id, ingredient.sample_id, ingredient.material_id,
           ingredient.mass_g, ingredient.mass_sigma_g
    FROM ancestor
    JOIN samples_sample sample ON sample.id = ancestor.id
    LEFT JOIN samples_ingredient ingredient ON ingredient.preparation_id = sample.preparation_id
"""


@dataclass
class Genealogy:
    """Samples with all their ancestors. Siblings of one preparation share its weighings."""

    materials: dict[int, int | None] = field(default_factory=dict)
    preparations: dict[int, int | None] = field(default_factory=dict)
    weighings: dict[int, dict[int, Weighing]] = field(default_factory=lambda: defaultdict(dict))

    def blends(self) -> dict[Key, list[Weighing]]:
        """For `samples.blending`: ("made", preparation) blends down to ("material", pk) and ("sample", pk).

        A sample that is one substance is a leaf, whatever it was grown from: masses are not conserved in a
        synthesis.
        """
        return {
            ("made", preparation): list(weighings.values())
            for preparation, weighings in self.weighings.items()
        }

    def source(self, sample_id: int) -> Key:
        """Where the composition of a sample is to be looked for."""
        material = self.materials.get(sample_id)
        if material is not None:
            return ("material", material)
        preparation = self.preparations.get(sample_id)
        if preparation is not None and preparation in self.weighings:
            return ("made", preparation)
        return ("sample", sample_id)


def genealogy(sample_ids: Iterable[int]) -> Genealogy:
    """One query, whatever the depth."""
    found = Genealogy()
    with connection.cursor() as cursor:
        cursor.execute(EDGES_UP, [list(sample_ids)])
        rows = cursor.fetchall()
    for sample, material, preparation, *_ in rows:
        found.materials[sample] = material
        found.preparations[sample] = preparation
    # A preparation has its weighings once it is known which of the samples are substances.
    with_ingredients = {preparation for _, _, preparation, ingredient, *_ in rows if ingredient}
    for preparation in with_ingredients:
        found.weighings[preparation] = {}
    for _, _, preparation, ingredient, parent, material, mass_g, sigma_g in rows:
        if ingredient is not None:
            source: Key = ("material", material) if material is not None else found.source(parent)
            found.weighings[preparation][ingredient] = Weighing(source, mass_g, sigma_g)
    return found


@dataclass(frozen=True, slots=True)
class Link:
    """Grams that went from a sample, or from a material whose lot was not recorded, into a sample."""

    parent: int | None
    material: int | None
    child: int
    mass_g: float | None
    sigma_g: float | None = None


@dataclass(frozen=True)
class Kin:
    """The nearest relatives of a sample in both directions, and how many more there are.

    generation : sample → steps from the sample, negative for ancestors; the shortest way counts
    """

    generation: dict[int, int]
    links: list[Link]
    more_ancestors: int
    more_descendants: int
    more_than_counted: bool = False


MOST_LINKS = 50_000
LINKS_DOWN = """
    WITH RECURSIVE descendant(id) AS (
        SELECT %s::bigint
        UNION
        SELECT child.id
        FROM descendant
        CROSS JOIN LATERAL (
            SELECT made.id
            FROM samples_ingredient used
            JOIN samples_sample made ON made.preparation_id = used.preparation_id
            WHERE used.sample_id = descendant.id
            OFFSET 0
        ) child
    )
    SELECT used.sample_id, used.material_id, made.id, used.mass_g, used.mass_sigma_g
    FROM descendant
    JOIN samples_ingredient used ON used.sample_id = descendant.id
    JOIN samples_sample made ON made.preparation_id = used.preparation_id
    LIMIT %s
"""
LINKS_UP = """
    WITH RECURSIVE ancestor(id) AS (
        SELECT %s::bigint
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
    SELECT used.sample_id, used.material_id, made.id, used.mass_g, used.mass_sigma_g
    FROM ancestor
    JOIN samples_sample made ON made.id = ancestor.id
    JOIN samples_ingredient used ON used.preparation_id = made.preparation_id
    LIMIT %s
"""


def kin(sample_id: int, most: int) -> Kin:
    """The nearest `most` ancestors and as many descendants, whole generations first. Two queries."""
    up, down = _links(LINKS_UP, sample_id), _links(LINKS_DOWN, sample_id)
    parents: dict[int, list[int]] = defaultdict(list)
    children: dict[int, list[int]] = defaultdict(list)
    for link in up:
        if link.parent is not None:
            parents[link.child].append(link.parent)
    for link in down:
        children[link.parent or 0].append(link.child)
    above, below = _distances(sample_id, parents), _distances(sample_id, children)
    near_above, near_below = list(above.items())[: most + 1], list(below.items())[: most + 1]
    generation = {pk: -steps for pk, steps in near_above} | dict(near_below)
    links = [
        link
        for link in dict.fromkeys(chain(up, down))
        if link.child in generation and (link.parent is None or link.parent in generation)
    ]
    return Kin(
        generation,
        links,
        len(above) - len(near_above),
        len(below) - len(near_below),
        len(up) >= MOST_LINKS or len(down) >= MOST_LINKS,
    )


def _links(query: str, sample_id: int) -> list[Link]:
    with connection.cursor() as cursor:
        cursor.execute(query, [sample_id, MOST_LINKS])
        return [Link(*row) for row in cursor.fetchall()]


def _distances(start: int, neighbours: dict[int, list[int]]) -> dict[int, int]:
    """Nearest first."""
    found = {start: 0}
    frontier = [start]
    while frontier:
        reached = dict.fromkeys(
            neighbour for pk in frontier for neighbour in neighbours[pk] if neighbour not in found
        )
        steps = found[frontier[0]] + 1
        found.update(dict.fromkeys(reached, steps))
        frontier = list(reached)
    return found
