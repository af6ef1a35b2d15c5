"""What electron microscopes write into private tags of their TIFF images, and beside them.

Zeiss (34118, 34119), FEI and Thermo (34680, 34682), Tescan (50431), text files of JEOL and Hitachi: each is
lines of key and value; only a few of them are understood here, all of them are kept.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from measurements.data import Quantity
from measurements.readers._text import as_number
from measurements.vocabulary import condition

AMOUNT = re.compile(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(K(?=\s*[xX]))?\s*(\S*)")


class Tags(NamedTuple):
    """pixel_nm : width and height of a pixel, or None"""

    vendor: str
    header: dict[str, str]
    conditions: dict[str, Quantity]
    pixel_nm: tuple[float, float] | None


def zeiss(text: str) -> Tags:
    """Pairs of lines: AP_WD, then "WD =  5.7 mm". Above them bare numbers; the fourth is the pixel in m."""
    lines = [line.rstrip("\r") for line in text.replace("\0", "").split("\n")]
    header = {}
    for key, line in itertools.pairwise(lines):
        if re.fullmatch(r"(?:AP|DP|SV)_\w+", key) and re.search(r"[=:]", line):
            header[key] = line.strip()
    values = {key: re.split(r"\s*[=:]\s*", line, maxsplit=1)[1] for key, line in header.items()}
    known = _known(values, {
        "AP_ACTUALKV": "acceleration_voltage", "AP_WD": "working_distance", "AP_MAG": "magnification",
        "AP_IPROBE": "beam_current", "DP_DWELL_TIME": "dwell_time", "AP_STAGE_AT_T": "tilt",
        "DP_DETECTOR_TYPE": "detector", "DP_SEM": "instrument", "SV_SAMPLE_ID": "sample_name",
        "SV_OPERATOR": "operator", "SV_USER_TEXT": "comment", "SV_VERSION": "software",
    })  # fmt: skip
    moment = " ".join(filter(None, (values.get("AP_DATE"), values.get("AP_TIME"))))
    size_m = as_number(lines[3]) if len(lines) > 3 else None
    size_nm = size_m * 1e9 if size_m else _length_nm(values.get("AP_IMAGE_PIXEL_SIZE", ""))
    return _tags("Zeiss", header, known | condition("local_time", moment), size_nm, size_nm)


def fei(text: str) -> Tags:
    """[Section] and key=value; SI units throughout. [Beam] Beam names the section of the beam in use."""
    header = ini(text)
    beam = header.get("Beam/Beam") or "EBeam"

    def said(name: str, unit: str) -> tuple[str | None, str]:
        value = header.get(f"{beam}/{name}") or header.get(f"Beam/{name}") or header.get(f"EBeam/{name}")
        return value or None, unit

    tilt = header.get("Stage/StageT")
    known = {
        **condition("acceleration_voltage", *said("HV", "V")),
        **condition("working_distance", *said("WD", "m")),
        **condition("beam_current", *said("BeamCurrent", "A")),
        **condition("dwell_time", header.get("Scan/Dwelltime") or header.get("Scan/DwellTime") or None, "s"),
        **condition("tilt", tilt or None, "rad"),
        **condition("detector", header.get("Detectors/Name")),
        **condition("instrument", header.get("System/SystemType") or header.get("System/Type")),
        **condition("magnification", header.get("Image/Magnification") or None),
        **condition("operator", header.get("User/User")),
        **condition("comment", header.get("User/UserText")),
        **condition("local_time", " ".join(header.get(f"User/{name}", "") for name in ("Date", "Time"))),
    }
    width, height = (as_number(header.get(f"Scan/Pixel{side}", "")) for side in ("Width", "Height"))
    return _tags("FEI", header, known, width and width * 1e9, height and height * 1e9)


def tescan(text: str) -> Tags:
    """[MAIN] and [SEM] with key=value in SI units, after a few binary bytes."""
    header = ini(text[max(text.find("[MAIN]"), 0) :])
    known = {
        **condition("acceleration_voltage", header.get("SEM/HV"), "V"),
        **condition("working_distance", header.get("SEM/WD"), "m"),
        **condition("magnification", header.get("MAIN/Magnification")),
        **condition("dwell_time", header.get("SEM/DwellTime"), "s"),
        **condition("beam_current", header.get("SEM/PredictedBeamCurrent"), "A"),
        **condition("detector", header.get("SEM/Detector")),
        **condition("instrument", header.get("MAIN/Device") or header.get("MAIN/DeviceModel")),
        **condition("operator", header.get("MAIN/UserName")),
        **condition("local_time", " ".join(header.get(f"MAIN/{name}", "") for name in ("Date", "Time"))),
    }
    width, height = (as_number(header.get(f"MAIN/PixelSize{side}", "")) for side in "XY")
    return _tags("Tescan", header, known, width and width * 1e9, height and height * 1e9)


def jeol(text: str) -> Tags:
    """$CM_MAG 5000 and the like; the scale bar tells the pixel: its length in pixels and in words."""
    header: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition(" ")
        if key.startswith("$"):
            header[key] = value.strip()
    known = {
        **condition("acceleration_voltage", header.get("$CM_ACCEL_VOLT"), "kV"),
        **condition("magnification", header.get("$CM_MAG")),
        **condition("working_distance", header.get("$$SM_WD") or header.get("$SM_WD"), "mm"),
        **condition("detector", header.get("$CM_SIGNAL_NAME") or header.get("$CM_SIGNAL")),
        **condition("instrument", header.get("$CM_INSTRUMENT")),
        **condition("operator", header.get("$CM_OPERATOR")),
        **condition("comment", header.get("$CM_COMMENT")),
        **condition("sample_name", header.get("$CM_TITLE")),
        **condition("local_time", " ".join(header.get(f"$CM_{name}", "") for name in ("DATE", "TIME"))),
    }
    bar_pixels = as_number(header.get("$$SM_MICRON_BAR", "") or header.get("$SM_MICRON_BAR", ""))
    bar_nm = _length_nm(header.get("$$SM_MICRON_MARKER", "") or header.get("$SM_MICRON_MARKER", ""))
    size = bar_nm / bar_pixels if bar_nm and bar_pixels else None
    return _tags("JEOL", header, known, size, size)


def hitachi(text: str) -> Tags:
    """[SemImageFile] and key=value; PixelSize is in nm."""
    header = ini(text)
    said = {key.partition("/")[2]: value for key, value in header.items()}
    known = _known(said, {
        "AcceleratingVoltage": "acceleration_voltage", "WorkingDistance": "working_distance",
        "Magnification": "magnification", "SignalName": "detector", "InstructName": "instrument",
        "SampleName": "sample_name",
    })  # fmt: skip
    # Hitachi writes “5000 Volt” and “8500 um”
    volts = said.get("AcceleratingVoltage", "").split()
    known |= condition("acceleration_voltage", volts[0] if volts else None, "V")
    known |= condition("local_time", " ".join(said.get(name, "") for name in ("Date", "Time")))
    size = as_number(said.get("PixelSize", ""))
    return _tags("Hitachi", header, known, size, size)


def ini(text: str) -> dict[str, str]:
    """“Section/key” → value, in the order and the words of the file."""
    header: dict[str, str] = {}
    section = ""
    for line in text.replace("\0", "").splitlines():
        if found := re.fullmatch(r"\s*\[([^\]]+)\]\s*", line):
            section = found[1]
        elif "=" in line:
            key, _, value = line.partition("=")
            header[f"{section}/{key.strip()}"] = value.strip()
    return header


SIDECARS: Mapping[str, Callable[[str], Tags]] = {
    "$CM_FORMAT": jeol, "$SEM_DATA_VERSION": jeol, "[SemImageFile]": hitachi,
}  # fmt: skip


def sidecar(text: str) -> Tags | None:
    """The tags in a text file that lies beside its image, if it is one."""
    return next((read(text) for mark, read in SIDECARS.items() if mark in text[:4096]), None)


def _known(values: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, Quantity]:
    """Conditions of values such as "20.00 K X", "71 pA" or words."""
    known: dict[str, Quantity] = {}
    for theirs, ours in keys.items():
        value = values.get(theirs, "")
        amount = AMOUNT.match(value)
        if ours == "magnification" and amount:
            number = as_number(amount[1])
            known |= condition(ours, None if number is None else number * (1000 if amount[2] else 1))
        elif amount and (number := as_number(amount[1])) is not None:
            known |= condition(ours, number, amount[3]) or condition(ours, value)
        else:
            known |= condition(ours, value)
    return known


def _length_nm(text: str) -> float | None:
    amount = AMOUNT.match(text)
    number = as_number(amount[1]) if amount else None
    if amount is None or number is None:
        return None
    quantity = condition("pixel_size", number, amount[3]).get("pixel_size")
    return float(quantity.value) if quantity else None


def _tags(
    vendor: str, header: dict[str, str], known: dict[str, Quantity], x_nm: float | None, y_nm: float | None
) -> Tags:
    if not x_nm or x_nm <= 0 or not y_nm or y_nm <= 0:
        return Tags(vendor, header, known, None)
    return Tags(vendor, header, known | condition("pixel_size", x_nm, "nm"), (x_nm, y_nm))
