"""A value that a person rejected leaves every figure and stays in the record, with who and why."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from rest_framework.test import APIClient

from analysis import explore, services
from analysis.models import Publication, Review, Run, Value
from measurements.services import move, restore, void
from samples.models import Sample, User
from tests.analysis.conftest import Measured

METHOD = "pl_gaussians"


@pytest.fixture
def fitted(measured: Measured) -> Run:
    return fit(measured)


def fit(measured: Measured, seed: int = 1, params: dict[str, object] | None = None) -> Run:
    run, _ = services.request_run(measured(seed), METHOD, params or {})
    services.execute(run.pk)
    run.refresh_from_db()
    return run


def peak(run: Run, component: str = "I") -> Value:
    return Value.objects.get(run=run, property="pl_peak_center", component=component)


def reject(value: Value, user: User, reason: str = "The lamp drifted.") -> Review:
    return services.review(value=value, verdict="rejected", reason=reason, user=user)


def in_explore(user: User) -> list[float]:
    return list(map(float, explore.columns(user, x="loading_mass_fraction", y="pl_peak_center:I").y))


def current_peaks() -> set[int]:
    found = Value.objects.current().filter(property="pl_peak_center", component="I")
    return set(found.values_list("pk", flat=True))


def test_a_rejected_value_leaves_the_figures_and_stays_in_the_record(fitted: Run, alice: User) -> None:
    value = peak(fitted)
    assert in_explore(alice) == [value.value]
    written = reject(value, alice)
    assert in_explore(alice) == []
    again = Value.objects.get(pk=value.pk)
    assert (again.value, again.rejected, again.current) == (value.value, True, False)
    assert (written.by, written.reason) == (alice, "The lamp drifted.")


def test_the_other_values_of_the_run_stay_current(fitted: Run, alice: User) -> None:
    before = set(Value.objects.current().values_list("pk", flat=True))
    reject(peak(fitted), alice)
    assert set(Value.objects.current().values_list("pk", flat=True)) == before - {peak(fitted).pk}


def test_an_older_run_does_not_step_into_the_place_of_a_rejected_value(
    measured: Measured, alice: User
) -> None:
    measurement = measured()
    for params in ({}, {"max_width_nm": 91}):
        run, _ = services.request_run(measurement, METHOD, params)
        services.execute(run.pk)
    reject(peak(run), alice)
    assert current_peaks() == set()


def test_of_two_replicates_the_one_that_was_not_rejected_goes_on_counting(
    measured: Measured, alice: User
) -> None:
    first, second = fit(measured, 1), fit(measured, 2)
    reject(peak(first), alice)
    assert in_explore(alice) == [peak(second).value]


def test_accepting_restores_it_and_both_judgements_stay(fitted: Run, alice: User) -> None:
    value = peak(fitted)
    reject(value, alice)
    services.review(value=value, verdict="accepted", reason="It was another lamp.", user=alice)
    assert current_peaks() == {value.pk}
    assert list(value.reviews.values_list("verdict", flat=True)) == ["accepted", "rejected"]


def test_accepting_a_superseded_value_does_not_make_it_current(measured: Measured, alice: User) -> None:
    measurement = measured()
    runs = []
    for params in ({}, {"max_width_nm": 91}):
        runs.append(services.request_run(measurement, METHOD, params)[0])
        services.execute(runs[-1].pk)
    reject(peak(runs[0]), alice)
    services.review(value=peak(runs[0]), verdict="accepted", reason="Fine.", user=alice)
    assert current_peaks() == {peak(runs[1]).pk}


def test_a_new_run_answers_anew_after_a_rejection(fitted: Run, alice: User) -> None:
    reject(peak(fitted), alice)
    run, _ = services.request_run(fitted.measurement, METHOD, {"max_width_nm": 91})
    services.execute(run.pk)
    assert current_peaks() == {peak(run).pk}
    services.request_run(fitted.measurement, METHOD, {})  # the old question again: still rejected
    assert current_peaks() == set()


def test_moving_and_voiding_do_not_bring_a_rejected_value_back(
    fitted: Run, composite: Sample, alice: User
) -> None:
    reject(peak(fitted), alice)
    other = Sample.objects.create(project=composite.project, code="VT-OTHER", state="composite")
    move(fitted.measurement, other, user=alice, reason="Swapped.")
    void(fitted.measurement, user=alice, reason="Lamp.")
    restore(fitted.measurement, user=alice, reason="No.")
    assert current_peaks() == set()
    assert Value.objects.current().filter(run=fitted).exists()


def test_a_rejected_entry_is_not_replaced_by_the_person_s_earlier_one(composite: Sample, alice: User) -> None:
    def enter(value: float) -> Value:
        return services.enter_value(
            user=alice, sample=composite, property_key="plqy", value=value, unit="1", reason="Read off."
        )

    enter(0.4)
    later = enter(0.5)
    reject(later, alice)
    assert not Value.objects.current().exists()
    newest = enter(0.6)
    assert list(Value.objects.current()) == [newest]


def test_a_published_value_can_be_rejected_and_accepted(composite: Sample, alice: User) -> None:
    source = Publication.objects.create(key="li-2023", title="Li")
    value = Value.objects.create(
        sample=composite, property="plqy", value=0.6, unit="1", origin="published", publication=source
    )
    reject(value, alice, "A misprint.")
    assert not Value.objects.current().exists()
    services.review(value=value, verdict="accepted", reason="The author confirmed it.", user=alice)
    assert list(Value.objects.current()) == [value]


@pytest.mark.parametrize(("verdict", "reason"), [("rejected", "  "), ("doubtful", "Odd.")])
def test_a_judgement_without_reason_or_of_another_kind_is_refused(
    fitted: Run, alice: User, verdict: str, reason: str
) -> None:
    with pytest.raises(ValidationError):
        services.review(value=peak(fitted), verdict=verdict, reason=reason, user=alice)
    assert not Review.objects.exists()


def test_who_may_only_look_does_not_judge(fitted: Run, bob: User, charlie: User) -> None:
    for user in (bob, charlie):
        with pytest.raises(PermissionDenied):
            reject(peak(fitted), user)


def test_the_database_refuses_a_value_that_is_both_rejected_and_current(fitted: Run) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Value.objects.filter(pk=peak(fitted).pk).update(rejected=True)


def test_a_judgement_over_rest_is_told_with_the_value(
    as_alice: APIClient, as_bob: APIClient, fitted: Run
) -> None:
    address = f"/api/v1/values/{peak(fitted).pk}/"
    said = {"verdict": "rejected", "reason": "The lamp drifted."}
    answer = as_alice.post(f"{address}review/", said, format="json")
    assert answer.status_code == 200, answer.content
    body = as_bob.get(address).json()
    assert (body["rejected"], body["current"]) == (True, False)
    (review,) = body["reviews"]
    assert (review["verdict"], review["reason"], review["by"]) == ("rejected", "The lamp drifted.", "alice")
    assert as_bob.post(f"{address}review/", said, format="json").status_code == 403
    assert as_alice.post(f"{address}review/", {"verdict": "rejected"}, format="json").status_code == 400
    found = as_bob.get("/api/v1/values/?rejected=true").json()["results"]
    assert [value["id"] for value in found] == [peak(fitted).pk]


def test_a_rejected_value_is_struck_out_on_the_page_with_its_reason(
    client: Client, fitted: Run, alice: User
) -> None:
    client.force_login(alice)
    value = peak(fitted)
    address = f"/measurements/{fitted.measurement_id}/"
    answer = client.post(
        f"/values/{value.pk}/review/", {"verdict": "rejected", "reason": "The lamp drifted."}
    )
    assert answer.status_code == 302
    page = client.get(address).content.decode()
    assert "The lamp drifted." in page
    assert "<s>" in page
    assert "alice" in page
    assert 'action="/values/review/"' in page
    chosen = {"value": value.pk, "verdict": "accepted", "reason": "Another lamp."}
    assert client.post("/values/review/", chosen)["Location"] == address
    assert "<s>" not in client.get(address).content.decode()
    record = client.get("/samples/VT-GLASS/values/all/").content.decode()
    assert f'action="/values/{value.pk}/review/"' in record
    assert "Another lamp." in record


def test_a_viewer_sees_judgements_but_no_buttons(client: Client, fitted: Run, bob: User, alice: User) -> None:
    reject(peak(fitted), alice)
    client.force_login(bob)
    page = client.get(f"/measurements/{fitted.measurement_id}/").content.decode()
    assert "The lamp drifted." in page
    assert "/review/" not in page
    assert client.post(f"/values/{peak(fitted).pk}/review/", {"verdict": "accepted"}).status_code == 403
