"""A measurement before the eyes: curves, switches, runs that arrive while one looks, and uploading."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from analysis.models import Run
from analysis.services import execute, request_runs
from measurements.models import Measurement
from measurements.services import read_measurement, receive
from samples.models import Sample, User
from tests.spectra import as_text, published_spectrum, spectrum_file


def work_on(measurement: Measurement) -> None:
    """What a worker does with a new file."""
    read_measurement(measurement)
    measurement.refresh_from_db()
    for run in request_runs(measurement):
        execute(run.pk)


@pytest.fixture
def spectrum(transactional_db: None, alice: User, composite: Sample) -> Measurement:
    received = receive(user=alice, files=[spectrum_file()], sample_code=composite.code, technique="pl")
    return received.measurement


def test_data_fit_components_and_residual_share_one_axis(
    desk: Page, live_server: LiveServer, spectrum: Measurement
) -> None:
    work_on(spectrum)
    desk.goto(f"{live_server.url}/measurements/{spectrum.pk}/")
    stage = desk.locator(".figure-stage")
    for name in ("data", "fit", "component I", "component II"):
        expect(stage.locator(".legendtext").get_by_text(name, exact=True)).to_be_visible()
    expect(stage.locator(".y2title")).to_have_text("Residual")
    expect(stage.locator(".xtitle")).to_have_text("Wavelength (nm)")
    centre = desk.locator(".params tr", has_text="centre").first
    expect(centre).to_contain_text(re.compile(r"68[23]\.\d+ ± 0\.\d+\snm"))


def test_electronvolts_come_with_their_jacobian_and_say_so(
    desk: Page, live_server: LiveServer, spectrum: Measurement
) -> None:
    work_on(spectrum)
    desk.goto(f"{live_server.url}/measurements/{spectrum.pk}/")
    expect(desk.locator(".xtitle")).to_have_text("Wavelength (nm)")
    desk.get_by_text("eV", exact=True).first.click()
    expect(desk.locator(".xtitle")).to_have_text("Photon energy (eV)")
    expect(desk.locator(".figure-notes")).to_contain_text("multiplied by λ²/hc")
    expect(desk).to_have_url(re.compile("unit=ev"))
    desk.go_back()
    expect(desk.locator(".xtitle")).to_have_text("Wavelength (nm)")


def test_the_page_follows_a_run_until_it_is_done(
    desk: Page, live_server: LiveServer, spectrum: Measurement
) -> None:
    desk.goto(f"{live_server.url}/measurements/{spectrum.pk}/")
    expect(desk.get_by_text("safe and waits to be read")).to_be_visible()
    work_on(spectrum)
    expect(desk.locator(".params tr", has_text="centre").first).to_be_visible()
    expect(desk.locator(".figure-stage .legendtext").get_by_text("fit", exact=True)).to_be_visible()


def test_run_again_refuses_what_the_method_cannot_use_beside_the_field(
    desk: Page, live_server: LiveServer, spectrum: Measurement, complaints: list[str]
) -> None:
    work_on(spectrum)
    desk.goto(f"{live_server.url}/measurements/{spectrum.pk}/")
    form = desk.locator("details.again", has_text="one or two Gaussians")
    form.locator("summary").click()
    form.get_by_label("max width").fill("-3")
    form.get_by_role("button", name="Run").click()
    expect(form.locator(".wrong")).to_contain_text("at least")
    complaints[:] = [said for said in complaints if "422" not in said]
    form.get_by_label("max width").fill("100")
    form.get_by_role("button", name="Run").click()
    expect(desk.locator(".runs .state.busy")).to_have_text("waiting")
    execute(Run.objects.get(status="queued").pk)
    expect(desk.locator(".runs .state", has_text="superseded")).to_be_visible()


def test_an_uploaded_file_is_safe_then_read_then_a_value(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None, tmp_path: Path
) -> None:
    content = as_text(*published_spectrum(7))
    path = tmp_path / f"{composite.code}_PL.txt"
    path.write_bytes(content)
    desk.goto(f"{live_server.url}/upload/")
    desk.locator("#files").set_input_files([path])
    row = desk.locator("#rows tr")
    expect(row.locator("[data-part=sample]")).to_have_value(composite.code)
    row.locator("[data-part=technique]").select_option("pl")
    desk.locator("#send").click()
    expect(row).to_contain_text("safe")
    expect(row.locator("code")).to_have_attribute("title", f"sha256 {hashlib.sha256(content).hexdigest()}")
    work_on(Measurement.objects.get())
    expect(row).to_contain_text(re.compile(r"read · PL peak I 68[23]\.\d+ ± 0\.\d+\snm"))


def test_a_file_dropped_on_any_page_arrives_in_the_upload_queue_with_the_sample_of_that_page(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None
) -> None:
    desk.goto(f"{live_server.url}/samples/{composite.code}/")
    desk.evaluate(
        """() => {
            const carried = new DataTransfer();
            carried.items.add(new File(["550\\t1\\n"], "dropped.txt", { type: "text/plain" }));
            for (const type of ["dragenter", "dragover", "drop"]) {
                const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: carried });
                document.querySelector("main").dispatchEvent(event);
            }
        }"""
    )
    expect(desk).to_have_url(re.compile("/upload/"))
    row = desk.locator("#rows tr")
    expect(row.locator("[data-part=name]")).to_have_text("dropped.txt")
    expect(row.locator("[data-part=sample]")).to_have_value(composite.code)


def test_each_file_has_its_own_outcome(
    desk: Page, live_server: LiveServer, composite: Sample, transactional_db: None, tmp_path: Path
) -> None:
    good, empty = tmp_path / "good.txt", tmp_path / "empty.txt"
    good.write_bytes(as_text(*published_spectrum(8)))
    empty.write_bytes(b"")
    desk.goto(f"{live_server.url}/upload/?sample={composite.code}")
    desk.locator("#files").set_input_files([good, empty])
    desk.locator("#send").click()
    rows = desk.locator("#rows tr")
    expect(rows.nth(0)).to_contain_text("safe")
    expect(rows.nth(1)).to_contain_text("safe")
    for measurement in Measurement.objects.all():
        read_measurement(measurement)
    expect(rows.nth(0).locator(".state")).to_contain_text("read")
    expect(rows.nth(1)).to_contain_text("could not be read")
    expect(rows.nth(1)).to_contain_text("empty")


def test_the_inbox_takes_a_suggestion_with_enter(
    desk: Page, live_server: LiveServer, alice: User, composite: Sample, transactional_db: None
) -> None:
    receive(user=alice, files=[spectrum_file(name=f"{composite.code}_275C.txt")], technique="pl")
    desk.goto(f"{live_server.url}/inbox/")
    field = desk.locator("[data-row]")
    expect(field).to_have_value(composite.code)
    field.focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("The inbox is empty.")).to_be_visible()
    assert Measurement.objects.get().sample == composite


def test_jobs_say_when_all_is_done(desk: Page, live_server: LiveServer, spectrum: Measurement) -> None:
    desk.goto(f"{live_server.url}/jobs/")
    expect(desk.get_by_role("status")).to_have_text("1 file to be read")
    work_on(spectrum)
    expect(desk.locator("#jobs h1")).to_have_text("All done")
    expect(desk.locator("#jobs tbody tr")).not_to_have_count(0)


def test_dashboards_draw_every_board(desk: Page, live_server: LiveServer, spectrum: Measurement) -> None:
    work_on(spectrum)
    desk.goto(f"{live_server.url}/dashboards/")
    expect(desk.locator("[data-figure]")).to_have_count(4)
    expect(desk.locator(".figure-stage .main-svg, .figure-said.empty").first).to_be_visible()
    expect(desk.locator(".figure-said.failed")).to_have_count(0)
