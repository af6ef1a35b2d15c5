"""Galactic (Thermo GRAMS) SPC: a header, perhaps an axis, and one or many subfiles.

Three versions, told apart by the second byte: 0x4B (new, little-endian), 0x4C (new, big-endian) and 0x4D
(old, of LabCalc). Values are float32, or 16 or 32 bit integers times 2^(exponent − 16 or 32). The axis is
even between its first and last value, or given once for all subfiles, or given for each subfile.

    new   512 bytes: flags, version, experiment, exponent, points, first and last x, subfiles, units, date, …
          subfile: 32 bytes (flags, exponent, index, z, next z, noise, points, …), then x and y
    old   256 bytes, of which the last 32 are the first subfile's; integers have their two words swapped

Galactic Industries, “A brief guide to SPC file format and using GSPCIO” (1997). Of the big-endian and the old
version no real file was at hand.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._spc import (
    HAS_X,
    MANY,
    NEW,
    NEW_BIG_ENDIAN,
    OLD,
    OWN_LABELS,
    OWN_X,
    SHORTS,
    X_UNITS,
    Y_UNITS,
    Head,
    head_of,
)
from measurements.readers._spectrum import NameAndUnit, understood
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Galactic SPC",
    extensions=(".spc",),
    vendor="Galactic (Thermo GRAMS)",
    techniques=("ftir", "raman", "uvvis", "pl", "nmr", "xrd", "ms"),
    description="Spectra in GRAMS's format, as many programs export it: single, series and maps.",
    max_bytes=96 * 1024**2,
)
VERSION = 1

FLOATS = -128
ZIP = b"PK"  # whose second letter is the new version's number
MOST_SUBFILES = 100_000
SETTINGS: dict[str, NameAndUnit] = {
    "Resolution": ("resolution", ""), "Comment": ("comment", ""), "INSTRUMENT": ("instrument", ""),
    "DETECTOR": ("detector", ""), "GRATING": ("grating", "lines/mm"), "ACQ. TIME (S)": ("exposure_time", "s"),
    "ACCUMULATIONS": ("accumulations", "1"), "LASER (NM)": ("excitation_wavelength", "nm"),
    "SAMPLE": ("sample_name", ""), "TITLE": ("sample_name", ""),
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    """Two bytes are a weak magic: the header must also make sense."""
    if len(head) < 256 or head[1] not in (NEW, NEW_BIG_ENDIAN, OLD) or head.startswith(ZIP):
        return 0.0
    try:
        found = head_of(Bytes(head))
    except ReadError:
        return 0.0
    units_known = found.units[0] in {*X_UNITS, 0, 15, 255} and found.units[1] in Y_UNITS | {15: ("", "")}
    points_known = 0 < found.points <= MOST_VALUES or bool(found.flags & OWN_X)
    ends_known = bool(np.all(np.isfinite([found.first, found.last])))
    if not (units_known and points_known and ends_known and 1 <= found.subfiles <= MOST_SUBFILES):
        return 0.0
    return 0.9 if filename.lower().endswith(".spc") else 0.6


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    head = head_of(content)
    if head.subfiles > MOST_SUBFILES:
        raise ReadError(f"{head.subfiles} subfiles are announced; up to {MOST_SUBFILES} are read.", byte=24)
    if head.flags & HAS_X and head.flags & OWN_X:
        spectra = _with_own_axes(content, head)
    else:
        spectra = _with_one_axis(content, head)
    axis_kind, signal_kind = _kind(head, 0), _kind(head, 1)
    if len(spectra) > 1 and all(
        x is spectra[0][1] or np.array_equal(x, spectra[0][1]) for _, x, _ in spectra
    ):
        return [_map(spectra, head, axis_kind, signal_kind)]
    return [
        _dataset(
            head, Signal(*signal_kind, y), (Axis(*axis_kind, x),), f"z = {z:g}" if len(spectra) > 1 else ""
        )
        for z, x, y in spectra
    ]


def _map(
    spectra: list[tuple[float, Array, Array]], head: Head, axis_kind: NameAndUnit, signal_kind: NameAndUnit
) -> Dataset:
    z = np.array([z for z, _, _ in spectra], dtype=np.float64)
    if not np.all(np.isfinite(z)):
        raise ReadError(
            "the third axis holds values that are no numbers: the file is damaged. Copy it again."
        )
    name, unit = _kind(head, 2)
    values = np.stack([y for _, _, y in spectra])
    return _dataset(
        head,
        Signal(*signal_kind, values),
        (Axis(name if name != "x" else "Series", unit, z), Axis(*axis_kind, spectra[0][1])),
        "",
    )


def _dataset(head: Head, signal: Signal, axes: tuple[Axis, ...], title: str) -> Dataset:
    conditions = understood(head.said, SETTINGS) | condition(
        "local_time", head.said.get("DATE") or head.said.get("Date")
    )
    return Dataset(signal, axes, head.said, None, conditions, title, head.technique)


def _kind(head: Head, which: int) -> NameAndUnit:
    if head.flags & OWN_LABELS and which < len(head.labels) and head.labels[which]:
        return head.labels[which], ""
    known = (Y_UNITS if which == 1 else X_UNITS).get(head.units[which])
    return known or ("xyz"[which] if which else "x", "")


def _with_one_axis(content: Bytes, head: Head) -> list[tuple[float, Array, Array]]:
    """(z, x, y) of each subfile; x is even, or stands once before the first of them."""
    at = head.data_at
    if head.points < 1 or head.points * max(head.subfiles, 1) > MOST_VALUES:
        raise ReadError(
            f"{head.subfiles} spectra of {head.points} points are announced, which cannot be. The file is "
            "damaged; copy it again.",
            byte=4,
        )
    content.need(at, 2 * head.points * head.subfiles)
    if head.flags & HAS_X:
        x = content.floats(f"{head.order}f4", head.points, at)
        at += 4 * head.points
    else:
        x = np.linspace(head.first, head.last, head.points)
    _check_axis(x)
    spectra = []
    for index in range(head.subfiles):
        exponent, z, _ = _subfile(content, head, at)
        if index and not z:
            z = float(index)  # files of one plane leave the z of their later subfiles at zero
        y, at = _values(content, head, at + 32, head.points, exponent)
        spectra.append((z, x, y))
        if head.old and not head.flags & MANY:
            break
    while head.old and head.flags & MANY and at + 32 + 4 * head.points <= len(content):
        if len(spectra) > MOST_SUBFILES:
            raise ReadError(f"there are more than {MOST_SUBFILES} subfiles.", byte=at)
        exponent, z, _ = _subfile(content, head, at)
        y, at = _values(content, head, at + 32, head.points, exponent)
        spectra.append((z or float(len(spectra)), x, y))
    return spectra


def _with_own_axes(content: Bytes, head: Head) -> list[tuple[float, Array, Array]]:
    at = head.data_at
    spectra = []
    for _ in range(head.subfiles):
        exponent, z, points = _subfile(content, head, at)
        points = points or head.points
        x = content.floats(f"{head.order}f4", points, at + 32)
        _check_axis(x)
        y, at = _values(content, head, at + 32 + 4 * points, points, exponent)
        spectra.append((z, x, y))
    return spectra


def _subfile(content: Bytes, head: Head, at: int) -> tuple[int, float, int]:
    """(exponent, z, points) of the subfile whose header is at `at`."""
    _, exponent, _, z = content.unpack(f"{head.order}Bbhf", at)
    points = content.one(f"{head.order}i", at + 16)
    if not head.flags & MANY or (head.old and exponent == 0):
        exponent = head.exponent
    return exponent, float(z), points


def _values(content: Bytes, head: Head, at: int, points: int, exponent: int) -> tuple[Array, int]:
    """The values of one subfile and where they end."""
    if exponent == FLOATS:
        return content.floats(f"{head.order}f4", points, at), at + 4 * points
    if head.flags & SHORTS and not head.old:
        values = content.floats(f"{head.order}i2", points, at)
        return np.ldexp(values, exponent - 16), at + 2 * points
    if head.old:
        words = content.array("<u2", 2 * points, at).reshape(-1, 2).astype(np.uint32)
        integers = ((words[:, 0] << 16) | words[:, 1]).view(np.int32)
        return np.ldexp(integers.astype(np.float64), exponent - 32), at + 4 * points
    values = content.floats(f"{head.order}i4", points, at)
    return np.ldexp(values, exponent - 32), at + 4 * points


def _check_axis(x: Array) -> None:
    if not x.size or not np.all(np.isfinite(x)):
        raise ReadError("the axis holds values that are no numbers: the file is damaged. Copy it again.")
