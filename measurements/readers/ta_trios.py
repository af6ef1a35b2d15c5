"""Text or CSV that TA Instruments' TRIOS writes: sections of keys, then a table for every step of the method.

    Sample name,indium
    [Configuration]
    Exotherm Direction,Up
    [step]
    Ramp 10.00 °C/min to 180.00 °C
    Time,Temperature,Heat Flow (Normalized)
    min,°C,W/g
    0.000,25.01,-0.01

The export for LIMS says the same in other words:

    [Version]
    TA Instruments LIMS export format version<tab>1
    [Step]
    Step name<tab>Ramp 10.00 °C/min to 180.00 °C
    Variables<tab>Time<tab>Temperature<tab>Heat Flow
    Units<tab>min<tab>°C<tab>mW
    Data point<tab>0<tab>25.01<tab>-0.01

Separated by tabs or commas throughout; a line “Number of points” may stand before the titles. The steps of a
run follow each other in time, so steps with the same columns become one run; the header says where each of
them begins. TRIOS leaves cells empty at the end of a step: those numbers are missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array, Dataset, Quantity, ReadError
from measurements.readers import _thermal
from measurements.readers._numbers import Dialect
from measurements.readers._text import decoded, open_text
from measurements.readers._thermal import Column
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="TA TRIOS text",
    extensions=(".txt", ".csv"),
    vendor="TA Instruments",
    techniques=("dsc", "tga"),
    description="DSC and TGA runs exported from TRIOS as text or CSV; the steps of the method are joined.",
    max_bytes=128 * 1024**2,
)
VERSION = 2

STEP = "[step]"
LIMS = "TA Instruments LIMS export format version"
POINT = "Data point"
LONGEST_SETTING = 4000  # characters; a calibration may be hundreds of numbers
SECTION = re.compile(r"^\[(.+)\]$")


class Step(NamedTuple):
    title: str
    columns: tuple[tuple[str, str], ...]
    rows: Array


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return 0.0
    if re.match(rf"\ufeff?\[Version\]\s*{LIMS}", text):
        return 0.95
    known = re.search(
        r"^(?:proceduresegments|Instrument name|\[Procedure\]|\[Signal List\]|\[File Parameters\])",
        text,
        re.M | re.I,
    )
    begins = re.match(r"\ufeff?(?:Filename|Instrument)\b[^\n]*[\t,]", text)
    if re.search(r"^\[step\]\s*$", text, re.MULTILINE):
        return 0.95 if known else 0.5
    return 0.8 if known and begins and "rundate" in text else 0.0


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = [line.rstrip("\r\n") for line in file]
    starts = [number for number, line in enumerate(lines) if line.strip(" \t,").lower() == STEP]
    if not starts:
        raise ReadError(f"there is no {STEP} in it. Export the run again from TRIOS with its data.")
    delimiter = "\t" if any("\t" in line for line in lines[: starts[0]] + lines[starts[0] :][:10]) else ","
    header = _header(lines[: starts[0]], delimiter)
    steps = [
        _step(lines, start, end, delimiter)
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]
    runs: dict[tuple[tuple[str, str], ...], list[Step]] = {}
    for step in steps:
        if step.rows.size:
            runs.setdefault(step.columns, []).append(step)
    if not runs:
        raise ReadError("none of its steps holds numbers. Export the run again from TRIOS with its data.")
    return [dataset for same in runs.values() for dataset in _run(same, header)]


def _header(lines: Sequence[str], delimiter: str) -> dict[str, str]:
    """Keys of sections as “Section.key”, in the order of the file."""
    header: dict[str, str] = {}
    section = ""
    for number, line in enumerate(lines, start=1):
        if found := SECTION.match(line.strip(f" {delimiter}")):
            section = f"{found[1]}."
            continue
        key, _, value = line.partition(delimiter)
        key, value = f"{section}{key.strip()}", value.strip().strip('"')
        if key == section and not value:
            continue
        if key in header and section.startswith("Parameters: "):
            header[key] = f"{header[key]}\n{value}"  # the points of a calibration
        else:
            header[key if key not in header else f"line {number}"] = value
    return {
        key: value if len(value) <= LONGEST_SETTING else f"{value[:LONGEST_SETTING]}…"
        for key, value in header.items()
    }


def _step(lines: Sequence[str], start: int, end: int, delimiter: str) -> Step:
    titles = next((n for n in range(start, min(start + 8, end)) if lines[n].startswith("Variables")), None)
    if titles is not None:
        return _lims_step(lines, start, titles, end, delimiter)
    title, at = "", start + 1
    while (at < end and len(_cells(lines[at], delimiter)) < 2) or _is_count(lines[at : at + 1]):
        title = title or lines[at].strip(f' "{delimiter}')
        at += 1
        if at >= end:
            return Step(title, (), np.empty((0, 0)))
    if at + 1 >= end:
        return Step(title, (), np.empty((0, 0)))
    return _table(title, lines[at], lines[at + 1], lines[at + 2 : end], at + 3, delimiter)


def _lims_step(lines: Sequence[str], start: int, titles: int, end: int, delimiter: str) -> Step:
    """A step whose lines each begin with what they are."""
    said = dict(line.partition(delimiter)[::2] for line in lines[start + 1 : titles])
    first = next((n for n in range(titles, end) if lines[n].startswith(POINT)), end)
    names, units = ([line.partition(delimiter)[2] for line in lines[n : n + 1]] for n in (titles, first - 1))
    points = [line.partition(delimiter)[2] for line in lines[first:end] if line.startswith(POINT)]
    announced = said.get("Number of points", "").strip()
    if announced.isdecimal() and int(announced) != len(points):
        raise ReadError(
            f"the step announces {announced} points, and {len(points)} follow. Was the file cut off? Export "
            "the run again.",
            line=start + 1,
        )
    return _table(said.get("Step name", "").strip(), names[0], units[0], points, first + 1, delimiter)


def _table(
    title: str, titles: str, written_units: str, lines: Sequence[str], first_line: int, delimiter: str
) -> Step:
    names, units = _cells(titles, delimiter), _cells(written_units, delimiter)
    units += [""] * (len(names) - len(units))
    dialect = Dialect(delimiter, decimal_comma=delimiter == "\t" and any("," in line for line in lines[:50]))
    body = [_thermal.with_missing(line, delimiter, len(names)) for line in lines]
    stop = next(
        (index for index, line in enumerate(body) if line.strip() and not dialect.is_row(line)), len(body)
    )
    table = _thermal.table_in(body[:stop], dialect, len(names), first_line)
    columns = tuple((name, _thermal.unit(unit)) for name, unit in zip(names, units, strict=False))
    return Step(title, columns, table.rows)


def _cells(line: str, delimiter: str) -> list[str]:
    cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _is_count(lines: Sequence[str]) -> bool:
    return bool(lines) and lines[0].lower().startswith("number of points")


def _run(steps: Sequence[Step], header: Mapping[str, str]) -> list[Dataset]:
    own = dict(header)
    begins = 1
    for number, step in enumerate(steps, start=1):
        own[f"step {number}"] = f"{step.title} (from point {begins}, {len(step.rows)} points)"
        begins += len(step.rows)
    rows = np.concatenate([step.rows for step in steps])
    columns = [
        Column(name, unit, rows[:, index].copy()) for index, (name, unit) in enumerate(steps[0].columns)
    ]
    told = " ".join(value for key, value in header.items() if "instrument" in key.lower()).upper()
    technique = "dsc" if "DSC" in told and "SDT" not in told else "tga" if "TGA" in told else ""
    return _thermal.run(columns, own, _conditions(own, steps), technique)


def _conditions(header: Mapping[str, str], steps: Sequence[Step]) -> dict[str, Quantity]:
    def first(*endings: str) -> str:
        found = (
            value
            for ending in endings
            for key, value in header.items()
            if key.lower().rpartition(".")[2].strip() == ending and value
        )
        return next(found, "")

    exo = first("exotherm direction", "exotherm")
    gas = first("gas selected").rpartition(":")[2]
    flow = re.match(r"([\d.]+)\s*(m?l/min)$", first("flow rate"), re.IGNORECASE)
    return {
        **_thermal.mass_mg(re.sub(r"[\t,](?=\D)", " ", first("sample mass", "sample size", "size"))),
        **condition("sample_name", first("sample name", "samplename")),
        **condition("operator", first("operator")),
        **condition("instrument", first("instrument type", "instrument name", "instrument")),
        **condition("crucible", first("pan type")),
        **condition("local_time", first("run date", "rundate")),
        **_thermal.programme("\n".join(step.title for step in steps)),
        **condition("gas", gas),
        **(condition("gas_flow", flow[1], flow[2]) if flow else {}),
        **(_thermal.exo_mode(f"exotherm {exo}") if exo else {}),
    }
