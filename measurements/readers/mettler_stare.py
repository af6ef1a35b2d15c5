"""Text that Mettler Toledo's STARe writes: one or more curves, each a table, with its results and method.

    Curve Name:
      =TEST TGA
      Sample Weight
    Curve Values:
              Index              t             Ts             Tr          Value
                               [s]           [°C]           [°C]           [mg]
                  0              0         36.625         35.000        12.8009

The tables are found by their title line and its units, so the words around them may be in any language and
the decimal mark may be a comma. “Index” is the number of the row, Ts the temperature of the sample and Tr
that of the programme. The file has local times without a zone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import _thermal
from measurements.readers._text import decoded, open_text
from measurements.readers._thermal import Column
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Mettler Toledo STARe text",
    extensions=(".txt",),
    vendor="Mettler Toledo",
    techniques=("dsc", "tga"),
    description="DSC and TGA curves exported as text from STARe; several curves in one file, any language, "
    "decimal point or comma.",
    max_bytes=128 * 1024**2,
)
VERSION = 2

TITLES = re.compile(r"^\s*(?:Index|t|Ts|Tr|Time|Zeit)\s+\S.*$", re.IGNORECASE)
OWN_TITLES = re.compile(r"^\s*(?:Index|t|Ts|Tr)\s")
UNITS = re.compile(r"^\s*(?:\[[^\[\]]*\]\s*){2,}$")
NUMBERS = re.compile(r"^\s*-?\d+(?:\s+-?[\d.,]+(?:[eE][-+]?\d+)?)+\s*$")
HEADING = re.compile(r"^\S.*:\s*$")
NAMES = {"t": "Time", "Ts": "Sample temperature (Ts)", "Tr": "Reference temperature (Tr)"}
LAST = re.compile(r"^(?:x value|Index)$", re.IGNORECASE)
DATE = re.compile(r"\d{1,2}[./]\d{1,2}[./]\d{4} \d{1,2}:\d{2}(?::\d{2})?")
SAMPLE = re.compile(r"^\s*(?P<name>.*\S),\s+(?P<mass>[\d.,]+\s*(?:mg|g|µg))\s*$")
HEADINGS = {
    "crucible": ("Sample Holder", "Crucible", "Tiegel", "Probenhalter"),
    "operator": ("User", "Benutzer", "Anwender"),
    "instrument": ("TA Module", "TA-Modul", "Modul", "Module"),
    "sample_name": ("Sample", "Probe"),
}


class Curve(NamedTuple):
    """`above` and `below` are the lines before its table and after it, up to the next curve."""

    above: list[str]
    columns: list[Column]
    below: list[str]


def recognises(head: bytes, filename: str) -> bool:
    try:
        lines = decoded(head).splitlines()
    except ReadError:
        return False
    tables = [one for one, two in itertools.pairwise(lines) if TITLES.match(one) and UNITS.match(two)]
    # “Time” above units in brackets is anybody's; STARe's own columns, or its headings, are not.
    is_ours = any(OWN_TITLES.match(one) for one in tables) or any(HEADING.match(line) for line in lines)
    return bool(tables) and is_ours


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    curves = _curves(lines)
    if not curves:
        raise ReadError(
            "there is no table of curve values in it. Export the curves again, with their values."
        )
    datasets = [_of_curve(curve, number) for number, curve in enumerate(curves)]
    mains = [curve_datasets[0] for curve_datasets in datasets]
    further = [dataset for curve_datasets in datasets for dataset in curve_datasets[1:]]
    return mains + _without_repeats(further)


def _curves(lines: Sequence[str]) -> list[Curve]:
    starts = [
        index
        for index in range(len(lines) - 1)
        if TITLES.match(lines[index]) and UNITS.match(lines[index + 1])
    ]
    curves = []
    above_from = 0
    for start, following in itertools.pairwise([*starts, len(lines)]):
        first = stop = start + 2
        while stop < following and NUMBERS.match(lines[stop]):
            stop += 1
        if stop < len(lines) and re.match(r"\s*\d", lines[stop]) and lines[stop].strip():
            stop += 1  # a row that is not whole: `table_in` says what is wrong with it
        below_to = _next_curve(lines, stop, following)
        columns = _columns(lines[start], lines[start + 1], lines[first:stop], first + 1)
        _refuse_rows(lines, stop, below_to)
        curves.append(Curve(list(lines[above_from:start]), columns, list(lines[stop:below_to])))
        above_from = below_to
    return curves


def _next_curve(lines: Sequence[str], stop: int, following: int) -> int:
    """Where the text of the next curve begins: after the last empty line before its table."""
    if following == len(lines):
        return following
    empty = [index for index in range(stop, following) if not lines[index].strip()]
    return empty[-1] + 1 if empty else following


def _refuse_rows(lines: Sequence[str], stop: int, below_to: int) -> None:
    for number in range(stop, below_to):
        if NUMBERS.match(lines[number]) and len(lines[number].split()) > 2:
            raise ReadError(
                f"there are rows again after the text “{lines[stop].strip()[:40]}” in line "
                f"{stop + 1}. Repair or "
                "remove that point and send the file again.",
                line=number + 1,
            )


def _columns(titles: str, units: str, rows: Sequence[str], first_line: int) -> list[Column]:
    names = [name.strip() for name in re.split(r"\s{2,}|\t", titles.strip())]
    spelled = [_thermal.unit(found) for found in re.findall(r"\[([^\[\]]*)\]", units)]
    # The index has no unit; in a derivative, neither has the repeated x value.
    bare = [name for name in names if LAST.match(name)]
    for name in ["Index", *bare]:
        if len(spelled) < len(names) and name in names:
            spelled.insert(names.index(name), "1")
    if len(spelled) != len(names) or not rows:
        raise ReadError(
            f"the table has {len(names)} titles, {len(spelled)} units and {len(rows)} rows. Was it altered "
            "or cut off? Export the curve again.",
            line=first_line - 2,
        )
    dialect = _thermal.Dialect(None, decimal_comma=any("," in row for row in rows[:200]))
    table = _thermal.table_in(rows, dialect, len(names), first_line)
    return [
        Column(NAMES.get(name, name), spelling, table.rows[:, index].copy())
        for index, (name, spelling) in enumerate(zip(names, spelled, strict=True))
        if not LAST.match(name)
    ]


def _of_curve(curve: Curve, number: int) -> list[Dataset]:
    """The curve itself, then its temperatures."""
    title = [line.strip() for line in curve.above[-6:] if line.startswith((" ", "\t")) and line.strip()]
    name = title[-1] if title else f"Curve {number + 1}"
    header = _header(curve)
    columns = list(curve.columns)
    value = columns[-1]
    if value.name.lower() not in {known.lower() for known in NAMES.values()}:
        columns[-1] = Column(name, value.unit, value.values)
        columns.insert(0, columns.pop())
    technique = "tga" if value.unit in ("mg", "g", "µg", "%", "mg/s", "mg/min", "%/min") else ""
    technique = technique or ("dsc" if "W" in value.unit or "J" in value.unit else "")
    datasets = _thermal.run(columns, header, _conditions(header, curve), technique)
    main = next((dataset for dataset in datasets if dataset.title == name), datasets[0])
    return [main, *(dataset for dataset in datasets if dataset is not main)]


def _header(curve: Curve) -> dict[str, str]:
    """What stands under each heading, line by line as in the file."""
    header: dict[str, str] = {}
    heading = "Title"
    for line in [*curve.above, *curve.below]:
        if HEADING.match(line):
            heading = line.strip().rstrip(":")
            header.setdefault(heading, "")
        elif line.strip(" _\t"):
            header[heading] = "\n".join(filter(None, [header.get(heading, ""), line.rstrip()]))
    return header


def _conditions(header: Mapping[str, str], curve: Curve) -> dict[str, Quantity]:
    known: dict[str, Quantity] = {}
    for key, headings in HEADINGS.items():
        text = next((header[heading] for heading in headings if header.get(heading)), "")
        known |= condition(key, text.strip().split("\n")[0])
    if sample := SAMPLE.match(str(known["sample_name"].value) if "sample_name" in known else ""):
        known |= condition("sample_name", sample["name"]) | _thermal.mass_mg(sample["mass"])
    method = "\n".join(header.get(key, "") for key in ("Method", "Methode"))
    whole = "\n".join([*curve.above, *curve.below])
    dates = DATE.findall("\n".join(curve.above[-6:]))  # the date at the top is that of the export
    known |= condition("local_time", dates[-1] if dates else None)
    return known | _thermal.programme(method) | _thermal.exo_mode(whole)


def _without_repeats(datasets: Sequence[Dataset]) -> list[Dataset]:
    """The temperatures of one run stand beside each of its curves: once is enough."""
    kept: list[Dataset] = []
    for dataset in datasets:
        if not any(
            dataset.title == other.title
            and np.array_equal(dataset.signal.values, other.signal.values)
            and np.array_equal(dataset.axes[0].values, other.axes[0].values)
            for other in kept
        ):
            kept.append(dataset)
    return kept
