"""JASCO's text export: a key and a value in each line, XYDATA, the points, then settings in words.

    TITLE<tab>…
    ORIGIN<tab>JASCO
    XUNITS<tab>NANOMETERS
    YUNITS<tab>ABSORBANCE
    NPOINTS<tab>61
    XYDATA
    700<tab>-6.38777E-05

Separated by tabs, commas or semicolons; Japanese programs write Shift-JIS. Circular dichroism has several
columns (YUNITS, YUNITS2, YUNITS3), a scan at several temperatures a row of them above the points. The date
has no zone and, by the locale, no certain order of day and year: it stays text. JASCO's TRANSMITTANCE and
REFLECTANCE are in per cent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._numbers import Dialect
from measurements.readers._spectrum import (
    NameAndUnit,
    axis_of,
    dialect_of,
    end_of_rows,
    first_row,
    head_lines,
    put,
    refuse_cut_off,
    rows,
    signal_of,
    understood,
)
from measurements.readers._text import as_number, decoded
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="JASCO text",
    extensions=(".txt", ".csv"),
    vendor="JASCO",
    techniques=("uvvis", "ftir", "raman", "pl"),
    description="Spectra exported as text or CSV from JASCO's Spectra Manager (UV-Vis, infrared, Raman, "
    "fluorescence, circular dichroism).",
    max_bytes=64 * 1024**2,
)
VERSION = 1

KEYS = ("DATA TYPE", "XUNITS", "YUNITS", "NPOINTS", "FIRSTX", "LASTX", "SPECTROMETER/DATA SYSTEM", "DELTAX")
CHANNEL = re.compile(r"CHANNEL \d+\b")
IN_PER_CENT = {"TRANSMITTANCE": "Transmittance", "REFLECTANCE": "Reflectance"}
TECHNIQUES = (("INFRARED", "ftir"), ("RAMAN", "raman"), ("FLUORESCENCE", "pl"), ("ULTRAVIOLET", "uvvis"))
SETTINGS: dict[str, NameAndUnit] = {
    "SPECTROMETER/DATA SYSTEM": ("instrument", ""), "Model Name": ("instrument", ""),
    "機種名": ("instrument", ""), "Detector": ("detector", ""), "検出器": ("detector", ""),
    "Accumulation": ("accumulations", "1"), "積算回数": ("accumulations", "1"),
    "Resolution": ("resolution", "cm-1"), "RESOLUTION": ("resolution", "cm-1"),
    "分解": ("resolution", "cm-1"), "UV/Vis bandwidth": ("bandwidth", "nm"),
    "Bandwidth": ("bandwidth", "nm"), "Band width": ("bandwidth", "nm"),
    "NIR bandwidth": ("bandwidth", "nm"), "バンド幅": ("bandwidth", "nm"),
    "UV/Visバンド幅": ("bandwidth", "nm"), "Ex bandwidth": ("excitation_bandwidth", "nm"),
    "Em bandwidth": ("emission_bandwidth", "nm"), "Ex wavelength": ("excitation_wavelength", "nm"),
    "Em wavelength": ("emission_wavelength", "nm"),
    "Excitation wavelength": ("excitation_wavelength", "nm"),
    "Laser wavelength": ("excitation_wavelength", "nm"), "励起波長": ("excitation_wavelength", "nm"),
    "Laser power": ("laser_power", "mW"), "Scan speed": ("scan_speed", "nm/min"),
    "Scanning speed": ("scan_speed", "nm/min"), "走査速度": ("scan_speed", "nm/min"),
    "Exposure": ("exposure_time", "s"), "Exposure time": ("exposure_time", "s"),
    "露光時間": ("exposure_time", "s"),
    "レーザー強度": ("laser_power", "mW"), "グレーティング": ("grating", "l/mm"),
    "対物レンズ": ("geometry", ""),
    "Grating": ("grating", "lines/mm"),
    "Photometric mode": ("mode", ""), "測光モード": ("mode", ""), "Sample name": ("sample_name", ""),
    "試料名": ("sample_name", ""), "TITLE": ("sample_name", ""), "Operator": ("operator", ""),
    "測定者": ("operator", ""), "Comment": ("comment", ""), "コメント": ("comment", ""),
    "Temperature": ("temperature", "C"), "Cell length": ("thickness", "mm"),
    "Ex. bandwidth": ("excitation_bandwidth", "nm"), "UV/Vis バンド幅": ("bandwidth", "nm"),
}  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    keys = {re.split(r"[\t,;]", line, maxsplit=1)[0].strip() for line in head_lines(head)}
    first = head[:64].lstrip(b"\xef\xbb\xbf")
    if not first.startswith((b"TITLE", b"ORIGIN", b"DATA TYPE", b"XUNITS")) or "XYDATA" not in keys:
        return 0.0
    return 0.95 if sum(key in keys for key in KEYS) >= 4 else 0.0


def read(path: Path) -> list[Dataset]:
    lines = _text(path.read_bytes()).splitlines()
    header: dict[str, str] = {}
    for start, line in enumerate(lines, start=1):  # noqa: B007 (used after the loop)
        if line.strip(" \t,;") == "XYDATA":
            break
        _keep(header, line)
    else:
        raise ReadError("the file ends before XYDATA. Was the export cut off? Export it again.")
    blocks = []
    while start < len(lines):
        begin = first_row(lines, start)
        stop = end_of_rows(lines, begin)
        table = rows(lines, begin, stop, dialect_of(lines[begin]))
        refuse_cut_off(len(table), header.get("NPOINTS"))
        blocks.append((table, _third_axis(lines[start:begin], dialect_of(lines[begin]), table.shape[1] - 1)))
        start = next((n for n in range(stop, len(lines)) if CHANNEL.match(lines[n])), len(lines))
        for line in lines[stop:start]:
            _keep(header, line)
    if not blocks:
        raise ReadError("the file ends after XYDATA. Was the export cut off? Export it again.")
    conditions = understood(header, SETTINGS) | condition("local_time", _moment(header))
    datasets: list[Dataset] = []
    for channel, (table, third) in enumerate(blocks, start=1):
        if third is None:
            datasets += _columns(table, header, conditions)
        else:
            datasets.append(_map(table, third, header, conditions, channel))
    return datasets


def _text(content: bytes) -> str:
    """Japanese programs write Shift-JIS without saying so; only their text is valid as such."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if b"\0" in content[:4096]:
        return decoded(content)
    try:
        return content.decode("cp932")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _keep(header: dict[str, str], line: str) -> None:
    key, *value = re.split(r"[\t,;]", line, maxsplit=1)
    if key.strip():
        put(header, key, value[0] if value else "")


def _columns(table: Array, header: Mapping[str, str], conditions: dict[str, Quantity]) -> list[Dataset]:
    x = axis_of(header.get("XUNITS", ""))
    technique = _technique(header)
    if technique == "raman" and x[1] == "cm⁻¹":
        x = ("Raman shift", "cm⁻¹")
    axis = Axis(*x, table[:, 0].copy())
    datasets = []
    for column in range(1, table.shape[1]):
        words = header.get("YUNITS" if column == 1 else f"YUNITS{column}", "")
        signal = Signal(*_signal(words), table[:, column].copy())
        title = words if table.shape[1] > 2 else ""
        datasets.append(Dataset(signal, (axis,), header, None, conditions, title, technique))
    return datasets


def _signal(words: str) -> NameAndUnit:
    if words in IN_PER_CENT:
        return IN_PER_CENT[words], "%"
    with_unit = re.fullmatch(r"(.*?)\s*\[(.*)\]", words)
    return (with_unit[1], with_unit[2]) if with_unit else signal_of(words)


def _third_axis(between: list[str], dialect: Dialect, columns: int) -> Array | None:
    """The temperatures (or times) above the columns, where a file has them: a line that begins empty."""
    for line in between:
        if dialect.delimiter and line.startswith(dialect.delimiter):
            numbers = [as_number(cell) for cell in dialect.cells(line)[1:]]
            values = np.array([n for n in numbers if n is not None], dtype=np.float64)
            if len(values) == len(numbers) == columns and np.all(np.isfinite(values)):
                return values
    return None


def _map(
    table: Array, third: Array, header: dict[str, str], conditions: dict[str, Quantity], channel: int
) -> Dataset:
    x, z = axis_of(header.get("XUNITS", "")), axis_of(header.get("ZUNITS", ""))
    words = header.get("YUNITS" if channel == 1 else f"YUNITS{channel}", "")
    return Dataset(
        signal=Signal(*_signal(words), table[:, 1:].T.copy()),
        axes=(Axis(z[0] if z[0] != "x" else "Series", z[1], third), Axis(*x, table[:, 0].copy())),
        header=header,
        conditions=conditions,
        title=words if channel > 1 else "",
        technique=_technique(header),
    )


def _technique(header: Mapping[str, str]) -> str:
    for word, technique in TECHNIQUES:
        if word in header.get("DATA TYPE", "").upper():
            return technique
    absorbs = header.get("YUNITS", "").upper() in {"ABSORBANCE", "ABS", *IN_PER_CENT}
    return (
        {"NANOMETERS": "uvvis", "1/CM": "ftir"}.get(header.get("XUNITS", "").upper(), "") if absorbs else ""
    )


def _moment(header: Mapping[str, str]) -> str:
    return f"{header.get('DATE', '')} {header.get('TIME', '')}".strip()
