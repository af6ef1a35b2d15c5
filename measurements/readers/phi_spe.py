"""Spectra and depth profiles of ULVAC-PHI instruments (.spe, .pro): a text header, then numbers.

    SOFH … SpectralRegDef: 1 1 Su1s 111 1751 -0.8 1400.0 0.0 … 0.12 224.00 AREA … EOFH

A definition gives name, number of points, step, first and last energy, time per point and pass energy. Behind
EOFH come 16 bytes about the number and size of the trace headers, then 96 bytes for each trace: of these
words, 5 is the number of points, 6 that of cycles, 18 the type, 19 the size in bytes and 20 the place counted
from EOFH. The numbers are as measured: neither transmission nor the gains of the channels are applied. The
file has a date and no time. No errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._text import as_number
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PHI SPE",
    extensions=(".spe", ".pro"),
    vendor="ULVAC-PHI",
    techniques=("xps",),
    description="XPS spectra and depth profiles of PHI instruments, as MultiPak opens them.",
    gaps="images, Auger maps, and the logs beside depth profiles",
)
VERSION = 2

END_OF_HEADER = re.compile(rb"EOFH\r?\n")
MOST_TRACES = 10_000
ABOUT_TRACES, TRACE_BYTES = 16, 96
REGION, POINTS, CYCLES, KIND, SIZE, START, END = 3, 5, 6, 18, 19, 20, 23
UNITS = {"c/s": "counts/s", "cps": "counts/s", "cts": "counts", "c": "counts"}


def recognises(head: bytes, filename: str) -> bool:
    return head.lstrip()[:6].rstrip() == b"SOFH"


@dataclass
class Region:
    """A line SpectralRegDef."""

    name: str
    points: int
    start: float
    stop: float
    dwell_time_s: str
    pass_energy_ev: str


def read(path: Path) -> list[Dataset]:
    content = path.read_bytes()
    end = END_OF_HEADER.search(content)
    if end is None:
        raise ReadError("the header has no end (EOFH). Was the file cut off? Copy it again.")
    header = _header(content[: end.start()])
    regions = [region for line in _repeated(header, "SpectralRegDef") if (region := _region(line))]
    body = Bytes(memoryview(content)[end.end() :])
    _, traces, trace_bytes, about_bytes = body.unpack("<4I", 0)
    if not 0 < traces <= MOST_TRACES or trace_bytes != traces * TRACE_BYTES or about_bytes != ABOUT_TRACES:
        raise ReadError(f"the file announces {traces} traces in a form that is not known.", byte=end.end())
    if not regions:
        raise ReadError("the header defines no region (SpectralRegDef), so there are no energies.")
    spectra = [
        # What a depth profile logs beside its spectra has no region; nothing names its numbers.
        trace
        for trace in range(traces)
        if trace < len(regions) or body.one("<I", ABOUT_TRACES + trace * TRACE_BYTES + 4 * REGION)
    ]
    datasets = []
    for trace in spectra:
        region = regions[trace % len(regions)]  # with several areas each has all regions
        area = f", area {trace // len(regions) + 1}" if len(spectra) > len(regions) else ""
        datasets.append(_dataset(body, trace, region, header, region.name + area))
    return datasets


def _header(text: bytes) -> dict[str, str]:
    """Keys may repeat: "Channel Info", then "Channel Info (2)" and so on."""
    header: dict[str, str] = {}
    counts: dict[str, int] = {}
    for line in text.decode("latin-1").splitlines():
        key, mark, value = line.partition(":")
        if mark and key.strip():
            key = key.strip()
            counts[key] = counts.get(key, 0) + 1
            header[key if counts[key] == 1 else f"{key} ({counts[key]})"] = value.strip()
    return header


def _repeated(header: Mapping[str, str], key: str) -> list[str]:
    return [value for name, value in header.items() if name == key or name.startswith(f"{key} (")]


def _region(line: str) -> Region | None:
    words = line.split()
    numbers = [as_number(word) for word in words[4:8]]
    if len(words) < 12 or any(number is None or not abs(number) < 1e9 for number in numbers):
        return None
    points, _, start, stop = (number for number in numbers if number is not None)
    return Region(words[2], int(points), start, stop, words[10], words[11])


def _dataset(body: Bytes, trace: int, region: Region, header: Mapping[str, str], title: str) -> Dataset:
    offset = ABOUT_TRACES + trace * TRACE_BYTES
    words = body.unpack("<24I", offset)
    points, cycles = words[POINTS], max(words[CYCLES], 1)
    kind = body.text(offset + 4 * KIND, 4)
    if kind not in ("f4", "f8") or points != region.points or points * cycles > MOST_VALUES or points < 1:
        raise ReadError(
            f"trace {trace + 1} has {points} points of type “{kind[:4]}”, its definition in the header says "
            f"{region.points}. The file is damaged; copy it again."
        )
    values = body.floats(
        f"<{kind}", points * cycles, _place(words, len(body), points * cycles * int(kind[1]))
    )
    name = "Kinetic energy" if header.get("Technique", "").startswith("AES") else "Binding energy"
    energy = Axis(name, "eV", np.linspace(region.start, region.stop, points))
    unit = body.text(offset + 4 * 14, 4)
    shaped, axes = _shaped(values, cycles, energy)
    return Dataset(
        Signal("Intensity", UNITS.get(unit, unit), shaped), axes, header,
        conditions=_conditions(header, region), title=title,
        technique="xps" if header.get("Technique") == "XPS" else "",
    )  # fmt: skip


def _place(words: Sequence[int], size: int, wanted: int) -> int:
    """Where the numbers begin; older files give where they end instead."""
    if words[SIZE] != wanted:
        raise ReadError(f"a trace announces {words[SIZE]} bytes, its points need {wanted}. Copy it again.")
    starts = (words[START], words[END] - wanted)
    first = ABOUT_TRACES + TRACE_BYTES
    return next((start for start in starts if start >= first and start + wanted <= size), words[START])


def _shaped(values: Array, cycles: int, energy: Axis) -> tuple[Array, tuple[Axis, ...]]:
    if cycles == 1:
        return values, (energy,)
    return values.reshape(cycles, -1), (
        Axis("Cycle", "1", np.arange(1, cycles + 1, dtype=np.float64)),
        energy,
    )


def _conditions(header: Mapping[str, str], region: Region) -> dict[str, Quantity]:
    source = header.get("XraySource", "").split()
    work_function = header.get("AnalyserWorkFcn", "").split()
    return {
        **condition("anode", source[0] if source else None),
        **condition("photon_energy", source[1] if len(source) > 1 else None, "eV"),
        **condition("work_function", work_function[0] if work_function else None, "eV"),
        **condition("pass_energy", region.pass_energy_ev, "eV"),
        **condition("dwell_time", region.dwell_time_s, "s"),
        **condition("region", region.name),
        **condition("sample_name", header.get("FileDesc")),
        **condition("operator", header.get("Operator")),
        **condition("instrument", header.get("InstrumentModel")),
        **condition("mode", header.get("AnalyserMode")),
        **condition("software", header.get("SoftwareVersion")),
        **condition("local_time", "-".join(header.get("AcqFileDate", "").split())),
    }
