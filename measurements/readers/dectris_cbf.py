"""CBF: single frames of Dectris' Pilatus and other detectors ("miniCBF"), packed by byte offsets.

A header of text says how the detector was set (`# Exposure_time 0.0995 s`), a second one how the frame is
packed; four bytes 0C 1A 04 D5 begin it. Each pixel is the difference to the one before, in one byte; -128 in
that byte means that two bytes follow, -32768 in those that four follow, and so on to eight. Pixels below zero
were masked or lie between modules: they come back as missing. The time has no zone, so the moment of the
exposure stays unknown. Not read: other packings, frames of real numbers, several frames in one file.

A. P. Hammersley, "CBF: byte offset compression", in the definition of imgCIF/CBF 1.0 (IUCr, 2002).
No real file was at hand; frames that FabIO wrote come back equal.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import MOST_VALUES
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="CBF detector frame",
    extensions=(".cbf",),
    vendor="Dectris and others",
    techniques=("saxs", "xrd", "pdf"),
    description="Frames of Pilatus detectors with the header that the beamline wrote; byte-offset packing.",
    max_bytes=256 * 1024**2,
)
VERSION = 1

MAGIC = b"###CBF"
BEGINS = b"\x0c\x1a\x04\xd5"
MOST_HEADER_BYTES = 1024**2
PIECE_BYTES = 1024**2
LONGEST_BYTES = 15  # of one difference: 1 + 2 + 4 + 8
PACKING = "x-CBF_BYTE_OFFSET"
SAID = re.compile(r"^# *(?P<key>[A-Za-z][A-Za-z0-9_]*)[ :=]+(?P<text>.*\S)", re.MULTILINE)
PACKED = re.compile(r'^(?P<key>X-[A-Za-z-]+|Content-MD5): *"?(?P<text>[^"\r\n]*)', re.MULTILINE)
LOCAL_TIME = re.compile(r"^# *(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)\s*$", re.MULTILINE)
NUMBER_AND_UNIT = re.compile(r"\(?(?P<number>[-+0-9.eE]+)\)?\s*(?P<unit>[A-Za-zÅµ]*)")
KEYS = {
    "Wavelength": "xray_wavelength", "Energy": "xray_energy", "Photon_energy": "xray_energy",
    "Detector_distance": "detector_distance", "Exposure_time": "exposure_time",
    "Transmission": "transmission",
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    return 0.99 if head.startswith(MAGIC) else NEVER  # a CIF may begin with anything but this


def read(path: Path) -> list[Dataset]:
    content = path.read_bytes()
    start = content.find(BEGINS, 0, MOST_HEADER_BYTES)
    if start < 0:
        raise ReadError("there is no frame in it: its four marking bytes are missing. Was it cut off?")
    text = content[:start].decode("utf-8", "replace")
    packed = {found["key"]: found["text"].strip() for found in PACKED.finditer(text)}
    width, height, size_bytes = (_whole(packed, key) for key in (
        "X-Binary-Size-Fastest-Dimension", "X-Binary-Size-Second-Dimension", "X-Binary-Size"))  # fmt: skip
    if PACKING not in text:
        raise ReadError(f"its frame is not packed as {PACKING}. Export it as TIFF or NeXus.")
    if "real" in packed.get("X-Binary-Element-Type", ""):
        raise ReadError("its frame is of real numbers, which this packing has not. Export it as TIFF.")
    if width * height > MOST_VALUES:
        raise ReadError(
            f"its frame of {width} × {height} pixels is too large. Bin it, and send that beside it."
        )
    start += len(BEGINS)
    frame = content[start : start + size_bytes]
    if len(frame) < size_bytes:
        raise ReadError(
            f"the file ends at byte {len(content)}, but its frame goes on to {start + size_bytes}. Was it "
            "cut off on its way? Copy it again.",
            byte=len(content),
        )
    _require_sound(frame, packed.get("Content-MD5", ""))
    counts = unpacked(frame, width * height).reshape(height, width).astype(np.float64)
    counts[counts < 0] = np.nan
    axes = tuple(Axis(name, "px", np.arange(float(size))) for name, size in (("y", height), ("x", width)))
    header = {found["key"]: found["text"] for found in SAID.finditer(text)} | packed
    return [Dataset(Signal("Counts", "counts", counts), axes, header, None, _conditions(text, header))]


def unpacked(frame: bytes, count: int) -> np.ndarray:
    """`count` pixels: the running sum of differences of one, two, four or eight bytes."""
    found, done, at = np.empty(count, np.int64), 0, 0
    while done < count and at < len(frame):
        piece = frame[at : at + PIECE_BYTES]
        steps, lengths = _steps_at_each_byte(piece)
        following = (np.arange(len(piece)) + lengths).tolist()
        # The last differences of a piece may go on in the next one, and are read with it.
        stop = len(piece) - (LONGEST_BYTES if at + len(piece) < len(frame) else 0)
        starts: list[int] = []
        here = 0
        while here < stop and done + len(starts) < count:
            starts.append(here)
            here = following[here]
        found[done : done + len(starts)] = steps[starts]
        done, at = done + len(starts), at + here
    if done < count or at > len(frame):
        raise ReadError("its frame ends before its last pixel. Was the file damaged? Copy it again.")
    return np.cumsum(found)


def _steps_at_each_byte(frame: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The difference that would begin at each byte, and how many bytes it takes. Where one begins is only
    known once those before it are, so all are looked at together: that is what NumPy is good at."""
    single = np.frombuffer(frame, "i1")
    raw = np.frombuffer(frame + bytes(16), "u1")
    steps, lengths = single.astype(np.int64), np.ones(single.size, np.int64)
    escaped, before = np.flatnonzero(single == -128), 1
    for size in (2, 4, 8):
        words = np.ascontiguousarray(raw[escaped[:, None] + np.arange(before, before + size)])
        steps[escaped] = words.view(f"<i{size}")[:, 0]
        before += size
        lengths[escaped] = before
        escaped = escaped[steps[escaped] == -(1 << (8 * size - 1))]
    return steps, lengths


def _require_sound(frame: bytes, md5: str) -> None:
    if md5 and base64.b64encode(hashlib.md5(frame, usedforsecurity=False).digest()).decode() != md5:
        raise ReadError("the bytes of its frame are not those that the detector wrote (MD5). Copy it again.")


def _whole(packed: dict[str, str], key: str) -> int:
    text = packed.get(key, "")
    if not text.isdigit() or int(text) < 1 or len(text) > 12:
        raise ReadError(f"its header does not give {key}, so the frame cannot be unpacked.")
    return int(text)


def _conditions(text: str, header: dict[str, str]) -> dict[str, Quantity]:
    known: dict[str, Quantity] = {}
    for said, key in KEYS.items():
        found = NUMBER_AND_UNIT.match(header.get(said, ""))
        if found:
            known |= condition(key, found["number"], found["unit"])
    if "Detector" in header:
        known |= condition("detector", header["Detector"])
    local = LOCAL_TIME.search(text)
    return known | (condition("local_time", local[1]) if local else {})
