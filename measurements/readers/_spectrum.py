"""What the text exports of spectrometers have in common: lines, blocks of rows, names and units."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._numbers import Dialect, read_rows
from measurements.readers._text import as_number, decoded, open_text
from measurements.vocabulary import CONDITIONS, TEXT, condition

NameAndUnit = tuple[str, str]

BEGINS_WITH_NUMBER = re.compile(r"\s*[+-]?(?:\d|\.\d|nan\b)", re.IGNORECASE)
LONGEST_AMOUNT = 100
AMOUNT = re.compile(r"\s*([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")

AXES: dict[str, NameAndUnit] = {
    "nm": ("Wavelength", "nm"), "nanometers": ("Wavelength", "nm"), "nanometer": ("Wavelength", "nm"),
    "nanometres": ("Wavelength", "nm"), "wavelength(nm)": ("Wavelength", "nm"),
    "wavelengthnm.": ("Wavelength", "nm"), "wavelengthnm": ("Wavelength", "nm"),
    "wl/nm": ("Wavelength", "nm"),
    "wavelength": ("Wavelength", ""), "wavelengths": ("Wavelength", ""),
    "um": ("Wavelength", "µm"), "µm": ("Wavelength", "µm"), "micrometers": ("Wavelength", "µm"),
    "1/cm": ("Wavenumber", "cm⁻¹"), "cm-1": ("Wavenumber", "cm⁻¹"), "cm^-1": ("Wavenumber", "cm⁻¹"),
    "cm⁻¹": ("Wavenumber", "cm⁻¹"), "cm-¹": ("Wavenumber", "cm⁻¹"),
    "wavenumber(cm-1)": ("Wavenumber", "cm⁻¹"),
    "wavenumbers": ("Wavenumber", "cm⁻¹"), "wavenumber": ("Wavenumber", "cm⁻¹"),
    "ramanshift(cm-1)": ("Raman shift", "cm⁻¹"), "ramanshift": ("Raman shift", "cm⁻¹"),
    "ev": ("Energy", "eV"), "energy(ev)": ("Energy", "eV"), "mev": ("Energy", "meV"),
    "hz": ("Frequency", "Hz"), "ppm": ("Chemical shift", "ppm"),
    "s": ("Time", "s"), "sec": ("Time", "s"), "seconds": ("Time", "s"), "time(s)": ("Time", "s"),
    "time(sec)": ("Time", "s"), "min": ("Time", "min"), "minutes": ("Time", "min"),
    "time(min)": ("Time", "min"),
    "ms": ("Time", "ms"), "milliseconds": ("Time", "ms"), "µs": ("Time", "µs"), "us": ("Time", "µs"),
    "microseconds": ("Time", "µs"), "ns": ("Time", "ns"), "nanoseconds": ("Time", "ns"),
    "ps": ("Time", "ps"),
    "m/z": ("m/z", "1"), "temperature(c)": ("Temperature", "°C"), "temperature(°c)": ("Temperature", "°C"),
    "temperature[c]": ("Temperature", "°C"),
}  # fmt: skip
SIGNALS: dict[str, NameAndUnit] = {
    "absorbance": ("Absorbance", "1"), "abs": ("Absorbance", "1"), "abs.": ("Absorbance", "1"),
    "a": ("Absorbance", "1"), "%t": ("Transmittance", "%"), "%transmittance": ("Transmittance", "%"),
    "t%": ("Transmittance", "%"), "%r": ("Reflectance", "%"), "r%": ("Reflectance", "%"),
    "%reflectance": ("Reflectance", "%"), "transmittance": ("Transmittance", "1"),
    "reflectance": ("Reflectance", "1"), "counts": ("Counts", "counts"), "intensity": ("Intensity", ""),
    "int.": ("Intensity", ""), "int": ("Intensity", ""),
}  # fmt: skip


def lines_of(path: Path) -> list[str]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines  # nothing follows the last line's end


def head_lines(head: bytes, most: int = 80) -> list[str]:
    """The first lines of a file, or none when it is not text."""
    try:
        return decoded(head).splitlines()[:most]
    except ReadError:
        return []


def is_row(line: str) -> bool:
    return BEGINS_WITH_NUMBER.match(line) is not None


def end_of_rows(lines: Sequence[str], start: int) -> int:
    """The index of the first line from `start` on that does not begin with a number."""
    return next((index for index in range(start, len(lines)) if not is_row(lines[index])), len(lines))


def first_row(lines: Sequence[str], start: int = 0) -> int:
    """The index of the first line from `start` on that begins with a number; ReadError when there is none."""
    for index in range(start, len(lines)):
        if is_row(lines[index]):
            return index
    raise ReadError(
        "the file ends before its first number. Was the export cut off? Export it again.",
        line=max(len(lines), 1),
    )


def dialect_of(row: str) -> Dialect:
    """How a row is written, by what stands between its numbers."""
    for delimiter in ("\t", ";"):
        if delimiter in row:
            return Dialect(delimiter, decimal_comma="," in row and "." not in row)
    if "," in row:
        spaced = row.split()
        if len(spaced) > 1 and "." not in row and all(cell.count(",") == 1 for cell in spaced):
            whole = not any(cell.startswith(",") or cell.endswith(",") for cell in spaced)
            return Dialect(None, decimal_comma=True) if whole else Dialect(",")
        return Dialect(",")
    return Dialect(None)


def rows(lines: Sequence[str], start: int, stop: int, dialect: Dialect, columns: int = 0) -> Array:
    """The numbers of lines[start:stop], (N, columns); ReadError names line and column of what is wrong."""
    columns = columns or (len(dialect.cells(lines[start])) if start < stop else 2)
    if columns < 2:
        raise ReadError(
            "there is one number in a line, and a curve has two. Export it again.", line=start + 1
        )
    text = io.StringIO("\n".join(lines[start:stop]) + "\n")
    found = read_rows(text, dialect, columns, first_line=start + 1)
    if not found.rows.size:
        raise ReadError(
            "there are no numbers after the header. Was the export cut off? Export it again.", line=start + 1
        )
    return found.rows


def axis_of(words: str) -> NameAndUnit:
    """Our name and unit for an axis that the vendor calls `words`; his own word when it is not known."""
    return AXES.get(_plain(words), (words.strip().strip('"') or "x", ""))


def signal_of(words: str) -> NameAndUnit:
    return SIGNALS.get(_plain(words), (words.strip().strip('"') or "y", ""))


def _plain(words: str) -> str:
    return re.sub(r"\s", "", words.strip().strip('"')).lower().replace("[", "(").replace("]", ")")


def put(header: dict[str, str], key: str, value: str) -> None:
    """Keep what the file says; a key that comes again gets the number of the entry."""
    key = unique = key.strip()
    number = 2
    while unique in header:
        unique, number = f"{key} ({number})", max(number + 1, len(header))
    header[unique] = value.strip()


def understood(header: Mapping[str, str], words: Mapping[str, NameAndUnit]) -> dict[str, Quantity]:
    """The settings of a header that Vitrine knows.

    words : the vendor's key → (key of the vocabulary, unit when the value itself names none)
    """
    found: dict[str, Quantity] = {}
    for key, value in header.items():
        known = words.get(key)
        if known is None or known[0] in found or not value.strip():
            continue
        if CONDITIONS[known[0]].unit == TEXT:
            found |= condition(known[0], value)
            continue
        amount = AMOUNT.fullmatch(value.strip()[:LONGEST_AMOUNT])
        if amount is None:
            continue
        number = as_number(amount[1].replace(",", "."))
        for unit in (amount[2], known[1]) if amount[2] else (known[1],):
            if quantity := condition(known[0], number, unit):
                found |= quantity
                break
    return found


def curves(
    table: Array,
    x: NameAndUnit,
    signals: Iterable[tuple[NameAndUnit, str]],
    header: Mapping[str, str],
    conditions: Mapping[str, Quantity],
    technique: str = "",
) -> list[Dataset]:
    """One dataset for each column after the first; `signals`: name and unit of each, and its title."""
    axis = Axis(*x, table[:, 0].copy())
    return [
        Dataset(
            signal=Signal(*name_and_unit, table[:, column].copy()),
            axes=(axis,),
            header=header,
            conditions=conditions,
            title=title,
            technique=technique,
        )
        for column, (name_and_unit, title) in enumerate(signals, start=1)
    ]


def refuse_cut_off(points: int, announced: str | int | None) -> None:
    """ReadError when there are fewer points than the header says."""
    number = as_number(str(announced)) if announced is not None else None
    if number is not None and points < number:
        raise ReadError(
            f"the header announces {number:g} points, but there are {points}. The file was probably cut off: "
            "copy or export it again."
        )
