"""A weighing table on paper and for a spreadsheet: rows of texts in, bytes out. Pure."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO

from samples.identity import csv_cell
from samples.labels.content import printable

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet spoils γ and °


def as_csv(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerows([csv_cell("" if cell is None else cell) for cell in row] for row in [heading, *rows])
    return BYTE_ORDER_MARK + text.getvalue()


def as_pdf(title: str, under: str, heading: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """A4, lying; a line a sample with room to write the weighed masses by hand; the heading on every page."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    buffer = BytesIO()
    page = SimpleDocTemplate(
        buffer,
        pagesize=landscape(A4),
        leftMargin=14 * mm,
        rightMargin=14 * mm,
        topMargin=12 * mm,
        bottomMargin=12 * mm,
        title=printable(title),
        invariant=1,
    )
    style = getSampleStyleSheet()
    small = style["BodyText"].clone("small", fontSize=8, leading=9.6)
    cells = [[Paragraph(_markup(cell), small) for cell in row] for row in [heading, *rows]]
    table = Table(cells, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
                ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    parts = [Paragraph(_markup(title), style["Heading2"]), Paragraph(_markup(under), small)]
    page.build([*parts, Spacer(1, 3 * mm), table])
    return buffer.getvalue()


def _markup(cell: object) -> str:
    """Text for a paragraph: what would be markup is written, Greek letters in the font that has them."""
    text = printable("" if cell is None else str(cell))
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(plain, entity)
    return "".join(
        f'<font name="Symbol">{c}</font>'
        if "α" <= c <= "ω"
        else c.encode("cp1252", "replace").decode("cp1252")
        for c in text
    )
