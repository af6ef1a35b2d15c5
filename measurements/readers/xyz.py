"""XYZ: structures and trajectories of atoms, plain or extended.

Each frame: the number of atoms, a line of words, then an element and three coordinates in Å for each atom.
The positions are one dataset over frame, atom and coordinate; energies that the lines of words give for every
frame come before them, in the unit that they name or without one.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="XYZ",
    extensions=(".xyz", ".extxyz"),
    vendor="",
    techniques=("computation",),
    description="Atomic structures and trajectories, with the energy of each frame where it is given.",
)
VERSION = 1

ATOM = re.compile(
    r"\s*(?:[A-Z][a-z]?\w{0,4}|\d{1,3})(?:\s+[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?){3}(?:\s|$)"
)
ENERGY = re.compile(
    r"\b(?:total[ _]?|free[ _]?|potential[ _]?)?(?:energy|E)\s*[=:]\s*\"?"
    r"(?P<value>[-+]?\d+\.\d+(?:[eE][-+]?\d+)?)"
    r"\s*(?P<unit>eV|Eh|hartree|kcal/mol|kJ/mol|Ry)?",
    re.I,
)
POSITIONS = re.compile(r"Properties=\"?([\w:]+)")
MOST_VALUES = 30_000_000
MOST_LABELS = 2000


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).splitlines()[:5]
    except ReadError:
        return NEVER
    is_xyz = len(lines) > 2 and lines[0].strip().isdecimal() and int(lines[0]) > 0
    return (
        0.85 if is_xyz and all(ATOM.match(line) for line in lines[2 : 2 + min(int(lines[0]), 3)]) else NEVER
    )


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    words, elements, positions = _frames(lines)
    header = {
        "atoms": str(len(elements)),
        "frames": str(len(words)),
        "elements": " ".join(elements[:MOST_LABELS]),
    }
    header |= {f"line 2 of frame {n}": comment.strip() for n, comment in enumerate(words[:100], start=1)}
    frame = Axis("Frame", "1", np.arange(1, len(words) + 1, dtype=float))
    atom = Axis("Atom", "1", np.arange(1, len(elements) + 1, dtype=float))
    coordinate = Axis("Coordinate (x, y, z)", "1", np.arange(1.0, 4.0))
    datasets = [
        Dataset(
            Signal("Position", "Å", positions),
            (frame, atom, coordinate),
            header,
            None,
            {},
            "positions",
            "computation",
        )
    ]
    energies = [ENERGY.search(comment) for comment in words]
    given = [found for found in energies if found is not None]
    if len(given) == len(words):
        values = np.array([as_number(found["value"]) for found in given], dtype=np.float64)
        signal = Signal("Energy", given[0]["unit"] or "", values)
        datasets.insert(0, Dataset(signal, (frame,), header, None, {}, "energies", "computation"))
    return datasets


def _frames(lines: list[str]) -> tuple[list[str], list[str], Array]:
    words: list[str] = []
    elements: list[str] = []
    frames: list[Array] = []
    at = 0
    while at < len(lines):
        count = lines[at].strip()
        if not count.isdecimal() or int(count) < 1:
            raise ReadError(f"expected the number of atoms, found “{count[:40]}”.", line=at + 1)
        rows = lines[at + 2 : at + 2 + int(count)]
        if len(rows) < int(count):
            raise ReadError(
                f"the frame announces {count} atoms and has {len(rows)}. Was it cut off?", line=at + 1
            )
        comment = lines[at + 1]
        names, positions = _atoms(rows, _column_of_positions(comment), at + 3)
        if frames and names != elements:
            raise ReadError(
                "the atoms are not those of the frames before. Send each structure singly.", line=at + 1
            )
        words.append(comment)
        elements = names
        frames.append(positions)
        if len(frames) * positions.size > MOST_VALUES:
            raise ReadError(
                "the trajectory has too many frames to be read at once. Send every tenth, or parts."
            )
        at += 2 + int(count)
    if not frames:
        raise ReadError("there is no structure in it.")
    return words, elements, np.stack(frames)


def _column_of_positions(comment: str) -> int:
    """Extended XYZ says “Properties=species:S:1:pos:R:3:…”."""
    found = POSITIONS.search(comment)
    parts = found[1].split(":") if found else []
    column = 0
    for name, _, width in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        if name == "pos":
            return column
        column += int(width) if width.isdecimal() else 1
    return 1


def _atoms(rows: list[str], column: int, first_line: int) -> tuple[list[str], Array]:
    names, numbers = [], []
    for line, row in enumerate(rows, start=first_line):
        cells = row.split()
        found = [as_number(cell) for cell in cells[column : column + 3]]
        if len(found) < 3 or None in found:
            raise ReadError(
                f"expected an element and three coordinates, found “{row.strip()[:40]}”.", line=line
            )
        names.append(cells[0])
        numbers.append(found)
    return names, np.array(numbers, dtype=np.float64)
