"""Bytes of instruments: bounds are checked once, here, so that a cut or altered file is a sentence."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from measurements.data import Array, ReadError

MOST_VALUES = 64 * 1024**2  # half a gigabyte as float64; a count in a damaged header may say anything


class Bytes:
    """A file's bytes, or a part of them. Every access past their end is a ReadError that names the byte."""

    def __init__(self, content: bytes | memoryview) -> None:
        self.content = memoryview(content)

    @classmethod
    def of(cls, path: Path) -> Bytes:
        return cls(path.read_bytes())

    def __len__(self) -> int:
        return len(self.content)

    def unpack(self, layout: str, offset: int) -> tuple[Any, ...]:
        """`struct.unpack_from` with its bounds checked; `layout` begins with < or >."""
        self.need(offset, struct.calcsize(layout))
        return struct.unpack_from(layout, self.content, offset)

    def one(self, layout: str, offset: int) -> Any:
        return self.unpack(layout, offset)[0]

    def raw(self, offset: int, size: int) -> bytes:
        self.need(offset, size)
        return bytes(self.content[offset : offset + size])

    def text(self, offset: int, size: int, encoding: str = "latin-1") -> str:
        """A text field, up to its first NUL, without the blanks around it."""
        return self.raw(offset, size).split(b"\0")[0].decode(encoding, "replace").strip()

    def array(self, dtype: str, count: int, offset: int) -> NDArray[Any]:
        """`count` numbers of a NumPy type such as "<f4", as they are."""
        if not 0 <= count <= MOST_VALUES:
            raise ReadError(
                f"it announces {count} values, which cannot be. The file is damaged; export it again.",
                byte=offset,
            )
        self.need(offset, count * np.dtype(dtype).itemsize)
        return np.frombuffer(self.content, dtype=dtype, count=count, offset=offset)

    def floats(self, dtype: str, count: int, offset: int) -> Array:
        """`count` numbers as float64; a signalling NaN of a damaged file is just NaN."""
        with np.errstate(invalid="ignore", over="ignore"):
            return self.array(dtype, count, offset).astype(np.float64)

    def need(self, offset: int, size: int) -> None:
        if offset < 0 or size < 0 or offset + size > len(self.content):
            raise ReadError(
                f"the file ends at byte {len(self.content)}, but {size} bytes were announced at {offset}. "
                "Was it cut off on its way? Copy it again from the instrument and send it again.",
                byte=max(min(offset, len(self.content)), 0),
            )
