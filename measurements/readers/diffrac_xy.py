"""Bruker's XY exports: one line of `Key: "value"` pairs above two columns, once for each scan.

    'Id: "" Comment: "…" Operator: "…" Anode: "Cu" Scantype: "Coupled TwoTheta/Theta" TimePerStep: "96"
    5.0001 4.852

Written by DIFFRAC.EVA and DIFFRAC.MEASUREMENT. The file names no unit of the intensity (EVA rescales it).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Bruker DIFFRAC XY",
    extensions=(".xy", ".xye", ".txt"),
    vendor="Bruker",
    techniques=("xrd",),
    description="XY files that DIFFRAC.EVA exports, with sample, anode and type of scan in their first line.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

SETTING = re.compile(r'(?P<key>[A-Z][\w/ .]*?):\s*"(?P<value>[^"]*)"')
HEADER = re.compile(r"""\s*['#!;]?\s*Id:\s*".*(?:Comment|Anode|Scantype):\s*\"""")


def recognises(head: bytes, filename: str) -> bool:
    try:
        first = next((line for line in decoded(head).splitlines() if line.strip()), "")
    except ReadError:
        return False
    return HEADER.match(first) is not None


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    begins = [number for number, line in enumerate(lines) if HEADER.match(line)]
    if not begins:
        raise ReadError('there is no line with Id: "…" above the numbers. Export the scan again.')
    datasets = []
    for number, (begin, end) in enumerate(zip(begins, [*begins[1:], len(lines)], strict=True), start=1):
        rows = xrd.numbers_in(lines[begin + 1 : end], begin + 2, form="a position and an intensity")
        if rows:
            datasets.append(_dataset(lines[begin], rows, begin + 2, number if len(begins) > 1 else 0))
    if not datasets:
        raise ReadError("no numbers follow the first line. Was the export cut off? Export it again.", line=2)
    return datasets


def _dataset(first: str, rows: list[list[float]], line: int, number: int) -> Dataset:
    width = len(rows[0])
    if width not in (2, 3) or any(len(row) != width for row in rows):
        raise ReadError(
            "the points do not all have the same two or three numbers. Export it again.", line=line
        )
    table = np.array(rows)
    header = {found["key"].strip(): found["value"] for found in SETTING.finditer(first)}
    word = header.get("Scantype") or "Coupled TwoTheta/Theta"
    axis = xrd.axis(_driven(word), table[:, 0].copy())
    signal = Signal("Intensity", "", table[:, 1].copy(), np.abs(table[:, 2]) if width == 3 else None)
    title = f"scan {number}" if number else ""
    return Dataset(signal, (axis,), header, None, _conditions(header), title, technique="xrd")


def _driven(scan_type: str) -> str:
    lower = scan_type.lower()
    if "rocking" in lower:
        return "omega"
    return "2Theta" if "twotheta" in lower or "2theta" in lower or "detector" in lower else scan_type


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    return {
        **xrd.tube(alpha1=header.get("Wavelength"), anode=header.get("Anode")),
        **condition("scan_axis", header.get("Scantype")),
        **condition("dwell_time", xrd.as_float(header.get("TimePerStep")), "s"),
        **condition("sample_name", header.get("Id")),
        **condition("operator", header.get("Operator")),
        **condition("comment", header.get("Comment")),
    }
