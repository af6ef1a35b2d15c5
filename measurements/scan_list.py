"""A companion table that says of each scan's file how it was taken: at which temperature, time or position.

    file, temperature_c            scan  Temperature (K)  Time (s)
    scan_001.xy, 25                S001  300              0

Pure floor: no Django here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from measurements.data import Quantity, ReadError
from measurements.readers._text import as_number, decoded
from measurements.readers._titles import name_and_unit
from measurements.vocabulary import CONDITIONS, condition, named

ENDINGS = (".csv", ".tsv", ".txt", ".log", ".dat")
MAX_BYTES = 256 * 1024
FEWEST = 2
DELIMITERS = (r"\t", ";", ",", r"\s+")
TITLES = {CONDITIONS[key].label.lower(): key for key in CONDITIONS} | {
    "t": "temperature", "temp": "temperature", "time": "elapsed_time", "angle": "tilt",
}  # fmt: skip


@dataclass(frozen=True)
class ScanList:
    """`filename`: where it stands; `said`: what it says, by the name of the scan's file."""

    filename: str
    said: Mapping[str, Mapping[str, Quantity]]

    def of(self, filename: str) -> Mapping[str, Quantity]:
        return self.said.get(filename, {})


def found_in(files: Sequence[tuple[str, Path]]) -> ScanList | None:
    """The one among files (name, place on disk) that lists the others, or None."""
    if len(files) <= FEWEST:
        return None
    for name, path in files:
        if not name.lower().endswith(ENDINGS) or path.stat().st_size > MAX_BYTES:
            continue
        try:
            text = decoded(path.read_bytes())
        except ReadError:
            continue
        said = listed(text, [other for other, _ in files if other != name])
        if said:
            return ScanList(name, said)
    return None


def listed(text: str, filenames: Sequence[str]) -> dict[str, dict[str, Quantity]]:
    """{name of a file: conditions}; empty unless one column names at least two of the files, each once."""
    spelled = _spellings(filenames)
    words = {
        word.strip() for marks in (r"[;,\"\n\r\t]+", r"[\s;,\"]+") for word in re.split(marks, text.lower())
    }
    if len(words & spelled.keys()) < FEWEST:
        return {}
    lines = [line for line in text.splitlines() if line.strip()]
    for delimiter in DELIMITERS:
        rows = [[cell.strip().strip('"') for cell in re.split(delimiter, line.strip())] for line in lines]
        for column in range(min(len(rows[0]), 16) if rows else 0):
            at = {number: _plain(row[column]) for number, row in enumerate(rows) if len(row) > column}
            named_in = {number: spelled[word] for number, word in at.items() if word in spelled}
            if len(named_in) < FEWEST or len(set(named_in.values())) < len(named_in) or 0 in named_in:
                continue
            titles = rows[min(named_in) - 1]
            said = {file: _conditions(titles, rows[number]) for number, file in named_in.items()}
            if all(said.values()):
                return said
    return {}


def _spellings(filenames: Sequence[str]) -> dict[str, str]:
    """A file may be called by its path, its name, or its name without the ending, where that is one file. A
    bare number is no name: it stands in every table."""
    spelled: dict[str, str] = {}
    twice: set[str] = set()
    for filename in filenames:
        path = PurePosixPath(filename.replace("\\", "/"))
        for word in {_plain(str(path)), _plain(path.name), _plain(path.stem)}:
            if word in spelled:
                twice.add(word)
            spelled[word] = filename
    return {word: name for word, name in spelled.items() if word not in twice and as_number(word) is None}


def _plain(word: str) -> str:
    return word.strip().lower()


def _conditions(titles: Sequence[str], row: Sequence[str]) -> dict[str, Quantity]:
    said: dict[str, Quantity] = {}
    for title, cell in zip(titles, row, strict=False):
        number = as_number(cell)
        if number is None:
            continue
        name, unit = name_and_unit(title)
        key, suffix = named(name.lower().replace(" ", "_"))
        key = TITLES.get(name.lower(), key)
        if key in CONDITIONS:
            said |= condition(key, number, unit or suffix)
    return said
