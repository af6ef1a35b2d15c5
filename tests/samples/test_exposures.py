"""What happened to a sample after it was made, and how long ago it was quenched."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from analysis import explore
from samples.models import Exposure, ProcessFactors, Sample, User
from samples.services import exposures, performing


@pytest.fixture
def made(composite: Sample) -> Sample:
    Sample.objects.filter(pk=composite.pk).update(planned=False)
    composite.refresh_from_db()
    return composite


def test_an_exposure_goes_on_until_it_is_ended(alice: User, made: Sample) -> None:
    begun = timezone.now() - timedelta(hours=5)
    row = exposures.expose(
        user=alice, sample=made, kind="immersion", started_at=begun, conditions={"medium": "water"}
    )
    assert row.ended_at is None
    exposures.end(user=alice, exposure=row, at=begun + timedelta(hours=2))
    row.refresh_from_db()
    assert row.ended_at == begun + timedelta(hours=2)
    with pytest.raises(ValidationError, match="ended already"):
        exposures.end(user=alice, exposure=row)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "moonlight"}, "not a valid choice"),
        ({"conditions": {"relative_humidity": 40.0}}, "0 to 1"),
        ({"conditions": {"temperature_c": -300.0}}, "-273.15"),
        ({"conditions": {"wavelength_nm": 0.0}}, "above zero"),
        ({"conditions": {"irradiance_mw_per_cm2": float("nan")}}, "0 or more"),
        ({"conditions": {"moon": "full"}}, "has no “moon”"),
        ({"started_at": timezone.now() + timedelta(days=2)}, "future"),
        ({"ended_at": timezone.now() - timedelta(days=9)}, "cannot end before"),
    ],
)
def test_what_cannot_have_happened_is_refused(alice: User, made: Sample, fields: dict, sentence: str) -> None:
    said = {"kind": "heat", "started_at": timezone.now() - timedelta(days=1), **fields}
    with pytest.raises(ValidationError, match=sentence):
        exposures.expose(user=alice, sample=made, **said)
    assert not Exposure.objects.exists()


def test_nothing_happens_to_a_sample_that_is_not_made(alice: User, composite: Sample) -> None:
    with pytest.raises(ValidationError, match="not made yet"):
        exposures.expose(user=alice, sample=composite, kind="heat", started_at=timezone.now())


def test_the_database_itself_refuses_an_end_before_the_beginning(made: Sample) -> None:
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Exposure.objects.create(sample=made, kind="heat", started_at=now, ended_at=now - timedelta(seconds=1))


def test_an_exposure_is_removed_with_a_reason(alice: User, made: Sample) -> None:
    row = exposures.expose(user=alice, sample=made, kind="heat", started_at=timezone.now())
    with pytest.raises(ValidationError, match="Say why"):
        exposures.remove(user=alice, exposure=row, reason="")
    exposures.remove(user=alice, exposure=row, reason="another sample")
    assert not Exposure.objects.exists()


def test_hours_since_quench_are_counted_in_the_database_up_to_now(alice: User, composite: Sample) -> None:
    before = timezone.now() - timedelta(hours=36)
    assert composite.preparation is not None
    performing.perform(user=alice, preparation=composite.preparation, key="quench-3", said={}, at=before)
    assert ProcessFactors.objects.get(sample=composite).quenched_at == before
    found = explore.columns(alice, x="hours_since_quench", y="sintering_temperature_c")
    assert found.x[0] == pytest.approx(36, abs=0.05)
    assert (found.x_axis.label, found.x_axis.unit) == ("Time since quench", "h")
    older = explore.Filters(at_least={"hours_since_quench": 40})
    assert (
        len(explore.columns(alice, x="hours_since_quench", y="sintering_temperature_c", filters=older)) == 0
    )
    newer = explore.Filters(at_most={"hours_since_quench": 40})
    assert (
        len(explore.columns(alice, x="hours_since_quench", y="sintering_temperature_c", filters=newer)) == 1
    )


def test_a_planned_quench_has_not_happened_yet(alice: User, composite: Sample) -> None:
    assert composite.factors.quenched_at is None
    found = explore.columns(alice, x="hours_since_quench", y="sintering_temperature_c")
    assert np.isnan(found.x).all()  # unknown, and not zero


def test_the_moment_itself_is_no_axis() -> None:
    with pytest.raises(explore.ExploreError, match="no factor or property"):
        explore.axis("quenched_at")


def test_exposures_over_rest(
    as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient, made: Sample
) -> None:
    body = {
        "sample": made.code,
        "kind": "humidity",
        "started_at": "2026-05-04T10:00:00+02:00",
        "relative_humidity": 0.75,
    }
    assert as_charlie.post("/api/v1/exposures/", body, format="json").status_code == 400
    assert as_bob.post("/api/v1/exposures/", body, format="json").status_code == 403
    answer = as_alice.post("/api/v1/exposures/", body, format="json")
    assert answer.status_code == 201, answer.json()
    pk = answer.json()["id"]
    assert answer.json()["relative_humidity"] == 0.75
    assert as_charlie.get(f"/api/v1/exposures/{pk}/").status_code == 404
    assert as_charlie.get("/api/v1/exposures/").json()["results"] == []
    assert as_bob.get(f"/api/v1/exposures/?sample={made.code}").json()["results"][0]["id"] == pk
    assert as_bob.post(f"/api/v1/exposures/{pk}/end/", {}, format="json").status_code == 403
    ended = as_alice.post(
        f"/api/v1/exposures/{pk}/end/", {"ended_at": "2026-05-05T10:00:00+02:00"}, format="json"
    )
    assert ended.status_code == 200
    again = as_alice.post(f"/api/v1/exposures/{pk}/end/", {}, format="json")
    assert again.status_code == 400
    assert "ended already" in again.json()["error"]["message"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"started_at": "2026-05-04T10:00:00"},
        {"started_at": "yesterday"},
        {"relative_humidity": 75},
        {"kind": "\u202egnp"},
        {"temperature_c": "NaN"},
        {"temperature_c": "1e999"},
        {"notes": "x" * 20_000},
        {"sample": ""},
    ],
)
def test_a_wrong_exposure_over_rest_is_answered_with_a_sentence(
    as_alice: APIClient, made: Sample, wrong: dict
) -> None:
    body = {"sample": made.code, "kind": "heat", "started_at": "2026-05-04T10:00:00+02:00", **wrong}
    answer = as_alice.post("/api/v1/exposures/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert not Exposure.objects.exists()
