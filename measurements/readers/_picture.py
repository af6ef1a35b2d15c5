"""Pictures through Pillow: size checked before anything is unpacked, values as they are, EXIF as words.

A picture of one channel is (y, x). Colours are (y, x, channel), unless all channels are equal: then one of
them is all there is. A palette that is the grey scale itself is left aside; the indices are the values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers.base import library
from measurements.vocabulary import condition

MOST_VALUES = 64 * 1024**2
MOST_FRAMES = 2000
LONGEST_TEXT = 2000
PLAIN_MODES = {"L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N", "1"}


@contextmanager
def opened(
    path: Path, formats: tuple[str, ...], format_name: str, most_values: int = MOST_VALUES
) -> Iterator[Any]:
    """The picture, not loaded yet. Pillow has types, but not for its tags: Any."""
    with library("pillow", format_name):
        from PIL import Image

        with Image.open(path, formats=formats) as image:
            frames = int(getattr(image, "n_frames", 1))
            values = count(image) * frames
            if frames > MOST_FRAMES or values > most_values:
                raise ReadError(
                    f"the picture has {image.width} × {image.height} pixels"
                    + (f" in {frames} frames" if frames > 1 else "")
                    + f", {values / 1e6:.0f} million values; up to {most_values / 1e6:.0f} million are read. "
                    "The bytes are kept: crop or bin it, and send that too."
                )
            yield image


def count(image: Any) -> int:
    """How many values one frame has, before it is unpacked."""
    channels = 1 if image.mode in PLAIN_MODES or image.mode == "P" else len(image.getbands())
    return int(image.width * image.height * channels)


def values(image: Any) -> Array:
    """The values of the frame at hand."""
    mode = image.mode
    if (mode == "P" and _is_grey_scale(image.getpalette())) or mode in PLAIN_MODES:
        pixels = np.asarray(image)
    else:
        wanted = {"P": "RGBA" if "transparency" in image.info else "RGB", "YCbCr": "RGB", "PA": "RGBA"}
        pixels = np.asarray(image.convert(wanted[mode]) if mode in wanted else image)
    if pixels.ndim == 3 and mode in ("RGBA", "LA", "P", "PA") and np.all(pixels[..., -1] == 255):
        pixels = pixels[..., :-1]
    if pixels.ndim == 3 and all(
        np.array_equal(pixels[..., 0], other) for other in np.moveaxis(pixels, -1, 0)
    ):
        pixels = pixels[..., 0]
    return np.asarray(pixels, dtype=np.float64)


def frames(image: Any) -> Array:
    """All frames, stacked if there are several of one size."""
    number = int(getattr(image, "n_frames", 1))
    if number == 1:
        return values(image)
    stack = []
    for index in range(number):
        image.seek(index)
        stack.append(values(image))
    image.seek(0)
    if len({frame.shape for frame in stack}) > 1:
        return stack[0]
    return np.stack(stack)


def dataset(
    pixels: Array,
    header: dict[str, str],
    known: dict[str, Quantity],
    *,
    pixel_nm: tuple[float, float] | None = None,
    acquired_at: datetime | None = None,
    stack: bool = False,
    technique: str = "image",
    title: str = "",
) -> Dataset:
    """stack : the first dimension counts frames"""
    sizes = list(pixels.shape)
    axes = []
    if stack:
        axes.append(Axis("Frame", "1", np.arange(1, sizes.pop(0) + 1, dtype=float)))
    for name, size, step in zip(("y", "x"), sizes[:2], (pixel_nm or (1.0, 1.0))[::-1], strict=True):
        axes.append(Axis(name, "nm" if pixel_nm else "px", np.arange(size) * step))
    if len(sizes) == 3:
        axes.append(Axis("Channel", "1", np.arange(sizes[2], dtype=float)))
    signal = Signal("Intensity", "", pixels)
    return Dataset(signal, tuple(axes), header, acquired_at, known, title, technique)


def with_words(picture: Dataset, header: dict[str, str], known: dict[str, Quantity]) -> Dataset:
    """The same picture with another header and other conditions."""
    return replace(picture, header=header, conditions=known)


def exif(image: Any) -> tuple[dict[str, str], dict[str, Quantity], datetime | None]:
    """What a camera noted: its words, the conditions among them, and the moment if it has a zone."""
    from PIL import ExifTags

    said: dict[str, str] = {}
    tags = image.getexif()
    for group in (tags, tags.get_ifd(ExifTags.IFD.Exif)):
        for number, value in group.items():
            name = ExifTags.TAGS.get(number, f"tag {number}")
            if name not in ("ExifOffset", "MakerNote", "StripOffsets", "StripByteCounts", "ColorMap"):
                said[name] = _words(value)
    header = {key: value for key, value in said.items() if value}
    known = {
        **condition("instrument", f"{said.get('Make', '')} {said.get('Model', '')}"),
        **condition("exposure_time", _number(said.get("ExposureTime")), "s"),
        **condition("software", said.get("Software")),
        **condition("comment", said.get("ImageDescription")),
    }
    moment, zone = said.get("DateTimeOriginal", ""), said.get("OffsetTimeOriginal", "")
    try:
        acquired_at = datetime.strptime(f"{moment} {zone}", "%Y:%m:%d %H:%M:%S %z")
    except ValueError:
        return header, known | condition("local_time", moment or said.get("DateTime")), None
    return header, known, acquired_at


def _is_grey_scale(palette: list[int] | None) -> bool:
    return palette is not None and all(
        palette[3 * index : 3 * index + 3] == [index] * 3 for index in range(len(palette) // 3)
    )


def _words(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").replace("\0", "").strip()[:LONGEST_TEXT]
    return str(value).replace("\0", "").strip()[:LONGEST_TEXT]


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
