"""What instruments, exports and accidents really send, and what every method must make of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from analysis.methods import LoadedMethod, MethodError, ValueRow, check_outcome, get, parse_params
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


def hostile_values(loaded: LoadedMethod) -> Iterator[tuple[str, list[ValueRow]]]:
    """What a project may hold of the properties that the method reads."""
    good = ordinary_values(loaded)
    last = good[-1]
    rng = np.random.default_rng(4)

    def each(**changed: object) -> list[ValueRow]:
        return [replace(row, **changed) for row in good]  # type: ignore[arg-type]

    def scaled(factor: float) -> list[ValueRow]:
        return [replace(row, value=row.value * factor, sigma=(row.sigma or 0) * factor) for row in good]

    yield "empty", []
    yield "one", [last]
    yield "two", [last, last]
    yield "ordinary", good
    yield "constant", each(value=3.0)
    yield "zero", each(value=0.0, sigma=0.0)
    yield "nan", [*good, replace(last, value=float("nan"))]
    yield "infinite", [*good, replace(last, value=float("inf"))]
    yield "nan in sigma", each(sigma=float("nan"))
    yield "infinite sigma", each(sigma=float("inf"))
    yield "negative sigma", each(sigma=-1.0)
    yield "no sigma", each(sigma=None)
    yield "zero sigma", each(sigma=0.0)
    yield "sigmas far apart", [replace(row, sigma=10.0 ** (n % 40 - 20)) for n, row in enumerate(good)]
    yield "negative", scaled(-1)
    yield "huge", scaled(1e300)
    yield "large", scaled(1e90)
    yield "tiny", scaled(1e-300)
    yield "small", scaled(1e-90)
    yield "shuffled", [good[n] for n in rng.permutation(len(good))]
    yield "one sample", each(sample="VT-1")
    yield "all alike", [last] * 30
    yield "no date", each(measured_at=None)
    yield "one date", each(measured_at=last.measured_at)
    yield "no factor", each(factors={})
    yield "one factor for all", each(factors=last.factors)
    yield "nan in factors", each(factors=dict.fromkeys(loaded.method.factors, float("nan")))
    yield "infinite factors", each(factors=dict.fromkeys(loaded.method.factors, float("inf")))
    yield (
        "factors all but equal",
        [replace(row, factors=dict.fromkeys(row.factors, 0.25 + 1e-16 * n)) for n, row in enumerate(good)],
    )
    yield "no recipe", each(recipe="")
    yield "strange components", each(component="IX")
    yield "one outlier", [*good, replace(last, value=1e9)]
    yield "of nobody", each(sample="")


def ordinary_values(loaded: LoadedMethod) -> list[ValueRow]:
    """Every property that it reads, of ten samples, each measured ten times."""
    rng = np.random.default_rng(3)
    began = datetime(2026, 1, 5, tzinfo=UTC)
    return [
        ValueRow(
            sample=f"VT-{sample}",
            property=key,
            component=component,
            value=float(50 + sample + rng.normal(0, 0.3)),
            sigma=0.3,
            method="some_method",
            measured_at=began + timedelta(days=7 * time),
            recipe=f"{sample % 3}",
            factors={name: 0.05 * sample + 0.01 * n for n, name in enumerate(loaded.method.factors)},
        )
        for key in loaded.method.reads
        for component in ("", "I")
        for sample in range(10)
        for time in range(10)
    ]


def hostile_inputs(loaded: LoadedMethod) -> dict[str, object]:
    return _values_of(loaded.key) if loaded.over_values else _datasets()


@cache
def _values_of(key: str) -> dict[str, object]:
    return dict(hostile_values(get(key)))


@cache
def _datasets() -> dict[str, object]:
    return dict(hostile_datasets())


def assert_survives(loaded: LoadedMethod, given: object, params: Mapping[str, object] | None = None) -> None:
    """The shared check: a sentence or finite numbers, never another exception, never a RuntimeWarning."""
    inputs = given if loaded.over_values else {role.key: given for role in loaded.method.accepts}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            check_outcome(loaded, loaded.run(inputs, parse_params(loaded, params or {})))
        except MethodError as refusal:
            sentence = str(refusal)
            assert sentence[:1].isupper() or sentence[:1].isdigit(), sentence
            assert sentence.endswith((".", "?")), sentence
            assert not sentence.startswith(loaded.key), f"the contract, not the method, refused: {sentence}"
