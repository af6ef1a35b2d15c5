"""Dark counts and spectral correction: planted instruments are taken out again, with honest sigmas."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis import methods
from analysis.methods import Dataset, MethodError, Outcome
from measurements.data import Array, Quantity, Signal
from tests.analysis.hostile import X_NM, dataset
from tests.analysis.pl_reference import CURVE, NOISE_SD, table

METHOD = methods.get("pl_descriptors")
DARK = 300 + 40 * np.sin(X_NM / 7)  # hot pixels, so that it does not fall out with the background
GAIN = np.exp((X_NM - 680) / 90)  # a detector that sees ever less towards the red
MEASURED = CURVE / GAIN + DARK


def describe(y: Array, *, correct: bool = True, **calibrations: Dataset) -> Outcome:
    return METHOD.run({"sample": dataset(y), **calibrations}, METHOD.Params(correct=correct))


def test_the_planted_instrument_is_taken_out_again() -> None:
    true = table(describe(CURVE))
    raw = table(describe(MEASURED))
    found = table(describe(MEASURED, dark=dataset(DARK), spectral=dataset(GAIN)))
    assert abs(raw["pl_centroid", ""][0] - true["pl_centroid", ""][0]) > 2
    for key, (value, _) in true.items():
        assert found[key][0] == pytest.approx(value, rel=1e-6), key


def test_dark_counts_alone_leave_the_shape_that_the_detector_sees() -> None:
    seen = table(describe(CURVE / GAIN))
    found = table(describe(MEASURED, dark=dataset(DARK)))
    assert found["pl_fwhm", ""][0] == pytest.approx(seen["pl_fwhm", ""][0], rel=1e-9)


def test_the_sigmas_of_corrected_spectra_are_those_of_repeated_measurements() -> None:
    rng = np.random.default_rng(31)
    values, sigmas = defaultdict[Any, Any](list), defaultdict[Any, Any](list)
    for _ in range(300):
        y = MEASURED + rng.normal(0, NOISE_SD, X_NM.size)
        dark = dataset(DARK + rng.normal(0, NOISE_SD, X_NM.size))
        for key, (value, sigma) in table(describe(y, dark=dark, spectral=dataset(GAIN))).items():
            values[key].append(value)
            sigmas[key].append(sigma)
    for key in [("pl_fwhm", ""), ("pl_centroid", ""), ("pl_max_position", ""), ("pl_max_intensity", "")]:
        assert 1 / 1.35 < np.median(sigmas[key]) / np.std(values[key]) < 1.35, key


def test_the_errors_of_the_correction_go_into_the_sigmas() -> None:
    rng = np.random.default_rng(32)
    y = MEASURED + rng.normal(0, 5, X_NM.size)
    sure, unsure = dataset(GAIN), dataset(GAIN)
    unsure = replace(unsure, signal=replace(unsure.signal, errors=0.05 * GAIN))
    of = {name: table(describe(y, spectral=each)) for name, each in (("sure", sure), ("unsure", unsure))}
    assert of["unsure"]["pl_max_intensity", ""][1] > 3 * of["sure"]["pl_max_intensity", ""][1]
    assert of["unsure"]["pl_centroid", ""][0] == of["sure"]["pl_centroid", ""][0]


def test_without_calibrations_or_with_correct_off_nothing_changes() -> None:
    plain = describe(MEASURED)
    off = describe(MEASURED, dark=dataset(DARK), spectral=dataset(GAIN), correct=False)
    assert off.values == plain.values
    assert "dark counts" not in off.notes


def test_the_run_says_what_was_done() -> None:
    notes = describe(MEASURED, dark=dataset(DARK), spectral=dataset(GAIN)).notes
    assert (notes["dark counts"], notes["spectral correction"]) == ("subtracted", "applied")
    assert notes["mean dark counts"] == pytest.approx(DARK.mean())


def test_a_descending_or_longer_calibration_fits_as_well() -> None:
    wide = np.arange(500.0, 901.0)
    longer = dataset(np.interp(wide, X_NM, DARK), wide)
    expected = table(describe(MEASURED, dark=dataset(DARK), spectral=dataset(GAIN)))
    backwards = dataset(GAIN[::-1].copy(), X_NM[::-1].copy())
    found = table(describe(MEASURED, dark=longer, spectral=backwards))
    assert list(found) == list(expected)
    assert np.array(list(found.values())) == pytest.approx(np.array(list(expected.values())))


def seconds(data: Dataset, exposure_s: float) -> Dataset:
    return replace(data, conditions={"exposure_time": Quantity(exposure_s, "s")})


REFUSED = {
    "no point at 550.5": ("dark", lambda: dataset(DARK, X_NM + 0.5), "no point at"),
    "another unit": ("dark", lambda: dataset(DARK, unit="counts/s"), "export both alike"),
    "not finite": ("dark", lambda: dataset(np.where(X_NM == 600, np.nan, DARK)), "not finite"),
    "one point": ("dark", lambda: dataset(np.array([1.0])), "at least 5 points"),
    "empty": ("spectral", lambda: dataset(np.empty(0), np.empty(0)), "at least 5 points"),
    "in eV": ("spectral", lambda: dataset(GAIN, axis_unit="eV"), "not over a wavelength"),
    "too short": ("spectral", lambda: dataset(GAIN[5:], X_NM[5:]), "covers 555 to 800"),
    "zero": ("spectral", lambda: dataset(np.where(X_NM == 600, 0.0, GAIN)), "0 at 600 nm"),
    "twice": ("spectral", lambda: dataset(GAIN, np.repeat(X_NM, 2)[: X_NM.size]), "twice"),
    "a map": (
        "dark",
        lambda: Dataset(
            Signal("i", "counts", np.ones((2, X_NM.size))), (dataset(X_NM[:2]).axes[0], dataset(DARK).axes[0])
        ),
        "not one curve",
    ),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_calibration_that_does_not_fit_is_refused_with_a_remedy(name: str) -> None:
    role, make, sentence = REFUSED[name]
    with pytest.raises(MethodError, match=sentence):
        describe(MEASURED, **{role: make()})


def test_dark_counts_of_another_exposure_are_refused() -> None:
    sample = seconds(dataset(MEASURED), 1.0)
    with pytest.raises(MethodError, match="with 2 s of exposure, the spectrum with 1 s"):
        METHOD.run({"sample": sample, "dark": seconds(dataset(DARK), 2.0)}, METHOD.Params())
    METHOD.run({"sample": sample, "dark": seconds(dataset(DARK), 1.0)}, METHOD.Params())
