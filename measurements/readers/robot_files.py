"""Files of synthesis robots, and other JSON: told apart and named, not read as measurements.

A plate map says which well is which sample, an event stream what a robot did and when: both are history, not
a measurement, so they are refused with a sentence that says where they go. The bytes are kept all the same.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers._text import decoded, open_text
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="Robot events and plate maps",
    extensions=(".json", ".jsonl", ".csv"),
    vendor="",
    techniques=(),
    description="Event streams and plate maps of automated synthesis, and other JSON: kept, and named.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

WELL = re.compile(r"[A-Pa-p](?:0?[1-9]|1\d|2[0-4])")
WELL_TITLE = re.compile(r"well(?:[ _-]?(?:id|name|position|no))?|position", re.IGNORECASE)
EVENT_KEYS = {
    "event",
    "events",
    "timestamp",
    "time",
    "action",
    "command",
    "step",
    "well",
    "volume",
    "labware",
}
JSON_START = re.compile(r"\s*[\[{]\s*(?:[\[{\"\]}]|-?\d)")


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return NEVER
    beginning = text[:8192].lower()
    if ("well" in beginning or "position" in beginning) and _is_plate_map(text.splitlines()[:40]):
        return 0.5
    return 0.15 if JSON_START.match(text) else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        text = file.read(16 * 1024**2)
    if _is_plate_map(text.splitlines()[:40]):
        raise ReadError(
            "this is a plate map: it tells which well is which sample, and is no measurement. Plan the "
            "samples from it by import, and send the measurements with their codes. The bytes are kept."
        )
    keys = _keys(text)
    if len(EVENT_KEYS & {key.lower() for key in keys}) >= 2:
        raise ReadError(
            f"this is a stream of a robot's events (with {_some(keys)}), and no measurement. Attach it to "
            "the preparation that it documents. The bytes are kept."
        )
    named = f"with {_some(keys)}" if keys else "damaged or without names"
    raise ReadError(
        f"this is JSON ({named}) of a kind that is not known here. The bytes are kept; export the "
        "measurement as columns of text, or as NeXus."
    )


def _is_plate_map(lines: list[str]) -> bool:
    for delimiter in ",;\t":
        rows = [[cell.strip().strip('"') for cell in line.split(delimiter)] for line in lines if line.strip()]
        for number, row in enumerate(rows):
            columns = [place for place, cell in enumerate(row) if WELL_TITLE.fullmatch(cell)]
            if not columns or len(row) < 2:
                continue
            below = [each[columns[0]] for each in rows[number + 1 :] if len(each) > columns[0]]
            if len(below) > 1 and all(WELL.fullmatch(cell) for cell in below):
                return True
    return False


def _keys(text: str) -> list[str]:
    """Names at the top of the JSON, of its first line, or of the first of its list."""
    for candidate in (text, text.splitlines()[0] if text.strip() else ""):
        try:
            found = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        while isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, dict):
            return [str(key) for key in found]
    return []


def _some(keys: list[str]) -> str:
    shown = ", ".join(f"“{key[:30]}”" for key in keys[:5])
    return shown + (" …" if len(keys) > 5 else "")
