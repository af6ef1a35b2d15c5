"""SPX: one EDS spectrum of Bruker Esprit, XML. No real file was at hand.

Channels are counts separated by commas; CalibAbs is the energy of the first and CalibLin the step, in keV.
LifeTime is in ms, PrimaryEnergy in keV. Date and time are local.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements.data import Axis, Dataset, ReadError, Signal
from measurements.readers._text import as_number
from measurements.readers._xml import Element, local, parse
from measurements.readers.base import NEVER, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Bruker SPX",
    extensions=(".spx",),
    vendor="Bruker",
    techniques=("eds",),
    description="Single EDS spectra of Bruker Esprit.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

LONGEST_TEXT, MOST_ENTRIES = 500, 1000


def recognises(head: bytes, filename: str) -> float:
    return 0.95 if b"<TRTSpectrum" in head[:2048] else NEVER


def read(path: Path) -> list[Dataset]:
    header = dict(_settings(parse(path.read_bytes()), ""))
    said = {
        key.rpartition("/")[2]: value for key, value in reversed(header.items())
    }  # the first of a name wins
    cells = next((value for key, value in header.items() if key.endswith("Channels")), "")
    counts = [as_number(cell) for cell in cells.split(",")]
    start, step = as_number(said.get("CalibAbs", "")), as_number(said.get("CalibLin", ""))
    if len(counts) < 2 or None in counts:
        raise ReadError("its channels are missing or damaged. Export the spectrum again.")
    if start is None or step is None or not step:
        raise ReadError("its calibration (CalibAbs, CalibLin) is missing. Export the spectrum again.")
    announced = as_number(said.get("ChannelCount", ""))
    if announced is not None and announced != len(counts):
        raise ReadError(f"it announces {announced:g} channels and has {len(counts)}. Was it cut off?")
    known = {
        **condition("acceleration_voltage", as_number(said.get("PrimaryEnergy", "")), "kV"),
        **condition("live_time", as_number(said.get("LifeTime", "")), "ms"),
        **condition("detector", said.get("Type")),
        **condition("local_time", f"{said.get('Date', '')} {said.get('Time', '')}"),
    }
    energy = np.asarray(start + step * np.arange(len(counts)), dtype=np.float64)
    if not np.all(np.isfinite(energy)):
        raise ReadError("its calibration is no number. Export the spectrum again.")
    short = {key: value for key, value in header.items() if len(value) <= LONGEST_TEXT}
    return [
        Dataset(
            signal=Signal("Counts", "counts", np.array(counts, dtype=np.float64)),
            axes=(Axis("Energy", "keV", energy),),
            header=dict(list(short.items())[:MOST_ENTRIES]),
            conditions=known,
            technique="eds",
        )
    ]


def _settings(parent: Element, place: str) -> Iterator[tuple[str, str]]:
    """Every text by its path; a ClassInstance goes by its type."""
    for child in parent:
        name = child.get("Type", "") if local(child) == "ClassInstance" else local(child)
        path = f"{place}/{name}" if place else name
        if text := (child.text or "").strip():
            yield path, text
        yield from _settings(child, path)
