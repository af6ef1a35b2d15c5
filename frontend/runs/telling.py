"""What is current of a measurement's runs, what was before, and by how much it moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis import methods, properties
from analysis.methods.base import LoadedMethod
from analysis.models import Calibration, Run, Value
from analysis.services.currency import answering
from analysis.services.verifying import verifications
from frontend import formatting
from frontend.values import Shown, shown
from measurements.data import Quantity
from measurements.models import Measurement
from measurements.vocabulary import CONDITIONS, understood

PLAIN_NOTES = ("model", "why", "r2", "adjusted_r2", "bic", "delta_bic", "reduced_chi2", "points", "sigma")
DIGITS = 10
RELATED = ("values__reviews__by", "inputs__calibration__measurement")
NOTE_WORDS = {
    "r2": "R²",
    "adjusted_r2": "R², adjusted",
    "bic": "BIC",
    "aic": "AIC",
    "delta_bic": "BIC gained by the second Gaussian",
    "reduced_chi2": "χ² per degree of freedom",
    "why": "why",
    "sigma": "sigmas",
}


@dataclass(frozen=True)
class Entry:
    """One run in the history. `state` in words; `moved` is how its values differ from the current ones."""

    run: Run
    title: str
    state: str
    tone: str
    current: bool
    moved: str
    values: list[Value]
    answered_by: int | None = None
    verifications: Sequence[Mapping[str, Any]] = ()

    @property
    def verifying(self) -> bool:
        return any(each["status"] in ("queued", "running") for each in self.verifications)


@dataclass(frozen=True)
class Group:
    """Lines of one component; what their labels share stands in the heading: PL peak I: centre, width, …"""

    heading: str
    lines: list[tuple[str, Shown]]


@dataclass(frozen=True)
class Analysis:
    """A method's current result, as the parameter table shows it."""

    run: Run
    title: str
    groups: list[Group]
    notes: list[tuple[str, str]]
    more_notes: list[tuple[str, str]]
    params: list[tuple[str, str]]
    outdated: bool
    calibrations: list[Calibration]


def history(user: Any, row: Measurement) -> list[Entry]:
    """All runs that the user may see, newest first, each with its verifications. A fixed number of queries,
    however many there are."""
    asked = Run.objects.visible_to(user).filter(measurement=row, verifies=None)
    rows = list(asked.prefetch_related(*RELATED).order_by("-pk"))
    verified = verifications(rows)
    now: dict[tuple[str, str, str], Value] = {}
    for run in rows:
        for value in run.values.all():
            if value.current:
                now[run.method, value.property, value.component] = value
    is_void = row.status == Measurement.Status.VOID
    by_method: dict[str, list[Run]] = {}
    for run in rows:
        by_method.setdefault(run.method, []).append(run)
    answers = {} if is_void else {method: answering(runs) for method, runs in by_method.items()}
    return [_entry(run, now, answers.get(run.method), verified[run.pk]) for run in rows]


def _entry(
    run: Run,
    now: Mapping[tuple[str, str, str], Value],
    answer: Run | None,
    verified: Sequence[Mapping[str, Any]],
) -> Entry:
    values = list(run.values.all())
    current = run == answer
    state, tone = {
        Run.Status.QUEUED: ("waiting", "busy"),
        Run.Status.RUNNING: ("running", "busy"),
        Run.Status.FAILED: ("failed", "bad"),
        Run.Status.CANCELLED: ("cancelled", ""),
        Run.Status.DONE: ("current", "good") if current else ("superseded", ""),
    }[Run.Status(run.status)]
    moved = "" if current else _moved(run, values, now)
    answered_by = None if answer is None or current else answer.pk
    return Entry(run, _title(run.method), state, tone, current, moved, values, answered_by, verified)


def _moved(run: Run, values: Sequence[Value], now: Mapping[tuple[str, str, str], Value]) -> str:
    """The value that differs most from the current one, in sigmas of the current: `centre I −0.4 σ`."""
    shifts = []
    for value in values:
        other = now.get((run.method, value.property, value.component))
        if other is None or not other.sigma or value.value is None or other.value is None:
            continue
        shifts.append(((value.value - other.value) / other.sigma, value))
    if not shifts:
        return ""
    shift, value = max(shifts, key=lambda pair: abs(pair[0]))
    label = properties.all()[value.property].label if value.property in properties.all() else value.property
    if abs(shift) < 0.005:
        return "the same values"
    sign = "+" if shift > 0 else formatting.MINUS
    return f"{label} {value.component} {sign}{abs(shift):.2g}\u202fσ".replace("  ", " ")


def _title(key: str) -> str:
    loaded = methods.registry().get(key)
    return loaded.method.title if loaded else key


def current(entries: Sequence[Entry]) -> list[Analysis]:
    return [_analysis(entry) for entry in entries if entry.current]


def _analysis(entry: Entry) -> Analysis:
    run = entry.run
    loaded = methods.registry().get(run.method)
    notes = [(name, run.notes[name]) for name in PLAIN_NOTES if name in run.notes]
    more = [(name, value) for name, value in run.notes.items() if name not in PLAIN_NOTES]
    return Analysis(
        run=run,
        title=entry.title,
        groups=_groups(shown(value for value in entry.values if value.current or value.rejected)),
        notes=[_note(*pair) for pair in notes],
        more_notes=[_note(*pair) for pair in more],
        params=params_told(loaded, run.params),
        outdated=loaded is not None and loaded.method.version > run.method_version,
        calibrations=[given.calibration for given in run.inputs.all() if given.calibration],
    )


def _groups(lines: Sequence[Shown]) -> list[Group]:
    by_component: dict[str, list[Shown]] = {}
    for line in lines:
        by_component.setdefault(line.component, []).append(line)
    return [_group(component, of) for component, of in by_component.items()]


def _group(component: str, lines: Sequence[Shown]) -> Group:
    if not component:
        return Group("", [(line.label, line) for line in lines])
    stem = _sharedwords([line.label for line in lines[:2]])
    if len(stem.split()) < 2:  # “PL” alone would leave halves of labels behind
        name = f"Component {component}" if component.isdigit() else component[:1].upper() + component[1:]
        return Group(name, [(line.label, line) for line in lines])
    short = [(line.label.removeprefix(stem).strip(), line) for line in lines]
    return Group(f"{stem}{component}", short)


def _sharedwords(labels: Sequence[str]) -> str:
    """The words that two labels begin with, and a space: `PL peak `."""
    if len(labels) < 2:
        return ""
    shared = []
    for ours, theirs in zip(*(label.split() for label in labels), strict=False):
        if ours != theirs:
            break
        shared.append(ours)
    return " ".join([*shared, ""]) if shared else ""


def _note(name: str, value: Any) -> tuple[str, str]:
    words = NOTE_WORDS.get(name, name.replace("_", " "))
    return words, formatting.number(value, 5) if isinstance(value, (int, float)) else str(value)


def params_told(loaded: LoadedMethod | None, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    units = {entry["name"]: entry["unit"] for entry in methods.params_schema(loaded)} if loaded else {}
    return [
        (words(name, units.get(name, "")), _written(value, units.get(name, "")))
        for name, value in given.items()
    ]


def words(name: str, unit: str) -> str:
    """`window_min_nm` → `window min`: the unit stands beside the number."""
    return name.removesuffix(f"_{unit.lower()}").replace("_", " ")


def _written(value: Any, unit: str) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return formatting.with_unit(value, unit) if isinstance(value, (int, float)) else str(value)


def conditions(row: Measurement) -> list[tuple[str, str]]:
    """What is known of how it was measured, with units, in the order of the vocabulary."""
    told = {title: understood({title: value}) for title, value in row.conditions.items()}
    order = {key: place for place, key in enumerate(CONDITIONS)}
    titles = sorted(told, key=lambda title: order.get(next(iter(told[title]), title), len(order)))
    return [
        _known(*next(iter(told[title].items()))) if told[title] else _unknown(title, row.conditions[title])
        for title in titles
    ]


def _known(key: str, quantity: Quantity) -> tuple[str, str]:
    if isinstance(quantity.value, str):
        return CONDITIONS[key].label, quantity.value
    return CONDITIONS[key].label, _with_unit(quantity.value, quantity.unit)


def _unknown(title: str, value: Any) -> tuple[str, str]:
    """As its sender wrote it."""
    known = CONDITIONS.get(title)
    label = known.label if known else formatting.sentence_case(title)
    unit = ""
    if isinstance(value, Mapping) and "value" in value:
        value, unit = value["value"], str(value.get("unit") or "")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return label, _with_unit(float(value), unit)
    return label, f"{value} {unit}".strip()


def _with_unit(value: float, unit: str) -> str:
    """All digits that the file gives: of a wavelength in Å the seventh still moves a reflection."""
    written = formatting.number(value, DIGITS)
    return f"{written}{formatting.NARROW}{formatting.unit_text(unit)}".strip()
