"""The six columns of NIST's Igor reduction (SANS and USANS): q, I, σ of I, σ of q, mean q, shadow factor.

Written by the NCNR macros and their offspring at HIFAR, ANSTO and HANARO. The header gives LAMBDA in Å, the
distances in m and the thickness in cm, in newer files with those units. In USANS files the last three
columns hold the negative half-height of the slit, in Å⁻¹. The same program writes the plane of the detector,
pixel after pixel: Qx, Qy, I, and what its line “Data columns are” says of the others.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np

from measurements.data import Array, Dataset, Quantity, ReadError
from measurements.readers import _sas, _sas_plane, _titles
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
VERSION = 2

BLANKS = Dialect(None)
COLUMNS = 6
MOST_HEADER_LINES = 200
PLANE = re.compile(r"Data columns (?:are )?(?P<names>Qx - Qy - I\(Qx,Qy\).*)")
SIGMA_I = r"(?i)(err|sigma|std)\w*[ (]*I\b"


def recognises(head: bytes, filename: str) -> float:
    try:
        lines = decoded(head).splitlines()[:40]
    except ReadError:
        return NEVER
    begins = {line.split(":")[0].strip() for line in lines if ":" in line}
    is_sans = {"FILE", "LABEL"} <= begins and any(line.startswith("MON CNT") for line in lines)
    is_usans = "LABEL" in begins and bool({"COR FILES", "EMP FILES"} & begins)
    is_plane = any(PLANE.match(line) for line in lines)
    return 0.95 if is_sans or is_usans else 0.9 if is_plane else NEVER


def read(path: Path) -> list[Dataset]:
    above, names = _above(path)
    if names:
        return _plane(path, above, names)
    rows = read_table(path, BLANKS, COLUMNS, lines_above=len(above)).rows
    header = _titles.settings(above)
    curve = _sas.Curve(
        rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy(), others=_others(rows), intensity_unit="1/cm"
    )
    return _sas.datasets(curve.in_common_units(), header, _conditions(above, header))


def _plane(path: Path, above: list[str], names: list[str]) -> list[Dataset]:
    rows = read_table(path, BLANKS, len(names), lines_above=len(above)).rows
    qx, qy = rows[:, 0], rows[:, 1]
    place = next((place for place, name in enumerate(names) if re.match(SIGMA_I, name)), None)
    columns = [rows[:, 2]] if place is None or np.any(rows[:, place] < 0) else [rows[:, 2], rows[:, place]]
    shape = _sas_plane.shape_of(qx, qy)
    if shape is not None:
        parts: list[Array] | None = [part.reshape(shape) for part in (qx, qy, *columns)]
    else:
        parts = _sas_plane.with_missing_pixels(qx, qy, *columns)
    if parts is None:
        raise ReadError(f"its {len(rows)} pixels do not make rows of equal length. Was the file cut off?")
    header = _titles.settings(above)
    qx, qy, intensity, *others = parts
    sigma = others[0] if others else None
    units, known = (_sas.Q_UNIT, "1/cm"), _conditions(above, header)
    return _sas_plane.datasets(qx, qy, intensity, sigma, units, header, known)


def _above(path: Path) -> tuple[list[str], list[str]]:
    """The lines above the numbers, and the names of the columns of a plane: none above a curve."""
    above: list[str] = []
    names: list[str] = []
    with open_text(path) as text:
        while (line := text.readline(100_000)) and len(above) < MOST_HEADER_LINES:
            if (found := PLANE.match(line)) and not names:
                names = [name.strip() for name in found["names"].split(" - ")]
            cells = BLANKS.cells(line)
            is_row = len(cells) == (len(names) or COLUMNS) and all(
                BLANKS.number(cell) is not None for cell in cells
            )
            if is_row and not (above and above[-1].startswith(("MON CNT", "BCENT"))):
                return above, names
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
