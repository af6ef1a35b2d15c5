"""Uploading before the eyes: pause, reload, go on; folders; and what the server forgot."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from measurements.models import Measurement, Upload
from samples.models import Sample

MB = 1_000_000
CONTENT = os.urandom(MB) * 12 + b"the end"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def line(desk: Page) -> CDPSession:
    """The line to the server, which can be made slow."""
    session = desk.context.new_cdp_session(desk)
    session.send("Network.enable")
    return session


def carry(line: CDPSession, bytes_per_s: int) -> None:
    line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s},
    )


def test_a_large_file_is_paused_resumed_and_goes_on_after_a_reload(
    desk: Page,
    live_server: LiveServer,
    composite: Sample,
    transactional_db: None,
    tmp_path: Path,
    line: CDPSession,
) -> None:
    path = tmp_path / "map.bin"
    path.write_bytes(CONTENT)
    desk.on("dialog", lambda dialog: dialog.accept())  # yes, leave while it is being sent
    desk.goto(f"{live_server.url}/upload/?sample={composite.code}")
    desk.locator("#files").set_input_files([path])
    carry(line, 2 * MB)
    desk.locator("#send").click()
    row = desk.locator("#rows tr")
    pause = row.locator("[data-part=pause]")
    expect(row.locator(".state")).to_have_text(re.compile(r"([2-9]\d)\s%"))
    pause.click()
    expect(row.locator(".state")).to_have_text(re.compile(r"paused at \d+\s%"))
    expect(pause).to_have_text("Resume")
    pause.click()
    expect(row.locator(".state")).to_have_text(re.compile(r"^([4-9]\d)\s%"))
    desk.reload()
    begun = desk.locator("#unfinished li")
    expect(begun).to_contain_text(re.compile(r"map\.bin \d+\s% of 12\sMB"))
    assert Measurement.objects.count() == 0
    carry(line, -1)
    desk.locator("#files").set_input_files([path])
    expect(row).to_contain_text(re.compile(r"[1-9]\d*\s% of it is here already"))
    expect(begun).to_have_count(0)
    desk.locator("#send").click()
    expect(row.locator("code")).to_have_attribute("title", f"sha256 {SHA256}")
    upload = Upload.objects.get()
    assert upload.receipt["files"][0]["sha256"] == SHA256
    assert Measurement.objects.get().sample == composite
    desk.reload()
    expect(desk.locator("#unfinished")).to_be_hidden()


def test_on_a_tablet_the_hash_that_says_safe_is_in_sight(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None, tmp_path: Path
) -> None:
    path = tmp_path / f"{composite.code}_a_name_as_long_as_instruments_make_them_20261120.bin"
    path.write_bytes(b"\0\1\2")
    desk.set_viewport_size({"width": 820, "height": 1180})
    desk.goto(f"{live_server.url}/upload/")
    desk.locator("#files").set_input_files([path])
    desk.locator("#send").click()
    expect(desk.locator("#rows code")).to_be_in_viewport(ratio=1)


def test_files_that_were_chosen_before_the_script_came_are_not_lost(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None, tmp_path: Path
) -> None:
    path = tmp_path / "early.bin"
    path.write_bytes(b"\0\1\2")
    held: list[Route] = []
    desk.route("**/upload.*js", lambda route: held.append(route))
    desk.goto(f"{live_server.url}/upload/", wait_until="commit")
    desk.locator("#files").set_input_files([path])
    held[0].continue_()
    expect(desk.locator("#rows tr")).to_contain_text("early.bin")


def test_a_file_that_is_cancelled_leaves_nothing(
    desk: Page,
    live_server: LiveServer,
    composite: Sample,
    transactional_db: None,
    tmp_path: Path,
    line: CDPSession,
) -> None:
    path = tmp_path / "map.bin"
    path.write_bytes(CONTENT)
    desk.goto(f"{live_server.url}/upload/")
    desk.locator("#files").set_input_files([path])
    carry(line, 2 * MB)
    desk.locator("#send").click()
    row = desk.locator("#rows tr")
    expect(row.locator(".state")).to_have_text(re.compile(r"[1-9]\d*\s%"))
    with desk.expect_response(lambda answer: answer.request.method == "DELETE"):
        row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_count(0)
    expect(desk.locator("#unfinished")).to_be_hidden()
    assert (Upload.objects.count(), Measurement.objects.count()) == (0, 0)


def test_a_folder_that_is_dropped_becomes_one_measurement_with_the_places_of_its_files(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None, tmp_path: Path
) -> None:
    inside = tmp_path / f"{composite.code}_nmr" / "1" / "pdata" / "1"
    inside.mkdir(parents=True)
    (inside / "1r").write_bytes(b"real part")
    (inside.parent.parent / "fid").write_bytes(b"decay")
    (inside.parent.parent / ".DS_Store").write_bytes(b"litter")
    desk.goto(f"{live_server.url}/upload/")
    drop(desk, tmp_path / f"{composite.code}_nmr")
    row = desk.locator("#rows tr")
    expect(row.locator("[data-part=name]")).to_have_text(f"{composite.code}_nmr/")
    expect(row).to_contain_text("2 files")
    expect(row.locator("[data-part=sample]")).to_have_value(composite.code)
    desk.locator("#send").click()
    expect(row).to_contain_text("safe")
    names = Measurement.objects.get().files.values_list("filename", flat=True)
    folder = f"{composite.code}_nmr/1"
    assert sorted(names) == [f"{folder}/fid", f"{folder}/pdata/1/1r"]


def drop(desk: Page, path: Path) -> None:
    """As the desktop does it: only so does the page get a folder."""
    box = desk.locator("[data-drop]").bounding_box()
    assert box is not None
    session = desk.context.new_cdp_session(desk)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send(
            "Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 9, "y": box["y"] + 9, "data": data}
        )


def test_what_the_server_forgot_begins_anew(
    desk: Page,
    live_server: LiveServer,
    composite: Sample,
    transactional_db: None,
    tmp_path: Path,
    line: CDPSession,
    complaints: list[str],
) -> None:
    path = tmp_path / "map.bin"
    path.write_bytes(CONTENT)
    desk.goto(f"{live_server.url}/upload/")
    desk.locator("#files").set_input_files([path])
    carry(line, 2 * MB)
    desk.locator("#send").click()
    row = desk.locator("#rows tr")
    expect(row.locator(".state")).to_have_text(re.compile(r"[1-9]\d*\s%"))
    row.locator("[data-part=pause]").click()
    Upload.objects.all().delete()
    carry(line, -1)
    desk.reload()
    expect(desk.locator("#unfinished")).to_be_hidden()
    desk.locator("#files").set_input_files([path])
    desk.locator("#send").click()
    expect(row.locator("code")).to_have_attribute("title", f"sha256 {SHA256}")
    complaints[:] = [text for text in complaints if "404" not in text]


def test_the_technique_can_be_said_after_the_file_is_safe(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None, tmp_path: Path
) -> None:
    path = tmp_path / "scan.txt"
    path.write_bytes(b"550\t1\n551\t2\n")
    desk.goto(f"{live_server.url}/upload/?sample={composite.code}")
    desk.locator("#files").set_input_files([path])
    desk.locator("#send").click()
    row = desk.locator("#rows tr")
    expect(row).to_contain_text("safe")
    with desk.expect_response(lambda answer: answer.request.method == "PATCH"):
        row.locator("[data-part=technique]").select_option("uvvis")
    assert Measurement.objects.get().technique == "uvvis"


def test_files_sent_together_are_one_measurement_and_each_can_be_given_its_role(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None, tmp_path: Path
) -> None:
    for name in ("first.csv", "second.csv"):
        (tmp_path / name).write_bytes(name.encode())
    desk.goto(f"{live_server.url}/upload/?sample={composite.code}")
    desk.locator("#files").set_input_files([tmp_path / "first.csv", tmp_path / "second.csv"])
    row = desk.locator("#rows tr")
    expect(row).to_have_count(2)
    expect(desk.locator("#together")).to_be_hidden()
    desk.locator("#all-technique").select_option("plqy")
    expect(desk.locator("#together")).to_contain_text("2 files")
    desk.locator("#make-one").click()
    expect(row).to_have_count(1)
    desk.locator("#as-one").uncheck()
    expect(row).to_have_count(2)
    desk.locator("#as-one").check()
    expect(row).to_have_count(1)
    expect(desk.locator("#together")).to_be_hidden()
    roles = row.locator("[data-part=roles] select")
    expect(roles).to_have_count(2)
    roles.nth(0).select_option("on_beam")
    roles.nth(1).select_option("empty")
    desk.locator("#send").click()
    expect(row).to_contain_text("safe")
    files = Measurement.objects.get(sample=composite).files
    assert dict(files.values_list("filename", "role")) == {"first.csv": "on_beam", "second.csv": "empty"}
