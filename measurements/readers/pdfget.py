"""What PDFgetX3, xPDFsuite, PDFgetX2, PDFgetN, PDFgui and GSAS-II write: .gr .sq .fq .iq and the like.

Settings as “key = value”, some under [DEFAULT], down to “#### start data”; then a line #L that names the
columns: r G, Q S, Q F or Q I, in the older programs with two more columns for the errors of both. r is in Å,
Q in Å⁻¹, G in Å⁻², F in Å⁻¹. Four columns of other meaning (PDFgui's fit) are datasets of their own. SNS
writes r and G below comments with Qmax and Qdamp, and no line #L.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _titles
from measurements.readers._numbers import Dialect, read_table
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PDFgetX3 and kin",
    extensions=(".gr", ".sq", ".fq", ".iq", ".tth", ".fgr"),
    vendor="",
    techniques=("pdf",),
    description="Pair distribution functions and structure functions of PDFgetX3, xPDFsuite, PDFgetX2, "
    "PDFgetN, PDFgui and GSAS-II.",
    max_bytes=64 * 1024**2,
)
VERSION = 2

START = re.compile(r"^#{4,}\s*start data", re.I)
LABELS = re.compile(r"^#L\s+(?P<x>r|Q|2?theta|tth)\b(?P<rest>.*)", re.I)
FUNCTIONS = {"G": ("G(r)", "Å⁻²"), "S": ("S(Q)", "1"), "F": ("F(Q)", "Å⁻¹"), "I": ("Intensity", ""),
             "g": ("g(r)", "1"), "D": ("D(r)", "Å⁻²")}  # fmt: skip
AXES = {"r": ("r", "Å"), "q": ("Q", "Å⁻¹")}
NUMBERS = {
    "q_min": ("[Qq]min", "Å⁻¹"), "q_max": ("[Qq]max", "Å⁻¹"), "wavelength": ("wavelength|lambda", "Å"),
    "temperature": ("temperature|temp|T", "K"),
}  # fmt: skip
WORDS = {
    "composition": r"^\s*composition\s*=\s*(\S.*)$",
    "software": r"^\s*version\s*=\s*(\S.*)$|(PDFgetN\d?|pdfgetx2|PDFgui)",
    "mode": r"^\s*mode\s*=\s*(\S.*)$",
}
SPACES = Dialect(None)
MOST_HEADER_LINES = 5000
ERRORS_OF = re.compile(r"^(?:d|sig(?:ma)?)[-_ ]?[GSFIgD]", re.I)


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return NEVER
    lines = text.splitlines()
    if "#L" not in text and "start data" not in text:
        return 0.7 if _is_of_sns(lines) else NEVER
    labels = next((found for line in lines if (found := LABELS.match(line))), None)
    if any(START.match(line) for line in lines):
        return 0.95 if labels or "[DEFAULT]" in lines else 0.6
    return 0.8 if labels and re.match(r"\W*(?:\([^)]*\))?\s+[GSFID]\b", labels["rest"]) else NEVER


def _is_of_sns(lines: list[str]) -> bool:
    """Comments with Qmax and Qdamp (of a G(r) alone is that known), then numbers."""
    comments = "\n".join(itertools.takewhile(lambda line: line.startswith("#"), lines))
    below = lines[comments.count("\n") + 1 :] if comments else []
    return bool(re.search(r"\bQmax\s*=", comments) and re.search(r"\bQdamp\s*=", comments)) and any(
        SPACES.is_row(line) for line in below[:1]
    )


def read(path: Path) -> list[Dataset]:
    above, columns = _above(path)
    rows = read_table(path, SPACES, columns, lines_above=len(above)).rows
    header = _titles.settings(above)
    labels = _labels(above, columns)
    return _datasets(rows, labels, header, _conditions(above))


def _above(path: Path) -> tuple[list[str], int]:
    """The lines above the numbers, and how many columns these have."""
    above: list[str] = []
    started = False
    with open_text(path) as text:
        while (line := text.readline(10_000)) and len(above) < MOST_HEADER_LINES:
            started = started or bool(START.match(line) or LABELS.match(line))
            if SPACES.is_row(line) and (started or _is_of_sns([*above, line])):
                return above, len(SPACES.cells(line))
            above.append(line.rstrip("\n"))
    raise ReadError(
        "there are no numbers below its header. Was the file cut off? Export it again.",
        line=max(len(above), 1),
    )


def _labels(above: list[str], columns: int) -> list[str]:
    """Names of the columns after the line #L; numbered where it has too few."""
    line = next((line for line in reversed(above) if line.startswith("#L")), "#L")
    line = "#L r G" if _is_of_sns([*above, "1 1"]) and line == "#L" else line
    names = line[2:].split()[:columns]
    return [*names, *(f"column {number + 1}" for number in range(len(names), columns))]


def _datasets(
    rows: Array, labels: list[str], header: dict[str, str], known: dict[str, Quantity]
) -> list[Dataset]:
    if len(labels) < 2:
        raise ReadError("there is one column of numbers only. Export at least two: r and G, or Q and S.")
    axis = Axis(*AXES.get(labels[0][:1].lower(), (labels[0], "")), rows[:, 0].copy())
    errors = next((i for i, label in enumerate(labels) if i > 1 and ERRORS_OF.match(label)), None)
    sigma = None
    if errors is not None and np.any(rows[:, errors] != 0) and np.all(rows[:, errors] >= 0):
        sigma = rows[:, errors].copy()
    made = []
    for column, label in list(enumerate(labels))[1:]:
        values = rows[:, column].copy()
        if column > 1 and ((column == errors and sigma is not None) or not np.any(values)):
            continue  # a further column of zeros is what these programs write for “not known”
        name, unit = FUNCTIONS.get(label[:1], (label, "")) if column == 1 else (label, "")
        signal = Signal(name, unit, values, sigma if column == 1 else None)
        made.append(Dataset(signal, (axis,), header, None, known, "" if column == 1 else label, "pdf"))
    return made


def _conditions(above: list[str]) -> dict[str, Quantity]:
    """From “key = value”; PDFgetX2 and PDFgetN write several of them in a line."""
    text = "\n".join(above)
    is_neutron = bool(re.search(r"PDFgetN|^\s*mode\s*=\s*neutron|^stype\s*=\s*N", text, re.M))
    wavelength = "neutron_wavelength" if is_neutron else "xray_wavelength"
    known = condition("mode", "neutron" if is_neutron else None)
    for key, pattern in WORDS.items():
        found = re.search(pattern, text, re.M)
        known |= condition(key, next(filter(None, found.groups()), None) if found else None)
    for key, (pattern, unit) in NUMBERS.items():
        found = re.search(rf"(?<![\w.])(?:{pattern})\s*=\s*([\d.]+(?:[eE][-+]?\d+)?)", text)
        if found and (number := as_number(found[1])) is not None and (number > 0 or key == "q_min"):
            known |= condition(wavelength if key == "wavelength" else key, number, unit)
    return known
