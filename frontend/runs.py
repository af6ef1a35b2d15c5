"""What a measurement's page says about its runs: what is current, what was before and by how much it moved,
and the form that asks for another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis import methods, properties
from analysis.methods.base import LoadedMethod
from analysis.models import Calibration, Run, Value
from analysis.services.currency import answering
from frontend import formatting
from frontend.values import Shown, shown
from measurements.models import Measurement
from measurements.vocabulary import CONDITIONS

PLAIN_NOTES = ("model", "why", "r2", "adjusted_r2", "bic", "delta_bic", "reduced_chi2", "points", "sigma")
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


def history(row: Measurement) -> list[Entry]:
    """All runs, newest first. A fixed number of queries, however many there are."""
    rows = list(Run.objects.filter(measurement=row).prefetch_related(*RELATED).order_by("-pk"))
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
    return [_entry(run, now, answers.get(run.method)) for run in rows]


def _entry(run: Run, now: Mapping[tuple[str, str, str], Value], answer: Run | None) -> Entry:
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
    return Entry(run, _title(run.method), state, tone, current, moved, values, answered_by)


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
        params=_params(loaded, run.params),
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
    stem = _shared_words([line.label for line in lines[:2]])
    short = [(line.label.removeprefix(stem).strip(), line) for line in lines]
    return Group(f"{stem}{component}", short)


def _shared_words(labels: Sequence[str]) -> str:
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


def _params(loaded: LoadedMethod | None, given: Mapping[str, Any]) -> list[tuple[str, str]]:
    units = {entry["name"]: entry["unit"] for entry in methods.params_schema(loaded)} if loaded else {}
    return [
        (_words(name, units.get(name, "")), _written(value, units.get(name, "")))
        for name, value in given.items()
    ]


def _words(name: str, unit: str) -> str:
    """`window_min_nm` → `window min`: the unit stands beside the number."""
    return name.removesuffix(f"_{unit.lower()}").replace("_", " ")


def _written(value: Any, unit: str) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return formatting.with_unit(value, unit) if isinstance(value, (int, float)) else str(value)


@dataclass(frozen=True)
class Field:
    """One parameter in the form; everything comes from the method's declaration."""

    name: str
    label: str
    kind: str
    value: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: list[str]
    help: str
    limits: str
    error: str = ""


@dataclass(frozen=True)
class RunForm:
    method: str
    title: str
    version: int
    description: str
    fields: list[Field]
    open: bool = False


def default_forms(
    wanted: Mapping[str, Mapping[str, Any]], submitted: str = "", error: methods.ParamsError | None = None
) -> list[RunForm]:
    """A form for every method, filled with the parameters that a project wants."""
    found = []
    for loaded in methods.registry().values():
        errors = {error.field: error.message} if error and loaded.key == submitted else {}
        fields = [_field(entry, wanted[loaded.key], errors) for entry in methods.params_schema(loaded)]
        method = loaded.method
        is_open = loaded.key == submitted
        found.append(
            RunForm(loaded.key, method.title, method.version, method.description, fields, open=is_open)
        )
    return [form for form in found if form.fields]


def forms(
    row: Measurement,
    entries: Sequence[Entry],
    submitted: str = "",
    given: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[RunForm]:
    """A form for every method that takes this technique, filled with the parameters of its current run."""
    if row.status != Measurement.Status.READ:
        return []
    found = []
    for loaded in methods.for_technique(row.technique):
        mine = loaded.key == submitted
        last: Mapping[str, Any] = next(
            (e.run.params for e in entries if e.run.method == loaded.key and e.current), {}
        )
        values = given if mine and given is not None else last
        fields = [
            _field(entry, values, errors if mine and errors else {})
            for entry in methods.params_schema(loaded)
        ]
        method = loaded.method
        found.append(RunForm(loaded.key, method.title, method.version, method.description, fields, open=mine))
    return found


def _field(entry: Mapping[str, Any], values: Mapping[str, Any], errors: Mapping[str, str]) -> Field:
    value = values.get(entry["name"], entry["default"])
    return Field(
        name=entry["name"],
        label=_words(entry["name"], entry["unit"]),
        kind=entry["type"],
        value="" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}",
        unit=formatting.unit_text(entry["unit"]),
        minimum=entry["minimum"],
        maximum=entry["maximum"],
        choices=entry["choices"],
        help=entry["help"],
        limits=_limits(entry["minimum"], entry["maximum"]),
        error=errors.get(entry["name"], ""),
    )


def _limits(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{formatting.number(low)} to {formatting.number(high)}"
    if low is not None:
        return f"at least {formatting.number(low)}"
    return f"at most {formatting.number(high)}" if high is not None else ""


def conditions(row: Measurement) -> list[tuple[str, str]]:
    """What is known of how it was measured, with units."""
    return [(_label(name), _condition(value)) for name, value in row.conditions.items()]


def _label(name: str) -> str:
    known = CONDITIONS.get(name)
    return known.label if known else name.replace("_", " ")


def _condition(value: Any) -> str:
    if isinstance(value, Mapping) and "value" in value:
        unit = str(value.get("unit") or "")
        number = value["value"]
        if isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number):
            return formatting.with_unit(float(number), unit)
        return f"{number} {unit}".strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return formatting.number(float(value))
    return str(value)
