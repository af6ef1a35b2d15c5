"""Rigaku RAS: text of `*KEY "value"` lines and blocks of three columns, one block for each scan.

The third column is the factor of the attenuator; the intensity is multiplied with it, as Rigaku's programs
show it. Times have no zone. SmartLab Studio also exports the keys and two columns without the marks of blocks
(“text”): there, what is said of an attenuator is in a comment, and nothing is multiplied.
"""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import _diffraction as xrd
from measurements.readers import _rigaku
from measurements.readers._text import decoded, open_text
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Rigaku RAS",
    extensions=(".ras", ".txt"),
    vendor="Rigaku",
    techniques=("xrd",),
    description="Scans of SmartLab, Ultima and MiniFlex as text, with the attenuator applied.",
    max_bytes=16 * 1024**2,
)
VERSION = 2


MARKS = (b"*RAS_DATA_START", b"*RAS_HEADER_START", b"*RAS_INT_START")


def recognises(head: bytes, filename: str) -> float:
    if any(mark in head for mark in MARKS):
        return 1.0
    try:
        lines = decoded(head).splitlines()
    except ReadError:
        return NEVER
    keys = {line.partition(" ")[0] for line in lines if line.startswith("*")}
    return 0.9 if "*MEAS_SCAN_AXIS_X" in keys and len(keys) > 2 else NEVER


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        lines = text.read().split("\n")
    marks = sum(line.strip() == "*RAS_INT_START" for line in lines)
    scans: list[list[Dataset]] = []
    header: dict[str, str] = {}
    first_row: int | None = None
    for number, line in enumerate((*lines, "*RAS_INT_END"), start=1):
        word = line.strip()
        ends = word in ("*RAS_INT_END", "*RAS_DATA_END") or (not marks and word.startswith("*"))
        if ends and first_row is not None:
            title = f"scan {len(scans) + 1}" if marks > 1 else ""
            at_end = number > len(lines)
            scans.append(_scan(lines[first_row : number - 1], first_row + 1, header, title, at_end))
            header, first_row = (header, None) if marks else ({}, None)
        if word == "*RAS_HEADER_START":
            header = {}
        elif word == "*RAS_INT_START":
            first_row = number
        elif word.startswith("*") and first_row is None:
            key, _, value = word[1:].partition(" ")
            if value:
                header[key] = value.strip().strip('"')
        elif not marks and first_row is None and word.startswith("#"):
            header[f"line {number}"] = word
        elif not marks and first_row is None and word and header:
            first_row = number - 1
    datasets = _rigaku.in_order(scans)
    if not datasets:
        raise ReadError("there are no points between *RAS_INT_START and *RAS_INT_END. Export the scan again.")
    return datasets


def _scan(lines: list[str], first_line: int, header: dict[str, str], title: str, cut: bool) -> list[Dataset]:
    kept = ["" if line.lstrip().startswith("#") else line for line in lines]
    rows = xrd.numbers_in(kept, first_line, form="position, intensity and attenuator")
    announced = xrd.as_float(header.get("MEAS_DATA_COUNT"))
    if cut and announced is not None and len(rows) < announced:
        raise ReadError(
            f"the header announces {announced:g} points, but the file ends after {len(rows)}. It was cut "
            "off: copy it again.",
            line=first_line + len(lines) - 1,
        )
    left_out = sum(line.lstrip().startswith("#") for line in lines)
    own = header | ({"rows marked as comments": str(left_out)} if left_out else {})
    word = header.get("MEAS_SCAN_AXIS_X", "Position")
    if title:
        title += f", {xrd.axis_name(word)}"
    return _rigaku.scan(
        rows, word, header.get("MEAS_SCAN_UNIT_X", ""), header.get("MEAS_SCAN_UNIT_Y", ""), own,
        _conditions(header), header.get("MEAS_SCAN_START_TIME", ""), title,
    )  # fmt: skip


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    step = xrd.as_float(header.get("MEAS_SCAN_STEP"))
    return {
        **xrd.tube(
            alpha1=header.get("HW_XG_WAVE_LENGTH_ALPHA1"),
            alpha2=header.get("HW_XG_WAVE_LENGTH_ALPHA2"),
            anode=header.get("HW_XG_TARGET_NAME"),
            kilovolt=header.get("MEAS_COND_XG_VOLTAGE"),
            milliampere=header.get("MEAS_COND_XG_CURRENT"),
        ),
        **condition("step_size", step, header.get("MEAS_SCAN_UNIT_X", "deg")),
        **_rigaku.dwell(
            step, xrd.as_float(header.get("MEAS_SCAN_SPEED")), header.get("MEAS_SCAN_SPEED_UNIT", "")
        ),
        **_temperature(header),
        **condition("mode", header.get("MEAS_SCAN_MODE")),
        **condition("detector", header.get("HW_COUNTER_SELECT_NAME") or header.get("HW_COUNTER_NAME-0")),
        **condition("instrument", header.get("FILE_SYSTEM_NAME")),
        **condition("operator", header.get("FILE_OPERATOR")),
        **condition("sample_name", header.get("FILE_SAMPLE")),
        **condition("comment", header.get("FILE_COMMENT")),
    }


def _temperature(header: dict[str, str]) -> dict[str, Quantity]:
    """MEAS_COND_AXIS_NAME-7 "Temperature" with MEAS_COND_AXIS_POSITION-7 and …_UNIT-7."""
    for key, value in header.items():
        name, _, place = key.rpartition("-")
        if name == "MEAS_COND_AXIS_NAME" and value.lower().startswith("temp"):
            unit = header.get(f"MEAS_COND_AXIS_UNIT-{place}", "") or "°C"
            return condition(
                "temperature", xrd.as_float(header.get(f"MEAS_COND_AXIS_POSITION-{place}")), unit
            )
    return {}
