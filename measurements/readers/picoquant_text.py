"""Histograms that the programs of PicoQuant's counters export as text (TimeHarp, PicoHarp, HydraHarp).

    #TimeHarp 260  Histogram Data			08/13/25 15:09:45
    #channels per curve
    32768
    #ns/bin
    1.0000
    #counts
    0	12
    1	15

One column for each curve. The file gives no times: channel n begins n times the width of a channel after the
first. Date and time have no zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers import _thermal
from measurements.readers._numbers import Dialect
from measurements.readers._text import as_number, decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PicoQuant histogram text",
    extensions=(".dat", ".txt"),
    vendor="PicoQuant",
    techniques=("trpl",),
    description="Decay curves exported as text from TimeHarp, PicoHarp or HydraHarp software; one or several "
    "curves.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

TITLE = re.compile(r"^#(?P<instrument>\S.*?)\s+Histogram Data\b[\s-]*(?P<rest>.*)$")
WIDTHS = ("ns/bin", "ns/channel", "ps/bin", "ps/channel")


def recognises(head: bytes, filename: str) -> bool:
    try:
        lines = [line.strip() for line in decoded(head).split("\n")[:40]]
    except ReadError:
        return False
    return any(TITLE.match(line) for line in lines) and any(line == "#channels per curve" for line in lines)


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    at = next((number for number, line in enumerate(lines) if line.strip().lower() == "#counts"), None)
    if at is None:
        raise ReadError(
            "the file ends before #counts. Was the export cut off? Export the histogram again.",
            line=len(lines),
        )
    header = _header(lines[:at])
    widths_ns = _widths_ns(header)
    table = _thermal.table_in(lines[at + 1 :], _dialect(lines[at + 1 :]), _columns(lines[at + 1 :]), at + 2)
    counts = table.rows
    _refuse_cut_off(len(counts), header)
    header |= {f"line {number}": text for number, text in table.remarks.items()}
    blocks = header.get("memory block no.", "").split()
    datasets = []
    for column in range(counts.shape[1]):
        width_ns = widths_ns[min(column, len(widths_ns) - 1)]
        block = blocks[column] if column < len(blocks) else str(column)
        datasets.append(
            Dataset(
                signal=Signal("Counts", "counts", counts[:, column].copy()),
                axes=(Axis("Time", "ns", np.arange(len(counts), dtype=np.float64) * width_ns),),
                header=header,
                conditions={
                    **condition("channel_width", width_ns, "ns"),
                    **condition("instrument", header.get("instrument")),
                    **condition("local_time", header.get("exported")),
                },
                title=f"Curve {block}",
                technique="trpl",
            )
        )
    return datasets


def _header(lines: Sequence[str]) -> dict[str, str]:
    """“#name” and the value in the line below it."""
    header: dict[str, str] = {}
    name = ""
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if found := TITLE.match(text):
            header["title"] = text.lstrip("#")
            header["instrument"] = found["instrument"]
            header["exported"] = found["rest"].strip()
        elif text.startswith("#"):
            name = text[1:].strip()
        elif text:
            header[name if name and name not in header else f"line {number}"] = text
    return header


def _widths_ns(header: Mapping[str, str]) -> list[float]:
    name = next((name for name in WIDTHS if header.get(name)), None)
    numbers = [as_number(cell.replace(",", ".")) for cell in header[name].split()] if name else []
    widths = [number for number in numbers if number is not None and 0 < number < 1e9]
    if name is None or not widths or len(widths) != len(numbers):
        raise ReadError(
            "the header does not give the width of a channel (#ns/bin). Export the histogram again."
        )
    return [width * (1e-3 if name.startswith("ps") else 1.0) for width in widths]


def _columns(lines: Sequence[str]) -> int:
    return len(next((line for line in lines if line.strip()), "0").replace(",", " ").split())


def _dialect(lines: Sequence[str]) -> Dialect:
    """Counts are whole numbers, so a comma can only be between columns."""
    return Dialect("," if "," in next((line for line in lines if line.strip()), "") else None)


def _refuse_cut_off(channels: int, header: Mapping[str, str]) -> None:
    announced = header.get("channels per curve", "").split()
    wanted = int(announced[0]) if announced and announced[0].isdecimal() and len(announced[0]) < 10 else None
    if not channels or (wanted is not None and channels != wanted):
        raise ReadError(
            f"the header announces {wanted or 'some'} channels, the file has {channels}. It was probably cut "
            "off: export it again."
        )
