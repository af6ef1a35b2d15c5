"""The inbox by keyboard, and a folder dropped as a batch."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from measurements.models import Batch, Measurement
from measurements.services import receive
from samples.models import Sample, User
from tests.measurements.conftest import TEXT, incoming

DROP = """
([zone, files]) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) carried.items.add(new File([text], name, { type: "text/plain" }));
  zone.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}
"""


def waiting(user: User, name: str, number: int, **known: str) -> Measurement:
    content = TEXT + b"%d\t1\n" % (900 + number)
    return receive(user=user, files=[incoming(content, name)], technique="pl", **known).measurement  # type: ignore[arg-type]


def test_rows_are_decided_with_j_k_and_enter_alone(
    desk: Page, live_server: LiveServer, alice: User, composite: Sample, transactional_db: None
) -> None:
    for number in range(3):
        waiting(alice, f"VT-GLASS_{number}.txt", number)
    desk.goto(f"{live_server.url}/inbox/")
    desk.keyboard.press("j")
    expect(desk.locator("tr[data-waiting]").nth(0).locator("[data-accept]")).to_be_focused()
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("k")
    desk.keyboard.press("Enter")
    expect(desk.locator("tr[data-waiting]")).to_have_count(2)
    # The next row stands where the last one stood: Enter again goes on.
    expect(desk.locator("tr[data-waiting]").nth(0).locator("[data-accept]")).to_be_focused()
    desk.keyboard.press("x")
    expect(desk.locator("tr[data-waiting]").nth(0).get_by_role("checkbox")).to_be_checked()
    desk.keyboard.press("Enter")
    expect(desk.locator("tr[data-waiting]")).to_have_count(1)
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("The inbox is empty.")).to_be_visible()
    assert set(Measurement.objects.values_list("sample__code", flat=True)) == {"VT-GLASS"}


def test_a_code_that_only_resembles_is_filled_in_by_hand_before_enter_takes_it(
    desk: Page, live_server: LiveServer, alice: User, composite: Sample, transactional_db: None
) -> None:
    Sample.objects.create(project=composite.project, code="VT-7K3M2A", state="composite")
    row = waiting(alice, "run.txt", 1, sample_code="VT-7K3N2A")
    desk.goto(f"{live_server.url}/inbox/")
    field = desk.locator(f"input[name=sample-{row.pk}]")
    expect(field).to_have_value("")
    desk.get_by_role("button", name="VT-7K3M2A").click()
    expect(field).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("The inbox is empty.")).to_be_visible()
    row.refresh_from_db()
    assert row.sample is not None
    assert row.sample.code == "VT-7K3M2A"


def test_void_with_a_reason_from_the_row_and_undone(
    desk: Page, live_server: LiveServer, alice: User, composite: Sample, transactional_db: None
) -> None:
    row = waiting(alice, "lamp.txt", 1)
    desk.goto(f"{live_server.url}/inbox/")
    desk.locator("summary", has_text="More").click()
    desk.get_by_label("Why is it void?").fill("The lamp alone.")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("The inbox is empty.")).to_be_visible()
    desk.goto(f"{live_server.url}/inbox/?reason=void")
    desk.get_by_role("cell", name="Restore").get_by_role("button").click()
    expect(desk.get_by_text("Nothing of what you see is void.")).to_be_visible()
    row.refresh_from_db()
    assert row.status == "received"


def test_a_manifest_dropped_with_its_files_becomes_a_batch(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None
) -> None:
    desk.goto(f"{live_server.url}/batches/")
    table = "sample,technique,file\nVT-GLASS,pl,a.txt\nVT-GLASS,pl,late.txt\nNONE-1,pl,b.txt\n"
    text = TEXT.decode()
    files = [["manifest.csv", table], ["a.txt", text], ["b.txt", text + "900\t1\n"]]
    zone = desk.locator("[data-batch-begin]")
    desk.evaluate(DROP, [zone.element_handle(), files])
    expect(desk.get_by_text("“late.txt” has not come with the batch.")).to_be_visible()
    desk.evaluate(DROP, [desk.locator("[data-batch]").element_handle(), [["late.txt", text + "901\t1\n"]]])
    expect(desk.get_by_text("waits for its file")).to_have_count(0)
    desk.get_by_role("button", name="Record").click()
    expect(desk.get_by_text("Everything of this batch is recorded.")).to_be_visible()
    assert Batch.objects.get().status == "done"
    assert Measurement.objects.filter(sample=composite).count() == 2
    assert Measurement.objects.without_sample().count() == 1


def test_a_rule_shows_what_it_would_do_while_it_is_typed(
    desk: Page, live_server: LiveServer, alice: User, composite: Sample, transactional_db: None
) -> None:
    waiting(alice, "VT-GLASS_1.txt", 1)
    desk.goto(f"{live_server.url}/inbox/rules/")
    expect(desk.get_by_text("Write a pattern")).to_be_visible()
    desk.get_by_label("Pattern").fill("{sample}_*.txt")
    expect(desk.locator("#trial").get_by_role("link", name="VT-GLASS", exact=True)).to_be_visible()
    desk.get_by_role("button", name="Make the rule").click()
    desk.get_by_role("button", name="Apply to what waits in").click()
    expect(desk.get_by_text("1 left the inbox of Glass composites.")).to_be_visible()
