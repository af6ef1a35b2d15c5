"""Samples over REST: what outsiders rely on, and who sees what."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from samples.models import Sample, User


def test_basic_credentials_give_a_token_that_opens_the_api(alice: User, composite: Sample) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Basic YWxpY2U6YSBsb25nIGVub3VnaCBwYXNzd29yZA==")
    answer = client.post("/api/v1/auth/login/")
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"token", "expiry"}
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert client.get("/api/v1/samples/").json()["results"][0]["code"] == "VT-GLASS"


def test_the_token_is_stored_hashed(alice: User) -> None:
    from knox.models import get_token_model

    row, token = get_token_model().objects.create(alice)
    assert token not in (row.digest, row.token_key)


def test_a_stranger_is_asked_for_credentials() -> None:
    assert APIClient().get("/api/v1/samples/").status_code == 401


def test_a_sample_carries_its_factors(as_bob: APIClient, composite: Sample) -> None:
    body = as_bob.get("/api/v1/samples/VT-GLASS/").json()
    assert body["notation"] == "(CsPbI3)0.25(agZIF-62)0.75"
    assert body["project"] == "glass"
    assert body["factors"]["sintering_temperature_c"] == 275
    assert body["factors"]["quench_rate_c_per_min"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=CsPbI3+0.25", 1),
        ("search=CsPbBr3", 0),
        ("code=VT-GLASS", 1),
        ("project=glass", 1),
        ("project=charlie", 0),
        ("loading_mass_fraction=0.25", 1),
        ("sintering_temperature_c__gte=276", 0),
        ("sintering_temperature_c__gte=275&sintering_temperature_c__lte=275", 1),
        ("quench_medium=liquid_nitrogen", 1),
        ("quench_medium=air", 0),
    ],
)
def test_samples_are_found_by_words_and_by_processing(
    as_alice: APIClient, composite: Sample, query: str, found: int
) -> None:
    answer = as_alice.get(f"/api/v1/samples/?{query}")
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"next", "previous", "results"}
    assert len(answer.json()["results"]) == found


def test_a_nonsense_filter_is_answered_with_a_sentence(as_alice: APIClient) -> None:
    answer = as_alice.get("/api/v1/samples/?sintering_temperature_c__gte=hot")
    assert answer.status_code == 400
    assert "sintering_temperature_c__gte" in answer.json()["error"]["fields"]


def test_charlie_cannot_see_alices_sample_or_project(as_charlie: APIClient, composite: Sample) -> None:
    assert as_charlie.get("/api/v1/samples/VT-GLASS/").status_code == 404
    assert as_charlie.get("/api/v1/projects/glass/").status_code == 404
    assert as_charlie.get("/api/v1/samples/").json()["results"] == []
    assert [p["slug"] for p in as_charlie.get("/api/v1/projects/").json()["results"]] == ["charlie"]


def test_a_site_administrator_has_no_key_to_projects(composite: Sample) -> None:
    root = User.objects.create_superuser("root", "root@example.org", "a long enough password")
    client = APIClient()
    client.force_authenticate(root)
    assert client.get("/api/v1/samples/VT-GLASS/").status_code == 404


def test_a_project_says_which_role_one_has(as_bob: APIClient, composite: Sample) -> None:
    assert as_bob.get("/api/v1/projects/glass/").json()["role"] == "viewer"
