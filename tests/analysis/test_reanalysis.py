"""A method version is raised: exactly the outdated runs are asked again, and the report says what changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from types import MappingProxyType

import pytest
from django.core.management import call_command

from analysis import methods, services
from analysis.methods import MethodError, Outcome
from analysis.models import Notice, Reanalysis, Run, RunInput, Value
from analysis.services.outdated import outdated_of
from measurements.models import Dataset, Measurement
from measurements.services import void
from samples.models import Membership, Project, Role, Sample, User
from tests.analysis.conftest import Measured
from tests.conftest import person

METHOD = "pl_gaussians"
Change = Callable[[Outcome], Outcome]


def raise_version(monkeypatch: pytest.MonkeyPatch, change: Change = lambda outcome: outcome) -> int:
    """The method as it will be after its next change; `change` is what it will say otherwise."""
    loaded = methods.get(METHOD)

    def run(inputs, params):  # type: ignore[no-untyped-def]
        return change(loaded.run(inputs, params))

    method = replace(loaded.method, version=loaded.method.version + 1)
    newer = replace(loaded, method=method, run=run, run_many=None)
    changed = MappingProxyType({**methods.registry(), METHOD: newer})
    monkeypatch.setattr(methods, "registry", lambda: changed)
    return method.version


def shifted(by_nm: float) -> Change:
    def change(outcome: Outcome) -> Outcome:
        return replace(
            outcome,
            values=tuple(
                replace(v, value=v.value + by_nm) if v.property == "pl_peak_center" else v
                for v in outcome.values
            ),
        )

    return change


def fitted(
    measurement: Measurement, params: dict[str, object] | None = None, user: User | None = None
) -> Run:
    run, _ = services.request_run(measurement, METHOD, params or {}, user=user)
    services.execute(run.pk)
    run.refresh_from_db()
    assert run.status == "done", run.message
    return run


def execute_all() -> None:
    while services.execute_batch():
        pass


def outdated() -> set[int]:
    return set(outdated_of(METHOD).values_list("pk", flat=True))


@pytest.fixture
def five_hundred(measured: Measured, project: Project, composite: Sample) -> list[Run]:
    """Measurements of as many samples, with the values that the old version gave; three files' contents."""
    patterns = [fitted(measured(seed)) for seed in (1, 2, 3)]
    others = Sample.objects.bulk_create(
        Sample(project=project, code=f"N-{n}", state="composite") for n in range(497)
    )
    runs = list(patterns)
    for n, sample in enumerate(others):
        runs.append(_copied(patterns[n % 3], sample))
    return runs


def _copied(pattern: Run, sample: Sample) -> Run:
    """The same bytes, measured on another sample: rows as reading and running would have left them."""
    values, dataset = list(pattern.values.all()), Dataset.objects.get(measurement=pattern.measurement)
    measurement = Measurement.objects.get(pk=pattern.measurement_id)
    measurement.pk, measurement.sample = None, sample
    measurement.save()
    dataset.pk, dataset.measurement, dataset.file = None, measurement, None
    dataset.save()
    inputs = {"sample": dataset}
    run = Run.objects.get(pk=pattern.pk)
    run.pk, run.measurement = None, measurement
    run.identity = services.identity(METHOD, run.method_version, run.params, measurement.pk, inputs)
    run.save()
    RunInput.objects.create(run=run, dataset=dataset, role="sample")
    for value in values:
        value.pk, value.run, value.measurement, value.sample = None, run, measurement, sample
    Value.objects.bulk_create(values)
    return run


def test_five_hundred_are_redone_exactly_once_and_reported(
    five_hundred: list[Run],
    measured: Measured,
    project: Project,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = dict(Value.objects.values_list("pk", "value"))
    version = raise_version(monkeypatch, shifted(2.0))
    newer = fitted(measured(4))  # answered by the new version already
    voided = five_hundred.pop()
    void(voided.measurement, user=alice, reason="The lamp was off.")

    (planned,) = services.plan([project])
    assert (planned.method, planned.reason, planned.runs) == (METHOD, "version", 499)
    assert planned.seconds is not None
    assert planned.seconds > 0
    assert not Reanalysis.objects.exists()

    campaign = services.begin(project, user=alice, trigger="person")
    assert campaign is not None
    assert campaign.found == 499
    asked = Run.objects.filter(reanalysis=campaign)
    assert set(asked.values_list("supersedes", flat=True)) == {run.pk for run in five_hundred}
    assert set(asked.values_list("method_version", "priority")) == {(version, Run.Priority.REANALYSIS)}
    assert services.begin(project) is None
    execute_all()
    assert set(asked.values_list("status", flat=True)) == {"done"}
    assert services.finish_campaigns() == 1
    assert services.begin(project) is None

    after = dict(Value.objects.filter(pk__in=before).values_list("pk", "value"))
    assert after == before
    current = set(Value.objects.current().filter(property="pl_peak_center").values_list("run", flat=True))
    assert current == {newer.pk, *asked.values_list("pk", flat=True)}

    campaign.refresh_from_db()
    report = campaign.report
    assert (campaign.state, report["runs"]["done"], report["runs"]["failed"]) == ("done", 499, 0)
    assert report["values"]["compared"] == 499 * len(five_hundred[0].values.all())
    peak = next(p for p in report["properties"] if (p["property"], p["component"]) == ("pl_peak_center", "I"))
    sigma = Value.objects.get(run=five_hundred[0], property="pl_peak_center", component="I").sigma
    assert peak["median"] == pytest.approx(2.0 / sigma, rel=0.2)
    assert peak["bins"] == [0, 0, 0, 0, 0, 499]
    width = next(p for p in report["properties"] if (p["property"], p["component"]) == ("pl_peak_width", "I"))
    assert (width["same"], width["bins"]) == (499, [0] * 6)
    assert services.finish_campaigns() == 0


def test_a_second_version_can_change_the_order_of_the_best_samples(
    measured: Measured, project: Project, composite: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A is ahead of B; only A's file was read in a way that the new version judges otherwise."""
    best = Sample.objects.create(project=project, code="BEST", state="composite")
    first, second = fitted(measured(1)), fitted(measured(2, sample=best))
    Value.objects.filter(run=first, property="pl_peak_center").update(value=690.0)
    Value.objects.filter(run=second, property="pl_peak_center").update(value=680.0)
    Value.objects.filter(run=first).exclude(property="pl_peak_center").delete()
    Value.objects.filter(run=second).exclude(property="pl_peak_center").delete()

    def judged(outcome: Outcome) -> Outcome:
        centre = next(v.value for v in outcome.values if (v.property, v.component) == ("pl_offset", ""))
        is_first = centre == first_offset
        kept = [v for v in outcome.values if v.property == "pl_peak_center"]
        return replace(outcome, values=tuple(replace(v, value=670.0 if is_first else 680.0) for v in kept))

    loaded = methods.get(METHOD)
    from measurements.services import load

    dataset = load(Dataset.objects.get(measurement=first.measurement))
    again = loaded.run({"sample": dataset}, methods.parse_params(loaded, first.params))
    first_offset = next(v.value for v in again.values if v.property == "pl_offset")
    raise_version(monkeypatch, judged)
    campaign = services.begin(project)
    assert campaign is not None
    execute_all()
    services.finish_campaigns()
    campaign.refresh_from_db()
    told = {
        (c["property"], c["component"]): (c["before"], c["after"]) for c in campaign.report["conclusions"]
    }
    assert told["pl_peak_center", "I"] == ([composite.pk, best.pk], [best.pk, composite.pk])


def test_nothing_moves_when_the_numbers_stay_the_same(
    measured: Measured, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted(measured())
    raise_version(monkeypatch)
    campaign = services.begin(project)
    assert campaign is not None
    execute_all()
    services.finish_campaigns()
    campaign.refresh_from_db()
    assert campaign.report["conclusions"] == campaign.report["largest"] == []
    assert all(each["same"] == each["compared"] for each in campaign.report["properties"])


def test_failures_are_reported_by_reason_and_old_values_stay_current(
    measured: Measured, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fitted(measured())

    def refuse(outcome: Outcome) -> Outcome:
        raise MethodError("The peak is too narrow for this slit.")

    raise_version(monkeypatch, refuse)
    campaign = services.begin(project)
    execute_all()
    services.finish_campaigns()
    assert campaign is not None
    campaign.refresh_from_db()
    (failure,) = campaign.report["failures"]
    assert (failure["sentence"], failure["count"]) == ("The peak is too narrow for this slit.", 1)
    assert set(Value.objects.current().values_list("run", flat=True)) == {run.pk}
    assert services.begin(project) is None  # it was answered: with a refusal


def test_only_the_last_question_of_a_measurement_is_put_again_with_its_parameters(
    measured: Measured, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurement = measured()
    fitted(measurement)
    last = fitted(measurement, {"max_width_nm": 91})
    raise_version(monkeypatch)
    assert outdated() == {last.pk}
    campaign = services.begin(project)
    assert Run.objects.get(reanalysis=campaign).params == last.params


def test_a_run_whose_file_was_read_by_a_newer_reader_is_outdated(
    measured: Measured, project: Project
) -> None:
    run = fitted(measured())
    dataset = Dataset.objects.get(measurement=run.measurement)
    Dataset.objects.filter(pk=dataset.pk).update(current=False)
    assert outdated() == set()  # there is nothing to read yet
    dataset.pk, dataset.reader_version = None, dataset.reader_version + 1
    dataset.save()
    assert outdated() == {run.pk}
    (planned,) = services.plan([project])
    assert planned.reason == "reader"
    campaign = services.begin(project)
    assert Run.objects.get(reanalysis=campaign).inputs.get().dataset == dataset
    assert outdated() == set()


def test_a_run_in_doubt_is_outdated_until_it_is_answered(measured: Measured, project: Project) -> None:
    run = fitted(measured())
    Run.objects.filter(pk=run.pk).update(stale="The sphere calibration of 3 May was withdrawn.")
    assert outdated() == {run.pk}
    assert services.begin(project) is None  # the same bytes, read and asked in the same way: it still holds
    run.refresh_from_db()
    assert run.stale == ""
    assert outdated() == set()


def test_a_paused_campaign_waits_and_goes_on_where_it_was(
    measured: Measured, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (1, 2, 3):
        fitted(measured(seed))
    raise_version(monkeypatch)
    campaign = services.begin(project)
    assert campaign is not None
    services.execute(campaign.runs.earliest("pk").pk)
    assert services.pause(campaign) == 2
    execute_all()
    assert campaign.runs.filter(status="done").count() == 1
    assert services.begin(project) is None  # what is paused is not asked a second time
    assert services.finish_campaigns() == 0
    assert services.pause(campaign) == 0
    assert services.resume(campaign) == 2
    execute_all()
    assert campaign.runs.filter(status="done").count() == 3
    assert services.finish_campaigns() == 1


def test_a_run_that_a_person_cancelled_is_not_resumed_with_the_campaign(
    measured: Measured, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (1, 2):
        fitted(measured(seed))
    raise_version(monkeypatch)
    campaign = services.begin(project)
    assert campaign is not None
    one = campaign.runs.earliest("pk")
    Run.objects.filter(pk=one.pk).update(status="cancelled", message="It was cancelled by a person.")
    services.pause(campaign)
    assert services.resume(campaign) == 1


def test_a_campaign_stays_in_its_project(
    measured: Measured, project: Project, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted(measured())
    raise_version(monkeypatch)
    assert services.begin(Project.objects.get(slug="charlie")) is None
    assert services.begin(project) is not None


def test_managers_and_who_asked_are_told_and_strangers_are_not(
    measured: Measured,
    project: Project,
    alice: User,
    bob: User,
    charlie: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    fitted(measured(), user=dora)
    raise_version(monkeypatch)
    services.begin(project)
    execute_all()
    services.finish_campaigns()
    told = {notice.user.username: notice.text for notice in Notice.objects.select_related("user")}
    assert set(told) == {"alice", "dora"}
    assert "report" in told["alice"]
    assert "Runs that you asked for" in told["dora"]


def test_the_command_says_what_it_would_do_and_does_it(
    measured: Measured, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted(measured())
    raise_version(monkeypatch)

    def said(*arguments: str) -> str:
        out = StringIO()
        call_command("reanalyse", *arguments, stdout=out)
        return out.getvalue()

    assert "glass: 1 × pl_gaussians would be queued, because a newer version" in said("--dry-run")
    assert not Reanalysis.objects.exists()
    assert "1 queued" in said("--project", "glass", "--method", METHOD)
    assert "Nothing is outdated." in said()
