"""What can be done to a powder, declared once: forms, the API, checks and differences follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from samples.models import FurnaceSegment, Milling, OtherStep, Quench, Sintering
from samples.models.limits import ABSOLUTE_ZERO_C
from samples.models.steps import HOTTEST_FURNACE_C

Reads = Literal["number", "count", "text", "choice"]
MOST_CYCLES = 10_000


@dataclass(frozen=True)
class StepField:
    """One thing that can be said about a step; always optional unless `required`."""

    name: str
    label: str
    unit: str = ""
    reads: Reads = "number"
    low: float | None = 0
    above_low: bool = False
    high: float | None = None
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    example: str = ""

    @property
    def longest(self) -> int | None:
        return 80 if self.reads == "text" else None


@dataclass(frozen=True)
class StepKind:
    """`key` is what forms and the API call it; a sintering also has furnace segments."""

    key: str
    word: str
    model: type[Any]
    fields: tuple[StepField, ...]
    has_segments: bool = False


def _above_zero(name: str, label: str, unit: str) -> StepField:
    return StepField(name, label, unit, above_low=True)


def _text(name: str, label: str, example: str = "") -> StepField:
    return StepField(name, label, reads="text", example=example)


_DURATION = StepField("duration_min", "Duration", "min")
_TEMPERATURE = StepField("temperature_c", "Temperature", "°C", low=ABSOLUTE_ZERO_C, high=HOTTEST_FURNACE_C)
_CYCLES = StepField("cycles", "Cycles", reads="count", low=0, high=MOST_CYCLES)
_GAS = _text("gas", "Gas", "Ar, N2, air")
_EQUIPMENT = _text("equipment", "Equipment")
_SOLVENT = _text("solvent", "Solvent", "DMF")
_PRESSURE = _above_zero("pressure_mpa", "Pressure", "MPa")
_VOLUME = _above_zero("volume_ml", "Volume", "mL")

MILLING = StepKind(
    "milling",
    "Milling",
    Milling,
    (
        _text("mill", "Mill", "planetary"),
        _above_zero("rpm", "Speed", "rpm"),
        _DURATION,
        _CYCLES,
        _above_zero("ball_mass_g", "Balls", "g"),
        _above_zero("ball_diameter_mm", "Ball diameter", "mm"),
        _text("ball_material", "Ball material", "ZrO2"),
        _above_zero("powder_mass_g", "Powder", "g"),
        _text("jar", "Jar"),
    ),
)
SINTERING = StepKind(
    "sintering", "Sintering", Sintering, (_text("equipment", "Furnace", "tube furnace"),), has_segments=True
)
QUENCH = StepKind(
    "quench",
    "Quench",
    Quench,
    (
        StepField(
            "medium", "Medium", reads="choice", required=True, choices=tuple(Quench.Medium.choices), low=None
        ),
        StepField("delay_s", "Delay", "s"),
        _above_zero("rate_c_per_min", "Rate", "°C/min"),
        _GAS,
    ),
)

_OTHER: dict[str, tuple[StepField, ...]] = {
    "dissolving": (_SOLVENT, _VOLUME, _TEMPERATURE, _DURATION, _EQUIPMENT),
    "solvothermal": (_SOLVENT, _VOLUME, _TEMPERATURE, _DURATION, _EQUIPMENT),
    "washing": (_SOLVENT, _VOLUME, _CYCLES, _EQUIPMENT),
    "drying": (_TEMPERATURE, _DURATION, _GAS, _EQUIPMENT),
    "melting": (_TEMPERATURE, _DURATION, _GAS, _EQUIPMENT),
    "mixing": (_DURATION, _CYCLES, _EQUIPMENT),
    "pressing": (_PRESSURE, _TEMPERATURE, _DURATION, _EQUIPMENT),
    "coating": (_SOLVENT, _VOLUME, _TEMPERATURE, _DURATION, _CYCLES, _EQUIPMENT),
    "crushing": (_DURATION, _EQUIPMENT),
    "storing": (_TEMPERATURE, _DURATION, _GAS, _EQUIPMENT),
    "fib": (_EQUIPMENT,),
    "other": (_TEMPERATURE, _DURATION, _SOLVENT, _VOLUME, _PRESSURE, _CYCLES, _GAS, _EQUIPMENT),
}
KINDS: dict[str, StepKind] = {
    kind.key: kind
    for kind in (
        MILLING,
        SINTERING,
        QUENCH,
        *(StepKind(key, label, OtherStep, _OTHER[key]) for key, label in OtherStep.Kind.choices),
    )
}

SEGMENT_FIELDS: tuple[StepField, ...] = (
    StepField("target_c", "Target", "°C", low=ABSOLUTE_ZERO_C, high=HOTTEST_FURNACE_C, required=True),
    _above_zero("ramp_c_per_min", "Ramp", "°C/min"),
    StepField("hold_min", "Hold", "min"),
    _GAS,
    StepField("flow_ml_min", "Flow", "mL/min"),
    StepField("pressure_kpa", "Pressure", "kPa"),
)
SEGMENT_MODEL = FurnaceSegment


def kind_of(step: Any) -> StepKind:
    """The kind of a stored step."""
    if isinstance(step, OtherStep):
        return KINDS[step.kind]
    return next(kind for kind in (MILLING, SINTERING, QUENCH) if isinstance(step, kind.model))


def as_written(step: Any) -> dict[str, Any]:
    """A stored step as it was typed: the same dictionary that `save_recipe` takes. Unknown is left out.

    Another step's fields beyond those its kind usually has are kept too: nothing said is lost.
    """
    kind = kind_of(step)
    fields = {field.name: field for field in kind.fields}
    if kind.model is OtherStep:
        fields = {field.name: field for field in _OTHER["other"]}
    said = _said(step, fields)
    written: dict[str, Any] = {"kind": kind.key, **said}
    if step.notes:
        written["notes"] = step.notes
    if kind.has_segments:
        names = [field.name for field in SEGMENT_FIELDS]
        written["segments"] = [_said(segment, names) for segment in step.segments.all()]
    return written


def _said(row: Any, names: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names if getattr(row, name) not in (None, "")}
