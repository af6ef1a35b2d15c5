"""SER and EMI: series of FEI's TIA. The numbers are in the .ser files; the .emi only describes them.

Tested with bytes as P. van Aken described them.
"""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers import _rosettasciio
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="FEI TIA series",
    extensions=(".ser", ".emi"),
    vendor="FEI",
    techniques=("em", "eels", "eds"),
    description="Images and spectra of TIA (ES Vision). Send the .ser files; the .emi holds no numbers.",
)
VERSION = 1

SERIES = b"II\x97\x01"
DESCRIPTION = b"JL"


def recognises(head: bytes, filename: str) -> float:
    if head.startswith(SERIES):
        return 0.95
    return 0.7 if head.startswith(DESCRIPTION) and b"<ObjectInfo>" in head else NEVER


def read(path: Path) -> list[Dataset]:
    with path.open("rb") as file:
        if file.read(2) == DESCRIPTION:
            raise ReadError(
                "an EMI file describes a measurement whose numbers are in the SER files beside it. It is "
                "kept; send the .ser files too."
            )
    return _rosettasciio.read(path, "tia", ".ser", FORMAT.name)
