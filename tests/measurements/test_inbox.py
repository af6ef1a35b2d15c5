"""What waits in the inbox and why, what is suggested, and what a rule decides without a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from measurements.models import Decision, InboxRule, Measurement
from measurements.services import (
    Receipt,
    add_instrument,
    assign,
    keep,
    look_over,
    move,
    read_measurement,
    receive,
    void,
)
from measurements.services.rules import apply_now, save_rule, trial
from measurements.services.suggesting import codes_in, distance, suggest
from samples.models import Membership, Project, Role, Sample, User
from tests.conftest import person
from tests.measurements.conftest import TEXT, incoming

Given = Callable[..., Receipt]
Read = Callable[..., Measurement]


def naming(code: str) -> bytes:
    return b"Sample: " + code.encode() + b"\n" + TEXT


@pytest.fixture
def other(composite: Sample) -> Sample:
    return Sample.objects.create(project=composite.project, code="VT-7K3M2A", state="composite")


@pytest.fixture
def rule(project: Project, alice: User) -> InboxRule:
    return save_rule(InboxRule(project=project, pattern="{sample}_*.txt"), alice)


# --- what waits -----------------------------------------------------------------------------------------


def test_what_is_read_and_has_sample_and_technique_waits_for_nobody(read: Read) -> None:
    read(technique="pl")
    assert not Measurement.objects.inbox().exists()


def test_no_sample_no_reading_and_no_technique_wait_for_a_person(read: Read) -> None:
    waiting = [
        read(sample_code=None, technique="pl"),
        read(b"\x00\x01 nothing that anybody reads", technique="pl"),
    ]
    unknown = read(TEXT + b"900\t1\n", technique="pl")
    Measurement.objects.filter(pk=unknown.pk).update(technique="unknown")
    assert set(Measurement.objects.inbox()) == {*waiting, unknown}


def test_a_file_that_names_another_sample_in_its_header_waits_for_a_person(read: Read, other: Sample) -> None:
    measurement = read(technique="pl")
    Measurement.objects.filter(pk=measurement.pk).update(
        conditions={"sample_name": {"value": f"{other.code} pellet", "unit": ""}}
    )
    look_over(measurement)
    assert Measurement.objects.inbox().get().conflict == "header"


@pytest.mark.parametrize("said", ["VT-GLASS, second pellet", "vt-glass", "NOBODY-1", ""])
def test_a_header_that_names_its_sample_or_none_is_no_conflict(read: Read, other: Sample, said: str) -> None:
    measurement = read(technique="pl")
    Measurement.objects.filter(pk=measurement.pk).update(
        conditions={"sample_name": {"value": said, "unit": ""}}
    )
    look_over(measurement)
    assert not Measurement.objects.inbox().exists()


def test_the_same_bytes_at_another_sample_wait_for_a_person(read: Read, other: Sample) -> None:
    read(technique="pl")
    second = read(technique="pl", sample_code=other.code)
    look_over(second)
    assert Measurement.objects.inbox().get() == second


def test_of_two_with_the_same_bytes_only_the_later_waits(read: Read, other: Sample) -> None:
    first = read(technique="pl")
    read(technique="pl", sample_code=other.code)
    look_over(first)
    assert first.pk not in Measurement.objects.inbox().values_list("pk", flat=True)


@pytest.mark.parametrize("way", ["void", "move"])
def test_a_conflict_ends_when_the_other_one_is_void_or_moved(
    read: Read, other: Sample, alice: User, way: str
) -> None:
    first = read(technique="pl")
    second = read(technique="pl", sample_code=other.code)
    look_over(second)
    if way == "void":
        void(first, user=alice, reason="Sent under the wrong code.")
    else:
        move(first, None, user=alice, reason="Of which sample is it?")
    second.refresh_from_db()
    assert second.conflict == ""


def test_a_line_of_the_header_that_says_sample_counts_where_its_reader_knows_no_name(
    read: Read, composite: Sample, other: Sample
) -> None:
    measurement = read(naming(other.code), technique="pl")
    assert "sample_name" not in measurement.conditions
    look_over(measurement)
    assert Measurement.objects.inbox().get().conflict == "header"


def test_a_comment_that_speaks_of_another_sample_is_no_conflict(read: Read, other: Sample) -> None:
    measurement = read(b"Comment: as " + other.code.encode() + b"\n" + TEXT, technique="pl")
    look_over(measurement)
    assert not Measurement.objects.inbox().exists()


def test_bytes_of_another_project_are_no_conflict_and_nobody_learns_of_them(
    read: Read, given: Given, charlie: User, charlies: Sample
) -> None:
    read(technique="pl")
    theirs = given(user=charlie, sample_code=charlies.code, technique="pl").measurement
    read_measurement(theirs)
    look_over(theirs)
    assert not Measurement.objects.inbox().exists()


def test_what_a_person_kept_as_it_is_does_not_come_back(read: Read, other: Sample, alice: User) -> None:
    read(technique="pl")
    second = read(technique="pl", sample_code=other.code)
    look_over(second)
    keep(second, user=alice, reason="A common background.")
    look_over(second)
    assert not Measurement.objects.inbox().exists()
    assert Decision.objects.get().reason == "A common background."


def test_reading_it_again_asks_of_a_conflict_only_where_nobody_has_decided(
    read: Read, other: Sample, alice: User
) -> None:
    read(technique="pl")
    second = read(technique="pl", sample_code=other.code)
    move(second, Sample.objects.create(project=other.project, code="VT-3", state="powder"), user=alice,
         reason="It is of the third.")  # fmt: skip
    look_over(second)
    assert not Measurement.objects.inbox().exists()


# --- suggestions ----------------------------------------------------------------------------------------


def suggested(user: User) -> dict[int, tuple[str, str, bool]]:
    rows = list(Measurement.objects.inbox().select_related("sample").prefetch_related("files"))
    return {pk: (s.code, s.found, s.exact) for pk, s in suggest(user, rows).items()}


def test_a_code_in_the_file_name_is_suggested_and_its_place_named(
    given: Given, alice: User, other: Sample
) -> None:
    row = given(name="VT-7K3M2A_PL_300K.txt", sample_code=None).measurement
    assert suggested(alice) == {row.pk: ("VT-7K3M2A", "found in the file name", True)}


def test_a_code_in_the_header_is_suggested_and_its_line_named(read: Read, alice: User, other: Sample) -> None:
    row = read(naming("VT-7K3M2A"), sample_code=None)
    assert suggested(alice)[row.pk] == ("VT-7K3M2A", "found in the header line “Sample”", True)


def test_the_header_counts_more_than_the_file_name(
    read: Read, alice: User, composite: Sample, other: Sample
) -> None:
    row = read(naming("VT-7K3M2A"), name="VT-GLASS_2.txt", sample_code=None)
    assert suggested(alice)[row.pk][0] == "VT-7K3M2A"


def test_a_mistyped_code_is_suggested_as_what_it_resembles(given: Given, alice: User, other: Sample) -> None:
    row = given(sample_code="VT-7K3N2A").measurement
    code, found, exact = suggested(alice)[row.pk]
    assert (code, exact) == ("VT-7K3M2A", False)
    assert "VT-7K3N2A" in found


def test_what_resembles_nothing_gets_no_suggestion(given: Given, alice: User, other: Sample) -> None:
    given(sample_code="QQ-999999", name="calibration.txt")
    assert suggested(alice) == {}


def test_a_sample_that_one_may_not_add_to_is_not_suggested(
    given: Given, alice: User, bob: User, charlies: Sample, other: Sample
) -> None:
    given(name="CH-1_a.txt", sample_code=None)
    given(TEXT + b"900\t1\n", name="VT-7K3M2A_a.txt", sample_code=None)
    assert [code for code, _, _ in suggested(alice).values()] == ["VT-7K3M2A"]
    assert suggested(bob) == {}


def test_suggestions_cost_the_same_queries_for_any_number_of_rows(
    given: Given, alice: User, other: Sample
) -> None:
    def cost(count: int) -> int:
        for number in range(count):
            given(TEXT + b"%d\t1\n" % (900 + number), name=f"VT-7K3N2{number}_a.txt", sample_code=None)
        rows = list(Measurement.objects.inbox().select_related("sample").prefetch_related("files"))
        with CaptureQueriesContext(connection) as seen:
            suggest(alice, rows)
        return len(seen)

    assert cost(1) == cost(12) == 3


@pytest.mark.parametrize(
    ("word", "code", "slips"),
    [
        ("VT-7K3M2A", "VT-7K3M2A", 0),
        ("VT-7K3N2A", "VT-7K3M2A", 1),
        ("VT-7KM32A", "VT-7K3M2A", 1),
        ("VT7K3M2A", "VT-7K3M2A", 1),
        ("VT-7K3MZA", "VT-7K3M2A", 1),
        ("VT-O1", "VT-0L", 1),
        ("AB", "XY", 2),
        ("A", "ABCDE", 3),
    ],
)
def test_slips_are_counted_and_look_alikes_weigh_half(word: str, code: str, slips: int) -> None:
    assert distance(word, code) == slips


def test_the_parts_of_a_name_are_candidates_longest_first() -> None:
    found = codes_in("VT-7K3M2A_PL 300K.txt")
    assert found[0] == "VT-7K3M2A_PL"
    assert "VT-7K3M2A" in found
    assert "PL" not in found


# --- rules ----------------------------------------------------------------------------------------------


def test_a_rule_gives_a_file_its_sample_on_arrival_and_says_so(
    given: Given, other: Sample, rule: InboxRule
) -> None:
    receipt = given(name="VT-7K3M2A_PL.txt", sample_code=None)
    assert receipt.measurement.sample == other
    assert "VT-7K3M2A" in receipt.warnings[0]
    told = Decision.objects.get()
    assert (told.kind, told.rule, told.by, told.to_sample) == ("assigned", rule, None, other)


def test_the_same_file_again_is_the_same_measurement_under_a_rule(
    given: Given, other: Sample, rule: InboxRule
) -> None:
    first = given(name="VT-7K3M2A_PL.txt", sample_code=None)
    second = given(name="VT-7K3M2A_PL.txt", sample_code=None)
    assert (second.created, second.measurement) == (False, first.measurement)
    assert Decision.objects.count() == 1


def test_a_rule_for_the_header_decides_once_the_file_is_read(
    read: Read, project: Project, other: Sample, alice: User
) -> None:
    save_rule(InboxRule(project=project, source="header", header_key="sample", pattern="{sample}*"), alice)
    measurement = read(naming("VT-7K3M2A pellet"), sample_code=None)
    look_over(measurement)
    measurement.refresh_from_db()
    assert measurement.sample == other
    assert Decision.objects.get().rule is not None


def test_a_rule_says_the_technique_only_where_it_is_unknown(
    given: Given, project: Project, other: Sample, alice: User
) -> None:
    save_rule(InboxRule(project=project, pattern="{sample}_*.bin", technique="saxs"), alice)
    receipt = given(b"\x01\x02 of no known format", name="VT-7K3M2A_1.bin", sample_code=None)
    assert receipt.measurement.technique == "saxs"
    said = given(b"\x01\x03 of no known format", name="VT-7K3M2A_2.bin", sample_code=None, technique="xrd")
    assert said.measurement.technique == "xrd"


def test_a_disabled_rule_decides_nothing(given: Given, other: Sample, rule: InboxRule, alice: User) -> None:
    rule.enabled = False
    save_rule(rule, alice)
    assert given(name="VT-7K3M2A_PL.txt", sample_code=None).measurement.sample is None


def test_a_rule_for_one_instrument_leaves_others_alone(
    project: Project, other: Sample, alice: User, given: Given
) -> None:
    ours = add_instrument(project=project, name="FLS-1")
    save_rule(InboxRule(project=project, instrument=ours, pattern="{sample}_*"), alice)
    assert given(name="VT-7K3M2A_PL.txt", sample_code=None).measurement.sample is None
    sent = receive(user=ours.account, files=[incoming(TEXT + b"900\t1\n", "VT-7K3M2A_PL.txt")])
    assert sent.measurement.sample == other


def test_two_rules_that_disagree_decide_nothing(
    given: Given, project: Project, composite: Sample, other: Sample, rule: InboxRule, alice: User
) -> None:
    save_rule(InboxRule(project=project, pattern="*_{sample}.txt"), alice)
    assert given(name="VT-7K3M2A_VT-GLASS.txt", sample_code=None).measurement.sample is None


def test_a_rule_never_decides_against_the_code_with_which_a_file_came(
    given: Given, project: Project, other: Sample, rule: InboxRule, alice: User
) -> None:
    given(name="VT-7K3M2A_PL.txt", sample_code="NOT-THERE-1")
    assert apply_now(project, alice) == 0
    assert Measurement.objects.get().sample is None


def test_rules_find_no_sample_of_another_project(
    project: Project, charlies: Sample, given: Given, rule: InboxRule
) -> None:
    assert given(name="CH-1_PL.txt", sample_code=None).measurement.sample is None


def test_a_rule_tells_a_person_nothing_of_a_sample_under_an_embargo(
    project: Project, other: Sample, given: Given, rule: InboxRule
) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    Sample.objects.update(embargoed_until=timezone.now().date() + timedelta(days=9))
    hers = given(user=dora, name="VT-7K3M2A_PL.txt", sample_code=None)
    assert hers.measurement.sample is None
    assert "VT-7K3M2A" not in str(hers.warnings)
    instrument = add_instrument(project=project, name="FLS-1")
    sent = receive(user=instrument.account, files=[incoming(TEXT + b"900\t1\n", "VT-7K3M2A_PL.txt")])
    assert sent.measurement.sample == other


def test_rules_are_applied_to_what_waits_when_asked(
    given: Given, project: Project, other: Sample, alice: User
) -> None:
    for number in range(3):
        given(TEXT + b"%d\t1\n" % (900 + number), name=f"VT-7K3M2A_{number}.txt", sample_code=None)
    stays = given(TEXT + b"950\t1\n", name="calibration.txt", sample_code=None).measurement
    save_rule(InboxRule(project=project, pattern="{sample}_*.txt"), alice)
    assert apply_now(project, alice) == 3
    assert Measurement.objects.inbox().get() == stays
    assert set(Decision.objects.values_list("by__username", flat=True)) == {"alice"}


def test_a_rule_leaves_bytes_that_the_sample_has_already_to_a_person(
    given: Given, project: Project, other: Sample, alice: User
) -> None:
    given(sample_code=other.code)
    given(name="VT-7K3M2A_PL.txt", sample_code=None)
    save_rule(InboxRule(project=project, pattern="{sample}_*.txt"), alice)
    assert apply_now(project, alice) == 0


def test_a_trial_shows_what_a_rule_would_do_and_does_nothing(
    given: Given, project: Project, other: Sample, alice: User
) -> None:
    fits = given(name="VT-7K3M2A_PL.txt", sample_code=None).measurement
    unknown = given(TEXT + b"900\t1\n", name="VT-QQQQQQ_PL.txt", sample_code=None).measurement
    no = given(TEXT + b"901\t1\n", name="calibration.dat", sample_code=None).measurement
    tried = {t.measurement: t for t in trial(InboxRule(project=project, pattern="{sample}_*.txt"), alice)}
    assert tried[fits].sample == other
    assert "There is no sample" in tried[unknown].sentence
    assert "does not fit" in tried[no].sentence
    assert Measurement.objects.inbox().count() == 3


def test_only_managers_make_rules(project: Project, bob: User, alice: User) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    for user in (bob, dora):
        with pytest.raises(PermissionDenied, match="Only managers"):
            save_rule(InboxRule(project=project, pattern="{sample}*"), user)
        with pytest.raises(PermissionDenied):
            trial(InboxRule(project=project, pattern="{sample}*"), user)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"pattern": "*.txt"}, "pattern"),
        ({"pattern": "(a+)+{sample}{1}"}, "pattern"),
        ({"pattern": "{sample}", "source": "header"}, "header_key"),
        ({"pattern": "{sample}", "technique": "divination"}, "technique"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_at_its_field(
    project: Project, alice: User, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        save_rule(InboxRule(project=project, **fields), alice)
    assert field in refused.value.message_dict


def test_a_rule_of_another_projects_instrument_is_refused(
    project: Project, alice: User, charlie: User
) -> None:
    theirs = add_instrument(project=Project.objects.get(slug="charlie"), name="FLS-9")
    with pytest.raises(ValidationError, match="not an instrument of"):
        save_rule(InboxRule(project=project, instrument=theirs, pattern="{sample}*"), alice)


def test_changes_of_a_rule_are_in_the_audit_trail(rule: InboxRule, alice: User) -> None:
    rule.pattern = "{sample}-*.txt"
    save_rule(rule, alice)
    trail = InboxRule.pgh_event_model.objects.order_by("pgh_id")
    assert list(trail.values_list("pattern", flat=True)) == ["{sample}_*.txt", "{sample}-*.txt"]
    assert (trail.last().pgh_context or trail.last()).metadata["user"] == alice.pk


def test_what_was_assigned_or_void_no_rule_touches(
    given: Given, project: Project, composite: Sample, other: Sample, alice: User
) -> None:
    assigned = given(name="VT-7K3M2A_1.txt", sample_code=None).measurement
    assign(assigned, composite, user=alice)
    gone = given(TEXT + b"900\t1\n", name="VT-7K3M2A_2.txt", sample_code=None).measurement
    void(gone, user=alice, reason="Wrong lamp.")
    save_rule(InboxRule(project=project, pattern="{sample}_*.txt"), alice)
    assert apply_now(project, alice) == 0


def test_the_same_bytes_in_two_projects_of_one_sender_are_no_conflict(
    given: Given, read: Read, alice: User
) -> None:
    """Members of the one project would read of the other."""
    second = Project.objects.create(name="Second", slug="second")
    Membership.objects.create(project=second, user=alice, role=Role.CONTRIBUTOR)
    Sample.objects.create(project=second, code="SE-1", state="powder")
    read(technique="pl")
    there = read(technique="pl", sample_code="SE-1")
    look_over(there)
    assert not Measurement.objects.inbox().exists()
