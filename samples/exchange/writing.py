"""Tables → files: a zip of CSV, XLSX, JSON, an Arrow stream. What is written reads back to the same rows."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from samples.exchange.cells import marked, written
from samples.exchange.columns import Column
from samples.exchange.exporting import Written
from samples.exchange.tables import Table, tables

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet spoils γ and °
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same export is the same file
ESCAPED = re.compile(r"_x[0-9A-Fa-f]{4}_")
UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
VERSION = 1


def as_csv(table: Written) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.title for column in table.columns])
    writer.writerows([_csv_cell(value) for value in row] for row in table.rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def _csv_cell(value: Any) -> Any:
    cell = written(value)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return marked(cell) if isinstance(cell, str) else repr(cell) if isinstance(cell, float) else cell


def as_zip(exported: Iterable[Written]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for table in exported:
            packed.writestr(member(f"{table.table.name}.csv"), as_csv(table))
    return archive.getvalue()


def member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def as_json(exported: Iterable[Written]) -> bytes:
    return orjson.dumps(
        {"vitrine": VERSION, "tables": {table.table.name: list(_json_rows(table)) for table in exported}},
        option=orjson.OPT_INDENT_2,
    )


def _json_rows(table: Written) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.columns]
    for row in table.rows:
        yield {name: written(value) for name, value in zip(names, row, strict=True)}


def as_arrow(table: Written) -> bytes:
    """One table as an Arrow IPC stream; columns keep their machine names, units stand in them."""
    import nanoarrow as na
    from nanoarrow.ipc import StreamWriter

    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    arrays = [
        na.c_array([_arrow_cell(value, column) for value in values], _arrow_type(column))
        for column, values in zip(table.columns, columns, strict=True)
    ]
    schema = na.struct({column.name: _arrow_type(column) for column in table.columns})
    batch = na.c_array_from_buffers(schema, len(table.rows), [None], children=arrays)
    stream = io.BytesIO()
    with StreamWriter.from_writable(stream) as writer:
        writer.write_stream(na.c_array_stream(batch))
    return stream.getvalue()


def _arrow_type(column: Column) -> Any:
    import nanoarrow as na

    kinds = {"number": na.float64(), "integer": na.int64(), "truth": na.bool_()}
    return kinds.get(column.kind, na.string())


def _arrow_cell(value: Any, column: Column) -> Any:
    cell = written(value)
    if column.kind == "number" and cell is not None:
        return float(cell)
    return cell


def as_xlsx(exported: Sequence[Written], *, with_help: bool = False) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    if with_help:
        _help(book.create_sheet("help"))
    for table in exported:
        _sheet(book.create_sheet(table.table.name), table)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _sheet(page: Any, table: Written) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font

    page.freeze_panes = "A2"
    titles = []
    for place, column in enumerate(table.columns):
        cell = _xlsx_cell(page, column.title)
        cell.font = Font(bold=True)
        if column.help:
            cell.comment = Comment(column.help, "Vitrine", width=260, height=90)
        titles.append(cell)
        page.column_dimensions[_letter(place)].width = max(12, min(40, len(column.title) + 4))
    page.append(titles)
    for row in table.rows:
        page.append([_xlsx_cell(page, written(value)) for value in row])


def _letter(place: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(place + 1))


def _xlsx_cell(page: Any, value: Any) -> Any:
    """A text stays a text whatever it begins with; a number keeps all digits (openpyxl writes sixteen)."""
    from openpyxl.cell import WriteOnlyCell

    if value is None:
        return None
    cell = WriteOnlyCell(page)
    if isinstance(value, bool):
        cell.value = value
    elif isinstance(value, (int, float)):
        cell._value, cell.data_type = repr(value), "n"
    else:
        cell._value, cell.data_type = _escaped(value), "s"
    return cell


def _escaped(text: str) -> str:
    """XML has no place for control characters and drops returns; the format writes them as _x000D_."""
    kept = ESCAPED.sub(lambda found: f"_x005F{found[0]}", text)
    return UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", kept)


def template() -> bytes:
    """All sheets, empty, with a sheet that explains them."""
    return as_xlsx([Written(_for_people(table), []) for table in tables()], with_help=True)


def _for_people(table: Table) -> Table:
    """Without the column that Vitrine works out itself when it is not there: what is left of a sample."""
    columns = tuple(column for column in table.columns if column.name != "mass_left_g")
    return Table(table.name, table.models, columns, table.references, table.key, table.help)


def _help(page: Any) -> None:
    from openpyxl.styles import Alignment, Font

    lines = [
        "Fill in the sheets that you need. A row names a row of another sheet by the text in its cell.",
        "Leave a cell empty where a thing is not known: empty is never zero.",
        "Units stand in the titles. Fractions are fractions: 25 % is 0.25.",
        "Dates: 2026-11-20; times: 2026-11-20 14:05 (your own zone) or 2026-11-20T14:05+01:00.",
        "Formulas are refused: paste values.",
        "",
    ]
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 34, 100
    for line in lines:
        page.append([_xlsx_cell(page, line or None)])
    for table in tables():
        cells = [_xlsx_cell(page, table.name), _xlsx_cell(page, table.help)]
        cells[0].font = Font(bold=True)
        page.append(cells)
        for column in _for_people(table).columns:
            about = _xlsx_cell(page, described(column))
            about.alignment = Alignment(wrap_text=True, vertical="top")
            page.append([_xlsx_cell(page, column.title), about])
        page.append([])


KIND_IN_WORDS = {
    "text": "text",
    "words": "text of any length",
    "reference": "the name used in its own sheet",
    "number": "number",
    "integer": "whole number",
    "truth": "yes or no",
    "date": "date",
    "moment": "time",
    "names": "names, separated by commas",
    "json": "as exported by Vitrine",
}


def described(column: Column) -> str:
    kind = f"one of {', '.join(column.choices)}" if column.choices else KIND_IN_WORDS[column.kind]
    unit = f" in {column.unit}" if column.unit and column.unit != "1" else ""
    required = "Required. " if column.required else ""
    return f"{required}{kind[:1].upper()}{kind[1:]}{unit}. {column.help}".strip()
