"""Data files of SPEC, certif.com's control program at many beamlines: scans one after the other.

    #F file, #E epoch, #D date     the head of the file; #O names of the motors
    #S 1  gescan  energy 2460 …    a scan; #P where the motors stood; #N how many columns
    #L energy  H  K  L  …          their names, two blanks apart; then the rows
    @A …                           spectra of a multichannel analyser: left out, but counted in the header

Every column of every scan is a dataset over what was scanned: the first column, or the energy where the
command moves the monochromator. Only then is it known to be an absorption scan. Times have no zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers._rows import rows_of
from measurements.readers._text import decoded, open_text
from measurements.readers._xas import column_datasets, energy_column
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="SPEC data file",
    extensions=(".dat", ".spec", ".mca"),
    vendor="Certified Scientific Software",
    techniques=("xas", "xrd", "saxs", "other"),
    description="Scans of the beamline control program SPEC, all columns of all scans.",
    max_bytes=64 * 1024**2,
    gaps="spectra of multichannel analysers",
)
VERSION = 1

SCAN, LABELS = re.compile(r"^#S[ \t]+\d+", re.MULTILINE), re.compile(r"^#L[ \t]+\S", re.MULTILINE)
MOVES_ENERGY = re.compile(r"energy|mono|exafs|xanes|xafs|escan", re.IGNORECASE)
TWO_THETA = re.compile(r"^(?:tth|two ?theta|2theta)$", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> bool | float:
    try:
        text = decoded(head)
    except ReadError:
        return False
    if not (SCAN.search(text) and LABELS.search(text)):
        return False
    return 0.98 if text.startswith("#F") else 0.9 if text.startswith("#S") else 0.7


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    starts = [place for place, line in enumerate(lines) if SCAN.match(line)]
    about_file = _said(lines[: starts[0]] if starts else lines)
    datasets: list[Dataset] = []
    for number, start in enumerate(starts):
        stop = starts[number + 1] if number + 1 < len(starts) else len(lines)
        datasets += _scan(lines, start, stop, about_file, len(starts) > 1)
    if not datasets:
        raise ReadError("no scan of the file has a row: it was stopped before its first point.")
    return datasets


def _said(lines: list[str]) -> dict[str, str]:
    """Control lines by their key, verbatim; keys that repeat keep a line for each."""
    said: dict[str, str] = {}
    for line in lines:
        if line.startswith("#"):
            key, _, value = line.strip().partition(" ")
            said[key] = f"{said[key]}\n{value.strip()}" if key in said else value.strip()
    return said


def _scan(
    lines: list[str], start: int, stop: int, about_file: dict[str, str], is_one_of_many: bool
) -> Iterator[Dataset]:
    own = _said(lines[start:stop])
    rows, first, spectra = _rows(lines, start, stop)
    if not rows:
        return
    table = rows_of(rows, first + 1)
    names = _names(own, table.shape[1], first)
    command = own["#S"].partition("\n")[0]
    header = {f"file {key}" if key in own else key: value for key, value in about_file.items()} | own
    if spectra:
        header["analyser spectra left out"] = str(spectra)
    energy = energy_column(names)
    axis = energy if energy is not None and MOVES_ENERGY.search(command) else 0
    units = ["deg" if TWO_THETA.match(name) else "s" if name == "Seconds" else "" for name in names]
    conditions = condition("local_time", own.get("#D") or about_file.get("#D"))
    title = f"scan {command.split()[0]}" if is_one_of_many else ""
    yield from column_datasets(table, names, units, header, conditions, title, None, first + 1, axis)


def _rows(lines: list[str], start: int, stop: int) -> tuple[list[str], int, int]:
    """The rows of a scan, the index of the first, and how many analyser spectra stand among them."""
    rows: list[str] = []
    first = start
    spectra = 0
    is_spectrum = False
    for place in range(start, stop):
        line = lines[place]
        if is_spectrum or line.startswith("@"):
            spectra += line.startswith("@")
            is_spectrum = line.rstrip().endswith("\\")
        elif line.strip() and not line.startswith("#"):
            first = first if rows else place
            rows.append(line)
    return rows, first, spectra


def _names(own: dict[str, str], columns: int, first: int) -> list[str]:
    """Two blanks part the names, so that a name may hold one; some files keep to one blank throughout."""
    text = own.get("#L", "").partition("\n")[0]
    for pattern in (r" {2,}|\t+", r"\s+"):
        names = re.split(pattern, text.strip())
        if len(names) == columns:
            return names
    raise ReadError(
        f"the rows have {columns} numbers, which does not fit the names in #L. Was the file cut off?",
        line=first + 1,
    )
