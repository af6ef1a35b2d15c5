"""What a reader returns and a method receives: numbers with axes, units and everything the file said.

Pure floor: no Django here, so that `python -c "import measurements.data"` works with no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
UNREAD = "not read: "  # before the name of a file, in the header of what was read without it


class ReadError(Exception):
    """A file that cannot be read, in a sentence for the person who can act on it.

    reader : key and version of the reader that refused it; `measurements.readers.read` writes it
    """

    def __init__(
        self, message: str, *, line: int | None = None, byte: int | None = None, reader: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.byte = byte
        self.reader = reader

    def __str__(self) -> str:
        if self.line is not None:
            return f"Line {self.line}: {self.message}"
        if self.byte is not None:
            return f"Byte {self.byte}: {self.message}"
        return self.message


@dataclass(frozen=True)
class Axis:
    """One axis: `values` has one float64 for each index of its dimension; unit "1" means a pure number."""

    name: str
    unit: str
    values: Array


@dataclass(frozen=True)
class Signal:
    """The measured quantity, N-dimensional float64; `errors`: one sigma, same shape, if the file has it."""

    name: str
    unit: str
    values: Array
    errors: Array | None = None


@dataclass(frozen=True)
class Quantity:
    """A condition of the measurement that carries its unit, such as the excitation wavelength."""

    value: float | str
    unit: str = ""


@dataclass(frozen=True)
class Dataset:
    """A signal of N dimensions with one axis per dimension.

    header : what the file said, verbatim, in its own words and order
    acquired_at : aware datetime, or None when the file does not say: never invented
    conditions : the part of the header that Vitrine understands, with units; keys and units are those of
        measurements.vocabulary
    title : what tells it apart from the other datasets of the same file: a scan, a region, a column
    technique : a key of measurements.techniques when the file itself says what was measured, else ""
    """

    signal: Signal
    axes: tuple[Axis, ...]
    header: Mapping[str, str] = field(default_factory=dict)
    acquired_at: datetime | None = None
    conditions: Mapping[str, Quantity] = field(default_factory=dict)
    title: str = ""
    technique: str = ""

    def __post_init__(self) -> None:
        shape = tuple(axis.values.size for axis in self.axes)
        if self.signal.values.shape != shape:
            raise ValueError(f"signal of shape {self.signal.values.shape} on axes of sizes {shape}")
        errors = self.signal.errors
        if errors is not None and errors.shape != shape:
            raise ValueError(f"errors of shape {errors.shape} on axes of sizes {shape}")
        if self.acquired_at is not None and self.acquired_at.tzinfo is None:
            raise ValueError("acquired_at needs a time zone; leave it None when the file does not give one")
