"""From what services raise to HTTP, and the fields that several nouns share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core import exceptions as django
from rest_framework import exceptions, serializers

from samples.models import Project, Sample


@contextmanager
def in_sentences() -> Iterator[None]:
    """What a service refuses, said to the caller as 400."""
    try:
        yield
    except django.ValidationError as error:
        raise exceptions.ValidationError(error.messages) from error


def must_write(user: Any, project_id: int) -> None:
    """For rows that the user may see: 403 where they may only look."""
    if not Project.objects.open_to(user).filter(pk=project_id).exists():
        raise exceptions.PermissionDenied(
            "You may look at this project but not write to it; ask one of its managers."
        )


def visible_sample(user: Any, code: str) -> Sample:
    """The sample with that code, or 400: one that may not be seen is unknown."""
    found = Sample.objects.visible_to(user).filter(code=code.strip()).select_related("project").first()
    if found is None:
        raise exceptions.ValidationError({"sample": [f"There is no sample “{code[:40]}”. Check the label."]})
    return found


class ReasonSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=1000)


class MomentField(serializers.DateTimeField):
    """A naive time would have to be guessed, so it is refused."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise serializers.ValidationError(
                "Give the time with its zone, such as 2026-05-04T10:00:00+02:00."
            )
        return super().enforce_timezone(value)
