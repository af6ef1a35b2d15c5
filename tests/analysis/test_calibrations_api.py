"""Calibrations over REST: members see them, managers decide, an embargo holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from analysis import services
from analysis.models import Calibration, Run
from samples.models import Membership, Role
from tests.analysis.calibrating import Laboratory, day, laboratory, takes_dark
from tests.conftest import api, person

__all__ = ["laboratory", "takes_dark"]

URL = "/api/v1/calibrations/"


def question(laboratory: Laboratory, **said: Any) -> dict[str, Any]:
    standard = laboratory.measure(4, day(1), sample=False)
    return {
        "instrument": laboratory.instrument.pk,
        "kind": "dark",
        "measurement": standard.pk,
        "valid_from": "2026-05-01T14:00:00+02:00",
    } | said


def test_a_manager_adds_one_and_sees_what_was_added(laboratory: Laboratory, as_alice: APIClient) -> None:
    answer = as_alice.post(URL, question(laboratory, note="shutter closed"), format="json")
    assert answer.status_code == 201, answer.data
    row = Calibration.objects.get()
    assert row.valid_from == day(1)
    told = as_alice.get(f"{URL}{row.pk}/").data
    assert (told["note"], told["made_by"], told["in_force"], told["used_by"]) == (
        "shutter closed", "alice", True, 0,
    )  # fmt: skip
    assert told["valid_until"] is told["ends_at"] is None


def test_members_look_and_strangers_do_not(
    laboratory: Laboratory, as_bob: APIClient, as_charlie: APIClient
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    assert [each["id"] for each in as_bob.get(URL).data["results"]] == [row.pk]
    assert as_charlie.get(URL).data["results"] == []
    assert as_charlie.get(f"{URL}{row.pk}/").status_code == 404


@pytest.mark.parametrize("act", ["withdraw", "restore", "replace"])
def test_whoever_does_not_manage_the_project_may_not_decide(
    act: str, laboratory: Laboratory, as_bob: APIClient, as_charlie: APIClient
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    dora = person("dora")
    Membership.objects.create(project=laboratory.project, user=dora, role=Role.CONTRIBUTOR)
    said = {"reason": "no", "measurement": row.measurement_id}
    for client, status in ((as_bob, 403), (api(dora), 403), (as_charlie, 404)):
        assert client.post(f"{URL}{row.pk}/{act}/", said, format="json").status_code == status
    row.refresh_from_db()
    assert row.withdrawn_at is None


def test_only_managers_add(laboratory: Laboratory, as_bob: APIClient, as_charlie: APIClient) -> None:
    asked = question(laboratory)
    assert as_bob.post(URL, asked, format="json").status_code == 403
    refusal = as_charlie.post(URL, asked, format="json")
    assert refusal.status_code == 400
    assert "no such instrument" in refusal.content.decode()
    assert not Calibration.objects.exists()


def test_withdrawing_and_taking_it_back(laboratory: Laboratory, as_alice: APIClient, takes_dark: str) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    assert as_alice.get(f"{URL}{row.pk}/").data["used_by"] == 1
    assert as_alice.post(f"{URL}{row.pk}/withdraw/", {}, format="json").status_code == 400
    told = as_alice.post(f"{URL}{row.pk}/withdraw/", {"reason": "shutter open"}, format="json").data
    assert (told["in_force"], told["withdrawn_by"], told["withdraw_reason"]) == (
        False,
        "alice",
        "shutter open",
    )
    assert "was withdrawn" in as_alice.get(f"/api/v1/runs/{run.pk}/").data["stale"]
    again = as_alice.post(f"{URL}{row.pk}/withdraw/", {"reason": "again"}, format="json")
    assert again.status_code == 400
    told = as_alice.post(f"{URL}{row.pk}/restore/", {}, format="json").data
    assert (told["in_force"], told["withdraw_reason"]) == (True, "")
    assert as_alice.get(f"/api/v1/runs/{run.pk}/").data["stale"] == ""


def test_replacing_answers_with_the_new_one(laboratory: Laboratory, as_alice: APIClient) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    better = laboratory.measure(7, day(1), sample=False)
    said = {"measurement": better.pk, "reason": "saturated"}
    answer = as_alice.post(f"{URL}{row.pk}/replace/", said, format="json")
    assert answer.status_code == 201
    assert answer.data["measurement"] == better.pk
    row.refresh_from_db()
    assert row.withdraw_reason == "saturated"


def test_a_run_names_the_calibration_it_was_given(
    laboratory: Laboratory, as_alice: APIClient, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    inputs = {
        each["role"]: each["calibration"] for each in as_alice.get(f"/api/v1/runs/{run.pk}/").data["inputs"]
    }
    assert inputs == {"sample": None, "dark": row.pk}


def test_a_list_can_be_narrowed_to_what_was_valid_at_a_moment(
    laboratory: Laboratory, as_alice: APIClient
) -> None:
    may, june = laboratory.calibrate(1, "dark", day(1)), laboratory.calibrate(2, "dark", day(1, month=6))
    laboratory.calibrate(3, "blank", day(1, month=6))

    def found(**asked: str) -> list[int]:
        return [row["id"] for row in as_alice.get(URL, asked).data["results"]]

    assert found(kind="dark", valid_at="2026-05-20T00:00:00Z") == [may.pk]
    assert found(kind="dark", valid_at="2026-06-20T00:00:00+02:00") == [june.pk]
    assert found(kind="dark", valid_at="2026-04-20T00:00:00Z") == []
    assert found(instrument=str(laboratory.instrument.pk), kind="dark") == [june.pk, may.pk]
    assert found(project="glass", kind="irf") == []
    assert as_alice.get(f"{URL}{may.pk}/").data["ends_at"].startswith("2026-06-01T12:00:00")


@pytest.mark.parametrize(
    "asked",
    [
        {"valid_at": "2026-05-20T00:00:00"},
        {"valid_at": "yesterday"},
        {"valid_at": "\x00"},
        {"kind": "horoscope"},
        {"instrument": "x"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(asked: dict[str, str], as_alice: APIClient) -> None:
    assert as_alice.get(URL, asked).status_code == 400


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "horoscope"},
        {"kind": ["dark"]},
        {"valid_from": "2026-05-01"},
        {"valid_from": "2026-05-01T10:00:00"},
        {"valid_from": "9999-12-31T23:59:59Z"},
        {"valid_until": "2026-05-01T12:00:00Z"},
        {"measurement": 10**30},
        {"measurement": -1},
        {"measurement": "';--"},
        {"instrument": None},
        {"note": "\x00"},
        {"note": "n" * 3000},
    ],
)
def test_hostile_input_is_refused_and_nothing_is_added(
    said: dict[str, Any], laboratory: Laboratory, as_alice: APIClient
) -> None:
    answer = as_alice.post(URL, question(laboratory, **said), format="json")
    assert answer.status_code == 400, answer.data
    assert not Calibration.objects.exists()


def test_markup_in_a_note_is_kept_as_text(laboratory: Laboratory, as_alice: APIClient) -> None:
    note = "<script>alert(1)</script>"
    answer = as_alice.post(URL, question(laboratory, note=note), format="json")
    assert answer.data["note"] == note


def test_a_calibration_of_an_embargoed_sample_is_only_for_its_maker_and_managers(
    laboratory: Laboratory, as_alice: APIClient
) -> None:
    dora = person("dora")
    Membership.objects.create(project=laboratory.project, user=dora, role=Role.CONTRIBUTOR)
    standard = laboratory.measure(4, day(1))
    row = services.add_calibration(
        user=laboratory.alice,
        instrument=laboratory.instrument,
        kind="dark",
        measurement=standard,
        valid_from=day(1),
    )
    assert len(api(dora).get(URL).data["results"]) == 1
    laboratory.sample.embargoed_until = timezone.now().date() + timedelta(days=9)
    laboratory.sample.save()
    assert api(dora).get(URL).data["results"] == []
    assert api(dora).get(f"{URL}{row.pk}/").status_code == 404
    assert len(as_alice.get(URL).data["results"]) == 1


def test_the_list_costs_the_same_however_long_it_is(
    laboratory: Laboratory, as_alice: APIClient, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        laboratory.calibrate(number + 1, "dark", day(number + 1))
    with django_assert_max_num_queries(6):
        assert len(as_alice.get(URL).data["results"]) == 5
    assert Run.objects.filter(stale="").count() == Run.objects.count()
