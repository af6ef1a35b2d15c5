"""Shimadzu text: exports of UVProbe and LabSolutions, and of the infrared program.

    "sample - RawData"                     the name of the data set, if any
    "Wavelength nm.","Abs."                or WL/nm,Abs
    800.00,0.080

    ##TITLE=No Description                 JCAMP-like lines, then plain pairs without ##XYDATA
    ##XUNITS=1/CM
    ##YUNITS=%T
    399.264912  81.708257

    [SUMMARY] … Measuring Mode:<tab>Transmittance … [DATA]      UVProbe's export with everything it knows
    Wavelength<tab>Data

No date in the first two. UVProbe leaves the value empty where a scan was stopped: such rows are left out, and
the header says how many.
"""

from __future__ import annotations

import re
from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers._spectrum import (
    NameAndUnit,
    axis_of,
    curves,
    dialect_of,
    end_of_rows,
    first_row,
    head_lines,
    is_row,
    lines_of,
    put,
    rows,
    signal_of,
    understood,
)
from measurements.readers._titles import name_and_unit
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Shimadzu text",
    extensions=(".txt", ".csv"),
    vendor="Shimadzu",
    techniques=("uvvis", "ftir"),
    description="Spectra exported as text from UVProbe, LabSolutions UV-Vis or IRsolution.",
    max_bytes=64 * 1024**2,
)
VERSION = 2

X_TITLES = re.compile(r"(?:wavelength\s*\(?nm\.?\)?|wl/nm|wavelength nm\.)$", re.IGNORECASE)
Y_TITLES = re.compile(r"(?:abs\.?|absorbance|t%|%t|r%|%r|int\.?|e)$", re.IGNORECASE)
MODES: dict[str, NameAndUnit] = {
    "transmittance": ("Transmittance", "%"), "reflectance": ("Reflectance", "%"),
}  # fmt: skip
SUMMARY: dict[str, NameAndUnit] = {
    "Date/Time": ("local_time", ""), "Analyst": ("operator", ""), "Comments": ("comment", ""),
    "Instrument Name": ("instrument", ""), "Instrument Type": ("instrument", ""),
    "Slit Width": ("bandwidth", "nm"), "Measuring Mode": ("mode", ""),
    "Path Length": ("thickness", "mm"), "Software Name": ("software", ""),
}  # fmt: skip
NAMES = re.compile(r"\.spc\b| - (?:raw ?data|storage|sample|smoothed|result)", re.IGNORECASE)


def recognises(head: bytes, filename: str) -> float:
    lines = head_lines(head, 40)
    if _is_infrared(lines) or _is_summary(lines):
        return 0.9
    return 0.9 if _title_line(lines[:4]) is not None else 0.0


def _is_infrared(lines: list[str]) -> bool:
    """Labelled lines directly followed by pairs: JCAMP-DX would name their form first."""
    labels = [line for line in lines if line.startswith("##")]
    after = lines[len(labels) :]
    named = {"##DATA TYPE", "##XUNITS", "##YUNITS"} <= {line.partition("=")[0] for line in labels}
    return named and lines[: len(labels)] == labels and bool(after) and is_row(after[0]) and not any(
        line.startswith(("##XYDATA", "##XYPOINTS", "##PEAK", "##NTUPLES")) for line in labels
    )  # fmt: skip


def _is_summary(lines: list[str]) -> bool:
    sections = {"[SUMMARY]", "[METHOD]", "[DATA]"} & {line.strip() for line in lines}
    return "[SUMMARY]" in sections and any(line.startswith("Software Name:\tUV") for line in lines)


def _title_line(lines: list[str]) -> int | None:
    """The index of the titles, if the lines before them name a Shimadzu data set."""
    for index, line in enumerate(lines):
        cells = [cell.strip().strip('"') for cell in re.split(r"[,;\t]", line)]
        fits = len(cells) >= 2 and X_TITLES.match(cells[0]) and Y_TITLES.match(cells[1])
        own_words = cells[0].lower() == "wavelength nm."
        if fits and (own_words or any(NAMES.search(above) for above in lines[:index])):
            return index
    return None


def read(path: Path) -> list[Dataset]:
    lines = lines_of(path)
    if _is_infrared(lines[:40]):
        return _infrared(lines)
    if _is_summary(lines[:40]):
        return _summary(lines)
    titles_at = _title_line(lines[:4])
    if titles_at is None:
        raise ReadError("the line of titles (wavelength, absorbance) is missing. Export the spectrum again.")
    begin = first_row(lines, titles_at + 1)
    dialect = dialect_of(lines[begin])
    block = lines[begin : end_of_rows(lines, begin)]
    separator = dialect.delimiter or "\0"
    measured = [line for line in block if len(dialect.cells(line)) > 1 or separator not in line]
    table = rows([*lines[:begin], *measured], begin, begin + len(measured), dialect)
    titles = [cell.strip().strip('"') for cell in re.split(r"[,;\t]", lines[titles_at])]
    header: dict[str, str] = {}
    for number, line in enumerate(lines[:begin], start=1):
        if line.strip():
            put(header, f"line {number}", line)
    if len(measured) < len(block):
        header["Rows without a value, left out"] = str(len(block) - len(measured))
    words_above = re.split(r"[,;\t]", lines[0]) if titles_at else []
    names = [cell.strip(' "') for cell in words_above if cell.strip(' "')]
    signals: list[tuple[NameAndUnit, str]] = []
    for column in range(1, table.shape[1]):
        words = titles[column] if column < len(titles) else "y"
        known = signal_of(words)
        title = names[column - 1] if len(names) == table.shape[1] - 1 and len(names) > 1 else ""
        signals.append(
            (
                known if known[1] else name_and_unit(words),
                title or (f"column {column + 1}" if column > 1 else ""),
            )
        )
    conditions = condition("sample_name", names[0] if names else None)
    return curves(table, axis_of(titles[0]), signals, header, conditions, "uvvis")


def _infrared(lines: list[str]) -> list[Dataset]:
    header: dict[str, str] = {}
    begin = first_row(lines)
    for line in lines[:begin]:
        key, _, value = line.removeprefix("##").partition("=")
        if key.strip():
            put(header, key, value)
    table = rows(lines, begin, end_of_rows(lines, begin), dialect_of(lines[begin]), columns=2)
    infrared = "INFRARED" in header.get("DATA TYPE", "").upper()
    return curves(
        table,
        axis_of(header.get("XUNITS", "")),
        [(signal_of(header.get("YUNITS", "")), "")],
        header,
        condition("sample_name", header.get("TITLE")),
        "ftir" if infrared else "",
    )


def _summary(lines: list[str]) -> list[Dataset]:
    """Settings under headings, then the curve under [DATA]."""
    data_at = next((index for index, line in enumerate(lines) if line.strip() == "[DATA]"), None)
    if data_at is None:
        raise ReadError("the section [DATA] is missing. Was the file cut off? Export it again.")
    header: dict[str, str] = {}
    for number, line in enumerate(lines[:data_at], start=1):
        key, colon, value = line.partition(":")
        if line.strip():
            put(header, key if colon else f"line {number}", value if colon else line)
    begin = first_row(lines, data_at + 1)
    titles = [cell.strip() for cell in lines[begin - 1].split("\t")]
    table = rows(lines, begin, end_of_rows(lines, begin), dialect_of(lines[begin]), columns=2)
    x = axis_of(titles[0])
    if x[0] == "Wavelength":
        x = ("Wavelength", "nm")  # UVProbe measures in nothing else: “Wavelength Range (nm.)”
    mode = header.get("Measuring Mode", "")
    signal = MODES.get(mode.lower()) or signal_of(mode or "y")
    return curves(table, x, [(signal, "")], header, understood(header, SUMMARY), "uvvis")
