"""Scans that Edinburgh Instruments' Fluoracle and F980 export as text.

    Labels,MAPI_scan1,          one header line per setting; a value for each trace
    Type,Emission Scan,
    …
                                an empty line
    450.00,5.52895813E+2,       axis, then one column for each trace

Commas or tabs; lines may end in one. Emission, excitation and synchronous scans, kinetics, decays and the
instrument's response, maps (one trace for each fixed wavelength). The file gives few units: here they are
those of the programs, nm for wavelengths and slits, s for the dwell time. The temperature is in K in
Fluoracle, but F980 writes °C and neither says so: below 200 the number stays in the header only, and 0 means
no sensor. There is no date and no error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._numbers import Dialect
from measurements.readers._spectrum import NameAndUnit, end_of_rows, head_lines, is_row, lines_of, rows
from measurements.readers._text import as_number
from measurements.readers._titles import name_and_unit
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Edinburgh Fluoracle",
    extensions=(".csv", ".txt"),
    vendor="Edinburgh Instruments",
    techniques=("pl", "trpl"),
    description="Emission and excitation spectra, maps, kinetics and decays exported as text from "
    "Fluoracle or F980, with one or more traces.",
    max_bytes=64 * 1024**2,
)
VERSION = 2

MAX_HEADER_LINES = 1000
LOWEST_IN_KELVIN = 200
UNITS = {"Wavelength": "nm", "Counts": "counts"}
KINDS = re.compile(r"scan|map|decay|kinetic|response", re.IGNORECASE)
DECAYS = re.compile(r"time scan|decay|tcspc|mcs|response", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> bool:
    lines = [re.sub(r"\s*[\t,;]\s*", ",", line).lower() for line in head_lines(head, 40)]
    kind = next((line for line in lines if line.startswith("type,")), "")
    return bool(lines) and lines[0].startswith("labels,") and KINDS.search(kind) is not None


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    begin = next((index for index, line in enumerate(lines[:MAX_HEADER_LINES]) if is_row(line)), None)
    if begin is None:
        raise ReadError(
            f"the file ends after {len(lines)} header lines, before any number. Was the export cut off? "
            "Export the scan again from Fluoracle.",
            line=max(len(lines), 1),
        )
    dialect = Dialect("\t" if "\t" in lines[0] else ";" if ";" in lines[0] else ",")
    columns = len(dialect.cells(lines[begin]))
    if columns < 2:
        raise ReadError("there is a wavelength and no counts. Export the scan again.", line=begin + 1)
    stop = end_of_rows(lines, begin)
    table = rows(lines, begin, stop, dialect, columns)
    header = _header(lines[:begin], dialect)
    header.update({f"line {n}": line for n, line in enumerate(lines[stop:], start=stop + 1) if line.strip()})
    _refuse_text_among_rows(lines, stop)
    _refuse_cut_off(table[:, 0], header)
    traces = [_trace(table, header, number, columns - 1) for number in range(columns - 1)]
    return _map(traces) if "map" in _said(header, "Type").lower() and len(traces) > 1 else traces


def _header(above: list[str], dialect: Dialect) -> dict[str, str]:
    """Settings in the words and order of the file, without the separator at the end of the line."""
    header: dict[str, str] = {}
    delimiter = dialect.delimiter or ","
    for number, line in enumerate(above, start=1):
        key, _, value = line.strip(" \r").removesuffix(delimiter).partition(delimiter)
        if key.strip():
            header[key.strip() if key.strip() not in header else f"line {number}"] = value.strip()
    return header


def _refuse_text_among_rows(lines: list[str], stop: int) -> None:
    for index in range(stop, len(lines)):
        if is_row(lines[index]):
            raise ReadError(
                f"there are numbers again after the text in line {stop + 1}. Send each block of numbers as a "
                "file of its own.",
                line=index + 1,
            )


def _said(header: Mapping[str, str], key: str) -> str:
    """F980 writes XAxis where Fluoracle writes Xaxis."""
    return next((value for name, value in header.items() if name.lower() == key.lower()), "")


def _refuse_cut_off(x: Array, header: Mapping[str, str]) -> None:
    """The header says where the scan stops, so a file that lost its end shows."""
    stop = as_number(re.split(r"[\t,;]", header.get("Stop", ""))[0])
    step = as_number(re.split(r"[\t,;]", header.get("Step", ""))[0])
    if stop is None or step is None:
        return
    if abs(x[-1] - stop) > 1.5 * abs(step):
        unit = _axis_kind(header)[1]
        raise ReadError(
            f"the header announces a scan to {stop:g} {unit}, but the numbers end at {x[-1]:g} {unit}. The "
            "file was probably cut off: export it again. To use what there is, send it without its header."
        )


def _axis_kind(header: Mapping[str, str]) -> NameAndUnit:
    words = re.split(r"[\t,;]", _said(header, "Xaxis"))[0] or "Wavelength"
    name, unit = name_and_unit(words)
    return name, unit or UNITS.get(name, "")


def _trace(table: Array, header: Mapping[str, str], number: int, traces: int) -> Dataset:
    own = {key: _of_trace(value, number, traces) for key, value in header.items()}
    y_name = _said(own, "Yaxis") or "Counts"
    return Dataset(
        signal=Signal(y_name, UNITS.get(y_name, ""), table[:, 1 + number].copy()),
        axes=(Axis(*_axis_kind(own), table[:, 0].copy()),),
        header=own,
        conditions=_conditions(own),
        title=own.get("Labels", "") if traces > 1 else "",
        technique="trpl" if DECAYS.search(own.get("Type", "")) else "pl",
    )


def _of_trace(value: str, number: int, traces: int) -> str:
    """A line has one value for each trace, or one that holds for all."""
    values = re.split(r"\t" if "\t" in value else "[,;]", value)
    return values[number].strip() if len(values) == traces else value


def _map(traces: list[Dataset]) -> list[Dataset]:
    """The traces of a map as one plane, if the fixed wavelength of each is known; else as they are."""
    fixed_nm = [as_number(trace.header.get("Fixed/Offset", "")) for trace in traces]
    known = [value for value in fixed_nm if value is not None and np.isfinite(value)]
    if len(known) != len(traces) or len(set(known)) != len(known):
        return traces
    first = traces[0]
    name = (
        "Emission wavelength"
        if "excitation" in first.header.get("Type", "").lower()
        else "Excitation wavelength"
    )
    conditions = {key: value for key, value in first.conditions.items() if not key.endswith("_wavelength")}
    return [
        Dataset(
            signal=Signal(
                first.signal.name, first.signal.unit, np.stack([trace.signal.values for trace in traces])
            ),
            axes=(Axis(name, "nm", np.array(known, dtype=np.float64)), first.axes[0]),
            header=first.header,
            conditions=conditions,
            technique=first.technique,
        )
    ]


def _conditions(own: Mapping[str, str]) -> dict[str, Quantity]:
    """In an emission scan the fixed side is the excitation; in an excitation scan it is the emission."""
    kind = own.get("Type", "").lower()
    scanned, fixed = ("excitation", "emission") if "excitation" in kind else ("emission", "excitation")
    found = {
        **condition("dwell_time", as_number(own.get("Dwell Time", "")), "s"),
        **condition("accumulations", as_number(own.get("Repeats", "")), "1"),
    }
    for words, key in (("Detector", "detector"), ("Lamp", "light_source")):
        found |= condition(key, "" if own.get(words) == "None" else own.get(words))
    if "synchronous" not in kind:
        for words, key in (
            ("Fixed/Offset", f"{fixed}_wavelength"),
            ("Scan Slit", f"{scanned}_bandwidth"),
            ("Fixed/Offset Slit", f"{fixed}_bandwidth"),
        ):
            number = as_number(own.get(words, ""))
            found |= condition(key, number if number and number > 0 else None, "nm")
    kelvin = as_number(own.get("Temp", ""))
    if kelvin is not None and kelvin >= LOWEST_IN_KELVIN:
        found |= condition("temperature", kelvin, "K")
    return found
