"""What instruments, exports and accidents really send, and what every method must make of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import numpy as np

from analysis.methods import LoadedMethod, MethodError, check_outcome, parse_params
from measurements.data import Array, Axis, Dataset, Signal

X_NM = np.arange(550.0, 801.0)


def dataset(y: Array, x: Array | None = None, *, axis_unit: str = "nm", unit: str = "counts") -> Dataset:
    x = X_NM[: y.size] if x is None else x
    return Dataset(Signal("intensity", unit, np.asarray(y, float)), (Axis("wavelength", axis_unit, x),))


def hostile_datasets() -> Iterator[tuple[str, Dataset]]:
    peak = 1e4 * np.exp(-0.5 * ((X_NM - 680) / 20) ** 2) + 100
    noisy = peak + np.random.default_rng(1).normal(0, 50, peak.size)
    shuffled = np.random.default_rng(2).permutation(X_NM.size)
    gap = noisy.copy()
    gap[100] = np.nan
    clipped = np.minimum(noisy, 5000)
    yield "empty", dataset(np.empty(0), np.empty(0))
    yield "one point", dataset(np.array([5.0]))
    yield "two points", dataset(np.array([5.0, 6.0]))
    yield "constant", dataset(np.full(X_NM.size, 7.0))
    yield "zero", dataset(np.zeros(X_NM.size))
    yield "all nan", dataset(np.full(X_NM.size, np.nan))
    yield "one nan", dataset(gap)
    yield "infinite", dataset(np.where(X_NM == 600, np.inf, noisy))
    yield "negative", dataset(-noisy)
    yield "huge", dataset(noisy * 1e300)
    yield "tiny", dataset(noisy * 1e-300)
    yield "shuffled", dataset(noisy[shuffled], X_NM[shuffled])
    yield "descending", dataset(noisy[::-1], X_NM[::-1])
    yield "repeated axis", dataset(noisy, np.repeat(X_NM, 2)[: X_NM.size])
    yield "constant axis", dataset(noisy, np.full(X_NM.size, 600.0))
    yield "nan in axis", dataset(noisy, np.where(X_NM == 600, np.nan, X_NM))
    yield "negative axis", dataset(noisy, -X_NM[::-1])
    yield "saturated", dataset(clipped)
    yield "one spike", dataset(np.where(X_NM == 600, 1e6, 0.0))
    yield "steps", dataset(np.where(X_NM > 700, 1.0, 0.0))
    yield "alternating", dataset(np.where(np.arange(X_NM.size) % 2, 1.0, -1.0))
    yield "slope", dataset(X_NM.copy())
    yield "noise", dataset(np.random.default_rng(3).normal(0, 1, X_NM.size))
    yield "exact", dataset(peak)
    yield (
        "a map",
        Dataset(
            Signal("intensity", "counts", np.tile(noisy, (3, 1))),
            (Axis("y", "µm", np.arange(3.0)), Axis("wavelength", "nm", X_NM)),
        ),
    )


def assert_survives(loaded: LoadedMethod, given: Dataset, params: Mapping[str, object] | None = None) -> None:
    """The shared check: a sentence or finite numbers, never another exception, never a RuntimeWarning."""
    inputs = {role.key: given for role in loaded.method.accepts}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            check_outcome(loaded, loaded.run(inputs, parse_params(loaded, params or {})))
        except MethodError as refusal:
            sentence = str(refusal)
            assert sentence[:1].isupper() or sentence[:1].isdigit(), sentence
            assert sentence.endswith((".", "?")), sentence
            assert not sentence.startswith(loaded.key), f"the contract, not the method, refused: {sentence}"
