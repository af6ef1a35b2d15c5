"""Recipes: written, changed while nobody uses them, carried out; a used one is frozen and gets versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from samples.models import (
    Component,
    Design,
    Ingredient,
    Material,
    Preparation,
    Project,
    Recipe,
    Sample,
    User,
)
from samples.notation import Notation, Part
from samples.recipe_diff import Change, diff
from samples.services.codes import save_with_code
from samples.services.deriving import derive_factors
from samples.services.recipe_steps import add_steps
from samples.stoichiometry import (
    FRACTION_SUM_TOLERANCE,
    StoichiometryError,
    mole_to_mass_fractions,
    volume_to_mass_fractions,
)

__all__ = [
    "Change",
    "change_recipe",
    "check_components",
    "diff",
    "mass_fractions",
    "next_version",
    "prepare",
    "save_recipe",
]

MOST_COMPONENTS = 24
MASS = "mass"
Shares = Sequence[tuple[Material, float]]
FROZEN = "{recipe} is in use, so it cannot change; save a new version of it instead."


@transaction.atomic
def save_recipe(
    *,
    user: User,
    project: Project,
    name: str,
    components: Shares,
    steps: Sequence[Mapping[str, Any]] = (),
    notes: str = "",
    basis: str = MASS,
    derived_from: Recipe | None = None,
) -> Recipe:
    """A new recipe, or the next version where the project has one of that name.

    components : (material, fraction of `basis`), fractions summing to one; none for steps alone.
    steps : in order, each {"kind": "milling", "rpm": 800, …} with a kind and fields of samples.step_kinds;
        a sintering has "segments": [{"target_c": 275, "ramp_c_per_min": 20, …}].
    Raises ValidationError with a sentence for whoever wrote it; then nothing is saved.
    """
    # Two people who save the same name at once get two versions, one after the other.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    recipe = Recipe(
        project=project,
        name=name.strip(),
        version=next_version(project, name.strip()),
        notes=notes,
        created_by=user,
        derived_from=derived_from,
    )
    _check_text(recipe.name, recipe.notes)
    recipe.full_clean()
    recipe.save()
    _write(recipe, components, basis, steps)
    return recipe


@transaction.atomic
def change_recipe(
    *,
    recipe: Recipe,
    components: Shares,
    steps: Sequence[Mapping[str, Any]] = (),
    notes: str = "",
    basis: str = MASS,
) -> Recipe:
    """The same version, written anew: only while no preparation has used it."""
    held = Recipe.objects.select_for_update().get(pk=recipe.pk)
    if held.frozen_at is not None:
        raise ValidationError(FROZEN.format(recipe=held))
    _check_text(notes)
    held.notes = notes
    held.save(update_fields=["notes"])
    held.components.all().delete()
    for kind in (held.milling_steps, held.sintering_steps, held.quench_steps, held.otherstep_steps):
        kind.all().delete()
    _write(held, components, basis, steps)
    return held


def _check_text(*texts: str) -> None:
    if any("\x00" in text for text in texts):
        raise ValidationError("The text hides a null character; type it again by hand.")


def _write(recipe: Recipe, components: Shares, basis: str, steps: Sequence[Mapping[str, Any]]) -> None:
    if components or not steps:  # steps alone are a recipe too: sinter whatever comes
        check_components(recipe.project, components, basis)
    by_mass = mass_fractions(components, basis)
    for (material, stated), fraction in zip(components, by_mass, strict=True):
        component = Component(
            recipe=recipe,
            material=material,
            mass_fraction=fraction,
            basis=basis,
            stated_fraction=None if basis == MASS else stated,
        )
        component.full_clean()
        component.save()
    add_steps(recipe, steps)


@transaction.atomic
def prepare(
    *,
    user: User,
    recipe: Recipe,
    code: str = "",
    batch_mass_g: float | None = None,
    design: Design | None = None,
    run_order: int | None = None,
    block: int | None = None,
    derive: bool = True,
) -> Sample:
    """Plan to carry a recipe out once: a preparation with its planned weigh-outs, and the sample to come.

    The recipe is frozen by it. `derive=False` leaves the factors to whoever plans many at once.
    """
    if Recipe.objects.filter(pk=recipe.pk, frozen_at=None).update(frozen_at=timezone.now()):
        recipe.refresh_from_db(fields=["frozen_at"])
    if batch_mass_g is not None and not (isfinite(batch_mass_g) and batch_mass_g > 0):
        raise ValidationError(f"A batch cannot weigh {batch_mass_g:g} g; give grams above zero, or nothing.")
    components = list(recipe.components.select_related("material"))
    preparation = Preparation.objects.create(
        project=recipe.project,
        recipe=recipe,
        batch_mass_g=batch_mass_g,
        design=design,
        run_order=run_order,
        block=block,
    )
    total = sum(component.mass_fraction for component in components)
    Ingredient.objects.bulk_create(
        Ingredient(
            preparation=preparation,
            material=component.material,
            planned_mass_g=None if batch_mass_g is None else batch_mass_g * component.mass_fraction / total,
        )
        for component in components
        if component.mass_fraction > 0
    )
    sintered = recipe.sintering_steps.exists()
    sample = Sample(
        project=recipe.project,
        code=code.strip(),
        notation=_notation([(c.material, c.mass_fraction) for c in components], sintered=sintered),
        state=_state(components, sintered=sintered),
        preparation=preparation,
        planned=True,
        created_by=user,
    )
    save_with_code(sample)
    if derive:
        derive_factors([sample])
    return sample


def check_components(project: Project, components: Shares, basis: str = MASS) -> None:
    """Raises ValidationError with a sentence when a recipe's components cannot be weighed as written."""
    if basis not in Component.Basis.values:
        raise ValidationError(
            f"Fractions are of {', '.join(Component.Basis.values)}; “{basis[:20]}” is none of them."
        )
    if not components:
        raise ValidationError(
            f"A recipe needs at least one component: add a material and its {basis} fraction."
        )
    if len(components) > MOST_COMPONENTS:
        raise ValidationError(
            f"{len(components)} components are too many for one recipe; the most is {MOST_COMPONENTS}."
        )
    names = [material.name for material, _ in components]
    if len(set(names)) < len(names):
        raise ValidationError("A material stands twice in the recipe; add its fractions together.")
    if any(material.project_id != project.pk for material, _ in components):
        raise ValidationError("A component belongs to another project; choose a material of this one.")
    for material, fraction in components:
        if not 0 <= fraction <= 1:
            raise ValidationError(
                f"The {basis} fraction of {material} lies between 0 and 1, so it cannot be {fraction:g}; "
                "25 % is 0.25."
            )
    total = sum(fraction for _, fraction in components)
    if not abs(total - 1) <= FRACTION_SUM_TOLERANCE:
        raise ValidationError(f"The {basis} fractions add up to {total:.4g}; they must add up to 1.")


def mass_fractions(components: Shares, basis: str) -> list[float]:
    """Fractions of mass from fractions of mass, moles or volume, in the same order.

    Raises ValidationError that names the material whose molar mass or density is missing.
    """
    if basis == MASS or not components:
        return [fraction for _, fraction in components]
    fractions = {material.name: fraction for material, fraction in components}
    column, convert = _CONVERSIONS[basis]
    known = {
        material.name: getattr(material, column)
        for material, _ in components
        if getattr(material, column) is not None
    }
    try:
        found = convert(fractions, known)
    except StoichiometryError as error:
        raise ValidationError(str(error)) from error
    return [found[material.name] for material, _ in components]


_CONVERSIONS = {
    "mole": ("molar_mass_g_per_mol", mole_to_mass_fractions),
    "volume": ("density_g_per_cm3", volume_to_mass_fractions),
}


def next_version(project: Project, name: str) -> int:
    newest = Recipe.objects.filter(project=project, name=name).order_by("-version").first()
    return newest.version + 1 if newest else 1


def _state(components: Sequence[Component], *, sintered: bool) -> Any:  # a Sample.State
    if sintered:
        return Sample.State.COMPOSITE if len(components) > 1 else Sample.State.SINTERED
    if not components:
        return Sample.State.OTHER
    return Sample.State.MIXTURE if len(components) > 1 else Sample.State.POWDER


def _notation(components: Shares, *, sintered: bool) -> str:
    def perovskite_first(component: tuple[Material, float]) -> bool:
        return component[0].kind != Material.Kind.PEROVSKITE

    def label(material: Material) -> str:
        is_perovskite = material.kind == Material.Kind.PEROVSKITE
        return material.formula if is_perovskite and material.formula else material.name

    ordered = sorted((c for c in components if c[1] > 0), key=perovskite_first)
    if not ordered:
        return ""
    if len(ordered) == 1:
        return label(ordered[0][0])
    total = sum(fraction for _, fraction in ordered)
    parts = tuple(Part(label(material), round(fraction / total, 6)) for material, fraction in ordered)
    return str(Notation(parts, "composite" if sintered else "mixture"))
