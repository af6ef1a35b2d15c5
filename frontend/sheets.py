"""A run sheet told for a page: planned beside recorded, field by field, and the numbers that follow."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from frontend.formatting import MINUS, mass, number, with_unit
from measurements.models import Attachment
from samples.models import Ingredient, Milling, Preparation, Sample, User
from samples.services import performing
from samples.services.performing import Deviation, Place
from samples.step_kinds import SEGMENT_FIELDS, StepField, as_written
from samples.stoichiometry import StoichiometryError
from samples.stoichiometry.carrying_out import milling_dose_index, reagents


@dataclass(frozen=True)
class Row:
    """One thing that a step may say. `value` and `set_point` as a person types them, "" when unknown."""

    name: str
    label: str
    unit: str
    reads: str
    choices: tuple[tuple[str, str], ...]
    longest: int
    planned: str
    set_point: str
    recorded: str
    value: str


@dataclass(frozen=True)
class Segment:
    number: int
    rows: list[Row]


@dataclass(frozen=True)
class Told:
    """A step on the sheet."""

    place: Place
    number: int
    title: str
    rows: list[Row]
    segments: list[Segment]
    deviations: list[str]
    attachments: list[Attachment]
    version: str  # changes with what is recorded, so that a draft on the tablet knows when it is stale
    takes_log: bool

    @property
    def done(self) -> bool:
        return self.place.performed is not None


@dataclass(frozen=True)
class Weighing:
    """An ingredient on the sheet; `is_hidden` when the reader may not see the sample that it comes from."""

    row: Ingredient
    name: str = ""
    planned_mg: str = ""
    mass_mg: str = ""
    sigma_mg: str = ""
    lots: list[Sample] = field(default_factory=list)
    deviation: str = ""
    significant: bool = False
    version: str = ""
    is_hidden: bool = False


@dataclass(frozen=True)
class Figure:
    """A live number: what, how much, and what stands behind it."""

    label: str
    value: str
    note: str = ""
    warns: bool = False


@dataclass
class Bench:
    weighings: list[Weighing] = field(default_factory=list)
    steps: list[Told] = field(default_factory=list)

    @property
    def recorded(self) -> int:
        return sum(w.row.mass_g is not None for w in self.weighings) + sum(s.done for s in self.steps)

    @property
    def total(self) -> int:
        return len(self.weighings) + len(self.steps)

    @property
    def missing(self) -> list[Told]:
        return [step for step in self.steps if not step.done]


def bench(preparation: Preparation, user: User, attachments: Sequence[Attachment]) -> Bench:
    told = Bench()
    hidden = performing.hidden_sources(preparation, user)
    for row in preparation.ingredients.all():
        is_hidden = row.sample_id in hidden
        told.weighings.append(Weighing(row, is_hidden=True) if is_hidden else _weighing(row, user))
    for number_, place in enumerate(performing.sheet(preparation), start=1):
        told.steps.append(_step(place, number_, [a for a in attachments if a.step == place.key]))
    return told


def deviation_text(found: Deviation) -> str:
    """`+2 min`; for words, what stands in place of what."""
    if found.difference is None:
        return f"{found.label}: {found.actual} instead of {found.planned}"
    sign = "+" if found.difference > 0 else MINUS
    return f"{found.label}: {sign}{with_unit(abs(found.difference), found.unit)}"


def typed(value: Any) -> str:
    """A number as a person would type it into a field."""
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def name_of(row: Ingredient) -> str:
    material = row.material or (row.sample.material if row.sample else None)
    return material.name if material else (row.sample.code if row.sample else "")


def figures(preparation: Preparation, typed_in: Mapping[str, float], user: User) -> list[Figure]:
    """What follows from what is typed, recorded or planned, in this order of belief. What is weighed from a
    sample that the user may not see is unknown.

    typed_in : `ingredient-<pk>` in mg; `<step key>-<field>` in the unit of the field
    """
    rows = list(preparation.ingredients.all())
    hidden = performing.hidden_sources(preparation, user)
    masses = {row.pk: _mass_mg(row, typed_in) for row in rows if row.sample_id not in hidden}
    known = {pk: mg for pk, mg in masses.items() if mg is not None}
    found = _of_the_weighing(rows, known)
    total_g = sum(known.values()) / 1000 if rows and len(known) == len(rows) else None
    for place in performing.sheet(preparation):
        if isinstance(place.step, Milling):
            found += _of_a_milling(place, typed_in, total_g)
    return found


def _of_the_weighing(rows: list[Ingredient], known: dict[int, float]) -> list[Figure]:
    if not rows or len(known) < len(rows):
        return [Figure("Weighed", f"{len(known)} of {len(rows)}", "masses are known")] if rows else []
    total = sum(known.values())
    found = [Figure("Together", mass(total / 1000))]
    if len(rows) > 1:
        shares = ", ".join(f"{name_of(r)} {number(100 * known[r.pk] / total, 4)} %" for r in rows)
        found.append(Figure("By mass", shares))
    formulas = {row.pk: _formula(row) for row in rows}
    planned = {formulas[r.pk]: 1000 * r.planned_mass_g for r in rows if r.planned_mass_g is not None}
    weighed = {formulas[r.pk]: known[r.pk] for r in rows}
    if not all(formulas.values()) or len(weighed) < len(rows) or len(planned) < len(rows):
        return found
    try:
        told = reagents(weighed, planned)
    except StoichiometryError:
        return found  # a mixture, or masses that are no reaction: nothing to say
    ratio = " : ".join(f"{n} {formula}" for formula, n in told.coefficients.items())
    error = told.batch.stoichiometric_error
    if told.mole_ratio is not None:
        found.append(Figure("Mole ratio", f"{told.mole_ratio:.5f}", " per ".join(list(weighed)[:2])))
    found.append(Figure("Limiting", told.batch.limiting_reagent, f"for {ratio}"))
    found.append(Figure("Stoichiometric error", f"{100 * error:.3g} %", "largest excess", error > 0.01))
    return found


def _of_a_milling(place: Place, typed_in: Mapping[str, float], weighed_g: float | None) -> list[Figure]:
    def best(name: str) -> float | None:
        given = typed_in.get(f"{place.key}-{name}")
        if given is not None:
            return given
        for step in (place.performed, place.planned):
            if step is not None and getattr(step, name) is not None:
                return getattr(step, name)
        return None

    balls_g, rpm, minutes = best("ball_mass_g"), best("rpm"), best("duration_min")
    powder_g = best("powder_mass_g") or weighed_g
    if balls_g is None or powder_g is None:
        return []
    try:
        found = [Figure("Ball to powder", f"{number(balls_g / powder_g, 4)} : 1", f"step {place.step.order}")]
        if rpm is not None and minutes is not None:
            index = milling_dose_index(balls_g, powder_g, rpm, minutes)
            note = "BPR · ω³ · t; times the mill's radius squared it is about the energy per mass"
            found.append(Figure("Milling dose index", with_unit(float(f"{index:.4g}"), "1/s2"), note))
    except (StoichiometryError, ZeroDivisionError, OverflowError):
        return []
    return found


def _mass_mg(row: Ingredient, typed_in: Mapping[str, float]) -> float | None:
    given = typed_in.get(f"ingredient-{row.pk}")
    if given is not None and given > 0:
        return given
    return None if row.mass_g is None else 1000 * row.mass_g


def _formula(row: Ingredient) -> str:
    material = row.material or (row.sample.material if row.sample else None)
    return material.formula if material else ""


def _weighing(row: Ingredient, user: User) -> Weighing:
    found = performing.deviations(row)
    text = ""
    if found and found[0].difference is not None and row.planned_mass_g:
        sign = "+" if found[0].difference > 0 else MINUS
        share = abs(found[0].difference) / row.planned_mass_g
        text = f"{sign}{mass(abs(found[0].difference))} ({sign}{number(100 * share, 2)} %)"
    return Weighing(
        row=row,
        name=name_of(row),
        planned_mg=_milligrams(row.planned_mass_g),
        mass_mg=_milligrams(row.mass_g),
        sigma_mg=_milligrams(row.mass_sigma_g),
        lots=list(performing.candidates(row, user)[:50]),
        deviation=text,
        significant=bool(found and found[0].significant),
        version=_version([row.mass_g, row.mass_sigma_g, row.sample_id]),
    )


def _milligrams(mass_g: float | None) -> str:
    return "" if mass_g is None else f"{1000 * mass_g:.7g}"


def _step(place: Place, number_: int, attachments: list[Attachment]) -> Told:
    planned, performed = place.planned, place.performed
    segments = []
    if place.kind.has_segments:
        before = list(planned.segments.all()) if planned else []
        after = list(performed.segments.all()) if performed else []
        for index in range(max(len(before), len(after), 1)):
            pair = [rows[index] if index < len(rows) else None for rows in (before, after)]
            segments.append(Segment(index + 1, [_row(f, *pair) for f in _segment_fields(before, after)]))
    return Told(
        place=place,
        number=number_,
        title=place.kind.word,
        rows=[_row(f, planned, performed) for f in place.fields],
        segments=segments,
        deviations=[deviation_text(found) for found in performing.deviations(place)],
        attachments=attachments,
        version=_version(as_written(performed) if performed else None),
        takes_log=place.kind.key in ("sintering", "quench"),
    )


def _segment_fields(before: list[Any], after: list[Any]) -> list[StepField]:
    """The five that every furnace has; pressure only where somebody said one."""
    said = [s for s in (*before, *after) if s.pressure_kpa is not None]
    return [f for f in SEGMENT_FIELDS if f.name != "pressure_kpa" or said]


def _row(asked: StepField, planned: Any, performed: Any) -> Row:
    set_point = getattr(planned, asked.name) if planned is not None else None
    value = getattr(performed, asked.name) if performed is not None else None
    words = dict(asked.choices)

    def said(content: Any) -> str:
        if content in (None, ""):
            return ""
        if asked.reads == "number":
            return with_unit(content, asked.unit)
        return str(words.get(content, content))

    return Row(
        name=asked.name,
        label=asked.label,
        unit=asked.unit,
        reads=asked.reads,
        choices=asked.choices,
        longest=asked.longest or 40,
        planned=said(set_point),
        set_point=typed(set_point),
        recorded=said(value),
        value=typed(value),
    )


def _version(recorded: Any) -> str:
    return f"{zlib.crc32(repr(recorded).encode()):08x}"
