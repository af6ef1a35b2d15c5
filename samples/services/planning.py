"""A recipe, its planned preparation and its planned sample, in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from samples.models import (
    Component,
    FurnaceSegment,
    Ingredient,
    Material,
    Milling,
    Preparation,
    Project,
    Quench,
    Recipe,
    Sample,
    Sintering,
    User,
)
from samples.notation import Notation, Part
from samples.services.codes import new_code
from samples.services.deriving import derive_factors
from samples.stoichiometry import FRACTION_SUM_TOLERANCE


@transaction.atomic
def plan_composite(
    *,
    user: User,
    project: Project,
    name: str,
    components: Sequence[tuple[Material, float]],
    milling: Mapping[str, Any] | None = None,
    sintering: Mapping[str, Any] | None = None,
    quench: Mapping[str, Any] | None = None,
    code: str = "",
    notes: str = "",
) -> Sample:
    """A recipe with its steps, the planned preparation, and the planned sample with its label."""
    check_components(project, components)
    recipe = Recipe.objects.create(
        project=project,
        name=name,
        version=next_version(project, name),
        notes=notes,
        created_by=user,
        frozen_at=timezone.now(),
    )
    for material, fraction in components:
        _save(Component(recipe=recipe, material=material, mass_fraction=fraction))
    _plan_steps(recipe, milling, sintering, quench)
    preparation = Preparation.objects.create(project=project, recipe=recipe)
    for material, _ in components:
        Ingredient.objects.create(preparation=preparation, material=material)
    sample = Sample(
        project=project,
        code=code or new_code(),
        notation=_notation(components, sintered=sintering is not None),
        state=Sample.State.COMPOSITE if sintering is not None else Sample.State.MIXTURE,
        preparation=preparation,
        planned=True,
        created_by=user,
    )
    _save(sample)
    derive_factors([sample])
    return sample


def check_components(project: Project, components: Sequence[tuple[Material, float]]) -> None:
    """Raises ValidationError with a sentence when a recipe's components cannot be weighed as written."""
    if not components:
        raise ValidationError("A recipe needs at least one component: add a material and its mass fraction.")
    names = [material.name for material, _ in components]
    if len(set(names)) < len(names):
        raise ValidationError("A material stands twice in the recipe; add its fractions together.")
    if any(material.project_id != project.pk for material, _ in components):
        raise ValidationError("A component belongs to another project; choose a material of this one.")
    total = sum(fraction for _, fraction in components)
    if not abs(total - 1) <= FRACTION_SUM_TOLERANCE:
        raise ValidationError(f"The mass fractions add up to {total:.4g}; they must add up to 1.")


def next_version(project: Project, name: str) -> int:
    newest = Recipe.objects.filter(project=project, name=name).order_by("-version").first()
    return newest.version + 1 if newest else 1


def _plan_steps(
    recipe: Recipe,
    milling: Mapping[str, Any] | None,
    sintering: Mapping[str, Any] | None,
    quench: Mapping[str, Any] | None,
) -> None:
    if milling is not None:
        _save(Milling(recipe=recipe, order=1, **milling))
    if sintering is not None:
        plan = dict(sintering)
        segments = plan.pop("segments", [])
        if not segments:
            raise ValidationError(
                "A sintering programme needs at least one segment with a target temperature."
            )
        step = _save(Sintering(recipe=recipe, order=2, **plan))
        for order, segment in enumerate(segments, start=1):
            _save(FurnaceSegment(sintering=step, order=order, **segment))
    if quench is not None:
        _save(Quench(recipe=recipe, order=3, **quench))


def _save(row: Any) -> Any:
    """Checked against the constraints first, so that the person reads a sentence, not a database error."""
    row.full_clean()
    row.save()
    return row


def _notation(components: Sequence[tuple[Material, float]], *, sintered: bool) -> str:
    def perovskite_first(component: tuple[Material, float]) -> bool:
        return component[0].kind != Material.Kind.PEROVSKITE

    def label(material: Material) -> str:
        is_perovskite = material.kind == Material.Kind.PEROVSKITE
        return material.formula if is_perovskite and material.formula else material.name

    ordered = sorted(components, key=perovskite_first)
    if len(ordered) == 1:
        return label(ordered[0][0])
    total = sum(fraction for _, fraction in ordered)
    parts = tuple(Part(label(material), round(fraction / total, 6)) for material, fraction in ordered)
    return str(Notation(parts, "composite" if sintered else "mixture"))
