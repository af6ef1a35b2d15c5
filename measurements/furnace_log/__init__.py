"""What a furnace's own log says about a temperature programme. Pure: arrays in, numbers out.

The log is taken apart into straight pieces (Douglas and Peucker), each piece gets its own line by least
squares, and neighbouring lines meet in a corner. So a programme of straight ramps and holds is found exactly,
even when its turning point lies between two readings, and noise is averaged over whole pieces.

D. H. Douglas, T. K. Peucker, Cartographica 10 (1973) 112.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from measurements.data import Array, Dataset, ReadError
from measurements.furnace_log.pieces import FLAT_C_PER_MIN, Piece, noise, straight_pieces

SOFT_CORNER_SHARE = 0.15  # of the way up or down
NEAR_PEAK_C = 5.0
COOLING_FROM, COOLING_TO = 0.9, 0.5
MOST_READINGS = 200_000
LEAST_READINGS = 4
TIMES = {"s": 1 / 60, "ms": 1 / 60_000, "min": 1.0, "h": 60.0}
ABSOLUTE_ZERO_C, HOTTEST_C = -273.15, 3000.0


@dataclass(frozen=True)
class Ran:
    """A segment as it ran, in the words of a programme. hold_min 0 is a turning point."""

    target_c: float
    ramp_c_per_min: float | None
    hold_min: float


@dataclass(frozen=True)
class FurnaceLog:
    """A log and what it says.

    minutes, temperature_c : (N,) as read; minutes from the first reading
    setpoint_c : (N,) where the log has it
    peak_c : the highest corner of the lines; highest_c : the highest single reading, noise and all
    hold_min : how long the flat piece at the peak lasts; 0 when the peak is a turning point
    near_peak_min : time within 5 °C of the peak, crossings interpolated
    ramp_c_per_min : slope of the ramp to the peak, soft corners left out; None when the log begins there
    cooling_c_per_min : magnitude of the slope, by least squares, of the first fall after the peak between
        90 and 50 % of its height; None when the log ends before the fall has come half way to 25 °C
    sigma_c : noise of one reading, from second differences (their median, so corners do not count)
    """

    minutes: Array
    temperature_c: Array
    setpoint_c: Array | None
    segments: tuple[Ran, ...]
    peak_c: float
    highest_c: float
    hold_min: float
    near_peak_min: float
    ramp_c_per_min: float | None
    cooling_c_per_min: float | None
    sigma_c: float
    warnings: tuple[str, ...] = field(default=())


def from_datasets(datasets: list[Dataset]) -> FurnaceLog:
    """The log in what the reader of delimited text found. Raises ReadError with a remedy.

    The first column is the time; the temperature is the column whose title says so, otherwise the first.
    """
    if not datasets or datasets[0].signal.values.ndim != 1:
        raise ReadError("a furnace log needs two columns: time and temperature.")
    axis = datasets[0].axes[0]
    if any(each.axes[0] is not axis for each in datasets):
        raise ReadError("there are several tables in the log. Attach each as a file of its own.")
    unit = axis.unit.lower().rstrip(".") or "min"
    unit = {"sec": "s", "seconds": "s", "minutes": "min", "mins": "min", "hours": "h", "hr": "h"}.get(
        unit, unit
    )
    if unit not in TIMES:
        raise ReadError(
            f"the time column is in “{axis.unit}”. Title it Time (s), Time (min) or Time (h); without a unit "
            "it is taken as minutes."
        )
    setpoint = next((d for d in datasets if _is_setpoint(d.signal.name)), None)
    others = [d for d in datasets if d is not setpoint]
    if not others:
        raise ReadError(
            "the only column beside the time is a set point. Export the measured temperature too."
        )
    measured = next((d for d in others if "temp" in d.signal.name.lower()), others[0])
    if measured.signal.unit.lower() in ("f", "°f", "degf"):
        raise ReadError("the temperature is in °F. Export it in °C or K.")
    warnings = () if axis.unit else ("The time column has no unit and was taken as minutes.",)
    return read(
        axis.values * TIMES[unit], _in_c(measured), None if setpoint is None else _in_c(setpoint), warnings
    )


def _in_c(column: Dataset) -> Array:
    return column.signal.values - (273.15 if column.signal.unit == "K" else 0.0)


def _is_setpoint(name: str) -> bool:
    word = name.lower().replace(" ", "").replace("_", "").replace("-", "")
    return "setpoint" in word or word in ("sp", "set", "target", "soll", "sollwert")


def read(
    minutes: Array, temperature_c: Array, setpoint_c: Array | None = None, warnings: tuple[str, ...] = ()
) -> FurnaceLog:
    """minutes, temperature_c : (N,), N ≥ 4; times increase. Missing readings (NaN) are left out.

    Raises ReadError when that is no log of a furnace.
    """
    known = np.isfinite(minutes) & np.isfinite(temperature_c)
    minutes, temperature_c = minutes[known], temperature_c[known]
    setpoint_c = None if setpoint_c is None else setpoint_c[known]
    _check(minutes, temperature_c)
    if not known.all():
        warnings = (*warnings, f"{int((~known).sum())} readings are missing and were left out.")
    minutes = minutes - minutes[0]
    sigma = noise(temperature_c)
    pieces = straight_pieces(minutes, temperature_c, sigma)
    peak, first, last = _peak(pieces)
    segments = _segments(pieces)
    hold = sum(piece.duration_min for piece in pieces[first:last])
    return FurnaceLog(
        minutes=minutes,
        temperature_c=temperature_c,
        setpoint_c=setpoint_c,
        segments=segments,
        peak_c=peak,
        highest_c=float(temperature_c.max()),
        hold_min=hold,
        near_peak_min=_time_above(minutes, temperature_c, peak - NEAR_PEAK_C),
        ramp_c_per_min=_ramp(segments, pieces),
        cooling_c_per_min=_cooling(minutes, temperature_c, peak),
        sigma_c=sigma,
        warnings=warnings,
    )


def preview(log: FurnaceLog, points: int = 400) -> tuple[Array, Array]:
    """(minutes, °C), thinned to at most `points` so that the highest and lowest of each stretch stay."""
    if log.minutes.size <= points:
        return log.minutes, log.temperature_c
    chosen = {0, log.minutes.size - 1}
    for part in np.array_split(np.arange(log.minutes.size), points // 2 - 1):
        values = log.temperature_c[part]
        chosen |= {int(part[values.argmin()]), int(part[values.argmax()])}
    kept = np.array(sorted(chosen))
    return log.minutes[kept], log.temperature_c[kept]


def _check(minutes: Array, temperature_c: Array) -> None:
    if minutes.size < LEAST_READINGS:
        raise ReadError(f"a furnace log needs at least {LEAST_READINGS} readings; this has {minutes.size}.")
    if minutes.size > MOST_READINGS:
        raise ReadError(f"{minutes.size} readings are more than the {MOST_READINGS} that are read. Thin it.")
    if np.any(np.diff(minutes) <= 0):
        row = int(np.argmax(np.diff(minutes) <= 0)) + 2
        raise ReadError(f"reading {row} is not later than the one before it. Export one run alone.")
    if temperature_c.min() < ABSOLUTE_ZERO_C or temperature_c.max() > HOTTEST_C:
        raise ReadError(
            f"temperatures from {temperature_c.min():g} to {temperature_c.max():g} °C are not of a furnace. "
            "Check that the column is the temperature and which unit it has."
        )


def _peak(pieces: list[Piece]) -> tuple[float, int, int]:
    """(temperature, first piece of the hold there, first piece behind it); none between: a turning point."""
    tops = [max(piece.start_c, piece.end_c) for piece in pieces]
    top = max(tops)
    flat = [n for n, piece in enumerate(pieces) if piece.is_hold and top - tops[n] <= NEAR_PEAK_C]
    if flat:
        first = last = max(flat, key=lambda n: pieces[n].duration_min)
        while first - 1 in flat:
            first -= 1
        while last + 1 in flat:
            last += 1
        whole = sum(pieces[n].duration_min for n in range(first, last + 1))
        mean = sum(
            (pieces[n].start_c + pieces[n].end_c) / 2 * pieces[n].duration_min for n in range(first, last + 1)
        )
        if top - mean / whole <= NEAR_PEAK_C:
            return mean / whole, first, last + 1
    index = tops.index(top)
    behind = index + 1 if pieces[index].end_c >= pieces[index].start_c else index
    return top, behind, behind


def _segments(pieces: list[Piece]) -> tuple[Ran, ...]:
    """Ramps with the holds behind them. A wait before the first ramp belongs to no segment."""
    found: list[Ran] = []
    waiting: list[Piece] = []
    for piece in pieces:
        turns = bool(waiting) and (waiting[-1].slope_c_per_min > 0) != (piece.slope_c_per_min > 0)
        if piece.is_hold or turns:
            found += _ramps(waiting)
            waiting = []
        if not piece.is_hold:
            waiting.append(piece)
        elif found:
            last = found[-1]
            held = (piece.start_c + piece.end_c) / 2
            target = held if last.hold_min == 0 else last.target_c
            found[-1] = Ran(target, last.ramp_c_per_min, last.hold_min + piece.duration_min)
    found += _ramps(waiting)
    if not found:
        held = sum((p.start_c + p.end_c) / 2 * p.duration_min for p in pieces)
        whole = sum(p.duration_min for p in pieces)
        return (Ran(held / whole, None, whole),)
    return tuple(found)


def _ramps(run: list[Piece]) -> list[Ran]:
    """The ramps in pieces that all rise or all fall. A piece with little of the way is a soft corner: it
    belongs to its neighbour, whose slope the furnace was told."""
    if not run:
        return []
    way = abs(run[-1].end_c - run[0].start_c)
    large = [n for n, p in enumerate(run) if abs(p.end_c - p.start_c) >= SOFT_CORNER_SHARE * way]
    ends = [run[n].end_c for n in large[:-1]] + [run[-1].end_c]
    slopes = [abs(run[n].slope_c_per_min) for n in large]
    return [Ran(end, slope, 0.0) for end, slope in zip(ends, slopes, strict=True)]


def _ramp(segments: tuple[Ran, ...], pieces: list[Piece]) -> float | None:
    hottest = max(segments, key=lambda segment: segment.target_c)
    rises = any(piece.slope_c_per_min > FLAT_C_PER_MIN for piece in pieces)
    began_hot = pieces[0].start_c >= hottest.target_c - NEAR_PEAK_C
    return hottest.ramp_c_per_min if rises and not began_hot else None


def _time_above(minutes: Array, values: Array, level: float) -> float:
    """Time at or above a level, readings joined by straight lines."""
    a, b = values[:-1] - level, values[1:] - level
    step = np.diff(minutes)
    share = np.where((a >= 0) & (b >= 0), 1.0, 0.0)
    crossing = (a >= 0) != (b >= 0)
    upper = np.maximum(a, b)
    share = np.where(crossing, upper / np.where(crossing, np.abs(a - b), 1.0), share)
    return float((share * step).sum())


def _cooling(minutes: Array, values: Array, peak: float) -> float | None:
    """Least squares through the first fall between 90 and 50 % of the way from 25 °C (or the lowest reading
    behind the peak, where that is colder) to the peak; its two crossings take part."""
    top = (
        int(np.flatnonzero(values >= peak - 1e-9)[-1])
        if np.any(values >= peak - 1e-9)
        else int(values.argmax())
    )
    t, v = minutes[top:], values[top:]
    floor = min(25.0, float(v.min()))
    high, low = (floor + share * (peak - floor) for share in (COOLING_FROM, COOLING_TO))
    if peak <= floor or v.min() > low:
        return None
    end = int(np.argmax(v <= low))
    start = int(np.flatnonzero(v[: end + 1] >= high)[-1])
    if end <= start:
        return None
    inside = slice(start + 1, end)
    t0 = float(np.interp(-high, -v[start : start + 2], t[start : start + 2]))
    t1 = float(np.interp(-low, -v[end - 1 : end + 1], t[end - 1 : end + 1]))
    times = np.concatenate([[t0], t[inside], [t1]])
    heights = np.concatenate([[high], v[inside], [low]])
    times = times - times.mean()
    spread = float((times**2).sum())
    return None if spread == 0 else abs(float((times * (heights - heights.mean())).sum()) / spread)
