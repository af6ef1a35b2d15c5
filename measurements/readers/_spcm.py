"""The texts of Becker & Hickl's SPCM: what was typed in, and the parameters of its setup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from measurements.data import Quantity
from measurements.readers._text import as_number
from measurements.vocabulary import condition

PARAMETER = re.compile(r"^\s*#(?P<group>\w+)\s+\[(?P<name>\w+),\w,(?P<value>.*)\]\s*$")
SETTING = re.compile(r"^\s*(?P<key>\w[\w ]*?)\s*:(?:\s+(?P<value>.*?))?\s*$")
UNKNOWN = "Unknown"


def settings(lines: Sequence[str]) -> dict[str, str]:
    """“Title : x” and “#SP [SP_COL_T,F,60]” as key and value; other lines under their number."""
    header: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        parameter, setting = PARAMETER.match(line), SETTING.match(line)
        if parameter and parameter["name"] not in header:
            header[parameter["name"]] = parameter["value"]
        elif setting and not parameter and setting["key"] not in header:
            header[setting["key"]] = setting["value"] or ""
        elif line.strip():
            header[f"line {number}"] = line.strip()
    return header


def conditions(header: Mapping[str, str]) -> dict[str, Quantity]:
    """The collection time is what was asked for: a measurement may have been stopped before."""
    collected_s = as_number(header.get("SP_COL_T", ""))
    author = header.get("Author")
    return {
        **condition("sample_name", header.get("Title")),
        **condition("operator", author if author != UNKNOWN else None),
        **condition("comment", header.get("Contents")),
        **condition("local_time", f"{header.get('Date', '')} {header.get('Time', '')}"),
        **(condition("exposure_time", collected_s, "s") if collected_s and collected_s > 0 else {}),
    }
