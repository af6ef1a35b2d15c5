"""A file → its sheets, as cells with their addresses. Nothing is believed before it is bounded.

CSV (one table), a zip of CSV files, XLSX, JSON as Vitrine exports it. Raises FileError with a sentence.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from samples.exchange.cells import Formula, unmarked
from samples.zip_directory import DirectoryError, check_directory

MOST_BYTES = 25 * 1024**2
MOST_EXPANDED_BYTES = 300 * 1024**2
MOST_ROWS = 200_000
MOST_COLUMNS = 200
MOST_MEMBERS = 2_000
MOST_FIELD = 100_000
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
)
IGNORED_SHEETS = {"help", "read me", "readme"}


class FileError(ValueError):
    """The file as a whole cannot be taken; the message says why and what to do."""


@dataclass(frozen=True)
class Sheet:
    """rows: number of the row in the file, as a spreadsheet counts, and its cells under `titles`."""

    name: str
    titles: Sequence[str]
    rows: Sequence[tuple[int, Sequence[Any]]]
    title_row: int = 1
    named_cells: bool = False  # JSON has no letters for columns

    def address(self, row: int, column: int) -> str:
        if self.named_cells:
            return f"row {row}, {self.titles[column]}"
        return f"{letters(column)}{row}"


def letters(column: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def sheets(stream: BinaryIO, filename: str, *, size: int, table: str = "") -> list[Sheet]:
    """The sheets of a file; `table` says which one a lone CSV holds when its name does not."""
    if size > MOST_BYTES:
        raise FileError(
            f"{filename} has {size / 1e6:.0f} MB; a table may have {MOST_BYTES / 1e6:.0f} MB. "
            "Split it into several files, parents first."
        )
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    if head.startswith(b"PK"):
        return _from_zip(stream, filename)
    if filename.lower().endswith(".json") or head[:1] == b"{":
        return _from_json(stream.read())
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileError(f"{filename} is in the old XLS format; save it as XLSX or CSV.")
    name = table or PurePosixPath(filename.replace("\\", "/")).name.removesuffix(".csv")
    return [_from_csv(stream.read(), name)]


def opened(stream: BinaryIO, filename: str) -> zipfile.ZipFile:
    """A zip whose contents are bounded: zipfile never yields more than the sizes declared here."""
    try:
        check_directory(stream, MOST_MEMBERS)
        archive = zipfile.ZipFile(stream)
    except DirectoryError as error:
        raise FileError(f"{filename} {error}; that is no table.") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise FileError(
            f"{filename} is damaged or no spreadsheet (it does not open as one); save it again."
        ) from error
    members = archive.infolist()
    if sum(member.file_size for member in members) > MOST_EXPANDED_BYTES:
        raise FileError(
            f"{filename} would expand to more than {MOST_EXPANDED_BYTES / 1e6:.0f} MB and was not opened. "
            "Delete empty formatted rows, or split it."
        )
    if any(member.flag_bits & 1 for member in members):
        raise FileError(f"{filename} is encrypted; save it without a password.")
    return archive


def _from_zip(stream: BinaryIO, filename: str) -> list[Sheet]:
    with opened(stream, filename) as archive:
        names = archive.namelist()
        if "[Content_Types].xml" in names:
            stream.seek(0)
            return _from_xlsx(stream, filename)
        tables = [name for name in names if name.lower().endswith(".csv")]
        if not tables:
            raise FileError(
                f"{filename} holds no CSV file; put one CSV a table into it, such as samples.csv."
            )
        rows = 0
        found = []
        for name in tables:
            sheet = _from_csv(_member(archive, name, filename), PurePosixPath(name).stem)
            rows += len(sheet.rows)
            _bounded(rows)
            found.append(sheet)
        return found


def _member(archive: zipfile.ZipFile, name: str, filename: str) -> bytes:
    try:
        return archive.read(name)
    except BROKEN as error:
        raise FileError(f"{name} in {filename} is damaged; make the archive again.") from error


def _bounded(rows: int) -> None:
    if rows > MOST_ROWS:
        raise FileError(f"There are more than {MOST_ROWS} rows; split the file, parents first.")


def _from_csv(content: bytes, name: str) -> Sheet:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(
            f"{name}.csv is not UTF-8 (byte {error.start}); choose “CSV UTF-8” when saving it."
        ) from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    previous = csv.field_size_limit(MOST_FIELD)
    try:
        rows = list(islice(reader, MOST_ROWS + 2))
    except csv.Error as error:
        raise FileError(f"{name}.csv, line {reader.line_num}: {error}. Save it again as CSV.") from error
    finally:
        csv.field_size_limit(previous)
    return _sheet(name, ([unmarked(cell) for cell in row[:MOST_COLUMNS]] for row in rows))


def _from_xlsx(stream: BinaryIO, filename: str) -> list[Sheet]:
    from openpyxl import load_workbook

    # openpyxl answers a damaged or crafted file with whatever its parsers meet.
    try:
        book = load_workbook(stream, read_only=True, data_only=False, keep_links=False)
        found, rows = [], 0
        for page in book.worksheets:
            if page.title.strip().lower() in IGNORED_SHEETS:
                continue
            sheet = _sheet(page.title, _xlsx_rows(page))
            rows += len(sheet.rows)
            _bounded(rows)
            found.append(sheet)
    except FileError:
        raise
    except Exception as error:
        raise FileError(
            f"{filename} does not open as a spreadsheet ({type(error).__name__}); save it again as XLSX."
        ) from error
    return found


def _xlsx_rows(page: Any) -> Iterator[list[Any]]:
    for row in islice(page.iter_rows(max_col=MOST_COLUMNS), MOST_ROWS + 2):
        yield [_xlsx_cell(cell) for cell in row]


def _xlsx_cell(cell: Any) -> Any:
    if cell.value is None:
        return None
    if cell.data_type == "f":
        return Formula(str(getattr(cell.value, "text", cell.value)))
    if cell.data_type == "e":
        return Formula(str(cell.value))
    if isinstance(cell.value, str):
        return ESCAPED.sub(lambda found: chr(int(found[1], 16)), cell.value)
    return cell.value


def _from_json(content: bytes) -> list[Sheet]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FileError("The file is not JSON; export again, or send CSV or XLSX.") from error
    tables = document.get("tables") if isinstance(document, dict) else None
    if not isinstance(tables, dict) or not all(_is_table(rows) for rows in tables.values()):
        raise FileError('The JSON needs {"tables": {"samples": [{"code": …}, …], …}}.')
    _bounded(sum(len(rows) for rows in tables.values()))
    found = []
    for name, rows in tables.items():
        titles = list(dict.fromkeys(key for row in rows for key in row))
        _not_too_wide(len(titles), name)
        cells = [(number, [row.get(title) for title in titles]) for number, row in enumerate(rows, start=1)]
        found.append(Sheet(name, titles, cells, title_row=0, named_cells=True))
    return found


def _is_table(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _not_too_wide(columns: int, name: str) -> None:
    if columns > MOST_COLUMNS:
        raise FileError(f"The table {name} has {columns} columns; none has more than {MOST_COLUMNS}.")


def _sheet(name: str, rows: Iterator[list[Any]]) -> Sheet:
    """The first row with anything in it holds the titles; rows that are empty are left out."""
    titles: list[str] | None = None
    title_row = 1
    filled: list[tuple[int, list[Any]]] = []
    number = 0
    for number, row in enumerate(rows, start=1):
        if all(cell in (None, "") for cell in row):
            continue
        if titles is None:
            titles, title_row = ["" if cell is None else _title(cell) for cell in row], number
        else:
            filled.append((number, row))
    _bounded(max(number - 1, 0))
    return Sheet(name.strip(), titles or [], filled, title_row)


def _title(cell: Any) -> str:
    return cell.text if isinstance(cell, Formula) else str(cell)
