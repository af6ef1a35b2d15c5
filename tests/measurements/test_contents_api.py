from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest
from rest_framework.test import APIClient

from measurements.models import Measurement
from measurements.readers import delimited_text
from measurements.services import Receipt, add_instrument, issue_token, load
from measurements.store import store
from samples.models import Project, Sample
from tests.measurements.conftest import TEXT

Given = Callable[..., Receipt]
Read = Callable[..., Measurement]


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_a_measurement_tells_what_was_read_and_what_was_computed(as_alice: APIClient, read: Read) -> None:
    measurement = read(technique="pl")
    body = as_alice.get(f"/api/v1/measurements/{measurement.pk}/").json()
    assert (body["status"], body["error"]) == ("read", "")
    (dataset,) = body["datasets"]
    assert dataset["shape"] == [251]
    assert dataset["axes"] == [{"name": "Wavelength", "unit": "nm", "size": 251}]
    assert dataset["signal"] == {"name": "Counts", "unit": "counts"}
    assert (dataset["reader"], dataset["reader_version"]) == ("delimited_text", delimited_text.VERSION)
    assert body["qc"] == []
    assert body["runs"] == list(measurement.runs.values_list("pk", flat=True))


def test_a_failed_measurement_says_why(as_alice: APIClient, read: Read) -> None:
    body = as_alice.get(f"/api/v1/measurements/{read(b'').pk}/").json()
    assert body["status"] == "failed"
    assert "the file is empty" in body["error"]
    assert body["datasets"] == []


def test_the_numbers_come_as_json(as_alice: APIClient, read: Read) -> None:
    row = read(b"Energy (eV)\tI\tsigma\n1\t2\t0.5\n2\tnan\t0.5\n").datasets.get()
    body = as_alice.get(f"/api/v1/datasets/{row.pk}/data/").json()
    assert body == {
        "axes": [{"name": "Energy", "unit": "eV", "values": [1.0, 2.0]}],
        "signal": {"name": "I", "unit": "", "values": [2.0, None]},
        "errors": {"name": "I", "unit": "", "values": [0.5, 0.5]},
        "acquired_at": None,
    }


def test_the_numbers_come_as_csv_to_the_last_digit(as_alice: APIClient, read: Read) -> None:
    row = read(b'"T ""in"" (K)";I\n0,1;1,2345678901234567\n0,2;3\n').datasets.get()
    response = as_alice.get(f"/api/v1/datasets/{row.pk}/data/?as=csv")
    assert response["Content-Type"].startswith("text/csv")
    titles, first, _ = csv.reader(io.StringIO(body_of(response).decode()))
    assert len(titles) == 2
    assert [float(cell) for cell in first] == [0.1, 1.2345678901234567]


def test_the_numbers_come_as_nexus(as_alice: APIClient, read: Read) -> None:
    row = read().datasets.get()
    response = as_alice.get(f"/api/v1/datasets/{row.pk}/data/?as=nexus")
    assert response["Content-Disposition"].startswith("attachment; ")
    with h5py.File(io.BytesIO(body_of(response))) as file:
        data = file[file.attrs["default"]]["data"]
        np.testing.assert_array_equal(data[data.attrs["axes"][0]][()], np.arange(550.0, 801.0))


def test_a_nexus_file_that_leaves_the_house_says_where_it_comes_from(as_alice: APIClient, read: Read) -> None:
    measurement = read(technique="pl", conditions={"temperature_k": 77, "mood": "good"})
    row, file = measurement.datasets.get(), measurement.files.get()
    response = as_alice.get(f"/api/v1/datasets/{row.pk}/data/?as=nexus")
    assert (
        f'filename="{measurement.sample.code}-pl-{measurement.pk}-0.nxs"' in response["Content-Disposition"]
    )
    with h5py.File(io.BytesIO(body_of(response))) as opened:
        entry = opened[opened.attrs["default"]]
        assert entry["sample/name"].asstr()[()] == measurement.sample.code
        assert entry["entry_identifier"].asstr()[()] == f"measurement {measurement.pk}, dataset 0"
        assert entry["program_name"].asstr()[()] == f"Vitrine, reader {row.reader} {row.reader_version}"
        assert entry["raw_files/file_1/sha256"].asstr()[()] == file.blob.sha256
        assert list(entry["stated"]) == ["temperature"]
        assert entry["stated/temperature"][()] == pytest.approx(-196.15)
        assert entry["stated/temperature"].attrs["units"] == "°C"
    assert load(row).signal.values.size == 251  # what is kept was not touched
    assert not list(store().incoming.iterdir())


def test_another_shape_of_answer_is_refused_in_words(as_alice: APIClient, read: Read) -> None:
    row = read().datasets.get()
    answer = as_alice.get(f"/api/v1/datasets/{row.pk}/data/?as=xlsx")
    assert answer.status_code == 400
    assert "choose json, csv, jcamp or nexus" in answer.json()["error"]["message"]


def test_more_numbers_than_text_can_carry_are_had_as_nexus(
    as_alice: APIClient, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("measurements.api.contents.MOST_AS_TEXT", 250)
    url = f"/api/v1/datasets/{read().datasets.get().pk}/data/"
    for kind in ("json", "csv"):
        answer = as_alice.get(f"{url}?as={kind}")
        assert answer.status_code == 400
        assert "ask for nexus" in answer.json()["error"]["message"]
    assert as_alice.get(f"{url}?as=nexus").status_code == 200


def test_the_original_bytes_come_back_as_an_attachment(as_alice: APIClient, given: Given) -> None:
    file = given(name="Grüße.txt").measurement.files.get()
    response = as_alice.get(f"/api/v1/files/{file.pk}/content/")
    assert body_of(response) == TEXT
    assert response["ETag"] == f'"{hashlib.sha256(TEXT).hexdigest()}"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Length"] == str(len(TEXT))
    assert (
        response["Content-Disposition"]
        == "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"
    )


def test_a_copy_that_is_still_right_is_not_sent_again(as_alice: APIClient, given: Given) -> None:
    url = f"/api/v1/files/{given().measurement.files.get().pk}/content/"
    etag = as_alice.get(url)["ETag"]
    again = as_alice.get(url, HTTP_IF_NONE_MATCH=etag)
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_that_is_gone_from_the_disk_is_said(as_alice: APIClient, given: Given) -> None:
    file = given().measurement.files.get()
    store().path(file.blob.sha256).unlink()
    answer = as_alice.get(f"/api/v1/files/{file.pk}/content/")
    assert answer.status_code == 503
    assert "how to restore it from a backup" in answer.json()["error"]["message"]


@pytest.mark.parametrize("viewer", ["as_charlie", "as_nobody"])
def test_a_stranger_gets_404_for_everything_of_another_project(
    request: pytest.FixtureRequest, read: Read, project: Project, composite: Sample, viewer: str
) -> None:
    measurement = read(technique="pl")
    instrument = add_instrument(project=project, name="FLS 1000")
    client = APIClient() if viewer == "as_nobody" else request.getfixturevalue(viewer)
    refusal = 401 if viewer == "as_nobody" else 404
    addresses = [
        f"measurements/{measurement.pk}/",
        f"datasets/{measurement.datasets.get().pk}/data/",
        f"datasets/{measurement.datasets.get().pk}/data/?as=nexus",
        f"datasets/{measurement.datasets.get().pk}/data/?as=csv",
        f"files/{measurement.files.get().pk}/content/",
        f"instruments/{instrument.pk}/",
        f"instruments/{instrument.pk}/tokens/",
    ]
    for address in addresses:
        assert client.get(f"/api/v1/{address}").status_code == refusal, address
    change = {"sample": composite.code}
    assert (
        client.patch(f"/api/v1/measurements/{measurement.pk}/", change, format="json").status_code == refusal
    )
    assert client.post(f"/api/v1/measurements/{measurement.pk}/assign/", change).status_code == refusal
    if viewer == "as_charlie":
        for address in ("measurements/", "instruments/", "measurements/?sample=VT-GLASS&project=glass"):
            assert client.get(f"/api/v1/{address}").json()["results"] == []


def test_a_viewer_reads_everything_of_the_project(as_bob: APIClient, read: Read) -> None:
    measurement = read()
    for address in (
        f"measurements/{measurement.pk}/",
        f"datasets/{measurement.datasets.get().pk}/data/",
        f"files/{measurement.files.get().pk}/content/",
    ):
        assert as_bob.get(f"/api/v1/{address}").status_code == 200


def test_a_manager_adds_an_instrument_and_its_token_and_revokes_it(
    as_alice: APIClient, project: Project
) -> None:
    made = as_alice.post(
        "/api/v1/instruments/", {"name": "FLS 1000", "project": "glass", "model": "Edinburgh"}
    )
    assert made.status_code == 201, made.content
    tokens = f"/api/v1/instruments/{made.json()['id']}/tokens/"
    token = as_alice.post(tokens, {"days": 30}).json()
    (listed,) = as_alice.get(tokens).json()
    assert "token" not in listed
    assert token["token"].startswith(listed["key"])
    instrument = APIClient(HTTP_AUTHORIZATION=f"Token {token['token']}")
    assert instrument.get("/api/v1/measurements/").status_code == 200
    assert as_alice.delete(f"{tokens}{listed['key']}/").status_code == 204
    assert instrument.get("/api/v1/measurements/").status_code == 401
    assert as_alice.delete(f"{tokens}{listed['key']}/").status_code == 404


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        ({"name": "FLS 1000", "project": "glass"}, 400, "already an instrument"),
        ({"name": "New", "project": "charlie"}, 400, "There is no project"),
        ({"name": "New", "project": "missing"}, 400, "There is no project"),
    ],
)
def test_an_instrument_that_cannot_be_is_refused_in_words(
    as_alice: APIClient, project: Project, charlie: Any, form: dict[str, str], status: int, sentence: str
) -> None:
    add_instrument(project=project, name="FLS 1000")
    answer = as_alice.post("/api/v1/instruments/", form)
    assert (answer.status_code, sentence in answer.content.decode()) == (status, True)


def test_a_viewer_cannot_make_instruments_or_tokens(as_bob: APIClient, project: Project) -> None:
    instrument = add_instrument(project=project, name="FLS 1000")
    tokens = f"/api/v1/instruments/{instrument.pk}/tokens/"
    assert as_bob.post("/api/v1/instruments/", {"name": "New", "project": "glass"}).status_code == 403
    assert as_bob.get(tokens).status_code == 403
    assert as_bob.post(tokens).status_code == 403


def test_an_instrument_cannot_make_itself_a_token(project: Project) -> None:
    instrument = add_instrument(project=project, name="FLS 1000")
    client = APIClient(HTTP_AUTHORIZATION=f"Token {issue_token(instrument.account)[1]}")
    assert client.post(f"/api/v1/instruments/{instrument.pk}/tokens/").status_code == 403


def test_a_token_with_an_odd_lifetime_is_refused(as_alice: APIClient, project: Project) -> None:
    instrument = add_instrument(project=project, name="FLS 1000")
    answer = as_alice.post(f"/api/v1/instruments/{instrument.pk}/tokens/", {"days": 0})
    assert answer.status_code == 400
    assert "between 1 and 3650 days" in answer.json()["error"]["message"]
