"""MIB: frames of Quantum Detectors' Merlin (Medipix 3), with the shape of the scan from the .hdr beside them.

Each frame has a header of text, comma-separated: MQ1, number, size of the header, chips, width, height, type,
layout, chip, local time, shutter time in s, …, and in newer files MQ1A with the time in UTC and the exposure
in ns. Its counts follow, big-endian, the lowest row first; here y runs downwards as on the screen. Raw frames
(R64) hold the chip's own order of bits and are refused. No real file was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._text import as_number, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Merlin MIB",
    extensions=(".mib",),
    vendor="Quantum Detectors",
    techniques=("sed", "em"),
    description="Diffraction patterns of the Merlin detector. Send the .hdr file too: it tells the scan.",
    max_bytes=1024**3,
    folder=True,
)
VERSION = 1

BEGINNING = re.compile(rb"MQ1,(\d{6}),(\d{5}),(\d\d),(\d{4}),(\d{4}),([A-Z]\d\d),")
UTC_AND_EXPOSURE = re.compile(r"MQ1A,([^,]+),(\d+)ns")
TYPES = {"U01": "u1", "U08": "u1", "U16": ">u2", "U32": ">u4"}
LINE_KEYS = ("Frames per Trigger (Number)", "ScanX", "Scan X")


def recognises(head: bytes, filename: str) -> float:
    return 0.95 if BEGINNING.match(head) else NEVER


def recognises_names(names: Sequence[str]) -> float:
    endings = sorted(Path(name).suffix.lower() for name in names)
    return 0.9 if endings == [".hdr", ".mib"] else NEVER


def read(path: Path) -> list[Dataset]:
    beside: dict[str, str] = {}
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.is_file()]
        frames = next((file for file in files if file.suffix.lower() == ".mib"), None)
        notes = next((file for file in files if file.suffix.lower() == ".hdr"), None)
        if frames is None or notes is None:
            raise ReadError("a scan of the Merlin is a .mib and a .hdr file; one of them is missing.")
        path, beside = frames, _notes(notes)
    return [_read(path, beside)]


def _read(path: Path, beside: dict[str, str]) -> Dataset:
    content = Bytes.of(path)
    found = BEGINNING.match(content.raw(0, min(64, len(content))))
    if found is None:
        raise ReadError("it does not begin with the header of a frame.", byte=0)
    header_bytes, width, height = (int(found[place]) for place in (2, 4, 5))
    kind = found[6].decode()
    if kind not in TYPES:
        raise ReadError(
            f"the frames are of type {kind}; R64 means raw, in the chip's own order of bits. Save them "
            "processed, as U08, U16 or U32.",
            byte=found.start(6),
        )
    count_bytes = np.dtype(TYPES[kind]).itemsize
    frame_bytes = header_bytes + width * height * count_bytes
    number, rest = divmod(len(content), frame_bytes)
    if rest or not width or not height or header_bytes < found.end():
        raise ReadError(
            f"it is not a whole number of frames of {frame_bytes} bytes. Was it cut off? Copy it again.",
            byte=number * frame_bytes,
        )
    if number * width * height > MOST_VALUES:
        raise ReadError(
            f"it holds {number} frames of {width} × {height}; up to {MOST_VALUES / 1e6:.0f} million values "
            "are read. The bytes are kept: bin or crop the scan and send that beside it."
        )
    records = content.array("u1", number * frame_bytes, 0).reshape(number, frame_bytes)
    counts = np.ascontiguousarray(records[:, header_bytes:]).view(TYPES[kind]).reshape(number, height, width)
    first = content.text(0, header_bytes)
    return _dataset(counts[:, ::-1].astype(np.float64), first, beside)


def _dataset(frames: np.ndarray, first: str, beside: dict[str, str]) -> Dataset:
    header = {f"field {n + 1}": cell.strip() for n, cell in enumerate(first.split(",")) if cell.strip()}
    header.update(beside)
    known, moment = _conditions(first)
    pixels = tuple(
        Axis(name, "px", np.arange(size, dtype=float))
        for name, size in zip(("ky", "kx"), frames.shape[1:], strict=True)
    )
    line = next((as_number(beside[key].split()[0]) for key in LINE_KEYS if beside.get(key, "").strip()), None)
    if line and line > 1 and line == int(line) and len(frames) % int(line) == 0 and len(frames) > line:
        frames = frames.reshape(-1, int(line), *frames.shape[1:])
        scan = tuple(
            Axis(name, "1", np.arange(1.0, size + 1))
            for name, size in zip(("Line", "Point"), frames.shape[:2], strict=True)
        )
    elif len(frames) == 1:
        frames, scan = frames[0], ()
    else:
        scan = (Axis("Frame", "1", np.arange(1.0, len(frames) + 1)),)
    return Dataset(
        Signal("Counts", "counts", frames), (*scan, *pixels), header, moment, known, technique="sed"
    )


def _conditions(first: str) -> tuple[dict[str, Quantity], datetime | None]:
    cells = [cell.strip() for cell in first.split(",")]
    known = condition("detector", "Merlin")
    known |= condition("exposure_time", as_number(cells[10]) if len(cells) > 10 else None, "s")
    newer = UTC_AND_EXPOSURE.search(first)
    if newer:
        known |= condition("exposure_time", int(newer[2]) * 1e-9, "s")
        try:
            # nanoseconds are more than Python keeps
            moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", newer[1]))
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return known, moment
    return known | condition("local_time", cells[9] if len(cells) > 9 else None), None


def _notes(path: Path) -> dict[str, str]:
    """Lines “Frames per Trigger (Number):\t256”."""
    with open_text(path) as text:
        lines = text.read(64 * 1024).splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, mark, value in pairs if mark and key.strip()}
