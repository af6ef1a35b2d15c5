"""The response of an instrument, brought to the channels of a decay, or refused; and what is wrong with it
where a fit through it leaves more than noise.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.methods._decay_words import Fit, Noise
from analysis.methods._decays import EVEN, Decay, evenly, line, width
from analysis.methods.base import Array, Dataset, MethodError
from analysis.numerics.any_emission import best_light
from analysis.numerics.responses import Response, resampled

MIN_RESPONSE = 10.0  # its maximum over its noise
WHOLE_RESPONSE = 1e-3  # of its maximum: there it ends
WHITE_CHI2 = 1.5
GAP = 5  # channels below the floor within one pulse
AROUND = 300  # channels in which the pulse is looked at


def response(dataset: Dataset, decay: Decay) -> tuple[Response, list[str]]:
    """The measured response on the decay's channels, without its background and outside its pulse nothing.

    Raises MethodError when it is no response of this decay's instrument.
    """
    remedy = "Choose another response, or fit the tail (fit = tail)."
    try:
        t, counts, warnings = line("response", dataset)
    except MethodError as refusal:
        raise MethodError(f"{refusal} {remedy}") from None
    if np.any(np.abs(t - t[0] - evenly(t)) > EVEN * (t[-1] - t[0]) / (t.size - 1)):
        raise MethodError(f"The channels of the response are not equally wide. {remedy}")
    top = int(np.argmax(counts))
    quiet = counts[: max(top // 2, 1)] if top >= 10 else counts[-max(counts.size // 10, 3) :]
    background = float(np.median(quiet))
    counted = bool(np.all(np.abs(counts - np.round(counts)) <= 1e-6)) and counts[top] > 1  # or normalised
    least = np.sqrt(max(background, 1.0)) if counted else 1e-6 * float(counts[top])
    noise = max(1.4826 * float(np.median(np.abs(quiet - background))), least)
    counts = counts - background
    if counts[top] < MIN_RESPONSE * noise:
        raise MethodError(f"The response has no pulse: its maximum is hardly above its noise. {remedy}")
    kept = _pulses(counts, top, max(WHOLE_RESPONSE * counts[top], 3 * noise))
    half = counts >= counts[top] / 2
    if half.sum() > counts.size / 4 or top in (0, counts.size - 1):
        raise MethodError(f"The response is not one pulse that rises and falls. {remedy}")
    first, last = np.flatnonzero(kept)[[0, -1]]
    around = slice(first, last + 1)
    made = resampled(t[around], np.where(kept, np.maximum(counts, 0.0), 0.0)[around], decay.step)
    if made.fwhm > 1.2 * max(width(decay), decay.step):
        raise MethodError(
            f"The response is broader ({made.fwhm:.3g} ns) than the decay itself ({width(decay):.3g} ns), so "
            f"it is not that of its instrument. {remedy}"
        )
    own = float(t[-1] - t[0]) / (t.size - 1)
    if own > 1.5 * decay.step:
        warnings.append(
            f"The channels of the response are {own / decay.step:.2g} times as wide as those of the decay; "
            "its shape between them is interpolated."
        )
    if counted and counts[kept].sum() < 0.1 * np.maximum(decay.y - np.median(decay.y), 0).sum():
        warnings.append(
            "The response holds less than a tenth of the decay's counts: its own noise is not in the sigmas."
        )
    return made, warnings


def _pulses(counts: Array, top: int, floor: float) -> NDArray[np.bool_]:
    """The channels of the pulse and of what follows or leads it, such as reflections: all that is above the
    floor, but no single channels and no pulse of the next period. Over gaps of five channels it is one."""
    kept = np.zeros(counts.size, dtype=bool)
    above = np.flatnonzero(counts > floor)
    for group in np.split(above, np.flatnonzero(np.diff(above) > GAP) + 1):
        own = group[0] <= top <= group[-1]
        if own or (group.size >= 3 and counts[group].max() < counts[top] / 2):
            kept[max(group[0] - 1, 0) : group[-1] + 2] = True
    return kept


def first_pulse(seen: Response) -> Response:
    """Without what is apart from its highest pulse."""
    bright = np.flatnonzero(seen.counts > WHOLE_RESPONSE * seen.counts.max())
    groups = np.split(bright, np.flatnonzero(np.diff(bright) > GAP * seen.per_channel) + 1)
    top = int(np.argmax(seen.counts))
    (own,) = [group for group in groups if group[0] <= top <= group[-1]]
    first, last = own[0], own[-1] + 1
    counts = seen.counts[first:last]
    return Response(counts / counts.sum(), seen.start + first * seen.step, seen.step, seen.per_channel)


def blame(data: Decay, seen: Response, found: Fit, noise: Noise) -> tuple[str, dict[str, float | str]]:
    """Whether it is the response or the emission's model that leaves more than noise around the pulse.

    found : a fit to all channels of the decay
    """
    here = _around_the_pulse(data, seen, found)
    if here.stop - here.start < 20 or found.curve.size != data.t.size:
        return "", {}
    signal = np.maximum(data.y[here], found.curve[here])
    if noise.weights is None:
        sigma = np.sqrt(np.maximum(noise.gain * (signal + noise.pedestal), 1e-300))
    else:
        sigma = 1 / np.sqrt(noise.weights[here])
    best = best_light(data.t[here], data.y[here], sigma, seen)
    notes: dict[str, float | str] = {"least_chi2_of_any_light": best.chi2}
    if best.chi2 < WHITE_CHI2:
        return (
            "Through this response light of another course over time would give the rise as measured: one "
            "that rises, or more components, or light of the pulse itself that reached the detector. "
        ), notes
    at = int(np.argmax(np.abs(best.residuals)))
    after = float(data.t[here][at] - data.t[data.peak])
    top = int(np.argmax(seen.counts))
    place = top + round(after / seen.step)
    height = seen.counts[place] / seen.counts[top] if 0 <= place < seen.counts.size else 0.0
    side = "after" if after >= 0 else "before"
    more = "more" if best.residuals[at] > 0 else "less"
    return (
        "No light of whatever course over time, seen through this response, gives the rise as measured: at "
        f"best χ²ᵣ is {best.chi2:.3g} over {here.stop - here.start} channels. {abs(after):.3g} ns {side} the "
        f"maximum there is {abs(best.residuals[at]):.3g} sigmas {more} light than it allows; the response "
        f"holds {height:.2g} of its maximum there. It was measured with another pulse or over another path. "
    ), notes


def _around_the_pulse(data: Decay, seen: Response, found: Fit) -> slice:
    first = seen.start + float(found.params[0])
    last = first + seen.step * seen.counts.size
    begin, end = np.searchsorted(data.t, (first - 5 * data.step, last + 5 * data.step))
    return slice(int(begin), int(min(end, begin + AROUND)))
