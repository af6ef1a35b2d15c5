"""Gatan DigitalMicrograph 3 and 4: images, energy loss spectra and maps, through RosettaSciIO.

Tested with tags written as the format has been described.
"""

from __future__ import annotations

import struct
from pathlib import Path

from measurements.data import Dataset
from measurements.readers import _rosettasciio
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="Gatan DigitalMicrograph",
    extensions=(".dm3", ".dm4"),
    vendor="Gatan",
    techniques=("em", "eels", "eds", "cl", "sed", "tomography"),
    description="Images, spectra and spectrum images of GMS, DM3 and DM4.",
    max_bytes=1024**3,
)
VERSION = 1


def recognises(head: bytes, filename: str) -> float:
    """Version, length of the file, order of bytes, and the root of the tags, which is sorted and not open."""
    for version, layout in ((3, ">IIIBBI"), (4, ">IQIBBQ")):
        if len(head) < struct.calcsize(layout):
            continue
        number, size, order, is_sorted, is_open, tags = struct.unpack_from(layout, head)
        if (
            number == version
            and size > 16
            and order in (0, 1)
            and is_sorted < 2
            and is_open < 2
            and 0 < tags < 1000
        ):
            return 0.95
    return NEVER


def read(path: Path) -> list[Dataset]:
    version = path.open("rb").read(4)[3:]
    return _rosettasciio.read(path, "digitalmicrograph", ".dm4" if version == b"\4" else ".dm3", FORMAT.name)
