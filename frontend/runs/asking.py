"""The forms that ask for a run; everything in them comes from what a method declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis import methods, services
from analysis.services.inputs import datasets_of
from frontend import formatting
from frontend.runs.roles import Input, candidates_for, inputs_of_form
from frontend.runs.telling import Entry, words
from measurements.models import Measurement


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
    inputs: Sequence[Input] = ()
    ran: bool = False

    @property
    def lacks_an_input(self) -> bool:
        return bool(self.lacks)

    @property
    def lacks(self) -> list[str]:
        """Inputs that nothing fills unless a person names something."""
        return [each.label for each in self.inputs if each.lacking]


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
    user: Any,
    row: Measurement,
    entries: Sequence[Entry],
    submitted: str = "",
    given: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[RunForm]:
    """A form for every method that takes this technique, filled with the parameters of its current run."""
    if row.status != Measurement.Status.READ:
        return []
    datasets = list(datasets_of([row]))
    offered = services.methods_for(row, datasets)
    candidates = candidates_for(user, row, offered)
    found = []
    for loaded in offered:
        mine = loaded.key == submitted
        last = next((e.run for e in entries if e.run.method == loaded.key and e.current), None)
        came_back = given if mine else None
        values = came_back if came_back is not None else last.params if last is not None else {}
        fields = [
            _field(entry, values, errors if mine and errors else {})
            for entry in methods.params_schema(loaded)
        ]
        method = loaded.method
        inputs = inputs_of_form(user, loaded, row, datasets, candidates, last, came_back)
        ran = any(entry.run.method == loaded.key for entry in entries)
        form = RunForm(
            loaded.key, method.title, method.version, method.description, fields, mine, inputs, ran
        )
        found.append(form)
    return found


def _field(entry: Mapping[str, Any], values: Mapping[str, Any], errors: Mapping[str, str]) -> Field:
    value = values.get(entry["name"], entry["default"])
    return Field(
        name=entry["name"],
        label=words(entry["name"], entry["unit"]),
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
