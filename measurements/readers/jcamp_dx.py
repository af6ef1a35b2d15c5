"""JCAMP-DX in all its forms: XYDATA in every packing, XYPOINTS, PEAK TABLE, NTUPLES, and linked blocks.

An even axis is what FIRSTX, LASTX and NPOINTS say, without a factor; the x of each line of its table only
marks the place. Values are multiplied by YFACTOR. The axis keeps the unit of the file: an NMR spectrum in Hz
stays in Hz. LONG DATE is used where it carries its offset from UTC.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _jcamp
from measurements.readers._jcamp import Block, Table, first_number
from measurements.readers._spectrum import (
    NameAndUnit,
    axis_of,
    head_lines,
    lines_of,
    refuse_cut_off,
    signal_of,
    understood,
)
from measurements.readers._text import decoded
from measurements.readers._titles import name_and_unit
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="JCAMP-DX",
    extensions=(".jdx", ".dx", ".jcamp"),
    vendor="",
    techniques=("ftir", "nmr", "uvvis", "raman", "pl", "ms", "tga", "dsc", "xrd", "xps"),
    description="The exchange format of infrared, NMR, UV-Vis, Raman and other spectra, in all its packings.",
    max_bytes=64 * 1024**2,
)
VERSION = 2

TECHNIQUES = (
    (r"NMR", "nmr"), (r"RAMAN", "raman"), (r"INFRARED|FT-?IR\b|\bIR\b", "ftir"),
    (r"UV|VISIBLE|ULTRAVIOLET", "uvvis"), (r"FLUORESC|LUMINESC|PHOSPHORESC", "pl"),
    (r"MASS SPEC", "ms"), (r"\bTGA\b|THERMOGRAV", "tga"), (r"\bDSC\b|CALORIM", "dsc"),
    (r"XRD|DIFFRACT", "xrd"), (r"\bXPS\b", "xps"),
)  # fmt: skip
SETTINGS: dict[str, NameAndUnit] = {
    "TITLE": ("sample_name", ""), "SPECTROMETERDATASYSTEM": ("instrument", ""), "OWNER": ("operator", ""),
    ".OBSERVEFREQUENCY": ("larmor_frequency", "MHz"), ".OBSERVENUCLEUS": ("nucleus", ""),
    ".AVERAGES": ("accumulations", "1"), ".SOLVENTNAME": ("solvent", ""),
    ".PULSESEQUENCE": ("pulse_program", ""), "TEMPERATURE": ("temperature", ""),
    "PATHLENGTH": ("thickness", ""), "SAMPLINGPROCEDURE": ("geometry", ""),
    "SAMPLEDESCRIPTION": ("comment", ""),
}  # fmt: skip
FORM = re.compile(r"\(\s*(\w+)\s*\+\+\s*\(\s*(\w+)\s*\.\.\s*\w+\s*\)\s*\)?")
TUPLE_FORM = re.compile(r"\(\s*(X[A-Z]*|\w+)\s*\.\.\s*\w+\s*\)|\(\s*(X[A-Z]+)\s*\)")
NO_SPECTRUM = re.compile(
    r"\A\s*##TITLE\s*=\s*(?:Audit trail|Parameter file)|^##DATA ?TYPE\s*=\s*Parameter", re.I | re.M
)
PARAMETERS_ONLY = 0.3
DATE = re.compile(r"(\d{4})/(\d\d)/(\d\d)\s+(\d\d:\d\d:\d\d)(?:\.\d+)?\s*([+-]\d\d):?(\d\d)")


def recognises(head: bytes, filename: str) -> float:
    first = [line for line in head_lines(head, 30) if line.strip() and not line.startswith("$$")][:3]
    if not any(re.match(r"\s*##\s*(TITLE|JCAMP)", line, re.IGNORECASE) for line in first):
        return 0.0
    text = decoded(head)
    if re.search(r"##\s*JCAMP[-_ ]?DX\s*=", text, re.IGNORECASE):
        return PARAMETERS_ONLY if NO_SPECTRUM.search(text) else 0.95
    return 0.9 if re.search(r"##\s*(XYDATA|XYPOINTS|PEAK ?TABLE|NTUPLES)\s*=", text, re.IGNORECASE) else 0.0


def read(path: Path) -> list[Dataset]:
    blocks = _jcamp.blocks(lines_of(path))
    if any(not block.closed and block.labels.get("DATATYPE", "").upper() == "LINK" for block in blocks):
        raise ReadError("the closing ##END= of its linked blocks is missing: the file was cut off.")
    datasets = [dataset for block in blocks for dataset in _of_block(block)]
    if not datasets:
        raise ReadError("it is JCAMP-DX, but holds parameters only and no table of numbers.")
    return datasets


def _of_block(block: Block) -> list[Dataset]:
    if "NTUPLES" in block.labels:
        return _ntuples(block)
    datasets = []
    for table in block.tables:
        x, y = _curve(block, table)
        kinds = (
            _axis_kind(block.labels.get("XUNITS", ""), block),
            _signal_kind(block.labels.get("YUNITS", "")),
        )
        title = block.labels.get("TITLE", "") if len(block.tables) == 1 else table.label
        datasets.append(_dataset(block, Signal(*kinds[1], y), (Axis(*kinds[0], x),), title))
    return datasets


def _curve(block: Block, table: Table) -> tuple[Array, Array]:
    x_factor, y_factor = block.number("XFACTOR") or 1.0, block.number("YFACTOR") or 1.0
    announced = block.number("NPOINTS")
    if FORM.search(table.form):
        most = int(announced) if announced is not None else None
        raw, x_first = _jcamp.unpacked(table.lines, table.first_line, most)
        _complete(block, raw.size, announced)
        first = block.number("FIRSTX")
        first = x_first * x_factor if first is None and x_first is not None else first
        return _even(raw.size, first, block.number("LASTX"), block.number("DELTAX")), raw * y_factor
    width = _width(table)
    found = _jcamp.pairs(table.lines, table.first_line, width)
    _complete(block, len(found), announced)
    return _finite(found[:, 0] * x_factor), found[:, 1] * y_factor


def _width(table: Table) -> int:
    """How many numbers make a row: 2 for (XY..XY), 3 for (XYW..XYW)."""
    form = TUPLE_FORM.search(table.form)
    word = (form[1] or form[2] or "") if form else ""
    if not 2 <= len(word) <= 4 or table.label not in _jcamp.TABLES:
        raise ReadError(
            f"a table of the form “{table.form[:40]}” is not read. Export the spectrum as XYDATA.",
            line=table.first_line - 1,
        )
    return len(word)


def _complete(block: Block, points: int, announced: float | None) -> None:
    if not points:
        raise ReadError("there is a table without numbers. Was the file cut off? Export it again.")
    refuse_cut_off(points, None if announced is None else f"{announced:g}")
    if announced is None and not block.closed:
        raise ReadError("the closing ##END= is missing: the file was cut off. Copy it again.")


def _even(points: int, first: float | None, last: float | None, step: float | None) -> Array:
    if first is None:
        raise ReadError("##FIRSTX= is missing, so the axis is not known. Export the file again.")
    if last is not None:
        return np.linspace(first, last, points)
    if step is None:
        raise ReadError("##LASTX= and ##DELTAX= are missing, so the axis is not known.")
    return _finite(first + step * np.arange(points, dtype=np.float64))


def _finite(values: Array) -> Array:
    if not np.all(np.isfinite(values)):
        raise ReadError("the axis holds values that are no numbers. Export the file again.")
    return values


def _ntuples(block: Block) -> list[Dataset]:
    """Several variables of one measurement, page by page: real and imaginary parts, rows of a plane."""
    if not block.closed:
        raise ReadError("the closing ##END= is missing: the file was cut off. Copy it again.")
    symbols = _list(block, "SYMBOL")
    found: dict[str, list[tuple[float | None, Array, Array]]] = {}
    kinds: dict[str, tuple[str, str]] = {}
    for table in block.tables:
        form = FORM.search(table.form)
        if form is None:
            found_pairs = _jcamp.pairs(table.lines, table.first_line, 2)
            x_symbol, y_symbol = _symbols_of_pairs(table)
            curve = found_pairs[:, 0] * _factor(block, x_symbol), found_pairs[:, 1] * _factor(block, y_symbol)
            _complete(block, len(found_pairs), None)
        else:
            x_symbol, y_symbol = form[1], form[2]
            size = _of(block, "VARDIM", x_symbol)
            most = int(size) if size is not None else None
            raw, _ = _jcamp.unpacked(table.lines, table.first_line, most)
            _complete(block, raw.size, size)
            x = _even(raw.size, _of(block, "FIRST", x_symbol), _of(block, "LAST", x_symbol), None)
            curve = x, raw * _factor(block, y_symbol)
        kinds[y_symbol] = x_symbol, table.page.partition("=")[0].strip()
        found.setdefault(y_symbol, []).append((_page_value(table.page), *curve))
    datasets = []
    for y_symbol, pages in found.items():
        x_symbol, page_symbol = kinds[y_symbol]
        datasets += _pages(block, pages, x_symbol, y_symbol, page_symbol if page_symbol in symbols else "")
    return datasets


def _pages(
    block: Block,
    pages: list[tuple[float | None, Array, Array]],
    x_symbol: str,
    y_symbol: str,
    page_symbol: str,
) -> list[Dataset]:
    name = _word(block, "VARNAME", y_symbol) or y_symbol
    x_kind = _axis_kind(_word(block, "UNITS", x_symbol), block)
    y_kind = _signal_kind(_word(block, "UNITS", y_symbol))
    along = [place for place, _, _ in pages]
    shared = all(np.array_equal(x, pages[0][1]) for _, x, _ in pages)
    if len(pages) > 1 and shared and page_symbol and None not in along:
        page_axis = Axis(
            *_axis_kind(_word(block, "UNITS", page_symbol), block), np.array(along, dtype=np.float64)
        )
        values = np.stack([y for _, _, y in pages])
        return [
            _dataset(
                block, Signal(y_kind[0], y_kind[1], values), (page_axis, Axis(*x_kind, pages[0][1])), name
            )
        ]
    titles = [name]
    if len(pages) > 1:
        titles = [f"{name}, {_where(page_symbol, place, n)}" for n, place in enumerate(along, start=1)]
    return [
        _dataset(block, Signal(*y_kind, y), (Axis(*x_kind, x),), title)
        for title, (_, x, y) in zip(titles, pages, strict=True)
    ]


def _where(symbol: str, place: float | None, number: int) -> str:
    return f"{symbol} = {place:g}" if symbol and place is not None else f"page {number}"


def _symbols_of_pairs(table: Table) -> tuple[str, str]:
    """("X", "Y") of the form (XY..XY)."""
    names = TUPLE_FORM.search(table.form)
    word = (names[1] or "") if names else ""
    return (word[0], word[1]) if len(word) == 2 else ("X", "Y")


def _list(block: Block, label: str) -> list[str]:
    return [word.strip() for word in block.labels.get(label, "").split(",")]


def _word(block: Block, label: str, symbol: str) -> str:
    words, symbols = _list(block, label), _list(block, "SYMBOL")
    place = symbols.index(symbol) if symbol in symbols else len(words)
    return words[place] if place < len(words) else ""


def _of(block: Block, label: str, symbol: str) -> float | None:
    return first_number(_word(block, label, symbol))


def _factor(block: Block, symbol: str) -> float:
    return _of(block, "FACTOR", symbol) or 1.0


def _page_value(page: str) -> float | None:
    return first_number(page.partition("=")[2])


def _axis_kind(words: str, block: Block) -> NameAndUnit:
    known = axis_of(words)
    name, unit = known if known[1] else name_and_unit(words or "x")
    return ("Raman shift", unit) if name == "Wavenumber" and _technique(block) == "raman" else (name, unit)


def _signal_kind(words: str) -> NameAndUnit:
    if words.upper() in ("ARBITRARY UNITS", "ARBITRARYUNITS"):
        return "Intensity", "a.u."
    known = signal_of(words)
    return known if known[1] else name_and_unit(words or "y")


def _technique(block: Block) -> str:
    kind = block.labels.get("DATATYPE", "").upper()
    return next((technique for pattern, technique in TECHNIQUES if re.search(pattern, kind)), "")


def _dataset(block: Block, signal: Signal, axes: tuple[Axis, ...], title: str) -> Dataset:
    return Dataset(
        signal, axes, block.header, _moment(block), _conditions(block), title[:200], _technique(block)
    )


def _conditions(block: Block) -> dict[str, Quantity]:
    labels = block.labels | {".OBSERVENUCLEUS": block.labels.get(".OBSERVENUCLEUS", "").lstrip("^")}
    found = understood(labels, SETTINGS)
    if axis_of(labels.get("XUNITS", ""))[0] == "Wavenumber":
        found |= condition("resolution", block.number("RESOLUTION"), "cm-1")
    words = labels.get("LONGDATE") or f"{labels.get('DATE', '')} {labels.get('TIME', '')}"
    return found | condition("local_time", None if _moment(block) else words)


def _moment(block: Block) -> datetime | None:
    found = DATE.match(block.labels.get("LONGDATE", "").strip())
    if found is None:
        return None
    year, month, day, time, hours, minutes = found.groups()
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{time}{hours}:{minutes}")
    except ValueError:
        return None
