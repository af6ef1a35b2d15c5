"""X-ray absorption scans as beamlines write them: words about the scan, names of columns, the columns.

Known are the files of APS 10-BM and 12-BM, APS XSD (LabVIEW), NSLS (XDAC), SSRL, BESSY KMC-2 and KMC-3, the
.xmu and .chi of Ifeffit and Larch, feffNNNN.dat of FEFF, and what else names its columns above them. The
names are in the last comment, numbered ("1_Energy (keV) 2_sec"), in a list ("# 1) Preslit") or one to a line
(SSRL). Where a file gives no unit of the energy, it is eV above 200 and keV below 50: no absorption edge lies
between in either. Times have no zone. No errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._rows import refuse_gaps, rows_of
from measurements.readers._text import decoded, open_text
from measurements.readers._titles import name_and_unit, settings, split_titles
from measurements.readers._xas import ABSORPTION, UNITS, column_datasets, energy_column, unit_of
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="XAS columns",
    extensions=(".dat", ".xmu", ".chi", ".txt"),
    vendor="Beamlines",
    techniques=("xas", "computation"),
    description="X-ray absorption scans as columns of text: many beamlines, Ifeffit, Larch and FEFF.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

FEWEST_ROWS = 3
MARKS = re.compile(
    r"MRCAT_XAFS|\bXDAC\b|SSRL +EXAFS|exafs_|\bEXAFS\b|\bXAFS\b|\bXANES\b|created by LabVIEW Control Panel|"
    r"\bkmc\d?\b|^#%edge:|Output from Larch|athena|ifeffit|\bmonoE\b",
    re.IGNORECASE | re.MULTILINE,
)
NUMBERED = re.compile(r"(?<!\S)(\d{1,3})_([^\s(]+(?: \([^)]*\))?)")
LISTED = re.compile(r"(?<!\S)(\d{1,3})\) (\S.*?)(?= {2,}| \d{1,3}\) |$)")
UNIT_SUFFIX = re.compile(r"^(.+)_(eV|keV|A|V|C|ms|s|K|nA)$")
CELSIUS_SUFFIX = {"C": "°C"}
FEFF_COLUMNS = "real[2*phc]"


def recognises(head: bytes, filename: str) -> bool | float:
    try:
        lines = decoded(head).split("\n")
    except ReadError:
        return False
    found = next(_stretches(lines, is_cut=len(head) > 60_000), None)
    if found is None:
        return False
    first, _, columns = found
    above = lines[:first]
    names = [name for name, _ in _columns(above, columns)]
    text = "\n".join(above)
    if FEFF_COLUMNS in text or _is_chi(names):
        return 0.9
    if energy_column(names) is None:
        return False
    has_absorption = any(ABSORPTION.search(name) for name in names[1:])
    return 0.9 if MARKS.search(text) else 0.6 if has_absorption else False


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    stretches = list(_stretches(lines))
    if not stretches:
        raise ReadError("there are no rows of numbers below the words. Was the file cut off? Copy it again.")
    datasets: list[Dataset] = []
    above: list[str] = []
    named: list[tuple[str, str]] = []
    for number, (first, stop, columns) in enumerate(stretches, start=1):
        between = lines[stretches[number - 2][1] if number > 1 else 0 : first]
        if number == 1 or any(line.strip() for line in between):
            above = between
        rows = rows_of([line for line in lines[first:stop] if line.strip()], first + 1)
        title = f"scan {number}" if len(stretches) > 1 else ""
        behind = lines[stop:] if number == len(stretches) else []
        header = settings(above, first - len(above) + 1) | settings(behind, stop + 1)
        conditions = _conditions("\n".join(above), header)
        before = named if len(named) == columns else [(f"column {n + 1}", "") for n in range(columns)]
        named = _columns(above, columns) or before
        names, units = [name for name, _ in named], [unit for _, unit in named]
        if _is_chi(names) or names[0] == "k":
            datasets += _over_k(rows, names, header, conditions, title, first + 1)
        else:
            datasets += column_datasets(rows, names, units, header, conditions, title, None, first + 1)
    return datasets


def _stretches(lines: list[str], is_cut: bool = False) -> Iterator[tuple[int, int, int]]:
    """First line, line after the last, and columns of every stretch of rows of equally many numbers."""
    place, last = 0, len(lines) - 1 if is_cut else len(lines)
    while place < last:
        columns = _width(lines[place])
        stop = place + 1
        while columns > 1 and stop < last and _width(lines[stop]) == columns:
            stop += 1
        if columns > 1 and stop - place >= FEWEST_ROWS:
            # What was meant as a row and is none belongs to it, so that it can be refused by its line.
            while stop < last and lines[stop].strip() and _begins_with_number(lines[stop]):
                stop += 1
            yield place, stop, columns
        place = stop


def _width(line: str) -> int:
    """How many numbers a row has; 0 if something in it is no number."""
    try:
        return len([float(cell) for cell in line.split()])
    except ValueError:
        return 0


def _begins_with_number(line: str) -> bool:
    return _width(line.split()[0]) == 1


def _columns(above: list[str], columns: int) -> list[tuple[str, str]]:
    """(name, unit) of each column; [] where the words above do not tell."""
    text = "\n".join(above)
    names: list[str] | None = None
    for pattern in (NUMBERED, LISTED):
        numbered = {int(number): name for line in above for number, name in pattern.findall(line)}
        if sorted(numbered) == list(range(1, columns + 1)):
            names = [numbered[number].rstrip(" *") for number in range(1, columns + 1)]
            break
    if names is None and "\nData:" in text:
        listed = [line.strip() for line in text.rpartition("\nData:")[2].split("\n")[1:] if line.strip()]
        names = listed if len(listed) == columns else None
    if names is None and above and FEFF_COLUMNS in above[-1]:
        names = above[-1].replace("red factor", "reduction").split()
        names = names if len(names) == columns else None
    if names is None:
        filled = [line for line in above if line.strip("#%-/ \t")]
        names = split_titles(filled[-1], columns, "\t" if "\t" in filled[-1] else None) if filled else None
    return [_name_and_unit(name) for name in names] if names else []


def _name_and_unit(title: str) -> tuple[str, str]:
    suffix = UNIT_SUFFIX.match(title)
    if suffix:
        return suffix[1], CELSIUS_SUFFIX.get(suffix[2], suffix[2])
    name, unit = name_and_unit(title)
    return (name, unit_of(unit)) if unit.lower() in UNITS else (title, "")


def _is_chi(names: list[str]) -> bool:
    return len(names) > 1 and names[0].lower() == "k" and names[1].lower().startswith("chi")


def _over_k(
    rows: Array, names: list[str], header: Mapping[str, str], conditions: Mapping[str, Quantity],
    title: str, first_line: int,
) -> list[Dataset]:  # fmt: skip
    """Fine structure over the photoelectron's wavenumber; FEFF's columns are a computation."""
    wavenumber = rows[:, 0].copy()
    refuse_gaps(wavenumber, first_line)
    axis = Axis("k", "Å⁻¹", wavenumber)
    technique = "xas" if _is_chi(names) else "computation" if FEFF_COLUMNS in names else ""
    return [
        Dataset(
            Signal(name, "", rows[:, place].copy()), (axis,), header, conditions=conditions,
            title=f"{title}, {name}" if title else name, technique=technique,
        )
        for place, name in enumerate(names) if place
    ]  # fmt: skip


def _conditions(text: str, header: Mapping[str, str]) -> dict[str, Quantity]:
    """What the words say: Ifeffit's %keys, the crystal of a monochromator, the date in its usual places."""

    def said(*patterns: str) -> str:
        found = (re.search(pattern, text, re.IGNORECASE | re.MULTILINE) for pattern in patterns)
        return next((match[1].strip() for match in found if match and match[1].strip()), "")

    crystal = re.search(r"\b(?:Si|Ge) ?[(\[]?\d{3}[)\]]?", text)
    temperature = re.fullmatch(r"([-+\d.]+) ?(°?[CK])", said(r"^#%temp:(.*)$"))
    edge = said(r"^#%edge:(.*)$")
    return {
        **condition("element", _element(said(r"^#%atom:(.*)$"))),
        **condition("edge", edge or None),
        **condition("monochromator", said(r"^#%mono:(.*)$") or (crystal[0] if crystal else None)),
        **condition("sample_name", said(r"^#%name:(.*)$")),
        **condition("detector", said(r"^#%det:(.*)$")),
        **condition("instrument", said(r"^#%beam:(.*)$", r"created at (.+?) on ", r"^#\s*(Beamline .+)$")),
        **(condition("temperature", temperature[1], temperature[2]) if temperature else {}),
        **condition(
            "local_time",
            said(r"^#%date:(.*)$", r"created at .+? on (.*)$", r"^#D\s(.*)$", r"^#\s*start_time:(.*)$",
                 r"^SSRL +EXAFS.*\n(.*)$", r"LabVIEW Control Panel\s+(.+?[AP]M)"),
        ),
    }  # fmt: skip


def _element(words: str) -> str | None:
    return words if re.fullmatch(r"[A-Z][a-z]?", words) else None
