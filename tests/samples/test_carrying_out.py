"""Numbers that the bench shows while one types."""

from __future__ import annotations

from math import pi

import pytest

from samples.stoichiometry import StoichiometryError
from samples.stoichiometry.carrying_out import milling_dose_index, reagents, simple_ratio


def test_the_published_batch_of_cspbi3_is_off_by_five_parts_in_a_hundred_thousand() -> None:
    weighed = {"CsI": 144.17, "PbI2": 255.83}
    found = reagents(weighed, weighed)
    assert found.mole_ratio == pytest.approx(0.99995, abs=5e-6)
    assert found.coefficients == {"CsI": 1, "PbI2": 1}
    assert found.batch.limiting_reagent == "CsI"
    assert found.batch.stoichiometric_error == pytest.approx(5e-5, abs=5e-6)
    assert found.batch.product_mmol == pytest.approx(144.17 / 259.81, rel=1e-4)


def test_too_little_of_one_reagent_limits_the_batch() -> None:
    found = reagents({"CsI": 144.17, "PbI2": 230.0}, {"CsI": 144.17, "PbI2": 255.83})
    assert found.batch.limiting_reagent == "PbI2"
    assert found.batch.stoichiometric_error == pytest.approx(255.83 / 230 - 1, rel=1e-3)


def test_simple_ratios_are_found_and_others_refused() -> None:
    assert simple_ratio({"a": 0.2, "b": 0.301}) == {"a": 2, "b": 3}
    with pytest.raises(StoichiometryError, match="no simple ratio"):
        simple_ratio({"a": 1.0, "b": 7.77})


def test_the_milling_dose_follows_ratio_speed_and_time() -> None:
    one = milling_dose_index(16, 0.4, 800, 60)
    assert one == pytest.approx(40 * (2 * pi * 800 / 60) ** 3 * 3600)
    assert milling_dose_index(16, 0.2, 800, 60) == pytest.approx(2 * one)  # 80 instead of 40
    assert milling_dose_index(16, 0.4, 400, 480) == pytest.approx(one)  # half the speed: eight times as long
    with pytest.raises(StoichiometryError):
        milling_dose_index(16, 0, 800, 60)
