"""Bruker's text export of RAW files: `;RAW4.00`, sections of `Key=value` lines, and [Data] for each range.

The same key means different things in different sections (Time is a clock in [RawHeader] and a counting time
in [RangeHeader]), so the section is part of the name here. Written after public descriptions of the format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements.data import Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Bruker RAW4 text",
    extensions=(".txt",),
    vendor="Bruker",
    techniques=("xrd",),
    description="Scans of DIFFRAC.SUITE exported as text, with one or more ranges and detectors.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

SECTION = re.compile(r"\[(?P<name>[^\]]+)\]\s*$")
RANGE = "RangeHeader"


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head[:256]).lstrip("\ufeff \r\n")
    except ReadError:
        return False
    return text.startswith(";RAW4")


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    ranges = list(_ranges(lines))
    datasets: list[Dataset] = []
    others: list[Dataset] = []
    for number, found in enumerate(ranges, start=1):
        own = _datasets(*found, number if len(ranges) > 1 else 0)
        datasets += own[:1]
        others += own[1:]
    if not datasets:
        raise ReadError("no numbers follow [Data]. Was the export cut off? Export it again.")
    return datasets + others


def _ranges(lines: list[str]) -> Iterator[tuple[dict[str, str], list[str], int]]:
    """(header, lines below [Data], number of the first of them) for each range."""
    header: dict[str, str] = {}
    section, kind, first = "", "", None
    for number, line in enumerate((*lines, "[End]"), start=1):
        text = line.strip()
        found = SECTION.match(text)
        if found is None:
            key, equals, value = text.partition("=")
            if equals and first is None:
                kind = _keep(header, section, kind, key.strip(), value.strip())
            continue
        if first is not None:
            yield dict(header), lines[first : number - 1], first + 1
            header = {key: value for key, value in header.items() if not key.startswith((RANGE, "Drive"))}
            first = None
        section = found["name"].strip()
        if section == "Data":
            first = number


def _keep(header: dict[str, str], section: str, kind: str, key: str, value: str) -> str:
    """Notes one setting; [VarInfo] gives the name and the value of one in two lines."""
    if section == "VarInfo" and key == "Type":
        return value
    if section == "VarInfo" and key == "Value" and kind:
        header[kind] = value
        return ""
    name, count = f"{section}.{key}", 2
    while name in header:
        name, count = f"{section}.{key} ({count})", count + 1
    header[name] = value
    return kind


def _datasets(header: dict[str, str], lines: list[str], first_line: int, number: int) -> list[Dataset]:
    above = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    titles = [cell.strip() for cell in lines[above].split(",")] if above < len(lines) else []
    has_titles = bool(titles) and xrd.as_float(titles[0]) is None
    first = above + has_titles
    rows = xrd.numbers_in(lines[first:], first_line + first, comma="separator", form="numbers")
    if not rows:
        return []
    width = len(rows[0])
    if width < 2 or any(len(row) != width for row in rows):
        raise ReadError("its points have different numbers of values. Export it again.", line=first_line)
    table = np.array(rows)
    word = header.get(f"{RANGE}.ScanType", "") or "2Theta"
    axis = xrd.axis(word, table[:, 0].copy())
    names = [name for name in titles[1:] if name] if has_titles else []
    names += [f"column {column + 1}" for column in range(len(names) + 1, width)]
    prefix = f"range {number}" if number else ""
    datasets = []
    for column in range(1, width):
        values, remark = xrd.measured(table[:, column].copy())
        words = [word for word in (prefix, names[column - 1] if width > 2 else "") if word]
        title = ", ".join(words)
        signal = Signal(names[column - 1], "counts", values)
        datasets.append(
            Dataset(signal, (axis,), header | remark, None, _conditions(header), title, technique="xrd")
        )
    return datasets


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    def of_range(key: str) -> str | None:
        return header.get(f"{RANGE}.{key}")

    def of_hardware(key: str) -> str | None:
        return header.get(f"HardwareConfiguration.{key}")

    clock = f"{header.get('RawHeader.Date', '')} {header.get('RawHeader.Time', '')}"
    return {
        **xrd.tube(
            alpha1=of_hardware("Alpha1") or of_range("ActuallyUsedLambda"),
            alpha2=of_hardware("Alpha2"),
            ratio=of_hardware("Ratio") or of_hardware("AlphaRatio"),
            anode=of_hardware("Anode"),
            kilovolt=of_range("GeneratorVoltage"),
            milliampere=of_range("GeneratorCurrent"),
        ),
        **condition("scan_axis", of_range("ScanType")),
        **condition("mode", of_range("ScanMode")),
        **condition("dwell_time", xrd.as_float(of_range("Time")), "s"),
        **condition("step_size", xrd.as_float(of_range("Increment")), "deg"),
        **condition("local_time", clock),
        **condition("sample_name", header.get("SAMPLEID")),
        **condition("operator", header.get("USER")),
        **condition("comment", header.get("COMMENT")),
    }
