"""TIFF: what Zeiss, FEI/Thermo and Tescan microscopes write into their private tags, stacks, photographs.

The tags come at the end of such files, so only reading tells a micrograph from a photograph. Pixel sizes are
those of the vendor's tag, else of ImageJ's description. Raw camera files (CR2, NEF, DNG) are TIFF as well,
but Pillow would show their preview; they are refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import _picture
from measurements.readers._sem_tags import Tags, fei, tescan, zeiss
from measurements.readers._text import as_number
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="TIFF image",
    extensions=(".tif", ".tiff"),
    vendor="Zeiss, FEI, Thermo Fisher, Tescan and others",
    techniques=("em", "image", "tomography"),
    description="Micrographs with the microscope's own settings, stacks of images, and photographs.",
)
VERSION = 1

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
VENDORS = {34118: zeiss, 34119: zeiss, 34682: fei, 34680: fei, 50431: tescan}
DESCRIPTION, X_RESOLUTION, SUB_IMAGES, DNG_VERSION, COLOUR_FILTER = 270, 282, 330, 50706, 33422


def recognises(head: bytes, filename: str) -> float:
    return 0.8 if head.startswith(MAGIC) else NEVER


def read(path: Path) -> list[Dataset]:
    with path.open("rb") as file:
        if file.read(10).endswith(b"CR"):
            raise _raw("CR2")
    with _picture.opened(path, ("TIFF",), FORMAT.name) as image:
        tags = image.tag_v2
        if SUB_IMAGES in tags and (DNG_VERSION in tags or "NIKON" in str(tags.get(271, "")).upper()):
            raise _raw("NEF or DNG")
        header, known, moment = _picture.exif(image)
        is_stack = int(getattr(image, "n_frames", 1)) > 1
        microscope = _microscope(tags)
        pixel_nm = microscope.pixel_nm if microscope else _imagej(header)
        pixels = _picture.frames(image)
    header = {key: value for key, value in header.items() if not key.startswith("tag ")}
    if microscope is not None:
        header |= microscope.header
        known = _of_the_microscope(known) | microscope.conditions
    is_stack = is_stack and pixels.ndim > 2
    return [
        _picture.dataset(
            pixels, header, known, pixel_nm=pixel_nm, acquired_at=moment, stack=is_stack,
            technique="em" if microscope else "image",
        )
    ]  # fmt: skip


def _raw(kind: str) -> ReadError:
    return ReadError(
        f"this is a camera's raw file ({kind}). The bytes are kept; to see it here, export a TIFF or JPEG of "
        "it and send that beside it."
    )


def _microscope(tags: Any) -> Tags | None:
    for number, read_tag in VENDORS.items():
        value = tags.get(number)
        if isinstance(value, tuple):
            value = (
                value[0]
                if len(value) == 1
                else bytes(v for v in value if isinstance(v, int) and 0 <= v < 256)
            )
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if isinstance(value, str) and value.strip():
            found = read_tag(value)
            if found.header:
                return found
    return None


def _of_the_microscope(known: dict[str, Quantity]) -> dict[str, Quantity]:
    """What TIFF says of itself, without the program that wrote it as a comment."""
    return {key: quantity for key, quantity in known.items() if key != "comment"}


def _imagej(header: dict[str, str]) -> tuple[float, float] | None:
    """ImageJ notes “unit=nm” in the description, and pixels per unit in the resolution."""
    unit = re.search(r"^unit=(\S+)", header.get("ImageDescription", ""), re.M)
    per_unit = as_number(header.get("XResolution", ""))
    if not header.get("ImageDescription", "").startswith("ImageJ") or not unit or not per_unit:
        return None
    word = unit[1].replace("\\u00B5", "µ").replace("micron", "µm")
    size = condition("pixel_size", 1 / per_unit, word).get("pixel_size")
    return (float(size.value), float(size.value)) if size else None
