"""A method that needs one calibration and takes another, and an instrument to calibrate."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from analysis import methods, properties, services
from analysis.methods import Dataset, LoadedMethod, Method, Outcome, Property, Result, Role
from analysis.models import Calibration, Run, Value
from measurements.models import Instrument, Measurement
from measurements.services import Incoming, add_instrument, read_measurement, receive
from samples.models import Project, Sample, User

NEEDS, TAKES = "needs_sphere", "takes_dark"


@dataclass(frozen=True)
class Params:
    pass


def mean_over(role: str) -> Callable[[Mapping[str, Dataset], Any], Outcome]:
    def run(datasets: Mapping[str, Dataset], params: Any) -> Outcome:
        level = float(np.mean(datasets["sample"].signal.values))
        by = float(np.mean(datasets[role].signal.values)) if role in datasets else 1.0
        return Outcome((Result("test_ratio", level / by, 0.0),))

    return run


def method(key: str, role: Role) -> LoadedMethod:
    declared = Method(
        title="Ratio to a calibration",
        version=1,
        accepts=(Role("sample", ("pl",)), role),
        properties=(Property("test_ratio", "Ratio", "1"),),
        reference="none",
        key=key,
    )
    return LoadedMethod(key, declared, Params, mean_over(role.key))


@pytest.fixture
def needs_sphere(monkeypatch: pytest.MonkeyPatch) -> str:
    """The only method there is; without a sphere correction it has nothing to say."""
    return only(monkeypatch, method(NEEDS, Role("sphere", ("pl",), calibration="sphere")))


@pytest.fixture
def takes_dark(monkeypatch: pytest.MonkeyPatch) -> str:
    """The only method there is; it subtracts dark counts where there are any."""
    return only(monkeypatch, method(TAKES, Role("dark", ("pl",), required=False, calibration="dark")))


def only(monkeypatch: pytest.MonkeyPatch, loaded: LoadedMethod) -> str:
    properties.all()  # looked up once in a process: with all methods there are
    monkeypatch.setattr(methods, "registry", lambda: MappingProxyType({loaded.key: loaded}))
    return loaded.key


def day(number: int, month: int = 5, hour: int = 12) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


@dataclass
class Laboratory:
    """Alice's, with one instrument; `level` is the constant that a file holds."""

    alice: User
    project: Project
    instrument: Instrument
    sample: Sample

    def measure(
        self,
        level: float,
        at: datetime | None,
        *,
        sample: bool = True,
        instrument: Instrument | None = None,
        user: User | None = None,
    ) -> Measurement:
        rows = "".join(f"{x}\t{level + (x % 3):.4f}\n" for x in range(500, 560))
        text = f"Wavelength (nm)\tIntensity (counts)\n{rows}"
        receipt = receive(
            user=user or self.alice,
            files=[Incoming(f"level-{level:g}.txt", io.BytesIO(text.encode()))],
            sample_code=self.sample.code if sample else None,
            project=self.project,
            technique="pl",
            acquired_at=at,
            instrument=instrument or self.instrument,
        )
        read_measurement(receipt.measurement)
        row = Measurement.objects.get(pk=receipt.measurement.pk)
        assert row.status == "read", row.error
        return row

    def calibrate(self, level: float, kind: str, since: datetime, **more: Any) -> Calibration:
        standard = self.measure(level, since, sample=False)
        return services.add_calibration(
            user=self.alice,
            instrument=self.instrument,
            kind=kind,
            measurement=standard,
            valid_from=since,
            **more,
        )

    def run(self, measurement: Measurement, key: str) -> Run:
        run, _ = services.request_run(measurement, key, trigger="upload")
        return executed(run)


@pytest.fixture
def laboratory(alice: User, project: Project, composite: Sample) -> Laboratory:
    return Laboratory(alice, project, add_instrument(project=project, name="FLS-1"), composite)


def executed(run: Run) -> Run:
    services.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "done", run.message
    return run


def given(run: Run, role: str) -> Calibration | None:
    row = run.inputs.filter(role=role).select_related("calibration").first()
    return row.calibration if row else None


def current() -> float:
    """The one value that counts."""
    value = Value.objects.get(current=True).value
    assert value is not None
    return value
