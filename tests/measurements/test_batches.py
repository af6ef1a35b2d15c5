"""Many files by a manifest: what is right is recorded, what is wrong waits with its reason."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone as clock
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from measurements.models import Batch, Blob, Measurement, RawFile
from measurements.services import assign, batches, move, quota, receive
from measurements.services.batches import FileError, Plan, read_manifest
from measurements.services.batches.verdicts import ERROR, MISSING
from measurements.store import BlobStore, Pending, store
from samples.models import Membership, Project, Role, Sample, User
from tests.conftest import person
from tests.measurements.conftest import TEXT, incoming

PLAIN = "sample,technique,file,role\n"


def content(number: int) -> bytes:
    return TEXT + b"%d\t1\n" % (900 + number)


def pending(data: bytes) -> Pending:
    upload = store().begin()
    upload.write(data)
    return upload


def rows_of(text: str | bytes, name: str = "manifest.csv", zone: Any = UTC) -> list[batches.manifest.Row]:
    data = text.encode() if isinstance(text, str) else text
    return read_manifest(io.BytesIO(data), name, size=len(data), zone=zone).rows


@pytest.fixture
def other(composite: Sample) -> Sample:
    return Sample.objects.create(project=composite.project, code="VT-OTHER", state="composite")


Begun = Callable[..., Batch]


@pytest.fixture
def begun(alice: User, project: Project, composite: Sample) -> Begun:
    """A batch of Alice's with some files in it."""

    def begin(table: str | bytes, files: dict[str, bytes] | None = None, name: str = "manifest.csv") -> Batch:
        data = table.encode() if isinstance(table, str) else table
        batch = batches.open_batch(user=alice, project=project, name=name, upload=pending(data), zone=UTC)
        for filename, sent in (files or {}).items():
            batches.add_file(batch, filename, pending(sent))
        return batch

    return begin


def states(plan: Plan) -> list[str]:
    return [verdict.state for verdict in plan.verdicts]


def recorded(batch: Batch) -> Batch:
    """What the worker does, whether or not it was few enough for the request."""
    batches.commit(batch, batch.created_by)
    batch.refresh_from_db()
    if batch.status == Batch.Status.QUEUED:
        batches.record_batch(batch)
        batch.refresh_from_db()
    return batch


# --- what becomes of right rows -------------------------------------------------------------------------


def test_right_rows_become_measurements_of_their_samples(begun: Begun, other: Sample) -> None:
    batch = begun(
        PLAIN + "VT-GLASS,pl,a.txt,\nVT-OTHER,Photoluminescence,b.txt,\n",
        {"a.txt": content(1), "b.txt": content(2)},
    )
    assert states(batches.plan_of(batch)) == ["ok", "ok"]
    assert not Measurement.objects.exists()
    assert recorded(batch).status == "done"
    made = {m.sample.code: m for m in Measurement.objects.select_related("sample") if m.sample}
    assert set(made) == {"VT-GLASS", "VT-OTHER"}
    assert made["VT-OTHER"].technique == "pl"
    assert made["VT-GLASS"].files.get().blob.sha256 == hashlib.sha256(content(1)).hexdigest()


def test_rows_with_the_same_measurement_are_one_with_several_files(begun: Begun) -> None:
    batch = begun(
        "sample,technique,file,role,measurement\n"
        "VT-GLASS,trpl,decay.txt,sample,A\nVT-GLASS,trpl,irf.txt,irf,A\nVT-GLASS,trpl,third.txt,,B\n",
        {"decay.txt": content(1), "irf.txt": content(2), "third.txt": content(3)},
    )
    recorded(batch)
    pairs = sorted(sorted((f.filename, f.role) for f in m.files.all()) for m in Measurement.objects.all())
    assert pairs == [[("decay.txt", "sample"), ("irf.txt", "irf")], [("third.txt", "")]]


def test_a_group_counts_within_its_sample_and_technique(begun: Begun, other: Sample) -> None:
    batch = begun(
        "sample,technique,file,group\nVT-GLASS,pl,a.txt,1\nVT-GLASS,pl,b.txt,1\nVT-OTHER,pl,c.txt,1\n",
        {name: content(n) for n, name in enumerate(["a.txt", "b.txt", "c.txt"])},
    )
    recorded(batch)
    assert sorted(m.files.count() for m in Measurement.objects.all()) == [1, 2]


def test_times_conditions_and_instrument_come_along(begun: Begun, project: Project) -> None:
    from measurements.services import add_instrument

    add_instrument(project=project, name="FLS-1")
    batch = begun(
        "sample;technique;file;acquired_at;instrument;temperature_c;gas;conditions\n"
        'VT-GLASS;pl;a.txt;2026-05-04T10:00:00+02:00;FLS-1;77,5;Ar;"{""cell"": 3}"\n',
        {"a.txt": content(1)},
    )
    recorded(batch)
    made = Measurement.objects.get()
    assert made.acquired_at == datetime(2026, 5, 4, 8, tzinfo=UTC)
    assert made.instrument is not None
    assert made.instrument.name == "FLS-1"
    assert made.conditions == {"temperature_c": 77.5, "gas": "Ar", "cell": 3}


def test_a_spreadsheet_is_a_manifest_too(begun: Begun) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["Sample", "Technique", "File name", "Temperature C"])
    page.append(["VT-GLASS", "pl", "a.txt", 77])
    out = io.BytesIO()
    book.save(out)
    batch = begun(out.getvalue(), {"a.txt": content(1)}, name="plan.xlsx")
    recorded(batch)
    assert Measurement.objects.get().conditions == {"temperature_c": 77}


def test_a_zip_with_a_manifest_in_it_is_a_whole_batch(begun: Begun) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("run1/manifest.csv", PLAIN + "VT-GLASS,pl,scans/a.txt,\nVT-GLASS,pl,b.txt,\n")
        archive.writestr("run1/scans/a.txt", content(1))
        archive.writestr("run1/b.txt", content(2))
        archive.writestr("__MACOSX/run1/._b.txt", b"rubbish")
    batch = begun(out.getvalue(), name="run1.zip")
    assert states(batches.plan_of(batch)) == ["ok", "ok"]
    recorded(batch)
    assert Measurement.objects.count() == 2


def test_what_an_archive_holds_is_durable_before_its_first_row(
    begun: Begun, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for this disk at a row that is not committed."""
    quota.set_quota(project, 10**6)
    outside = len(connection.savepoint_ids)
    kept: list[bool] = []

    def link_into_place(self: BlobStore, temporary: Any, stored: Any) -> None:
        kept.append(len(connection.savepoint_ids) == outside and not Blob.objects.exists())
        link(self, temporary, stored)

    link = BlobStore.link_into_place
    monkeypatch.setattr(BlobStore, "link_into_place", link_into_place)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("manifest.csv", PLAIN + "VT-GLASS,pl,a.txt,\nVT-GLASS,pl,b.txt,\n")
        archive.writestr("a.txt", content(1))
        archive.writestr("b.txt", content(2))
        archive.writestr("c/b.txt", content(2))
    batch = begun(out.getvalue(), name="run1.zip")
    assert kept == [True] * 4
    assert {file.name for file in batch.files.all()} == {"a.txt", "b.txt", "c/b.txt"}


def test_files_that_are_here_already_are_named_by_their_hash(
    begun: Begun, alice: User, other: Sample
) -> None:
    receive(user=alice, files=[incoming(content(1), "a.txt")], sample_code="VT-GLASS", technique="pl")
    sha256 = hashlib.sha256(content(1)).hexdigest()
    batch = begun(f"sample,technique,file,sha256\nVT-OTHER,pl,again.txt,{sha256}\n")
    recorded(batch)
    assert Measurement.objects.get(sample=other).files.get().filename == "again.txt"


def test_a_hash_of_a_file_that_one_may_not_see_is_no_way_to_it(
    begun: Begun, charlie: User, charlies: Sample
) -> None:
    receive(user=charlie, files=[incoming(content(1), "secret.txt")], sample_code=charlies.code)
    sha256 = hashlib.sha256(content(1)).hexdigest()
    batch = begun(f"sample,technique,file,sha256\nVT-GLASS,pl,mine.txt,{sha256}\n")
    assert states(batches.plan_of(batch)) == [MISSING]
    assert "secret" not in str(batches.plan_of(batch).verdicts)
    recorded(batch)
    assert not Measurement.objects.filter(sample__code="VT-GLASS").exists()


# --- what becomes of wrong rows -------------------------------------------------------------------------


def test_every_kind_of_mistake_is_told_with_its_row(
    begun: Begun, project: Project, alice: User, charlies: Sample
) -> None:
    looked_at = Project.objects.create(name="Looked at", slug="looked-at")
    Membership.objects.create(project=looked_at, user=alice, role=Role.VIEWER)
    Sample.objects.create(project=looked_at, code="LO-1", state="powder")
    Sample.objects.create(
        project=project, code="VOIDED", state="powder", voided_at=clock.now(), void_reason="spilled"
    )
    table = (
        "sample,technique,file,instrument\n"
        "VT-GLASS,pl,a.txt,\n"  # 2
        "VT-GLASZ,pl,b.txt,\n"  # 3
        "VT-GLASS,PXRDD,c.txt,\n"
        "LO-1,pl,d.txt,\n"
        "CH-1,pl,e.txt,\n"
        "VOIDED,pl,f.txt,\n"
        "VT-GLASS,pl,,\n"
        ",pl,g.txt,\n"
        "VT-GLASS,pl,h.txt,No such machine\n"
        "VT-GLASS,pl,../../etc/passwd,\n"
        "VT-GLASS,pl,C:\\data\\i.txt,\n"
        "VT-GLASS,pl,a.txt,\n"
    )
    batch = begun(table, {f"{letter}.txt": content(n) for n, letter in enumerate("abcdefgh")})
    told = {v.number: (v.state, " ".join(v.sentences)) for v in batches.plan_of(batch).verdicts}
    assert told[2][0] == "ok"
    expected = {
        3: "Did you mean VT-GLASS?",
        4: "“PXRDD” is not a technique. Did you mean xrd?",
        5: "You may look at LO-1 but not add to it",
        6: "There is no sample CH-1",
        7: "VOIDED is void (spilled)",
        8: "It names no file",
        9: "It names no sample",
        10: "There is no instrument “No such machine”",
        11: "a place on your own computer",
        12: "a place on your own computer",
        13: "Row 2 names the same file for the same sample and technique",
    }
    for number, sentence in expected.items():
        assert told[number][0] == ERROR, (number, told[number])
        assert sentence in told[number][1]


def test_the_files_of_wrong_rows_go_to_the_inbox_with_the_reason(begun: Begun) -> None:
    batch = begun(
        PLAIN + "VT-NONE-1,pl,a.txt,\nVT-GLASS,divination,b.txt,\nVT-GLASS,pl,c.txt,\n",
        {"a.txt": content(1), "b.txt": content(2), "c.txt": content(3)},
    )
    assert recorded(batch).status == "done"
    waiting = {m.files.get().filename: m for m in Measurement.objects.without_sample()}
    assert set(waiting) == {"a.txt", "b.txt"}
    assert waiting["a.txt"].claimed_code == "VT-NONE-1"
    assert "Row 2" in waiting["a.txt"].waits_because
    assert "is not a technique" in waiting["b.txt"].waits_because
    assert states(batches.plan_of(batch)) == ["inbox", "inbox", "done"]


def test_a_file_that_no_row_names_goes_to_the_inbox_too(begun: Begun) -> None:
    batch = begun(PLAIN + "VT-GLASS,pl,a.txt,\n", {"a.txt": content(1), "stray.txt": content(2)})
    assert [file.name for file in batches.plan_of(batch).unnamed] == ["stray.txt"]
    recorded(batch)
    stray = Measurement.objects.without_sample().get()
    assert stray.files.get().filename == "stray.txt"
    assert "no row of the manifest names it" in stray.waits_because


def test_nothing_that_was_sent_is_lost_whatever_the_table_says(begun: Begun) -> None:
    files = {f"{n}.txt": content(n) for n in range(8)}
    rows = ["VT-GLASS,pl,0.txt,", "X,pl,1.txt,", "VT-GLASS,?,2.txt,", ",,3.txt,", "VT-GLASS,pl,0.txt,", "a,b"]
    batch = begun(PLAIN + "\n".join(rows) + "\n", files)
    recorded(batch)
    kept = set(RawFile.objects.values_list("blob__sha256", flat=True))
    assert kept == {hashlib.sha256(sent).hexdigest() for sent in files.values()}


def test_rows_without_their_file_wait_and_go_on_when_it_comes(begun: Begun) -> None:
    batch = begun(PLAIN + "VT-GLASS,pl,a.txt,\nVT-GLASS,pl,late.txt,\n", {"a.txt": content(1)})
    assert states(batches.plan_of(batch)) == ["ok", "missing"]
    assert recorded(batch).status == "open"
    assert Measurement.objects.count() == 1
    batches.add_file(batch, "late.txt", pending(content(2)))
    assert recorded(batch).status == "done"
    assert Measurement.objects.count() == 2


def test_a_measurement_whose_second_file_is_missing_waits_as_a_whole(begun: Begun) -> None:
    batch = begun(
        "sample,technique,file,measurement\nVT-GLASS,pl,a.txt,A\nVT-GLASS,pl,late.txt,A\n",
        {"a.txt": content(1)},
    )
    assert states(batches.plan_of(batch)) == ["missing", "missing"]
    recorded(batch)
    assert not Measurement.objects.exists()


def test_one_wrong_row_of_a_measurement_sends_all_of_it_to_the_inbox(begun: Begun) -> None:
    batch = begun(
        "sample,technique,file,measurement\nVT-GLASS,pl,a.txt,A\nVT-OTHER-9,pl,b.txt,A\n",
        {"a.txt": content(1), "b.txt": content(2)},
    )
    assert states(batches.plan_of(batch)) == [ERROR, ERROR]
    recorded(batch)
    assert Measurement.objects.without_sample().get().files.count() == 2


@pytest.mark.parametrize("table", ["VT-NONE-1,pl,{},A,", "VT-GLASS,divination,{},A,"])
def test_a_late_file_follows_its_measurement_into_the_inbox_and_holds_nothing_up(
    begun: Begun, table: str
) -> None:
    rows = table.format("a.txt") + "\n" + table.format("b.txt").replace("divination", "pl") + "\n"
    batch = begun(
        "sample,technique,file,measurement,role\n" + rows + "VT-GLASS,pl,c.txt,B,\n", {"a.txt": content(1)}
    )
    assert recorded(batch).status == "open"
    batches.add_file(batch, "b.txt", pending(content(2)))
    batches.add_file(batch, "c.txt", pending(content(3)))
    assert recorded(batch).status == "done"
    waiting = {m.files.get().filename: m.waits_because for m in Measurement.objects.without_sample()}
    assert set(waiting) == {"a.txt", "b.txt"}
    assert "Row 2 of the same measurement is wrong" in waiting["b.txt"]
    assert Measurement.objects.get(sample__code="VT-GLASS").files.get().filename == "c.txt"


def test_a_mistake_of_ours_in_one_group_leaves_the_others_and_is_told(
    begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**known: Any) -> Any:
        if known["files"][0].name == "a.txt":
            raise AssertionError("never so")
        return receive(**known)

    monkeypatch.setattr("measurements.services.batches.recording.receive", broken)
    batch = begun(
        PLAIN + "VT-GLASS,pl,a.txt,\nVT-GLASS,pl,b.txt,\n", {"a.txt": content(1), "b.txt": content(2)}
    )
    assert recorded(batch).status == "open"
    assert Measurement.objects.get().files.get().filename == "b.txt"
    assert "not of yours" in " ".join(batches.plan_of(batch).verdicts[0].sentences)
    monkeypatch.undo()
    assert recorded(batch).status == "done"
    assert Measurement.objects.count() == 2


# --- twice is once --------------------------------------------------------------------------------------


def test_repeating_a_batch_changes_nothing(begun: Begun) -> None:
    table = PLAIN + "VT-GLASS,pl,a.txt,\nVT-NONE-1,pl,b.txt,\n"
    files = {"a.txt": content(1), "b.txt": content(2)}
    recorded(begun(table, files))
    before = list(Measurement.objects.order_by("pk").values("pk", "sample", "claimed_code", "content_key"))
    again = begun(table, files)
    assert "here already as measurement" in " ".join(batches.plan_of(again).verdicts[0].sentences)
    assert recorded(again).status == "done"
    assert (
        list(Measurement.objects.order_by("pk").values("pk", "sample", "claimed_code", "content_key"))
        == before
    )
    assert {row.measurement_id for row in again.rows.all()} == {row["pk"] for row in before}


def test_recording_twice_is_recording_once(begun: Begun) -> None:
    batch = recorded(begun(PLAIN + "VT-GLASS,pl,a.txt,\n", {"a.txt": content(1), "s.txt": content(2)}))
    Batch.objects.update(status="queued")
    batches.record_batch(batch)
    recorded(batch)
    assert Measurement.objects.count() == 2


def test_what_a_worker_left_when_it_was_killed_is_finished_by_the_next(
    begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from measurements.services.batches import recording

    batch = begun(
        PLAIN + "".join(f"VT-GLASS,pl,{n}.txt,\n" for n in range(7)),
        {f"{n}.txt": content(n) for n in range(7)},
    )
    real, calls = recording.receive, []

    def killed(**known: Any) -> Any:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(**known)

    monkeypatch.setattr(recording, "receive", killed)
    batches.commit(batch, batch.created_by)
    with pytest.raises(KeyboardInterrupt):
        batches.record_batch(batch)
    assert Measurement.objects.count() == 3
    Batch.objects.update(queued_at=clock.now() - timedelta(minutes=5))
    assert batches.requeue_batches() == 1
    assert batches.requeue_batches() == 0
    batches.record_batch(batch)
    batch.refresh_from_db()
    assert (batch.status, Measurement.objects.count()) == ("done", 7)


def test_a_mistake_of_ours_leaves_the_batch_open_and_not_for_ever_in_the_queue(
    begun: Begun, monkeypatch: pytest.MonkeyPatch
) -> None:
    from measurements.services.batches import recording

    def mistaken(**_: Any) -> Any:
        raise RuntimeError("of ours")

    batch = begun(PLAIN + "VT-GLASS,pl,a.txt,\n", {"a.txt": content(1)})
    monkeypatch.setattr(recording, "receive", mistaken)
    batches.commit(batch, batch.created_by)
    batch.refresh_from_db()
    assert batch.status == "open"
    monkeypatch.undo()
    assert recorded(batch).status == "done"


def test_many_rows_go_to_the_worker_and_few_do_not(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    few = begun(PLAIN + "VT-GLASS,pl,a.txt,\n", {"a.txt": content(1)})
    assert batches.commit(few, few.created_by).status == "done"
    many = begun(
        PLAIN + "".join(f"VT-GLASS,pl,{n}.txt,\n" for n in range(9)),
        {f"{n}.txt": content(n) for n in range(9)},
    )
    assert batches.commit(many, many.created_by).status == "queued"


def test_bytes_that_were_moved_away_are_told_before_they_are_put_back(
    begun: Begun, alice: User, other: Sample
) -> None:
    first = receive(user=alice, files=[incoming(content(1))], sample_code="VT-GLASS", technique="pl")
    move(first.measurement, other, user=alice, reason="The vials were swapped.")
    batch = begun(PLAIN + "VT-GLASS,pl,run7.txt,\n", {"run7.txt": content(1)})
    (verdict,) = batches.plan_of(batch).verdicts
    assert verdict.state == "warning"
    assert "The vials were swapped." in verdict.sentences[0]


def test_a_row_of_the_inbox_counts_as_done_once_somebody_has_assigned_it(
    begun: Begun, alice: User, composite: Sample
) -> None:
    batch = recorded(begun(PLAIN + "VT-NONE-1,pl,a.txt,\n", {"a.txt": content(1)}))
    assign(Measurement.objects.get(), composite, user=alice)
    assert states(batches.plan_of(batch)) == ["done"]


def test_the_inbox_tells_all_its_readers_nothing_of_a_sample_they_may_not_see(
    begun: Begun, alice: User
) -> None:
    own = Project.objects.create(name="Own", slug="own")
    Membership.objects.create(project=own, user=alice, role=Role.MANAGER)
    Sample.objects.create(
        project=own, code="OWN-1", state="powder", voided_at=clock.now(), void_reason="a secret reason"
    )
    batch = begun(PLAIN + "OWN-1,pl,a.txt,\nOWN-2,pl,b.txt,\n", {"a.txt": content(1), "b.txt": content(2)})
    told = [" ".join(verdict.sentences) for verdict in batches.plan_of(batch).verdicts]
    assert "a secret reason" in told[0]
    assert "OWN-1" in told[1]
    recorded(batch)
    waiting = {m.claimed_code: m.waits_because for m in Measurement.objects.without_sample()}
    assert "There is no sample OWN-1 that takes measurements" in waiting["OWN-1"]
    assert "secret" not in waiting["OWN-1"]
    assert "OWN-1" not in waiting["OWN-2"]


def test_a_measurement_one_may_not_see_is_not_told_where_its_bytes_were_before(
    begun: Begun, alice: User, charlies: Sample
) -> None:
    first = receive(user=alice, files=[incoming(content(1))], sample_code="VT-GLASS", technique="pl")
    guest = Membership.objects.create(project=charlies.project, user=alice, role=Role.CONTRIBUTOR)
    move(first.measurement, charlies, user=alice, reason="A secret of Charlie's.")
    guest.delete()
    batch = begun(PLAIN + "VT-GLASS,pl,run7.txt,\n", {"run7.txt": content(1)})
    (verdict,) = batches.plan_of(batch).verdicts
    assert verdict.sentences == ["These bytes were taken from VT-GLASS before."]


@pytest.mark.parametrize("by_hash", [False, True])
def test_nothing_is_recorded_from_bytes_that_rotted_since_they_came(begun: Begun, by_hash: bool) -> None:
    sha256 = hashlib.sha256(content(1)).hexdigest()
    named = sha256 if by_hash else ""
    batch = begun(f"sample,technique,file,sha256\nVT-GLASS,pl,a.txt,{named}\n", {"a.txt": content(1)})
    with store().local(sha256) as path:
        path.chmod(0o600)
        path.write_bytes(content(2))
    assert recorded(batch).status == "open"
    assert not Measurement.objects.exists()
    assert "has other bytes than were received" in batch.rows.get().outcome
    batches.add_file(batch, "a.txt", pending(content(1)))
    assert recorded(batch).status == "done"
    assert store().verify(Measurement.objects.get().files.get().blob.sha256)


# --- files ----------------------------------------------------------------------------------------------


def test_a_file_is_found_by_its_name_without_the_folder_if_only_one_fits(begun: Begun) -> None:
    batch = begun(
        PLAIN + "VT-GLASS,pl,a.txt,\nVT-GLASS,pl,twice.txt,\nVT-GLASS,pl,deep\\c.txt,\n",
        {"run/a.txt": content(1), "x/twice.txt": content(2), "y/twice.txt": content(3), "c.txt": content(4)},
    )
    assert states(batches.plan_of(batch)) == ["ok", "missing", "ok"]


def test_a_file_sent_again_with_other_bytes_replaces_the_first_which_is_kept(begun: Begun) -> None:
    batch = begun(PLAIN + "VT-GLASS,pl,a.txt,\n", {"a.txt": content(1)})
    batches.add_file(batch, "a.txt", pending(content(2)))
    recorded(batch)
    assert (
        Measurement.objects.get(sample__code="VT-GLASS").files.get().blob.sha256
        == hashlib.sha256(content(2)).hexdigest()
    )
    assert Measurement.objects.without_sample().count() == 1


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "", "a/../../b", "x" * 5000, "a\0b"]
)
def test_a_name_that_leads_out_is_only_ever_text(begun: Begun, name: str) -> None:
    batch = begun(PLAIN + "VT-GLASS,pl,a.txt,\n")
    file = batches.add_file(batch, name, pending(content(1)))
    assert ".." not in file.name.split("/")
    assert not file.name.startswith("/")
    assert 0 < len(file.name) <= 1000
    recorded(batch)


def test_the_same_file_twice_in_a_batch_is_one(begun: Begun) -> None:
    batch = begun(PLAIN + "VT-GLASS,pl,a.txt,\n", {"a.txt": content(1)})
    batches.add_file(batch, "a.txt", pending(content(1)))
    assert batch.files.count() == 1


# --- hostile tables -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (b"", "needs the titles"),
        (b"a,b\n1,2\n", "needs the titles"),
        (b"sample,file\n", "no rows"),
        (b"sample,file,file\nx,y,z\n", "Two columns are called"),
        (b"sample,file,techniqe\nx,y,z\n", "Did you mean “technique”"),
        (b"sample,file,=1+1\nx,y,z\n", "cannot be the name of a condition"),
        (b"sample,file\nVT-GL\xe4SS,a\n", "not UTF-8"),
        (b"\xd0\xcf\x11\xe0 old", "old XLS"),
        (b"PK\x03\x04 no zip at all", "damaged"),
    ],
)
def test_a_table_that_is_none_is_refused_as_a_whole(begun: Begun, table: bytes, sentence: str) -> None:
    with pytest.raises(FileError, match=sentence):
        begun(table)
    assert not Batch.objects.exists()


def test_a_table_beyond_its_limit_is_refused(begun: Begun) -> None:
    with pytest.raises(FileError, match="5000"):
        begun("sample,file\n" + "VT-GLASS,a.txt\n" * 5001)


def test_a_formula_is_never_computed_and_makes_its_row_wrong(begun: Begun) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["sample", "file", "temperature_c"])
    page.append(["VT-GLASS", "a.txt", "=1+1"])
    out = io.BytesIO()
    book.save(out)
    batch = begun(out.getvalue(), {"a.txt": content(1)}, name="plan.xlsx")
    (verdict,) = batches.plan_of(batch).verdicts
    assert verdict.state == ERROR
    assert "formula" in verdict.sentences[0]


def test_a_zip_that_reaches_out_of_its_folder_is_refused(begun: Begun) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("manifest.csv", PLAIN + "VT-GLASS,pl,a.txt,\n")
        archive.writestr("../../evil.txt", b"x")
    with pytest.raises(FileError, match="points out of its folder"):
        begun(out.getvalue(), name="run.zip")


def test_a_zip_without_a_manifest_is_refused_with_the_remedy(begun: Begun) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", content(1))
    with pytest.raises(FileError, match="holds no manifest"):
        begun(out.getvalue(), name="run.zip")


def test_a_time_without_a_zone_is_refused_where_no_zone_is_known() -> None:
    (row,) = rows_of("sample,file,acquired_at\nA,b,2026-05-04 10:00\n", zone=None)
    assert "with its zone" in row.wrong[0]
    (row,) = rows_of("sample,file,acquired_at\nA,b,2026-05-04 10:00\n", zone=timezone(timedelta(hours=2)))
    assert row.said["acquired_at"].startswith("2026-05-04T08:00")


@pytest.mark.parametrize(
    "conditions",
    ["[1]", '{"a": "\\u0000"}', '{"a": "\\ud800"}', '{"a": 1e999}', '{"a": NaN}', "[" * 3000, "text"],
)
def test_conditions_that_cannot_be_kept_make_their_row_wrong(begun: Begun, conditions: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["sample", "file", "conditions"], ["VT-GLASS", "a.txt", conditions]])
    batch = begun(out.getvalue(), {"a.txt": content(1)})
    assert states(batches.plan_of(batch)) == [ERROR]


def test_a_number_without_end_in_a_json_manifest_makes_its_row_wrong(begun: Begun) -> None:
    table = '{"tables": {"manifest": [{"sample": "VT-GLASS", "file": "a.txt", "mass_g": 1e999}]}}'
    batch = begun(table, {"a.txt": content(1)}, name="plan.json")
    assert states(batches.plan_of(batch)) == [ERROR]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=6), st.binary(max_size=60))
def test_no_table_does_more_than_be_refused(cells: list[list[str]], tail: bytes) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["sample", "technique", "file", "acquired_at", "conditions"], *cells])
    with contextlib.suppress(FileError):
        for row in rows_of(out.getvalue().encode() + tail):
            assert all(isinstance(sentence, str) for sentence in row.wrong)


# --- people ---------------------------------------------------------------------------------------------


def test_a_batch_is_its_makers_alone(begun: Begun, bob: User, charlie: User, project: Project) -> None:
    batch = begun(PLAIN + "VT-GLASS,pl,a.txt,\n")
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    for user in (bob, charlie, dora):
        assert not Batch.objects.visible_to(user).exists()
        with pytest.raises(PermissionDenied):
            batches.commit(batch, user)


def test_a_viewer_begins_no_batch(project: Project, bob: User) -> None:
    with pytest.raises(PermissionDenied):
        batches.open_batch(user=bob, project=project, name="m.csv", upload=pending(b"sample,file\na,b\n"))


def test_a_check_costs_the_same_queries_for_any_number_of_rows(begun: Begun) -> None:
    def cost(count: int) -> int:
        batch = begun(
            PLAIN + "".join(f"VT-GLASS,pl,{n}.txt,\n" for n in range(count)),
            {f"{n}.txt": content(n) for n in range(count)},
        )
        batch = Batch.objects.select_related("created_by", "project").get(pk=batch.pk)
        with CaptureQueriesContext(connection) as seen:
            batches.plan_of(batch)
        return len(seen)

    assert cost(2) == cost(20) <= 12


def test_every_scheduled_task_of_ours_has_limits_that_the_broker_takes() -> None:
    from celery import current_app

    from measurements import tasks

    for task in (tasks.record_batch, tasks.sweep_batches, tasks.reread_failed):
        soft_s = task.soft_time_limit or current_app.conf.task_soft_time_limit
        hard_s = task.time_limit or current_app.conf.task_time_limit
        assert soft_s <= hard_s, task.name
