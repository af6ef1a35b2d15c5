"""The known contradictions of the campaign: complete, told once, decided by people, gone with the demo."""

from __future__ import annotations

import json
from pathlib import Path

from analysis import services
from analysis.models import Conflict, Publication, Run, Value
from analysis.services.conflicts import decide, find_all_conflicts
from analysis.services.verifying import verify
from frontend.demo.campaign import load
from frontend.demo.loading import load_demo
from frontend.demo.removing import remove_demo
from measurements.models import Measurement
from measurements.services import read_measurement
from samples.models import Project, User


def test_every_known_entry_is_there_with_its_category(reference: Path) -> None:
    known = json.loads((reference / "reference" / "published_facts.json").read_text())["issues"]
    assert len(known) == 60
    told = {conflict.code: conflict.category for conflict in load().conflicts}
    assert told == {entry["code"]: entry["category"] for entry in known}
    assert len(load().conflicts) == 60


def test_every_entry_is_told_in_our_own_words(reference: Path) -> None:
    known = json.loads((reference / "reference" / "published_facts.json").read_text())["issues"]
    theirs = {entry["code"]: {entry["title"], entry["detail"]} for entry in known}
    for conflict in load().conflicts:
        assert conflict.detail
        assert conflict.suggestion
        assert not {conflict.title, conflict.detail} & theirs[conflict.code], conflict.code


def test_the_values_that_an_entry_names_are_published_in_the_campaign() -> None:
    stated = {(value.sample, value.property, value.component) for value in load().values}
    named = [each for conflict in load().conflicts for each in conflict.values]
    assert len(named) > 10
    assert set(named) <= stated


def test_the_demo_brings_them_with_their_sources_and_values(demo: Project) -> None:
    assert Conflict.objects.filter(project=demo).count() == 60
    tg = Conflict.objects.get(project=demo, code="C-TG")
    assert set(tg.publications.values_list("key", flat=True)) == {"Hou2021", "Li2023"}
    assert sorted(tg.values.values_list("value", flat=True)) == [290, 304]
    assert not Conflict.objects.filter(project=demo, publications=None).exists()


def test_loading_again_adds_nothing_and_keeps_a_decision(demo: Project) -> None:
    manager = User.objects.get(username="demo")
    decide(conflict=Conflict.objects.get(code="C-TG"), user=manager, decision="Two batches.")
    Conflict.objects.get(code="O-1").delete()
    load_demo()
    assert Conflict.objects.filter(project=demo).count() == 60
    assert Conflict.objects.get(code="C-TG").decision == "Two batches."


def test_no_entry_is_found_a_second_time_by_comparison(demo: Project) -> None:
    found = find_all_conflicts(demo)
    assert Conflict.objects.filter(project=demo).count() == 60 + len(
        [conflict for conflict in found if conflict.category == "values"]
    )
    assert find_all_conflicts(demo) == found


def test_the_demo_goes_with_conflicts_reviews_and_verifications(demo: Project) -> None:
    manager = User.objects.get(username="demo")
    measurement = Measurement.objects.filter(project=demo).earliest("pk")
    read_measurement(measurement)
    run, _ = services.request_run(measurement, "pl_gaussians")
    services.execute(run.pk)
    run.refresh_from_db()
    services.execute(verify(run, manager).pk)
    value = Value.objects.filter(run=run).earliest("pk")
    services.review(value=value, verdict="accepted", reason="Looks right.", user=manager)
    assert remove_demo()
    for model in (Conflict, Run, Value, Publication):
        assert not model.objects.exists(), model
