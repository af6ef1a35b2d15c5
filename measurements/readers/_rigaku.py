"""What Rigaku's text (RAS) and zipped (RASX) files share: the same words, the same three columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from measurements.data import Array, Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.vocabulary import condition

UNITS = {"counts": "counts", "count": "counts", "cps": "counts/s", "counts/sec": "counts/s"}


def scan(
    rows: list[list[float]], axis_word: str, axis_unit: str, intensity_unit: str, header: Mapping[str, str],
    conditions: Mapping[str, Quantity], local_time: str, title: str,
) -> list[Dataset]:  # fmt: skip
    """Intensity × attenuator factor, as SmartLab Studio shows it; both follow if that makes a difference."""
    if not rows:
        return []
    table = columns(rows)
    moment, written = xrd.time(local_time)
    factors = table[:, 2] if table.shape[1] > 2 else np.ones(len(table))
    # Some programs fill the column with zeros where there is no attenuator at all.
    applies = bool(np.all(factors > 0) and np.any(factors != 1))
    axis = xrd.axis(axis_word, table[:, 0].copy(), "deg" if axis_unit in ("", "deg", "deg.") else axis_unit)
    known = {
        **conditions,
        **(xrd.attenuation(factors) if applies else {}),
        **condition("scan_axis", axis_word),
        **written,
    }
    unit = UNITS.get(intensity_unit.lower(), intensity_unit)

    def dataset(name: str, own_unit: str, values: Array, own_title: str) -> Dataset:
        return Dataset(
            Signal(name, own_unit, values), (axis,), dict(header), moment, known, own_title, technique="xrd"
        )

    found = [dataset("Intensity", unit, table[:, 1] * (factors if applies else 1.0), title)]
    if applies:
        prefix = f"{title}: " if title else ""
        found.append(
            dataset("Intensity", unit, table[:, 1].copy(), f"{prefix}before attenuation was applied")
        )
        found.append(dataset("Attenuation factor", "1", factors.copy(), f"{prefix}attenuation factor"))
    return found


def columns(rows: list[list[float]]) -> Array:
    width = len(rows[0])
    if width not in (2, 3) or any(len(row) != width for row in rows):
        raise ReadError(
            "its points are not all of a position, an intensity and an attenuation factor. The file is "
            "damaged or cut off; save it again."
        )
    return np.array(rows, dtype=np.float64)


def dwell(step: float | None, speed: float | None, speed_unit: str) -> dict[str, Quantity]:
    """Time per point of a continuous scan: its step over its speed."""
    unit = speed_unit.lower().replace(" ", "")
    if not speed or step is None:
        return {}
    if unit in ("deg/min", "deg/min.", "°/min"):
        return condition("dwell_time", 60 * step / speed, "s")
    if unit in ("sec/step", "sec./step", "s/step", "sec"):
        return condition("dwell_time", speed, "s")
    return {}


def in_order(main_and_others: list[list[Dataset]]) -> list[Dataset]:
    """First the curve of every scan, then what belongs to them."""
    return [found[0] for found in main_and_others if found] + [
        other for found in main_and_others for other in found[1:]
    ]
