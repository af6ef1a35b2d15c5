"""XDI, the X-ray Absorption Data Interchange: tagged comments, then columns.

    # XDI/1.0 GSE/1.0
    # Column.1: energy eV
    # Element.symbol: Cu
    # ///                     what the user wrote
    # ---                     then the names of the columns once more

Also files in its style by EPICS StepScan, with the process variables behind “||”. Rows after a new
Outer.value are datasets of their own. A time counts as the moment only with its zone. There are no errors.

B. Ravel, M. Newville, J. Phys. Conf. Ser. 712 (2016) 012148.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers._rows import rows_of
from measurements.readers._text import decoded, open_text
from measurements.readers._xas import column_datasets, unit_of
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="XDI",
    extensions=(".xdi", ".dat"),
    vendor="XAS community",
    techniques=("xas",),
    description="X-ray absorption scans in the XAS Data Interchange format of beamlines and databases.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

FIRST_LINE = re.compile(r"^\s*[#%;]+\s*XDI/\d")
FIELD = re.compile(r"^(?P<family>[A-Za-z_]\w*)\.(?P<key>[\w.-]+)\s*:\s*(?P<value>.*?)\s*$")
USER_COMMENTS, END_OF_HEADER = re.compile(r"^/{3,}"), re.compile(r"^-{3,}\s*$")


def recognises(head: bytes, filename: str) -> bool:
    try:
        return bool(FIRST_LINE.match(decoded(head[:200])))
    except ReadError:
        return False


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    if not FIRST_LINE.match(lines[0]):
        raise ReadError("the first line does not say XDI. Copy the file again.", line=1)
    header, labels, first = _header(lines)
    known = {key.lower(): value for key, value in header.items()}
    conditions = _conditions(known)
    datasets: list[Dataset] = []
    start, outer = first, ""
    for place in range(first, len(lines) + 1):
        line = lines[place].strip() if place < len(lines) else "#"
        if line and not line.startswith("#"):
            continue
        if place > start:
            rows = rows_of(lines[start:place], start + 1)
            names, units = _columns(known, labels, rows.shape[1])
            title = _outer(known, outer)
            datasets += column_datasets(
                rows, names, units, header, conditions, title, _acquired_at(known), start + 1
            )
        start = place + 1
        found = FIELD.match(line.lstrip("#").strip())
        if found and found["family"].lower() == "outer":
            outer = found["value"]
    return datasets


def _header(lines: list[str]) -> tuple[dict[str, str], list[str], int]:
    """The fields and the user's comments, the names in the last line, and where the rows begin."""
    header = {"version": lines[0].lstrip("#%; ").strip()}
    comments: list[str] = []
    labels: list[str] = []
    is_comment = False
    place = 1
    while place < len(lines) and (not lines[place].strip() or lines[place].lstrip()[0] in "#%;"):
        text = lines[place].strip().lstrip("#%;").strip()
        place += 1
        found = FIELD.match(text)
        if USER_COMMENTS.match(text):
            is_comment = True
        elif END_OF_HEADER.match(text):
            is_comment, labels = False, []
        elif found and not is_comment:
            header[f"{found['family']}.{found['key']}"] = found["value"]
        elif text:
            (comments if is_comment else labels).append(text)
    if comments:
        header["comments"] = "\n".join(comments)
    return header, labels[-1].split() if labels else [], place


def _columns(known: Mapping[str, str], labels: list[str], count: int) -> tuple[list[str], list[str]]:
    """Names and units: those of Column.N, else those of the last line of the header."""
    announced = sorted(
        int(key[7:]) for key in known if key.startswith("column.") and re.fullmatch(r"\d{1,4}", key[7:])
    )
    if announced and announced != list(range(announced[0], announced[-1] + 1)):
        raise ReadError(
            f"this is an XDI file, but its header names the columns {', '.join(map(str, announced))}, which "
            f"leaves a gap, so it is not certain which of the {count} columns is which. Number them from 1 "
            "in the lines # Column.N."
        )
    names, units = [], []
    for number in range(1, count + 1):
        words = known.get(f"column.{number}", "").partition("||")[0].split(maxsplit=1)
        fallback = labels[number - 1] if len(labels) == count else f"col{number}"
        names.append(words[0] if words else fallback)
        units.append(unit_of(words[1]) if len(words) > 1 else "")
    return names, units


def _outer(known: Mapping[str, str], value: str) -> str:
    value = value or known.get("outer.value", "")
    return f"{known.get('outer.name', 'outer')} = {value}" if value else ""


def _conditions(known: Mapping[str, str]) -> dict[str, Quantity]:
    def said(*keys: str) -> str:
        return next((value for key in keys if (value := known.get(key, "").partition("||")[0].strip())), "")

    spacing = said("mono.d_spacing", "mono.dspacing").split()
    temperature = re.fullmatch(r"([-+\d.]+)\s*(°?[CK])", said("sample.temperature"))
    return {
        **condition("element", said("element.symbol", "scan.element", "scanparameters.element")),
        **condition("edge", said("element.edge", "scan.edge", "scanparameters.edge")),
        **condition("monochromator", said("mono.name")),
        **condition("d_spacing", spacing[0] if spacing else None, "Å"),
        **condition("detector", said("detector.fluorescence", "detector.i1", "detector.it", "detector.i0")),
        **condition("sample_name", said("sample.name")),
        **condition("composition", said("sample.formula")),
        **condition("instrument", said("beamline.name")),
        **(condition("temperature", temperature[1], temperature[2]) if temperature else {}),
        **(condition("local_time", said("scan.start_time")) if _acquired_at(known) is None else {}),
    }


def _acquired_at(known: Mapping[str, str]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(known.get("scan.start_time", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
