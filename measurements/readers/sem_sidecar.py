"""Micrographs whose settings lie beside them in a text file: JEOL ($CM_…) and Hitachi ([SemImageFile]).

Picture and text, of one name, are a folder together; sent singly, the picture is read without its scale and
the text is refused, since it holds no picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from measurements.data import Dataset, ReadError
from measurements.readers import _picture, picture, tiff
from measurements.readers._sem_tags import SIDECARS, sidecar
from measurements.readers._text import decoded, open_text
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="JEOL and Hitachi micrograph",
    extensions=(".tif", ".bmp", ".jpg", ".txt"),
    vendor="JEOL, Hitachi",
    techniques=("em",),
    description="A micrograph and the text file of the same name beside it; send both together.",
    folder=True,
)
VERSION = 1

PICTURES = {".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".png"}
LONGEST_NOTE = 256 * 1024


def recognises(head: bytes, filename: str) -> float:
    """The text alone."""
    try:
        text = decoded(head[:4096])
    except ReadError:
        return NEVER
    return 0.9 if any(line.startswith(tuple(SIDECARS)) for line in text.splitlines()[:10]) else NEVER


def recognises_names(names: Sequence[str]) -> float:
    if len(names) != 2:
        return NEVER
    first, second = sorted((PurePath(name) for name in names), key=lambda path: path.suffix.lower() == ".txt")
    is_pair = (
        first.suffix.lower() in PICTURES and second.suffix.lower() == ".txt" and first.stem == second.stem
    )
    return 0.5 if is_pair else NEVER


def read(path: Path) -> list[Dataset]:
    if not path.is_dir():
        raise ReadError(
            "this text describes a micrograph and holds none. Send it together with its picture, as one "
            "measurement."
        )
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    note = next((file for file in files if file.suffix.lower() == ".txt"), None)
    shown = next((file for file in files if file.suffix.lower() in PICTURES), None)
    if note is None or shown is None:
        raise ReadError("of picture and text beside it one is missing. Send both.")
    with open_text(note) as text:
        words = text.read(LONGEST_NOTE)
    head = shown.open("rb").read(16)
    made = (tiff if tiff.recognises(head, shown.name) else picture).read(shown)[0]
    tags = sidecar(words)
    if tags is None:  # somebody's notes: worth keeping, but not understood
        header = {**made.header, f"beside it, {note.name}": words[:2000].strip()}
        return [_picture.with_words(made, header, dict(made.conditions))]
    pixels = made.signal.values
    stack = bool(made.axes) and made.axes[0].name == "Frame"
    return [
        _picture.dataset(
            pixels,
            {**made.header, **tags.header},
            {**made.conditions, **tags.conditions},
            pixel_nm=tags.pixel_nm,
            acquired_at=made.acquired_at,
            stack=stack,
            technique="em",
        )
    ]
