"""How much lead is where: milligrams per gram and per sample, in what is kept and in what was thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from samples.composition import ancestry, elements_of
from samples.models import Component, Material, Sample
from samples.notation import NotationError, parse
from samples.stoichiometry import StoichiometryError, element_mass_fractions

# Whatever holds lead by its own formula, by an ingredient, by its recipe or by its label, and what was made
# from it. What counts in the end is its composition.
MAY_HOLD_LEAD = """
    WITH RECURSIVE leaded(id) AS (
        SELECT sample.id
        FROM samples_sample sample
        LEFT JOIN samples_material material ON material.id = sample.material_id
        WHERE material.formula LIKE '%%Pb%%'
           OR (sample.material_id IS NULL AND (
                sample.notation LIKE '%%Pb%%'
                OR sample.preparation_id IN (
                    SELECT preparation_id FROM samples_ingredient ingredient
                    JOIN samples_material used ON used.id = ingredient.material_id
                    WHERE used.formula LIKE '%%Pb%%'
                )))
        UNION
        SELECT made.id
        FROM leaded
        JOIN samples_ingredient ingredient ON ingredient.sample_id = leaded.id
        JOIN samples_sample made ON made.preparation_id = ingredient.preparation_id
        WHERE made.material_id IS NULL
    )
    SELECT id FROM leaded
"""
WEIGHED, NOMINAL, PURE = "from weighings", "from its label", "from its formula"


@dataclass(frozen=True)
class LeadLine:
    """`mg_per_g` None: neither weighings nor the label say; `left_mg` None: that, or its mass is unknown."""

    sample: Sample
    mg_per_g: float | None
    basis: str

    @property
    def left_mg(self) -> float | None:
        if self.sample.mass_left_g == 0:
            return 0.0
        if self.mg_per_g is None or self.sample.mass_left_g is None:
            return None
        return self.mg_per_g * self.sample.mass_left_g


def may_hold_lead(samples: QuerySet[Sample]) -> QuerySet[Sample]:
    with connection.cursor() as cursor:
        cursor.execute(MAY_HOLD_LEAD, [])
        ids = [row[0] for row in cursor.fetchall()]
    return samples.filter(pk__in=ids)


def lead_lines(samples: Sequence[Sample]) -> list[LeadLine]:
    """One line a sample, in a bounded number of queries. `preparation.recipe` is best selected with them."""
    known = ancestry(samples)
    of_material = {pk: _lead_of(material) for pk, material in known.materials.items()}
    recipes = {s.preparation.recipe_id for s in samples if s.preparation and s.preparation.recipe_id}
    planned: dict[int, list[Component]] = {}
    for component in Component.objects.filter(recipe__in=recipes).select_related("material"):
        planned.setdefault(component.recipe_id, []).append(component)
    lines = []
    for sample in samples:
        leaves = known.derived(sample.pk).leaves
        parts = [
            (share, of_material[key[1]] if key[0] == "material" else None) for key, share in leaves.items()
        ]
        mg_per_g, basis = _sum(parts), PURE if sample.material_id else WEIGHED
        if mg_per_g is None:
            recipe_id = sample.preparation.recipe_id if sample.preparation else None
            mg_per_g, basis = _nominal(sample, planned.get(recipe_id or 0, [])), NOMINAL
        lines.append(LeadLine(sample, mg_per_g, basis if mg_per_g is not None else ""))
    return lines


def _lead_of(material: Material) -> float | None:
    elements = elements_of(material)
    if elements is None:
        return None if "Pb" in material.formula or not material.formula else 0.0
    return elements.get("Pb", 0.0)


def _sum(parts: Sequence[tuple[float, float | None]]) -> float | None:
    if not parts or any(lead is None for _, lead in parts):
        return None
    return 1000 * sum(share * (lead or 0.0) for share, lead in parts)


def _nominal(sample: Sample, components: Sequence[Component]) -> float | None:
    """What the recipe plans, or what the label says where there is no recipe."""
    if components:
        return _sum([(c.mass_fraction, _lead_of(c.material)) for c in components])
    try:
        parts = parse(sample.notation).parts
    except NotationError:
        return None
    return _sum([(part.mass_fraction, 0.0 if part.is_framework else _lead_in(part.name)) for part in parts])


def _lead_in(name: str) -> float | None:
    try:
        return element_mass_fractions(name).get("Pb", 0.0)
    except StoichiometryError:
        return None
