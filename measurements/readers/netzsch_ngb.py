"""Netzsch's own NGB files (.ngb-ss3, -ds3, -bs3, …): a zip of streams, whose records `_ngb` reads.

Streams 2 and 3 hold the channels; each channel comes in pieces, one for each segment of the programme.
Stream 1 holds everything else. Times are stored in minutes and given here in seconds, as pyngb gives them;
the signal of the DSC is the voltage of its sensor, before the sensitivity is applied. Masses are changes from
the start; the mass of the sample is a condition. Where a correction run is stored with the measurement, its
channels follow those of the measurement. The moment of the measurement is stored in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from measurements.data import Array, Dataset, Quantity, ReadError
from measurements.readers import _ngb, _thermal
from measurements.readers._archive import Archive
from measurements.readers._ngb import Table
from measurements.readers._thermal import Column
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Netzsch NGB",
    extensions=(".ngb-ss3", ".ngb-ds3", ".ngb-bs3", ".ngb-sd8", ".ngb-st9"),
    vendor="Netzsch",
    techniques=("dsc", "tga"),
    description="Measurements and baselines of Netzsch STA, DSC and TG instruments as Proteus stores them, "
    "without an export.",
    max_bytes=64 * 1024**2,
    zipped=True,
)
VERSION = 1

ZIP = b"PK\x03\x04"
CHANNEL, SEGMENT = 0x2B22, 0x2B23
DATA_FIELDS = (0x0F40, 0x0F3D)
SECONDS_IN_MINUTE = 60.0
CHANNELS = {
    0x8C: ("Time", "s"), 0x8D: ("Sample temperature", "°C"), 0x8E: ("DSC", "µV"), 0x90: ("Mass change", "mg"),
    0x9C: ("Purge flow 1", "mL/min"), 0x9D: ("Purge flow 2", "mL/min"), 0x9E: ("Protective flow", "mL/min"),
    0x30: ("Furnace temperature", "°C"), 0x31: ("Cooling power", ""), 0x32: ("Furnace power", ""),
    0x33: ("h-foil temperature", "°C"), 0x34: ("µC module", ""), 0x35: ("Environmental pressure", ""),
    0x36: ("Environmental acceleration x", ""), 0x37: ("Environmental acceleration y", ""),
    0x38: ("Environmental acceleration z", ""),
}  # fmt: skip
# (category of the table, number of the field) → our word for it; Netzsch gives them no names.
WORDS = {
    (0x1775, 0x1059): "instrument", (0x1775, 0x106D): "software", (0x1772, 0x083C): "project",
    (0x1772, 0x083E): "date performed", (0x1772, 0x0834): "laboratory", (0x1772, 0x0835): "operator",
    (0x1772, 0x083D): "comment", (0x177E, 0x0840): "crucible type", (0x177A, 0x0840): "furnace type",
    (0x1779, 0x0840): "carrier type", (0x7530, 0x0898): "sample id", (0x7530, 0x0840): "sample name",
    (0x7530, 0x0962): "material", (0x7530, 0x0C9E): "sample mass", (0x1770, 0x0843): "correction file",
}  # fmt: skip
SAMPLE = 0x7530
STAGE_TEMPERATURE, STAGE_RATE, STAGE_TIME = 0x0E17, 0x0E13, 0x0E15
GASES = {0x1BAC: "Purge flow 1", 0x1BAD: "Purge flow 2", 0x1BAE: "Protective flow"}
GAS_TABLE, GAS_NAME = 0x2B07, 0x0840


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(ZIP) and b"Streams/stream_" in head


def read(path: Path) -> list[Dataset]:
    with Archive(path) as archive:
        streams = {
            int(found[1]): _ngb.tables(archive.read(name))
            for name in archive.names
            if (found := re.fullmatch(r"Streams/stream_([1-3])\.table", name))
        }
    runs: list[list[Column]] = []
    for number in (2, 3):
        seen: dict[str, int] = {}
        for column in _columns(streams.get(number, [])):
            nth = seen[column.name] = seen.get(column.name, -1) + 1
            runs += [[] for _ in range(nth + 1 - len(runs))]
            runs[nth].append(column)
    header = _header(streams.get(1, []))
    datasets = []
    for number, columns in enumerate(runs):
        datasets += _run(columns, header, f"correction run {number}" if number else "")
    if not datasets:
        raise ReadError(
            "the file holds no channels. It may be a method or a calibration, not a measurement: open it in "
            "Proteus."
        )
    return datasets


def _run(columns: Sequence[Column], header: Mapping[str, str], label: str) -> list[Dataset]:
    """The channels of the measurement, or of the correction that is stored with it."""
    times = next((column for column in columns if column.name == "Time"), None)
    if times is None:
        raise ReadError(
            "the file holds no channel of times. It is damaged: copy it again from the instrument."
        )
    for column in columns:
        if column.values.size != times.values.size:
            raise ReadError(
                f"the channel “{column.name}” has {column.values.size} points and there are "
                f"{times.values.size} times. The file is damaged: copy it again from the instrument."
            )
    conditions = _conditions(header, columns)
    if label:
        conditions.pop("mass", None)
    datasets = _thermal.run(columns, header, conditions, _technique(header, columns))
    return [
        replace(
            dataset,
            title=f"{dataset.title}, {label}" if label else dataset.title,
            acquired_at=None if label else _acquired_at(header),
        )
        for dataset in datasets
    ]


def _columns(tables: Iterable[Table]) -> Iterable[Column]:
    """Channels of a stream: a table that names one, then a table for each of its segments."""
    channel: int | None = None
    pieces: list[Array] = []
    for table in tables:
        if table.kind == CHANNEL:
            yield from _joined(channel, pieces)
            channel, pieces = table.category & 0xFF, []
        elif table.kind == SEGMENT:
            data = (table.fields[number].values for number in DATA_FIELDS if number in table.fields)
            pieces += [values for values in data if values is not None and values.size]
    yield from _joined(channel, pieces)


def _joined(channel: int | None, pieces: Sequence[Array]) -> Iterable[Column]:
    if channel is None or not pieces:
        return
    name, unit = CHANNELS.get(channel, (f"Channel {channel:02x}", ""))
    values = np.concatenate(pieces)
    if not np.all(np.isfinite(values)) and name == "Time":
        raise ReadError("the channel of times holds NaN or infinity. The file is damaged.")
    yield Column(name, unit, values * SECONDS_IN_MINUTE if name == "Time" else values)


def _header(tables: Sequence[Table]) -> dict[str, str]:
    """What we have words for, then the programme, then every other text with the numbers of its field."""
    header: dict[str, str] = {}
    others: dict[str, str] = {}
    stage = 0
    for table in tables:
        is_sample = table.category != SAMPLE or 0x0898 in table.fields or 0x0962 in table.fields
        for number, entry in table.fields.items():
            word = WORDS.get((table.category, number)) if is_sample else None
            if word and word not in header and entry.value not in (None, ""):
                header[word] = str(entry.value)
            elif not word and isinstance(entry.value, str) and entry.value:
                others.setdefault(f"{table.category:04x}.{number:04x}", entry.value)
        if table.kind == GAS_TABLE and table.category in GASES and table.value(GAS_NAME):
            header.setdefault(f"gas of {GASES[table.category]}", str(table.value(GAS_NAME)))
        if {STAGE_TEMPERATURE, STAGE_RATE, STAGE_TIME} <= table.fields.keys():
            header[f"stage {stage}"] = (
                f"to {table.value(STAGE_TEMPERATURE)} °C at {table.value(STAGE_RATE)} K/min, "
                f"{table.value(STAGE_TIME)} min"
            )
            stage += 1
    return header | others


def _technique(header: Mapping[str, str], columns: Sequence[Column]) -> str:
    """An STA weighs and measures heat at once; its first signal is the mass."""
    told = header.get("instrument", "").upper()
    if re.match(r"(?:NETZSCH )?DSC", told):
        return "dsc"
    has_heat_flow = any(column.name == "DSC" for column in columns)
    masses = [column for column in columns if column.name == "Mass change"]
    return "tga" if masses else "dsc" if has_heat_flow else ""


def _acquired_at(header: Mapping[str, str]) -> datetime | None:
    seconds = header.get("date performed", "")
    if not seconds.isdecimal() or not 0 < int(seconds) < 2**31:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def _conditions(header: Mapping[str, str], columns: Sequence[Column]) -> dict[str, Quantity]:
    stages = "\n".join(value for key, value in header.items() if key.startswith("stage "))
    mass = _thermal.as_number(header.get("sample mass", ""))
    known = {
        **(condition("mass", mass, "mg") if mass and mass > 0 else {}),
        **condition("sample_name", header.get("sample name")),
        **condition("operator", header.get("operator")),
        **condition("instrument", header.get("instrument")),
        **condition("software", header.get("software")),
        **condition("crucible", header.get("crucible type")),
        **condition("comment", header.get("comment")),
        **_thermal.programme(stages),
    }
    flows = {column.name: column.values for column in columns if column.name in GASES.values()}
    flowing = [name for name, values in flows.items() if values.size and values.max() > 0]
    gases = dict.fromkeys(header[f"gas of {name}"] for name in flowing if f"gas of {name}" in header)
    known |= condition("gas", ", ".join(gases))
    purges = [flows[name] for name in flowing if name.startswith("Purge")]
    if len(purges) == 1 and np.ptp(purges[0]) == 0:
        known |= condition("gas_flow", float(purges[0][0]), "mL/min")
    return known
