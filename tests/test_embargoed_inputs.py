"""A blank is named for a run; later its sample goes under an embargo. Dora contributes to the project."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from analysis.models import Calibration, Run, Value
from analysis.services import execute, request_run
from measurements.models import Measurement
from measurements.services import add_instrument
from samples.models import Membership, Project, Role, Sample, User
from tests.conftest import api, person
from tests.frontend.conftest import browser
from tests.frontend.test_run_inputs import sent


@pytest.fixture
def dora(project: Project) -> User:
    user = person("dora")
    Membership.objects.create(project=project, user=user, role=Role.CONTRIBUTOR)
    return user


@pytest.fixture
def blank(alice: User, project: Project) -> Measurement:
    sample = Sample.objects.create(project=project, code="VT-BLANK", state="glass", created_by=alice)
    return sent(alice, sample, "empty")


@pytest.fixture
def run(alice: User, composite: Sample, blank: Measurement) -> Run:
    row, _ = request_run(sent(alice, composite, "on_beam"), "plqy", {}, user=alice, inputs={"empty": blank})
    execute(row.pk)
    row.refresh_from_db()
    assert row.status == "done", row.message
    return row


def lay_an_embargo_on(measurement: Measurement) -> None:
    until = timezone.now().date() + timedelta(days=9)
    Sample.objects.filter(pk=measurement.sample_id).update(embargoed_until=until)


def told(user: User, run: Run) -> dict[str, bool]:
    """Where the run can be found."""
    client, pages = api(user), browser(user)
    of_measurement = f"/measurements/{run.measurement_id}/"
    traces = pages.get(f"/figures{of_measurement[:-1]}.json").json()["data"]
    return {
        "list": bool(client.get("/api/v1/runs/").json()["results"]),
        "address": client.get(f"/api/v1/runs/{run.pk}/").status_code == 200,
        "jobs": f"{of_measurement}?run={run.pk}" in pages.get("/jobs/").content.decode(),
        "figure": pages.get(f"/figures/runs/{run.pk}.json").status_code == 200,
        "curves": "spectrum of the empty sphere" in [trace["name"] for trace in traces],
        "page": f"?run={run.pk}" in pages.get(of_measurement).content.decode(),
        "comparison": pages.get(f"/runs/{run.pk}/compare/").status_code == 200,
    }


def test_an_embargo_hides_the_runs_that_were_given_what_is_under_it(
    run: Run, blank: Measurement, alice: User, dora: User
) -> None:
    assert all(told(dora, run).values()), told(dora, run)
    lay_an_embargo_on(blank)
    assert not any(told(dora, run).values()), told(dora, run)
    assert all(told(alice, run).values())


def test_the_value_of_the_open_sample_stays_and_its_page_leads_to_no_curves(
    run: Run, blank: Measurement, dora: User
) -> None:
    lay_an_embargo_on(blank)
    value = Value.objects.visible_to(dora).get(run=run, property="plqy")
    page = browser(dora).get(f"/values/{value.pk}/").content.decode()
    assert blank.datasets.get().blob.sha256 in page
    assert f"run={run.pk}" not in page
    assert "Reproduce" not in page
    assert "VT_PLQY_empty" not in page


def test_what_serves_everybody_as_a_calibration_hides_no_run(
    run: Run, blank: Measurement, project: Project, alice: User, dora: User
) -> None:
    instrument = add_instrument(project=project, name="FLS-1")
    calibration = Calibration.objects.create(
        project=project,
        instrument=instrument,
        kind="sphere",
        measurement=blank,
        valid_from=timezone.now(),
        made_by=alice,
    )
    run.inputs.filter(role="empty").update(calibration=calibration)
    lay_an_embargo_on(blank)
    assert Run.objects.visible_to(dora).filter(pk=run.pk).exists()
