"""Datasets as text for other people's programs: CSV and JCAMP-DX. Pure floor: no Django here."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np

from measurements.data import Axis, Dataset, Quantity, Signal

ROWS_AT_ONCE = 10_000
PAIRS_IN_A_LINE = 3
EVEN = 1e-9  # of the step: how evenly spaced an axis must be to be written as first, step and count

# The words of the standard; for what it does not know, our own.
DATA_TYPES = {
    "ftir": "INFRARED SPECTRUM", "raman": "RAMAN SPECTRUM", "uvvis": "UV/VIS SPECTRUM",
    "pl": "FLUORESCENCE SPECTRUM", "nmr": "NMR SPECTRUM", "ms": "MASS SPECTRUM", "xrd": "X-RAY DIFFRACTION",
    "tga": "TGA", "dsc": "DSC",
}  # fmt: skip
UNITS = {
    "cm⁻¹": "1/CM", "nm": "NANOMETERS", "µm": "MICROMETERS", "s": "SECONDS", "ms": "MILLISECONDS", "Hz": "HZ",
    "ppm": "PPM", "deg": "2THETA [deg]", "min": "MINUTES", "ns": "NANOSECONDS",
}  # fmt: skip


class CannotExportError(Exception):
    """A dataset that has no place in a format, in a sentence."""


def csv(dataset: Dataset) -> Iterator[str]:
    """A curve as columns; a map as a matrix, its first column the first axis, its first row the second.

    Numbers as Python writes them: reading them back gives the same float64.
    """
    if len(dataset.axes) == 1:
        yield from _columns(dataset)
    elif len(dataset.axes) == 2:
        yield from _matrix(dataset)
    else:
        raise CannotExportError("Only curves and maps fit into CSV; ask for nexus.")


def _columns(dataset: Dataset) -> Iterator[str]:
    axis, signal = dataset.axes[0], dataset.signal
    columns, titles = [axis.values, signal.values], [_title(axis), _title(signal)]
    if signal.errors is not None:
        columns.append(signal.errors)
        titles.append(f"sigma of {_title(signal)}")
    yield ",".join(_quoted(title) for title in titles) + "\n"
    yield from _rows(np.column_stack(columns))


def _matrix(dataset: Dataset) -> Iterator[str]:
    rows, columns = dataset.axes
    corner = f"{_title(dataset.signal)}: {_title(rows)} down, {_title(columns)} across"
    yield ",".join([_quoted(corner), *map(repr, columns.values.tolist())]) + "\n"
    yield from _rows(np.column_stack([rows.values, dataset.signal.values]))


def _rows(table: np.ndarray) -> Iterator[str]:
    for start in range(0, len(table), ROWS_AT_ONCE):
        out = io.StringIO()
        for row in table[start : start + ROWS_AT_ONCE].tolist():
            out.write(",".join(map(repr, row)) + "\n")
        yield out.getvalue()


def _title(column: Axis | Signal) -> str:
    return f"{column.name} ({column.unit})" if column.unit else column.name


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def jcamp(dataset: Dataset, *, title: str, technique: str, origin: str) -> Iterator[str]:
    """A curve as JCAMP-DX 4.24 in AFFN: (X++(Y..Y)) on an even axis, (XY..XY) on any other.

    R. S. McDonald, P. A. Wilks, Appl. Spectrosc. 42 (1988) 151. Numbers are written in full, so both factors
    are 1. The header of the instrument's file goes into comments, verbatim but for characters beyond ASCII.
    """
    if len(dataset.axes) != 1:
        raise CannotExportError("Only a curve fits into JCAMP-DX; ask for nexus.")
    x, y = dataset.axes[0].values, dataset.signal.values
    if not np.all(np.isfinite(y)):
        raise CannotExportError("JCAMP-DX has no sign for the missing values of this curve; ask for csv.")
    even = _is_even(x)
    records: dict[str, str] = {
        "TITLE": title,
        "JCAMP-DX": "4.24",
        "DATA TYPE": DATA_TYPES.get(technique, technique.upper() or "UNKNOWN"),
        "ORIGIN": origin,
        "OWNER": "",
    }
    if dataset.acquired_at is not None:
        records["LONGDATE"] = dataset.acquired_at.strftime("%Y/%m/%d %H:%M:%S%z")
    records |= {
        "XUNITS": UNITS.get(dataset.axes[0].unit, dataset.axes[0].unit or "ARBITRARY UNITS"),
        "YUNITS": _y_units(dataset.signal),
        "FIRSTX": repr(float(x[0])),
        "LASTX": repr(float(x[-1])),
        "FIRSTY": repr(float(y[0])),
        "MAXX": repr(float(x.max())),
        "MINX": repr(float(x.min())),
        "MAXY": repr(float(y.max())),
        "MINY": repr(float(y.min())),
        "NPOINTS": str(x.size),
        "XFACTOR": "1",
        "YFACTOR": "1",
    }
    if even:
        records["DELTAX"] = repr(float((x[-1] - x[0]) / (x.size - 1)))
    for name, value in records.items():
        yield f"##{name}= {_ascii(value)}\n"
    yield from _comments(dataset)
    yield from _even(x, y) if even else _pairs(x, y)
    yield "##END=\n"


def _is_even(x: np.ndarray) -> bool:
    if x.size < 2 or x[0] == x[-1]:
        return False
    exact = np.linspace(x[0], x[-1], x.size)
    return bool(np.max(np.abs(x - exact)) <= EVEN * abs(x[1] - x[0]))


def _y_units(signal: Signal) -> str:
    name = signal.name.upper()
    for known in ("ABSORBANCE", "TRANSMITTANCE", "REFLECTANCE", "KUBELKA-MUNK"):
        if known in name and signal.unit in ("", "1"):
            return known
    return f"{signal.name} [{signal.unit}]" if signal.unit not in ("", "1") else signal.name


def _comments(dataset: Dataset) -> Iterator[str]:
    for key, quantity in dataset.conditions.items():
        yield f"$$ {_ascii(key)}: {_ascii(_written(quantity))}\n"
    for key, text in dataset.header.items():
        for line in f"{key}: {text}".splitlines():
            yield f"$$ {_ascii(line)}\n"


def _written(quantity: Quantity) -> str:
    value = quantity.value if isinstance(quantity.value, str) else f"{quantity.value:.12g}"
    return f"{value} {quantity.unit}".strip()


def _even(x: np.ndarray, y: np.ndarray) -> Iterator[str]:
    yield "##XYDATA= (X++(Y..Y))\n"
    for start in range(0, y.size, PAIRS_IN_A_LINE):
        yield " ".join([_number(x[start]), *map(_number, y[start : start + PAIRS_IN_A_LINE])]) + "\n"


def _pairs(x: np.ndarray, y: np.ndarray) -> Iterator[str]:
    yield "##XYPOINTS= (XY..XY)\n"
    for one, other in zip(x, y, strict=True):
        yield f"{_number(one)}, {_number(other)}\n"


def _number(value: float) -> str:
    """In full and without exponent: in the packed forms of JCAMP the letter e is a digit."""
    return np.format_float_positional(value, unique=True, trim="-")


PLAIN = str.maketrans(
    {"µ": "u", "μ": "u", "°": " deg ", "Å": "A", "⁻": "-", "¹": "1", "²": "2", "³": "3", "θ": "theta",
     "\n": " ", "\r": " "}
)  # fmt: skip


def _ascii(text: str) -> str:
    return text.translate(PLAIN).encode("ascii", "replace").decode()
