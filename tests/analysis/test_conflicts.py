"""Sources that disagree are both kept, shown as a conflict, and decided by a manager."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from rest_framework.test import APIClient

from analysis.models import Conflict, Publication, Value
from analysis.services import review
from analysis.services.conflicts import decide, find_all_conflicts, propose
from analysis.services.literature import as_doi, enter_published, find_or_add_publication
from samples.models import Membership, Project, Role, Sample, User
from tests.conftest import api, person


@pytest.fixture
def papers(db: None) -> list[Publication]:
    return [
        find_or_add_publication(key=key, title=f"Paper {key}", doi=f"10.1000/{key.lower()}")
        for key in ("Ma2021", "Li2023", "Wu2024")
    ]


@pytest.fixture
def carl(project: Project) -> User:
    user = person("carl")
    Membership.objects.create(project=project, user=user, role=Role.CONTRIBUTOR)
    return user


def enter(sample: Sample, user: User, paper: Publication, value: float | None, **more: Any) -> Value:
    asked: dict[str, Any] = {"property_key": "tg", "place": "Table 1", **more}
    return enter_published(user=user, sample=sample, publication=paper, value=value, **asked)


def test_two_sources_beyond_their_combined_sigma_are_proposed_as_one_conflict(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    first = enter(composite, alice, papers[0], 304, sigma=1.0)
    assert not Conflict.objects.exists()
    second = enter(composite, alice, papers[1], 290, sigma=1.0)
    conflict = Conflict.objects.get()
    assert conflict.category == "values"
    assert set(conflict.values.all()) == {first, second}
    assert set(conflict.publications.all()) == set(papers[:2])
    assert Value.objects.current().filter(pk__in=[first.pk, second.pk]).count() == 2


def test_sources_that_agree_are_no_conflict(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    enter(composite, alice, papers[0], 304, sigma=10.0)
    enter(composite, alice, papers[1], 298, sigma=2.0)
    enter(composite, alice, papers[2], 250, comparator=">")
    assert not Conflict.objects.exists()


def test_other_components_other_samples_and_measured_values_are_not_compared(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    other = Sample.objects.create(project=composite.project, code="VT-OTHER", state="glass")
    enter(composite, alice, papers[0], 304)
    enter(other, alice, papers[1], 290)
    enter(composite, alice, papers[1], 680, property_key="pl_peak_center", component="I")
    enter(composite, alice, papers[0], 720, property_key="pl_peak_center", component="II")
    Value.objects.create(
        sample=composite, property="tg", value=200, unit="°C", origin="entered", entered_by=alice, note="-"
    )
    assert find_all_conflicts() == []


def test_found_again_nothing_is_proposed_twice(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    enter(composite, alice, papers[0], 304)
    enter(composite, alice, papers[1], 290)
    (before,) = Conflict.objects.all()
    assert find_all_conflicts() == [before]
    assert find_all_conflicts(composite.project) == [before]
    assert Conflict.objects.get().values.count() == 2


def test_a_third_source_joins_an_open_conflict_and_opens_another_after_the_decision(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    enter(composite, alice, papers[0], 304)
    enter(composite, alice, papers[1], 290)
    enter(composite, alice, papers[2], 280)
    (conflict,) = Conflict.objects.all()
    assert conflict.values.count() == 3
    decide(conflict=conflict, user=alice, decision="Another batch.")
    enter(composite, alice, papers[2], 270, place="Figure 2")
    assert list(Conflict.objects.order_by("pk").values_list("code", flat=True)) == [
        "VT-GLASS:tg",
        "VT-GLASS:tg-2",
    ]


def test_a_conflict_that_a_person_wrote_about_the_same_values_is_enough(
    composite: Sample, alice: User, papers: list[Publication], project: Project
) -> None:
    values = [
        Value.objects.create(
            sample=composite,
            property="tg",
            value=tg,
            unit="°C",
            origin="published",
            publication=paper,
            place="p",
        )
        for tg, paper in zip((304, 290), papers, strict=False)
    ]
    written = propose(user=alice, project=project, title="Tg", category="contradiction", values=values)
    assert find_all_conflicts() == [written]
    assert Conflict.objects.count() == 1


def test_a_rejected_statement_is_not_compared(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    review(
        value=enter(composite, alice, papers[0], 304), verdict="rejected", reason="A misprint.", user=alice
    )
    enter(composite, alice, papers[1], 290)
    assert not Conflict.objects.exists()


def test_deciding_keeps_every_value_and_says_who_when_and_why(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    first, second = enter(composite, alice, papers[0], 304), enter(composite, alice, papers[1], 290)
    decided = decide(conflict=Conflict.objects.get(), user=alice, decision="Two batches.", value=second)
    assert (decided.decided_by, decided.decided_value, decided.decision) == (alice, second, "Two batches.")
    assert decided.decided_at is not None
    assert set(Value.objects.current().filter(property="tg")) == {first, second}


def test_a_decision_needs_words_and_a_value_of_the_conflict(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    enter(composite, alice, papers[0], 304)
    enter(composite, alice, papers[1], 290)
    stranger = enter(composite, alice, papers[1], 0.5, property_key="plqy")
    for words, value in ((" ", None), ("Yes.", stranger)):
        with pytest.raises(ValidationError):
            decide(conflict=Conflict.objects.get(), user=alice, decision=words, value=value)
    assert Conflict.objects.open().count() == 1


def test_contributors_propose_and_managers_decide(
    composite: Sample, project: Project, carl: User, bob: User, charlie: User
) -> None:
    conflict = propose(user=carl, project=project, title="Gas", category="contradiction")
    assert conflict.code == "X-1"
    with pytest.raises(PermissionDenied):
        decide(conflict=conflict, user=carl, decision="Argon.")
    for user in (bob, charlie):
        with pytest.raises(PermissionDenied):
            propose(user=user, project=project, title="Gas", category="contradiction")


def test_a_value_of_another_project_is_not_taken_into_a_conflict(
    composite: Sample, project: Project, alice: User, charlie: User
) -> None:
    sample = Sample.objects.create(project=charlie.projects.get(), code="VT-HIS", state="glass")
    his = Value.objects.create(
        sample=sample, property="tg", value=1, unit="°C", origin="entered", entered_by=charlie, note="-"
    )
    with pytest.raises(ValidationError):
        propose(user=alice, project=project, title="Tg", category="contradiction", values=[his])


def test_an_embargoed_value_hides_its_conflict(
    composite: Sample, alice: User, carl: User, papers: list[Publication]
) -> None:
    enter(composite, alice, papers[0], 304)
    enter(composite, alice, papers[1], 290)
    assert Conflict.objects.visible_to(carl).count() == 1
    Sample.objects.filter(pk=composite.pk).update(embargoed_until=timezone.now().date() + timedelta(days=9))
    assert Conflict.objects.visible_to(carl).count() == 0
    assert Conflict.objects.visible_to(alice).count() == 1
    assert api(carl).get("/api/v1/conflicts/").json()["results"] == []


@pytest.mark.parametrize(
    ("pasted", "doi"),
    [
        ("10.1126/science.abf4460", "10.1126/science.abf4460"),
        (" https://doi.org/10.1038/s41467-023-43247-6 ", "10.1038/s41467-023-43247-6"),
        ("doi:10.1000.10/a(b)c;d", "10.1000.10/a(b)c;d"),
        ("", ""),
    ],
)
def test_a_doi_is_taken_as_people_paste_it(pasted: str, doi: str) -> None:
    assert as_doi(pasted) == doi


@pytest.mark.parametrize(
    "pasted", ["science.abf4460", "10.12/x", "https://example.org/10.1126/x", "10.1126/a b"]
)
def test_what_has_not_the_form_of_a_doi_is_refused(pasted: str) -> None:
    with pytest.raises(ValidationError):
        as_doi(pasted)


def test_the_same_doi_is_the_same_publication(papers: list[Publication]) -> None:
    assert find_or_add_publication(doi="https://doi.org/10.1000/LI2023") == papers[1]
    assert find_or_add_publication(key="Li2023", doi="10.1000/li2023", title="Other words") == papers[1]
    assert Publication.objects.get(pk=papers[1].pk).title == "Paper Li2023"
    with pytest.raises(ValidationError):
        find_or_add_publication(key="Li2023", doi="10.1000/other", title="Another paper")


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": None},
        {"value": 5, "place": " "},
        {"value": 5, "upper": 4},
        {"value": 5, "upper": 6, "comparator": "<"},
        {"value": None, "text": "about right", "sigma": 1},
        {"value": 5, "unit": "K"},
        {"value": 5, "component": "III"},
        {"value": 5, "property_key": "nonsense"},
    ],
)
def test_a_statement_that_says_nothing_or_stands_nowhere_is_refused(
    composite: Sample, alice: User, papers: list[Publication], wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        enter(composite, alice, papers[0], **wrong)
    assert not Value.objects.exists()


def test_the_same_statement_is_not_entered_twice(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    enter(composite, alice, papers[0], 304)
    with pytest.raises(ValidationError, match="stands there already"):
        enter(composite, alice, papers[0], 304)


def test_a_limit_a_range_words_and_doubts_are_kept_as_they_were_said(
    composite: Sample, alice: User, papers: list[Publication]
) -> None:
    limit = enter(composite, alice, papers[0], 300, comparator=">", doubtful=True, inferred=True)
    words = enter(composite, alice, papers[1], None, text="not seen", property_key="dominant_phase")
    limit.refresh_from_db()
    assert (limit.comparator, limit.doubtful, limit.inferred, limit.extracted_by) == (">", True, True, alice)
    assert (words.value, words.text, words.origin) == (None, "not seen", "published")


def entry(**more: Any) -> dict[str, Any]:
    said = {"sample": "VT-GLASS", "property": "tg", "value": 304.0, "unit": "°C", "place": "Fig. 3"}
    paper = {"key": "Ma2021", "title": "Liquid-phase sintering", "doi": "10.1126/science.abf4460"}
    return {**said, "publication": paper, **more}


def test_a_published_value_comes_in_over_rest_with_its_publication(
    as_alice: APIClient, composite: Sample
) -> None:
    answer = as_alice.post("/api/v1/values/published/", entry(doubtful=True), format="json")
    assert answer.status_code == 201, answer.json()
    said = answer.json()
    assert (said["origin"], said["doi"], said["doubtful"]) == ("published", "10.1126/science.abf4460", True)
    listed = as_alice.get("/api/v1/publications/").json()["results"]
    assert [row["key"] for row in listed] == ["Ma2021"]
    bad = entry(publication={"key": "Xu", "title": "X", "doi": "nonsense"})
    refused = as_alice.post("/api/v1/values/published/", bad, format="json")
    assert refused.status_code == 400
    assert "nonsense" in str(refused.json())


def test_who_may_not_write_enters_nothing_and_sees_no_publications_of_others(
    composite: Sample, as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient
) -> None:
    assert as_bob.post("/api/v1/values/published/", entry(), format="json").status_code == 403
    assert as_charlie.post("/api/v1/values/published/", entry(), format="json").status_code == 404
    assert not Publication.objects.exists()
    as_alice.post("/api/v1/values/published/", entry(), format="json")
    assert as_charlie.get("/api/v1/publications/").json()["results"] == []


def test_a_conflict_is_found_read_and_decided_over_rest(
    as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient, composite: Sample
) -> None:
    as_alice.post("/api/v1/values/published/", entry(), format="json")
    other = {"key": "Li2023", "title": "Interfacial alloying"}
    second = as_alice.post("/api/v1/values/published/", entry(value=290, publication=other), format="json")
    (row,) = as_alice.get("/api/v1/conflicts/", {"state": "open", "category": "values"}).json()["results"]
    address = f"/api/v1/conflicts/{row['id']}/"
    assert [value["value"] for value in row["values"]] == [304, 290]
    said = {"decision": "Another batch.", "value": second.json()["id"]}
    assert as_bob.post(f"{address}decide/", said, format="json").status_code == 403
    assert as_charlie.post(f"{address}decide/", said, format="json").status_code == 404
    assert as_alice.post(f"{address}decide/", {"decision": ""}, format="json").status_code == 400
    assert as_alice.post(f"{address}decide/", said, format="json").status_code == 200
    after = as_bob.get(address).json()
    assert (after["decided_by"], after["decision"]) == ("alice", "Another batch.")
    assert as_alice.get("/api/v1/conflicts/", {"state": "open"}).json()["results"] == []


def test_a_conflict_is_proposed_over_rest(as_alice: APIClient, as_bob: APIClient, project: Project) -> None:
    said = {"project": "glass", "category": "typo", "title": "A cell volume", "detail": "888 for 886."}
    made = as_alice.post("/api/v1/conflicts/", said, format="json")
    assert made.status_code == 201, made.json()
    assert made.json()["code"] == "X-1"
    assert as_bob.post("/api/v1/conflicts/", said, format="json").status_code == 403
    twice = as_alice.post("/api/v1/conflicts/", {**said, "code": "X-1"}, format="json")
    assert twice.status_code == 400
