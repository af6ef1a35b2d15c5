"""The form that asks for a run: which files fill which role, and what else could."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from analysis.models import Run
from analysis.services import execute
from frontend.demo.files import sphere_files
from measurements.models import Measurement
from measurements.services import Incoming, read_measurement, receive
from samples.models import Project, Sample, User

FILES = sphere_files("VT", 0.05, 275.0)


def sent(user: User, sample: Sample, *roles: str, as_role: bool = True) -> Measurement:
    """Files of a sphere that were uploaded together and read."""
    files = [Incoming(FILES[role][0], BytesIO(FILES[role][1]), role if as_role else "") for role in roles]
    row = receive(user=user, files=files, sample_code=sample.code, technique="plqy").measurement
    read_measurement(row)
    row.refresh_from_db()
    assert row.status == "read", row.error
    return row


def page(browser: Client, row: Measurement) -> str:
    return browser.get(f"/measurements/{row.pk}/").content.decode()


def test_the_form_says_which_file_fills_which_role(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    html = page(alices_browser, sent(alice, composite, "on_beam", "empty"))
    assert html.count("its own file") == 2
    assert '<bdi class="wrap">VT_PLQY_on_beam_simulated.csv</bdi>' in html
    assert '<bdi class="wrap">VT_PLQY_empty_simulated.csv</bdi>' in html
    assert 'name="input-off_beam"' in html


def test_another_measurement_of_the_project_is_named_for_a_role_and_the_run_reads_it(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row, empty = sent(alice, composite, "on_beam"), sent(alice, composite, "empty")
    assert not Run.objects.filter(measurement=row, method="plqy").exists()
    html = page(alices_browser, row)
    assert "PLQY: integrating sphere needs empty" in html
    assert "is installed yet" not in html
    assert "<h2>Run</h2>" in html  # not again: nothing has run
    assert f'<option value="{empty.pk}">{composite.code} · {FILES["empty"][0]} · ' in html
    alices_browser.post(f"/measurements/{row.pk}/runs/", {"method": "plqy", "input-empty": str(empty.pk)})
    run = Run.objects.get(measurement=row, method="plqy")
    given = dict(run.inputs.values_list("role", "dataset__measurement"))
    assert given == {"on_beam": row.pk, "empty": empty.pk}


def test_what_was_named_last_is_chosen_again(alices_browser: Client, alice: User, composite: Sample) -> None:
    row, empty = sent(alice, composite, "on_beam"), sent(alice, composite, "empty")
    url = f"/measurements/{row.pk}/runs/"
    alices_browser.post(url, {"method": "plqy", "input-empty": str(empty.pk)})
    execute(Run.objects.get(measurement=row, method="plqy").pk)
    assert f'<option value="{empty.pk}" selected>' in page(alices_browser, row)


def test_a_wrong_parameter_brings_the_form_back_with_its_inputs(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row, empty = sent(alice, composite, "on_beam"), sent(alice, composite, "empty")
    answer = alices_browser.post(
        f"/measurements/{row.pk}/runs/",
        {"method": "plqy", "input-empty": str(empty.pk), "filter_factor": "none"},
    )
    assert answer.status_code == 422
    assert f'<option value="{empty.pk}" selected>' in answer.content.decode()


def test_a_measurement_that_one_may_not_use_is_refused_with_a_sentence(
    alices_browser: Client, alice: User, charlie: User, composite: Sample
) -> None:
    row = sent(alice, composite, "on_beam")
    theirs = Measurement.objects.create(
        project=charlie.memberships.get().project, technique="plqy", status="read", content_key="0" * 64
    )
    for named in (str(theirs.pk), "12345678", "x"):
        answer = alices_browser.post(
            f"/measurements/{row.pk}/runs/", {"method": "plqy", "input-empty": named}, follow=True
        )
        assert "does not exist among yours" in answer.content.decode(), quote(named)
    assert not Run.objects.filter(method="plqy").exists()
    assert f'value="{theirs.pk}"' not in page(alices_browser, row)


def test_a_failed_run_is_tried_again_with_what_was_named_for_it(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row, off_beam = sent(alice, composite, "on_beam", "empty"), sent(alice, composite, "off_beam")
    asked = {"method": "plqy", "input-off_beam": str(off_beam.pk)}
    alices_browser.post(f"/measurements/{row.pk}/runs/", asked)
    failed = Run.objects.get(measurement=row, inputs__role="off_beam")
    Run.objects.filter(pk=failed.pk).update(status="failed", message="It died.", finished_at=timezone.now())
    alices_browser.post("/jobs/retry/", {"what": "run", "run": str(failed.pk)})
    failed.refresh_from_db()
    assert failed.status == "queued"


def test_what_was_named_stays_chosen_where_it_is_no_candidate_and_hidden_says_so(
    alices_browser: Client, alice: User, bob: User, composite: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontend.runs.roles.MOST_CANDIDATES", 1)
    row, empty = sent(alice, composite, "on_beam"), sent(alice, composite, "empty")
    alices_browser.post(f"/measurements/{row.pk}/runs/", {"method": "plqy", "input-empty": str(empty.pk)})
    execute(Run.objects.get(measurement=row, method="plqy").pk)
    sent(alice, composite, "off_beam")  # newer, and the only candidate
    assert f'<option value="{empty.pk}" selected>{composite.code} · ' in page(alices_browser, row)
    elsewhere = Sample.objects.create(
        project=Project.objects.create(name="Elsewhere", slug="elsewhere"), code="EL-1", state="powder"
    )
    Measurement.objects.filter(pk=empty.pk).update(sample=elsewhere, project=elsewhere.project)
    hidden = page(alices_browser, row)
    assert f'<option value="{empty.pk}" selected>measurement no. {empty.pk} (not yours to read)' in hidden
    assert "EL-1" not in hidden


def embargoed(sample: Sample, maker: User) -> Sample:
    """Another sample of the project, which only its maker sees."""
    until = timezone.now().date() + timedelta(days=9)
    return Sample.objects.create(
        project=sample.project, code="SECRET-1", state="powder", created_by=maker, embargoed_until=until
    )


def test_an_embargoed_measurement_is_no_input_of_another_sample(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    """The run keeps the raw curve, and everybody in the project reads the run."""
    secret = embargoed(composite, alice)
    row, hidden = sent(alice, composite, "on_beam"), sent(alice, secret, "empty")
    assert f'value="{hidden.pk}"' not in page(alices_browser, row)
    asked = {"method": "plqy", "input-empty": str(hidden.pk)}
    answer = alices_browser.post(f"/measurements/{row.pk}/runs/", asked, follow=True)
    assert "does not exist among yours" in answer.content.decode()
    body = {"method": "plqy", "measurements": [row.pk], "inputs": {"empty": hidden.pk}}
    api = APIClient()
    api.force_authenticate(alice)
    assert api.post("/api/v1/runs/", body, format="json").status_code == 404
    assert not Run.objects.filter(measurement=row, method="plqy").exists()


def test_an_embargoed_measurement_is_an_input_of_its_own_sample(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    secret = embargoed(composite, alice)
    row, empty = sent(alice, secret, "on_beam"), sent(alice, secret, "empty")
    assert f'<option value="{empty.pk}">' in page(alices_browser, row)
    body = {"method": "plqy", "measurements": [row.pk], "inputs": {"empty": empty.pk}}
    api = APIClient()
    api.force_authenticate(alice)
    assert api.post("/api/v1/runs/", body, format="json").status_code == 202


def test_candidates_cost_one_query_however_many(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            page(alices_browser, row)
        return len(found)

    row = sent(alice, composite, "on_beam")
    sent(alice, composite, "empty")
    few = asked()
    sent(alice, composite, "off_beam")
    sent(alice, composite, "off_beam", "empty")
    assert asked() == few


@pytest.mark.parametrize("technique", ["pl", "trpl"])
def test_only_techniques_that_fit_are_offered(
    alices_browser: Client, alice: User, composite: Sample, technique: str
) -> None:
    row = sent(alice, composite, "on_beam")
    other = Measurement.objects.create(
        project=composite.project, sample=composite, technique=technique, status="read", content_key="0" * 64
    )
    assert (f'<option value="{other.pk}">' in page(alices_browser, row)) == (technique == "pl")
