"""Decays that PicoQuant's EasyTau exports as text from a FluoTime spectrometer.

    Parameters:
      Sample : MAPbI3
      Exc_Wavelength : 505.5 nm
      Sync_Frequency : 500000 Hz
    Data:
    Time [ns]	Intensity [Cnts.]
    0	462

One time and one or more columns of counts (decay, IRF), or pairs of time and counts. Spectra that EasyTau
exports have the same form with a wavelength in the first column. Date and time have no zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _thermal
from measurements.readers._text import decoded, open_text
from measurements.readers._titles import name_and_unit
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PicoQuant FluoTime text",
    extensions=(".dat", ".txt"),
    vendor="PicoQuant",
    techniques=("trpl", "pl"),
    description="Decays and spectra of FluoTime spectrometers, exported as text from EasyTau.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

SETTINGS = {
    "Exc_Wavelength": "excitation_wavelength", "Exc_Bandpass": "excitation_bandwidth",
    "Det_Wavelength": "emission_wavelength", "Det_Bandpass": "emission_bandwidth",
    "Sync_Frequency": "repetition_rate", "Signal_Rate": "count_rate", "Meas_Time": "exposure_time",
    "Meas_BinWidth": "channel_width", "Detector": "detector", "Sample": "sample_name", "Solvent": "solvent",
    "Comment": "comment", "PhotonCounter": "instrument", "Temperature": "temperature",
}  # fmt: skip
SETTING = re.compile(r"^\s*(?P<key>\w[\w ().]*?)\s*:\s*(?P<value>.*?)\s*$")
AMOUNT = re.compile(r"^(?P<number>[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?)\s*(?P<unit>\S*)$")
UNKNOWN = "<unspecified>"
COUNTS = {"cnts.": "counts", "cnts": "counts", "counts": "counts"}


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head)
    except ReadError:
        return False
    return bool(re.match(r"\ufeff?\s*Parameters:\s*\n", text)) and bool(
        re.search(
            r"^\s*(?:Exc_Wavelength|Det_Wavelength|PhotonCounter|Sync_Frequency|Meas_BinWidth)\s*:",
            text,
            re.M,
        )
    )


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    at = next((number for number, line in enumerate(lines) if line.strip() == "Data:"), None)
    if at is None or at + 1 >= len(lines):
        raise ReadError(
            "the file ends before its data. Was the export cut off? Export it again.", line=len(lines)
        )
    titles = [name_and_unit(title) for title in lines[at + 1].rstrip("\t\r ").split("\t")]
    if len(titles) < 2:
        raise ReadError("there is only one column. Export time and counts.", line=at + 2)
    header = _header(lines[:at])
    rows = [line.rstrip("\t\r ") for line in lines[at + 2 :]]
    dialect = _thermal.Dialect("\t", decimal_comma=any("," in row for row in rows[:200]))
    conditions = _conditions(header)
    datasets = []
    for places in _curves(titles):
        table = _thermal.table_in(_of_curve(rows, places, len(titles)), dialect, len(places), at + 3)
        own = header | {f"line {number}": text for number, text in table.remarks.items()}
        axis_name, axis_unit = titles[places[0]]
        axis = Axis(axis_name, axis_unit, table.rows[:, 0].copy())
        for index, place in enumerate(places[1:], start=1):
            name, unit = titles[place]
            datasets.append(
                Dataset(
                    signal=Signal(name, COUNTS.get(unit.lower(), unit), table.rows[:, index].copy()),
                    axes=(axis,),
                    header=own,
                    conditions=conditions,
                    title=name if len(titles) > 2 else header.get("Sample", ""),
                    technique="trpl" if axis_name.lower() == "time" else "pl" if axis_unit == "nm" else "",
                )
            )
    if not datasets or not datasets[0].signal.values.size:
        raise ReadError("there are no rows below the titles. Export it again.", line=at + 3)
    return datasets


def _header(lines: Sequence[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = SETTING.match(line)
        if (
            found
            and found["key"] not in header
            and found["key"] != "Parameters"
            and "DEV" not in found["key"]
        ):
            header[found["key"]] = found["value"]
        elif line.strip(" :\t\r") and line.strip() != "Parameters:":
            header[f"line {number}"] = line.strip()
    return header


def _curves(titles: Sequence[tuple[str, str]]) -> list[list[int]]:
    """The columns of each group: a time, then what was counted at these times."""
    starts = [place for place, (name, _) in enumerate(titles) if name.lower() == titles[0][0].lower()]
    return [list(range(start, stop)) for start, stop in zip(starts, [*starts[1:], len(titles)], strict=True)]


def _of_curve(rows: Sequence[str], places: Sequence[int], columns: int) -> list[str]:
    """The cells of one group in every row; where a curve is shorter than others its cells are empty."""
    if len(places) == columns:
        return list(rows)
    own = []
    for row in rows:
        cells = row.split("\t")
        mine = [cells[place].strip() if place < len(cells) else "" for place in places]
        own.append("\t".join(mine) if any(mine) else "")
    return own


def _conditions(header: Mapping[str, str]) -> dict[str, Quantity]:
    known: dict[str, Quantity] = {}
    for key, name in SETTINGS.items():
        value = header.get(key, "")
        if not value or value == UNKNOWN:
            continue
        amount = AMOUNT.match(value)
        known |= condition(name, amount["number"].replace(",", "."), amount["unit"]) if amount else {}
        if name not in known:
            known |= condition(name, value)
    moment = f"{header.get('Start_Date', '')} {header.get('Start_Time', '')}"
    return known | condition("local_time", moment)
