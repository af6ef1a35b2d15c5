"""Windows of laser and emission, and the photons inside them with their covariance. Not a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.methods._plqy_spectra import Scan, Worth
from analysis.methods.base import Array, MethodError
from analysis.numerics.peaks import running_mean
from analysis.numerics.quantum_yield import band

HALF_WIDTH_NM = 10.0  # of the laser's window, unless somebody says otherwise
GAP_NM = 15.0  # between the windows, where one scan holds both
MIN_LASER_POINTS, MIN_EMISSION_POINTS = 3, 10
OUTER = 0.05  # share of a spectrum at either end that shows its background
PLAIN_BACKGROUND, WORTH_SUBTRACTING = 5.0, 0.02
AUTO, ENDS, NOTHING = "auto", "ends", "none"
SECOND_ORDER_NM, RING_NM = 6.0, 20.0
SURE, TELLING = 5.0, 0.002  # sigmas of the line, share of the emission: from there on it is told

Given = tuple[float | None, float | None]
Wanted = dict[str, list[tuple[str, float, float]]]


@dataclass(frozen=True)
class Windows:
    """In nm, inclusive."""

    laser: tuple[float, float]
    emission: tuple[float, float]
    excitation_nm: float


@dataclass(frozen=True)
class Integrals:
    """names : such as "P_c"; values (K,), covariance (K, K), in photons up to a common factor."""

    names: tuple[str, ...]
    values: Array
    covariance: Array

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])

    def sigma(self, name: str) -> float:
        place = self.names.index(name)
        return float(np.sqrt(self.covariance[place, place]))

    def __contains__(self, name: str) -> bool:
        return name in self.names


def windows(
    scans: Mapping[str, Scan],
    excitation_nm: float | None,
    laser: Given,
    emission: Given,
    said: list[str],
) -> Windows:
    """What a person gave, completed by what the files and the spectra say."""
    at = excitation_nm if excitation_nm is not None else _excitation(scans, laser, said)
    low, high = _completed(laser, (at - HALF_WIDTH_NM, at + HALF_WIDTH_NM), "laser’s")
    on_beam = emission_of(scans, "on_beam")
    separate = on_beam.role == "on_beam_emission"
    begin = max(float(on_beam.x[0]), high + (0.0 if separate else GAP_NM))
    found = _completed(emission, (begin, float(on_beam.x[-1])), "emission’s")
    if found[0] <= high and low <= found[1]:
        raise MethodError(
            f"The windows of laser ({low:g} to {high:g} nm) and emission ({found[0]:g} to {found[1]:g} nm) "
            "overlap; move them apart."
        )
    return Windows((low, high), found, at)


def _excitation(scans: Mapping[str, Scan], laser: Given, said: list[str]) -> float:
    if laser[0] is not None and laser[1] is not None:
        return (laser[0] + laser[1]) / 2
    stated = [one.excitation_nm for key, one in scans.items() if one.excitation_nm and key != "reference"]
    if stated:
        if max(stated) - min(stated) > 1:
            raise MethodError(
                f"The files state excitations from {min(stated):g} to {max(stated):g} nm. Measure all "
                "spectra with the same light, or give excitation_nm."
            )
        return float(stated[0])
    empty = scans["empty"]
    at = float(empty.x[int(np.argmax(empty.y))])
    said.append(
        f"No file states the excitation; the brightest line of the empty sphere, {at:g} nm, is taken for it."
    )
    return at


def _completed(given: Given, otherwise: tuple[float, float], whose: str) -> tuple[float, float]:
    low = otherwise[0] if given[0] is None else given[0]
    high = otherwise[1] if given[1] is None else given[1]
    if low >= high:
        raise MethodError(f"The {whose} window from {low:g} to {high:g} nm is empty; change its limits.")
    return low, high


def emission_of(scans: Mapping[str, Scan], of: str) -> Scan:
    """The spectrum that holds the emission: a scan of its own, or the whole one."""
    return scans.get(f"{of}_emission", scans[of])


def bands_of(scans: Mapping[str, Scan], shown: Windows, said: list[str]) -> Wanted:
    """By scan: the names and limits of what is integrated in it."""
    wanted: Wanted = {key: [] for key in scans}
    letters = {"empty": "a", "off_beam": "b", "on_beam": "c"}
    for role, letter in letters.items():
        if role not in scans:
            continue
        _require(scans[role], shown.laser, MIN_LASER_POINTS, "laser")
        wanted[role].append((f"L_{letter}", *shown.laser))
        one = emission_of(scans, role)
        if role == "empty" and not one.covers(*shown.emission):
            said.append(
                "The empty sphere was not measured over the whole emission window, so nothing is subtracted "
                "for its stray light."
            )
            continue
        if not one.covers(*shown.emission):
            raise MethodError(
                f"The {one.words} covers {one.x[0]:g} to {one.x[-1]:g} nm, the emission window is "
                f"{shown.emission[0]:g} to {shown.emission[1]:g} nm. Change the window, or give the file "
                f"with the emission the role {role}_emission."
            )
        _require(one, shown.emission, MIN_EMISSION_POINTS, "emission")
        wanted[one.role].append((f"P_{letter}", *shown.emission))
    return wanted


def _require(one: Scan, window: tuple[float, float], least: int, whose: str) -> None:
    points = int(((one.x >= window[0]) & (one.x <= window[1])).sum())
    if points < least:
        raise MethodError(
            f"The {one.words} has {points} points in the window of the {whose}, {window[0]:g} to "
            f"{window[1]:g} nm; at least {least} are needed. Check the excitation and the windows."
        )


def integrals(
    scans: Mapping[str, Scan],
    wanted: Mapping[str, Sequence[tuple[str, float, float]]],
    worths: Mapping[str, Worth],
    variances: Mapping[str, Array],
    background: str,
    laser: tuple[float, float],
    said: list[str],
) -> Integrals:
    """Every band of every scan. Bands are sums over points, so their covariance is exact."""
    used = [key for key, bands in wanted.items() if bands]
    raw = {key: np.stack([band(scans[key].x, *limits) for _, *limits in wanted[key]]) for key in used}
    ends = {key: _ends(scans[key], laser) for key in used}
    subtracted = _to_subtract(background, scans, raw, worths, variances, ends, said)
    names, values, blocks, by_knot = [], [], [], []
    for key in used:
        y, worth = scans[key].y, worths[key]
        rows = raw[key] * worth.gain
        level = float(ends[key] @ y) if key in subtracted else 0.0
        if key in subtracted:
            rows = rows - rows.sum(axis=1, keepdims=True) * ends[key]
        names += [name for name, *_ in wanted[key]]
        values.append(rows @ y)
        blocks.append((rows * variances[key]) @ rows.T)
        if worth.knots is not None:
            by_knot.append((raw[key] * (y - level)) @ worth.knots)
    covariance = _diagonal(blocks)
    if by_knot and len(by_knot) == len(used):
        together = np.concatenate(by_knot)
        knot_variance = worths[used[0]].knot_variance
        assert knot_variance is not None  # goes with the knots
        covariance = covariance + (together * knot_variance) @ together.T
    return Integrals(tuple(names), np.concatenate(values), covariance)


def _diagonal(blocks: Sequence[Array]) -> Array:
    size = sum(len(block) for block in blocks)
    whole, start = np.zeros((size, size)), 0
    for block in blocks:
        end = start + len(block)
        whole[start:end, start:end] = block
        start = end
    return whole


def _ends(one: Scan, laser: tuple[float, float]) -> Array:
    """(N,) weights of the mean of the outermost points; of one end only, where the other holds the laser."""
    count = max(3, int(OUTER * one.x.size))
    outside = (one.x < laser[0]) | (one.x > laser[1])
    sides = [np.zeros(one.x.size), np.zeros(one.x.size)]
    sides[0][:count] = sides[1][-count:] = 1 / count
    free = [side for side in sides if np.all(outside[side > 0])] or sides
    return np.asarray(sum(free) / len(free))


def _to_subtract(
    background: str,
    scans: Mapping[str, Scan],
    raw: Mapping[str, Array],
    worths: Mapping[str, Worth],
    variances: Mapping[str, Array],
    ends: Mapping[str, Array],
    said: list[str],
) -> set[str]:
    """Which scans stand on a background. Scans of one range are treated alike."""
    if background == NOTHING:
        return set()
    if background == ENDS:
        return set(raw)
    found: set[str] = set()
    for kind in (False, True):
        group = [key for key in raw if key.endswith("_emission") is kind and key != "reference"]
        if not any(_matters(scans[k].y, raw[k] * worths[k].gain, variances[k], ends[k]) for k in group):
            continue
        if all(_is_level(scans[key].y, ends[key]) for key in group):
            found |= set(group)
            said.append("The spectra stand on a background; the mean of their ends is subtracted from each.")
        else:
            said.append(
                "The ends of the spectra are not at zero, and not at one level. If they show a background, "
                "choose background=ends; as they are, nothing is subtracted."
            )
    return found | ({"reference"} & set(raw))


def _is_level(y: Array, ends: Array) -> bool:
    """Whether both ends tell the same, as an offset of the detector would make them."""
    places = np.flatnonzero(ends)
    left, right = np.split(y[places], [int(np.sum(places < y.size / 2))])
    if min(left.size, right.size) == 0:
        return True
    scatter = np.var(left) / left.size + np.var(right) / right.size
    return abs(float(left.mean() - right.mean())) <= 4 * float(np.sqrt(scatter)) + 1e-12 * abs(float(y.max()))


def _matters(y: Array, rows: Array, variance: Array, ends: Array) -> bool:
    level, of_ends = float(ends @ y), y[ends > 0]
    scatter = float(np.std(of_ends)) / float(np.sqrt(of_ends.size))
    sigma = max(float(np.sqrt(ends**2 @ variance)), scatter)
    share = np.abs(level * rows.sum(axis=1)) / np.maximum(np.abs(rows @ y), 1e-300)
    return abs(level) > PLAIN_BACKGROUND * sigma and bool(np.any(share > WORTH_SUBTRACTING))


def remarks(
    scans: Mapping[str, Scan],
    shown: Windows,
    variances: Mapping[str, Array],
    worths: Mapping[str, Worth],
    found: Integrals,
) -> list[str]:
    """What makes the windows doubtful: a line that is wider, second order, emission that is cut off."""
    said = []
    empty, (low, high) = scans["empty"], shown.laser
    inside = (empty.x >= low) & (empty.x <= high)
    line, top = empty.y[inside], float(empty.y.max())
    if line.max() < top:
        where = float(empty.x[int(np.argmax(empty.y))])
        said.append(f"The empty sphere is brightest at {where:g} nm, outside the laser’s window.")
    elif max(line[0], line[-1]) - min(line.min(), 0.0) > 0.1 * line.max():
        said.append(f"The laser’s line reaches beyond its window, {low:g} to {high:g} nm; widen it.")
    second = emission_of(scans, "empty")
    said += _second_order(second, shown, worths[second.role].gain, variances[second.role], found)
    emitting = emission_of(scans, "on_beam")
    part = (emitting.x >= shown.emission[0]) & (emitting.x <= shown.emission[1])
    y, count = emitting.y[part], max(3, int(OUTER * part.sum()))
    smooth = running_mean(y, count // 2)
    noise = float(np.sqrt(np.mean(variances[emitting.role][part][-count:]) / count))
    if float(np.mean(y[-count:])) - smooth.min() > max(0.05 * float(np.ptp(smooth)), 5 * noise):
        said.append(
            f"The emission has not faded at {shown.emission[1]:g} nm, the end of its window; what lies "
            "beyond is missing."
        )
    return said


def _second_order(one: Scan, shown: Windows, gain: Array, variance: Array, found: Integrals) -> list[str]:
    """In the empty sphere, which holds most of the laser. What it adds there is taken off the yield, so it is
    weighed against the emission and its error, never against the laser."""
    at = 2 * shown.excitation_nm
    if not shown.emission[0] < at < shown.emission[1]:
        return []
    away = np.abs(one.x - at)
    near, ring = away <= SECOND_ORDER_NM, (away > SECOND_ORDER_NM) & (away <= RING_NM)
    if near.sum() < 1 or ring.sum() < 5:
        return []
    rows = np.where(near, band(one.x, *one.x[[0, -1]]) * gain, 0.0)
    excess = float(rows @ (one.y - float(np.median(one.y[ring]))))
    scatter = max(float(np.var(one.y[ring])), float(np.mean(variance[ring])))
    noise = float(np.sqrt(scatter * (np.sum(rows**2) + np.sum(rows) ** 2 * np.pi / 2 / ring.sum())))
    net, error = found["P_c"], found.sigma("P_c")
    if "P_a" in found:
        net, error = net - found["P_a"], float(np.hypot(error, found.sigma("P_a")))
    if excess <= max(SURE * noise, TELLING * abs(net), error / 2):
        return []
    return [
        f"The second order of the laser, at {at:g} nm, lies inside the emission window. End the window "
        "before it, or measure behind a long-pass filter."
    ]
