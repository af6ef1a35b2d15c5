"""Sheets of labels as PDF, with the fonts that every reader of PDF has: Helvetica, and Symbol for Greek.

Those fonts write Latin and Greek; any other script stands as "?" on the label. The code and the QR code, by
which a sample is found, hold neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import groupby
from typing import Any

from samples.labels.content import Label, printable
from samples.labels.sheets import LabelError, Sheet

POINTS_PER_MM = 72 / 25.4
PADDING_MM = 1.6
QUIET_MODULES = 2  # the paper around a label's QR code does the rest of the four modules that a reader wants
REGULAR, BOLD, GREEK = "Helvetica", "Helvetica-Bold", "Symbol"
SMALLEST_PT = 4.0


def sheets_as_pdf(labels: Sequence[Label], sheet: Sheet, start: int = 1) -> bytes:
    """Raises LabelError with a sentence when the labels cannot stand on the sheet as asked."""
    from reportlab.pdfgen.canvas import Canvas

    places = list(sheet.places(len(labels), start))
    buffer = BytesIO()
    width, height = (side * POINTS_PER_MM for side in sheet.page_mm)
    canvas = Canvas(buffer, pagesize=(width, height), invariant=1)
    canvas.setTitle(f"{len(labels)} labels on {sheet.key}")
    page = 0
    for label, (on_page, left_mm, top_mm) in zip(labels, places, strict=True):
        while page < on_page:
            canvas.showPage()
            page += 1
        canvas.saveState()
        canvas.translate(left_mm * POINTS_PER_MM, height - (top_mm + sheet.height_mm) * POINTS_PER_MM)
        _draw(canvas, label, sheet.width_mm * POINTS_PER_MM, sheet.height_mm * POINTS_PER_MM)
        canvas.restoreState()
    canvas.save()
    return buffer.getvalue()


def qr_rows(address: str) -> list[list[bool]]:
    """The QR code of an address, dark modules true, without its quiet zone; a quarter may be lost."""
    import segno

    try:
        code = segno.make_qr(address, error="m", boost_error=False)
    except segno.DataOverflowError as error:
        raise LabelError("The address is too long for a QR code; give this site a shorter one.") from error
    return [[bool(module) for module in row] for row in code.matrix]


def _draw(canvas: Any, label: Label, width: float, height: float) -> None:
    pad = PADDING_MM * POINTS_PER_MM
    rows = qr_rows(label.address)
    module = (height - pad) / (len(rows) + 2 * QUIET_MODULES)
    side = module * (len(rows) + 2 * QUIET_MODULES)
    _draw_qr(
        canvas, rows, pad / 2 + QUIET_MODULES * module, height - pad / 2 - QUIET_MODULES * module, module
    )
    _draw_lines(canvas, label, left=side + pad, right=width - pad, height=height)


def _draw_qr(canvas: Any, rows: list[list[bool]], left: float, top: float, module: float) -> None:
    path = canvas.beginPath()
    for y, row in enumerate(rows):
        for dark, run in groupby(enumerate(row), key=lambda pair: pair[1]):
            places = [x for x, _ in run]
            if dark:
                path.rect(left + places[0] * module, top - (y + 1) * module, len(places) * module, module)
    canvas.drawPath(path, stroke=0, fill=1)


def _draw_lines(canvas: Any, label: Label, *, left: float, right: float, height: float) -> None:
    """Code, notation, project and date, hazard, from the top; what has no room at 4 pt is left out last."""
    room = right - left
    size = min(9.0, height / 6)
    where = " · ".join(part for part in (label.project, label.date) if part)
    lines = [(label.code, BOLD, size * 1.15), *((text, REGULAR, size * 0.8) for text in [label.notation])]
    lines += [(label.hazard, BOLD, size * 0.8), (where, REGULAR, size * 0.7)]
    baseline = height - PADDING_MM * POINTS_PER_MM
    for text, font, wanted in lines:
        text = printable(text)
        if not text:
            continue
        for part in _broken(text, font, wanted, room):
            fitted = _fitting_size(part, font, wanted, room)
            baseline -= max(fitted, wanted * 0.8) * 1.18
            if baseline < PADDING_MM * POINTS_PER_MM / 2:
                return
            _write(canvas, left, baseline, _cut(part, font, fitted, room), font, fitted)


def _broken(text: str, font: str, size: float, room: float) -> list[str]:
    """In two lines where it would become too small in one: at a bracket or a space near the middle."""
    if _fitting_size(text, font, size, room) >= 0.75 * size:
        return [text]
    breaks = [i for i, c in enumerate(text) if i and (c in " (·" or text[i - 1] == "·")]
    if not breaks:
        return [text]
    at = min(breaks, key=lambda i: abs(i - len(text) / 2))
    return [text[:at].strip(" ·"), text[at:].strip(" ·")]


def _fitting_size(text: str, font: str, size: float, room: float) -> float:
    return max(SMALLEST_PT, min(size, size * room / max(_width(text, font, size), 1e-9)))


def _cut(text: str, font: str, size: float, room: float) -> str:
    if _width(text, font, size) <= room * 1.001:
        return text
    while text and _width(text + "...", font, size) > room:
        text = text[:-1]
    return text + "..."


def _runs(text: str, font: str) -> list[tuple[str, str]]:
    """(text, font) in pieces that one font can write."""
    pieces = []
    for is_greek, run in groupby(text, key=lambda c: "α" <= c <= "ω" or "Α" <= c <= "Ω"):
        piece = "".join(run)
        pieces.append(
            (piece, GREEK) if is_greek else (piece.encode("cp1252", "replace").decode("cp1252"), font)
        )
    return pieces


def _width(text: str, font: str, size: float) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return sum(stringWidth(piece, name, size) for piece, name in _runs(text, font))


def _write(canvas: Any, x: float, y: float, text: str, font: str, size: float) -> None:
    line = canvas.beginText(x, y)
    for piece, name in _runs(text, font):
        line.setFont(name, size)
        line.textOut(piece)
    canvas.drawText(line)
