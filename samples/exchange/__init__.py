"""Samples in and out as tables: CSV, XLSX, JSON, Arrow. What goes out comes back in the same.

`tables` says what there is, `reading` bounds and opens a file, `parsing`, `checking` and `together` find
everything that is wrong with it, `committing` saves all or nothing, `exporting` and `writing` go the other
way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import BinaryIO

from samples.exchange.checking import check
from samples.exchange.committing import commit
from samples.exchange.exporting import Extent, Written, export, extent
from samples.exchange.parsing import Problem
from samples.exchange.reading import FileError, Sheet, sheets
from samples.models import Project, User

__all__ = [
    "Extent",
    "FileError",
    "Outcome",
    "Problem",
    "Written",
    "bring_in",
    "bring_in_sheets",
    "export",
    "extent",
    "sheets",
]


@dataclass(frozen=True)
class Outcome:
    """counts: new rows by table, made or, of a rehearsal, that would be made."""

    counts: dict[str, int]
    problems: list[Problem]
    saved: bool


def bring_in(
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
    """Read, check and save a file of tables; with `dry_run`, everything but the last. Raises FileError."""
    found = sheets(stream, filename, size=size, table=table)
    return bring_in_sheets(
        user=user, project=project, found=found, filename=filename, dry_run=dry_run, zone=zone
    )


def bring_in_sheets(
    *,
    user: User,
    project: Project,
    found: Sequence[Sheet],
    filename: str,
    dry_run: bool,
    zone: tzinfo = UTC,
) -> Outcome:
    intake = check(found, user=user, project=project, zone=zone)
    problems = commit(intake, reason=f"Import of {filename[:120]}", rehearse=dry_run)
    return Outcome(intake.counts, problems, saved=not problems and not dry_run)
