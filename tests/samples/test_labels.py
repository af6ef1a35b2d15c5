"""Labels as a phone and a person read them: the PDF is drawn, and another library decodes its QR codes."""

from __future__ import annotations

import re
import subprocess
import sys

import pypdfium2
import pytest
import zxingcpp

from samples.labels import ROLLS, SHEETS, Label, LabelError, labels_as_zpl, sheets_as_pdf
from samples.labels.content import printable
from samples.labels.pdf import qr_rows


def label(code: str = "VT-7K3MCM", **changes: str) -> Label:
    said = {
        "notation": "(CsPbI3)0.25(agZIF-62)0.75",
        "project": "Glass composites",
        "date": "2026-11-20",
        "hazard": "Contains lead (Pb)",
        "address": f"https://vitrine.example.org/s/{code}",
    }
    return Label(code=code, **(said | changes))


def words(pdf: bytes, page: int = 0) -> str:
    return pypdfium2.PdfDocument(pdf)[page].get_textpage().get_text_range()


def scanned(pdf: bytes, page: int = 0) -> list[zxingcpp.Barcode]:
    picture = pypdfium2.PdfDocument(pdf)[page].render(scale=300 / 72).to_pil()
    return zxingcpp.read_barcodes(picture)


@pytest.mark.parametrize("key", SHEETS)
def test_every_label_of_every_sheet_scans_to_its_own_address(key: str) -> None:
    labels = [label(f"VT-{i:06d}") for i in range(5)]
    found = scanned(sheets_as_pdf(labels, SHEETS[key], start=3))
    assert sorted(code.text for code in found) == [one.address for one in labels]


@pytest.mark.parametrize("key", SHEETS)
def test_labels_stand_on_the_paper_and_do_not_overlap(key: str) -> None:
    sheet = SHEETS[key]
    assert sheet.column_pitch_mm >= sheet.width_mm
    assert sheet.row_pitch_mm >= sheet.height_mm
    right = sheet.left_mm + (sheet.columns - 1) * sheet.column_pitch_mm + sheet.width_mm
    bottom = sheet.top_mm + (sheet.rows - 1) * sheet.row_pitch_mm + sheet.height_mm
    # Sheets are cut symmetrically: the margins left and right, above and below agree.
    assert sheet.page_mm[0] - right == pytest.approx(sheet.left_mm, abs=0.3)
    assert sheet.page_mm[1] - bottom == pytest.approx(sheet.top_mm, abs=0.3)


def test_a_qr_code_lies_inside_its_label() -> None:
    sheet = SHEETS["L7651"]
    (code,) = scanned(sheets_as_pdf([label()], sheet, start=7))  # second row, second column
    corners = [code.position.top_left, code.position.bottom_right]
    (left, top), (right, bottom) = [(c.x * 25.4 / 300, c.y * 25.4 / 300) for c in corners]
    assert 4.75 + 40.6 < left < right < 4.75 + 40.6 + 38.1 / 2 + 3
    assert 10.7 + 21.2 < top < bottom < 10.7 + 2 * 21.2


def test_a_label_says_code_composition_project_date_and_hazard() -> None:
    text = words(sheets_as_pdf([label()], SHEETS["L7160"]))
    for part in (
        "VT-7K3MCM",
        "(CsPbI3)0.25",
        "(agZIF-62)0.75",
        "Glass composites",
        "2026-11-20",
        "lead (Pb)",
    ):
        assert part in text


def test_greek_phases_and_subscripts_are_written_and_hidden_characters_are_not() -> None:
    pdf = sheets_as_pdf([label(notation="γ-CsPbI₃\u200b\u202e(x)", project="研究 Größe")], SHEETS["L7160"])
    text = words(pdf)
    assert "γ-CsPbI3(x)" in text.replace("\n", "").replace("\r", "")
    assert "Größe" in text
    assert printable(" a\u00ad\t−b\u2009c\u202e ") == "a -b c"


def test_used_places_are_skipped_and_pages_follow() -> None:
    pdf = sheets_as_pdf([label(f"C{i}") for i in range(71)], SHEETS["L7651"], start=61)
    assert len(pypdfium2.PdfDocument(pdf)) == 3
    assert [len(scanned(pdf, page)) for page in range(3)] == [5, 65, 1]


@pytest.mark.parametrize(("count", "start"), [(1, 0), (1, 66), (1, -1), (0, 1), (2001, 1)])
def test_impossible_sheets_get_a_sentence(count: int, start: int) -> None:
    with pytest.raises(LabelError, match=r"\.$"):
        sheets_as_pdf([label()] * count, SHEETS["L7651"], start)


def test_an_address_that_no_qr_code_holds_gets_a_sentence() -> None:
    with pytest.raises(LabelError, match="too long"):
        qr_rows("https://" + "x" * 4000)


@pytest.mark.parametrize("key", ROLLS)
def test_a_roll_gets_one_format_a_label_with_the_address_in_its_code(key: str) -> None:
    text = labels_as_zpl([label(), label("B")], ROLLS[key])
    assert text.count("^XA") == text.count("^XZ") == 2
    assert "^FDMA,https://vitrine.example.org/s/VT-7K3MCM^FS" in text
    width = int(re.search(r"\^PW(\d+)", text).group(1))
    assert width == round(ROLLS[key].width_mm * ROLLS[key].dots_per_mm)
    for left, block in re.findall(r"\^FO(\d+),\d+\^A0N,\d+,\d+\^FB(\d+)", text):
        assert 0 < int(left) + int(block) <= width


def test_a_name_cannot_command_the_printer() -> None:
    text = labels_as_zpl([label(notation="^XZ~JR_5E\\&")], ROLLS["51x25"])
    assert text.count("^XZ") == 1
    assert "~" not in text
    assert "_5EXZ_7EJR_5F5E_5C&" in text


def test_labels_load_no_drawing_library_until_they_are_drawn() -> None:
    check = "import sys, samples.labels; print({'reportlab', 'segno', 'PIL', 'django'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
