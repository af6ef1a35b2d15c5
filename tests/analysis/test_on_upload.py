"""What an upload is asked by itself, and what waits for a person."""

from __future__ import annotations

from rest_framework.test import APIClient

from analysis import methods, services
from samples.models import User
from tests.analysis.conftest import Measured


def test_an_upload_is_not_asked_for_what_ordinary_data_refuse(measured: Measured) -> None:
    measurement = measured()
    asked = {run.method for run in services.request_runs(measurement)}
    assert "pl_descriptors" in asked
    assert "pl_tail" not in asked
    run, created = services.request_run(measurement, "pl_tail")
    assert created
    assert run.status == "queued"


def test_the_api_tells_which_methods_wait_for_a_person(alice: User) -> None:
    client = APIClient()
    client.force_authenticate(alice)
    told = {entry["key"]: entry["on_upload"] for entry in client.get("/api/v1/methods/").json()}
    assert set(told) == set(methods.registry())
    assert told["pl_descriptors"]
    assert not told["pl_tail"]
    assert not told["urbach_absorbance"]
