"""Series and maps as accidents send them: a sentence or finite numbers, and never a RuntimeWarning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from analysis import methods
from measurements.data import Array, Axis, Dataset, Signal
from tests.analysis.hostile import assert_survives

X_NM = np.arange(640.0, 740.0, 2.0)
METHODS = {
    "photostability": ("h",),
    "photostability_trace": ("h",),
    "pl_temperature": ("°C",),
    "pl_map_gaussian": ("µm", "µm"),
    "cl_map_gaussian": ("µm", "µm"),
}
STEPS = 12


def hostile() -> Iterator[tuple[str, Array, Array]]:
    """A name, what multiplies or replaces the peak of each step, and what happens to the wavelengths."""
    rng = np.random.default_rng(5)
    peak = 1000 * np.exp(-0.5 * ((X_NM - 690) / 12) ** 2)
    good = 50 + peak * np.linspace(1, 0.8, STEPS)[:, None] + rng.normal(0, 5, (STEPS, X_NM.size))
    yield "good", good, X_NM
    yield "exact", np.tile(50 + peak, (STEPS, 1)), X_NM
    yield "zero", 0 * good, X_NM
    yield "constant", 0 * good + 7, X_NM
    yield "negative", -good, X_NM
    yield "huge", good * 1e300, X_NM
    yield "large", good * 1e95, X_NM
    yield "tiny", good * 1e-300, X_NM
    yield "small", good * 1e-90, X_NM
    yield "all nan", good * np.nan, X_NM
    yield "one nan", np.where((np.arange(STEPS)[:, None] == 3) & (X_NM == 690), np.nan, good), X_NM
    yield "infinite", np.where((np.arange(STEPS)[:, None] == 3) & (X_NM == 690), np.inf, good), X_NM
    yield "first dark", np.where(np.arange(STEPS)[:, None] == 0, 50.0, good), X_NM
    yield "dark after the first", np.where(np.arange(STEPS)[:, None] > 0, 50.0, good), X_NM
    yield "first negative", np.where(np.arange(STEPS)[:, None] == 0, -good, good), X_NM
    yield "growing", good * np.geomspace(1, 1e12, STEPS)[:, None], X_NM
    yield "falling", good * np.geomspace(1, 1e-12, STEPS)[:, None], X_NM
    yield "noise", rng.normal(0, 1, good.shape), X_NM
    yield "alternating", np.where(np.indices(good.shape).sum(axis=0) % 2, 1.0, -1.0), X_NM
    yield "saturated", np.minimum(good, 400), X_NM
    yield "one spike", np.where(np.indices(good.shape).prod(axis=0) == 30, 1e6, 0.0), X_NM
    yield "descending", good[:, ::-1], X_NM[::-1]
    yield "shuffled", good, rng.permutation(X_NM)
    yield "constant axis", good, 0 * X_NM + 600
    yield "nan in the axis", good, np.where(X_NM == 690, np.nan, X_NM)
    yield "energies", good, 1240 / X_NM
    yield "few wavelengths", good[:, :5], X_NM[:5]
    yield "few steps", good[:3], X_NM
    yield "nothing", good[:0], X_NM


HOSTILE = {name: (y, x) for name, y, x in hostile()}


def dataset(units: tuple[str, ...], y: Array, x: Array, at: Array | None = None) -> Dataset:
    """The steps along the first axis of places; a map repeats them with its own noise."""
    steps = np.arange(float(len(y))) if at is None else at
    if len(units) == 2:
        y = np.repeat(y[:, None, :], 6, axis=1)
    axes = [Axis("at", units[0], steps), *(Axis("across", unit, np.arange(6.0)) for unit in units[1:])]
    return Dataset(Signal("intensity", "counts", y), (*axes, Axis("wavelength", "nm", x)))


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("key", METHODS)
def test_hostile_series_give_a_sentence_or_finite_numbers(key: str, kind: str) -> None:
    y, x = HOSTILE[kind]
    if key == "photostability_trace":
        given = Dataset(Signal("I", "counts", y.sum(axis=1)), (Axis("t", "h", np.arange(float(len(y)))),))
    else:
        given = dataset(METHODS[key], y, x)
    assert_survives(methods.get(key), given)


@pytest.mark.parametrize("key", ["photostability", "pl_temperature"])
@pytest.mark.parametrize(
    "at",
    [
        np.zeros(STEPS),
        np.arange(STEPS)[::-1] * 1.0,
        np.full(STEPS, np.nan),
        np.arange(STEPS) * 1e300,
        np.arange(STEPS) * 1e-300,
        np.array([0.0, *(1e-9 * np.arange(1, STEPS - 1)), 1e9]),
    ],
    ids=["zero", "backwards", "nan", "huge", "tiny", "far apart"],
)
def test_hostile_times_and_temperatures_too(key: str, at: Array) -> None:
    y, x = HOSTILE["good"]
    assert_survives(methods.get(key), dataset(METHODS[key], y, x, at))
