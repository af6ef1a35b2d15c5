"""BLO: NanoMegas' block file of a scan with a diffraction pattern at each point.

Little-endian: a header of 240 bytes and a note, the virtual bright field image (one byte a point), then for
each point six bytes (0x55AA and its number) and the pattern (one byte a pixel). Steps are in nm; the scale of
the patterns in pixels per cm on the camera. The time of the scan is local, as a day number of spreadsheets.
No real file was at hand.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers.base import NEVER, SURE, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="NanoMegas BLO",
    extensions=(".blo",),
    vendor="NanoMegas",
    techniques=("sed",),
    description="Scanning electron diffraction: a pattern at each point, and the virtual bright field.",
    max_bytes=2 * 1024**3,
)
VERSION = 1

MAGIC = b"IMGBLO\x02\x01"
NOTE_AT = 64 + 22 * 8
SPREADSHEET_DAY_0 = datetime(1899, 12, 30, tzinfo=UTC)  # of whatever zone the computer was in
FIELDS = {  # name: (layout, offset)
    "Data_offset_1": ("<I", 8), "Data_offset_2": ("<I", 12), "Flags": ("<I", 16), "DP_SZ": ("<H", 20),
    "DP_rotation": ("<H", 22), "NX": ("<H", 24), "NY": ("<H", 26), "Scan_rotation": ("<H", 28),
    "SX": ("<d", 30), "SY": ("<d", 38), "Beam_energy": ("<I", 46), "SDP": ("<H", 50),
    "Camera_length": ("<I", 52), "Acquisition_time": ("<d", 56),
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    return SURE if head.startswith(MAGIC) else NEVER


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    if content.raw(0, len(MAGIC)) != MAGIC:
        raise ReadError("it does not begin as a block file does.", byte=0)
    said: dict[str, Any] = {name: content.one(*place) for name, place in FIELDS.items()}
    nx, ny, side = said["NX"], said["NY"], said["DP_SZ"]
    if min(nx, ny, side) < 1 or nx * ny * side * side > MOST_VALUES:
        raise ReadError(
            f"it announces {nx} × {ny} patterns of {side} × {side} pixels; up to "
            f"{MOST_VALUES / 1e6:.0f} million values are read. Crop or bin the scan and send that beside it."
        )
    header = {name: f"{value:.12g}" for name, value in said.items()}
    if note := content.text(NOTE_AT, max(said["Data_offset_1"] - NOTE_AT, 0)):
        header["Note"] = note[:2000]
    known = _conditions(said)
    position = tuple(
        Axis(name, "nm", np.arange(size) * _finite(step))
        for name, size, step in (("y", ny, said["SY"]), ("x", nx, said["SX"]))
    )
    per_cm = said["SDP"] / 100
    pixel = tuple(
        Axis(name, "cm" if per_cm else "px", np.arange(side) / (per_cm or 1)) for name in ("ky", "kx")
    )
    records = content.array("u1", nx * ny * (6 + side * side), said["Data_offset_2"])
    patterns = records.reshape(ny, nx, 6 + side * side)[..., 6:].reshape(ny, nx, side, side)
    field = content.floats("u1", nx * ny, said["Data_offset_1"]).reshape(ny, nx)
    counts = Signal("Intensity", "", patterns.astype(np.float64))
    return [
        Dataset(counts, (*position, *pixel), header, None, known, technique="sed"),
        Dataset(Signal("Intensity", "", field), position, header, None, known, "virtual bright field", "sed"),
    ]


def _finite(step: float) -> float:
    return step if math.isfinite(step) and step > 0 else 1.0


def _conditions(said: dict[str, Any]) -> dict[str, Quantity]:
    known = condition("acceleration_voltage", said["Beam_energy"] or None, "V")
    known |= condition("camera_length", said["Camera_length"] / 10 or None, "mm")
    days = said["Acquisition_time"]
    if math.isfinite(days) and 30_000 < days < 80_000:
        moment = SPREADSHEET_DAY_0 + timedelta(days=days)
        known |= condition("local_time", moment.replace(microsecond=0, tzinfo=None).isoformat(sep=" "))
    return known
