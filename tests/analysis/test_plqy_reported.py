"""PLQY out of a file's header: the number itself, and no better a sigma than the file can give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import methods, properties
from analysis.methods import Dataset, MethodError, Outcome
from measurements.data import Axis, Quantity, Signal
from measurements.readers import luqy_pro

METHOD = methods.get("plqy_reported")
X_NM = np.linspace(400, 1000, 1024)
FLUX = 1e12 * np.exp(-0.5 * ((X_NM - 740) / 18) ** 2)


def found(dataset: Dataset, **params: object) -> Outcome:
    outcome = METHOD.run({"sample": dataset}, methods.parse_params(METHOD, params))
    return methods.check_outcome(METHOD, outcome)


def reported(y: object = FLUX, text: str = "1.5194", title: str = "LuQY (%)") -> Dataset:
    value = float(text) * (0.01 if "%" in title else 1)
    return Dataset(
        Signal("flux density", "photons/(s cm² nm)", np.asarray(y, float)),
        (Axis("Wavelength", "nm", X_NM),),
        {title: text},
        conditions={"quantum_yield": Quantity(value, "1")},
    )


@pytest.mark.parametrize(
    ("name", "expected"), [("hysprint_100_40-1.abspl.txt", 0.0004), ("hysprint_AA142.pli.txt", 0.015194)]
)
def test_the_number_of_a_real_file_arrives_as_a_fraction(reference: Path, name: str, expected: float) -> None:
    outcome = found(luqy_pro.read(reference / "instrument_files" / "plqy" / name)[0])
    (result,) = outcome.values
    assert result.value == pytest.approx(expected, rel=1e-9)
    assert 0.000001 / np.sqrt(12) <= result.sigma < 1e-3 * expected + 1e-6
    assert outcome.warnings[0].startswith("The file gives no error")


def test_sigma_is_that_of_the_last_digit_where_the_spectrum_is_clean() -> None:
    (coarse,) = found(reported(text="1.5")).values
    (fine,) = found(reported(text="1.5000")).values
    assert coarse.sigma == pytest.approx(0.001 / np.sqrt(12), rel=0.01)
    assert fine.sigma == pytest.approx(0.000001 / np.sqrt(12), rel=0.01)


def test_sigma_holds_the_truth_when_the_number_follows_a_noisy_spectrum() -> None:
    rng, hits = np.random.default_rng(8), 0
    for _ in range(1000):
        y = FLUX + rng.normal(0, 2e10, X_NM.size)
        share = np.trapezoid(y, X_NM) / np.trapezoid(FLUX, X_NM)
        (result,) = found(reported(y, text=f"{0.2 * share:.9f}", title="PLQY")).values
        hits += abs(result.value - 0.2) <= result.sigma
    assert 620 <= hits <= 740


def test_a_known_sigma_of_the_instrument_is_added_in_squares() -> None:
    (result,) = found(reported(), relative_sigma=0.05).values
    assert result.sigma == pytest.approx(0.05 * 0.015194, rel=1e-3)


def test_it_steps_back_behind_the_method_that_computes() -> None:
    assert properties.preferred_method("plqy") == "plqy"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (replace(reported(), conditions={}), "states no quantum yield"),
        (reported(text="130"), "no share between 0 and 1"),
        (reported(text="-5"), "no share between 0 and 1"),
        (replace(reported(np.zeros(X_NM.size)), header={}), "Give relative_sigma"),
        (reported(np.where(X_NM > 700, np.nan, FLUX)), "not finite"),
    ],
)
def test_what_is_no_quantum_yield_is_refused(given: Dataset, words: str) -> None:
    with pytest.raises(MethodError, match=words):
        found(given)


def test_a_dark_spectrum_leaves_the_last_digit() -> None:
    outcome = found(reported(np.zeros(X_NM.size), text="0.0000"))
    (result,) = outcome.values
    assert result.value == 0.0
    assert result.sigma == pytest.approx(0.000001 / np.sqrt(12))
    assert "The instrument reports no emission." in outcome.warnings
