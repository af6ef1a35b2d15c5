"""Methods that take several inputs at once answer each as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from analysis import methods
from analysis.methods import LoadedMethod, MethodError, Outcome
from analysis.numerics import least_squares
from measurements.data import Dataset
from tests.analysis.hostile import X_NM, dataset, hostile_datasets
from tests.analysis.pl_reference import CURVE, NOISE_SD

TOGETHER = [key for key, loaded in methods.registry().items() if loaded.run_many is not None]
CHOICES = ({}, {"weights": "poisson"}, {"model": "one"}, {"model": "two"})


def spectra(count: int) -> list[Dataset]:
    noise = np.random.default_rng(20231101).normal(0, NOISE_SD, (count, X_NM.size))
    return [dataset(row) for row in CURVE + noise]


def alone(loaded: LoadedMethod, given: Dataset, params: object) -> Outcome | MethodError:
    try:
        return loaded.run({"sample": given}, params)
    except MethodError as refusal:
        return refusal


def differences(
    loaded: LoadedMethod, inputs: Sequence[Dataset], params: object
) -> list[tuple[int, Outcome | MethodError, Outcome | MethodError]]:
    assert loaded.run_many is not None
    together = loaded.run_many([{"sample": given} for given in inputs], params)
    assert len(together) == len(inputs)
    return [
        (place, one, many)
        for place, (given, many) in enumerate(zip(inputs, together, strict=True))
        if not same(one := alone(loaded, given, params), many)
    ]


def same(one: Outcome | MethodError, many: Outcome | MethodError) -> bool:
    """To the last bit: numbers, sentences, diagnostics and curves."""
    if isinstance(one, MethodError) or isinstance(many, MethodError):
        return type(one) is type(many) and str(one) == str(many)
    curves = [
        first.name == second.name and np.array_equal(first.y, second.y)
        for first, second in zip(one.curves, many.curves, strict=True)
    ]
    return (one.values, one.warnings, one.notes) == (many.values, many.warnings, many.notes) and all(curves)


@pytest.mark.parametrize("given", CHOICES, ids=str)
@pytest.mark.parametrize("key", TOGETHER)
def test_spectra_in_good_and_bad_company_are_answered_as_if_alone(key: str, given: dict[str, str]) -> None:
    loaded = methods.get(key)
    company = [bad for _, bad in hostile_datasets()]
    inputs = [each for pair in zip(spectra(len(company)), company, strict=True) for each in pair]
    assert differences(loaded, inputs, methods.parse_params(loaded, given)) == []


def test_the_comparison_notices_a_batch_in_which_one_spoils_another() -> None:
    loaded = methods.get("pl_gaussians")

    def careless(inputs: Sequence[dict[str, Dataset]], params: object) -> list[Outcome | MethodError]:
        return [alone(loaded, inputs[0]["sample"], params) for _ in inputs]

    params = methods.parse_params(loaded, {})
    assert len(differences(replace(loaded, run_many=careless), spectra(3), params)) == 2


def test_a_singular_problem_leaves_the_others_of_its_batch_alone() -> None:
    """One row whose normal matrix cannot be solved, among rows that can."""
    normal = np.stack([np.eye(2), np.zeros((2, 2)), 2 * np.eye(2)])
    gradient = np.ones((3, 2))
    held = np.zeros((3, 2), dtype=bool)
    nothing = np.zeros((3, 2))

    def step(rows: slice, damping: float) -> np.ndarray:
        return least_squares._step(
            normal[rows], gradient[rows], held[rows], nothing[rows], np.full(3, damping)[rows], np.eye(2)
        )

    together = step(slice(None), 0.0)
    assert np.array_equal(together[0], step(slice(0, 1), 0.0)[0])
    assert np.array_equal(together[2], step(slice(2, 3), 0.0)[0])
