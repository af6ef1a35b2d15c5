"""What somebody asked for, checked: levels of each factor, and what all samples have in common."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError

from samples.designing import LARGEST_SEED, DesignError, Level, Slot, arrange, cells
from samples.models import Material, Project
from samples.notation import Notation, Part
from samples.services.recipe_steps import checked
from samples.step_kinds import MILLING, QUENCH, SEGMENT_FIELDS

LARGEST_BATCH_G = 10_000.0
MOST_JARS = 100
LARGEST_FURNACE = 1000

# Factors in the order in which the levels of a cell stand.
FACTORS = {
    "perovskite": "Perovskites",
    "glass": "Glasses",
    "loading_mass_fraction": "Loadings",
    "milling_duration_min": "Milling times",
    "sintering_temperature_c": "Temperatures",
    "quench_medium": "Quenches",
}
PROGRAMME = [list(FACTORS).index(name) for name in ("sintering_temperature_c", "quench_medium")]
NOT_DONE = ""  # the level of a factor that the design leaves out


@dataclass(frozen=True)
class Array:
    """A design as it will be made. Empty levels: not milled, not sintered, not quenched.

    cells : how many of all combinations, for a fraction; None for all of them
    batch_mass_g : of each sample, all components together
    furnace_capacity, jars : how many samples fit into the furnace, and into the mill, at once
    """

    project: Project
    perovskite: tuple[Material, ...]
    glass: tuple[Material, ...]
    loading_mass_fraction: tuple[float, ...]
    milling_duration_min: tuple[float, ...]
    sintering_temperature_c: tuple[float, ...]
    quench_medium: tuple[str, ...]
    batch_mass_g: float
    replicates: int = 1
    cells: int | None = None
    furnace_capacity: int = 1
    jars: int = 1
    milling_speed_rpm: float | None = None
    ramp_c_per_min: float | None = None
    hold_min: float | None = None
    gas: str = ""
    seed: int = 0

    def levels(self) -> dict[str, Sequence[Level]]:
        return {
            "perovskite": [material.name for material in self.perovskite],
            "glass": [material.name for material in self.glass],
            **{name: getattr(self, name) or (NOT_DONE,) for name in list(FACTORS)[2:]},
        }

    def material(self, name: Level) -> Material:
        return next(m for m in (*self.perovskite, *self.glass) if m.name == name)

    @property
    def combinations(self) -> int:
        total = 1
        for choices in self.levels().values():
            total *= len(choices)
        return total

    @property
    def is_fired(self) -> bool:
        return bool(self.sintering_temperature_c)

    def slots(self) -> list[Slot]:
        """Every sample to make, in the order of making. Raises ValidationError."""
        try:
            chosen = cells(self.levels(), self.cells, self.seed)
            return arrange(
                chosen,
                replicates=self.replicates,
                programme=PROGRAMME,
                capacity=self.furnace_capacity if self.is_fired else None,
                seed=self.seed,
            )
        except DesignError as error:
            raise ValidationError(str(error)) from error

    def shares(self, slot: Slot) -> list[tuple[Material, float]]:
        """What to weigh for one sample: (material, mass fraction), without what it holds none of."""
        perovskite, glass, loading = slot.cell[:3]
        shares = [
            (self.material(perovskite), float(loading)),
            (self.material(glass), round(1 - float(loading), 12)),
        ]
        return [(material, share) for material, share in shares if share > 0]

    def notation(self, slot: Slot) -> str:
        shares = self.shares(slot)
        names = [m.formula if m in self.perovskite and m.formula else m.name for m, _ in shares]
        if len(shares) == 1:
            return names[0]
        parts = [Part(name, round(share, 6)) for name, (_, share) in zip(names, shares, strict=True)]
        return str(Notation(tuple(parts), "composite" if self.is_fired else "mixture"))

    def said(self) -> dict[str, Any]:
        """As JSON: what `read_array` reads again."""
        shown = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "project"}
        return {
            name: [getattr(v, "name", v) for v in value] if isinstance(value, tuple) else value
            for name, value in shown.items()
        }


def read_array(project: Project, said: Mapping[str, Any]) -> Array:
    """The array that was asked for. Raises ValidationError with a sentence that names what to change."""
    known = [field.name for field in fields(Array) if field.name != "project"]
    unknown = [str(name)[:40] for name in said if name not in known]
    if unknown:
        raise ValidationError(f"A design has no “{unknown[0]}”; it may say {', '.join(known)}.")
    array = Array(
        project=project,
        perovskite=_materials(project, said, "perovskite"),
        glass=_materials(project, said, "glass"),
        loading_mass_fraction=_loadings(said),
        milling_duration_min=tuple(
            checked({"duration_min": minutes}, "Milling times", MILLING.fields)["duration_min"]
            for minutes in _list(said, "milling_duration_min")
        ),
        sintering_temperature_c=tuple(
            checked({"target_c": target}, "Temperatures", SEGMENT_FIELDS)["target_c"]
            for target in _list(said, "sintering_temperature_c")
        ),
        quench_medium=tuple(
            checked({"medium": medium}, "Quenches", QUENCH.fields)["medium"]
            for medium in _list(said, "quench_medium")
        ),
        batch_mass_g=_batch_g(said.get("batch_mass_g")),
        replicates=_count(said, "replicates", "replicates", 20, 1),
        cells=None if said.get("cells") in (None, "") else _count(said, "cells", "combinations", 10**6, 1),
        furnace_capacity=_count(said, "furnace_capacity", "samples in the furnace", LARGEST_FURNACE, 1),
        jars=_count(said, "jars", "jars", MOST_JARS, 1),
        seed=_count(said, "seed", "seed", LARGEST_SEED, secrets.randbelow(2**31), low=0),
        **_common(said),
    )
    _check_together(array)
    return array


def _list(said: Mapping[str, Any], name: str) -> list[Any]:
    given = said.get(name)
    if given in (None, ""):
        return []
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ValidationError(
            f"{FACTORS[name]} must be a list, such as [1, 2]; write one even for one level."
        )
    return list(given)


def _materials(project: Project, said: Mapping[str, Any], name: str) -> tuple[Material, ...]:
    wanted = [str(one) for one in _list(said, name)]
    if not wanted:
        raise ValidationError(f"{FACTORS[name]}: choose at least one material.")
    known = {m.name: m for m in Material.objects.filter(project=project, name__in=wanted)}
    strangers = [one for one in wanted if one not in known]
    if strangers:
        raise ValidationError(f"{project.name} has no material “{strangers[0][:60]}”; add it first.")
    return tuple(known[one] for one in wanted)


def _loadings(said: Mapping[str, Any]) -> tuple[float, ...]:
    loadings = _list(said, "loading_mass_fraction")
    if not loadings:
        raise ValidationError("Loadings: give at least one mass fraction of perovskite.")
    for loading in loadings:
        number = isinstance(loading, int | float) and not isinstance(loading, bool) and isfinite(loading)
        if not number or not 0 <= loading <= 1:
            raise ValidationError(
                f"A loading lies between 0 and 1 (0 % and 100 %), so it cannot be {str(loading)[:20]}."
            )
    return tuple(float(loading) for loading in loadings)


def _batch_g(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= LARGEST_BATCH_G:
        raise ValidationError(
            f"Say how much each sample weighs: grams above zero, at most {LARGEST_BATCH_G:g}."
        )
    return float(given)


def _count(said: Mapping[str, Any], name: str, word: str, high: int, default: int, *, low: int = 1) -> int:
    given = said.get(name)
    if given in (None, ""):
        return default
    whole = isinstance(given, int) and not isinstance(given, bool)
    if not whole or not low <= given <= high:
        raise ValidationError(f"The number of {word} must be a whole one from {low} to {high}.")
    return given


def _common(said: Mapping[str, Any]) -> dict[str, Any]:
    speed = checked({"rpm": said.get("milling_speed_rpm")}, "Milling", MILLING.fields)
    programme = {name: said.get(name) for name in ("ramp_c_per_min", "hold_min", "gas")}
    # The target is required of a segment; here it is a factor and checked as such.
    segment = checked({"target_c": 0.0, **programme}, "Sintering", SEGMENT_FIELDS)
    return {
        "milling_speed_rpm": speed.get("rpm"),
        "ramp_c_per_min": segment.get("ramp_c_per_min"),
        "hold_min": segment.get("hold_min"),
        "gas": segment.get("gas", ""),
    }


def _check_together(array: Array) -> None:
    if set(array.perovskite) & set(array.glass):
        raise ValidationError("A material is listed as perovskite and as glass; choose one of the two.")
    if array.quench_medium and not array.is_fired:
        raise ValidationError("A quench needs a furnace to come from: give temperatures, or no quench.")
    pure = {0.0: array.perovskite, 1.0: array.glass}
    for loading, left_out in pure.items():
        if loading in array.loading_mass_fraction and len(left_out) > 1:
            raise ValidationError(
                f"A loading of {loading:.0%} would make the same sample once for each "
                f"{'perovskite' if loading == 0 else 'glass'} that is not in it; plan that one apart."
            )
