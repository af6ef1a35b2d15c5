"""The run sheet: planned beside recorded, sentences where something is wrong, and what stands on a sample."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from measurements.models import Attachment
from measurements.services import receive
from samples.models import Exposure, Ingredient, Material, Preparation, Project, Sample, User
from samples.services import performing
from tests.measurements.test_attachments import PNG, log_text
from tests.spectra import spectrum_file


@pytest.fixture
def preparation(composite: Sample) -> Preparation:
    assert composite.preparation is not None
    return composite.preparation


@pytest.fixture
def bottle(project: Project, cspbi3: Material) -> Sample:
    return Sample.objects.create(
        project=project, code="LOT-1", state="powder", material=cspbi3, amount_g=1, mass_left_g=1
    )


@pytest.fixture
def url(preparation: Preparation) -> str:
    return f"/preparations/{preparation.pk}/"


def said(client: Client, url: str, **posted: object) -> str:
    """The page that follows, with its sentence."""
    answer = client.post(url, posted, follow=True)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def named(name: str, content: bytes) -> io.BytesIO:
    stream = io.BytesIO(content)
    stream.name = name
    return stream


def test_a_planned_preparation_waits_in_the_list_and_leads_to_its_sheet(
    alices_browser: Client, url: str
) -> None:
    assert f'href="{url}"' in alices_browser.get("/preparations/").content.decode()
    page = alices_browser.get(url).content.decode()
    assert "0 of 5 recorded" in page
    for word in ("Weigh", "Milling", "Sintering", "Quench", "800"):
        assert word in page


def test_a_weigh_out_in_milligrams_is_taken_from_the_lot(
    alices_browser: Client, url: str, preparation: Preparation, bottle: Sample
) -> None:
    row = preparation.ingredients.earliest("pk")
    Ingredient.objects.filter(pk=row.pk).update(planned_mass_g=0.05)
    page = said(alices_browser, f"{url}ingredients/{row.pk}/", mass_mg="50,6", sigma_mg="0.1", lot=bottle.pk)
    bottle.refresh_from_db()
    assert bottle.mass_left_g == pytest.approx(0.9494)
    assert "1 of 5 recorded" in page
    assert "+0.6\u202fmg (+1.2 %)" in page
    page = said(alices_browser, f"{url}ingredients/{row.pk}/", mass_mg="2000")
    assert "Say why" in page
    page = said(alices_browser, f"{url}ingredients/{row.pk}/", mass_mg="2000", reason="typo")
    assert "cannot be taken" in page
    said(alices_browser, f"{url}ingredients/{row.pk}/take-back/", reason="wrong boat")
    bottle.refresh_from_db()
    assert bottle.mass_left_g == pytest.approx(1)


def test_a_step_is_recorded_with_its_deviation_and_corrected_with_a_reason(
    alices_browser: Client, url: str, preparation: Preparation
) -> None:
    page = said(alices_browser, f"{url}steps/milling-1/", duration_min="62", rpm="800", notes="noisy jar")
    assert "Duration: +2\u202fmin" in page
    assert "noisy jar" in page
    assert "say why" in said(alices_browser, f"{url}steps/milling-1/", duration_min="61")
    said(alices_browser, f"{url}steps/milling-1/", duration_min="61", reason="misread")
    assert preparation.milling_steps.get().duration_min == 61
    said(alices_browser, f"{url}steps/milling-1/undo/", reason="other sample")
    assert not preparation.milling_steps.exists()


def test_the_time_is_now_unless_typed_and_unknown_when_ticked(
    alices_browser: Client, url: str, preparation: Preparation
) -> None:
    said(alices_browser, f"{url}steps/milling-1/")
    recorded = preparation.milling_steps.get().performed_at
    assert recorded is not None
    assert timezone.now() - recorded < timedelta(minutes=1)
    said(alices_browser, f"{url}steps/milling-1/", performed_at="2026-05-04T10:00", reason="late")
    assert preparation.milling_steps.get().performed_at.year == 2026  # type: ignore[union-attr]
    said(alices_browser, f"{url}steps/quench-3/", performed_at_unknown="1")
    assert preparation.quench_steps.get().performed_at is None


@pytest.mark.parametrize(
    ("path", "posted", "sentence"),
    [
        ("steps/milling-1/", {"duration_min": "an hour"}, "is not a number"),
        ("steps/milling-1/", {"duration_min": "-5"}, "cannot be -5"),
        ("steps/milling-1/", {"duration_min": "nan"}, "cannot be nan"),
        ("steps/milling-1/", {"rpm": "1e999"}, "cannot be inf"),
        ("steps/milling-1/", {"performed_at": "tomorrow"}, "is not a date"),
        ("steps/milling-1/", {"jar": "\u202egnp<script>" * 40}, "at most"),
        ("steps/sintering-2/", {"segment-1-ramp_c_per_min": "20"}, "target is missing"),
        ("steps/quench-9/", {}, "no step"),
        ("steps/", {"kind": "sorcery"}, "Choose what was done"),
        ("finish/", {}, "Not recorded yet"),
        ("attach/", {}, "Choose a file"),
        ("split/", {}, "between one and"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_recorded(
    alices_browser: Client, url: str, preparation: Preparation, path: str, posted: dict, sentence: str
) -> None:
    page = said(alices_browser, url + path, **posted)
    assert "Nothing was recorded" in page
    assert sentence in page
    assert all(place.performed is None for place in performing.sheet(preparation))


def test_a_log_and_a_photo_come_with_the_step_and_the_log_speaks(
    alices_browser: Client, url: str, preparation: Preparation, composite: Sample
) -> None:
    page = said(
        alices_browser,
        f"{url}steps/sintering-2/",
        log=named("furnace.txt", log_text()),
        file=named("boat.png", PNG),
    )
    assert "Furnace log: peak 281" in page
    assert "+6\u202f°C" in page
    assert page.count("/picture/") == 2
    sample = alices_browser.get(f"/samples/{composite.code}/").content.decode()
    assert 'class="logged"' in sample


def test_a_log_that_cannot_be_read_leaves_the_step_unrecorded(
    alices_browser: Client, url: str, preparation: Preparation
) -> None:
    page = said(alices_browser, f"{url}steps/sintering-2/", log=named("furnace.txt", b"nothing here"))
    assert "no rows of numbers" in page
    assert not preparation.sintering_steps.exists()
    assert not Attachment.objects.exists()


def test_finishing_makes_the_sample_and_splitting_gives_it_siblings(
    alices_browser: Client, url: str, preparation: Preparation, composite: Sample
) -> None:
    page = said(alices_browser, f"{url}finish/", **{"left_out": "1", f"amount-{composite.code}": "190"})
    assert "made. Measurements can come" in page
    composite.refresh_from_db()
    assert (composite.planned, composite.amount_g) == (False, 0.19)
    said(alices_browser, f"{url}split/", code=["VT-B", ""], portion_mg=["10", ""])
    assert Sample.objects.get(code="VT-B").amount_g == 0.01
    done = alices_browser.get("/preparations/?state=done").content.decode()
    assert f'href="{url}"' in done


def test_a_step_nobody_planned_is_added(alices_browser: Client, url: str, preparation: Preparation) -> None:
    assert "add-temperature_c" in alices_browser.get(f"{url}?add=drying").content.decode()
    page = said(alices_browser, f"{url}steps/", kind="drying", temperature_c="80")
    assert "not planned" in page
    assert preparation.otherstep_steps.get().temperature_c == 80


def test_the_numbers_follow_what_is_typed(alices_browser: Client, alice: User, project: Project) -> None:
    preparation = Preparation.objects.create(project=project)
    rows = []
    for name, mg in (("CsI", 144.17), ("PbI2", 255.83)):
        material = Material.objects.create(project=project, name=name, kind="precursor", formula=name)
        rows.append(
            Ingredient.objects.create(preparation=preparation, material=material, planned_mass_g=mg / 1000)
        )
    ask = f"/preparations/{preparation.pk}/numbers/"
    assert "0 of 2" in alices_browser.get(ask).content.decode()
    typed = {f"ingredient-{rows[0].pk}": "144.17", f"ingredient-{rows[1].pk}": "255,83"}
    page = alices_browser.get(ask, typed).content.decode()
    assert "0.99995" in page
    assert "CsI" in page
    assert "400" in page
    nonsense = {f"ingredient-{rows[0].pk}": "<script>", "x": "1e400"}
    assert "script" not in alices_browser.get(ask, nonsense).content.decode()


def test_ball_to_powder_ratio_and_dose_follow_too(alices_browser: Client, url: str) -> None:
    page = alices_browser.get(f"{url}numbers/").content.decode()
    assert "80 : 1" in page
    page = alices_browser.get(f"{url}numbers/", {"milling-1-powder_mass_g": "0.4"}).content.decode()
    assert "40 : 1" in page
    assert "Milling dose index" in page


def test_a_viewer_sees_the_sheet_without_any_form_and_may_not_post(bobs_browser: Client, url: str) -> None:
    page = bobs_browser.get(url).content.decode()
    assert 'method="post"' not in page.partition("<main")[2]
    assert bobs_browser.post(f"{url}steps/milling-1/").status_code == 403
    assert bobs_browser.post(f"{url}finish/").status_code == 403


def test_charlie_finds_no_sheet(charlies_browser: Client, url: str) -> None:
    assert charlies_browser.get(url).status_code == 404
    assert charlies_browser.get(f"{url}numbers/").status_code == 404
    assert url not in charlies_browser.get("/preparations/?state=all").content.decode()


def test_mixing_by_the_form(alices_browser: Client, bottle: Sample) -> None:
    answer = alices_browser.post(
        "/preparations/pool/", {"part": "LOT-1", "mass_mg": "100", "state": "powder"}
    )
    assert answer.status_code == 302, answer.content
    bottle.refresh_from_db()
    assert bottle.mass_left_g == pytest.approx(0.9)
    wrong = alices_browser.post("/preparations/pool/", {"part": "NOBODY", "mass_mg": "1", "state": "powder"})
    assert wrong.status_code == 422
    assert "no sample “NOBODY”" in wrong.content.decode()


# On the page of a sample


def test_an_exposure_names_the_measurements_before_and_after_it(
    alices_browser: Client, bottle: Sample, alice: User
) -> None:
    began = timezone.now() - timedelta(days=10)
    measured = {
        days: receive(
            user=alice,
            files=[spectrum_file(seed=days + 3)],
            sample_code=bottle.code,
            technique=technique,
            acquired_at=began + timedelta(days=days),
        ).measurement
        for days, technique in ((-2, "xrd"), (-1, "pl"), (1, "dsc"), (3, "raman"), (4, "tga"))
    }
    Exposure.objects.create(
        sample=bottle, kind="immersion", medium="water", started_at=began, ended_at=began + timedelta(days=2)
    )
    page = alices_browser.get(bottle.get_absolute_url()).content.decode()
    listed = page[page.index('id="exposures"') :]
    assert f'before: <a href="{measured[-1].get_absolute_url()}">Photoluminescence</a>' in listed
    assert f'after: <a href="{measured[3].get_absolute_url()}">Raman</a>' in listed
    assert f'"{measured[1].get_absolute_url()}"' not in listed, "it lies within"


def test_exposures_and_files_stand_on_the_page_of_the_sample(alices_browser: Client, bottle: Sample) -> None:
    at = f"/samples/{bottle.code}/"
    page = said(
        alices_browser,
        f"{at}exposures/",
        kind="humidity",
        humidity_percent="75",
        medium="box 3",
        notes="dark",
    )
    assert "75\u202f% humidity" in page
    row = Exposure.objects.get()
    assert "ended now" in said(alices_browser, f"/exposures/{row.pk}/end/")
    assert "ended already" in said(alices_browser, f"/exposures/{row.pk}/end/")
    page = said(alices_browser, f"{at}exposures/", kind="heat", temperature_c="-500")
    assert "Nothing was recorded" in page
    assert "Say why" in said(alices_browser, f"/exposures/{row.pk}/remove/")
    said(alices_browser, f"/exposures/{row.pk}/remove/", reason="another vial")
    assert not Exposure.objects.exists()
    page = said(alices_browser, f"{at}attach/", file=named("vial.png", PNG), file_note="under UV")
    attached = Attachment.objects.get()
    assert f"/api/v1/attachments/{attached.pk}/picture/" in page
    assert "under UV" in page
    assert attached.blob.sha256[:8] in page
    page = said(alices_browser, f"/attachments/{attached.pk}/withdraw/", reason="blurred")
    assert f"/api/v1/attachments/{attached.pk}/picture/" not in page


def test_a_file_that_is_no_picture_is_only_linked_never_shown(alices_browser: Client, bottle: Sample) -> None:
    page = said(
        alices_browser,
        f"/samples/{bottle.code}/attach/",
        file=named("evil.png", b"<script>alert(1)</script>"),
    )
    assert "evil.png" in page
    assert "<img" not in page.partition("attachments-title")[2].partition("</section>")[0]


def test_the_sample_leads_to_its_run_sheet(alices_browser: Client, composite: Sample, url: str) -> None:
    page = alices_browser.get(f"/samples/{composite.code}/").content.decode()
    assert f'href="{url}">Record what was done' in page


def test_every_form_of_a_sheet_leads_to_a_page_and_not_into_the_interface_for_scripts(
    alices_browser: Client, url: str, bottle: Sample
) -> None:
    said(alices_browser, f"{url}steps/milling-1/", file=named("boat.png", PNG))
    said(alices_browser, f"/samples/{bottle.code}/exposures/", kind="heat")
    for path in (url, f"/samples/{bottle.code}/"):
        forms = re.findall(r'<form method="post" action="([^"]+)"', alices_browser.get(path).content.decode())
        assert forms
        assert [action for action in forms if action.startswith("/api/")] == []


def test_a_sample_that_is_called_made_has_its_amount_on_the_ledger(
    alices_browser: Client, composite: Sample
) -> None:
    said(alices_browser, f"/samples/{composite.code}/made/", amount_mg="190")
    composite.refresh_from_db()
    assert (composite.planned, composite.amount_g, composite.mass_left_g) == (False, 0.19, 0.19)
    page = said(alices_browser, f"/samples/{composite.code}/made/", amount_mg="200")
    assert "Nothing was recorded" in page
