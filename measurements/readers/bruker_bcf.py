"""BCF: Bruker's composite file of EDS maps and images, through RosettaSciIO. No real file was at hand."""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset
from measurements.readers import _rosettasciio
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="Bruker BCF and SPX",
    extensions=(".bcf", ".spx"),
    vendor="Bruker",
    techniques=("eds", "em"),
    description="EDS maps with their electron images, and single EDS spectra, of Bruker Esprit.",
)
VERSION = 1

CONTAINER, SPECTRUM = b"AAMVHFSS", b"<TRTSpectrum"


def recognises(head: bytes, filename: str) -> float:
    return 0.95 if head.startswith(CONTAINER) or SPECTRUM in head[:2048] else NEVER


def read(path: Path) -> list[Dataset]:
    with path.open("rb") as file:
        is_container = file.read(8) == CONTAINER
    return _rosettasciio.read(path, "bruker", ".bcf" if is_container else ".spx", FORMAT.name)
