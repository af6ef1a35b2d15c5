"""The six columns of NIST's Igor reduction (SANS and USANS): q, I, σ of I, σ of q, mean q, shadow factor.

Written by the NCNR macros and their offspring at HIFAR, ANSTO and HANARO. The header gives LAMBDA in Å, the
distances in m and the thickness in cm, in newer files with those units. In USANS files the last three
columns hold the negative half-height of the slit, in Å⁻¹. Maps (Qx, Qy) of the same program are not curves
and are refused.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from measurements.data import Array, Dataset, Quantity, ReadError
from measurements.readers import _sas, _titles
from measurements.readers._numbers import Dialect, read_table
from measurements.readers._text import decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="NIST ABS",
    extensions=(".abs", ".ave", ".cor"),
    vendor="NIST",
    techniques=("saxs",),
    description="Small-angle neutron scattering reduced with the Igor macros of NIST: six columns.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

BLANKS = Dialect(None)
COLUMNS = 6
MOST_HEADER_LINES = 200


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).splitlines()[:40]
    except ReadError:
        return NEVER
    begins = {line.split(":")[0].strip() for line in lines if ":" in line}
    is_sans = {"FILE", "LABEL"} <= begins and any(line.startswith("MON CNT") for line in lines)
    is_usans = "LABEL" in begins and bool({"COR FILES", "EMP FILES"} & begins)
    return 0.95 if is_sans or is_usans else NEVER


def read(path: Path) -> list[Dataset]:
    above = _above(path)
    rows = read_table(path, BLANKS, COLUMNS, lines_above=len(above)).rows
    header = _titles.settings(above)
    curve = _sas.Curve(
        rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy(), others=_others(rows), intensity_unit="1/cm"
    )
    return _sas.datasets(curve.in_common_units(), header, _conditions(above, header))


def _above(path: Path) -> list[str]:
    above: list[str] = []
    with open_text(path) as text:
        while (line := text.readline(100_000)) and len(above) < MOST_HEADER_LINES:
            if "Qx" in line and "Qy" in line:
                raise ReadError(
                    "this is a two-dimensional map (Qx, Qy). Export the circular average, six columns.",
                    line=len(above) + 1,
                )
            cells = BLANKS.cells(line)
            is_row = len(cells) == COLUMNS and all(BLANKS.number(cell) is not None for cell in cells)
            if is_row and not (above and above[-1].startswith(("MON CNT", "BCENT"))):
                return above
            above.append(line.rstrip("\n"))
    raise ReadError(
        f"expected {COLUMNS} columns of numbers below the header, found none in {len(above)} lines. Was the "
        "file cut off? Export it again.",
        line=max(len(above), 1),
    )


def _others(rows: Array) -> dict[str, tuple[Array, str]]:
    if (rows[:, 3] < 0).all():
        return {"slit half-height in q, with a minus sign": (rows[:, 3].copy(), _sas.Q_UNIT)}
    return {
        "σ of q": (rows[:, 3].copy(), _sas.Q_UNIT),
        "mean q": (rows[:, 4].copy(), _sas.Q_UNIT),
        "shadow factor": (rows[:, 5].copy(), "1"),
    }


def _conditions(above: list[str], header: dict[str, str]) -> dict[str, Quantity]:
    known = condition("sample_name", header.get("LABEL"))
    for line, values in itertools.pairwise(above):
        if line.startswith("MON CNT"):
            # MON CNT, LAMBDA, DET ANG or DET_OFF, DET DIST, TRANS, THICK: their order never changed
            cells = values.split()
            if len(cells) >= 6:
                known |= condition("neutron_wavelength", cells[1], "Å")
                known |= condition("detector_distance", cells[3], "m")
                known |= condition("transmission", cells[4])
                known |= condition("thickness", cells[5], "cm")
    return known
