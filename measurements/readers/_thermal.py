"""What the exports of all thermal analysers have in common: columns against time, mass, programme, exo mark.

A run is a table of columns. Its axis is the time; the signal that the run was made for comes first, then the
temperatures, then everything else.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._numbers import Dialect, Table, read_rows
from measurements.readers._text import as_number
from measurements.vocabulary import condition

UNITS = {
    "c": "°C", "℃": "°C", "cel": "°C", "°c": "°C", "ºc": "°C", "øc": "°C", "degc": "°C", "deg c": "°C",
    "sec": "s", "ml/min": "mL/min", "uv": "µV", "μv": "µV", "uv/mg": "µV/mg", "uv/mw": "µV/mW",
    "mgs^-1": "mg/s", "wg^-1": "W/g", "mwmg^-1": "mW/mg", "°cmin^-1": "°C/min", "kmin^-1": "K/min",
    "mlmin^-1": "mL/min", "%min^-1": "%/min", "um": "µm", "μm": "µm", "jg^-1°c^-1": "J/(g·°C)",
    "jg^-1k^-1": "J/(g·K)",
}  # fmt: skip
TIME_UNITS = {"s", "min", "h", "ms"}
MASS_UNITS = {"mg", "g", "µg", "%"}
IS_TIME = re.compile(r"^(?:t|time|zeit|temps|tiempo|tempo|время|时间|時間)\b|\btime\b", re.IGNORECASE)
IS_TEMPERATURE = re.compile(r"^T[srpf]?$|temp|温度|furnace$|ofen$|(?i:^sample$)", re.IGNORECASE)
IS_MASS = re.compile(r"weight|mass|gewicht|质量|重量|^tga?\b", re.IGNORECASE)
IS_HEAT_FLOW = re.compile(r"heat ?flow|wärmestrom|wärmefluss|flux de chaleur|^dsc\b|^dta\b", re.IGNORECASE)
IS_DERIVED = re.compile(
    r"deriv|^dtg|ddsc|baseline|calibrat|uncorrected|basislinie|^d\b|1st|ableitung|revers|subtracted$",
    re.IGNORECASE,
)
RATE = re.compile(
    r"(-?\d+(?:[.,]\d+)?)\s*(?:\(?(?:K|°C|ºC|C|\N{REPLACEMENT CHARACTER}C)\s*/\s*min|\(K/min\)|°Cmin)"
)
EXO_UP = re.compile(r"exo(?:therm(?:ic)?)?\s*(?:direction)?\W*up\b|\^\s*exo|endo\W*down", re.IGNORECASE)
EXO_DOWN = re.compile(r"exo(?:therm(?:ic)?)?\s*(?:direction)?\W*down\b|\^\s*endo|endo\W*up\b", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    name: str
    unit: str
    values: Array

    @property
    def is_time(self) -> bool:
        return self.unit in TIME_UNITS and bool(IS_TIME.search(self.name))

    @property
    def is_mass(self) -> bool:
        return (
            self.unit in MASS_UNITS and bool(IS_MASS.search(self.name)) and not IS_DERIVED.search(self.name)
        )

    @property
    def is_heat_flow(self) -> bool:
        named = IS_HEAT_FLOW.search(self.name) and not IS_DERIVED.search(self.name)
        return bool(named) and (not self.unit or "W" in self.unit or "V" in self.unit)

    @property
    def is_temperature(self) -> bool:
        return self.unit in ("°C", "K") and bool(IS_TEMPERATURE.search(self.name))


def unit(text: str) -> str:
    """A unit as it is spelled here, from how an export spells it, brackets or not."""
    plain = text.strip().strip("[]").strip()
    if plain.startswith("(") and plain.endswith(")"):
        plain = plain[1:-1].strip()
    return UNITS.get(plain.lower(), plain.replace("μ", "µ").replace("\u00ba", "°"))


def name_and_unit(title: str) -> tuple[str, str]:
    """("Heat Flow", "mW") of "Heat Flow (mW)"; ("DSC", "mW/mg") of "DSC/(mW/mg)"; no unit: ""."""
    title = title.strip().strip('"').strip()
    found = re.match(r"^(.*\S)\s*[(\[]([^()\[\]]*)[)\]]$", title)
    if found and not found[1].endswith("/") and not re.fullmatch(r"[A-Za-z]{7,}", found[2]):
        return found[1].strip(), unit(found[2])
    found = re.match(r"^([^/(]+(?:\([^)]*\))?[^/(]*)/(.+)$", title)
    if found:
        return found[1].strip(), unit(found[2])
    return title, ""


def dialect_of(row: str) -> Dialect:
    """How a row of numbers is written, from one of them."""
    for delimiter in (";", "\t"):
        if delimiter in row.strip():
            return Dialect(delimiter, decimal_comma="," in row)
    if re.search(r"\d,\d", row) and re.search(r"\d\s+[-+\d]", row.strip()):
        return Dialect(None, decimal_comma=True)
    return Dialect("," if "," in row else None)


def table_in(lines: Sequence[str], dialect: Dialect, columns: int, first_line: int) -> Table:
    """The rows among some lines of a file, of which the first is line `first_line`."""
    return read_rows(io.StringIO("\n".join(lines)), dialect, columns, first_line)


def with_missing(line: str, delimiter: str, columns: int) -> str:
    """A row with “nan” where a cell is empty; "" without a first number; other lines as they are."""
    cells = [cell.strip() for cell in line.split(delimiter)]
    while len(cells) > columns and not cells[-1]:
        cells.pop()
    if len(cells) != columns:
        return line
    return delimiter.join(cell or "nan" for cell in cells) if cells[0] else ""


def run(
    columns: Sequence[Column],
    header: Mapping[str, str],
    conditions: Mapping[str, Quantity],
    technique: str = "",
) -> list[Dataset]:
    """The columns of one run as datasets. `technique` as the file says it; else its columns tell it."""
    if not columns or not columns[0].values.size:
        raise ReadError("there are no rows of numbers. Was the export cut off? Export the run again.")
    technique = technique or technique_of(columns)
    axis = next((column for column in columns if column.is_time), None)
    axis = axis or next((column for column in columns if column.is_temperature), columns[0])
    known = np.isfinite(axis.values)
    if not known.all():
        if not known.any():
            raise ReadError(f"the column “{axis.name}” holds no number. Export the run again.")
        header = {**header, "rows left out": f"{np.count_nonzero(~known)} without “{axis.name}”"}
        columns = [Column(column.name, column.unit, column.values[known]) for column in columns]
        axis = next(column for column in columns if column.name == axis.name)
    others = [column for column in columns if column is not axis]
    if not others:
        raise ReadError(f"there is only one column, “{axis.name}”. Export the signals with it.")
    return [
        Dataset(
            signal=Signal(column.name, column.unit, column.values),
            axes=(Axis("Time" if axis.is_time else axis.name, axis.unit, axis.values),),
            header=dict(header),
            conditions=dict(conditions),
            title=column.name,
            technique=technique,
        )
        for column in sorted(others, key=lambda column: _rank(column, technique))
    ]


def technique_of(columns: Iterable[Column]) -> str:
    """A mass that changes was weighed: "tga". A balance that stands still belongs to a DSC. "" if neither."""
    columns = list(columns)
    masses = [column.values for column in columns if column.is_mass]
    has_heat_flow = any(column.is_heat_flow for column in columns)
    if masses and (not has_heat_flow or any(np.ptp(values) > 0 for values in masses)):
        return "tga"
    return "dsc" if has_heat_flow else ""


def _rank(column: Column, technique: str) -> int:
    """Python's sort is stable: columns of the same rank stay in the order of the file."""
    mains = (column.is_mass, column.is_heat_flow)
    if mains[technique == "dsc"]:
        return 0
    if mains[technique != "dsc"]:
        return 1
    if column.is_temperature and re.search(
        r"sample|probe|样品|^Ts?$|^temp|^温度", column.name, re.IGNORECASE
    ):
        return 2
    return 3 if column.is_temperature else 4


def mass_mg(text: str, default_unit: str = "") -> dict[str, Quantity]:
    """{"mass": …} of "20.8210 mg", "12,492 mg" or, with a unit known from elsewhere, "8.91"."""
    found = re.search(r"(-?\d+(?:[.,]\d+)?)\s*(mg|g|µg|ug)?\b", text)
    if found is None:
        return {}
    amount = as_number(found[1].replace(",", "."))
    return condition("mass", amount, found[2] or default_unit) if amount and amount > 0 else {}


def programme(text: str) -> dict[str, Quantity]:
    """{"heating_rate": …} if all heating in a description has one and the same rate."""
    rates = {as_number(found[1].replace(",", ".")) for found in RATE.finditer(text)}
    rates.discard(0.0)
    return condition("heating_rate", rates.pop(), "K/min") if len(rates) == 1 else {}


def exo_mode(text: str) -> dict[str, Quantity]:
    """{"mode": "exo up" or "exo down"} if the text says it, and only once."""
    up, down = bool(EXO_UP.search(text)), bool(EXO_DOWN.search(text))
    return condition("mode", "exo up" if up else "exo down") if up != down else {}
