"""All samples of an array in one transaction and a number of statements that does not grow with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from samples.designing import Cell, Slot
from samples.identity import IdentityError, refuse_unseen
from samples.models import (
    Component,
    Design,
    FurnaceSegment,
    Ingredient,
    Milling,
    Preparation,
    Project,
    Quench,
    Recipe,
    Sample,
    Sintering,
    User,
)
from samples.services.codes import new_codes, took_a_code
from samples.services.deriving import derive_factors
from samples.services.designs.asking import FACTORS, Array

LONGEST_NAME = 80


def create_design(*, user: User, array: Array, name: str) -> Design:
    """The design, a frozen recipe per combination, and a planned preparation and sample per slot.

    Raises ValidationError with a sentence; then nothing is saved.
    """
    try:
        return _create(user, array, name)
    except IntegrityError as error:
        if not took_a_code(error):
            raise
        return _create(user, array, name)  # with other codes


@transaction.atomic
def _create(user: User, array: Array, name: str) -> Design:
    # Two people who save the same name at once: the second reads that it is taken.
    project = Project.objects.select_for_update(no_key=True).get(pk=array.project.pk)
    design = Design(project=project, name=_name(project, name), seed=array.seed, created_by=user)
    slots = array.slots()
    design.levels = array.said()
    design.save()
    recipes = _recipes(design, array, list(dict.fromkeys(slot.cell for slot in slots)))
    samples = _samples(design, array, slots, recipes)
    derive_factors(samples)
    return design


def _name(project: Project, name: str) -> str:
    name = " ".join(name.split())
    try:
        refuse_unseen(name, "The name")
    except IdentityError as error:
        raise ValidationError(str(error)) from error
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValidationError(f"Give the design a name of 1 to {LONGEST_NAME} characters.")
    if Design.objects.filter(project=project, name=name).exists():
        raise ValidationError(f"{project.name} has a design “{name}” already; choose another name.")
    return name


def _recipes(design: Design, array: Array, chosen: Sequence[Cell]) -> dict[Cell, Recipe]:
    names = _recipe_names(design, array, chosen)
    found = Recipe.objects.filter(project=design.project, name__in=names).values_list("name")
    newest = Counter(dict(found.annotate(Max("version"))))
    recipes = []
    for name in names:
        newest[name] += 1
        recipes.append(
            Recipe(project=design.project, name=name, version=newest[name], created_by=design.created_by)
        )
    Recipe.objects.bulk_create(recipes)
    of_cell = dict(zip(chosen, recipes, strict=True))
    Component.objects.bulk_create(
        Component(recipe=recipe, material=material, mass_fraction=share)
        for cell, recipe in of_cell.items()
        for material, share in array.shares(Slot(cell, 1, 1, None))
    )
    _plan_steps(array, of_cell)
    Recipe.objects.filter(pk__in=[recipe.pk for recipe in recipes]).update(frozen_at=timezone.now())
    return of_cell


def _recipe_names(design: Design, array: Array, chosen: Sequence[Cell]) -> list[str]:
    """The design's name and what differs between its recipes."""
    several = [len(levels) > 1 for levels in array.levels().values()]
    return [
        f"{design.name}: {said}"[:160] if (said := cell_in_words(cell, several)) else design.name
        for cell in chosen
    ]


def cell_in_words(cell: Cell, shown: Sequence[bool]) -> str:
    words = {
        "loading_mass_fraction": lambda x: f"{100 * x:.6g} %",
        "milling_duration_min": lambda x: f"{x:g} min",
        "sintering_temperature_c": lambda x: f"{x:g} °C",
        "quench_medium": lambda x: dict(Quench.Medium.choices)[x].lower(),
    }
    parts = zip(FACTORS, cell, shown, strict=True)
    return ", ".join(words.get(name, str)(level) for name, level, is_shown in parts if is_shown)


def _plan_steps(array: Array, of_cell: dict[Cell, Recipe]) -> None:
    milling: list[Milling] = []
    sintering: list[Sintering] = []
    quench: list[Quench] = []
    segments: list[FurnaceSegment] = []
    for cell, recipe in of_cell.items():
        level: dict[str, Any] = dict(zip(FACTORS, cell, strict=True))
        order = 0
        if array.milling_duration_min:
            order += 1
            minutes = level["milling_duration_min"]
            milling.append(
                Milling(recipe=recipe, order=order, duration_min=minutes, rpm=array.milling_speed_rpm)
            )
        if array.is_fired:
            order += 1
            sintering.append(Sintering(recipe=recipe, order=order))
            segments.append(
                FurnaceSegment(
                    sintering=sintering[-1],
                    order=1,
                    target_c=level["sintering_temperature_c"],
                    ramp_c_per_min=array.ramp_c_per_min,
                    hold_min=array.hold_min,
                    gas=array.gas,
                )
            )
        if array.quench_medium:
            order += 1
            quench.append(Quench(recipe=recipe, order=order, medium=level["quench_medium"]))
    Milling.objects.bulk_create(milling)
    Sintering.objects.bulk_create(sintering)
    FurnaceSegment.objects.bulk_create(segments)
    Quench.objects.bulk_create(quench)


def _samples(
    design: Design, array: Array, slots: Sequence[Slot], recipes: dict[Cell, Recipe]
) -> list[Sample]:
    preparations = Preparation.objects.bulk_create(
        Preparation(
            project=design.project,
            recipe=recipes[slot.cell],
            batch_mass_g=array.batch_mass_g,
            design=design,
            run_order=slot.run_order,
            block=slot.block,
        )
        for slot in slots
    )
    Ingredient.objects.bulk_create(
        Ingredient(preparation=preparation, material=material, planned_mass_g=share * array.batch_mass_g)
        for slot, preparation in zip(slots, preparations, strict=True)
        for material, share in array.shares(slot)
    )
    codes = new_codes(len(slots))
    return Sample.objects.bulk_create(
        Sample(
            project=design.project,
            code=code,
            notation=array.notation(slot)[:160],
            state=_state(array, slot),
            preparation=preparation,
            planned=True,
            created_by=design.created_by,
        )
        for slot, preparation, code in zip(slots, preparations, codes, strict=True)
    )


def _state(array: Array, slot: Slot) -> str:
    is_mixed = len(array.shares(slot)) > 1
    if array.is_fired:
        return str(Sample.State.COMPOSITE if is_mixed else Sample.State.SINTERED)
    return str(Sample.State.MIXTURE if is_mixed else Sample.State.POWDER)


def standing(design: Design) -> dict[str, int]:
    """How far it is: its samples, and how many are made, begun (weighed, started, measured), withdrawn."""
    samples = Sample.objects.filter(preparation__design=design)
    return samples.aggregate(
        samples=Count("pk", distinct=True),
        made=Count("pk", filter=Q(planned=False), distinct=True),
        begun=Count("pk", filter=_BEGUN, distinct=True),
        withdrawn=Count("pk", filter=Q(voided_at__isnull=False), distinct=True),
    )


_BEGUN = (
    Q(planned=False)
    | Q(preparation__started_at__isnull=False)
    | Q(preparation__ingredients__mass_g__isnull=False)
    | Q(measurements__isnull=False)
    | Q(uses__isnull=False)
)


@transaction.atomic
def withdraw(*, user: User, design: Design) -> int:
    """Voids the planned samples of a design of which nothing is made; how many. Their codes are never used
    again, so that a printed label leads to the sentence that says so."""
    Design.objects.select_for_update().get(pk=design.pk)
    held = Sample.objects.filter(preparation__design=design)
    list(held.select_for_update().values_list("pk", flat=True))
    begun = standing(design)["begun"]
    if begun:
        raise ValidationError(
            f"{begun} of its samples {'is' if begun == 1 else 'are'} begun, so the design stays; void the "
            "others one by one."
        )
    return held.filter(voided_at=None).update(
        voided_at=timezone.now(), void_reason=f"The design “{design.name}” was withdrawn by {user}."
    )
