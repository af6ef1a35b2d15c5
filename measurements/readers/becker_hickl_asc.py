"""Text that Becker & Hickl's SPCM exports (.asc): what was typed in, the setup, then blocks of photons.

      Title : g1
      SYS_PARA_BEGIN:
      #SP [SP_COL_T,F,60]
    *BLOCK 1  ( Time[ns]  No_of_photons )
    0.000000 ,    0
    *END

Every block is a curve of its own. Date and time have no zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers import _spcm, _thermal
from measurements.readers._numbers import Dialect
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers._titles import name_and_unit
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Becker & Hickl SPCM text",
    extensions=(".asc",),
    vendor="Becker & Hickl",
    techniques=("trpl",),
    description="Decay curves exported as text from SPCM, one or more blocks, with or without the setup.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

BLOCK = re.compile(r"^\*BLOCK\s+(?P<number>\d+)\s*(?P<what>.*?)\s*$")
END = "*END"
COUNTS = "No_of_photons"


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return 0.0
    if re.search(r"^\*BLOCK\s+\d+", text, re.MULTILINE):
        return 1.0 if COUNTS in text or "Time[" in text else 0.7
    return 0.9 if "SYS_PARA_BEGIN:" in text and re.search(r"^\s*#SP \[SP_", text, re.MULTILINE) else 0.0


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    starts = [number for number, line in enumerate(lines) if BLOCK.match(line)]
    if not starts:
        raise ReadError(
            "there is no *BLOCK in it. Was the export cut off after its setup? Export the curves again.",
            line=len(lines),
        )
    header = _spcm.settings(lines[: starts[0]])
    ends = [*starts[1:], len(lines)]
    return [_block(lines, start, end, header) for start, end in zip(starts, ends, strict=True)]


def _block(lines: Sequence[str], start: int, end: int, header: Mapping[str, str]) -> Dataset:
    found = BLOCK.match(lines[start])
    what = found["what"] if found else ""
    stop = next((number for number in range(start + 1, end) if lines[number].strip() == END), None)
    if stop is None:
        raise ReadError(
            f"the block that begins in line {start + 1} does not end with {END}. It was probably cut off: "
            "export it again.",
            line=end,
        )
    titles = [name_and_unit(title) for title in re.findall(r"[^\s()\[\]]+(?:\[[^\]]*\])?", what.strip("() "))]
    rows = [line for line in lines[start + 1 : stop] if line.strip()]
    if not rows:
        raise ReadError("the block is empty. Export the curve again.", line=start + 1)
    dialect = _dialect(rows[0])
    columns = len(dialect.cells(rows[0]))
    table = _thermal.table_in(lines[start + 1 : stop], dialect, columns, start + 2)
    if columns == 1:
        return _without_times(table.rows[:, 0], header, lines[start].strip(), start + 1)
    titles += [("", "")] * (columns - len(titles))
    name, unit = titles[1]
    is_counts = name in (COUNTS, "")
    return Dataset(
        signal=Signal(
            "Counts" if is_counts else name, "counts" if is_counts else unit, table.rows[:, 1].copy()
        ),
        axes=(Axis(titles[0][0] or "Time", titles[0][1], table.rows[:, 0].copy()),),
        header={**header, "block": lines[start].strip()},
        conditions=_spcm.conditions(header),
        title=f"Block {found['number'] if found else 1}",
        technique="trpl",
    )


def _without_times(counts: Array, header: Mapping[str, str], block: str, line: int) -> Dataset:
    """Counts alone: the setup says how wide a channel is, if it was exported as well."""
    width_s = as_number(header.get("SP_TAC_TC", ""))
    if not width_s or not width_s > 0:
        raise ReadError(
            "the block has counts and no times. Export it again with its time axis or its setup.", line=line
        )
    times_ns = np.arange(counts.size, dtype=np.float64) * (width_s * 1e9)
    return Dataset(
        signal=Signal("Counts", "counts", counts.copy()),
        axes=(Axis("Time", "ns", times_ns),),
        header={**header, "block": block},
        conditions={**_spcm.conditions(header), **condition("channel_width", width_s, "s")},
        title=" ".join(block.lstrip("*").title().split()[:2]),
        technique="trpl",
    )


def _dialect(row: str) -> Dialect:
    return next((Dialect(mark) for mark in (",", ";", "\t") if mark in row.strip()), Dialect(None))
