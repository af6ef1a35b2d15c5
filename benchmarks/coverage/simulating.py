"""One simulation with a planted truth, asked a thousand times over with other noise."""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis import methods
from analysis.methods import MethodError, ValueRow
from measurements.data import Array, Axis, Dataset, Quantity, Signal

Key = tuple[str, str]
Given = Mapping[str, Dataset] | Sequence[ValueRow]
Simulate = Callable[[np.random.Generator], Given]

HC_EV_NM = 1239.841984
LOW, HIGH = 0.62, 0.74


@dataclass(frozen=True)
class Case:
    """simulate : what a method is given, with the noise of one measurement
    truth : of every property and component that it should report
    truth_of : of what is defined by the data themselves, such as where their highest point lies
    bounds : properties reported besides that are no interval around a truth, and why
    """

    method: str
    name: str
    simulate: Simulate
    truth: Mapping[Key, float]
    params: Mapping[str, object] = field(default_factory=dict)
    bounds: Mapping[str, str] = field(default_factory=dict)
    truth_of: Callable[[Given], Mapping[Key, float]] | None = None


@dataclass(frozen=True)
class Held:
    """Of the simulations in which a value was reported: the share that held the truth, and how far in sigmas
    the values lie from it on average."""

    reported: int
    share: float
    bias: float

    def rounded(self) -> Held:
        """One value in other units has the same share, and its mean but for the sign and a bend."""
        return Held(self.reported, self.share, round(abs(self.bias), 1))


@dataclass(frozen=True)
class Found:
    """unforeseen : values that nobody planted, with how often they were reported; refusals likewise."""

    runs: int
    held: Mapping[Key, Held]
    unforeseen: Mapping[Key, int]
    refusals: Mapping[str, int]


def simulated(case: Case, runs: int) -> Found:
    """The same noise every time, and the same for the first of a longer series."""
    loaded = methods.get(case.method)
    params = methods.parse_params(loaded, dict(case.params))
    off: dict[Key, list[float]] = defaultdict(list)
    unforeseen: dict[Key, int] = defaultdict(int)
    refusals: dict[str, int] = defaultdict(int)
    start = zlib.crc32(f"{case.method} {case.name}".encode())
    for run in range(runs):
        given = case.simulate(np.random.default_rng([start, run]))
        try:
            outcome = methods.check_outcome(loaded, loaded.run(given, params))
        except MethodError as refusal:
            refusals[str(refusal)] += 1
            continue
        truth = case.truth if case.truth_of is None else case.truth_of(given)
        for result in outcome.values:
            key = result.property, result.component
            if key in truth:
                off[key].append((result.value - truth[key]) / result.sigma)
            elif result.property not in case.bounds:
                unforeseen[key] += 1
    held = {
        key: Held(len(z), float(np.mean(np.abs(z) <= 1)), float(np.mean(z))) for key, z in off.items() if z
    }
    return Found(runs, held, unforeseen, refusals)


def noiseless(case: Case) -> dict[Key, float]:
    """What the method says of the curve without noise: the truth of what is defined by its construction."""
    loaded = methods.get(case.method)
    params = methods.parse_params(loaded, dict(case.params))
    outcome = loaded.run(case.simulate(np.random.default_rng(0)), params)
    return {(result.property, result.component): result.value for result in outcome.values}


def spectrum(
    y: Array,
    x: Array,
    name: str = "intensity",
    unit: str = "counts",
    conditions: Mapping[str, Quantity] | None = None,
) -> Dataset:
    return Dataset(
        Signal(name, unit, np.asarray(y, float)), (Axis("wavelength", "nm", x),), conditions=conditions or {}
    )


def bell(x: Array, centre: float | Array, sigma: float) -> Array:
    """Of height one."""
    return np.asarray(np.exp(-0.5 * ((x - centre) / sigma) ** 2))


def bounds(runs: int, chance: float = 1e-4) -> tuple[float, float]:
    """Shares that so many simulations leave by chance only that rarely, were the interval just as good as
    asked: LOW and HIGH themselves, widened by the binomial law."""
    count = np.arange(runs + 1, dtype=np.float64)
    chances = [_binomial(count, runs, share) for share in (LOW, HIGH)]
    low = int(np.searchsorted(np.cumsum(chances[0]), chance))
    high = runs - int(np.searchsorted(np.cumsum(chances[1][::-1]), chance))
    return low / runs, high / runs


def _binomial(count: Array, runs: int, share: float) -> Array:
    ways = np.array([math.lgamma(runs + 1) - math.lgamma(k + 1) - math.lgamma(runs - k + 1) for k in count])
    return np.asarray(np.exp(ways + count * math.log(share) + (runs - count) * math.log1p(-share)))
