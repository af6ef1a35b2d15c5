"""GSAS powder data: a title, then BANK records, each with rows of its own kind.

    BANK 1 4501 451 CONST 1000.0 2.0 0 0 STD     ten counts a line, each in eight columns
                                         ESD     five pairs of intensity and its error a line
                                         FXY     a position and an intensity a line
                                         FXYE    … and its error
                                         ALT     four triples a line, times of flight in 1/32 µs

With constant steps (CONS, CONST) positions are hundredths of a degree; they are degrees here. With times of
flight they stay microseconds. After the GSAS manual (LAUR 86-748); no real file was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="GSAS powder data",
    extensions=(".fxye", ".gsas", ".gsa", ".gda", ".gss", ".raw", ".dat"),
    vendor="",
    techniques=("xrd",),
    description="Patterns in the formats of GSAS: STD, ESD, FXY, FXYE and ALT, with one or more banks.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

BANK = re.compile(
    r"BANK\s+\d+\s+\d+\s+\d+\s+(?:CONST?|RALF|SLOG|LOG6|LPSD|TIME_MAP|EDS|COND)\b",
    re.IGNORECASE | re.MULTILINE,
)
KINDS = ("STD", "ESD", "FXYE", "FXY", "ALT")
REMARK = re.compile(r"\s*#+\s*(?P<key>[^=:#]{1,60}?)\s*[=:]\s*(?P<value>.*)$")


@dataclass(frozen=True)
class Bank:
    number: str
    points: int
    binning: str
    coefficients: list[float]
    kind: str
    line: int


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head)
    except ReadError:
        return False
    return re.search(rf"(?m)^{BANK.pattern}", text) is not None


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    places = [number for number, line in enumerate(lines) if BANK.match(line)]
    if not places:
        raise ReadError("there is no BANK record in it. Was the file cut off? Copy it again.")
    common = dict(_header(lines[: places[0]], 1))
    datasets = []
    for place, end in zip(places, [*places[1:], len(lines)], strict=True):
        bank = _bank(lines[place], place + 1)
        body = [
            line for line in lines[place + 1 : end] if not line.lstrip().startswith(("#", "!", "TIME_MAP"))
        ]
        header = common | {f"BANK {bank.number}": lines[place].strip()}
        datasets.append(_dataset(bank, body, header, len(places)))
    return datasets


def _header(lines: list[str], first_line: int) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, start=first_line):
        found = REMARK.match(line)
        if found:
            yield found["key"], found["value"].strip()
        elif line.strip():
            yield ("title" if number == 1 else f"line {number}"), line.strip()


def _bank(line: str, number: int) -> Bank:
    words = line.split("#")[0].split()
    coefficients = [value for word in words[5:] if (value := xrd.as_float(word)) is not None]
    kind = next((word.upper() for word in reversed(words[5:]) if word.upper() in KINDS), "STD")
    points = int(words[2])
    if not 0 < points <= xrd.MOST_POINTS:
        raise ReadError(f"the BANK record announces {points} points, which cannot be.", line=number)
    return Bank(words[1], points, words[4].upper(), coefficients, kind, number)


def _dataset(bank: Bank, body: list[str], header: dict[str, str], banks: int) -> Dataset:
    constant = bank.binning in ("CONS", "CONST", "COND")
    if bank.kind in ("FXY", "FXYE"):
        table = _free(bank, body)
        positions, values = table[:, 0] / (100 if constant else 1), table[:, 1].copy()
        errors = table[:, 2].copy() if bank.kind == "FXYE" else None
    elif bank.kind == "ALT":
        table = np.array(_fixed(bank, body, (8, 7, 5), repeats=4)).reshape(-1, 3)
        positions, values, errors = table[:, 0] / 32, table[:, 1] / 1000, table[:, 2] / 1000
    else:
        values, errors = _counts(bank, body)
        positions = _positions(bank, values.size, constant)
    if values.size < bank.points - 1:
        raise ReadError(
            f"the BANK record announces {bank.points} points, there are {values.size}. The file was cut off: "
            "copy it again.",
            line=bank.line,
        )
    if errors is not None and np.any(errors < 0):
        raise ReadError(
            "some of the errors are negative. The file is damaged; export it again.", line=bank.line
        )
    axis = _axis(bank, positions, constant)
    title = f"bank {bank.number}" if banks > 1 else ""
    conditions = _conditions(header, axis)
    return Dataset(
        Signal("Intensity", "", values, errors), (axis,), header, None, conditions, title, technique="xrd"
    )


def _axis(bank: Bank, positions: Array, constant: bool) -> Axis:
    if constant:
        return xrd.axis("2Theta", positions)
    if not np.all(np.isfinite(positions)):
        raise ReadError("a position is not a number. The file is damaged; export it again.", line=bank.line)
    return (
        Axis("Energy", "keV", positions) if bank.binning == "EDS" else Axis("Time of flight", "µs", positions)
    )


def _free(bank: Bank, body: list[str]) -> Array:
    width = 3 if bank.kind == "FXYE" else 2
    rows = xrd.numbers_in(body, bank.line + 1, form="a position and an intensity")
    if not rows or any(len(row) != width for row in rows):
        raise ReadError(
            f"expected {width} numbers in each line of bank {bank.number}. Was it cut off? Copy it again.",
            line=bank.line,
        )
    return np.array(rows)


def _positions(bank: Bank, count: int, constant: bool) -> Array:
    if bank.binning == "EDS" and len(bank.coefficients) >= 3:
        channel = np.arange(count, dtype=np.float64)
        return np.polynomial.polynomial.polyval(channel, np.array(bank.coefficients[:4]))
    if not constant or len(bank.coefficients) < 2:
        raise ReadError(
            f"bank {bank.number} gives its positions as {bank.binning}, which is not read here. Write it as "
            "FXYE.",
            line=bank.line,
        )
    return xrd.stepped(bank.coefficients[0] / 100, bank.coefficients[1] / 100, count)


def _counts(bank: Bank, body: list[str]) -> tuple[Array, Array | None]:
    """Counts, and their errors if there are any. The last line is padded: what is beyond is left out."""
    if bank.kind == "ESD":
        table = np.array(_fixed(bank, body, (8, 8), repeats=5)).reshape(-1, 2)[: bank.points]
        return table[:, 0].copy(), table[:, 1].copy()
    return np.array(_fixed(bank, body, (2, 6), repeats=10)[1::2])[: bank.points], None


def _fixed(bank: Bank, body: list[str], widths: tuple[int, ...], repeats: int) -> list[float]:
    """Numbers in fixed columns, which may touch; separated by blanks where a program wrote them so."""
    numbers: list[float] = []
    for offset, line in enumerate(body):
        text = line.rstrip()
        if not text or "\x1a" in text:
            continue
        found = _in_columns(text, widths, repeats)
        if found is None:
            found = _in_words(text, widths, bank.line + 1 + offset)
        numbers += found
    return numbers


def _in_columns(text: str, widths: tuple[int, ...], repeats: int) -> list[float] | None:
    total = sum(widths)
    if "\t" in text or len(text) > total * repeats:
        return None
    numbers = []
    for start in range(0, len(text), total):
        place = start
        for width in widths:
            cell = text[place : place + width].strip()
            number = xrd.as_float(cell) if cell else 0.0
            if number is None:
                return None
            numbers.append(number)
            place += width
    return numbers


def _in_words(text: str, widths: tuple[int, ...], line: int) -> list[float]:
    (numbers,) = xrd.numbers_in([text], line, form="counts")
    if widths == (2, 6):
        return [value for number in numbers for value in (1.0, number)]
    if len(numbers) % len(widths):
        raise ReadError(f"expected {len(widths)} numbers for each point. Copy the file again.", line=line)
    return numbers


def _conditions(header: dict[str, str], axis: Axis) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for key, value in header.items():
        name = key.lower()
        number = xrd.as_float(value.split()[0]) if value.split() else None
        if "wavelength" in name:
            found |= condition("xray_wavelength", number, "Å")
        elif name.startswith("temp") and "(k)" in name:
            found |= condition("temperature", number, "K")
        elif name in ("user sample name", "sample"):
            found |= condition("sample_name", value)
        elif name in ("scan time", "date"):
            found |= condition("local_time", value)
    if axis.unit == "deg" and axis.values.size > 1:
        step = (axis.values[-1] - axis.values[0]) / (axis.values.size - 1)
        found |= condition("step_size", float(f"{abs(step):.6g}"), "deg")
    return found
