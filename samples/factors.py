"""Process factors, derived: what a whole ancestry says about one sample, in one row.

As-run values win over set points where both are known. Unknown stays None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from samples.ancestry import Family, steps_of
from samples.models import (
    FurnaceSegment,
    Material,
    Milling,
    Preparation,
    ProcessFactors,
    Quench,
    Sample,
    Sintering,
)
from samples.notation import NotationError, parse

HALIDES = re.compile(r"F(?![a-z])|Cl|Br|I(?![a-z])")
Composition = dict[Material, float]


@dataclass(frozen=True)
class History:
    """What is known of one sample when its parents' histories are known."""

    composition: Composition | None = None
    milling_min: float | None = None
    milling: Milling | None = None
    sintering: Sintering | None = None
    quench: Quench | None = None
    glass_batches: frozenset[str] = field(default_factory=frozenset)


def factors_of(family: Family, wanted: Iterable[Sample]) -> list[ProcessFactors]:
    histories: dict[int, History] = {}
    for pk in family.order:
        sample = family.members[pk]
        histories[pk] = _history(sample, [(p, histories[p.pk]) for p in family.parents(sample)], family)
    return [_row(family.members[sample.pk], histories[sample.pk]) for sample in wanted]


def _history(sample: Sample, parents: list[tuple[Sample, History]], family: Family) -> History:
    # What happened to a pure component before the components came together is its own affair.
    joined = [history for parent, history in parents if parent.material is None]
    inherited = History(
        milling_min=max((h.milling_min for h in joined if h.milling_min is not None), default=None),
        milling=next((h.milling for h in joined if h.milling), None),
        sintering=next((h.sintering for h in joined if h.sintering), None),
        quench=next((h.quench for h in joined if h.quench), None),
        glass_batches=frozenset().union(*(h.glass_batches for _, h in parents)),
    )
    own = _with_steps(inherited, sample.preparation)
    if sample.material and sample.material.kind == Material.Kind.GLASS:
        own = replace(own, glass_batches=frozenset([sample.code]))
    composition = _composition(sample, {p.pk: h.composition for p, h in parents}, family)
    return replace(own, composition=composition)


def _with_steps(history: History, preparation: Preparation | None) -> History:
    for step in steps_of(preparation):
        if isinstance(step, Milling):
            duration = as_run(step, "duration_min")
            total = None if duration is None else duration + (history.milling_min or 0)
            history = replace(history, milling=step, milling_min=total)
        elif isinstance(step, Sintering):
            history = replace(history, sintering=step)
        elif isinstance(step, Quench):
            history = replace(history, quench=step)
    return history


def as_run(step: Any, name: str) -> Any:
    """The performed value, or the planned one where the performance did not record it."""
    value = getattr(step, name)
    if value in (None, "") and step.planned_id is not None:
        return getattr(step.planned, name)
    return value


def _composition(
    sample: Sample, of_parents: dict[int, Composition | None], family: Family
) -> Composition | None:
    """Mass fractions of the materials in a sample; weighed masses first, then the recipe's plan."""
    if sample.material:
        return {sample.material: 1.0}
    ingredients = family.ingredients(sample)
    parts = [(i.mass_g, of_parents[i.sample_id] if i.sample_id else {i.material: 1.0}) for i in ingredients]
    if len(parts) == 1:
        return parts[0][1]
    if parts and all(mass is not None and part is not None for mass, part in parts):
        return _blend([(mass or 0.0, part or {}) for mass, part in parts])
    recipe = sample.preparation.recipe if sample.preparation else None
    planned = list(recipe.components.all()) if recipe else []
    if planned:
        return _blend([(component.mass_fraction, {component.material: 1.0}) for component in planned])
    return None


def _blend(parts: list[tuple[float, Composition]]) -> Composition | None:
    total = sum(mass for mass, _ in parts)
    if total <= 0:
        return None
    blended: Composition = {}
    for mass, part in parts:
        for material, fraction in part.items():
            blended[material] = blended.get(material, 0.0) + fraction * mass / total
    return blended


def _row(sample: Sample, history: History) -> ProcessFactors:
    segment = _hottest(history.sintering)
    return ProcessFactors(
        sample=sample,
        **_loading(sample, history.composition),
        milling_duration_min=history.milling_min,
        milling_speed_rpm=as_run(history.milling, "rpm") if history.milling else None,
        ball_to_powder_ratio=_ball_to_powder(history.milling),
        sintering_temperature_c=segment.target_c if segment else None,
        sintering_ramp_c_per_min=segment.ramp_c_per_min if segment else None,
        sintering_hold_min=segment.hold_min if segment else None,
        sintering_gas=_gas(history.sintering, segment),
        quench_medium=history.quench.medium if history.quench else "",
        quench_rate_c_per_min=as_run(history.quench, "rate_c_per_min") if history.quench else None,
        quenched_at=history.quench.performed_at if history.quench else None,
        glass_batch=", ".join(sorted(history.glass_batches)),
    )


def _hottest(sintering: Sintering | None) -> FurnaceSegment | None:
    if sintering is None:
        return None
    segments = list(sintering.segments.all())
    if not segments and sintering.planned:
        segments = list(sintering.planned.segments.all())
    return max(segments, key=lambda segment: segment.target_c, default=None)


def _gas(sintering: Sintering | None, hottest: FurnaceSegment | None) -> str:
    """A furnace's log knows no gas: then it is that of the programme."""
    if hottest is None or hottest.gas or sintering is None or sintering.planned is None:
        return hottest.gas if hottest else ""
    planned = max(sintering.planned.segments.all(), key=lambda segment: segment.target_c, default=None)
    return planned.gas if planned else ""


def _ball_to_powder(milling: Milling | None) -> float | None:
    if milling is None:
        return None
    balls_g, powder_g = as_run(milling, "ball_mass_g"), as_run(milling, "powder_mass_g")
    return None if balls_g is None or powder_g is None else balls_g / powder_g


def _loading(sample: Sample, composition: Composition | None) -> dict[str, Any]:
    kinds = {material.kind for material in composition} if composition else set()
    if not composition or not kinds & {Material.Kind.PEROVSKITE, Material.Kind.GLASS}:
        return {} if composition else _declared(sample)
    perovskites = [material for material in composition if material.kind == Material.Kind.PEROVSKITE]
    moles = _reweighted(composition, "molar_mass_g_per_mol")
    volumes = _reweighted(composition, "density_g_per_cm3")
    return {
        "loading_mass_fraction": _share(composition, perovskites),
        "loading_mole_fraction": _share(moles, perovskites) if moles else None,
        "loading_volume_fraction": _share(volumes, perovskites) if volumes else None,
        **_named(", ".join(sorted(p.formula or p.name for p in perovskites))),
    }


def _share(fractions: Composition, perovskites: list[Material]) -> float:
    # 10 mg of 200 mg blend to 0.049999999999999996: a filter from 0.05 on must find it.
    return min(round(sum(fractions[perovskite] for perovskite in perovskites), 12), 1.0)


def _declared(sample: Sample) -> dict[str, Any]:
    """What the label says, where no weighing and no recipe says more."""
    try:
        notation = parse(sample.notation)
    except NotationError:
        return {}
    if notation.parts[0].is_framework:
        return {"loading_mass_fraction": 0.0}
    return {"loading_mass_fraction": notation.loading, **_named(notation.parts[0].name)}


def _named(perovskite: str) -> dict[str, str]:
    return {"perovskite": perovskite, "halide": "/".join(dict.fromkeys(HALIDES.findall(perovskite)))}


def _reweighted(composition: Composition, per_unit: str) -> Composition | None:
    """Fractions of mole or of volume; None unless every material states its molar mass or density."""
    if any(getattr(material, per_unit) is None for material in composition):
        return None
    amounts = {material: fraction / getattr(material, per_unit) for material, fraction in composition.items()}
    total = sum(amounts.values())
    return {material: amount / total for material, amount in amounts.items()}
