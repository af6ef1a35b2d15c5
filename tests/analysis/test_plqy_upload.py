"""Five files of an integrating sphere go in over REST; the quantum yield of their own QY.txt comes out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from analysis import services
from analysis.models import Calibration, Run, Value
from analysis.services.requesting import NothingToRunError
from measurements.models import Instrument, Measurement
from measurements.services import add_instrument, read_measurement
from samples.models import Project, Sample, User
from tests.conftest import api

ROLES = {
    "A1.txt": "empty",
    "B1.txt": "off beam",
    "B2.txt": "off-beam emission",
    "C1.txt": "On beam",
    "C2.txt": "on_beam_emission",
}
EXPECTED = {"demello_1": 0.93412, "demello_2": 0.90867}
Captured = Callable[..., AbstractContextManager[Any]]
MEASURED, CALIBRATED = "2026-05-04T10:00:00+02:00", datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def folder(reference: Path) -> Path:
    return reference / "instrument_files" / "plqy"


@pytest.fixture
def instrument(project: Project) -> Instrument:
    return add_instrument(project=project, name="FS5 with sphere")


@pytest.fixture
def sent(
    instrument: Instrument, composite: Sample, django_capture_on_commit_callbacks: Captured
) -> Callable[..., Measurement]:
    client: APIClient = api(instrument.account)

    def send(files: dict[Path, str], technique: str = "plqy", sample: str = composite.code) -> Measurement:
        said: dict[str, Any] = {
            **({"technique": technique} if technique else {}),
            "acquired_at": MEASURED,
            "file": [SimpleUploadedFile(path.name, path.read_bytes()) for path in files],
        }
        if any(files.values()):
            said["role"] = list(files.values())
        if sample:
            said["sample"] = sample
        answer = client.post("/api/v1/measurements/", said, format="multipart")
        assert answer.status_code == 201, answer.content
        with django_capture_on_commit_callbacks(execute=True):
            read_measurement(Measurement.objects.get(pk=answer.data["id"]))
        row = Measurement.objects.get(pk=answer.data["id"])
        assert row.status == "read", row.error
        return row

    return send


@pytest.fixture
def calibration(
    alice: User, instrument: Instrument, folder: Path, sent: Callable[..., Measurement]
) -> Calibration:
    return services.add_calibration(
        user=alice,
        instrument=instrument,
        kind="sphere",
        measurement=sent({folder / "demello_CF.txt": ""}, sample=""),
        valid_from=CALIBRATED,
    )


def executed() -> None:
    for run in Run.objects.filter(status="queued"):
        services.execute(run.pk)


def value(measurement: Measurement, prop: str = "plqy") -> Value:
    found: Value = Value.objects.select_related("run").get(
        measurement=measurement, property=prop, current=True
    )
    return found


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("roles_are_sent", [True, False])
def test_the_quantum_yield_arrives_by_itself(
    sent: Callable[..., Measurement],
    folder: Path,
    calibration: Calibration,
    as_alice: APIClient,
    name: str,
    roles_are_sent: bool,
) -> None:
    files = {folder / name / file: role if roles_are_sent else "" for file, role in ROLES.items()}
    measurement = sent(files)
    assert measurement.datasets.filter(current=True).count() == 5
    executed()
    run = Run.objects.get(measurement=measurement, method="plqy")
    assert (run.status, run.trigger) == ("done", "upload"), run.message
    given = {row.role: row.dataset.file.filename for row in run.inputs.select_related("dataset__file")}
    assert given == {
        "on_beam": "C1.txt",
        "empty": "A1.txt",
        "off_beam": "B1.txt",
        "on_beam_emission": "C2.txt",
        "off_beam_emission": "B2.txt",
        "sphere": "demello_CF.txt",
    }
    (shown,) = as_alice.get(
        "/api/v1/values/", {"measurement": measurement.pk, "property": "plqy", "current": "true"}
    ).data["results"]
    assert shown["value"] == pytest.approx(EXPECTED[name], rel=0.01)
    assert shown["sigma"] > 0
    assert shown["unit"] == "1"


def test_files_without_role_or_technique_are_told_apart_once_a_person_says_what_they_are(
    sent: Callable[..., Measurement],
    folder: Path,
    calibration: Calibration,
    as_alice: APIClient,
    django_capture_on_commit_callbacks: Captured,
) -> None:
    measurement = sent({folder / "demello_1" / file: "" for file in ROLES}, technique="")
    assert not Run.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_alice.patch(
            f"/api/v1/measurements/{measurement.pk}/", {"technique": "plqy"}, format="json"
        )
    assert answer.status_code == 200, answer.content
    executed()
    assert value(measurement).value == pytest.approx(EXPECTED["demello_1"], rel=0.01)


def test_the_roles_stand_beside_the_files_on_the_page(
    sent: Callable[..., Measurement], folder: Path, client: Any, alice: User
) -> None:
    measurement = sent({folder / "demello_1" / file: "" for file in ROLES})
    client.force_login(alice)
    page = client.get(f"/measurements/{measurement.pk}/").content.decode()
    assert "off_beam_emission" in page
    assert "on_beam_emission" in page


def test_without_an_empty_sphere_nothing_runs_until_the_instrument_has_a_blank(
    sent: Callable[..., Measurement], folder: Path, instrument: Instrument, alice: User
) -> None:
    files = {folder / "demello_1" / file: role for file, role in ROLES.items() if role != "empty"}
    measurement = sent(files)
    assert not Run.objects.exists()
    with pytest.raises(NothingToRunError, match="has none that is valid for 2026-05-04"):
        services.request_run(measurement, "plqy")
    blank = sent({folder / "demello_1" / "A1.txt": ""}, technique="other", sample="")
    services.add_calibration(
        user=alice, instrument=instrument, kind="blank", measurement=blank, valid_from=CALIBRATED
    )
    services.recalibrate(instrument)
    executed()
    assert value(measurement).value is not None


def test_withdrawing_the_sphere_s_calibration_flags_the_value_and_asks_again(
    sent: Callable[..., Measurement], folder: Path, calibration: Calibration, alice: User
) -> None:
    measurement = sent({folder / "demello_1" / file: role for file, role in ROLES.items()})
    executed()
    before = value(measurement)
    assert before.run is not None
    services.withdraw_calibration(calibration, user=alice, reason="the lamp had aged")
    before.run.refresh_from_db()
    assert "The calibration “integrating-sphere correction” of 1 May 2026 was withdrawn" in before.run.stale
    (asked,) = services.recalibrate()
    assert (asked.measurement, asked.trigger, asked.status) == (measurement, "calibration", "queued")
    executed()
    after = value(measurement)
    assert after.run == asked
    assert after.value != pytest.approx(before.value, rel=0.01)
    assert any("No sphere calibration" in said for said in asked_again(asked).warnings)


def asked_again(run: Run) -> Run:
    run.refresh_from_db()
    return run


def test_the_number_of_a_header_arrives_by_itself(sent: Callable[..., Measurement], folder: Path) -> None:
    measurement = sent({folder / "hysprint_AA142.pli.txt": ""})
    executed()
    found = value(measurement)
    assert found.method == "plqy_reported"
    assert found.value == pytest.approx(0.015194, rel=1e-9)
    assert not Run.objects.filter(method="plqy").exists()
