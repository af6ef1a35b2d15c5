"""From where the search for lifetimes starts: a spectrum of many, or a fit with one fewer.

Not a method itself (the underscore keeps it out of the registry).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from analysis.methods._decay_words import Fit, Problem
from analysis.methods.base import Array
from analysis.numerics.counting import non_negative
from analysis.numerics.decays import exponential

TAUS = 24  # in the spectrum of lifetimes
LEAST_SHARE = 1e-4


def spectrum_start(problem: Problem, count: int) -> Array:
    """From a spectrum of many lifetimes with amplitudes ≥ 0, gathered into as many lumps as asked."""
    taus = np.geomspace(2 * problem.tau[0], problem.tau[1] / 3, TAUS)
    delays = problem.seen.delays(problem.t0[0])
    rows = problem.seen.convolved(
        np.array([exponential(delays, *problem.seen.widths, np.log([tau]))[0] for tau in taus])
    )
    weights = _rough_weights(problem)
    if problem.background[1] < problem.background[2]:
        rows = np.concatenate([rows, np.ones((1, problem.y.size))])
    y = problem.y - problem.background[1]
    weighted = rows * weights
    amplitudes = non_negative(weighted @ rows.T, weighted @ y)[:TAUS]
    lumps = _lumps(taus, amplitudes)
    if not lumps:
        return with_taus(problem, np.geomspace(3 * problem.tau[0], problem.tau[1] / 30, count + 2)[1:-1])
    while len(lumps) > count:
        gaps = [b[0] - a[0] for a, b in pairwise(lumps)]
        i = int(np.argmin(gaps))
        lumps[i : i + 2] = [_merged(lumps[i : i + 2])]
    while len(lumps) < count:
        i = int(np.argmax([light for _, light in lumps]))
        middle, share = lumps[i]
        lumps[i : i + 1] = [(middle - 0.6, share / 2), (middle + 0.6, share / 2)]
    logs = np.array([middle for middle, _ in lumps])
    light = np.array([each for _, each in lumps])
    return np.concatenate([[problem.t0[0], problem.background[0]], light / np.exp(logs), logs])


def _rough_weights(problem: Problem) -> Array:
    if problem.noise.weights is not None:
        return problem.noise.weights
    return 1 / np.maximum((problem.y + problem.noise.pedestal) / problem.noise.gain, 1.0)


def _lumps(taus: Array, amplitudes: Array) -> list[tuple[float, float]]:
    """(ln τ, light) of neighbouring lifetimes taken together."""
    light = amplitudes * taus
    some = np.flatnonzero(light > LEAST_SHARE * light.sum())
    if not some.size:
        return []
    groups = np.split(some, np.flatnonzero(np.diff(some) > 1) + 1)
    return [_merged([(float(np.log(taus[i])), float(light[i])) for i in group]) for group in groups]


def _merged(lumps: Sequence[tuple[float, float]]) -> tuple[float, float]:
    light = sum(each for _, each in lumps)
    return sum(middle * each for middle, each in lumps) / light, light


def split_start(problem: Problem, fit: Fit) -> Array:
    """The brightest component of a fit, halved into a shorter and a longer one."""
    logs, amplitudes = np.log(fit.taus), fit.amplitudes
    i = int(np.argmax(amplitudes * fit.taus))
    logs = np.concatenate([logs[:i], [logs[i] - 0.9, logs[i] + 0.5], logs[i + 1 :]])
    halves = [amplitudes[i] * 0.6, amplitudes[i] * 0.4]
    amplitudes = np.concatenate([amplitudes[:i], halves, amplitudes[i + 1 :]])
    return np.concatenate([fit.params[:2], amplitudes, logs])


def with_taus(problem: Problem, taus: Array) -> Array:
    top = float(problem.y.max()) - problem.background[0]
    return np.concatenate(
        [[problem.t0[0], problem.background[0]], np.full(taus.size, top / taus.size), np.log(taus)]
    )
