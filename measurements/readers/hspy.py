"""HyperSpy's own HDF5 format, through RosettaSciIO."""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset
from measurements.readers import _hdf5, _rosettasciio
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="HyperSpy",
    extensions=(".hspy",),
    vendor="HyperSpy",
    techniques=("em", "eels", "eds", "cl", "sed"),
    description="Spectra, images and maps saved by HyperSpy, LumiSpy or pyxem.",
    max_bytes=1024**3,
)
VERSION = 1


def recognises(head: bytes, filename: str) -> float:
    is_hyperspy = b"file_format" in head and b"HyperSpy" in head
    return 0.95 if head.startswith(_hdf5.SIGNATURE) and is_hyperspy else NEVER


def read(path: Path) -> list[Dataset]:
    with _hdf5.opened(path, FORMAT.name) as file:
        _hdf5.refuse_large(file)
    # Lazily it would leave the file open for as long as anybody holds its arrays.
    return _rosettasciio.read(path, "hspy", ".hspy", FORMAT.name, lazy=False)
