"""What a sender says about a file, as text: in an address, in tus metadata, in the heading of a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from measurements.models import Measurement
from measurements.serializers import ROLE_CHARACTERS, ConditionsField, TimeWithZoneField
from measurements.services.receiving import RefusedError
from measurements.techniques import Technique
from samples.models import Project, User

FIELDS: dict[str, serializers.Field] = {
    "sample": serializers.CharField(max_length=10_000),
    "technique": serializers.ChoiceField(choices=Technique.choices),
    "role": serializers.CharField(max_length=ROLE_CHARACTERS),
    "acquired_at": TimeWithZoneField(),
    "conditions": ConditionsField(),
    "origin": serializers.ChoiceField(choices=Measurement.Origin.choices),
    "project": serializers.SlugField(),
}


@dataclass(frozen=True)
class Claims:
    sample: str = ""
    technique: str | None = None
    role: str = ""
    acquired_at: datetime | None = None
    conditions: dict[str, Any] = field(default_factory=dict)
    origin: str = "measured"
    project: str = ""


def claims_of(said: Mapping[str, str]) -> Claims:
    """Raises RefusedError for what makes no sense. What is left empty was not said."""
    understood = {}
    for name, text in said.items():
        if text == "":
            continue
        try:
            understood[name] = FIELDS[name].run_validation(text)
        except ValidationError as error:
            raise RefusedError(name, " ".join(map(str, error.detail))) from None
    return Claims(**understood)


def writable_project(user: User, slug: str) -> Project | None:
    if not slug:
        return None
    project = Project.objects.open_to(user).filter(slug=slug).first()
    if project is None:
        raise RefusedError("project", f"There is no project “{slug}” into which you may write.")
    return project
