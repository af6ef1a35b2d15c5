"""Small-angle scattering as columns of text: q, intensity, its error, and at times the spread of q.

Three ways to know such a file, in falling order of certainty:
- the five lines that ISIS (COLETTE, Mantid's “RKH”) writes above its numbers, with a FORTRAN format,
- titles above the columns that begin with q (Scatterbrain, Nika, Irena, SasView, DAWN, RAW, ATSAS),
- three or four columns in which the first rises from far below 1 and the third is positive throughout, with
  nothing above them (DND-CAT, USAXS) or with words that speak of scattering (ATSAS).
q is in Å⁻¹, as all of these programs write it, unless the titles say otherwise. The unit of the intensity is
known only where the file says it.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np

from measurements.data import Dataset, ReadError
from measurements.readers import _sas, delimited_text
from measurements.readers._numbers import Dialect, read_table
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Small-angle scattering text",
    extensions=(".txt", ".dat", ".csv", ".asc", ".rkh"),
    vendor="",
    techniques=("saxs",),
    description="Columns of q, intensity and error, as Scatterbrain, ISIS, DND-CAT, Nika, Irena, ATSAS and "
    "SasView write them.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

ISIS_HEADER = 5
FORTRAN_FORMAT = re.compile(r"^\s*\d+\s+\(F\d+\.\d+,\s*\d*E\d+\.\d+\)\s*$")
TITLE_OF_Q = re.compile(
    r"^[\s#%!;\"'*/]*q(?:_?vec(?:tor)?|mod|_?val(?:ue)?s?)?[\"']?(?:\s*[\[(/{,;\t]|\s{1,}|[-_]?(?:a|å|nm)\b|$)",
    re.I,
)
INTENSITY_IN_TITLES = re.compile(r"[\s,;\t\"'](?:i\b|i\(|i_|int|r\[|sasi|counts|dsigma|dσ)", re.I)
SASVIEW_TITLES = re.compile(r"^\s*<X>\s+<Y>")
SPOKEN_OF = re.compile(r"\bsaxs|\bsans\b|waxs|scattering|autosub|datop|parent\(s\)|sample description", re.I)
SIGMA_NAMES = re.compile(r"sig|err|dev|unc|^[ds]i|^d?i_?d|std|^s\[|^<d|±|σ", re.I)
LARGEST_Q_PER_ANGSTROM = 10.0
FEWEST_ROWS, LONGEST_LINE = 10, 1000


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head[: 32 * 1024]).splitlines()[:400]
    except ReadError:
        return NEVER
    if len(lines) > ISIS_HEADER and FORTRAN_FORMAT.match(lines[ISIS_HEADER - 1]):
        return 0.95
    if any(len(line) > LONGEST_LINE for line in lines):
        return NEVER
    rows = [index for index, line in enumerate(lines) if _numbers(line)]
    if not rows:
        return NEVER
    above = lines[: rows[0]]
    if any(_is_title(line) for line in above[-4:]):
        return 0.7
    silent = not any(re.search(r"\w", line) for line in above)
    speaks_of_it = bool(SPOKEN_OF.search("\n".join([*above, *lines[rows[-1] + 1 :]])))
    return 0.3 if (silent or speaks_of_it) and _looks_like_scattering(lines[rows[0] :]) else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = [text.readline(10_000) for _ in range(ISIS_HEADER)]
    if FORTRAN_FORMAT.match(lines[-1]):
        return _isis(path, [line.rstrip("\n") for line in lines])
    return _columns(path)


def _isis(path: Path, above: list[str]) -> list[Dataset]:
    """Title and conditions, the number of points, and a FORTRAN format that wrongly says three columns."""
    with open_text(path) as text:
        for _ in range(ISIS_HEADER):
            text.readline()
        columns = len(text.readline(10_000).split())
    if columns not in (3, 4):
        raise ReadError(
            f"expected q, intensity and error, found {columns} columns. Was the export cut off?",
            line=ISIS_HEADER + 1,
        )
    rows = read_table(path, Dialect(None), columns, lines_above=ISIS_HEADER).rows
    announced = as_number((above[2].split() or [""])[0])
    if announced is not None and announced != len(rows):
        raise ReadError(
            f"the header announces {announced:g} points, the file has {len(rows)}. Was it cut off? Copy it "
            "again.",
            line=3,
        )
    header = {f"line {number}": line.strip() for number, line in enumerate(above, start=1)}
    others = {"σ of q": (rows[:, 3].copy(), _sas.Q_UNIT)} if columns == 4 else {}
    curve = _sas.Curve(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy(), others=others)
    words = above[0].split()
    known = condition("instrument", words[0]) if words else {}
    return _sas.datasets(curve.in_common_units(), header, {**known, **condition("comment", above[1])})


def _columns(path: Path) -> list[Dataset]:
    table = delimited_text.read(path)
    first, header = table[0], table[0].header
    if any(each.axes[0] is not first.axes[0] for each in table):
        raise ReadError("there are several tables in it. Send each as a file of its own.")
    q, intensity, sigma, rest = first.axes[0], first.signal, first.signal.errors, table[1:]
    untitled = q.name == "x"
    if sigma is None and rest and (untitled or SIGMA_NAMES.search(rest[0].signal.name)):
        sigma, rest = rest[0].signal.values, rest[1:]
    others = {}
    for number, column in enumerate(rest, start=4 if sigma is not None else 3):
        name = f"column {number}" if untitled else column.signal.name
        others[name] = (column.signal.values, column.signal.unit)
        if column.signal.errors is not None:
            others[f"{name}, σ"] = (column.signal.errors, column.signal.unit)
    q_unit = q.unit or ("1/nm" if re.search(r"nm", q.name) else _sas.Q_UNIT)
    unit = "" if intensity.unit.lower() == "q" else intensity.unit  # “I(q)” is a function, not a unit
    curve = _sas.Curve(q.values, intensity.values, sigma, q_unit, unit, others)
    known = {**first.conditions, **_sas.conditions(header)}
    return _sas.datasets(curve.in_common_units(), header, known, first.acquired_at)


def _is_title(line: str) -> bool:
    if SASVIEW_TITLES.match(line):
        return True
    return bool(TITLE_OF_Q.match(line)) and bool(INTENSITY_IN_TITLES.search(line))


def _numbers(line: str) -> list[float]:
    """The numbers of a row, or []."""
    cells = re.split(r"[,;\s]+", line.strip())
    numbers = [as_number(cell) for cell in cells]
    return [n for n in numbers if n is not None] if len(cells) > 1 and None not in numbers else []


def _looks_like_scattering(lines: list[str]) -> bool:
    table = list(itertools.takewhile(bool, (_numbers(line) for line in lines[:-1])))
    widths = {len(row) for row in table}
    if len(table) < FEWEST_ROWS or widths not in ({3}, {4}):
        return False
    rows = np.array(table)
    q, intensity, sigma = rows[:, 0], rows[:, 1], rows[:, 2]
    rises = bool(np.all(np.diff(q) > 0)) and 0 < q[0] < 0.1 and q[-1] < LARGEST_Q_PER_ANGSTROM
    return rises and bool(np.all(sigma > 0)) and float(np.mean(intensity > 0)) > 0.9
