"""From a decay and what a person chose to what is fitted: with the response, or the tail alone.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.methods._decay_fits import fit
from analysis.methods._decay_noise import noise
from analysis.methods._decay_words import Fit, Problem
from analysis.methods._decays import Decay
from analysis.methods.base import MethodError
from analysis.numerics.decays import Convolver, Points, decay, exponential
from analysis.numerics.responses import Response

Rows = NDArray[np.intp]
MIN_BEFORE = 5
LONGEST = 10.0  # a lifetime, over the time that was watched
SHIFT_FWHMS = 4.0
WHITE_CHI2 = 1.5
RESPONSE_GONE = 1e-3


class Choices(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def background(self) -> str: ...
    @property
    def amplitude(self) -> str: ...


def tail(data: Decay, choices: Choices) -> tuple[Problem, Rows]:
    """Channels from the maximum on; those before the pulse take part in a free background, as the end of the
    pulse before where its period is known."""
    place = np.arange(data.t.size)
    rows = np.flatnonzero(data.chosen & (place >= data.peak))
    background, sigma = _background(data, choices)
    times = data.t[rows] - data.t[data.peak]
    if choices.background == "fit":
        before = np.arange(data.before)
        earlier = data.t[before] - data.t[data.peak]
        if data.period_ns > times[-1] - (earlier[0] if before.size else 0.0) and np.isfinite(data.period_ns):
            rows, times = np.concatenate([rows, before]), np.concatenate([times, earlier + data.period_ns])
        else:
            rows, times = np.concatenate([before, rows]), np.concatenate([earlier, times])
    amplitude = None
    if choices.amplitude == "peak":
        amplitude = float(data.y[data.peak]) - background[0]
        if data.peak not in rows:
            raise MethodError(
                "An amplitude is held at the highest channel: fit from there, without start_ns."
            )
    problem = Problem(
        Points(times),
        data.y[rows],
        noise(data, choices.weights, background[0], rows),
        (0.0, 0.0, 0.0),
        background,
        _lifetimes(data),
        amplitude,
        sigma,
        int(np.argmax(rows == data.peak)),
    )
    return problem, rows


def reconvolution(data: Decay, seen: Response, choices: Choices) -> tuple[Problem, Rows]:
    """The chosen range through the response; where that leaves the rise out, t₀ is held as that has it."""
    if not data.even:
        raise MethodError(
            "The channels of the decay are not equally wide, which reconvolution needs. Export the histogram "
            "as counted, or fit the tail (fit = tail)."
        )
    background, sigma = _background(data, choices)
    guess = _shift(data, seen, background[0])
    free = max(SHIFT_FWHMS * seen.fwhm, 5 * data.step)
    rows = np.flatnonzero(data.chosen)
    shift = (guess, guess - free, guess + free)
    whole = _through(data, seen, np.arange(data.t.size), choices, background, shift)
    if rows[0] >= data.peak:
        held = float(fit(whole, "3")[0].params[0])
        shift = (held, held, held)
    return replace(_through(data, seen, rows, choices, background, shift), background_sigma=sigma), rows


def _through(
    data: Decay,
    seen: Response,
    rows: Rows,
    choices: Choices,
    background: tuple[float, float, float],
    shift: tuple[float, float, float],
) -> Problem:
    return Problem(
        Convolver(seen, float(data.t[rows[0]]), data.step, rows.size),
        data.y[rows],
        noise(data, choices.weights, background[0], rows),
        shift,
        background,
        _lifetimes(data),
    )


def is_white(found: Fit) -> bool:
    """Whether the residual could be noise, whatever it is that the model misses."""
    return found.chi2 < WHITE_CHI2


def after_response(
    data: Decay, seen: Response, choices: Choices, found: Fit
) -> tuple[tuple[Problem, Rows] | None, float]:
    """The same without the time in which the response is there, and how long that is."""
    last = int(np.flatnonzero(seen.counts > RESPONSE_GONE * seen.counts.max())[-1])
    over = seen.start + float(found.params[0]) + seen.step * (last + 1)
    from_ns = over - float(data.t[data.peak])
    rows = np.flatnonzero(data.chosen & (data.t >= over))
    if rows.size < 50 or from_ns <= 0:
        return None, from_ns
    held = float(found.params[0])
    background, sigma = _background(data, choices)
    problem = _through(data, seen, rows, choices, background, (held, held, held))
    return (replace(problem, background_sigma=sigma), rows), from_ns


def with_free_amplitude(problem: Problem, held: Fit, model: str) -> tuple[str, dict[str, float | str]]:
    """What is found when the amplitude is not held, in a sentence and in numbers."""
    free, _, _ = fit(replace(problem, amplitude=None), model)
    share = float(free.amplitudes[0] / held.amplitudes[0])
    tau, sigma = float(free.taus[0]), float(free.taus[0]) * free.sigma(3)
    said = f"τ = {tau:.4g} ± {sigma:.2g} ns"
    if model == "stretched":
        said += f", β = {free.beta:.3g} ± {free.sigma(4):.2g}"
    sentence = (
        f"The amplitude is held at the highest channel. Free, it is {share:.3g} of that, with {said}, and "
        f"χ²ᵣ is {free.chi2:.3g} instead of {held.chi2:.3g}."
    )
    notes: dict[str, float | str] = {
        "free amplitude: share": share,
        "free amplitude: lifetime_ns": tau,
        "free amplitude: reduced_chi2": free.chi2,
    }
    if model == "stretched":
        notes["free amplitude: beta"] = free.beta
    return sentence, notes


def _background(data: Decay, choices: Choices) -> tuple[tuple[float, float, float], float]:
    """(start, lowest, highest) and the sigma of one that is held."""
    before = data.y[: data.before]
    if choices.background == "none":
        return (0.0, 0.0, 0.0), 0.0
    if choices.background == "before":
        if before.size < MIN_BEFORE:
            raise MethodError(
                f"{before.size} channels come before the pulse, too few for a background. Choose background "
                "= fit or none."
            )
        mean = float(before.mean())
        return (mean, mean, mean), float(before.std(ddof=1) / before.size**0.5)
    low, top = float(data.y.min()), float(data.y.max())
    start = float(before.mean()) if before.size >= MIN_BEFORE else _lowest(data)
    if data.counted:
        start = max(start, 0.5 / data.t.size)  # from zero itself a likelihood climbs slowly
    return (start, min(low, 0.0), top), 0.0


def _lowest(data: Decay) -> float:
    """Mean of the quietest tenth of the tail."""
    after = data.y[data.peak :]
    size = max(after.size // 10, 3)
    return float(after[-size:].mean()) * 0.5


def _lifetimes(data: Decay) -> tuple[float, float]:
    return data.step / 5, LONGEST * float(data.t[-1] - data.t[data.peak])


def _shift(data: Decay, seen: Response, background: float) -> float:
    """Where the response has to go for one exponential to rise through half its height as the data do."""
    signal = data.y - background
    after = signal[data.peak :]
    delays = data.t[data.peak :] - data.t[data.peak]
    tau = float(np.clip(np.maximum(after, 0) @ delays / np.maximum(after, 0).sum(), data.step, None))
    first = seen.start - 20 * data.step
    points = int(np.ceil((seen.counts.size * seen.step + 20 * data.step) / data.step)) + 20
    curve, _ = decay(Convolver(seen, first, data.step, points), exponential, 1)(
        np.array([0.0, 0.0, 1.0, np.log(tau)])
    )
    here = float(data.t[0]) + data.step * _rise(signal)
    return here - (first + data.step * _rise(curve))


def _rise(y: NDArray[np.float64]) -> float:
    """Place, in channels, where the curve last passes half its maximum before it."""
    top = int(np.argmax(y))
    low = np.flatnonzero(y[: top + 1] < y[top] / 2)
    if not low.size:
        return 0.0
    k = int(low[-1])
    return k + float((y[top] / 2 - y[k]) / (y[k + 1] - y[k]))
