"""What comes back from a run sheet: numbers as people type them, times in their own zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from frontend.forms.base import Form, optional_number
from samples.models import Exposure, Sample
from samples.models.limits import ABSOLUTE_ZERO_C
from samples.services.performing import Place
from samples.step_kinds import KINDS, SEGMENT_FIELDS, StepField, StepKind

LONGEST_NUMBER = 40
MOST_SEGMENTS = 100
MOMENT = forms.DateTimeField(required=False)


def number_of(text: str, label: str) -> float | None:
    """12.5 or 12,5; None when empty. Raises ValidationError with the field's name."""
    plain = text.strip().replace(",", ".").replace("−", "-")
    if not plain:
        return None
    try:
        if len(plain) > LONGEST_NUMBER or "_" in plain:
            raise ValueError
        return float(plain)
    except ValueError:
        raise ValidationError(f"{label}: “{text[:30]}” is not a number.") from None


def said_of(posted: QueryDict, place: Place | None, kind: StepKind) -> dict[str, Any]:
    """The fields of a step, and its segments, in the words of `performing.perform`."""
    fields = KINDS["other"].fields if kind.model is KINDS["other"].model else kind.fields
    said = _read(posted, fields, "", "")
    if kind.has_segments:
        segments = []
        for number in range(1, MOST_SEGMENTS + 1):
            prefix = f"segment-{number}-"
            if not any(name.startswith(prefix) for name in posted):
                break
            segments.append(_read(posted, SEGMENT_FIELDS, prefix, f"Segment {number}, "))
        while segments and not segments[-1]:
            segments.pop()
        said["segments"] = segments
    return said


def moment_of(posted: Mapping[str, str], name: str = "performed_at") -> datetime | None:
    """The time typed; now when left empty; None when it is ticked as not known."""
    if posted.get(f"{name}_unknown"):
        return None
    text = posted.get(name, "").strip()
    if not text:
        return timezone.now()
    try:
        return MOMENT.clean(text)
    except ValidationError:
        raise ValidationError(f"“{text[:30]}” is not a date and time; write 2026-11-20 14:05.") from None


def amount_g(posted: Mapping[str, str], name: str, label: str) -> float | None:
    """Typed in mg, stored in g."""
    mg = number_of(posted.get(name, ""), label)
    return None if mg is None else mg / 1000


def _read(posted: QueryDict, fields: tuple[StepField, ...], prefix: str, where: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for field in fields:
        text = posted.get(prefix + field.name, "").strip()
        if not text:
            continue
        if field.reads in ("number", "count"):
            said[field.name] = number_of(text, f"{where}{field.label}")
        else:
            said[field.name] = text
    return said


class ExposureForm(Form):
    """What happens, or happened, to a sample."""

    moment = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    kind = forms.ChoiceField(label="What", choices=Exposure.Kind.choices)
    started_at = forms.DateTimeField(label="From", required=False, help_text="Empty: now.", widget=moment)
    ended_at = forms.DateTimeField(label="Until", required=False, help_text="Empty: goes on.", widget=moment)
    medium = forms.CharField(label="In", required=False, max_length=80, help_text="Such as water, DMF.")
    temperature_c = optional_number("Temperature", ABSOLUTE_ZERO_C)
    humidity_percent = optional_number("Humidity", 0, 100)
    irradiance_mw_per_cm2 = optional_number("Irradiance", 0)
    wavelength_nm = optional_number("Wavelength", 0)
    notes = forms.CharField(label="Notes", required=False, max_length=10_000)

    def conditions(self) -> dict[str, Any]:
        said = dict(self.cleaned_data)
        for name in ("kind", "started_at", "ended_at"):
            said.pop(name)
        percent = said.pop("humidity_percent")
        said["relative_humidity"] = None if percent is None else percent / 100
        return said


class PoolForm(Form):
    """The mixture; its parts come as rows of code, mass and sigma."""

    code = forms.CharField(label="Code", required=False, max_length=40, help_text="Empty: a new one.")
    name = forms.CharField(label="Name", required=False, max_length=160)
    state = forms.ChoiceField(label="State", choices=Sample.State.choices, initial=Sample.State.MIXTURE)
    amount_mg = optional_number("Amount", 0, help_text="Empty when not weighed.")
    notes = forms.CharField(label="Notes", required=False, max_length=10_000)
