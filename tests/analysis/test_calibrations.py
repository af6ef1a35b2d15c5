"""Calibrations: the right one by instrument and date, on the record of its runs, followed when it changes."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone as clock

from analysis import services
from analysis.models import Calibration, Reanalysis, Run, Value
from analysis.services import recalibrating
from analysis.services.calibrations import dependents
from analysis.services.choosing import chosen_calibration
from analysis.services.requesting import NothingToRunError
from measurements.models import Measurement
from measurements.services import add_instrument, voiding
from samples.models import User
from tests.analysis.calibrating import (
    NEEDS,
    Laboratory,
    current,
    day,
    executed,
    given,
    laboratory,
    needs_sphere,
    takes_dark,
)
from tests.frontend.conftest import browser

__all__ = ["laboratory", "needs_sphere", "takes_dark"]


def test_the_one_valid_when_it_was_measured_is_chosen(laboratory: Laboratory) -> None:
    may = laboratory.calibrate(1, "dark", day(1))
    june = laboratory.calibrate(2, "dark", day(1, month=6))
    for at, expected in [(day(30, month=4), None), (day(20), may), (day(20, month=6), june)]:
        assert chosen_calibration(laboratory.measure(at.toordinal(), at), "dark") == expected


def test_validity_begins_with_its_instant_and_ends_before_that_of_its_end(laboratory: Laboratory) -> None:
    row = laboratory.calibrate(1, "dark", day(1), valid_until=day(2))
    moment = timedelta(microseconds=1)
    at = {day(1) - moment: None, day(1): row, day(2) - moment: row, day(2): None}
    for number, (when, expected) in enumerate(at.items()):
        assert chosen_calibration(laboratory.measure(10 + number, when), "dark") == expected, when


def test_one_without_an_end_ends_where_another_begins_and_goes_on_when_that_is_withdrawn(
    laboratory: Laboratory,
) -> None:
    first = laboratory.calibrate(1, "dark", day(1))
    short = laboratory.calibrate(2, "dark", day(10), valid_until=day(12))
    late = laboratory.measure(3, day(20))
    assert chosen_calibration(late, "dark") is None
    assert Calibration.objects.with_end().get(pk=first.pk).ends_at == day(10)
    services.withdraw_calibration(short, user=laboratory.alice, reason="shutter was open")
    assert chosen_calibration(late, "dark") == first
    assert Calibration.objects.with_end().get(pk=first.pk).ends_at is None


def test_one_with_an_end_of_its_own_goes_on_after_a_shorter_one(laboratory: Laboratory) -> None:
    long = laboratory.calibrate(1, "dark", day(1), valid_until=day(1, month=7))
    short = laboratory.calibrate(2, "dark", day(10), valid_until=day(12))
    assert chosen_calibration(laboratory.measure(3, day(11)), "dark") == short
    assert chosen_calibration(laboratory.measure(4, day(20)), "dark") == long


def test_of_two_that_begin_together_the_one_entered_last_holds(laboratory: Laboratory) -> None:
    laboratory.calibrate(1, "dark", day(1))
    second = laboratory.calibrate(2, "dark", day(1))
    assert chosen_calibration(laboratory.measure(3, day(5)), "dark") == second


def test_moments_are_compared_and_not_the_days_of_their_zones(laboratory: Laboratory) -> None:
    tokyo, honolulu = timezone(timedelta(hours=9)), timezone(timedelta(hours=-10))
    row = laboratory.calibrate(1, "dark", day(2, hour=1).replace(tzinfo=tokyo))  # 16:00 UTC on the 1st
    before = day(1, hour=5).replace(tzinfo=honolulu)  # 15:00 UTC on the 1st
    after = day(1, hour=7).replace(tzinfo=honolulu)
    assert chosen_calibration(laboratory.measure(2, before), "dark") is None
    assert chosen_calibration(laboratory.measure(3, after), "dark") == row


def test_another_instrument_or_kind_is_never_chosen(laboratory: Laboratory) -> None:
    laboratory.calibrate(1, "blank", day(1))
    other = add_instrument(project=laboratory.project, name="FLS-2")
    dark = laboratory.calibrate(2, "dark", day(1))
    assert chosen_calibration(laboratory.measure(3, day(5), instrument=other), "dark") is None
    measurement = laboratory.measure(4, day(5))
    assert chosen_calibration(measurement, "dark") == dark
    measurement.instrument = None
    assert chosen_calibration(measurement, "dark") is None


def test_what_serves_as_a_calibration_is_taken_as_it_is(laboratory: Laboratory) -> None:
    laboratory.calibrate(1, "dark", day(1))
    lamp = laboratory.calibrate(2, "spectral", day(5))
    assert chosen_calibration(lamp.measurement, "dark") is None


def test_a_run_is_given_it_and_keeps_which(laboratory: Laboratory, takes_dark: str) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    assert given(run, "dark") == row
    assert current() == pytest.approx(10 / 5)


def test_the_time_of_receipt_is_taken_where_no_other_is_known_and_the_run_says_so(
    laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", clock.now() - timedelta(days=1))
    unknown = laboratory.run(laboratory.measure(9, None), takes_dark)
    assert given(unknown, "dark") == row
    assert any("chosen by when it was received" in warning for warning in unknown.warnings)
    known = laboratory.run(laboratory.measure(19, clock.now()), takes_dark)
    assert known.warnings == []


def test_another_calibration_is_another_question(laboratory: Laboratory, takes_dark: str) -> None:
    measurement = laboratory.measure(9, day(5))
    bare = laboratory.run(measurement, takes_dark)
    laboratory.calibrate(4, "dark", day(1))
    assert laboratory.run(measurement, takes_dark).identity != bare.identity


def test_what_a_person_names_wins_and_is_left_alone(laboratory: Laboratory, takes_dark: str) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    measurement, other = laboratory.measure(9, day(5)), laboratory.measure(1, day(4))
    run, _ = services.request_run(measurement, takes_dark, user=laboratory.alice, inputs={"dark": other})
    executed(run)
    assert given(run, "dark") is None
    assert current() == pytest.approx(10 / 2)
    services.recalibrate()
    run.refresh_from_db()
    assert run.stale == ""
    assert current() == pytest.approx(10 / 2)
    services.withdraw_calibration(row, user=laboratory.alice, reason="wrong")
    run.refresh_from_db()
    assert run.stale == ""
    assert not [asked for asked in services.recalibrate() if asked.measurement == measurement]


def test_a_required_calibration_that_is_missing_says_where_to_add_it(
    laboratory: Laboratory, needs_sphere: str
) -> None:
    measurement = laboratory.measure(9, day(5))
    assert not Run.objects.exists()
    with pytest.raises(NothingToRunError, match="FLS-1 has none that is valid for 2026-05-05"):
        services.request_run(measurement, needs_sphere)
    measurement.instrument = None
    with pytest.raises(NothingToRunError, match="which instrument made measurement"):
        services.request_run(measurement, needs_sphere)


def test_what_waited_for_a_calibration_is_analysed_as_soon_as_there_is_one(
    laboratory: Laboratory, needs_sphere: str
) -> None:
    covered, early = laboratory.measure(9, day(5)), laboratory.measure(10, day(1, month=3))
    laboratory.calibrate(4, "sphere", day(1))
    assert [run.measurement for run in services.recalibrate(laboratory.instrument)] == [covered]
    assert services.recalibrate(laboratory.instrument) == []
    assert not Run.objects.filter(measurement=early).exists()


def planted(laboratory: Laboratory, key: str) -> dict[str, Run]:
    """Four measurements: of the first calibration, of the second, of none yet, of another instrument."""
    kind = "sphere" if key == NEEDS else "dark"
    other = add_instrument(project=laboratory.project, name="FLS-2")
    laboratory.calibrate(3, kind, day(1))
    laboratory.calibrate(4, kind, day(10))
    standard = laboratory.measure(5, day(1), sample=False, instrument=other)
    services.add_calibration(
        user=laboratory.alice, instrument=other, kind=kind, measurement=standard, valid_from=day(1)
    )
    found = {
        "first": laboratory.measure(11, day(5)),
        "second": laboratory.measure(12, day(15)),
        "elsewhere": laboratory.measure(13, day(5), instrument=other),
    }
    return {name: laboratory.run(measurement, key) for name, measurement in found.items()}


def kept(kind: str) -> list[Calibration]:
    return list(Calibration.objects.filter(kind=kind, instrument__name="FLS-1").order_by("pk"))


def stale() -> dict[int | None, str]:
    return dict(Run.objects.exclude(stale="").values_list("measurement", "stale"))


def test_withdrawing_flags_and_asks_again_exactly_what_was_computed_with_it(
    laboratory: Laboratory, takes_dark: str
) -> None:
    runs = planted(laboratory, takes_dark)
    _, second = kept("dark")
    services.withdraw_calibration(second, user=laboratory.alice, reason="shutter was open")
    assert stale() == {
        runs[
            "second"
        ].measurement_id: "The calibration “dark counts” of 10 May 2026 was withdrawn; the one of "
        "1 May 2026 takes its place."
    }
    (asked,) = services.recalibrate()
    assert asked.measurement == runs["second"].measurement
    assert (asked.trigger, asked.priority) == ("calibration", Run.Priority.REANALYSIS)
    assert asked.supersedes == runs["second"]
    assert services.recalibrate() == []
    executed(asked)
    assert given(asked, "dark") == kept("dark")[0]
    value = Value.objects.get(measurement=asked.measurement, current=True)
    assert value.value == pytest.approx(13 / 4)
    assert value.run is not None
    assert value.run.stale == ""
    assert services.recalibrate() == []


def test_one_query_for_each_role_finds_them_however_many_there_are(
    laboratory: Laboratory, takes_dark: str, django_assert_num_queries: object
) -> None:
    planted(laboratory, takes_dark)
    services.withdraw_calibration(kept("dark")[1], user=laboratory.alice, reason="shutter was open")
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = [run for _, runs in recalibrating.disagreeing() for run in runs]
    assert len(found) == 1


def test_without_another_the_values_stay_flagged_until_there_is_one(
    laboratory: Laboratory, needs_sphere: str
) -> None:
    runs = planted(laboratory, needs_sphere)
    for row in kept("sphere"):
        services.withdraw_calibration(row, user=laboratory.alice, reason="lamp drifted")
    assert set(stale()) == {runs["first"].measurement_id, runs["second"].measurement_id}
    assert stale()[runs["first"].measurement_id].endswith("was withdrawn, and no other is valid.")
    assert services.recalibrate() == []
    assert Value.objects.get(run=runs["first"]).current
    laboratory.calibrate(6, "sphere", day(1))
    asked = [run for run in services.recalibrate() if run.measurement and run.measurement.sample]
    assert {run.measurement_id for run in asked} == set(stale())
    assert services.recalibrate() == []


def test_an_optional_one_that_is_withdrawn_leaves_the_values_without_it(
    laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    services.withdraw_calibration(row, user=laboratory.alice, reason="wrong")
    (asked,) = services.recalibrate()
    executed(asked)
    assert given(asked, "dark") is None
    assert current() == pytest.approx(10)
    assert stale() == {asked.measurement_id: Run.objects.get(pk=asked.supersedes_id).stale}


def test_a_withdrawal_taken_back_makes_the_old_answer_current_without_computing(
    laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    services.withdraw_calibration(row, user=laboratory.alice, reason="wrong")
    for asked in services.recalibrate():
        executed(asked)
    services.restore_calibration(row, user=laboratory.alice)
    assert services.recalibrate() == []
    run.refresh_from_db()
    assert run.stale == ""
    assert Value.objects.get(current=True).run == run
    assert not Reanalysis.objects.filter(found=0).exists()


def test_a_withdrawal_taken_back_before_anything_was_asked_leaves_no_trace(
    laboratory: Laboratory, needs_sphere: str
) -> None:
    row = laboratory.calibrate(4, "sphere", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), needs_sphere)
    services.withdraw_calibration(row, user=laboratory.alice, reason="wrong")
    services.restore_calibration(row, user=laboratory.alice)
    assert stale() == {}
    assert services.recalibrate() == []
    assert Run.objects.filter(measurement=run.measurement).count() == 1


def test_a_better_one_takes_over_what_it_covers_and_nothing_else(
    laboratory: Laboratory, takes_dark: str
) -> None:
    runs = planted(laboratory, takes_dark)
    laboratory.calibrate(7, "dark", day(4), valid_until=day(6))
    assert stale() == {
        runs[
            "first"
        ].measurement_id: "The calibration “dark counts” of 1 May 2026 was replaced by the one of 4 May 2026."
    }
    assert [run.measurement for run in services.recalibrate()] == [runs["first"].measurement]


def test_a_first_one_takes_over_what_was_computed_without(laboratory: Laboratory, takes_dark: str) -> None:
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    laboratory.calibrate(4, "dark", day(1))
    assert stale()[run.measurement_id].startswith("Computed without dark counts;")
    (asked,) = services.recalibrate()
    executed(asked)
    assert current() == pytest.approx(10 / 5)


def test_replacing_takes_over_the_whole_validity_and_withdraws_the_old_one(
    laboratory: Laboratory, takes_dark: str
) -> None:
    runs = planted(laboratory, takes_dark)
    first, _ = kept("dark")
    better = laboratory.measure(7, day(1), sample=False)
    new = services.replace_calibration(first, better, user=laboratory.alice, reason="saturated")
    first.refresh_from_db()
    assert first.withdraw_reason == "saturated"
    assert (new.kind, new.valid_from, new.valid_until) == ("dark", first.valid_from, first.valid_until)
    (asked,) = services.recalibrate()
    executed(asked)
    assert asked.measurement == runs["first"].measurement
    assert given(asked, "dark") == new


def test_the_same_measurement_entered_anew_changes_no_value(laboratory: Laboratory, takes_dark: str) -> None:
    row = laboratory.calibrate(4, "dark", day(2))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    again = services.add_calibration(
        user=laboratory.alice,
        instrument=laboratory.instrument,
        kind="dark",
        measurement=row.measurement,
        valid_from=day(3),
    )
    assert services.recalibrate() == []
    assert stale() == {}
    assert given(run, "dark") == again
    assert recalibrating.flag() == 0


def test_a_run_still_waiting_is_asked_again_and_not_executed(laboratory: Laboratory, takes_dark: str) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    waiting, _ = services.request_run(laboratory.measure(9, day(5)), takes_dark, trigger="upload")
    services.withdraw_calibration(row, user=laboratory.alice, reason="wrong")
    (asked,) = services.recalibrate()
    waiting.refresh_from_db()
    assert (waiting.status, asked.status) == ("cancelled", "queued")
    assert services.recalibrate() == []


def test_a_calibration_whose_measurement_is_void_counts_no_more(
    laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    voiding.void(row.measurement, user=laboratory.alice, reason="wrong file")
    assert "rests on a measurement that does not count any more" in stale()[run.measurement_id]
    voiding.restore(row.measurement, user=laboratory.alice, reason="it was right")
    assert stale() == {}


def test_values_of_a_void_measurement_are_neither_flagged_nor_asked_for(
    laboratory: Laboratory, takes_dark: str
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    run = laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    assert run.measurement is not None
    voiding.void(run.measurement, user=laboratory.alice, reason="wrong sample")
    services.withdraw_calibration(row, user=laboratory.alice, reason="wrong")
    assert stale() == {}
    assert services.recalibrate() == []


def test_whoever_withdraws_is_told_what_depends_on_it(laboratory: Laboratory, takes_dark: str) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    assert dependents(row, laboratory.alice).sentence() == "No current value was computed with it."
    for level in (9, 10, 11):
        laboratory.run(laboratory.measure(level, day(5)), takes_dark)
    found = dependents(row, laboratory.alice)
    assert (found.runs, found.values, found.samples) == (3, 3, 1)
    assert found.sentence() == "3 values of 1 sample were computed with it."


def test_counts_leave_out_what_the_reader_may_not_see(
    laboratory: Laboratory, takes_dark: str, bob: User, charlie: User
) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    laboratory.run(laboratory.measure(9, day(5)), takes_dark)
    laboratory.sample.embargoed_until = clock.now().date() + timedelta(days=9)
    laboratory.sample.save()
    assert dependents(row, laboratory.alice).values == 1
    assert dependents(row, bob).runs == dependents(row, charlie).runs == 0
    assert Calibration.objects.for_list(bob).get().used_by == 0
    assert Calibration.objects.for_list(laboratory.alice).get().used_by == 1


def test_what_serves_as_a_calibration_does_not_wait_for_a_sample(laboratory: Laboratory) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    plain = laboratory.measure(5, day(1), sample=False)
    assert list(Measurement.objects.inbox()) == [plain]
    services.withdraw_calibration(row, user=laboratory.alice, reason="wrong")
    assert set(Measurement.objects.inbox()) == {plain, row.measurement}
    assert waiting_at_home(laboratory.alice) == 2


def waiting_at_home(user: User) -> int:
    return browser(user).get("/").content.decode().count("came without a code")


def test_only_managers_decide(laboratory: Laboratory, bob: User, charlie: User) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    for user in (bob, charlie, laboratory.instrument.account):
        with pytest.raises(PermissionDenied):
            services.withdraw_calibration(row, user=user, reason="no")
        with pytest.raises(PermissionDenied):
            services.restore_calibration(row, user=user)
        with pytest.raises(PermissionDenied):
            services.add_calibration(
                user=user,
                instrument=laboratory.instrument,
                kind="dark",
                measurement=row.measurement,
                valid_from=day(2),
            )
    row.refresh_from_db()
    assert row.withdrawn_at is None


def refused(laboratory: Laboratory, **said: object) -> dict[str, list[str]]:
    standard = laboratory.measure(4, day(1), sample=False)
    question = {
        "user": laboratory.alice,
        "instrument": laboratory.instrument,
        "kind": "dark",
        "measurement": standard,
        "valid_from": day(1),
    }
    with pytest.raises(ValidationError) as error:
        services.add_calibration(**question | said)
    assert not Calibration.objects.exists()
    return dict(error.value.message_dict)


def test_nonsense_is_refused_at_its_field(laboratory: Laboratory) -> None:
    assert "kind" in refused(laboratory, kind="horoscope")
    assert "valid_from" in refused(laboratory, valid_from=day(1).replace(tzinfo=None))
    assert "valid_from" in refused(laboratory, valid_from=day(1).replace(year=9999))
    assert "valid_until" in refused(laboratory, valid_until=day(1))
    assert "note" in refused(laboratory, note="n" * 5000)


def test_a_measurement_that_was_not_read_or_is_not_theirs_is_refused(
    laboratory: Laboratory, charlie: User
) -> None:
    standard = laboratory.measure(6, day(1), sample=False)
    Measurement.objects.filter(pk=standard.pk).update(status="failed", error="Unreadable.")
    standard.refresh_from_db()
    assert "gives no numbers" in refused(laboratory, measurement=standard)["measurement"][0]
    theirs = laboratory.measure(7, day(1), sample=False)
    Measurement.objects.filter(pk=theirs.pk).update(project=charlie.memberships.get().project, status="read")
    theirs.refresh_from_db()
    assert "There is no measurement" in refused(laboratory, measurement=theirs)["measurement"][0]


def test_a_measurement_of_another_instrument_needs_a_word(laboratory: Laboratory) -> None:
    other = add_instrument(project=laboratory.project, name="FLS-2")
    standard = laboratory.measure(6, day(1), sample=False, instrument=other)
    assert "was made by FLS-2" in refused(laboratory, measurement=standard)["measurement"][0]
    row = services.add_calibration(
        user=laboratory.alice,
        instrument=laboratory.instrument,
        kind="dark",
        measurement=standard,
        valid_from=day(1),
        from_elsewhere=True,
    )
    assert row.instrument == laboratory.instrument


def test_exactly_the_same_twice_is_refused(laboratory: Laboratory) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    with pytest.raises(ValidationError, match="entered already"):
        services.add_calibration(
            user=laboratory.alice,
            instrument=row.instrument,
            kind="dark",
            measurement=row.measurement,
            valid_from=day(1),
        )


def test_a_withdrawal_needs_a_reason_and_happens_once(laboratory: Laboratory) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    for reason in ("", "  \u200b", None):
        with pytest.raises(ValidationError):
            services.withdraw_calibration(row, user=laboratory.alice, reason=reason)
    with pytest.raises(ValidationError, match="not withdrawn"):
        services.restore_calibration(row, user=laboratory.alice)
    services.withdraw_calibration(row, user=laboratory.alice, reason="wrong")
    with pytest.raises(ValidationError, match="already"):
        services.withdraw_calibration(row, user=laboratory.alice, reason="again")
    row.refresh_from_db()
    assert (row.withdraw_reason, row.withdrawn_by) == ("wrong", laboratory.alice)


def test_the_history_keeps_who_withdrew_it_and_why(laboratory: Laboratory) -> None:
    row = laboratory.calibrate(4, "dark", day(1))
    services.withdraw_calibration(row, user=laboratory.alice, reason="lamp drifted")
    services.restore_calibration(row, user=laboratory.alice, reason="it had not")
    from pghistory.models import Events

    told = [
        event.pgh_context.get("reason") for event in Events.objects.tracks(row).order_by("pgh_created_at")
    ]
    assert told[-2:] == ["lamp drifted", "it had not"]
