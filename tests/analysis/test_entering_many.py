"""Values entered by hand from a table: all or nothing, with a sentence for every bad cell."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from analysis.models import Value
from analysis.services.entering_many import TableError, enter_many, table_of
from samples.models import Sample, User

GOOD = """sample,property,component,value,sigma,unit,comparator,reason
VT-GLASS,plqy,,42.1,0.9,%,=,"Read off Fig. 2a, right"
VT-GLASS,tg,,590,,K,~,DSC of June
"""
ADDRESS = "/api/v1/values/batch/"


def kelvin_or_celsius(text: str) -> str:
    from analysis import properties

    return text.replace(",K,", f",{properties.get('tg').unit},")


@pytest.fixture
def good() -> str:
    return kelvin_or_celsius(GOOD)


def test_every_row_becomes_a_value_with_person_and_reason(good: str, composite: Sample, alice: User) -> None:
    report = enter_many(alice, table_of(good))
    assert report.saved
    plqy = Value.objects.get(property="plqy")
    assert (plqy.value, plqy.sigma) == (pytest.approx(0.421), pytest.approx(0.009))
    assert (plqy.origin, plqy.entered_by, plqy.note) == ("entered", alice, "Read off Fig. 2a, right")
    assert Value.objects.get(property="tg").comparator == "~"


def test_a_dry_run_says_the_same_and_saves_nothing(good: str, composite: Sample, alice: User) -> None:
    report = enter_many(alice, table_of(good), dry_run=True)
    assert (report.saved, report.wrong, len(report.rows)) == (False, [], 2)
    assert not Value.objects.exists()


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("sample", "VT-NOWHERE", "no sample"),
        ("property", "colour", "no property"),
        ("component", "III", "no component"),
        ("value", "much", "not a number"),
        ("value", "", "missing"),
        ("value", "nan", "finite"),
        ("sigma", "-1", "not negative"),
        ("unit", "furlong", "is kept in"),
        ("comparator", "!", "not a valid choice"),
        ("reason", "", "Say where"),
    ],
)
def test_a_bad_cell_is_named_with_its_line_and_nothing_is_saved(
    good: str, composite: Sample, alice: User, column: str, cell: str, told: str
) -> None:
    rows = table_of(good)
    rows[1] = (rows[1][0], {**rows[1][1], column: cell})
    report = enter_many(alice, rows)
    (wrong,) = report.wrong
    assert wrong.number == 3
    assert told in wrong.problems[column]
    assert not Value.objects.exists()


def test_the_same_quantity_twice_in_one_table_is_a_mistake(good: str, composite: Sample, alice: User) -> None:
    rows = table_of(good)
    report = enter_many(alice, [*rows, (4, rows[0][1])])
    assert "Row 2 gives the same" in report.wrong[0].problems["property"]


def test_semicolons_allow_a_decimal_comma(composite: Sample, alice: User) -> None:
    ((number, row),) = table_of("sample;property;value;unit;reason\r\nVT-GLASS;plqy;0,42;1;Fig. 2\r\n")
    assert (number, row["value"]) == (2, "0.42")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sample,value\nA,1\n", "lacks property, unit, reason"),
        ("sample,property,value,unit,reason,colour\n", "“colour” is no column"),
        ("sample,property,value,unit,reason\nA,plqy,1\n", "Line 2 has not as many cells"),
        ("", "lacks sample"),
        ("\0", "not a text"),
    ],
)
def test_a_table_that_is_none_is_refused_with_a_sentence(text: str, told: str) -> None:
    with pytest.raises(TableError, match=told):
        table_of(text)


def test_who_may_only_look_enters_nothing(good: str, composite: Sample, bob: User, charlie: User) -> None:
    assert "look at its project" in enter_many(bob, table_of(good)).rows[0].problems["sample"]
    assert "no sample" in enter_many(charlie, table_of(good)).rows[0].problems["sample"]
    assert not Value.objects.exists()


def test_a_file_or_rows_are_taken_over_rest(good: str, composite: Sample, as_alice: APIClient) -> None:
    def upload(**more: object) -> dict[str, object]:
        return {"file": SimpleUploadedFile("values.csv", good.encode()), **more}

    dry = as_alice.post(ADDRESS, upload(dry_run=True), format="multipart")
    assert (dry.status_code, dry.json()["saved"]) == (200, False)
    kept = as_alice.post(ADDRESS, upload(), format="multipart")
    assert kept.status_code == 201, kept.content
    assert {row["value"] for row in kept.json()["rows"]} == set(Value.objects.values_list("pk", flat=True))
    row = {"sample": "VT-GLASS", "property": "plqy", "value": 0.5, "unit": "1", "reason": "Again"}
    assert as_alice.post(ADDRESS, {"rows": [row]}, format="json").status_code == 201
    bad = as_alice.post(ADDRESS, {"rows": [{**row, "unit": "m"}]}, format="json")
    assert bad.status_code == 400
    assert "is kept in" in bad.json()["rows"][0]["problems"]["unit"]
    assert "1 row" in bad.json()["error"]["message"]
    assert as_alice.post(ADDRESS, {}, format="json").status_code == 400


def test_the_page_checks_first_and_enters_then(
    good: str, composite: Sample, alice: User, client: Client
) -> None:
    client.force_login(alice)
    checked = client.post("/values/batch/", {"text": good}).content.decode()
    assert "Enter 2 values" in checked
    assert not Value.objects.exists()
    done = client.post("/values/batch/", {"text": good, "enter": "1"})
    assert done.status_code == 302
    assert Value.objects.count() == 2
    wrong = client.post("/values/batch/", {"text": good.replace("42.1", "much")}).content.decode()
    assert "not a number" in wrong
