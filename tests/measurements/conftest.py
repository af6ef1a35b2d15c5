from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from measurements.models import Measurement
from measurements.services import Incoming, Receipt, read_measurement, receive
from samples.models import Project, Sample, User

TEXT = b"Wavelength (nm)\tCounts\n" + b"".join(b"%d\t%d\n" % (x, 100 + x % 7) for x in range(550, 801))


def incoming(content: bytes = TEXT, name: str = "run7.txt", role: str = "") -> Incoming:
    return Incoming(name, io.BytesIO(content), role)


@pytest.fixture
def given(alice: User, composite: Sample) -> Callable[..., Receipt]:
    """Alice hands in a file for her composite."""

    def give(content: bytes = TEXT, name: str = "run7.txt", **known: Any) -> Receipt:
        known.setdefault("sample_code", composite.code)
        known.setdefault("user", alice)
        files = known.pop("files", None) or [incoming(content, name)]
        return receive(files=files, **known)

    return give


@pytest.fixture
def read(given: Callable[..., Receipt]) -> Callable[..., Measurement]:
    """The same, and the worker has read it."""

    def give_and_read(content: bytes = TEXT, name: str = "run7.txt", **known: Any) -> Measurement:
        measurement = given(content, name, **known).measurement
        read_measurement(measurement)
        measurement.refresh_from_db()
        return measurement

    return give_and_read


@pytest.fixture
def committed(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Any:
    """`with committed(execute=True):` runs what waits for the commit."""
    return django_capture_on_commit_callbacks


@pytest.fixture
def charlies(charlie: User) -> Sample:
    """A sample that Alice cannot see."""
    project = Project.objects.get(slug="charlie")
    return Sample.objects.create(project=project, code="CH-1", state=Sample.State.POWDER)
