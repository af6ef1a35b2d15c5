"""What an array takes, said before anything is created: grams, hours, lots."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Count, Q, Sum

from samples.designing import Forecast, Need, Slot, mill_runs, programme_min
from samples.models import Ingredient, Material, Sample, User
from samples.services.designs.asking import FACTORS, Array

MILLING = list(FACTORS).index("milling_duration_min")
TEMPERATURE = list(FACTORS).index("sintering_temperature_c")


def forecast(array: Array, user: User) -> Forecast:
    """Raises ValidationError where the array cannot be made. Lots that `user` may not see do not count."""
    slots = array.slots()
    furnace_h = _furnace_h(array, slots)
    milled = [float(slot.cell[MILLING]) for slot in slots] if array.milling_duration_min else []
    runs, mill_min = mill_runs(milled, array.jars)
    found = Forecast(
        samples=len(slots),
        cells=len({slot.cell for slot in slots}),
        combinations=array.combinations,
        furnace_runs=len({slot.block for slot in slots} - {None}),
        furnace_h=furnace_h,
        mill_runs=runs,
        mill_h=mill_min / 60,
        mass_g=array.batch_mass_g * len(slots),
        needs=_needs(array, slots, user),
    )
    found.warnings.extend(_warnings(array, found))
    return found


def _furnace_h(array: Array, slots: Sequence[Slot]) -> float | None:
    targets = {slot.block: float(slot.cell[TEMPERATURE]) for slot in slots} if array.is_fired else {}
    minutes = [programme_min(target, array.ramp_c_per_min, array.hold_min) for target in targets.values()]
    known = [duration for duration in minutes if duration is not None]
    return sum(known) / 60 if len(known) == len(minutes) else None


def _needs(array: Array, slots: Sequence[Slot], user: User) -> list[Need]:
    needed: dict[Material, float] = {}
    for slot in slots:
        for material, share in array.shares(slot):
            needed[material] = needed.get(material, 0.0) + share * array.batch_mass_g
    lots, promised = _lots(needed, user), _promised(needed, user)
    needs = []
    for material, grams in needed.items():
        held_g, count, unknown = lots.get(material.pk, (0.0, 0, 0))
        needs.append(Need(material.name, grams, held_g, promised.get(material.pk, 0.0), count, unknown))
    return needs


def _lots(materials: dict[Material, float], user: User) -> dict[int, tuple[float, int, int]]:
    """Material → grams left where known, lots, lots of unknown amount."""
    lots = Sample.objects.visible_to(user).kept().filter(material__in=materials, planned=False)
    rows = (
        lots.order_by()
        .values("material")
        .annotate(held=Sum("mass_left_g"), count=Count("pk"), unknown=Count("pk", filter=Q(mass_left_g=None)))
    )
    return {row["material"]: (row["held"] or 0.0, row["count"], row["unknown"]) for row in rows}


def _promised(materials: dict[Material, float], user: User) -> dict[int, float]:
    """Material → grams that other planned samples are to take and have not taken yet."""
    planned = Sample.objects.visible_to(user).kept().filter(planned=True).values("preparation")
    waiting = Ingredient.objects.filter(material__in=materials, mass_g=None, preparation__in=planned)
    rows = waiting.order_by().values("material").annotate(promised=Sum("planned_mass_g"))
    return {row["material"]: row["promised"] or 0.0 for row in rows}


def _amount(mass_g: float) -> str:
    return f"{1000 * mass_g:.4g} mg" if mass_g < 1 else f"{mass_g:,.2f} g"


def _warnings(array: Array, found: Forecast) -> list[str]:
    warnings = []
    if found.furnace_h is None:
        warnings.append("Furnace time is not known: give ramp and hold.")
    if array.milling_duration_min and array.milling_speed_rpm is None:
        warnings.append("The milling speed is not decided.")
    for need in found.needs:
        if need.verdict == "short":
            warnings.append(f"{need.material} is short by {_amount(need.short_g)}.")
        elif need.verdict == "no lot":
            warnings.append(f"There is no lot of {need.material}: enter one before weighing.")
    return warnings
