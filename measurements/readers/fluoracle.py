"""Emission scans that Edinburgh Instruments' Fluoracle exports as text.

    Labels,MAPI_scan1,          one header line per setting; a value for each trace
    Type,Emission Scan,
    …
                                an empty line
    450.00,5.52895813E+2,       wavelength, then one column for each trace

Lines may end in a comma. The file gives no units: here they are those of the program, nm for wavelengths and
slits, s for the dwell time, K for the temperature. It has no date and no errors. Other kinds of scan
(excitation, decay) are not recognised here; the general text reader takes their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._numbers import Dialect, read_table
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import Format

FORMAT = Format(
    name="Edinburgh Fluoracle emission scan",
    extensions=(".csv", ".txt"),
    vendor="Edinburgh Instruments",
    techniques=("pl",),
    description="Emission spectra exported from Fluoracle as comma-separated text, with one or more traces.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

COMMAS = Dialect(",")
MAX_HEADER_LINES = 1000
# Fluoracle's name of a setting → our name and the unit in which the program writes it.
SETTINGS = {
    "Fixed/Offset": ("excitation_wavelength", "nm"),
    "Scan Slit": ("emission_bandwidth", "nm"),
    "Fixed/Offset Slit": ("excitation_bandwidth", "nm"),
    "Dwell Time": ("dwell_time", "s"),
    "Repeats": ("repeats", "1"),
    "Temp": ("temperature", "K"),
    "Detector": ("detector", ""),
    "Lamp": ("light_source", ""),
}
UNITS = {"Wavelength": "nm", "Counts": "counts"}


def recognises(head: bytes, filename: str) -> bool:
    try:
        lines = decoded(head).splitlines()[:40]
    except ReadError:
        return False
    settings = [re.sub(r"\s", "", line).lower() for line in lines]
    return bool(settings) and settings[0].startswith("labels,") and any(
        setting == "type,emissionscan" or setting.startswith("type,emissionscan,") for setting in settings
    )  # fmt: skip


def read(path: Path) -> list[Dataset]:
    above, first_row = _above(path)
    columns = len(COMMAS.cells(first_row))
    if columns < 2:
        raise ReadError("there is a wavelength and no counts. Export the scan again.", line=len(above) + 1)
    table = read_table(path, COMMAS, columns, lines_above=len(above))
    header = _header(above)
    header.update({f"line {number}": text for number, text in table.remarks.items()})
    _refuse_cut_off(table.rows[:, 0], header)
    return [_trace(table.rows, header, number, columns - 1) for number in range(columns - 1)]


def _above(path: Path) -> tuple[list[str], str]:
    """The lines above the numbers, and the first line with numbers."""
    above: list[str] = []
    with open_text(path) as text:
        while (line := text.readline(10_000)) and len(above) < MAX_HEADER_LINES:
            if COMMAS.is_row(line):
                return above, line
            above.append(line.rstrip("\n"))
    raise ReadError(
        f"the file ends after {len(above)} header lines, before any number. Was the export cut off? Export "
        "the scan again from Fluoracle.",
        line=max(len(above), 1),
    )


def _header(above: list[str]) -> dict[str, str]:
    """Settings in the words and order of the file, without the comma at the end of the line."""
    header: dict[str, str] = {}
    for number, line in enumerate(above, start=1):
        key, _, value = line.strip().removesuffix(",").partition(",")
        if key.strip():
            header[key.strip() if key.strip() not in header else f"line {number}"] = value.strip()
    return header


def _refuse_cut_off(wavelength_nm: Array, header: Mapping[str, str]) -> None:
    """The header says where the scan stops, so a file that lost its end shows."""
    stop_nm = as_number(header.get("Stop", "").split(",")[0])
    step_nm = as_number(header.get("Step", "").split(",")[0])
    if stop_nm is None or step_nm is None:
        return
    if abs(wavelength_nm[-1] - stop_nm) > 1.5 * abs(step_nm):
        raise ReadError(
            f"the header announces a scan to {stop_nm:g} nm, but the numbers end at {wavelength_nm[-1]:g} "
            "nm. The file was probably cut off: export it again. To use what there is, send it without its "
            "header."
        )


def _trace(rows: Array, header: Mapping[str, str], number: int, traces: int) -> Dataset:
    own = {key: _of_trace(value, number, traces) for key, value in header.items()}
    x_name, y_name = own.get("Xaxis") or "Wavelength", own.get("Yaxis") or "Counts"
    return Dataset(
        signal=Signal(y_name, UNITS.get(y_name, ""), rows[:, 1 + number].copy()),
        axes=(Axis(x_name, UNITS.get(x_name, ""), rows[:, 0].copy()),),
        header=own,
        conditions=_conditions(own),
    )


def _of_trace(value: str, number: int, traces: int) -> str:
    """A line has one value for each trace, or one that holds for all."""
    values = value.split(",")
    return values[number].strip() if len(values) == traces else value


def _conditions(own: Mapping[str, str]) -> dict[str, Quantity]:
    conditions = {}
    for setting, (name, unit) in SETTINGS.items():
        text = own.get(setting, "")
        if not unit and text and text != "None":
            conditions[name] = Quantity(text)
        elif (value := as_number(text)) is not None and value == value:
            conditions[name] = Quantity(value, unit)
    return conditions
