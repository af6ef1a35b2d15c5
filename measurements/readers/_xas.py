"""Columns of an X-ray absorption scan: which is the energy, which the absorption, and a dataset for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._rows import refuse_gaps

# The first that any column's name fits; a measured energy comes before one that was asked for.
ENERGY_NAMES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^(?:achieved|actual|measured|true)[ _]energy", r"^energy\b(?![ _]?(?:req|set))",
        r"^e$|^energy_?k?ev", r"^mono[ _]?(?:e\b|e_|energy)", r"^zapenergy",
        r"^(?!requested).*energy", r"energy|^mononrg",
    )
]  # fmt: skip
ABSORPTION = re.compile(r"^x?mu(?:\b|_|\d|trans|fluor|ref|\()|^μ|^norm(?:alized)?\b|^flat\b", re.IGNORECASE)
AUXILIARY = re.compile(
    r"time|^sec|^current|clock|epoch|^requested|^mononrg|tscaler|preset|dtfactor|gap\b|^[hkl]$|theta|angle|^\s*$",
    re.IGNORECASE,
)
UNITS = {
    "seconds": "s", "second": "s", "sec": "s", "ev": "eV", "kev": "keV", "degree": "deg", "degrees": "deg",
    "a": "A", "na": "nA", "counts": "counts", "count": "counts", "s": "s", "ms": "ms", "v": "V", "k": "K",
}  # fmt: skip
SOFTEST_EV, HARDEST_KEV = 200.0, 50.0


def energy_column(names: Sequence[str]) -> int | None:
    for pattern in ENERGY_NAMES:
        for place, name in enumerate(names):
            if pattern.search(name.strip()):
                return place
    return None


def unit_of(text: str) -> str:
    """A unit as Vitrine spells it; "" for words that are none, like "dead-time corrected count rate"."""
    text = text.strip()
    return UNITS.get(text.lower(), text if text and len(text.split()) == 1 and len(text) <= 12 else "")


def energy_unit(values: Array) -> str:
    """The unit of X-ray energies where the file gives none: no absorption edge is at 50 … 200 of either."""
    largest = float(np.max(np.abs(values))) if values.size else 0.0
    return "eV" if largest >= SOFTEST_EV else "keV" if 0 < largest <= HARDEST_KEV else ""


def column_datasets(
    rows: Array,
    names: Sequence[str],
    units: Sequence[str],
    header: Mapping[str, str],
    conditions: Mapping[str, Quantity],
    title: str = "",
    acquired_at: datetime | None = None,
    first_line: int = 1,
    axis: int | None = None,
) -> list[Dataset]:
    """One dataset per column over the energy: absorption, then detectors, then clocks and the like.

    first_line : number of the first row in the file
    axis : the column that was scanned, where the file says so; else it is found by its name
    Without an energy the first column is the axis, and the technique stays open.
    """
    if rows.shape[1] < 2:
        raise ReadError("there is one column only, so nothing was measured along it. Export the scan again.")
    energy = energy_column(names)
    place = axis if axis is not None else energy or 0
    is_energy = place == energy
    values = rows[:, place].copy()
    refuse_gaps(values, first_line)
    if is_energy:
        scanned = Axis("Energy", units[place] or energy_unit(values), values)
    else:
        scanned = Axis(names[place] or "x", units[place], values)
    others = [number for number in range(rows.shape[1]) if number != place]
    others.sort(
        key=lambda number: 0 if ABSORPTION.search(names[number]) else 1 + _is_auxiliary(names[number])
    )
    titles = _distinct(names)
    return [
        Dataset(
            Signal(names[number], units[number], rows[:, number].copy()), (scanned,), header, acquired_at,
            conditions, f"{title}, {titles[number]}" if title else titles[number],
            "xas" if is_energy else "",
        )
        for number in others
    ]  # fmt: skip


def _is_auxiliary(name: str) -> bool:
    return bool(AUXILIARY.search(name))


def _distinct(names: Sequence[str]) -> list[str]:
    """Detectors of many elements have as many columns of one name."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct
