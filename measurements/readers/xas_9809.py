"""The 9809 format of Japanese absorption beamlines: Photon Factory, SPring-8, Aichi SR, Ritsumeikan.

      9809     KEK-PF   BL12C
    Mono :   SI(111)  D= 3.13551 A    Initial angle= 12.78300 deg
    Block      Init-Eng  final-Eng     Step/eV     Time/s       Num
      Angle(c)  Angle(o)    time/s         2         3
          Mode         0         0         1         2
        Offset         0         0     512.000   312.000
      12.78300  12.78320      1.00     65432     23456

The scan is written in angles, asked for (c) and observed (o). The energy is that of the observed angle θ by
Bragg's law with the file's own D, E = hc / 2 D sin θ; both angles are kept as datasets. Modes 1, 2 and 3 are
the monitor I0, the transmitted I1 and fluorescence. Offsets are not subtracted. Written after the programs
that write it; no file of a beamline was at hand. The time has no zone. No errors.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Dataset, ReadError
from measurements.readers._rows import rows_of
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers._xas import column_datasets
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="XAS 9809",
    extensions=(".dat", ".ex3", ".001"),
    vendor="Photon Factory and others",
    techniques=("xas",),
    description="X-ray absorption scans in the 9809 format of KEK-PF, SPring-8 and other Japanese beamlines.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

FIRST_LINE = re.compile(r"^\s*9809\s+(\S.*?)\s*$")
SPACING = re.compile(r"\bD\s*=\s*([\d.]+)\s*A\b")
CRYSTAL = re.compile(r"\bMono\s*:\s*(\S+)", re.IGNORECASE)
STARTED = re.compile(r"\b\d\d\.\d\d\.\d\d \d\d:\d\d\b")
HC_EV_ANGSTROM = 12398.419843320026
ANGLES_AND_TIME = ["Angle(c)", "Angle(o)", "time"]
MODES = {1: "I0", 2: "I1", 3: "Fluorescence", 101: "Resets", 103: "ICR"}


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head)
    except ReadError:
        return False
    return bool(FIRST_LINE.match(text.split("\n")[0])) and "Angle(c)" in text


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    titles = next((place for place, line in enumerate(lines) if "Angle(c)" in line), None)
    if titles is None:
        raise ReadError("there is no line with the names of the columns (Angle(c)). Was the file cut off?")
    first, modes, offsets = _below(lines, titles)
    rows = rows_of([line for line in lines[first:] if line.strip(" \x1a")], first + 1)
    if rows.size == 0 or rows.shape[1] < 4:
        raise ReadError("there are no rows of angles, time and counts. Was the file cut off?", line=first)
    about = "\n".join(lines[:titles])
    spacing = SPACING.search(about)
    table, names = _with_energy(rows, spacing[1] if spacing else None, first)
    channels = rows.shape[1] - 3
    names += ANGLES_AND_TIME + _channels(modes, channels)
    units = ["eV"] * (len(names) - channels - 3) + ["deg", "deg", "s"] + [""] * channels
    beamline, crystal, started = FIRST_LINE.match(lines[0]), CRYSTAL.search(about), STARTED.search(about)
    conditions = {
        **condition("d_spacing", spacing[1] if spacing else None, "Å"),
        **condition("monochromator", crystal[1] if crystal else None),
        **condition("instrument", beamline[1] if beamline else None),
        **condition("comment", lines[2] if titles > 2 else None),
        **condition("local_time", started[0] if started else None),
    }
    header = {f"line {number}": line.rstrip() for number, line in enumerate(lines[:first], start=1)}
    header["offsets"] = " ".join(offsets)
    return column_datasets(table, names, units, header, conditions, first_line=first + 1, axis=0)


def _below(lines: list[str], titles: int) -> tuple[int, list[str], list[str]]:
    """Where the rows begin, and the modes and offsets of the columns."""
    said: dict[str, list[str]] = {}
    place = titles + 1
    while place < len(lines) and (not lines[place].strip() or lines[place].split()[0] in ("Mode", "Offset")):
        if lines[place].strip():
            said[lines[place].split()[0]] = lines[place].split()[1:]
        place += 1
    return place, said.get("Mode", []), said.get("Offset", [])


def _with_energy(rows: Array, spacing: str | None, first: int) -> tuple[Array, list[str]]:
    """The rows with the energy before them; without D or real angles they stay over the first angle."""
    d_angstrom = as_number(spacing or "")
    sines = np.sin(np.radians(rows[:, 1]))
    if d_angstrom is None or not d_angstrom > 0:
        return rows, []
    if not np.all(sines > 1e-6):
        place = int(np.flatnonzero(~(sines > 1e-6))[0])
        raise ReadError("the observed angle is none at which a crystal diffracts.", line=first + 1 + place)
    return np.column_stack([HC_EV_ANGSTROM / (2 * d_angstrom * sines), rows]), ["Energy"]


def _channels(modes: list[str], channels: int) -> list[str]:
    """Names by the modes, which stand for the two angles, for no time, and for the channels."""
    numbers = [as_number(mode) for mode in modes[2:]]
    if len(numbers) != channels:
        return [f"channel {number}" for number in range(1, channels + 1)]
    return [
        MODES.get(int(mode), f"channel {number}")
        if mode is not None and np.isfinite(mode)
        else f"channel {number}"
        for number, mode in enumerate(numbers, start=1)
    ]
