"""The pages of calibrations: on the instrument, on the measurement, and what is in doubt says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from analysis import services
from analysis.models import Calibration
from samples.models import Membership, Role
from tests.analysis.calibrating import Laboratory, day, laboratory, takes_dark
from tests.conftest import person

__all__ = ["laboratory", "takes_dark"]


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


@pytest.fixture
def alices(laboratory: Laboratory) -> Client:
    return signed_in(laboratory.alice)


def page(client: Client, laboratory: Laboratory) -> str:
    return client.get(f"/instruments/{laboratory.instrument.pk}/").content.decode()


def test_an_instrument_without_calibrations_says_what_to_do(alices: Client, laboratory: Laboratory) -> None:
    shown = page(alices, laboratory)
    assert "Add a calibration" in shown
    assert "None yet." in shown


def test_a_manager_adds_one_with_the_address_of_its_measurement(
    alices: Client, laboratory: Laboratory
) -> None:
    standard = laboratory.measure(4, day(1), sample=False)
    url = f"/instruments/{laboratory.instrument.pk}/calibrations/new/"
    offered = alices.get(f"{url}?measurement={standard.pk}").content.decode()
    assert f'value="{standard.pk}"' in offered
    assert 'value="2026-05-01T' in offered
    said = {
        "kind": "dark",
        "measurement": f"https://vitrine.example.org/measurements/{standard.pk}/",
        "valid_from": "2026-05-01T12:00",
        "note": "<b>shutter</b> closed",
    }
    answer = alices.post(url, said, follow=True)
    assert answer.status_code == 200
    assert Calibration.objects.get().measurement == standard
    shown = answer.content.decode()
    assert "Dark counts added" in shown
    assert "&lt;b&gt;shutter&lt;/b&gt; closed" in shown
    assert "valid now" in shown


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("measurement", "²", "Give the number of a measurement"),
        ("measurement", "9" * 40, "Give the number of a measurement"),
        ("measurement", "999999", "There is no measurement 999999"),
        ("valid_from", "yesterday", "Enter a valid date"),
        ("valid_until", "2026-04-01T12:00", "It ends before it begins"),
        ("kind", "horoscope", "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(
    field: str, text: str, sentence: str, alices: Client, laboratory: Laboratory
) -> None:
    standard = laboratory.measure(4, day(1), sample=False)
    said = {"kind": "dark", "measurement": str(standard.pk), "valid_from": "2026-05-01T12:00"}
    answer = alices.post(f"/instruments/{laboratory.instrument.pk}/calibrations/new/", said | {field: text})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Calibration.objects.exists()


def test_whoever_does_not_manage_sees_them_and_has_no_buttons(laboratory: Laboratory) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    dora = person("dora")
    Membership.objects.create(project=laboratory.project, user=dora, role=Role.CONTRIBUTOR)
    client = signed_in(dora)
    shown = page(client, laboratory)
    assert "Dark counts" in shown
    assert f"/calibrations/{row.pk}/withdraw/" not in shown
    for act in ("withdraw", "restore"):
        assert client.post(f"/calibrations/{row.pk}/{act}/", {"reason": "no"}).status_code == 403
    assert client.get(f"/instruments/{laboratory.instrument.pk}/calibrations/new/").status_code == 403


def test_the_confirmation_names_what_depends_on_it_and_it_can_be_taken_back(
    alices: Client, laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    url = f"/calibrations/{row.pk}/withdraw/"
    assert "1 value of 1 sample was computed with it." in alices.get(url).content.decode()
    assert alices.post(url, {"reason": " "}).status_code == 422
    shown = alices.post(url, {"reason": "lamp drifted"}, follow=True).content.decode()
    assert "lamp drifted" in shown
    assert "withdrawn" in shown
    alices.post(f"/calibrations/{row.pk}/restore/")
    row.refresh_from_db()
    assert row.withdrawn_at is None


def test_withdrawing_may_name_another_measurement(alices: Client, laboratory: Laboratory) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    better = laboratory.measure(7, day(1), sample=False)
    url = f"/calibrations/{row.pk}/withdraw/"
    refusal = alices.post(url, {"reason": "saturated", "measurement": "999999"})
    assert refusal.status_code == 422
    row.refresh_from_db()
    assert row.withdrawn_at is None
    alices.post(url, {"reason": "saturated", "measurement": str(better.pk)})
    assert Calibration.objects.in_force().get().measurement == better


def test_a_value_in_doubt_says_so_on_the_pages_of_its_measurement_and_its_sample(
    alices: Client, laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    pages = [f"/measurements/{run.measurement_id}/", f"/samples/{laboratory.sample.code}/"]
    for url in pages:
        assert "in doubt" not in alices.get(url).content.decode(), url
    services.withdraw_calibration(row, user=laboratory.alice, reason="lamp drifted")
    for url in pages:
        shown = alices.get(url).content.decode()
        assert "in doubt" in shown, url
        assert "The calibration “dark counts” of 1 May 2026 was withdrawn" in shown, url


def test_a_measurement_says_which_calibration_its_run_was_given(
    alices: Client, laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    shown = alices.get(f"/measurements/{run.measurement_id}/").content.decode()
    assert f'<a href="/measurements/{row.measurement_id}/">measurement {row.measurement_id}</a>' in shown
    assert "Serves as" in alices.get(f"/measurements/{row.measurement_id}/").content.decode()


def test_the_link_is_left_out_for_whom_the_calibration_is_under_an_embargo(
    laboratory: Laboratory, takes_dark: str
) -> None:
    dora = person("dora")
    Membership.objects.create(project=laboratory.project, user=dora, role=Role.CONTRIBUTOR)
    standard = laboratory.measure(4, day(1))
    services.add_calibration(
        user=laboratory.alice,
        instrument=laboratory.instrument,
        kind="dark",
        measurement=standard,
        valid_from=day(1),
    )
    run = laboratory.run(laboratory.measure(9, day(5), sample=False), takes_dark)
    laboratory.sample.embargoed_until = timezone.now().date() + timedelta(days=9)
    laboratory.sample.save()
    client = signed_in(dora)
    shown = client.get(f"/measurements/{run.measurement_id}/")
    assert shown.status_code == 200
    assert f"/measurements/{standard.pk}/" not in shown.content.decode()
    assert f"/measurements/{standard.pk}/" not in page(client, laboratory)


def test_managers_read_among_the_reanalyses_what_a_calibration_moved(
    alices: Client, laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    services.withdraw_calibration(row, user=laboratory.alice, reason="lamp drifted")
    (asked,) = services.recalibrate(laboratory.instrument)
    for url in ("/reanalysis/", f"/reanalysis/{asked.reanalysis_id}/"):
        assert "Calibrations of FLS-1 changed." in alices.get(url).content.decode(), url
