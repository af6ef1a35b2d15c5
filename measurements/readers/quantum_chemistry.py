"""Output of Gaussian and ORCA: excitations, vibrations, and the energy after each self-consistent field.

Only results are read, not structures: vertical excitation energies with their oscillator strengths, infrared
frequencies with their intensities, total energies in hartree in the order of the file. A run that did not end
normally says so in the header. With several excitation or frequency blocks the last one holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Gaussian and ORCA output",
    extensions=(".log", ".out"),
    vendor="Gaussian, ORCA",
    techniques=("computation",),
    description="Calculated excitations, infrared spectra and total energies.",
    max_bytes=512 * 1024**2,
)
VERSION = 1

NUMBER = r"[-+]?\d+\.\d+(?:[EeDd][-+]?\d+)?"
GAUSSIAN, ORCA = "Gaussian", "ORCA"
PROGRAMS = {
    GAUSSIAN: re.compile(
        r"Entering Gaussian System|This is part of the Gaussian\(R\)|^ Gaussian \d\d:", re.M
    ),
    ORCA: re.compile(
        r"\* +O +R +C +A +\*|ORCA - Electronic structure|Program Version \d+\.\d+\.\d+.*RELEASE"
    ),
}
ENERGIES = {
    GAUSSIAN: re.compile(rf"SCF Done:\s+E\([^)]*\)\s*=\s*({NUMBER})"),
    ORCA: re.compile(rf"FINAL SINGLE POINT ENERGY\s+({NUMBER})"),
}
NORMAL_END = {GAUSSIAN: "Normal termination of Gaussian", ORCA: "ORCA TERMINATED NORMALLY"}
EXCITED_GAUSSIAN = re.compile(rf"Excited State\s+(\d+):\s+(\S+)\s+({NUMBER}) eV\s+{NUMBER} nm\s+f=({NUMBER})")
EXCITED_ORCA = re.compile(r"ABSORPTION SPECTRUM VIA TRANSITION ELECTRIC DIPOLE MOMENTS")
EXCITED_ORCA_ROW = re.compile(
    rf"\s*(?:\S+\s+->\s+\S+\s+{NUMBER}\s+({NUMBER})|\d+\s+({NUMBER}))\s+{NUMBER}\s+({NUMBER})\s"
)
EV_PER_WAVENUMBER = 1.239841984e-4
INFRARED_ORCA_ROW = re.compile(rf"\s*\d+:\s+({NUMBER})\s+({NUMBER})(?:\s+({NUMBER}))?")
HEADER = {
    GAUSSIAN: {
        "version": re.compile(r"^ Gaussian \d\d:.*$", re.M),
        "route": re.compile(r"^ #[^\n]*(?:\n [^-\n][^\n]*)*", re.M),
        "charge": re.compile(r"^ Charge =.*$", re.M),
    },
    ORCA: {
        "version": re.compile(r"Program Version.*$", re.M),
        "input": re.compile(r"^\|\s*\d+> *!.*$", re.M),
        "charge": re.compile(r"^\s*Total Charge.*$", re.M),
    },
}


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head[: 16 * 1024])
    except ReadError:
        return NEVER
    return 0.95 if _program(text) else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        text = file.read()
    program = _program(text[: 256 * 1024])
    if program is None:
        raise ReadError("it does not say that Gaussian or ORCA wrote it.")
    header = {
        name: " ".join(found[0].split())
        for name, pattern in HEADER[program].items()
        if (found := pattern.search(text))
    }
    header["ended normally"] = "yes" if NORMAL_END[program] in text else "no"
    known = condition("software", header.get("version") or program)
    known |= condition("mode", header.get("route") or header.get("input"))
    datasets = [*_excitations(text, program, header, known), *_infrared(text, program, header, known)]
    energies = [_number(found[1]) for found in ENERGIES[program].finditer(text)]
    if energies:
        steps = [float(number) for number in range(1, len(energies) + 1)]
        datasets.append(
            _spectrum("total energies", ("Step", "1", steps), ("Energy", "Eh", energies), header, known)
        )
    if not datasets:
        last = text.strip().splitlines()[-1].strip()[:80]
        raise ReadError(
            f"it is output of {program} without an energy, an excitation or a vibration. Did the run fail? "
            f"Its last line is “{last}”."
        )
    return datasets


def _program(text: str) -> str | None:
    return next((name for name, pattern in PROGRAMS.items() if pattern.search(text)), None)


def _excitations(
    text: str, program: str, header: dict[str, str], known: dict[str, Quantity]
) -> Iterator[Dataset]:
    states: list[tuple[float, float]] = []
    if program == GAUSSIAN:
        for found in EXCITED_GAUSSIAN.finditer(text):
            states = [] if found[1] == "1" else states  # each step of an optimisation lists them again
            states.append((_number(found[3]), _number(found[4])))
    else:
        for table in _tables(text, EXCITED_ORCA):
            rows = [row for line in table if (row := EXCITED_ORCA_ROW.match(f"{line} "))]
            energies = [_number(row[1] or row[2]) * EV_PER_WAVENUMBER for row in rows]
            states = list(zip(energies, (_number(row[3]) for row in rows), strict=True)) or states
    if states:
        energy, strength = zip(*states, strict=True)
        axis = ("Energy", "eV", energy)
        yield _spectrum("excitations", axis, ("Oscillator strength", "1", strength), header, known)


def _infrared(
    text: str, program: str, header: dict[str, str], known: dict[str, Quantity]
) -> Iterator[Dataset]:
    lines: list[tuple[float, float]] = []
    if program == GAUSSIAN:
        frequencies = [_row(found[1]) for found in re.finditer(r"^ Frequencies --(.*)$", text, re.M)]
        intensities = [_row(found[1]) for found in re.finditer(r"^ IR Inten +--(.*)$", text, re.M)]
        for some, heights in zip(frequencies, intensities, strict=False):
            lines += zip(some, heights, strict=False)
    else:
        for table in _tables(text, re.compile(r"^IR SPECTRUM\s*$", re.M)):
            rows = [row for line in table if (row := INFRARED_ORCA_ROW.match(line))]
            # Since version 5 a column of absorption coefficients stands before the intensity in km/mol.
            lines = [(_number(row[1]), _number(row[3] or row[2])) for row in rows] or lines
    if lines:
        wavenumber, intensity = zip(*lines, strict=True)
        axis = ("Wavenumber", "cm⁻¹", wavenumber)
        yield _spectrum("infrared", axis, ("Intensity", "km/mol", intensity), header, known)


def _tables(text: str, title: re.Pattern[str]) -> Iterator[list[str]]:
    """The lines below each occurrence of the title, up to the first empty line after rows of numbers."""
    for found in title.finditer(text):
        table: list[str] = []
        for line in text[found.end() : found.end() + 200_000].splitlines()[1:]:
            if not line.strip() and any(re.match(r"\s*\d", row) for row in table):
                break
            table.append(line)
        yield table


def _spectrum(
    title: str, x: tuple[str, str, Sequence[float]], y: tuple[str, str, Sequence[float]],
    header: dict[str, str], known: dict[str, Quantity],
) -> Dataset:  # fmt: skip
    axis = Axis(x[0], x[1], np.array(x[2], dtype=np.float64))
    signal = Signal(y[0], y[1], np.array(y[2], dtype=np.float64))
    return Dataset(signal, (axis,), header, None, known, title, "computation")


def _row(text: str) -> list[float]:
    return [number for cell in text.split() if (number := as_number(cell)) is not None]


def _number(text: str) -> float:
    number = as_number(text)
    if number is None:
        raise ReadError(f"expected a number, found “{text[:40]}”.")
    return number
