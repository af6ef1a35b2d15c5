"""SUR and PRO: Digital Surf's format, which Attolight's maps come in, through RosettaSciIO."""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset
from measurements.readers import _rosettasciio
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="Digital Surf",
    extensions=(".sur", ".pro"),
    vendor="Digital Surf, Attolight",
    techniques=("cl", "em", "other"),
    description="Hyperspectral maps, profiles, surfaces and images of MountainsMap and Attolight.",
)
VERSION = 1


def recognises(head: bytes, filename: str) -> float:
    return 0.95 if head.startswith((b"DIGITAL SURF", b"DSCOMPRESSED")) else NEVER


def read(path: Path) -> list[Dataset]:
    return _rosettasciio.read(path, "digitalsurf", ".sur", FORMAT.name)
