"""What to doubt about an emission spectrum before believing its shape, in sentences, for `pl_descriptors`."""

from __future__ import annotations

import numpy as np

from analysis.methods._spectra import Spectrum
from analysis.methods.base import Array, Dataset, MethodError
from analysis.numerics import peaks

SURE = 6.0  # standard deviations
NEAR_NM, AROUND_NM = (
    6.0,
    25.0,
)  # a line of the excitation lies within the first, its surroundings in the second
AT_EXCITATION_NM = 3.0
LOCAL_SHARE = 0.1
CROPPED_SHARE = 0.05
SECOND_SHARE = 0.03
SHARP_SHARE, SHARP_WINDOW, SHARP_SIGMAS, MOST_NAMED = 0.02, 9, 8.0, 3
NEIGHBOURS = 20
RAMAN_CM1 = (50.0, 4000.0)


def excitation_nm(sample: Dataset) -> float | None:
    """None where the measurement does not state it."""
    excitation = sample.conditions.get("excitation_wavelength")
    if excitation is None or excitation.unit != "nm" or isinstance(excitation.value, str):
        return None
    return float(excitation.value) if np.isfinite(excitation.value) and excitation.value > 0 else None


def flags(
    data: Spectrum, sample: Dataset, variance: Array, background: float, top_nm: float, fwhm_points: float
) -> list[str]:
    """Raises MethodError where the maximum is not emission at all."""
    laser = excitation_nm(sample)
    if laser is not None and abs(top_nm - laser) <= AT_EXCITATION_NM:
        raise MethodError(
            f"The maximum, {top_nm:.1f} nm, is the excitation itself ({laser:g} nm). Set window_min_nm above "
            "it, or use a long-pass filter."
        )
    second = laser is not None and abs(top_nm - 2 * laser) <= AT_EXCITATION_NM
    if laser is not None and second and _stands_out(data, 2 * laser, variance, background):
        raise MethodError(
            f"The maximum, {top_nm:.1f} nm, is a line at twice the excitation ({laser:g} nm), its second "
            "order. Use a long-pass filter, or set window_max_nm below it."
        )
    height = float(np.max(peaks.running_mean(data.y, 2))) - background
    sigma = _local_sigma(data.y, variance)
    said = [*_negative(data, sigma), *_cropped(data, variance, height)]
    said += _lines_of_the_excitation(data, laser, variance, background)
    if fwhm_points >= SHARP_WINDOW - 1:
        said += _sharp_lines(data, laser, sigma, height)
        said += _second_maximum(data, laser, variance, background, height, top_nm, fwhm_points)
    return said


def _local_sigma(y: Array, variance: Array) -> Array:
    """(N,) at least the noise of the neighbourhood: at the ends of a detector's range, where a correction
    multiplies it, there is more than the signal explains."""
    padded = np.pad(y, NEIGHBOURS, mode="reflect", reflect_type="odd")
    windows = np.lib.stride_tricks.sliding_window_view(np.diff(padded), 2 * NEIGHBOURS)
    steps = windows - np.median(windows, axis=1, keepdims=True)
    local = peaks.MAD_TO_SIGMA * np.median(np.abs(steps), axis=1) / np.sqrt(2)
    return np.maximum(np.sqrt(variance), local)


def _negative(data: Spectrum, sigma: Array) -> list[str]:
    below = np.flatnonzero(data.y < -SURE * sigma)
    if below.size < 3:
        return []
    return [
        f"{below.size} points lie surely below zero, the lowest is {data.y.min():.4g} at "
        f"{data.x[int(np.argmin(data.y))]:g} nm. Was the dark or the blank subtracted twice?"
    ]


def _cropped(data: Spectrum, variance: Array, height: float) -> list[str]:
    edge = max(3, data.x.size // 40)
    ends = [float(np.median(data.y[:edge])), float(np.median(data.y[-edge:]))]
    noise = [float(np.sqrt(np.mean(part) / edge)) for part in (variance[:edge], variance[-edge:])]
    higher = int(ends[1] > ends[0])
    difference = ends[higher] - ends[1 - higher]
    if difference < max(CROPPED_SHARE * height, SURE * max(noise)):
        return []
    end, at = ("red", data.x[-1]) if higher else ("blue", data.x[0])
    return [
        f"At the {end} end, {at:g} nm, the signal is still {100 * min(difference / height, 1):.0f} % of the "
        "maximum above the other end: the spectrum is cropped or its background slopes; integral and "
        "centroid suffer."
    ]


def _lines_of_the_excitation(
    data: Spectrum, laser: float | None, variance: Array, background: float
) -> list[str]:
    if laser is None:
        return []
    said = []
    if _stands_out(data, laser, variance, background):
        said.append(
            f"The excitation itself ({laser:g} nm) lies inside the window; set window_min_nm above it, or "
            "use a long-pass filter."
        )
    if _stands_out(data, 2 * laser, variance, background):
        said.append(
            f"There is light at {2 * laser:g} nm, twice the excitation ({laser:g} nm): probably its second "
            "order. Use a long-pass filter or end the window before it."
        )
    return said


def _stands_out(data: Spectrum, line_nm: float, variance: Array, background: float) -> bool:
    """A narrow line on whatever runs smoothly through its surroundings."""
    distance = np.abs(data.x - line_nm)
    near, around = distance <= NEAR_NM, (distance > NEAR_NM) & (distance <= AROUND_NM)
    if near.sum() < 2 or around.sum() < 6:
        return False
    degree = 2 if np.any(data.x[around] < line_nm) and np.any(data.x[around] > line_nm) else 1
    u = (data.x - line_nm) / AROUND_NM
    smooth = np.polynomial.polynomial.polyfit(u[around], data.y[around], degree)
    expected = np.polynomial.polynomial.polyval(u[near], smooth)
    excess = data.y[near] - expected
    at = int(np.argmax(excess))
    least = LOCAL_SHARE * max(float(expected[at]) - background, 0.0)
    return bool(excess[at] > max(SURE * float(np.sqrt(variance[near][at])), least))


def _sharp_lines(data: Spectrum, laser: float | None, sigma: Array, height: float) -> list[str]:
    """Points that stand out of the median of their neighbours: cosmic rays, Raman lines, stray lasers."""
    half = SHARP_WINDOW // 2
    padded = np.pad(data.y, half, mode="edge")
    typical = np.median(np.lib.stride_tricks.sliding_window_view(padded, SHARP_WINDOW), axis=1)
    excess = data.y - typical
    out = (excess > SHARP_SIGMAS * sigma) & (excess > SHARP_SHARE * height)
    out[:half] = out[-half:] = False
    starts = np.flatnonzero(out & ~np.concatenate([[False], out[:-1]]))
    places = [float(data.x[i]) for i in starts if not _explained(float(data.x[i]), laser)]
    if not places:
        return []
    named = ", ".join(_named(place, laser) for place in places[:MOST_NAMED])
    more = f" and {len(places) - MOST_NAMED} more" if len(places) > MOST_NAMED else ""
    return [
        f"Narrower than any emission: {named}{more}. A cosmic ray, stray light or a Raman line of the glass; "
        "measure again, or narrow the window."
    ]


def _explained(place_nm: float, laser: float | None) -> bool:
    return laser is not None and min(abs(place_nm - laser), abs(place_nm - 2 * laser)) <= NEAR_NM


def _named(place_nm: float, laser: float | None) -> str:
    shift = 1e7 / laser - 1e7 / place_nm if laser is not None else 0.0
    raman = f" (Raman shift {shift:.0f} cm⁻¹)" if RAMAN_CM1[0] <= shift <= RAMAN_CM1[1] else ""
    return f"{place_nm:g} nm{raman}"


def _second_maximum(
    data: Spectrum,
    laser: float | None,
    variance: Array,
    background: float,
    height: float,
    top_nm: float,
    fwhm_points: float,
) -> list[str]:
    half = int(np.clip(fwhm_points / 10, 2, data.x.size // 8))
    smooth = peaks.running_mean(data.y, half)
    least = np.maximum(SURE * np.sqrt(variance / (2 * half + 1)), SECOND_SHARE * height)
    top = int(np.argmin(np.abs(data.x - top_nm)))
    best, share = None, 0.0
    for direction, way in ((1, smooth[top:]), (-1, smooth[top::-1])):
        if way.size <= half:
            continue
        rise = (way - np.minimum.accumulate(way))[:-half]  # how far it rises again after the deepest dip
        at = int(np.argmax(rise))
        place = top + direction * at
        part = (float(smooth[place]) - background) / height
        if rise[at] > least[place] and part > share and not _explained(float(data.x[place]), laser):
            best, share = place, part
    if best is None:
        return []
    return [
        f"There is a second maximum at {data.x[best]:.0f} nm, {100 * share:.0f} % as high: two emitters. "
        "Width, centroid and asymmetry are those of both together; see the Gaussians."
    ]
