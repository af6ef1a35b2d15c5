"""Inbox, rules, moves and batches over REST."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from measurements.models import Batch, InboxRule, Measurement
from measurements.services import Receipt
from samples.models import Project, Sample, User
from tests.measurements.conftest import TEXT

Given = Callable[..., Receipt]
TABLE = b"sample,technique,file\nVT-GLASS,pl,a.txt\nVT-NONE-1,pl,b.txt\nVT-GLASS,pl,late.txt\n"


@pytest.fixture
def other(composite: Sample) -> Sample:
    return Sample.objects.create(project=composite.project, code="VT-7K3M2A", state="composite")


def file(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


# --- moving ---------------------------------------------------------------------------------------------


def test_a_measurement_is_moved_with_a_reason_and_tells_of_it(
    as_alice: APIClient, given: Given, other: Sample
) -> None:
    url = f"/api/v1/measurements/{given().measurement.pk}/"
    answer = as_alice.post(f"{url}move/", {"sample": other.code, "reason": "Swapped."}, format="json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["sample"] == other.code
    (told,) = as_alice.get(f"{url}decisions/").json()
    assert (told["kind"], told["from_sample"], told["to_sample"]) == ("moved", "VT-GLASS", "VT-7K3M2A")
    assert (told["by"], told["reason"], told["rule"]) == ("alice", "Swapped.", None)


def test_null_moves_it_back_into_the_inbox(as_alice: APIClient, given: Given) -> None:
    url = f"/api/v1/measurements/{given().measurement.pk}/move/"
    answer = as_alice.post(url, {"sample": None, "reason": "Not ours after all."}, format="json")
    assert answer.json()["sample"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sample": "VT-7K3M2A"}, "reason"),
        ({"sample": "VT-7K3M2A", "reason": " "}, "reason"),
        ({"sample": "NOT-THERE", "reason": "Swapped."}, "sample"),
        ({"reason": "Swapped."}, "sample"),
        ({"sample": "VT-GLASS", "reason": "Swapped."}, "sample"),
    ],
)
def test_a_move_that_cannot_be_is_refused_at_its_field(
    as_alice: APIClient, given: Given, other: Sample, body: dict[str, Any], field: str
) -> None:
    url = f"/api/v1/measurements/{given().measurement.pk}/move/"
    answer = as_alice.post(url, body, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_a_viewer_may_do_none_of_it_and_a_stranger_sees_none_of_it(
    as_bob: APIClient, as_charlie: APIClient, given: Given, other: Sample
) -> None:
    url = f"/api/v1/measurements/{given().measurement.pk}"
    for act in ("move", "void", "restore", "reread", "keep"):
        body = {"sample": other.code, "reason": "Because."}
        assert as_bob.post(f"{url}/{act}/", body, format="json").status_code == 403
        assert as_charlie.post(f"{url}/{act}/", body, format="json").status_code == 404


def test_void_and_back_over_rest(as_alice: APIClient, given: Given) -> None:
    url = f"/api/v1/measurements/{given().measurement.pk}"
    assert as_alice.post(f"{url}/void/", {}, format="json").status_code == 400
    assert as_alice.post(f"{url}/void/", {"reason": "Wrong."}, format="json").json()["status"] == "void"
    assert as_alice.post(f"{url}/void/", {"reason": "Wrong."}, format="json").status_code == 400
    answer = as_alice.post(f"{url}/restore/", {"reason": "Right."}, format="json")
    assert answer.json()["status"] == "received"


# --- inbox ----------------------------------------------------------------------------------------------


def test_the_inbox_says_why_each_waits_and_what_it_may_be(
    as_alice: APIClient, given: Given, other: Sample
) -> None:
    given(sample_code=None, name="VT-7K3M2A_PL.txt", technique="pl")
    given(TEXT + b"900\t1\n", sample_code="VT-7K3N2A", name="x.txt", technique="pl")
    second, first = as_alice.get("/api/v1/inbox/").json()["results"]
    assert first["suggestion"] == {"code": "VT-7K3M2A", "found": "found in the file name", "exact": True}
    assert [reason["key"] for reason in first["reasons"]] == ["sample"]
    assert (second["suggestion"]["code"], second["suggestion"]["exact"]) == ("VT-7K3M2A", False)
    assert "VT-7K3N2A" in second["reasons"][0]["sentence"]


def test_the_inbox_is_narrowed_by_reason_and_instrument(as_alice: APIClient, given: Given) -> None:
    given(sample_code=None)

    def count(query: str) -> int:
        return len(as_alice.get(f"/api/v1/inbox/?{query}").json()["results"])

    assert (count("reason=sample"), count("reason=conflict"), count("instrument=FLS-1")) == (1, 0, 0)
    assert as_alice.get("/api/v1/inbox/?reason=boredom").status_code == 400


def test_many_are_assigned_at_once_each_to_its_suggestion(
    as_alice: APIClient, given: Given, other: Sample
) -> None:
    named = given(sample_code=None, name="VT-7K3M2A_PL.txt").measurement
    unclear = given(TEXT + b"900\t1\n", sample_code=None, name="x.txt").measurement
    answer = as_alice.post(
        "/api/v1/inbox/assign/", {"measurements": [named.pk, unclear.pk, 999_999]}, format="json"
    ).json()
    assert answer["assigned"] == [named.pk]
    assert [row["id"] for row in answer["refused"]] == [unclear.pk, 999_999]
    assert "say which it is" in answer["refused"][0]["message"]
    named.refresh_from_db()
    assert named.sample == other


def test_a_suggestion_that_only_resembles_is_never_taken_by_itself(
    as_alice: APIClient, given: Given, other: Sample
) -> None:
    row = given(sample_code="VT-7K3N2A").measurement
    answer = as_alice.post("/api/v1/inbox/assign/", {"measurements": [row.pk]}, format="json").json()
    assert answer["assigned"] == []


def test_a_stranger_assigns_nothing_of_ours(as_charlie: APIClient, given: Given, charlies: Sample) -> None:
    row = given(sample_code=None).measurement
    answer = as_charlie.post(
        "/api/v1/inbox/assign/", {"measurements": [row.pk], "sample": charlies.code}, format="json"
    ).json()
    assert answer["assigned"] == []
    assert Measurement.objects.get().sample is None


# --- rules ----------------------------------------------------------------------------------------------


def test_a_rule_is_tried_made_applied_and_disabled(
    as_alice: APIClient, given: Given, other: Sample, project: Project
) -> None:
    row = given(sample_code=None, name="VT-7K3M2A_PL.txt").measurement
    rule = {"project": "glass", "pattern": "{sample}_*.txt"}
    (tried,) = as_alice.post("/api/v1/inbox-rules/try/", rule, format="json").json()
    assert (tried["measurement"], tried["sample"]) == (row.pk, other.code)
    assert not InboxRule.objects.exists()
    made = as_alice.post("/api/v1/inbox-rules/", rule, format="json")
    assert made.status_code == 201, made.content
    applied = as_alice.post("/api/v1/inbox-rules/apply/", {"project": "glass"}, format="json")
    assert applied.json() == {"assigned": 1}
    assert as_alice.get(f"/api/v1/measurements/{row.pk}/decisions/").json()[0]["rule"] == "{sample}_*.txt"
    changed = as_alice.patch(f"/api/v1/inbox-rules/{made.json()['id']}/", {"enabled": False}, format="json")
    assert changed.json()["enabled"] is False


def test_a_rule_that_cannot_work_is_refused_with_a_sentence(as_alice: APIClient, project: Project) -> None:
    for url in ("/api/v1/inbox-rules/", "/api/v1/inbox-rules/try/"):
        answer = as_alice.post(url, {"project": "glass", "pattern": "(a+)+$"}, format="json")
        assert answer.status_code == 400
        assert "{sample}" in answer.json()["error"]["message"]


def test_who_is_no_manager_reads_rules_and_changes_none(
    as_bob: APIClient, as_alice: APIClient, project: Project, bob: User
) -> None:
    made = as_alice.post(
        "/api/v1/inbox-rules/", {"project": "glass", "pattern": "{sample}_*.txt"}, format="json"
    ).json()
    assert as_bob.get("/api/v1/inbox-rules/").json()["results"][0]["pattern"] == "{sample}_*.txt"
    assert as_bob.patch(f"/api/v1/inbox-rules/{made['id']}/", {}, format="json").status_code == 403
    body = {"project": "glass", "pattern": "{sample}*"}
    assert as_bob.post("/api/v1/inbox-rules/", body, format="json").status_code == 403
    assert as_bob.post("/api/v1/inbox-rules/apply/", body, format="json").status_code == 403


# --- batches --------------------------------------------------------------------------------------------


def begun(client: APIClient, table: bytes = TABLE, query: str = "", **more: Any) -> Any:
    form = {"project": "glass", "manifest": file("plan.csv", table), **more}
    return client.post(f"/api/v1/batches/{query}", form, format="multipart")


def rows(answer: Any) -> list[str]:
    return [row["state"] for row in answer.json()["rows"]]


def test_a_dry_run_tells_of_every_row_and_keeps_nothing(as_alice: APIClient, composite: Sample) -> None:
    answer = begun(as_alice, query="?dry_run=true", filename=["a.txt", "b.txt"])
    assert answer.status_code == 200, answer.content
    assert answer.json()["id"] is None
    assert rows(answer) == ["ok", "error", "missing"]
    assert answer.json()["counts"]["error"] == 1
    assert not Batch.objects.exists()


def test_a_dry_run_looks_into_an_archive(as_alice: APIClient, composite: Sample) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("manifest.csv", TABLE)
        archive.writestr("a.txt", TEXT)
        archive.writestr("late.txt", TEXT + b"900\t1\n")
    answer = begun(as_alice, out.getvalue(), "?dry_run=true")
    assert rows(answer) == ["ok", "error", "ok"]


def test_a_batch_from_manifest_to_measurements(as_alice: APIClient, composite: Sample) -> None:
    answer = begun(as_alice)
    assert answer.status_code == 201, answer.content
    assert rows(answer) == ["missing", "error", "missing"]
    url = f"/api/v1/batches/{answer.json()['id']}/"
    sent = as_alice.post(
        f"{url}files/", {"file": [file("a.txt", TEXT), file("b.txt", TEXT + b"900\t1\n")]}, format="multipart"
    )
    assert sent.status_code == 201, sent.content
    assert rows(sent) == ["ok", "error", "missing"]
    assert len(sent.json()["rows"][0]["sha256"]) == 64
    done = as_alice.post(f"{url}commit/")
    assert done.status_code == 200
    assert rows(done) == ["done", "inbox", "missing"]
    assert done.json()["status"] == "open"
    as_alice.post(f"{url}files/", {"file": [file("late.txt", TEXT + b"901\t1\n")]}, format="multipart")
    assert rows(as_alice.post(f"{url}commit/")) == ["done", "inbox", "done"]
    assert as_alice.get(url).json()["status"] == "done"
    assert Measurement.objects.filter(sample=composite).count() == 2
    assert Measurement.objects.without_sample().count() == 1


def test_many_rows_answer_202_and_go_to_the_worker(as_alice: APIClient, composite: Sample) -> None:
    table = b"sample,technique,file\n" + b"".join(b"VT-GLASS,pl,%d.txt\n" % n for n in range(9))
    url = f"/api/v1/batches/{begun(as_alice, table).json()['id']}/"
    sent = {"file": [file(f"{n}.txt", TEXT + b"%d\t1\n" % (900 + n)) for n in range(9)]}
    as_alice.post(f"{url}files/", sent, format="multipart")
    answer = as_alice.post(f"{url}commit/")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


def test_a_table_that_is_none_is_refused_with_a_sentence(as_alice: APIClient, composite: Sample) -> None:
    answer = begun(as_alice, b"nothing,of,ours\n")
    assert answer.status_code == 400
    assert "“sample” and “file”" in answer.json()["error"]["fields"]["manifest"]


def test_a_batch_is_nobody_elses(
    as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient, composite: Sample
) -> None:
    url = f"/api/v1/batches/{begun(as_alice).json()['id']}/"
    for client in (as_bob, as_charlie):
        assert client.get(url).status_code == 404
        assert client.post(f"{url}commit/").status_code == 404
        assert client.post(f"{url}files/", {"file": file("a", b"")}, format="multipart").status_code == 404
    assert begun(as_bob).status_code == 403
    assert begun(as_charlie).status_code == 400


def test_the_template_is_a_manifest_that_we_understand(as_alice: APIClient, composite: Sample) -> None:
    content = as_alice.get("/api/v1/batches/template/").content
    told = begun(as_alice, content, "?dry_run=true").json()
    assert len(told["rows"]) == 2
    assert told["remarks"] == ["Kept as conditions: temperature_c."]
    assert all("is no" not in sentence for row in told["rows"] for sentence in row["sentences"])
