"""The page of a value, published values entered by people, and the pages of conflicts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis import services
from analysis.models import Conflict, Publication, Run, Value
from analysis.services.literature import enter_published, find_or_add_publication
from samples.models import Membership, Project, Role, Sample, User
from tests.analysis.conftest import Measured, measured
from tests.conftest import person

__all__ = ["measured"]  # the fixture of the analysis tests


@pytest.fixture
def fitted(measured: Measured) -> Run:
    run, _ = services.request_run(measured(), "pl_gaussians")
    services.execute(run.pk)
    run.refresh_from_db()
    return run


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def peak(run: Run) -> Value:
    return run.values.get(property="pl_peak_center", component="I")


def statement(sample: Sample, user: User, key: str, value: float, **more: Any) -> Value:
    paper = find_or_add_publication(key=key, title=f"The paper {key}", doi=f"10.1000/{key.lower()}")
    return enter_published(
        user=user, sample=sample, publication=paper, property_key="tg", place="Fig. 1", value=value, **more
    )


@pytest.fixture
def conflict(composite: Sample, alice: User) -> Conflict:
    statement(composite, alice, "Ma2021", 304)
    statement(composite, alice, "Li2023", 290)
    return Conflict.objects.get()


def test_a_value_s_page_leads_from_the_file_to_the_number(fitted: Run, alice: User) -> None:
    value, file = peak(fitted), fitted.measurement.files.get()
    shown = page(signed_in(alice), "value", value.pk)
    for told in (
        file.filename,
        file.blob.sha256,
        fitted.inputs.get().dataset.blob.sha256,
        f"version {fitted.method_version}",
        fitted.identity,
        f"numpy {fitted.libraries['numpy']}",
        repr(value.value),
        f"?run={fitted.pk}",
        reverse("rawfile-content", args=[file.pk]),
    ):
        assert str(told) in shown, told


def test_every_value_of_sample_and_measurement_leads_to_its_page(
    fitted: Run, composite: Sample, alice: User
) -> None:
    statement(composite, alice, "Ma2021", 304)
    client = signed_in(alice)
    on_sample = page(client, "sample", composite.code)
    on_measurement = page(client, "measurement", fitted.measurement_id)
    on_record = page(client, "value-record", composite.code)
    for value in fitted.values.filter(current=True):
        address = reverse("value", args=[value.pk])
        assert address in on_sample
        assert address in on_measurement
        assert address in on_record
    published = Value.objects.get(origin="published")
    assert reverse("value", args=[published.pk]) in on_sample
    assert reverse("measurement", args=[fitted.measurement_id]) in on_sample


def test_reproduce_asks_once_more_and_its_verdict_stands_on_both_pages(fitted: Run, alice: User) -> None:
    client, value = signed_in(alice), peak(fitted)
    answer = client.post(reverse("run-verification", args=[fitted.pk]), {"value": value.pk})
    assert answer["Location"] == reverse("value", args=[value.pk])
    waiting = page(client, "value", value.pk)
    assert "part=verifications" in waiting
    services.execute(Run.objects.get(verifies=fitted).pk)
    assert "The same, bit for bit" in page(client, "value", value.pk)
    part = page(client, "value", value.pk, part="verifications")
    assert "The same, bit for bit" in part
    assert "<html" not in part
    assert "hx-get" not in part
    assert "The same, bit for bit" in page(client, "measurement", fitted.measurement_id)


def test_a_verification_is_no_run_of_the_history(fitted: Run, alice: User) -> None:
    client = signed_in(alice)
    client.post(reverse("run-verification", args=[fitted.pk]))
    again = Run.objects.get(verifies=fitted)
    services.execute(again.pk)
    assert f"?run={again.pk}" not in page(client, "measurement", fitted.measurement_id)


def test_who_may_only_look_has_no_button_and_is_refused(fitted: Run, bob: User) -> None:
    client = signed_in(bob)
    assert "Reproduce</button>" not in page(client, "value", peak(fitted).pk)
    assert client.post(reverse("run-verification", args=[fitted.pk])).status_code == 403


def test_a_superseded_and_rejected_value_says_so_on_its_page(measured: Measured, alice: User) -> None:
    runs = []
    for params in ({}, {"max_width_nm": 91}):
        runs.append(services.request_run(measured(), "pl_gaussians", params)[0])
        services.execute(runs[-1].pk)
    services.review(value=peak(runs[1]), verdict="rejected", reason="The lamp drifted.", user=alice)
    client = signed_in(alice)
    assert "superseded" in page(client, "value", peak(runs[0]).pk)
    rejected = page(client, "value", peak(runs[1]).pk)
    assert "rejected" in rejected
    assert "The lamp drifted." in rejected


def entry(**more: Any) -> dict[str, Any]:
    said = {"subject": "tg:", "comparator": "~", "value": "304", "place": "Fig. 3", "key": "Ma2021"}
    return {**said, "title": "Sintering", "doi": "https://doi.org/10.1126/science.abf4460", **more}


def test_a_published_value_is_entered_with_a_new_publication(composite: Sample, alice: User) -> None:
    client = signed_in(alice)
    answer = client.post(reverse("literature", args=[composite.code]), entry(doubtful="on"))
    value = Value.objects.get(origin="published")
    assert answer["Location"] == reverse("value", args=[value.pk])
    assert (value.value, value.comparator, value.doubtful, value.extracted_by) == (304, "~", True, alice)
    assert value.publication == Publication.objects.get(doi="10.1126/science.abf4460")
    shown = page(client, "value", value.pk)
    assert "https://doi.org/10.1126/science.abf4460" in shown
    assert "doubtful transcription" in shown
    on_sample = page(client, "sample", composite.code)
    assert "◇" in on_sample
    assert "doubtful" in on_sample


def test_per_cent_that_are_typed_become_the_fractions_that_are_stored(composite: Sample, alice: User) -> None:
    said = entry(subject="plqy:", value="50", upper="65", sigma="")
    signed_in(alice).post(reverse("literature", args=[composite.code]), said)
    value = Value.objects.get(origin="published")
    assert (value.value, value.upper, value.unit) == (0.5, 0.65, "1")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"doi": "nonsense"}, "is no DOI"),
        ({"value": ""}, "Give the number"),
        ({"place": ""}, "This field is required"),
        ({"title": ""}, "write its title"),
        ({"upper": "200"}, "above its value"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_kept(
    composite: Sample, alice: User, wrong: dict[str, str], told: str
) -> None:
    answer = signed_in(alice).post(reverse("literature", args=[composite.code]), entry(**wrong))
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not Value.objects.exists()
    assert not Publication.objects.exists()


def test_who_may_only_look_enters_no_published_value(composite: Sample, bob: User) -> None:
    address = reverse("literature", args=[composite.code])
    assert signed_in(bob).get(address).status_code == 403
    assert signed_in(bob).post(address, entry()).status_code == 403


def test_a_second_source_is_told_to_be_a_conflict_and_marked_on_the_sample(
    conflict: Conflict, composite: Sample, alice: User
) -> None:
    client = signed_in(alice)
    assert reverse("conflict", args=[conflict.pk]) in page(client, "sample", composite.code)
    assert "Not settled" in page(client, "value", conflict.values.earliest("pk").pk)


def test_a_conflict_shows_its_sources_side_by_side(conflict: Conflict, alice: User) -> None:
    shown = page(signed_in(alice), "conflict", conflict.pk)
    for told in ("304", "290", "Ma2021", "Li2023", "10.1000/ma2021", "believe this one"):
        assert told in shown, told


def test_a_manager_decides_and_the_mark_disappears(
    conflict: Conflict, composite: Sample, alice: User
) -> None:
    client, chosen = signed_in(alice), conflict.values.latest("pk")
    said = {"decision": "Another batch <b>.", "value": chosen.pk}
    client.post(reverse("conflict-decision", args=[conflict.pk]), said)
    conflict.refresh_from_db()
    assert (conflict.decided_by, conflict.decided_value) == (alice, chosen)
    shown = page(client, "conflict", conflict.pk)
    assert "Another batch &lt;b&gt;." in shown
    assert "believed" in shown
    assert reverse("conflict", args=[conflict.pk]) not in page(client, "sample", composite.code)
    assert Value.objects.current().filter(origin="published").count() == 2


def test_a_decision_without_words_is_refused_with_a_sentence(conflict: Conflict, alice: User) -> None:
    answer = signed_in(alice).post(
        reverse("conflict-decision", args=[conflict.pk]), {"decision": " "}, follow=True
    )
    assert "Say what is decided" in answer.content.decode()
    assert Conflict.objects.open().exists()


def test_a_contributor_sees_and_notes_conflicts_and_does_not_decide(
    conflict: Conflict, project: Project
) -> None:
    carl = person("carl")
    Membership.objects.create(project=project, user=carl, role=Role.CONTRIBUTOR)
    client = signed_in(carl)
    assert "believe this one" not in page(client, "conflict", conflict.pk)
    address = reverse("conflict-decision", args=[conflict.pk])
    assert client.post(address, {"decision": "Mine."}).status_code == 403
    value = conflict.values.earliest("pk")
    said = {"title": "A misprint", "category": "typo", "values": f"{value.pk}"}
    client.post(reverse("conflict-create"), said)
    made = Conflict.objects.get(category="typo")
    assert (made.code, list(made.values.all())) == ("X-1", [value])


def test_the_list_is_filtered_by_state_and_kind(conflict: Conflict, project: Project, alice: User) -> None:
    client = signed_in(alice)
    Conflict.objects.create(project=project, code="T-1", category="typo", title="A misprint")
    both = page(client, "conflicts")
    assert conflict.title in both
    assert "A misprint" in both
    assert conflict.title not in page(client, "conflicts", category="typo")
    assert "A misprint" not in page(client, "conflicts", state="decided")
    assert "A misprint" in page(client, "conflicts", state="")


def test_what_is_of_no_value_that_one_may_see_is_not_found(
    conflict: Conflict, composite: Sample, project: Project, charlie: User
) -> None:
    Sample.objects.filter(pk=composite.pk).update(embargoed_until=timezone.now().date() + timedelta(days=9))
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    for user in (dora, charlie):
        client = signed_in(user)
        assert client.get(reverse("conflict", args=[conflict.pk])).status_code == 404
        assert conflict.title not in page(client, "conflicts", state="")
        for value in conflict.values.all():
            assert client.get(reverse("value", args=[value.pk])).status_code == 404
    said = {"title": "Probe", "category": "typo", "values": str(conflict.values.earliest("pk").pk)}
    answer = signed_in(dora).post(reverse("conflict-create"), said)
    assert answer.status_code == 400
    assert not Conflict.objects.filter(title="Probe").exists()


def test_a_page_of_many_verifications_asks_the_database_no_more_often(
    fitted: Run, alice: User, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(alice)
    for _ in range(6):
        client.post(reverse("run-verification", args=[fitted.pk]))
    with django_assert_max_num_queries(40):
        page(client, "value", peak(fitted).pk)
