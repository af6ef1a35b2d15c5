"""Reproduce: the same run once more, compared bit for bit, told in a verdict that stays."""

from __future__ import annotations

import math
from contextlib import nullcontext

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from rest_framework.test import APIClient

from analysis import services
from analysis.curves import load_curves, store_curves
from analysis.methods import Curve
from analysis.models import Artifact, QuickInput, Run, Value
from analysis.sandbox import child
from analysis.services.verifying import ulps, verify
from samples.models import User
from tests.analysis.conftest import Measured

METHOD = "pl_gaussians"


@pytest.fixture
def fitted(measured: Measured) -> Run:
    run, _ = services.request_run(measured(), METHOD)
    services.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "done", run.message
    return run


def verified(run: Run, user: User) -> Run:
    again = verify(run, user)
    services.execute(again.pk)
    again.refresh_from_db()
    return again


def peak(run: Run) -> Value:
    return run.values.get(property="pl_peak_center", component="I")


def test_the_same_question_gives_the_same_numbers_bit_for_bit(fitted: Run, alice: User) -> None:
    again = verified(fitted, alice)
    assert again.status == "done", again.message
    assert again.notes["same"] is True
    count = fitted.values.count()
    assert again.verdict.startswith(f"The same, bit for bit: {count} values with their sigmas and ")


def test_a_verification_changes_no_value_and_stores_none(fitted: Run, alice: User) -> None:
    before = set(Value.objects.values_list("pk", "current", "value"))
    again = verified(fitted, alice)
    assert set(Value.objects.values_list("pk", "current", "value")) == before
    assert not Artifact.objects.filter(run=again).exists()
    assert (again.verifies, again.trigger, again.params) == (fitted, "verification", fitted.params)
    assert [given.dataset_id for given in again.inputs.all()] == [
        given.dataset_id for given in fitted.inputs.all()
    ]


def test_every_verification_is_a_row_of_its_own(fitted: Run, alice: User) -> None:
    first, second = verified(fitted, alice), verified(fitted, alice)
    assert first.pk != second.pk
    assert first.identity != second.identity
    assert fitted.verifications.count() == 2


def test_a_number_that_differs_in_its_last_bit_is_told_in_ulp(fitted: Run, alice: User) -> None:
    value = peak(fitted)
    assert value.value is not None
    Value.objects.filter(pk=value.pk).update(value=math.nextafter(value.value, 1e9))
    again = verified(fitted, alice)
    assert again.notes["same"] is False
    (difference,) = again.notes["differences"]
    assert (difference["what"], difference["ulp"]) == ("pl_peak_center I", 1)
    assert again.verdict.startswith("Not the same: pl_peak_center I by 1 ulp")


def test_a_number_that_differs_by_much_is_told_in_sigmas(fitted: Run, alice: User) -> None:
    value = peak(fitted)
    assert value.value is not None
    assert value.sigma is not None
    Value.objects.filter(pk=value.pk).update(value=value.value + 3 * value.sigma)
    again = verified(fitted, alice)
    assert again.notes["differences"][0]["in_sigma"] == pytest.approx(3, rel=1e-6)
    assert "3 σ" in again.verdict


def test_a_sigma_that_differs_is_a_difference(fitted: Run, alice: User) -> None:
    Value.objects.filter(pk=peak(fitted).pk).update(sigma=99.0)
    again = verified(fitted, alice)
    assert [each["what"] for each in again.notes["differences"]] == ["σ of pl_peak_center I"]


def test_a_value_that_did_not_come_out_again_is_named(fitted: Run, alice: User) -> None:
    Value.objects.filter(pk=peak(fitted).pk).update(component="IX")
    again = verified(fitted, alice)
    told = [each["what"] for each in again.notes["differences"]]
    assert told == ["pl_peak_center I", "pl_peak_center IX"]
    assert "pl_peak_center IX did not come out any more" in again.verdict


def test_a_curve_that_differs_in_one_point_is_found(fitted: Run, alice: User) -> None:
    artifact = Artifact.objects.get(run=fitted)
    changed = load_curves(artifact)
    y = changed[-1].y.copy()
    y[7] = math.nextafter(y[7], 1e9)
    changed[-1] = Curve(changed[-1].name, changed[-1].x, y)
    Artifact.objects.filter(pk=artifact.pk).update(blob=store_curves(changed), member=None)
    again = verified(fitted, alice)
    (difference,) = again.notes["differences"]
    assert (difference["what"], difference["ulp"]) == (f"y of the curve “{changed[-1].name}”", 1)


def test_other_libraries_are_named_as_what_may_be_the_reason(fitted: Run, alice: User) -> None:
    Run.objects.filter(pk=fitted.pk).update(libraries={**fitted.libraries, "numpy": "1.0"})
    again = verified(fitted, alice)
    assert again.notes["same"] is True
    assert "although numpy is" in again.verdict
    assert "was 1.0" in again.verdict
    Value.objects.filter(pk=peak(fitted).pk).update(sigma=99.0)
    assert "Perhaps because numpy is" in verified(fitted, alice).verdict


def test_what_compiled_code_computed_is_recorded_and_explains_a_difference(
    measured: Measured, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels and NumPy differ in the last digits, so a record that hid the engine would blame the method."""
    monkeypatch.setattr(child, "listening", lambda: nullcontext({"numba": "0.60.0"}))
    run, _ = services.request_run(measured(), METHOD)
    services.execute(run.pk)
    run.refresh_from_db()
    assert run.libraries["numba"] == "0.60.0"
    assert "numpy" in run.libraries
    Value.objects.filter(pk=peak(run).pk).update(sigma=99.0)
    monkeypatch.setattr(child, "listening", lambda: nullcontext({}))
    verdict = verified(run, alice).verdict
    assert "Perhaps because NumPy computed it and not compiled code (numba 0.60.0)" in verdict


def test_of_a_run_that_names_no_compiled_code_nothing_is_said_that_is_not_known(
    fitted: Run, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once kernels left no record, so that their absence from one proves nothing."""
    Run.objects.filter(pk=fitted.pk).update(libraries={"numpy": fitted.libraries["numpy"]})
    Value.objects.filter(pk=peak(fitted).pk).update(sigma=99.0)
    monkeypatch.setattr(child, "listening", lambda: nullcontext({"numba": "0.60.0"}))
    verdict = verified(fitted, alice).verdict
    assert "compiled code (numba 0.60.0) computed it, and whether it did then is not recorded" in verdict
    assert "not NumPy" not in verdict


def test_another_version_of_the_method_is_said_at_once_and_nothing_runs(fitted: Run, alice: User) -> None:
    Run.objects.filter(pk=fitted.pk).update(method_version=fitted.method_version + 1)
    fitted.refresh_from_db()
    again = verify(fitted, alice)
    assert again.status == "cancelled"
    assert f"version {fitted.method_version - 1} is installed" in again.verdict
    assert again.notes["same"] is None
    assert Run.objects.count() == 2


def test_a_worker_with_another_version_asks_no_new_question_for_a_verification(
    fitted: Run, alice: User
) -> None:
    again = verify(fitted, alice)
    Run.objects.filter(pk=again.pk).update(method_version=fitted.method_version - 1)
    services.execute(again.pk)
    again.refresh_from_db()
    assert again.status == "cancelled"
    assert Run.objects.count() == 2


def test_a_batch_may_hold_a_verification_beside_ordinary_runs(
    fitted: Run, measured: Measured, alice: User
) -> None:
    again = verify(fitted, alice)
    other, _ = services.request_run(measured(2), METHOD)
    while services.execute_batch():
        pass
    again.refresh_from_db()
    assert again.notes["same"] is True
    assert other.values.count() > 0
    assert again.values.count() == 0


def test_a_verification_reads_the_record_and_not_the_quick_copy_of_it(fitted: Run, alice: User) -> None:
    blob = fitted.inputs.get().dataset.blob
    QuickInput.objects.update_or_create(blob=blob, defaults={"content": b"spoilt"})
    again = verified(fitted, alice)
    assert again.status == "done", again.message
    assert again.notes["same"] is True


def test_verifying_a_run_without_result_or_a_verification_is_refused(
    fitted: Run, measured: Measured, alice: User
) -> None:
    waiting, _ = services.request_run(measured(2), METHOD)
    for run in (waiting, verified(fitted, alice)):
        with pytest.raises(ValidationError):
            verify(run, alice)


def test_who_may_only_look_verifies_nothing(
    fitted: Run, bob: User, as_bob: APIClient, as_charlie: APIClient
) -> None:
    with pytest.raises(PermissionDenied):
        verify(fitted, bob)
    address = f"/api/v1/runs/{fitted.pk}/verify/"
    assert as_bob.post(address).status_code == 403
    assert as_bob.get(address).json() == []
    assert as_charlie.post(address).status_code == 404
    assert Run.objects.count() == 1


def test_it_is_asked_and_read_over_rest(fitted: Run, as_alice: APIClient) -> None:
    address = f"/api/v1/runs/{fitted.pk}/verify/"
    asked = as_alice.post(address)
    assert asked.status_code == 202
    assert (asked.json()["status"], asked.json()["same"]) == ("queued", None)
    services.execute(asked.json()["id"])
    (told,) = as_alice.get(address).json()
    assert (told["id"], told["same"], told["asked_by"]) == (asked.json()["id"], True, "alice")


@pytest.mark.parametrize(
    ("ours", "theirs", "steps"),
    [(1.0, 1.0, 0), (1.0, 1.0 + 2**-52, 1), (0.0, -0.0, 0), (5e-324, -5e-324, 2), (1.0, math.nan, None)],
)
def test_ulps_count_the_doubles_between(ours: float, theirs: float, steps: int | None) -> None:
    assert ulps(ours, theirs) == steps
