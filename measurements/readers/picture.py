"""Photographs and screenshots: PNG, JPEG, BMP, GIF, WebP, with what the camera noted in EXIF.

EXIF gives the local time; only newer cameras add the zone, and only then is the moment of the exposure known.
The scale of a photograph is not in its file: x and y count pixels. A picture of more pixels than a dataset
may hold is averaged over squares of them, and the header says so; the file itself keeps them all.
"""

from __future__ import annotations

import math
from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers import _picture
from measurements.readers.base import NEVER, Format

FORMAT = Format(
    name="Picture",
    extensions=(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"),
    vendor="",
    techniques=("image", "em"),
    description="Photographs and exported images, with the camera's EXIF notes.",
)
VERSION = 1

MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF87a", b"GIF89a", b"RIFF")
MOST_VALUES, MOST_VALUES_IN_FILE = 32 * 1024**2, 500_000_000
BMP_HEADER_SIZES = [bytes([size]) for size in (12, 40, 52, 56, 64, 108, 124)]
PILLOW_NAMES = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "MPO")


def recognises(head: bytes, filename: str) -> float:
    if _is_heic(head):
        return 0.9
    if not head.startswith(MAGIC):
        return NEVER
    if head.startswith(b"RIFF"):
        return 0.9 if head[8:12] == b"WEBP" else NEVER
    if head.startswith(b"BM"):  # two letters are not much: the size of the header tells
        return (
            0.8
            if len(head) > 18 and head[14] in (12, 40, 52, 56, 64, 108, 124) and head[6:10] == bytes(4)
            else NEVER
        )
    return 0.9


def read(path: Path) -> list[Dataset]:
    with path.open("rb") as file:
        if _is_heic(file.read(12)):
            raise ReadError(
                "this is a HEIC photograph, as telephones save it. The bytes are kept; to see it here, "
                "export a JPEG and send that beside it."
            )
    with _picture.opened(path, PILLOW_NAMES, FORMAT.name, MOST_VALUES_IN_FILE) as image:
        header, known, moment = _picture.exif(image)
        header = {"format": f"{image.format} {image.mode}", **header}
        header.update({str(key): _said(value) for key, value in image.info.items() if _said(value)})
        side = math.ceil(math.sqrt(_picture.count(image) / MOST_VALUES))
        if side > 1:
            image = (image.convert("RGB") if image.mode in ("P", "1", "CMYK") else image).reduce(side)
            header["reduced"] = f"each pixel is the mean of {side} × {side} pixels of the file"
        pixels = _picture.values(image)
    return [_picture.dataset(pixels, header, known, acquired_at=moment)]


def _is_heic(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"avif")


def _said(value: object) -> str:
    """Notes that PNG and others hold beside EXIF; profiles and previews are not notes."""
    if isinstance(value, (str, int, float)):
        return str(value)[: _picture.LONGEST_TEXT]
    return ""
