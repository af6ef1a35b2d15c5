"""Results of calculations in containers of the programs: Gaussian's formatted checkpoint, AMS's KF files.

Of a checkpoint the total energy is read. A KF file (.rkf, .t21) is binary in a way only AMS reads well; it is
named and refused. Neither was at hand as a real file.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Checkpoint of a calculation",
    extensions=(".fchk", ".fch", ".rkf", ".t21"),
    vendor="Gaussian, AMS",
    techniques=("computation",),
    description="The total energy in a formatted checkpoint of Gaussian. AMS's .rkf is kept, not read.",
)
VERSION = 1

KF = b"SUPERINDEX"
ATOMS = re.compile(r"^Number of atoms\s+I\s+(\d+)", re.MULTILINE)
ENTRY = re.compile(r"^(?P<name>\S.*?)\s+(?P<kind>[IRC])\s+(?P<value>[-+.\dEe]+)\s*$", re.MULTILINE)
CHARACTERS = 64 * 1024**2


def recognises(head: bytes, filename: str) -> float:
    if head.startswith(KF):
        return 0.9
    try:
        text = decoded(head[:4096])
    except ReadError:
        return NEVER
    return 0.9 if ATOMS.search(text) and "\nCharge " in text else NEVER


def read(path: Path) -> list[Dataset]:
    with path.open("rb") as file:
        if file.read(len(KF)) == KF:
            raise ReadError(
                "this is a KF file of AMS or ADF. The bytes are kept; send the text output of the run "
                "(.out), or export what you need with amsreport."
            )
    with open_text(path) as text:
        content = text.read(CHARACTERS)
    title, method, *_ = [*content.splitlines()[:2], "", ""]
    header = {"title": title.strip(), "method": " ".join(method.split())}
    header |= {found["name"]: found["value"] for found in ENTRY.finditer(content)}
    energy = as_number(header.get("Total Energy", ""))
    if energy is None:
        raise ReadError("the checkpoint has no “Total Energy”. Did the run fail? Make it again with formchk.")
    known = condition("software", "Gaussian") | condition("mode", header["method"])
    axis = Axis("Step", "1", np.array([1.0]))
    signal = Signal("Energy", "Eh", np.array([energy]))
    return [Dataset(signal, (axis,), header, None, known, "total energy", "computation")]
