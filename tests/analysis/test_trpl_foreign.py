"""Decays as other laboratories send them: late pulses, channels, negative output, normalised, two periods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.methods import MethodError
from measurements.data import Array, Axis, Dataset, Quantity, Signal
from tests.analysis.decay_reference import STEP_NS, T_NS, decay, expected, irf, photons
from tests.analysis.test_trpl import number, ran, value


def test_the_pulse_may_come_at_channel_900_of_64_ps():
    t = 0.064 * np.arange(4096)
    given = photons(expected((3.0, 18.0), (0.6, 0.4), peak=2e4, t=t, at=58.6))
    outcome = ran(decay(given, t), irf(0.064, points=1024))
    assert value(outcome, "trpl_tau_amp")[0] == pytest.approx(9.0, abs=0.1)


def over_channels(y: Array, **conditions: Quantity) -> Dataset:
    return Dataset(
        Signal("counts", "counts", y), (Axis("Chan", "", np.arange(1.0, y.size + 1)),), conditions=conditions
    )


def test_numbers_of_channels_are_no_times_until_somebody_says_how_wide_one_is():
    y = photons(expected((5.0,), (1.0,)))[:2000]
    with pytest.raises(MethodError, match="nothing says how wide one is"):
        ran(over_channels(y))
    outcome = ran(over_channels(y, channel_width=Quantity(STEP_NS, "ns")))
    assert value(outcome, "trpl_lifetime", "1")[0] == pytest.approx(5.0, abs=0.1)
    (drawn,) = [curve for curve in outcome.curves if curve.name == "data"]
    assert drawn.x[:2] == pytest.approx([1.0, 2.0])  # on the axis of the file


def test_the_width_of_a_channel_may_stand_in_the_header():
    y = photons(expected((5.0,), (1.0,)))[:2000]
    given = replace(over_channels(y), header={"Time calibration": "5.000000E-02ns/ch", "Live time": "0"})
    assert value(ran(given), "trpl_lifetime", "1")[0] == pytest.approx(5.0, abs=0.1)
    unclear = replace(given, header={"Time calibration": "5E-02ns/ch", "TAC": "64 ps/ch"})
    with pytest.raises(MethodError, match="nothing says how wide one is"):
        ran(unclear)


def test_a_detector_of_negative_output_is_recognised():
    t = 4.0 * np.arange(1000)
    y = 80 * np.exp(-np.maximum(t - 400, 0) / 150) * (t >= 400) + 12.5
    with pytest.raises(MethodError, match="negative output"):
        ran(decay(-y - 1e-3 * np.sin(t), t))


def test_the_highest_of_the_first_channels_of_a_slow_decay_is_no_pulse_after_a_background():
    """80 MHz and 20 ns: noise has its highest channel a few after the first, all of the decay itself."""
    t = 0.0125 * np.arange(1000)
    curve = 1e4 * np.exp(-t / 20) / -np.expm1(-12.5 / 20) + 2
    y = np.random.default_rng(5).poisson(curve).astype(float)
    y[7] = y[:12].max() + 1
    outcome = ran(decay(y, t, conditions={"repetition_rate": Quantity(80.0, "MHz")}))
    assert number(outcome, "reduced_chi2") < 1.3
    found, sigma = value(outcome, "trpl_lifetime", "1")
    assert abs(found - 20) < 4 * sigma


def test_a_decay_and_a_response_that_were_normalised_are_as_good_as_counts():
    counts, seen = photons(expected()), irf()
    response = seen.signal.values / seen.signal.values.max()
    outcome = ran(decay(counts / counts.max()), decay(response, seen.axes[0].values))
    plain = ran(decay(counts), seen)
    for key in ("trpl_tau_amp", "trpl_tau_int"):
        (one, sigma), (other, _) = value(outcome, key), value(plain, key)
        assert abs(one - other) < 0.5 * sigma


def test_the_pulse_of_the_next_period_is_no_part_of_a_decay():
    first = expected((10.0,), (1.0,), t=T_NS[:3000])
    both = first + np.concatenate([np.zeros(1800), 0.98 * first[:1200]])
    with pytest.raises(MethodError, match="A second pulse comes 89"):
        ran(decay(photons(both)))
    outcome = ran(decay(photons(both)), end_ns=80.0)
    assert value(outcome, "trpl_lifetime", "1")[0] == pytest.approx(10, abs=0.2)
