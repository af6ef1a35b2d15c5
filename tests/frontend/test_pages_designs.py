"""The array designer, labels and scanned codes, as people meet them."""

from __future__ import annotations

from typing import Any

import pypdfium2
import pytest
from django.test import Client

from samples.models import Design, Material, Preparation, Project, Sample, User
from samples.services.designs import create_design, read_array
from tests.samples.test_designs import SAID

FORM = {
    "in_project": "glass",
    "name": "First array",
    "perovskite": ["CsPbI3"],
    "glass": ["agZIF-62"],
    "loadings": "5, 10, 25",
    "temperatures": "250 to 300 step 25",
    "quenches": ["liquid_nitrogen"],
    "milling_times": "60",
    "batch_mg": "200",
    "ramp_c_per_min": "20",
    "hold_min": "0",
    "replicates": "1",
    "furnace_capacity": "3",
    "jars": "1",
    "seed": "7",
}


@pytest.fixture
def materials(project: Project, cspbi3: Material, zif_glass: Material) -> None:
    """Those that FORM names."""


@pytest.fixture
def design(alice: User, project: Project, materials: None) -> Design:
    return create_design(user=alice, array=read_array(project, SAID), name="Campaign")


def test_the_forecast_stands_beside_the_form_and_creates_nothing(
    alices_browser: Client, materials: None
) -> None:
    text = alices_browser.post("/designs/new/forecast/", FORM).content.decode()
    assert "Create 9 planned samples" in text
    assert "There is no lot of CsPbI3" in text
    assert text.count("+1</strong>") == 9
    assert not Design.objects.exists()


def test_a_forecast_needs_no_name_and_says_what_else_is_missing(
    alices_browser: Client, materials: None
) -> None:
    assert "Create 9" in alices_browser.post("/designs/new/forecast/", FORM | {"name": ""}).content.decode()
    text = alices_browser.post("/designs/new/forecast/", FORM | {"loadings": "5, many"}).content.decode()
    assert "Loadings: Loadings: “many” is no number" not in text
    assert "“many” is no number" in text
    assert "Create" not in text


def test_one_click_creates_the_samples(alices_browser: Client, materials: None) -> None:
    answer = alices_browser.post("/designs/new/", FORM | {"create": "1"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/designs/{Design.objects.get().pk}/"
    text = answer.content.decode()
    assert "9 samples are planned" in text
    assert all(code in text for code in Sample.objects.values_list("code", flat=True))
    assert Design.objects.get().seed == 7


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"loadings": "120"}, "between 0 and 1"),
        ({"loadings": "nan"}, "no number"),
        ({"loadings": ""}, "required"),
        ({"loadings": "5, 5"}, "twice"),
        ({"temperatures": "-400"}, "Temperatures"),
        ({"ramp_c_per_min": "-5"}, "greater than or equal to 0"),
        ({"batch_mg": "0"}, "above zero"),
        ({"batch_mg": "1e400"}, "number"),
        ({"perovskite": ["Unobtainium"]}, "valid choice"),
        ({"perovskite": []}, "at least one perovskite"),
        ({"name": "a\u202eb"}, "U+202E"),
        ({"name": ""}, "required"),
        ({"cells": "2"}, "at least 3 of the 9"),
        ({"seed": ""}, "required"),
        ({"loadings": "0 to 100 step 0.0001"}, "at most 60 levels"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_is_saved(
    alices_browser: Client, materials: None, changes: dict[str, Any], sentence: str
) -> None:
    answer = alices_browser.post("/designs/new/", FORM | {"create": "1"} | changes)
    assert answer.status_code == 422
    assert sentence in answer.content.decode().replace("&#x27;", "'")
    assert not Design.objects.exists()
    assert not Sample.objects.exists()


def test_a_viewer_designs_nothing_and_an_outsider_not_here(
    bobs_browser: Client, charlies_browser: Client, materials: None
) -> None:
    assert "no project that you may add to" in bobs_browser.get("/designs/new/").content.decode()
    assert bobs_browser.post("/designs/new/forecast/", FORM).status_code == 404
    assert charlies_browser.post("/designs/new/", FORM | {"create": "1"}).status_code == 404
    assert not Design.objects.exists()


def test_a_viewer_reads_a_design_without_buttons_to_change_it(bobs_browser: Client, design: Design) -> None:
    text = bobs_browser.get(f"/designs/{design.pk}/").content.decode()
    assert "Weighing table" in text
    assert "Withdraw" not in text
    assert bobs_browser.post(f"/designs/{design.pk}/withdraw/").status_code == 403
    assert "Campaign" in bobs_browser.get("/designs/").content.decode()


def test_a_design_is_withdrawn_and_says_so(alices_browser: Client, design: Design) -> None:
    page = alices_browser.get(f"/designs/{design.pk}/").content.decode()
    assert "Its 9 planned samples go; none of them is begun." in page
    text = alices_browser.post(f"/designs/{design.pk}/withdraw/", follow=True).content.decode()
    assert "Withdrawn: 9 planned samples." in text
    assert ">withdrawn<" in alices_browser.get("/designs/").content.decode()


def test_a_design_that_is_begun_cannot_be_withdrawn(alices_browser: Client, design: Design) -> None:
    Preparation.objects.filter(design=design, run_order=1).update(started_at="2026-11-20T10:00Z")
    assert "Withdraw" not in alices_browser.get(f"/designs/{design.pk}/").content.decode()
    text = alices_browser.post(f"/designs/{design.pk}/withdraw/", follow=True).content.decode()
    assert "1 of its samples is begun" in text


def test_a_page_of_a_design_asks_as_many_queries_for_nine_as_for_ninety(
    alices_browser: Client, design: Design, alice: User, project: Project,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    grid = {"loading_mass_fraction": [i / 20 for i in range(1, 11)], "replicates": 3}
    large = create_design(user=alice, array=read_array(project, SAID | grid), name="Large")
    with django_assert_max_num_queries(25):
        assert alices_browser.get(f"/designs/{large.pk}/").status_code == 200
    with django_assert_max_num_queries(25):
        assert alices_browser.get("/designs/").status_code == 200


def test_labels_of_a_design_are_chosen_and_printed(alices_browser: Client, design: Design) -> None:
    page = alices_browser.get(f"/labels/?design={design.pk}").content.decode()
    codes = list(Sample.objects.values_list("code", flat=True))
    assert page.count('type="checkbox" name="codes"') == 9
    asked = {"codes": codes[:4], "as": "pdf", "sheet": "L7160", "start": "3"}
    pdf = alices_browser.get("/labels/", asked)
    assert pdf["Content-Type"] == "application/pdf"
    text = pypdfium2.PdfDocument(pdf.content)[0].get_textpage().get_text_range()
    assert [code in text for code in codes] == [True] * 4 + [False] * 5
    wrong = alices_browser.get("/labels/", asked | {"start": "22"})
    assert wrong.status_code == 422
    assert "it cannot start at 22" in wrong.content.decode()


def test_labels_of_what_one_may_not_see_are_not_found(charlies_browser: Client, design: Design) -> None:
    code = Sample.objects.earliest("pk").code
    assert charlies_browser.get(f"/labels/?design={design.pk}").status_code == 404
    page = charlies_browser.get(f"/labels/?codes={code}&as=pdf")
    assert f"There is no sample {code} in your projects." in page.content.decode()


@pytest.mark.parametrize("write", [str, str.lower])
def test_a_scanned_label_leads_to_the_sample(alices_browser: Client, design: Design, write: Any) -> None:
    code = Sample.objects.earliest("pk").code
    assert alices_browser.get(f"/s/{write(code)}")["Location"] == f"/samples/{code}/"


def test_a_phone_logs_in_first_and_then_sees_the_sample(client: Client, design: Design) -> None:
    code = Sample.objects.earliest("pk").code
    assert client.get(f"/s/{code}")["Location"] == f"/accounts/login/?next=/s/{code}"
    said = {"username": "alice", "password": "a long enough password"}
    answer = client.post(f"/accounts/login/?next=/s/{code}", said, follow=True)
    assert answer.redirect_chain[-1][0] == f"/samples/{code}/"


def test_a_code_with_a_slip_in_it_leads_to_the_one_that_was_meant(
    alices_browser: Client, charlies_browser: Client, project: Project
) -> None:
    Sample.objects.create(project=project, code="VT-7K3MCM", state="powder")
    answer = alices_browser.get("/s/VT-7K3CMM")
    assert answer.status_code == 404
    assert "does not fit. Did you mean VT-7K3MCM?" in answer.content.decode()
    assert "VT-7K3MCM?" not in charlies_browser.get("/s/VT-7K3CMM").content.decode()


def test_a_list_of_codes_is_found_at_once(alices_browser: Client, project: Project) -> None:
    Sample.objects.create(project=project, code="VT-7K3MCM", state="powder", name="=cmd()")
    Sample.objects.create(project=project, code="NC-250-300", state="powder")
    said = {"codes": "vt-7k3mcm;http://x/s/NC-250-300\nNC-250-301"}
    text = alices_browser.post("/samples/find/", said).content.decode()
    assert "2 found, 1 not" in text
    assert "There is no sample NC-250-301 in your projects. Did you mean NC-250-300?" in text
    answer = alices_browser.post("/samples/find/", said | {"as": "csv"})
    table = b"".join(answer.streaming_content).decode()
    assert "'=cmd()" in table
    assert table.count("\n") == 3


def test_a_hostile_list_is_text(alices_browser: Client, project: Project) -> None:
    text = alices_browser.post("/samples/find/", {"codes": "<script>\u202e\u200b=cmd x"}).content.decode()
    assert "<script>\u202e" not in text
    assert "There is no sample &lt;script&gt; in your projects." in text
    many = alices_browser.post("/samples/find/", {"codes": " ".join(f"C{i}" for i in range(5001))})
    assert many.status_code == 422


def test_the_list_and_the_sample_offer_labels(alices_browser: Client, design: Design) -> None:
    code = Sample.objects.earliest("pk").code
    assert f'href="/labels/?codes={code}"' in alices_browser.get(f"/samples/{code}/").content.decode()
    page = alices_browser.get("/samples/?made=planned").content.decode()
    assert 'href="/designs/new/"' in page
    assert 'href="/samples/find/"' in page
    assert 'href="?made=planned&amp;as=labels"' in page
    answer = alices_browser.get("/samples/?made=planned&as=labels")
    assert answer.status_code == 302
    assert answer["Location"].count("VT-") == 9
