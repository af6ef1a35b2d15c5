"""Siemens and Bruker UXD: `_KEY=value` lines, then `_COUNTS` or `_2THETACOUNTS` and numbers, for each range.

The name of a block says two things: whether positions are written too, and whether they are counts or counts
per second. What is driven is in `_DRIVE`: a rocking curve stands under `_2THETACOUNTS` as well. Times have no
zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements.data import Array, Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Bruker UXD",
    extensions=(".uxd",),
    vendor="Bruker",
    techniques=("xrd",),
    description="Diffractometer scans as text from DIFFRAC's file exchange, with one or more ranges.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

BLOCK = re.compile(r"_(?P<where>[A-Z0-9]*?)(?P<what>COUNTS|CPS)(?P<time>TIME)?\s*(?:=.*)?$", re.IGNORECASE)
SETTING = re.compile(r"_(?P<key>\w[\w \-]*?)\s*=\s*(?P<value>.*)$")
RANGE_BEGINS = ("DRIVE", "STEPTIME")
PEAKS = re.compile(r"_(?:D-I|2THETA-I)\b", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> bool:
    try:
        lines = [line.strip() for line in decoded(head).splitlines()]
    except ReadError:
        return False
    settings = sum(bool(SETTING.match(line)) for line in lines)
    return any(line.upper().startswith("_FILEVERSION") for line in lines) or (
        settings > 1 and any(BLOCK.match(line) for line in lines)
    )


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        ranges = list(_ranges(text.read().split("\n")))
    if not ranges:
        raise ReadError("there is no block of counts in it. Was the export cut off? Export it again.")
    datasets = [
        _dataset(*found, number if len(ranges) > 1 else 0) for number, found in enumerate(ranges, start=1)
    ]
    return [dataset for dataset in datasets if dataset is not None] or _nothing()


def _nothing() -> list[Dataset]:
    raise ReadError("its blocks of counts are empty. Export the measurement again.")


def _ranges(lines: list[str]) -> Iterator[tuple[dict[str, str], str, list[str], int]]:
    """(header, name of the block, its lines, number of the first of them) for each range."""
    common: dict[str, str] = {}
    own: dict[str, str] | None = None  # None until the first range begins
    block, first = "", 0
    for number, line in enumerate((*lines, "_END="), start=1):
        text = line.strip()
        if not text.startswith("_"):
            continue
        if block:
            yield common | (own or {}), block, lines[first : number - 1], first + 1
            block, own = "", {}
        setting = SETTING.match(text)
        if BLOCK.match(text):
            block, first = text, number
        elif PEAKS.match(text):
            block = ""
        elif setting and number <= len(lines):
            key, value = setting["key"].strip().upper(), setting["value"].strip().strip("'\"")
            if key == "DRIVE" or (own is None and key in RANGE_BEGINS):
                own = {}
            (common if own is None else own)[key] = value


def _dataset(
    header: dict[str, str], block: str, lines: list[str], first_line: int, number: int
) -> Dataset | None:
    kept = [line.split(";")[0] for line in lines]
    flat = [value for row in xrd.numbers_in(kept, first_line, form="counts") for value in row]
    if not flat:
        return None
    kind = BLOCK.match(block)
    assert kind is not None
    word = header.get("DRIVE", "COUPLED")
    positions, values, seconds = _columns(header, bool(kind["where"]), bool(kind["time"]), flat, first_line)
    values, remark = xrd.measured(values)
    conditions = _conditions(header)
    if seconds is not None and np.ptp(seconds) == 0:
        conditions |= condition("dwell_time", float(seconds[0]), "s")
    unit = "counts" if kind["what"].upper() == "COUNTS" else "counts/s"
    axis = xrd.axis(word, positions)
    title = f"range {number}, {axis.name}" if number else ""
    return Dataset(
        Signal("Intensity", unit, values), (axis,), header | remark, None, conditions, title, technique="xrd"
    )


def _columns(
    header: dict[str, str], has_positions: bool, has_times: bool, flat: list[float], first_line: int
) -> tuple[Array, Array, Array | None]:
    if not has_positions:
        start = xrd.as_float(header.get("START") or header.get("2THETA"))
        step = xrd.as_float(header.get("STEPSIZE"))
        if start is None or step is None:
            raise ReadError("the range has no _START and _STEPSIZE. Export it again.", line=first_line - 1)
        return xrd.stepped(start, step, len(flat)), np.array(flat), None
    width = 3 if has_times else 2
    if len(flat) % width:
        raise ReadError(
            f"the {len(flat)} numbers of the range are not {width} for each point. Was the file cut off? "
            "Export it again.",
            line=first_line,
        )
    table = np.array(flat).reshape(-1, width)
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2] if has_times else None


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    in_angstrom = header.get("WL_UNIT", "A").upper() in ("A", "Å", "ANGSTROM", "")
    return {
        **xrd.tube(
            alpha1=header.get("WL1") if in_angstrom else None,
            alpha2=header.get("WL2") if in_angstrom else None,
            ratio=header.get("WLRATIO"),
            anode=header.get("ANODE"),
            kilovolt=header.get("KV"),
            milliampere=header.get("MA"),
        ),
        **condition("scan_axis", header.get("DRIVE")),
        **condition("dwell_time", xrd.as_float(header.get("STEPTIME")), "s"),
        **condition("step_size", xrd.as_float(header.get("STEPSIZE")), "deg"),
        **condition("local_time", header.get("DATEMEASURED")),
        **condition("sample_name", header.get("SAMPLE")),
        **condition("operator", header.get("USER")),
    }
