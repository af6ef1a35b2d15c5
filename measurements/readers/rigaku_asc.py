"""Rigaku ASC: `*KEY = value` lines, and for each group `*COUNT = n` followed by n intensities and `*END`.

Written after public descriptions of the format, and tried with a pole figure. Times have no zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements.data import Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers import _rigaku
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Rigaku ASC",
    extensions=(".asc",),
    vendor="Rigaku",
    techniques=("xrd",),
    description="Scans of older Rigaku diffractometers as text, with one or more groups of intensities.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

SETTING = re.compile(r"\*(?P<key>[A-Z_][A-Z0-9_]*)\s*=\s*(?P<value>.*)$")


def recognises(head: bytes, filename: str) -> bool:
    try:
        lines = [line.strip() for line in decoded(head).splitlines()]
    except ReadError:
        return False
    keys = {found["key"] for line in lines if (found := SETTING.match(line))}
    return {"START", "STEP"} <= keys or ("TYPE" in keys and "CLASS" in keys)


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    groups = list(_groups(lines))
    datasets = [
        _dataset(*group, number if len(groups) > 1 else 0)
        for number, group in enumerate(groups, start=1)
        if any(line.strip() for line in group[1])
    ]
    if not datasets:
        raise ReadError("no intensities follow a *COUNT line. Was the export cut off? Export it again.")
    return datasets


def _groups(lines: list[str]) -> Iterator[tuple[dict[str, str], list[str], int]]:
    common: dict[str, str] = {}
    own: dict[str, str] | None = None
    first: int | None = None
    for number, line in enumerate((*lines, "*END"), start=1):
        text = line.strip()
        if not text.startswith("*"):
            continue
        if first is not None:
            yield common | (own or {}), lines[first : number - 1], first + 1
            first = None
        if text in ("*BEGIN", "*END", "*EOF"):
            own = {} if text == "*BEGIN" else own
            continue
        setting = SETTING.match(text)
        if setting is None:
            continue
        target = common if own is None else own
        key = setting["key"]
        while key in target and key not in ("COUNT", "START", "STOP", "STEP"):
            key += "'"  # *SLIT_NAME = 0, …  *SLIT_NAME = 1, …
        target[key] = setting["value"].strip()
        if setting["key"] == "COUNT":
            first = number


def _dataset(header: dict[str, str], lines: list[str], first_line: int, number: int) -> Dataset:
    rows = xrd.numbers_in(lines, first_line, comma="separator", form="intensities")
    values = np.array([value for row in rows for value in row])
    announced = xrd.as_float(header.get("COUNT"))
    if announced is not None and announced != values.size:
        raise ReadError(
            f"*COUNT announces {announced:g} intensities, there are {values.size}. Was the file cut off? "
            "Export it again.",
            line=first_line - 1,
        )
    start, step = xrd.as_float(header.get("START")), xrd.as_float(header.get("STEP"))
    if start is None or step is None:
        raise ReadError("the group has no *START and *STEP. Export it again.", line=first_line - 1)
    word = header.get("SCAN_AXIS") or header.get("SCAN_MODE") or "2theta/theta"
    axis = xrd.axis(word, xrd.stepped(start, step, values.size))
    unit = _rigaku.UNITS.get(header.get("YUNIT", "").lower(), header.get("YUNIT", ""))
    title = f"group {number}, {axis.name}" if number else ""
    signal = Signal("Intensity", unit, values)
    return Dataset(signal, (axis,), header, None, _conditions(header, step), title, technique="xrd")


def _conditions(header: dict[str, str], step: float) -> dict[str, Quantity]:
    return {
        **xrd.tube(
            alpha1=header.get("WAVE_LENGTH1"),
            alpha2=header.get("WAVE_LENGTH2"),
            kilovolt=header.get("KV"),
            milliampere=header.get("MA"),
        ),
        **condition("step_size", step, "deg"),
        **condition("scan_axis", header.get("SCAN_AXIS")),
        **condition("mode", header.get("MEAS_MODE")),
        **_rigaku.dwell(step, xrd.as_float(header.get("SPEED")), header.get("SPEED_DIM", "")),
        **condition("local_time", header.get("DATE")),
        **condition("sample_name", header.get("SAMPLE")),
        **condition("comment", header.get("COMMENT")),
    }
