"""BCF: Bruker's composite file of EDS maps and images, through RosettaSciIO."""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset
from measurements.readers import _rosettasciio
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="Bruker BCF",
    extensions=(".bcf",),
    vendor="Bruker",
    techniques=("eds", "em"),
    description="EDS maps with their electron images, of Bruker Esprit.",
)
VERSION = 1

CONTAINER = b"AAMVHFSS"


def recognises(head: bytes, filename: str) -> float:
    return 0.95 if head.startswith(CONTAINER) else NEVER


def read(path: Path) -> list[Dataset]:
    return _rosettasciio.read(path, "bruker", ".bcf", FORMAT.name)
