"""Philips UDF: `Key,value,/` lines, `RawScan`, then counts separated by commas up to a slash.

Written by PC-APD and still by PANalytical's programs. Times have no zone. Written after public
descriptions, and tried with patterns of an Aeris.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from measurements.data import Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Philips UDF",
    extensions=(".udf",),
    vendor="Malvern PANalytical",
    techniques=("xrd",),
    description="Scans of Philips and PANalytical diffractometers as text.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

SETTING = re.compile(r"\s*(?P<key>\w+)\s*,(?P<value>.*?),?\s*/?\s*$")


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head).lstrip("\ufeff \r\n")
    except ReadError:
        return False
    return text.startswith("SampleIdent,") and ("RawScan" in text or "DataAngleRange" in text)


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    begin = next((number for number, line in enumerate(lines) if line.strip() == "RawScan"), None)
    if begin is None:
        raise ReadError("there is no RawScan in it. Was the file cut off? Copy it again.")
    header: dict[str, str] = {}
    for line in lines[:begin]:
        if found := SETTING.match(line):
            header.setdefault(found["key"], found["value"].strip())
    counts, slash, _ = "\n".join(lines[begin + 1 :]).partition("/")
    if not slash:
        raise ReadError(
            "the counts end without a slash: the file was cut off. Copy it again.", line=len(lines)
        )
    rows = xrd.numbers_in(counts.split("\n"), begin + 2, comma="separator", form="counts")
    values = np.array([value for row in rows for value in row])
    ends = [xrd.as_float(text) for text in header.get("DataAngleRange", "").split(",")]
    step = xrd.as_float(header.get("ScanStepSize"))
    if ends[0] is None or step is None:
        raise ReadError("the header has no DataAngleRange and ScanStepSize. Export the scan again.")
    axis = xrd.axis("2Theta", xrd.stepped(ends[0], step, values.size))
    last = ends[1] if len(ends) > 1 else None
    if last is not None and abs(axis.values[-1] - last) > 2 * abs(step):
        raise ReadError(
            f"the header announces a scan to {last:g}°, but its {values.size} counts end at "
            f"{axis.values[-1]:g}°. Was the file cut off? Copy it again."
        )
    signal = Signal("Intensity", "counts", values)
    return [Dataset(signal, (axis,), header, conditions=_conditions(header, step), technique="xrd")]


def _conditions(header: dict[str, str], step: float) -> dict[str, Quantity]:
    return {
        **xrd.tube(
            alpha1=header.get("LabdaAlpha1"),
            alpha2=header.get("LabdaAlpha2"),
            ratio=header.get("RatioAlpha21"),
            anode=header.get("Anode"),
            kilovolt=header.get("GeneratorVoltage"),
            milliampere=header.get("TubeCurrent"),
        ),
        **condition("step_size", step, "deg"),
        **condition("dwell_time", xrd.as_float(header.get("ScanStepTime")), "s"),
        **condition("mode", header.get("ScanType")),
        **condition("instrument", header.get("DiffrType", "").strip("? ")),
        **condition("local_time", header.get("FileDateTime")),
        **condition("sample_name", header.get("SampleIdent")),
        **condition("comment", header.get("Title1")),
    }
