"""The files that a project leaves and enters as. Another room adds its own (`.eln` needs raw files, too).

A writer gets the extent and the name of one table, where the format holds only one. A reader recognises its
files by name; everything that no reader claims is read as tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import BinaryIO, Protocol

from samples.exchange import Outcome, bring_in
from samples.exchange.exporting import Extent, export
from samples.exchange.writing import as_arrow, as_csv, as_json, as_xlsx, as_zip
from samples.models import Project, User


@dataclass(frozen=True)
class Format:
    key: str
    label: str
    media_type: str
    suffix: str
    write: Callable[[Extent, str], BinaryIO | bytes]


class Reader(Protocol):
    def __call__(
        self,
        *,
        user: User,
        project: Project,
        stream: BinaryIO,
        filename: str,
        size: int,
        dry_run: bool,
        zone: tzinfo,
        table: str,
    ) -> Outcome: ...


def _csv(of: Extent, table: str) -> bytes:
    exported = export(of)
    one = next((written for written in exported if written.table.name == table), None)
    return as_csv(one) if one else as_zip(exported)


def _arrow(of: Extent, table: str) -> bytes:
    return as_arrow(next(written for written in export(of) if written.table.name == (table or "samples")))


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: dict[str, Format] = {
    "xlsx": Format("xlsx", "XLSX", XLSX, ".xlsx", lambda of, table: as_xlsx(export(of))),
    "csv": Format("csv", "CSV (zip)", "application/zip", ".zip", _csv),
    "json": Format("json", "JSON", "application/json", ".json", lambda of, table: as_json(export(of))),
    "arrow": Format("arrow", "Arrow", "application/vnd.apache.arrow.stream", ".arrows", _arrow),
}
READERS: dict[str, Reader] = {}  # by ending of the file's name


def take_in(
    *,
    user: User,
    project: Project,
    stream: BinaryIO,
    filename: str,
    size: int,
    dry_run: bool,
    zone: tzinfo = UTC,
    table: str = "",
) -> Outcome:
    """Bring in a file of any known kind. Raises FileError with a sentence when it cannot be taken at all."""
    ending = filename.lower().rpartition(".")[2]
    reader = READERS.get(ending, bring_in)
    return reader(
        user=user,
        project=project,
        stream=stream,
        filename=filename,
        size=size,
        dry_run=dry_run,
        zone=zone,
        table=table,
    )
