"""What Gudrun (GudrunN, GudrunX) writes: #-lines that begin with the file's own name, then x, y, error.

The ending in that first line tells the function: .int01 and .mint01 hold the interference function over Q,
.dofr and .gofr its transforms over r, .dcs01 the differential cross section. Q is in Å⁻¹, r in Å. The third
#-line of an interference function gives the number of points. A third column that is zero throughout, or
merely the square root of the second as some versions write it beside D(r), is no error and is not taken for
one; the header says so. The manual: A. K. Soper, RAL-TR-2011-013.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers._numbers import Dialect, read_table
from measurements.readers._text import decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Gudrun total scattering",
    extensions=(".dofr", ".gofr", ".int01", ".mint01", ".mdor01", ".mgor01", ".soq", ".dcs01", ".mdcs01"),
    vendor="ISIS",
    techniques=("pdf",),
    description="Interference functions, cross sections and pair distribution functions from Gudrun.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

NAME = re.compile(r"#\s*(?P<name>\S.*?)\.(?P<kind>m?dofr|m?gofr|m?[dg]or\d\d|m?int\d\d|m?dcs\d\d|soq)\s*")
POINTS = re.compile(r"#\s+1\s+(\d+)\s*")
R, Q = ("r", "Å"), ("Q", "Å⁻¹")
KINDS = {  # letters of the ending → axis, function and its unit
    "dofr": (R, ("D(r)", "Å⁻²")), "dor": (R, ("D(r)", "Å⁻²")),
    "gofr": (R, ("g(r)", "1")), "gor": (R, ("g(r)", "1")),
    "int": (Q, ("F(Q)", "")), "soq": (Q, ("S(Q)", "1")), "dcs": (Q, ("Differential cross section", "")),
}  # fmt: skip
SPACES = Dialect(None)


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).splitlines()[:3]
    except ReadError:
        return NEVER
    is_gudrun = len(lines) == 3 and NAME.fullmatch(lines[0]) and lines[1].startswith("#")
    return 0.9 if is_gudrun else NEVER


def read(path: Path) -> list[Dataset]:
    above = _above(path)
    named = NAME.fullmatch(above[0]) if above else None
    if named is None:
        raise ReadError("the first line does not name a file of Gudrun. Export it again.", line=1)
    (x_name, x_unit), (y_name, y_unit) = KINDS[named["kind"].removeprefix("m").rstrip("0123456789")]
    table = read_table(path, SPACES, 3, lines_above=len(above))
    rows = table.rows
    header = {f"line {number}": line.lstrip("# ").rstrip() for number, line in enumerate(above, start=1)}
    header.update({f"line {number}": text for number, text in table.remarks.items()})
    _refuse_cut_off(above, rows)
    sigma: Array | None = rows[:, 2].copy()
    if reason := _no_errors(rows[:, 1], rows[:, 2]):
        sigma, header["third column"] = None, reason
    return [
        Dataset(
            signal=Signal(y_name, y_unit, rows[:, 1].copy(), sigma),
            axes=(Axis(x_name, x_unit, rows[:, 0].copy()),),
            header=header,
            conditions=condition("sample_name", named["name"]) | condition("software", "Gudrun"),
            technique="pdf",
        )
    ]


def _no_errors(values: Array, third: Array) -> str:
    """Why the third column is not the error of the second, or "": it is."""
    if not np.any(third):
        return "zero throughout: no errors"
    if np.allclose(third, np.sqrt(np.maximum(values, 0)), rtol=1e-4, atol=1e-6):
        return "the square root of the second where that is positive, else zero: no errors"
    if np.any(third < 0):
        raise ReadError("an error is negative. The file is damaged: copy it again.")
    return ""


def _above(path: Path) -> list[str]:
    above: list[str] = []
    with open_text(path) as text:
        while (line := text.readline(10_000)).startswith("#") and len(above) < 1000:
            above.append(line.rstrip("\n"))
    return above


def _refuse_cut_off(above: list[str], rows: Array) -> None:
    announced = POINTS.fullmatch(above[2]) if len(above) > 2 else None
    if not len(rows):
        raise ReadError("there are no numbers below the header. Was the file cut off?", line=len(above) + 1)
    if announced is not None and int(announced[1]) != len(rows):
        raise ReadError(
            f"the header announces {announced[1]} points, the file has {len(rows)}. Was it cut off? Copy it "
            "again.",
            line=3,
        )
