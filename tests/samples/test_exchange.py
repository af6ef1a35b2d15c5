"""Tables in and out: what is wrong is told cell by cell, nothing is half-saved, and nothing is lost."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from samples.exchange import FileError, Outcome, bring_in, export, extent, reading, writing
from samples.exchange.cells import CellError, marked, read, unmarked
from samples.exchange.columns import Column, plain_fields
from samples.exchange.exporting import Written
from samples.exchange.tables import KEPT_BY_THE_MACHINE, tables
from samples.models import (
    Ingredient,
    Location,
    Lot,
    Material,
    Milling,
    Preparation,
    Project,
    Recipe,
    Sample,
    StockEntry,
    User,
)

pytestmark = pytest.mark.django_db
Rows = Sequence[Mapping[str, Any]]
HOSTILE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


def taken(
    user: User, project: Project, content: bytes, filename: str, *, dry_run: bool = False, **more: Any
) -> Outcome:
    stream = io.BytesIO(content)
    return bring_in(
        user=user,
        project=project,
        stream=stream,
        filename=filename,
        size=len(content),
        dry_run=dry_run,
        **more,
    )


def as_json(**of_tables: Rows) -> bytes:
    return json.dumps({"tables": of_tables}).encode()


def bring(user: User, project: Project, **of_tables: Rows) -> Outcome:
    return taken(user, project, as_json(**of_tables), "tables.json")


def complaint(outcome: Outcome) -> str:
    assert not outcome.saved
    assert Sample.objects.count() == 0
    assert len(outcome.problems) == 1, outcome.problems
    problem = outcome.problems[0]
    return f"{problem.sheet} {problem.cell}: {problem.message}"


def xlsx(**sheets: Sequence[Sequence[Any]]) -> bytes:
    book = Workbook()
    assert book.active is not None
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def exported(user: User, project: Project) -> dict[str, list[tuple[Any, ...]]]:
    return {written.table.name: written.rows for written in export(extent(user, project))}


POWDER = {"code": "VT-A", "state": "powder"}


def test_a_zip_of_very_many_files_is_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(reading.MOST_MEMBERS + 1):
            archive.writestr(f"{n}.csv", b"")
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(FileError, match=r"many\.zip holds 2001 files; up to 2000 are read; that is no table"):
        reading.sheets(out, "many.zip", size=out.tell())


def test_a_history_comes_in_with_parents_masses_steps_and_lots(alice: User, project: Project) -> None:
    outcome = bring(
        alice,
        project,
        materials=[
            {"name": "CsPbI3", "kind": "perovskite", "formula": "CsPbI3"},
            {"name": "glass", "kind": "glass"},
        ],
        places=[{"name": "Lab", "kind": "room"}, {"parent": "Lab", "name": "Fridge", "kind": "cabinet"}],
        recipes=[{"name": "quarter"}],
        components=[
            {"recipe": "quarter", "material": "CsPbI3", "mass_fraction": 0.25},
            {"recipe": "quarter", "material": "glass", "mass_fraction": 0.75},
        ],
        steps=[
            {"recipe": "quarter", "order": 1, "kind": "milling", "rpm": 800, "duration_min": 60},
            {"recipe": "quarter", "order": 2, "kind": "sintering"},
            {"preparation": "p", "order": 1, "kind": "milling", "rpm": 795, "carries_out": 1},
        ],
        segments=[{"recipe": "quarter", "step": 2, "order": 1, "target_c": 275}],
        preparations=[{"preparation": "p", "recipe": "quarter"}],
        samples=[
            {"code": "CHILD", "state": "composite", "preparation": "p", "place": "Lab / Fridge"},
            {"code": "BOTTLE", "state": "powder", "material": "CsPbI3", "amount_g": 5},
        ],
        lots=[{"sample": "BOTTLE", "supplier": "Merck", "purity": 0.9999, "received_on": "2026-11-02"}],
        ingredients=[
            {"preparation": "p", "sample": "BOTTLE", "mass_g": 0.05, "mass_sigma_g": 0.0001},
            {"preparation": "p", "material": "glass", "mass_g": 0.15},
        ],
    )
    assert outcome.saved, outcome.problems
    child = Sample.objects.get(code="CHILD")
    assert child.factors.loading_mass_fraction == pytest.approx(0.25)
    assert child.location == "Lab / Fridge"
    assert Sample.objects.get(code="BOTTLE").mass_left_g == pytest.approx(4.95)
    assert Lot.objects.get().purity == 0.9999
    performed = Milling.objects.get(preparation__isnull=False)
    assert performed.planned is not None
    assert (performed.rpm, performed.planned.rpm) == (795, 800)
    assert Recipe.objects.get().frozen_at is not None


def test_a_dry_run_counts_and_saves_nothing(alice: User, project: Project) -> None:
    outcome = taken(alice, project, as_json(samples=[POWDER]), "t.json", dry_run=True)
    assert (outcome.counts, outcome.saved, outcome.problems) == ({"samples": 1}, False, [])
    assert not Sample.objects.exists()


def test_one_wrong_row_keeps_all_others_out(alice: User, project: Project) -> None:
    outcome = bring(alice, project, samples=[POWDER, {"code": "VT-B", "state": "plasma"}])
    assert "powder, crystal" in complaint(outcome)


def test_a_problem_names_sheet_cell_and_remedy(alice: User, project: Project) -> None:
    content = xlsx(samples=[["code", "state", "amount [g]"], ["VT-A", "powder", "12 mg"]])
    said = complaint(taken(alice, project, content, "s.xlsx"))
    assert said.startswith("samples C2: Expected a number, found “12 mg”. The unit is g")


@pytest.mark.parametrize(
    ("title", "remedy"),
    [
        ("amount [mg]", "convert its numbers and write “amount [g]”"),
        ("amount", "states no unit; write “amount [g]”"),
        ("ammount [g]", "Did you mean “amount [g]”?"),
        ("colour", "Take the titles of the template"),
    ],
)
def test_a_title_that_is_not_ours_is_told_with_its_remedy(
    alice: User, project: Project, title: str, remedy: str
) -> None:
    content = xlsx(samples=[["code", "state", title], ["VT-A", "powder", 1]])
    said = complaint(taken(alice, project, content, "s.xlsx"))
    assert said.startswith("samples C1:")
    assert remedy in said


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("=cmd|' /C calc'!A0", "A code starts with a letter"),
        ("VT\u202eA", "right-to-left override"),
        ("VT\u200bA", "zero width space"),
        ("VT A", "A code starts with a letter"),
        ("A" * 41, "41 characters"),
        ("", "“code” is empty"),
        ("Cs(Pb\x07", "invisible character"),
    ],
)
def test_a_code_that_no_label_can_carry_is_refused(
    alice: User, project: Project, code: str, says: str
) -> None:
    assert says in complaint(bring(alice, project, samples=[{"code": code, "state": "powder"}]))


def test_a_formula_in_a_cell_is_refused(alice: User, project: Project) -> None:
    content = xlsx(samples=[["code", "state", "amount [g]"], ["VT-A", "powder", "=1+1"]])
    assert "It holds the formula “=1+1”; paste its value" in complaint(
        taken(alice, project, content, "s.xlsx")
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"amount_g": -1}, "Amount g must be 0 or more"),
        ({"amount_g": "NaN"}, "Expected a number"),
        ({"amount_g": 1e999}, "no finite number"),
        ({"amount_g": "1,500"}, "can be read as 1.500 or as 1500"),
        ({"made_at": "11/20/2026"}, "write it as 2026-11-20 14:05"),
        ({"material": "unobtainium"}, "There is no material “unobtainium”"),
        ({"preparation": "p9"}, "add it to the sheet preparations"),
        ({"place": "Nowhere"}, "There is no place “Nowhere”"),
        ({"planned": "perhaps"}, "Expected yes or no"),
        ({"planned": True, "made_at": "2026-01-01"}, "planned has no date"),
        ({"mass_left_g": 3, "amount_g": 2}, "More is left than there ever was"),
    ],
)
def test_what_the_laboratory_could_not_have_done_is_refused(
    alice: User, project: Project, row: dict[str, Any], says: str
) -> None:
    assert says in complaint(bring(alice, project, samples=[POWDER | row]))


def test_a_loading_of_more_than_one_is_refused(alice: User, project: Project) -> None:
    outcome = bring(
        alice,
        project,
        materials=[{"name": "a", "kind": "glass"}],
        recipes=[{"name": "r"}],
        components=[{"recipe": "r", "material": "a", "mass_fraction": 1.2}],
    )
    assert "25 % is 0.25" in " ".join(problem.message for problem in outcome.problems)
    assert not Recipe.objects.exists()


def test_a_negative_ramp_is_refused(alice: User, project: Project) -> None:
    outcome = bring(
        alice,
        project,
        recipes=[{"name": "r"}],
        steps=[{"recipe": "r", "order": 1, "kind": "sintering"}],
        segments=[{"recipe": "r", "step": 1, "order": 1, "target_c": 275, "ramp_c_per_min": -20}],
    )
    assert "must be above zero" in complaint(outcome)


def test_a_cell_that_belongs_to_another_kind_of_step_is_refused(alice: User, project: Project) -> None:
    outcome = bring(
        alice,
        project,
        recipes=[{"name": "r"}],
        steps=[{"recipe": "r", "order": 1, "kind": "quench", "medium": "air", "rpm": 800}],
    )
    assert "A step of kind quench has no rpm" in complaint(outcome)


def test_a_circle_of_parents_is_refused(alice: User, project: Project) -> None:
    outcome = bring(
        alice,
        project,
        preparations=[{"preparation": "p"}, {"preparation": "q"}],
        samples=[
            {"code": "A", "state": "powder", "preparation": "p"},
            {"code": "B", "state": "powder", "preparation": "q"},
        ],
        ingredients=[{"preparation": "p", "sample": "B"}, {"preparation": "q", "sample": "A"}],
    )
    assert "It is made from itself" in complaint(outcome)


def test_places_that_stand_in_each_other_are_refused(alice: User, project: Project) -> None:
    places = [{"parent": "A", "name": "A", "kind": "box"}]
    outcome = bring(alice, project, places=places, samples=[POWDER])
    assert outcome.problems
    assert not Location.objects.exists()


def test_more_than_there_was_cannot_be_taken(alice: User, project: Project) -> None:
    outcome = bring(
        alice,
        project,
        preparations=[{"preparation": "p"}],
        samples=[{"code": "A", "state": "powder", "amount_g": 1}, POWDER | {"preparation": "p"}],
        ingredients=[{"preparation": "p", "sample": "A", "mass_g": 1.5}],
    )
    assert "1.5 g are taken from A, of which there were 1 g" in complaint(outcome)


def test_what_is_weighed_from_stock_leaves_it(alice: User, project: Project) -> None:
    Sample.objects.create(project=project, code="LOT", state="powder", amount_g=2, mass_left_g=2)

    def weighing(code: str) -> Outcome:
        return bring(
            alice,
            project,
            preparations=[{"preparation": "p"}],
            samples=[{"code": code, "state": "powder", "preparation": "p"}],
            ingredients=[{"preparation": "p", "sample": "LOT", "mass_g": 1.2}],
        )

    assert weighing("A").saved
    again = weighing("B")
    assert "1.2 g are taken from LOT, of which 0.8 g are left" in again.problems[0].message
    assert not Sample.objects.filter(code="B").exists()
    assert Sample.objects.get(code="LOT").mass_left_g == pytest.approx(0.8)


def test_a_code_that_is_there_twice_names_the_other_row(alice: User, project: Project) -> None:
    assert "row 1 already" in complaint(bring(alice, project, samples=[POWDER, POWDER]))


def test_a_code_that_is_taken_is_refused(alice: User, project: Project) -> None:
    Sample.objects.create(project=project, code="VT-A", state="powder")
    outcome = bring(alice, project, samples=[POWDER])
    assert [problem.message for problem in outcome.problems] == ["The code VT-A is taken; choose another."]


def test_a_material_that_is_there_is_used_when_it_says_the_same(
    alice: User, project: Project, cspbi3: Material
) -> None:
    same = {"name": "CsPbI3", "kind": "perovskite", "density_g_per_cm3": 5.019}
    assert bring(alice, project, materials=[same], samples=[POWDER | {"material": "CsPbI3"}]).saved
    assert Sample.objects.get().material == cspbi3
    other = bring(alice, project, materials=[same | {"density_g_per_cm3": 4.5}])
    assert "is there already with another density (5.019)" in other.problems[0].message


def test_samples_of_a_project_that_i_cannot_see_are_no_parents(
    alice: User, project: Project, charlie: User
) -> None:
    hidden = Project.objects.get(slug="charlie")
    Sample.objects.create(project=hidden, code="SECRET", state="powder")
    outcome = bring(
        alice,
        project,
        preparations=[{"preparation": "p"}],
        ingredients=[{"preparation": "p", "sample": "SECRET"}],
    )
    assert "There is no sample “SECRET”" in outcome.problems[0].message


def test_two_things_do_not_stand_in_one_slot(alice: User, project: Project) -> None:
    outcome = bring(
        alice,
        project,
        places=[{"name": "Lab", "kind": "room"}, {"parent": "Lab", "name": "B7", "kind": "slot"}],
        samples=[POWDER | {"place": "Lab / B7"}, {"code": "B", "state": "powder", "place": "Lab / B7"}],
    )
    assert "Lab / B7 holds VT-A too" in complaint(outcome)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("0,25", 0.25), ("1.5e-3", 1.5e-3), (" 7 ", 7.0), ("−3", -3.0), (5, 5.0), ("1234,5", 1234.5)],
)
def test_numbers_are_read_as_people_write_them(written: Any, meant: float) -> None:
    assert read(written, Column("x", "number"), UTC) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-20", datetime(2026, 11, 19, 23, tzinfo=UTC)),
        ("20.11.2026 14:05", datetime(2026, 11, 20, 13, 5, tzinfo=UTC)),
        ("2026-11-20T14:05+03:00", datetime(2026, 11, 20, 11, 5, tzinfo=UTC)),
        (datetime(2026, 11, 20, 14, 5), datetime(2026, 11, 20, 13, 5, tzinfo=UTC)),  # noqa: DTZ001
        (date(2026, 7, 1), datetime(2026, 6, 30, 22, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_what_the_persons_clock_said(written: Any, meant: datetime) -> None:
    assert read(written, Column("at", "moment"), ZoneInfo("Europe/Berlin")) == meant


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none()))
def test_no_cell_breaks_a_reader(raw: Any) -> None:
    for kind in ("text", "words", "number", "integer", "truth", "date", "moment", "choice", "names", "json"):
        with suppress(CellError):  # a sentence is an answer; anything else fails the test
            read(raw, Column("x", kind, choices=("a",)), UTC)


@given(st.text())
def test_marking_a_text_for_spreadsheets_is_undone(text: str) -> None:
    assert unmarked(marked(text)) == text
    assert not marked(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def nasty(project: Project, user: User) -> None:
    """Rows that a careless writer would lose something of."""
    material = Material.objects.create(
        project=project,
        name="=cmd|x",
        kind="precursor",
        density_g_per_cm3=0.1 + 0.2,
        hazards='a;b,"c"\r\nd\te',
    )
    room = Location.objects.create(project=project, kind="room", name="γ-Lab", path="γ-Lab")
    recipe = Recipe.objects.create(project=project, name="-r", version=3, notes="_x000D_ and \x07 bell")
    Milling.objects.create(recipe=recipe, order=1, rpm=1 / 3, inferred=["rpm", "cycles"])
    Recipe.objects.update(frozen_at=datetime(2026, 1, 2, tzinfo=UTC))
    made = Preparation.objects.create(project=project, recipe=recipe)
    lone = Preparation.objects.create(project=project, notes="'=quoted")
    lot = Sample.objects.create(
        project=project, code="LOT", name="@x", state="powder", amount_g=2, mass_left_g=None, notes="'quote"
    )
    left = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
    Sample.objects.create(
        project=project, code="S", state="other", preparation=made, made_at=left, place=room, notes="  lead"
    )
    Ingredient.objects.create(
        preparation=made, sample=lot, mass_g=0.1, mass_sigma_g=1e-17, weighed_at=left, weighed_by=user
    )
    Ingredient.objects.create(preparation=lone, material=material)
    Lot.objects.create(sample=lot, purity=0.99999999999999989, expires_on=date(1899, 1, 1))
    StockEntry.objects.create(
        sample=lot, kind="recount", mass_g=1.9, left_g=1.9, reason="+1", at=left, by=user
    )


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_what_goes_out_comes_back_in_the_same(form: str, alice: User, project: Project) -> None:
    nasty(project, alice)
    whole = export(extent(alice, project))
    content = {"csv": writing.as_zip, "xlsx": writing.as_xlsx, "json": writing.as_json}[form](whole)
    _emptied(project)
    outcome = taken(alice, project, content, f"whole.{'zip' if form == 'csv' else form}")
    assert outcome.saved, outcome.problems
    assert exported(alice, project) == {written.table.name: written.rows for written in whole}
    assert writing.as_zip(export(extent(alice, project))) == writing.as_zip(whole)


def _emptied(project: Project) -> None:
    import pgtrigger

    with pgtrigger.ignore():
        for model in (StockEntry, Ingredient, Sample, Preparation, Recipe, Location, Material):
            model._default_manager.filter().delete()


def test_every_column_that_a_person_fills_is_in_a_table() -> None:
    kept_elsewhere = {"samples.place_is_slot"}
    missing = []
    for table in tables():
        columns = {column.field for column in table.columns} | {ref.field for ref in table.references}
        for model in set(table.models.values()):
            links = {f.name for f in model._meta.concrete_fields if f.is_relation}
            wanted = {f.name for f in plain_fields(model)} | links - KEPT_BY_THE_MACHINE
            wanted -= {"planned", "sintering"} if table.name in ("steps", "segments") else set()
            missing += [f"{table.name}.{name}" for name in wanted - columns]
    of_runs = {"values.run", "values.measurement", "values.method"}
    assert set(missing) - kept_elsewhere - of_runs == set()


def test_a_csv_is_safe_to_open_in_a_spreadsheet(alice: User, project: Project) -> None:
    nasty(project, alice)
    for written in export(extent(alice, project)):
        cells = [line.split(",") for line in writing.as_csv(written).decode("utf-8-sig").splitlines()]
        assert not [cell for line in cells for cell in line if cell.strip('"')[:1] in ("=", "@")]


def test_numbers_keep_all_their_digits_in_a_spreadsheet() -> None:
    column = Column("x", "number")
    table = Written(_table_of(column), [(0.1 + 0.2,), (1e-300,), (-5.0,)])
    page = load_workbook(io.BytesIO(writing.as_xlsx([table])))["materials"]
    assert [page.cell(row, 1).value for row in (2, 3, 4)] == [0.1 + 0.2, 1e-300, -5.0]


def _table_of(column: Column) -> Any:
    from dataclasses import replace

    return replace(tables()[0], columns=(column,))


def test_the_arrow_stream_holds_the_same_numbers(alice: User, project: Project) -> None:
    import nanoarrow as na

    nasty(project, alice)
    samples = next(w for w in export(extent(alice, project)) if w.table.name == "samples")
    stream = na.ArrayStream.from_readable(io.BytesIO(writing.as_arrow(samples)))
    rows = stream.read_all().to_pylist()
    assert [row["code"] for row in rows] == ["LOT", "S"]
    assert [row["amount_g"] for row in rows] == [2.0, None]


def test_a_spreadsheet_that_would_expand_without_end_is_not_opened() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.csv", b"0" * 100 * 1024**2)
    assert bomb.tell() < 1024**2
    with pytest.raises(FileError, match="would expand to more than"):
        reading.sheets(bomb, "bomb.zip", size=bomb.tell())


def test_fifty_megabytes_are_refused_unread() -> None:
    class Unreadable(io.BytesIO):
        def read(self, *args: Any) -> bytes:
            raise AssertionError("It was read.")

    with pytest.raises(FileError, match="has 50 MB"):
        reading.sheets(Unreadable(), "big.xlsx", size=50_000_000)


@pytest.mark.parametrize(
    ("content", "filename", "says"),
    [
        (b"PK\x03\x04nonsense", "a.xlsx", "damaged or no spreadsheet"),
        (b"\xd0\xcf\x11\xe0rest", "a.xls", "old XLS format"),
        (b"\xff\xfe\x00", "samples.csv", "is not UTF-8"),
        (b"{", "a.json", "not JSON"),
        (b"[1, 2]", "a.json", '"tables"'),
        (b'{"tables": {"samples": [1]}}', "a.json", '"tables"'),
        (b"code\n" * 200_003, "samples.csv", "more than 200000 rows"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(content: bytes, filename: str, says: str) -> None:
    with pytest.raises(FileError, match=says):
        reading.sheets(io.BytesIO(content), filename, size=len(content))


def test_an_empty_file_says_what_to_do(alice: User, project: Project) -> None:
    assert "fill in the template" in complaint(taken(alice, project, b"", "samples.csv"))
    assert "fill in the template" in complaint(taken(alice, project, writing.template(), "t.xlsx"))


def test_the_template_takes_a_first_sample(alice: User, project: Project) -> None:
    book = load_workbook(io.BytesIO(writing.template()))
    page = book["samples"]
    titles = [cell.value for cell in page[1]]
    page.append([{"code": "VT-1", "state": "powder"}.get(str(title)) for title in titles])
    filled = io.BytesIO()
    book.save(filled)
    assert taken(alice, project, filled.getvalue(), "t.xlsx").saved
    assert book.sheetnames[0] == "help"


def test_a_csv_from_a_german_spreadsheet_is_read(alice: User, project: Project) -> None:
    content = "code;state;amount [g];made at\nVT-A;powder;0,125;20.11.2026\n".encode("utf-8-sig")
    assert taken(alice, project, content, "samples.csv").saved
    assert Sample.objects.get().amount_g == 0.125


@given(HOSTILE, HOSTILE)
def test_no_text_in_a_csv_is_a_server_error(title: str, cell: str) -> None:
    content = f"code,{title}\nVT-A,{cell}\n".encode()
    with suppress(FileError):  # a sentence is an answer; anything else fails the test
        reading.sheets(io.BytesIO(content), "samples.csv", size=len(content))


def test_the_import_is_in_the_audit_trail_with_the_file(alice: User, project: Project) -> None:
    import pghistory.models

    assert bring(alice, project, samples=[POWDER]).saved
    contexts = pghistory.models.Context.objects.values_list("metadata", flat=True)
    assert [context.get("reason") for context in contexts] == ["Import of tables.json"]
