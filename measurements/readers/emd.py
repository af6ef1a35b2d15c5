"""EMD: Velox (Thermo Fisher) and the Berkeley definition share the ending; HDF5, through RosettaSciIO."""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset
from measurements.readers import _hdf5, _rosettasciio
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="EMD (Velox, Berkeley)",
    extensions=(".emd",),
    vendor="Thermo Fisher Scientific",
    techniques=("em", "eds", "eels", "sed", "tomography"),
    description="STEM images, spectra and EDS maps of Velox, and files after the EMD definition of Berkeley.",
    max_bytes=1024**3,
)
VERSION = 1

MARKS = (b"emd_group_type", b"Velox", b"SpectrumStream", b"Presentation", b"authoring_program")


def recognises(head: bytes, filename: str) -> float:
    return 0.9 if head.startswith(_hdf5.SIGNATURE) and any(mark in head for mark in MARKS) else NEVER


def read(path: Path) -> list[Dataset]:
    return _rosettasciio.read(path, "emd", ".emd", FORMAT.name)
