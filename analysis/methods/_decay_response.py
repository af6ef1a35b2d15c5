"""The response of an instrument, brought to the channels of a decay, or refused.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

import numpy as np

from analysis.methods._decays import EVEN, Decay, evenly, line, width
from analysis.methods.base import Array, Dataset, MethodError
from analysis.numerics.responses import Response, resampled

MIN_RESPONSE = 10.0  # its maximum over its noise
WHOLE_RESPONSE = 1e-3  # of its maximum: there it ends


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
    noise = max(1.4826 * float(np.median(np.abs(quiet - background))), np.sqrt(max(background, 1.0)))
    counts = counts - background
    if counts[top] < MIN_RESPONSE * noise:
        raise MethodError(f"The response has no pulse: its maximum is hardly above its noise. {remedy}")
    first, last = _pulse(counts, top, max(WHOLE_RESPONSE * counts[top], 3 * noise))
    half = counts >= counts[top] / 2
    if half.sum() > counts.size / 4 or top in (0, counts.size - 1):
        raise MethodError(f"The response is not one pulse that rises and falls. {remedy}")
    around = slice(max(first - 1, 0), last + 2)
    made = resampled(t[around], np.maximum(counts[around], 0.0), decay.step)
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
    if counts[first : last + 1].sum() < 0.1 * np.maximum(decay.y - np.median(decay.y), 0).sum():
        warnings.append(
            "The response holds less than a tenth of the decay's counts: its own noise is not in the sigmas."
        )
    return made, warnings


def _pulse(counts: Array, top: int, floor: float) -> tuple[int, int]:
    """First and last channel around the maximum that are above the floor, over gaps of five channels."""
    above = np.flatnonzero(counts > floor)
    at = int(np.searchsorted(above, top))
    gaps = np.flatnonzero(np.diff(above) > 5)
    first = above[gaps[gaps < at][-1] + 1] if np.any(gaps < at) else above[0]
    last = above[gaps[gaps >= at][0]] if np.any(gaps >= at) else above[-1]
    return int(first), int(last)
