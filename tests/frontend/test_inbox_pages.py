"""The inbox, its rules, batches and what is decided on the page of a measurement."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from measurements.models import Batch, Decision, InboxRule, Measurement
from measurements.services import look_over, read_measurement, receive, void
from samples.models import Project, Sample, User
from tests.measurements.conftest import TEXT, incoming
from tests.spectra import spectrum_file


@pytest.fixture
def other(composite: Sample) -> Sample:
    return Sample.objects.create(project=composite.project, code="VT-7K3M2A", state="composite")


def waiting(user: User, name: str = "run7.txt", number: int = 0, **known: str) -> Measurement:
    content = TEXT + b"%d\t1\n" % (900 + number)
    return receive(user=user, files=[incoming(content, name)], **known).measurement  # type: ignore[arg-type]


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_form_of_these_pages_leads_to_a_page(
    alices_browser: Client, alice: User, composite: Sample, other: Sample
) -> None:
    """A name that a page and the REST interface share would send a person's form to the latter."""
    waiting(alice)
    read_measurement(waiting(alice, number=1))
    row = waiting(alice, number=2, sample_code=composite.code)
    read_measurement(row)
    alices_browser.post(f"/measurements/{row.pk}/move/", {"sample": other.code, "reason": "Swapped."})
    table = SimpleUploadedFile("plan.csv", b"sample,file\nVT-GLASS,a.txt\n")
    batch = alices_browser.post("/batches/", {"project": "glass", "manifest": table})["Location"]
    alices_browser.post("/inbox/rules/", {"project": "glass", "pattern": "{sample}_*", "source": "filename"})
    pages = ["/inbox/", "/inbox/rules/", "/batches/", batch, f"/measurements/{row.pk}/"]
    targets = {
        target
        for url in pages
        for target in re.findall(r'(?:action|hx-post|hx-get|href)="([^"]*)"', page(alices_browser, url))
    }
    assert {
        target
        for target in targets
        if "/api/v1/" in target and "/datasets/" not in target and "/files/" not in target
    } == set()
    assert {"/inbox/assign/", f"{batch}commit/", f"/measurements/{row.pk}/move/"} <= targets


# --- the inbox ------------------------------------------------------------------------------------------


def test_a_similar_code_is_offered_but_not_filled_in(
    alices_browser: Client, alice: User, other: Sample
) -> None:
    row = waiting(alice, sample_code="VT-7K3N2A")
    text = page(alices_browser, "/inbox/")
    assert f'name="sample-{row.pk}" value=""' in text
    assert 'data-use="VT-7K3M2A"' in text


def test_each_reason_has_its_own_tab_and_count(alices_browser: Client, alice: User, other: Sample) -> None:
    waiting(alice, number=1)
    broken = receive(user=alice, files=[incoming(b"\x00\x01 nothing")], sample_code=other.code).measurement
    read_measurement(broken)
    assert len(alices_browser.get("/inbox/").context["page"].rows) == 2
    found = alices_browser.get("/inbox/?reason=format")
    assert [row.pk for row in found.context["page"].rows] == [broken.pk]
    assert "could not be read" in found.content.decode()
    assert {key: count for key, _, count in found.context["tabs"]} == {
        "": 2, "sample": 1, "format": 1, "technique": 0, "conflict": 0,
    }  # fmt: skip


def test_the_rail_counts_what_the_inbox_shows(alices_browser: Client, alice: User, other: Sample) -> None:
    waiting(alice)
    text = page(alices_browser, "/")
    assert 'aria-label="1 waiting for a person"' in text
    void(Measurement.objects.get(), user=alice, reason="Wrong lamp.")
    assert "waiting for a person" not in page(alices_browser, "/")


def test_many_get_their_technique_at_once(alices_browser: Client, alice: User, other: Sample) -> None:
    rows = [waiting(alice, number=n, sample_code=other.code, technique="unknown") for n in range(2)]
    alices_browser.post(
        "/inbox/decide/",
        {"measurement": [row.pk for row in rows], "for-all-technique": "pl", "technique": "ticked"},
    )
    assert set(Measurement.objects.values_list("technique", flat=True)) == {"pl"}


def test_voiding_in_the_inbox_needs_a_reason_and_can_be_undone(
    alices_browser: Client, alice: User, project: Project
) -> None:
    row = waiting(alice)
    refused = alices_browser.post("/inbox/decide/", {"void": row.pk}, follow=True)
    assert "Say why" in refused.content.decode()
    alices_browser.post("/inbox/decide/", {"void": row.pk, f"reason-{row.pk}": "Wrong lamp."})
    assert Measurement.objects.get().status == "void"
    assert "The inbox is empty." in page(alices_browser, "/inbox/")
    assert "Restore" in page(alices_browser, "/inbox/?reason=void")
    alices_browser.post("/inbox/decide/", {"restore": row.pk})
    assert Measurement.objects.get().status == "received"


def test_a_conflict_is_moved_or_kept_with_one_press(
    alices_browser: Client, alice: User, composite: Sample, other: Sample
) -> None:
    def conflicting(number: int) -> Measurement:
        row = waiting(alice, number=number, sample_code=composite.code, technique="pl")
        conditions = {"sample_name": {"value": other.code, "unit": ""}}
        Measurement.objects.filter(pk=row.pk).update(conditions=conditions)
        look_over(row)
        return row

    moved, kept = conflicting(1), conflicting(2)
    text = page(alices_browser, "/inbox/?reason=conflict")
    assert text.count(f"Move to {other.code}") == 2
    alices_browser.post("/inbox/decide/", {"move": moved.pk})
    alices_browser.post("/inbox/decide/", {"keep": kept.pk})
    moved.refresh_from_db()
    kept.refresh_from_db()
    assert (moved.sample, kept.sample) == (other, composite)
    assert Decision.objects.get(measurement=moved).reason == "VT-7K3M2A was found in the header."
    assert not Measurement.objects.inbox().exists()


def test_a_viewer_sees_the_inbox_and_decides_nothing(
    bobs_browser: Client, alice: User, composite: Sample
) -> None:
    row = waiting(alice, name="VT-GLASS_1.txt")
    text = page(bobs_browser, "/inbox/")
    assert "VT-GLASS_1.txt" in text
    assert 'name="only"' not in text
    for url, form in (
        ("/inbox/assign/", {"only": row.pk, f"sample-{row.pk}": composite.code}),
        ("/inbox/decide/", {"void": row.pk, f"reason-{row.pk}": "No."}),
        ("/inbox/decide/", {"reread": row.pk}),
    ):
        bobs_browser.post(url, form)
    row.refresh_from_db()
    assert (row.sample, row.status) == (None, "received")


def test_a_stranger_decides_nothing_of_ours(charlies_browser: Client, alice: User, project: Project) -> None:
    row = waiting(alice)
    charlies_browser.post("/inbox/decide/", {"void": row.pk, f"reason-{row.pk}": "No."})
    assert Measurement.objects.get().status == "received"


def test_the_inbox_costs_the_same_queries_for_any_number_of_rows(
    alices_browser: Client, alice: User, other: Sample
) -> None:
    def cost(numbers: range) -> int:
        for number in numbers:
            read_measurement(waiting(alice, f"VT-7K3N2{number % 10}_a.txt", number))
        with CaptureQueriesContext(connection) as seen:
            page(alices_browser, "/inbox/")
        return len(seen)

    assert cost(range(1)) == cost(range(1, 8))


# --- rules ----------------------------------------------------------------------------------------------


def test_a_rule_is_previewed_made_and_applied(alices_browser: Client, alice: User, other: Sample) -> None:
    row = waiting(alice, "VT-7K3M2A_PL.txt")
    form = {"project": "glass", "pattern": "{sample}_*.txt", "source": "filename"}
    tried = alices_browser.post("/inbox/rules/try/", form).content.decode()
    assert re.search(r"<strong>1 of 1</strong>", tried)
    assert "VT-7K3M2A" in tried
    assert alices_browser.post("/inbox/rules/", form).status_code == 302
    alices_browser.post("/inbox/rules/apply/", {"project": "glass"})
    row.refresh_from_db()
    assert row.sample == other
    assert "the rule {sample}_*.txt" in page(alices_browser, f"/measurements/{row.pk}/")


def test_a_pattern_that_cannot_work_is_refused_beside_its_field(
    alices_browser: Client, project: Project
) -> None:
    form = {"project": "glass", "pattern": "(a+)+$", "source": "filename"}
    answer = alices_browser.post("/inbox/rules/", form)
    assert answer.status_code == 422
    assert "Say with {sample}, once" in answer.content.decode()
    assert "Say with {sample}, once" in alices_browser.post("/inbox/rules/try/", form).content.decode()


def test_a_rule_is_changed_and_switched_off(alices_browser: Client, project: Project) -> None:
    alices_browser.post("/inbox/rules/", {"project": "glass", "pattern": "{sample}_*", "source": "filename"})
    rule = InboxRule.objects.get()
    form = {"pattern": "{sample}*", "source": "header", "header_key": "Sample"}
    assert alices_browser.post(f"/inbox/rules/{rule.pk}/", form).status_code == 302
    alices_browser.post(f"/inbox/rules/{rule.pk}/switch/")
    rule.refresh_from_db()
    assert (rule.pattern, rule.header_key, rule.enabled) == ("{sample}*", "Sample", False)


def test_who_is_no_manager_sees_rules_and_no_form(
    alices_browser: Client, bobs_browser: Client, project: Project
) -> None:
    alices_browser.post("/inbox/rules/", {"project": "glass", "pattern": "{sample}_*", "source": "filename"})
    rule = InboxRule.objects.get()
    text = page(bobs_browser, "/inbox/rules/")
    assert "{sample}_*" in text
    assert "New rule" not in text
    assert bobs_browser.get(f"/inbox/rules/{rule.pk}/").status_code == 403
    assert bobs_browser.post(f"/inbox/rules/{rule.pk}/switch/").status_code == 403


# --- the page of a measurement --------------------------------------------------------------------------


def test_a_measurement_is_moved_and_moved_back_on_its_page(
    alices_browser: Client, alice: User, composite: Sample, other: Sample
) -> None:
    row = receive(user=alice, files=[spectrum_file()], sample_code=composite.code).measurement
    url = f"/measurements/{row.pk}/"
    alices_browser.post(f"{url}move/", {"sample": other.code.lower(), "reason": "Swapped."})
    row.refresh_from_db()
    assert row.sample == other
    text = page(alices_browser, url)
    assert "moved from VT-GLASS to VT-7K3M2A" in text
    assert "Undo: back to VT-GLASS" in text
    alices_browser.post(f"{url}move/", {"sample": "VT-GLASS", "reason": "Undone: moved back."})
    row.refresh_from_db()
    assert row.sample == composite


def test_a_move_that_cannot_be_is_told_in_a_sentence(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row = receive(user=alice, files=[spectrum_file()], sample_code=composite.code).measurement
    url = f"/measurements/{row.pk}/move/"
    for form, sentence in (
        ({"sample": "NOT-THERE", "reason": "x"}, "There is no sample “NOT-THERE”"),
        ({"sample": composite.code, "reason": "x"}, "already belongs to VT-GLASS"),
        ({"sample": composite.code, "reason": ""}, "Say why"),
        ({"sample": "", "reason": "x"}, "Say which sample it belongs to"),
    ):
        assert sentence in alices_browser.post(url, form, follow=True).content.decode()


def test_the_history_of_both_samples_tells_of_a_move(
    alices_browser: Client, alice: User, composite: Sample, other: Sample
) -> None:
    row = receive(user=alice, files=[spectrum_file()], sample_code=composite.code).measurement
    alices_browser.post(f"/measurements/{row.pk}/move/", {"sample": other.code, "reason": "Swapped vials."})
    for code in (composite.code, other.code):
        text = page(alices_browser, f"/samples/{code}/history/")
        assert "Swapped vials." in text
        assert "<del>VT-GLASS</del> → <ins>VT-7K3M2A</ins>" in text


def test_a_void_measurement_says_so_and_is_restored_on_its_page(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row = receive(user=alice, files=[spectrum_file()], sample_code=composite.code).measurement
    url = f"/measurements/{row.pk}/"
    alices_browser.post(f"{url}void/", {"reason": "The lamp was off."})
    text = page(alices_browser, url)
    assert "This measurement is void." in text
    assert "The lamp was off." in text
    alices_browser.post(f"{url}restore/", {"reason": "It was on."})
    assert "This measurement is void." not in page(alices_browser, url)


def test_a_viewer_reads_the_decisions_and_makes_none(
    bobs_browser: Client, alice: User, composite: Sample, other: Sample
) -> None:
    row = receive(user=alice, files=[spectrum_file()], sample_code=composite.code).measurement
    url = f"/measurements/{row.pk}/"
    assert "Declare it void" not in page(bobs_browser, url)
    for act in ("move", "void", "restore", "reread", "keep"):
        form = {"sample": other.code, "reason": "Because."}
        assert bobs_browser.post(f"{url}{act}/", form).status_code == 403


# --- batches --------------------------------------------------------------------------------------------


def test_a_batch_goes_from_table_to_measurements_without_the_pages_script(
    alices_browser: Client, composite: Sample
) -> None:
    table = b"sample,technique,file\nVT-GLASS,pl,a.txt\nNONE-1,pl,b.txt\nVT-GLASS,pl,late.txt\n"
    begun = alices_browser.post(
        "/batches/",
        {
            "project": "glass",
            "manifest": SimpleUploadedFile("plan.csv", table),
            "file": [SimpleUploadedFile("a.txt", TEXT), SimpleUploadedFile("b.txt", TEXT + b"900\t1\n")],
        },
    )
    batch = Batch.objects.get()
    assert begun["Location"] == f"/batches/{batch.pk}/"
    text = page(alices_browser, f"/batches/{batch.pk}/")
    assert "There is no sample NONE-1 in your projects." in text
    assert "“late.txt” has not come with the batch." in text
    alices_browser.post(f"/batches/{batch.pk}/commit/")
    assert Measurement.objects.count() == 2
    alices_browser.post(
        f"/batches/{batch.pk}/files/", {"file": SimpleUploadedFile("late.txt", TEXT + b"901\t1\n")}
    )
    alices_browser.post(f"/batches/{batch.pk}/commit/")
    assert "All 3 rows have become something" in page(alices_browser, f"/batches/{batch.pk}/")
    assert "came for" not in page(alices_browser, "/inbox/")
    assert "There is no sample NONE-1" in page(alices_browser, "/inbox/")


def test_rows_are_shown_by_their_state(alices_browser: Client, composite: Sample) -> None:
    table = b"sample,file\nVT-GLASS,a.txt\nNONE-1,b.txt\n"
    form = {"project": "glass", "manifest": SimpleUploadedFile("plan.csv", table)}
    url = alices_browser.post("/batches/", form)["Location"]
    assert "a.txt" not in page(alices_browser, f"{url}?state=error")
    assert "No such rows." in page(alices_browser, f"{url}?state=done")


def test_a_batch_that_is_being_recorded_asks_again_by_itself(
    alices_browser: Client, composite: Sample
) -> None:
    form = {"project": "glass", "manifest": SimpleUploadedFile("plan.csv", b"sample,file\nVT-GLASS,a.txt\n")}
    url = alices_browser.post("/batches/", form)["Location"]
    assert "hx-get" not in page(alices_browser, url)
    Batch.objects.update(status="queued")
    assert "every 2s" in page(alices_browser, f"{url}?part=live")


@pytest.mark.parametrize("table", [b"", b"nothing,of,ours\n1,2,3\n", b"\xff\xfe\x00"])
def test_a_table_that_is_none_is_refused_on_the_page(
    alices_browser: Client, composite: Sample, table: bytes
) -> None:
    form = {"project": "glass", "manifest": SimpleUploadedFile("plan.csv", table)}
    answer = alices_browser.post("/batches/", form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


def test_a_viewer_begins_no_batch_and_sees_no_other_ones(
    alices_browser: Client, bobs_browser: Client, composite: Sample
) -> None:
    form = {"project": "glass", "manifest": SimpleUploadedFile("plan.csv", b"sample,file\nVT-GLASS,a.txt\n")}
    url = alices_browser.post("/batches/", form)["Location"]
    assert bobs_browser.get(url).status_code == 404
    form = {"project": "glass", "manifest": SimpleUploadedFile("plan.csv", b"sample,file\nVT-GLASS,a.txt\n")}
    assert bobs_browser.post("/batches/", form).status_code == 403
    assert "You may look, but not add." in page(bobs_browser, "/batches/")
