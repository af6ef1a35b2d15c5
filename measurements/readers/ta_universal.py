"""Text that TA Instruments' Universal Analysis writes (Q series): keys, StartOfData, then columns.

    Sig1	Time (min)
    Sig2	Temperature (°C)
    Sig3	Weight (mg)
    …
    StartOfData
    -3.000000	1.000000	0.0000000
    6.66667E-4	22.70189	20.82160

Usually UTF-16. A row whose time is a negative whole number is no point of the curve but a mark that the
instrument set: −3 begins a stage of the method, −1 ends the run. Those rows are kept in the header. Date and
time have no zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from measurements.data import Array, Dataset, Quantity, ReadError
from measurements.readers import _thermal
from measurements.readers._text import decoded, open_text
from measurements.readers._thermal import Column
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="TA Universal Analysis text",
    extensions=(".txt",),
    vendor="TA Instruments",
    techniques=("dsc", "tga"),
    description="DSC and TGA runs of TA Instruments' Q series, exported as text from Universal Analysis.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

START = "StartOfData"
SIGNAL = re.compile(r"Sig(\d+)")
GAS = re.compile(
    r"(?P<which>Sample\s*Gas|Gas\s*1)[^:\n]*:\s*(?P<gas>[A-Za-z][A-Za-z ]*?)"
    r"\s*(?:(?P<flow>\d[\d.]*)\s*(?P<unit>m?l/min)|\s\s|$)",
    re.IGNORECASE | re.MULTILINE,
)
PAN = re.compile(r"^Pan\s*:\s*(\S.*?)\s*(?:\s\s.*)?$", re.MULTILINE | re.IGNORECASE)


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head)
    except ReadError:
        return False
    return bool(re.search(r"^Nsig\t", text, re.MULTILINE) and re.search(r"^Sig1\t", text, re.MULTILINE))


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    try:
        start = next(number for number, line in enumerate(lines) if line.strip() == START)
    except StopIteration:
        raise ReadError(
            f"the file ends before {START}. Was the export cut off? Export it again.", line=len(lines)
        ) from None
    header = _header(lines[:start])
    titles = [header[key] for key in sorted(filter(SIGNAL.fullmatch, header), key=lambda key: int(key[3:]))]
    if not titles:
        raise ReadError("the header names no signals (Sig1, Sig2, …). Export the run again.", line=1)
    rows = [line for line in lines[start + 1 :] if line.strip()]
    dialect = _thermal.Dialect("\t", decimal_comma=any("," in row for row in rows[:200]))
    table = _thermal.table_in(lines[start + 1 :], dialect, len(titles), start + 2)
    header |= {f"line {number}": text for number, text in table.remarks.items()}
    points = _points(table.rows, titles, header)
    columns = [
        Column(*_thermal.name_and_unit(title), points[:, index].copy()) for index, title in enumerate(titles)
    ]
    return _thermal.run(columns, header, _conditions(header), _technique(header))


def _header(lines: list[str]) -> dict[str, str]:
    """Keys and values; what a key says in several lines stays in several lines."""
    header: dict[str, str] = {}
    for line in lines:
        key, _, value = line.strip("\r\n").partition("\t")
        if key.strip():
            header[key] = f"{header[key]}\n{value}" if key in header else value
    return header


def _points(rows: Array, titles: list[str], header: dict[str, str]) -> Array:
    """The rows without the marks, which go to the header."""
    if not _thermal.IS_TIME.search(titles[0]):
        return rows
    marks = (rows[:, 0] < 0) & (rows[:, 0] == np.round(rows[:, 0]))
    for number in np.flatnonzero(marks)[:1000]:
        header[f"mark before point {number - np.count_nonzero(marks[:number]) + 1}"] = "\t".join(
            f"{value:g}" for value in rows[number]
        )
    return rows[~marks]


def _technique(header: Mapping[str, str]) -> str:
    told = f"{header.get('Module', '')} {header.get('Instrument', '')}".upper()
    return "tga" if "TGA" in told else "dsc" if "DSC" in told else ""


def _conditions(header: Mapping[str, str]) -> dict[str, Quantity]:
    comments = header.get("Xcomment", "")
    gases = {found["which"][0].upper(): found for found in reversed(list(GAS.finditer(comments)))}
    gas, pan = gases.get("S") or gases.get("G"), PAN.search(comments)
    moment = " ".join(filter(None, (header.get("Date", ""), header.get("Time", ""))))
    known = {
        **_thermal.mass_mg(header.get("Size", "").replace("\t", " ")),
        **condition("sample_name", header.get("Sample")),
        **condition("operator", header.get("Operator")),
        **condition("instrument", header.get("Instrument")),
        **condition("local_time", moment),
        **condition("crucible", pan[1] if pan else header.get("PanType")),
        **_thermal.programme(header.get("OrgMethod", "")),
        **_thermal.exo_mode(f"Exotherm {header['Exotherm']}" if "Exotherm" in header else comments),
    }
    if gas:
        known |= condition("gas", gas["gas"]) | condition("gas_flow", gas["flow"], gas["unit"] or "")
    return known
