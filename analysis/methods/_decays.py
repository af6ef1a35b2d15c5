"""One decay of photon counts over time: what is refused or flagged before a lifetime is looked for.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.methods._axes import UNSAID
from analysis.methods._channels import channel_ns
from analysis.methods.base import Array, Dataset, MethodError
from measurements.data import Axis

NANOSECONDS = {"ps": 1e-3, "ns": 1.0, "µs": 1e3, "us": 1e3, "ms": 1e6, "s": 1e9, "sec": 1e9}
SHORTEST_NS, LONGEST_NS = 1e-3, 1e8  # 1 ps a channel to 0.1 s in all: what photon counters do
MIN_POINTS = 20
MIN_AFTER = 10
EVEN = 0.02  # of a channel that a time may be off
PILE_UP = 0.05
RISE_SIGMAS = 5.0
FALLEN, BACK = 0.25, 0.6  # of the maximum: between pulses, and in the next one


@dataclass(frozen=True)
class Decay:
    """t : (N,) ns, ascending. y : (N,). step : ns. peak : index of the maximum

    before : that many channels come surely before the pulse
    period_ns : from pulse to pulse, inf where not stated
    unit_ns : how long one unit of the file's own axis is
    chosen : (N,) lies in the range to be fitted
    counted : whole numbers, none below zero
    """

    t: Array
    y: Array
    step: float
    even: bool
    peak: int
    before: int
    period_ns: float
    chosen: NDArray[np.bool_]
    counted: bool
    unit_ns: float
    x_unit: str
    y_name: str
    y_unit: str
    warnings: tuple[str, ...]


def decay(dataset: Dataset, start_ns: float | None = None, end_ns: float | None = None) -> Decay:
    """The part of a dataset between two times after its maximum.

    Raises MethodError when it is not a decay in which a lifetime could be found.
    """
    t, y, warnings = line("decay", dataset)
    unit_ns = float(np.ptp(t)) / float(np.ptp(np.asarray(dataset.axes[0].values, dtype=np.float64)))
    warnings += _channel_width(dataset, t)
    t, y, cut = _without_silence(t, y)
    warnings += cut
    t, y, cut = _without_cut_channel(t, y)
    warnings += cut
    _check_pulse(y)
    peak = int(np.argmax(y))
    chosen = np.ones(t.size, dtype=bool)
    if start_ns is not None:
        chosen &= t - t[peak] >= start_ns
    if end_ns is not None:
        chosen &= t - t[peak] <= end_ns
    if chosen.sum() < MIN_POINTS:
        raise MethodError(
            f"{chosen.sum()} channels lie between the chosen times after the maximum; at least {MIN_POINTS} "
            "are needed. Widen start_ns and end_ns."
        )
    if chosen[peak:].sum() < MIN_AFTER:
        raise MethodError(
            f"{chosen[peak:].sum()} channels follow the maximum: too few for a lifetime. Measure longer."
        )
    _check_saturation(t, y, chosen)
    _check_one_pulse(t, y, chosen, peak)
    before = _before(y, peak)
    warnings += _pile_up(dataset)
    step = float(t[-1] - t[0]) / (t.size - 1)
    even = bool(np.all(np.abs(t - t[0] - evenly(t)) <= EVEN * step))
    counted = bool(np.all(y >= 0) and np.all(np.abs(y - np.round(y)) <= 1e-6))
    return Decay(
        t,
        y,
        step,
        even,
        peak,
        before,
        _period_ns(dataset),
        chosen,
        counted,
        unit_ns,
        dataset.axes[0].unit,
        dataset.signal.name or "counts",
        dataset.signal.unit,
        tuple(warnings),
    )


def evenly(t: Array) -> Array:
    return np.asarray(np.arange(t.size) * ((t[-1] - t[0]) / (t.size - 1)), dtype=np.float64)


def in_unit(decay: Decay, t: Array) -> Array:
    """Times in ns in the unit of the decay's own file, so that curves lie on its data."""
    return t / decay.unit_ns


def line(what: str, dataset: Dataset) -> tuple[Array, Array, list[str]]:
    if dataset.signal.values.ndim != 1:
        shape = " × ".join(str(size) for size in dataset.signal.values.shape)
        raise MethodError(f"One {what} is expected, but this dataset has the shape {shape}.")
    axis = dataset.axes[0]
    t = np.asarray(axis.values, dtype=np.float64)
    y = np.asarray(dataset.signal.values, dtype=np.float64)
    if t.size < MIN_POINTS:
        raise MethodError(f"The {what} has {t.size} points; at least {MIN_POINTS} are needed.")
    bad = np.flatnonzero(~(np.isfinite(t) & np.isfinite(y)))
    if bad.size:
        raise MethodError(
            f"{bad.size} of {t.size} points of the {what} are not finite numbers, the first is point "
            f"{bad[0] + 1}. Export it again without them."
        )
    t, warnings = _in_nanoseconds(what, axis, channel_ns(dataset))
    steps = np.diff(t)
    if np.all(steps < 0):
        t, y, steps = t[::-1], y[::-1], -steps[::-1]
    if np.any(steps <= 0):
        where = t[int(np.argmax(steps <= 0)) + 1]
        raise MethodError(f"The times of the {what} do not always rise (see {where:g} ns); sort the file.")
    span = float(t[-1] - t[0])
    if not (np.median(steps) >= SHORTEST_NS and span <= LONGEST_NS):
        raise MethodError(
            f"{t.size} channels over {span:.4g} ns are no photon counter's; check the unit of the time axis "
            f"(“{axis.unit or 'none'}”)."
        )
    low, high = float(y.min()), float(y.max())
    if -low > 2 * abs(high) and np.median(y) - low > high - np.median(y):
        raise MethodError(
            f"The {what} goes down to {low:g}, as a detector of negative output shows a pulse. Multiply it "
            "by −1."
        )
    if high <= 0:
        raise MethodError(f"No channel of the {what} is above zero; was the background subtracted twice?")
    if high == low:
        raise MethodError(f"All {y.size} channels of the {what} hold {low:g}: there is no pulse.")
    if not (1e-6 <= high <= 1e15 and low >= -1e15):
        raise MethodError(f"Counts from {low:g} to {high:g} are no detector's; check the columns.")
    if low < -0.2 * high:
        raise MethodError(f"The {what} falls to {low:g} below zero; counts do not. Check the columns.")
    return t, y, warnings


def _in_nanoseconds(what: str, axis: Axis, channel: float | None) -> tuple[Array, list[str]]:
    t, word = np.asarray(axis.values, dtype=np.float64), axis.unit.strip().lower()
    if word in NANOSECONDS:
        return t * NANOSECONDS[word], []
    if word not in UNSAID:
        raise MethodError(
            f"The axis of the {what} is in “{axis.unit}”; a time in ps, ns, µs, ms or s is needed."
        )
    if not axis.name.strip().lower().startswith("chan"):
        return t, [f"The file does not name the unit of the {what}'s time; it is taken as ns."]
    if channel is None:
        raise MethodError(
            f"The {what} is over numbers of channels, and nothing says how wide one is. State its "
            "channel_width in ns, or export it over time."
        )
    return t * channel, []


def _channel_width(dataset: Dataset, t: Array) -> list[str]:
    said = dataset.conditions.get("channel_width")
    if said is None or isinstance(said.value, str) or said.value <= 0:
        return []
    step = float(np.median(np.diff(t)))
    if abs(step - said.value) <= 0.05 * said.value:
        return []
    ratio = step / said.value
    if abs(np.log10(ratio) - round(np.log10(ratio))) < 0.02 and abs(np.log10(ratio)) > 0.5:
        raise MethodError(
            f"The header says {said.value:g} ns a channel, the time axis {step:g} ns: its unit is wrong. "
            "Export it again with the time in ns."
        )
    return [f"The header says {said.value:g} ns a channel, the time axis {step:g} ns; the axis is believed."]


def _without_silence(t: Array, y: Array) -> tuple[Array, Array, list[str]]:
    """Without the channels at the end that the counter never filled: the next pulse came before."""
    counted = np.flatnonzero(y)
    last = int(counted[-1]) + 1
    silent = y.size - last
    if silent < 2:
        return t, y, []
    expected = silent * float(np.mean(y[max(last - 200, 0) : last]))
    if expected < 20:  # chance of so many empty channels e⁻²⁰
        return t, y, []
    return (
        t[:last],
        y[:last],
        [f"The last {silent} channels are empty and left out: the counter never filled them."],
    )


def _without_cut_channel(t: Array, y: Array) -> tuple[Array, Array, list[str]]:
    """Without a last channel in which the next pulse came, so that it was open for a part of it."""
    tail = y[-52:-1]
    noise = 1.4826 * float(np.median(np.abs(np.diff(tail)))) / 2**0.5
    level = float(np.median(tail))
    if y.size < 200 or y[-1] >= level - 8 * max(noise, np.sqrt(max(level, 0.0)), 1e-300):
        return t, y, []
    return t[:-1], y[:-1], ["The last channel is left out: it was open for a part of its width only."]


def _check_pulse(y: Array) -> None:
    base = float(np.median(y))
    differences = np.abs(np.diff(y))
    noise = max(1.4826 * float(np.median(differences)) / 2**0.5, 1e-12 * float(y.max()))
    if y.max() - base < 8 * max(noise, np.sqrt(max(base, 0.0)) if y.max() > 100 else 0.0):
        raise MethodError("No pulse rises above the background: was the shutter closed, or the delay wrong?")


def _check_saturation(t: Array, y: Array, chosen: NDArray[np.bool_]) -> None:
    top = np.concatenate([[False], (y == y.max()) & chosen, [False]])
    edges = np.flatnonzero(np.diff(top.astype(int)))
    if y.max() < 100 or not edges.size:
        return
    lengths = edges[1::2] - edges[::2]
    longest = int(np.argmax(lengths))
    if lengths[longest] >= 3:
        first, last = t[edges[2 * longest]], t[edges[2 * longest + 1] - 1]
        raise MethodError(
            f"The maximum is flat from {first:g} to {last:g} ns ({lengths[longest]} equal channels): the "
            "counter overflowed. Measure for a shorter time, or choose a range behind it with start_ns."
        )


def _check_one_pulse(t: Array, y: Array, chosen: NDArray[np.bool_], peak: int) -> None:
    """An afterpulse is far lower than the pulse; what comes back to it is the pulse of the next period."""
    wide = max(5, y.size // 200)
    smooth = np.convolve(y - np.median(y), np.ones(wide) / wide, mode="same")
    after = np.flatnonzero(chosen & (np.arange(y.size) > peak))
    fallen = after[smooth[after] < FALLEN * smooth[peak]]
    if not fallen.size:
        return
    again = after[(after > fallen[0]) & (smooth[after] > BACK * smooth[peak])]
    if again.size:
        raise MethodError(
            f"A second pulse comes {t[again[0]] - t[peak]:.3g} ns after the first: the file holds more than "
            "one period. Cut it, or choose end_ns before that."
        )


def _before(y: Array, peak: int) -> int:
    """How many channels come before the rise, with a guard of half its length. Among the first channels of a
    slow decay noise has the highest: none."""
    if peak < 4:
        return 0
    base = float(np.median(y[: max(peak // 2, 2)]))
    noise = 1.4826 * float(np.median(np.abs(np.diff(y[: 4 * peak])))) / 2**0.5
    if y[peak] - base < RISE_SIGMAS * noise:
        return 0
    low = np.flatnonzero(y[:peak] - base < 0.02 * (y[peak] - base))
    if not low.size:
        return 0
    edge = int(low[-1])
    return max(edge - max((peak - edge), 2), 0)


def _pile_up(dataset: Dataset) -> list[str]:
    rate, pulses = dataset.conditions.get("count_rate"), dataset.conditions.get("repetition_rate")
    if rate is None or pulses is None or isinstance(rate.value, str) or isinstance(pulses.value, str):
        return []
    if pulses.value <= 0 or rate.value <= 0:
        return []
    share = rate.value / (pulses.value * 1e6)
    if share <= PILE_UP:
        return []
    return [
        f"{100 * share:.2g} counts in 100 pulses: above {100 * PILE_UP:.0f} the first photon hides later "
        "ones (pile-up) and lifetimes come out too short. Measure again with less light."
    ]


def _period_ns(dataset: Dataset) -> float:
    pulses = dataset.conditions.get("repetition_rate")
    if pulses is None or isinstance(pulses.value, str) or pulses.value <= 0:
        return np.inf
    return 1e3 / pulses.value


def width(decay: Decay) -> float:
    above = np.flatnonzero(decay.y >= (decay.y.max() + np.median(decay.y)) / 2)
    return float((above[-1] - above[0] + 1) * decay.step)
