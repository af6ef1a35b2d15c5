"""What stands above the numbers: settings, column titles and their units."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from datetime import datetime

from measurements.data import Quantity
from measurements.readers._text import as_number
from measurements.vocabulary import condition as condition_of

COMMENT_MARK = re.compile(r"^\s*(?:#+|%+|!+|//+|\*+|;+)\s?")
SETTING = re.compile(r"^\s*(?P<key>[^:=\t,;]{1,80}?)\s*(?P<mark>[:=\t,;])\s*(?P<value>.*)$")
UNIT_IN_BRACKETS = re.compile(r"^(?P<name>.*?)\s*[(\[](?P<unit>[^()\[\]]{1,24})[)\]]\s*$")
UNIT_WITHIN = re.compile(r"^(?P<name>[^()]*?\S)\s*\((?P<unit>[^()\d][^()]{0,23})\)_(?P<rest>\S.*)$")
UNIT_AFTER_SLASH = re.compile(r"^(?P<name>.*?\S)\s+/\s+(?P<unit>\S.{0,23}|\S)$")
BRACKETED = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
LOOKS_LIKE_A_UNIT = re.compile(r"^[^\W\d]|^[°%Åµ1]")
SAME_UNIT = {
    "nanometer": "nm", "nanometers": "nm", "nanometre": "nm", "nanometres": "nm", "ev": "eV",
    "count": "counts", "cts": "counts", "cps": "counts/s", "sec": "s", "seconds": "s",
    "arb. units": "a.u.", "arb. u.": "a.u.", "au": "a.u.", "a. u.": "a.u.", "arb.u.": "a.u.",
    "degrees": "deg", "°": "deg", "degree": "deg", "deg.": "deg", "°2th.": "deg", "°2th": "deg", "°2θ": "deg",
    "ccd cts": "counts", "rel. 1/cm": "cm⁻¹", "% transmittance": "%", "% reflectance": "%",
}  # fmt: skip
BARE_UNITS = {
    "nm", "um", "µm", "ev", "cm-1", "cm^-1", "1/cm", "deg", "°", "s", "ms", "us", "ns", "ps", "k", "°c",
    "counts", "a.u.", "cps", "counts/s", "%", "å", "1/å", "å-1", "cts", "ccd cts", "rel. 1/cm", "mg", "mw",
    "mw/mg", "w/g", "min", "mv", "v", "ma", "hz", "ppm", "mm", "kpa", "bar", "mbar", "a", "µa", "microamps",
    "ua", "mv/s", "ohm", "mdeg",
}  # fmt: skip
WORDS = re.compile(
    r"wave|energ|time|temp|angle|theta|freq|shift|\bq\b|^x$|^y$|intens|count|signal|absorb|transm|reflect|"
    r"ampl|lambda|λ|emission",
    re.IGNORECASE,
)
UNIT_OF = {  # a title that is nothing but the unit of an axis
    "nm": "Wavelength", "cm-1": "Wavenumber", "cm^-1": "Wavenumber", "1/cm": "Wavenumber", "eV": "Energy",
    "ns": "Time", "ps": "Time", "µs": "Time", "s": "Time",
}  # fmt: skip
SIGMA = re.compile(
    r"^\s*(?:sigma|σ|error|err|esd|std|stdev|stddev|uncertainty|dy|di|±)\b|[ _](?:error|err|sigma|std)$", re.I
)
DATE_KEYS = re.compile(r"date|time|acquired|measured|timestamp|started", re.IGNORECASE)
NOT_OF_THE_MEASUREMENT = re.compile(r"export|print|saved|modif|convert|version|dwell|exposure|integr", re.I)
CONDITIONS = {
    "excitation_wavelength": re.compile(r"excit", re.IGNORECASE),
    "exposure_time": re.compile(r"integration|exposure", re.IGNORECASE),
    "dwell_time": re.compile(r"dwell", re.IGNORECASE),
    "temperature": re.compile(r"^(?:sample[ _])?temp(?:erature)?\b", re.IGNORECASE),
}
# Only with a unit that light in the visible never has: for both together there is the check A-16.
OF_XRAYS = {
    "xray_wavelength": (
        re.compile(r"wavelength|lambda|λ", re.IGNORECASE),
        ("å", "a", "angstrom", "angstroms"),
    ),
    "xray_energy": (re.compile(r"energy", re.IGNORECASE), ("kev",)),
}


def settings(lines: list[str], first_line: int = 1) -> dict[str, str]:
    """Every line, verbatim: as key and value where it has that form, else under its line number."""
    header: dict[str, str] = {}
    for number, line in enumerate(lines, start=first_line):
        text = COMMENT_MARK.sub("", line.rstrip())
        found = SETTING.match(text)
        key, value = (found["key"].strip(), found["value"].strip()) if found else ("", text)
        if not key or key in header:
            key, value = f"line {number}", text
        if text.strip():
            header[key] = value
    return header


def split_titles(line: str, columns: int, delimiter: str | None) -> list[str] | None:
    """The cells of a title line that fits `columns`, or None. Programs often leave the first one empty."""
    marked = delimiter != ";" or not line.startswith(";")  # there it parts cells and marks no comment
    text = (COMMENT_MARK.sub("", line) if marked else line).strip(" \r\n" if delimiter == "\t" else None)
    ways = [delimiter] if delimiter else []
    for way in [*ways, "\t", ";", ",", r"\s{2,}", r"\s+(?![(\[/])(?<!/ )", r"\s+"]:
        if way in ("\t", ";", ",") and '"' in text:  # a title in quotes may hold the delimiter
            split = next(csv.reader([text], delimiter=way, skipinitialspace=True), [])
        else:
            split = re.split(re.escape(way) if way in ("\t", ";", ",") else way, text)
        cells = [cell.strip().strip('"').lstrip("#").strip() for cell in split]
        while len(cells) > columns and not cells[-1]:
            cells.pop()
        if way == delimiter and len(cells) == columns > 1 and not cells[0]:
            cells[0] = "x"
        if len(cells) == columns and all(cells) and not any(as_number(cell) is not None for cell in cells):
            return cells
    return None


def titles(lines: list[str], columns: int, delimiter: str | None) -> tuple[list[tuple[str, str]] | None, int]:
    """(name, unit) of each column from the last of the header lines, and how many lines that took."""
    if not lines or not lines[-1].strip():
        return None, 0
    if delimiter and (found := _names_units_comments(lines[-3:], columns, delimiter)):
        return found, 3
    last = split_titles(lines[-1], columns, delimiter)
    if last is None:
        return None, 0
    bracketed = all(BRACKETED.fullmatch(cell) for cell in last)
    units = bracketed or all(_is_unit(cell.strip("()[]")) for cell in last)
    if units and len(lines) > 1:
        names = split_titles(lines[-2], columns, delimiter)
        if names is not None:
            return [(n, _unit(u.strip("()[]"))) for n, u in zip(names, last, strict=True)], 2
    if not _are_titles(last, lines, columns, delimiter):
        return None, 0
    return [name_and_unit(cell) for cell in last], 1


def _is_unit(text: str) -> bool:
    """nm, and also CPS / MicroAmps."""
    return all(part.strip().lower() in BARE_UNITS for part in re.split(r" / ", text))


def _names_units_comments(lines: list[str], columns: int, delimiter: str) -> list[tuple[str, str]] | None:
    """Three lines as Origin writes them: long names, units, comments; a cell may be empty."""
    cells = [[cell.strip().strip('"') for cell in line.split(delimiter)] for line in lines]
    cells = [row + [""] * (columns - len(row)) for row in cells]
    if len(cells) < 3 or any(len(row) != columns for row in cells) or not all(cells[0]):
        return None
    names, units, comments = cells
    known = [unit.strip("()[]").lower() in BARE_UNITS for unit in units if unit]
    if not known or not all(known) or not any(comments) or any(as_number(name) is not None for name in names):
        return None
    if not any(WORDS.search(name) for name in names):
        return None
    told = [f"{name}, {comment}" if comment else name for name, comment in zip(names, comments, strict=True)]
    told[0] = names[0]
    return [(name, _unit(unit.strip("()[]"))) for name, unit in zip(told, units, strict=True)]


def _are_titles(cells: list[str], lines: list[str], columns: int, delimiter: str | None) -> bool:
    """A line "Detector,PMT" is a setting if other lines look the same and no word of it is a quantity's."""
    if re.match(r"^[^,;\t]*[:=]", COMMENT_MARK.sub("", lines[-1])):
        return False
    if any(WORDS.search(cell) or name_and_unit(cell)[1] for cell in cells) or cells[0] in UNIT_OF:
        return True
    return not any(split_titles(line, columns, delimiter) for line in lines[:-1])


def speaks_of_quantities(columns: list[tuple[str, str]]) -> bool:
    return any(unit or WORDS.search(name) for name, unit in columns)


def are_pairs(columns: list[tuple[str, str]]) -> bool:
    """x and y in turn: every second title is the first one again, and the others are not."""
    axes = [(name.partition(",")[0], unit) for name, unit in columns[::2]]
    speaks = bool(WORDS.search(axes[0][0])) or bool(axes[0][1])
    others = {name.partition(",")[0] for name, _ in columns[1::2]}
    return (
        len(columns) > 3
        and len(columns) % 2 == 0
        and speaks
        and len(set(axes)) == 1
        and axes[0][0] not in others
    )


def name_and_unit(title: str) -> tuple[str, str]:
    """("Wavelength", "nm") of "Wavelength (nm)"; the unit is empty when the title gives none."""
    for pattern in (UNIT_IN_BRACKETS, UNIT_AFTER_SLASH):
        found = pattern.match(title.strip())
        if found and found["name"].strip() and LOOKS_LIKE_A_UNIT.match(found["unit"].strip()):
            return found["name"].strip(), _unit(found["unit"])
    if within := UNIT_WITHIN.match(title.strip()):
        return f"{within['name']}, {within['rest']}", _unit(within["unit"])
    for mark in ("/", ","):
        name, _, unit = title.strip().rpartition(mark)
        if name and unit.strip().lower() in BARE_UNITS:
            return name, _unit(unit)
    name = title.strip()
    if name in UNIT_OF:
        return UNIT_OF[name], "cm⁻¹" if UNIT_OF[name] == "Wavenumber" else name
    return name, "counts" if name.lower() in ("counts", "cts") else ""


def _unit(text: str) -> str:
    return SAME_UNIT.get(text.strip().lower(), text.strip())


def is_sigma(name: str) -> bool:
    return bool(SIGMA.search(name))


def acquired_at(header: Mapping[str, str]) -> datetime | None:
    """The time of the measurement, only if the file gives date, time and zone. Never guessed."""
    for key, value in header.items():
        if DATE_KEYS.search(key) and not NOT_OF_THE_MEASUREMENT.search(key):
            try:
                moment = datetime.fromisoformat(value.strip().strip('"'))
            except ValueError:
                continue
            if moment.tzinfo is not None and 1900 <= moment.year <= 2200:
                return moment
    return None


def conditions(header: Mapping[str, str]) -> dict[str, Quantity]:
    """The settings that Vitrine understands, where the file writes their unit."""
    understood: dict[str, Quantity] = {}
    for key, value in header.items():
        name, unit = name_and_unit(key)
        number, _, rest = value.strip().partition(" ")
        glued = re.fullmatch(r"([-+0-9.eE]+)\s*([^\W\d].*)", value.strip())
        if glued and not rest:
            number, rest = glued[1], glued[2]
        amount, unit = as_number(number), _unit(rest) or unit
        if amount is None or amount != amount or not unit or len(unit) > 12:
            continue
        for condition, pattern in CONDITIONS.items():
            if condition not in understood and pattern.search(name):
                understood |= condition_of(condition, amount, unit)
        for xray, (pattern, units) in OF_XRAYS.items():
            if xray not in understood and unit.lower() in units and pattern.search(name):
                understood |= condition_of(xray, amount, unit)
    return understood
