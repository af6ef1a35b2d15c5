"""Responses with reflections, of another pulse, or of another emission than exponentials."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.numerics.any_emission import _seen, best_light
from analysis.numerics.responses import resampled
from tests.analysis.decay_reference import STEP_NS, T_NS, decay, expected, photons
from tests.analysis.test_trpl import number, ran, real, said, value

ECHO_NS = 12.0


def with_echo(curve: np.ndarray, share: float) -> np.ndarray:
    """Light that reached the detector once more, later."""
    late = round(ECHO_NS / STEP_NS)
    return curve + share * np.concatenate([np.zeros(late), curve[:-late]])


def pulse(share: float, peak: float = 1e6) -> np.ndarray:
    shape = np.exp(-0.5 * ((T_NS - 5.0) / 0.15) ** 2)
    return photons(with_echo(peak * shape, share) + 1.0, 7)


def test_a_reflection_apart_from_the_pulse_belongs_to_the_response():
    clean = expected(peak=5e4, background=0.0)
    outcome = ran(decay(photons(with_echo(clean, 0.03) + 2.0)), decay(pulse(0.03)))
    assert number(outcome, "reduced_chi2") == pytest.approx(1, abs=0.07)
    for component, tau in (("1", 5.0), ("2", 30.0)):
        found, sigma = value(outcome, "trpl_lifetime", component)
        assert abs(found - tau) < 4 * sigma
    assert outcome.warnings == ()


def test_the_next_pulse_of_the_laser_is_no_reflection():
    twice = pulse(0.0) + np.roll(pulse(0.0), 1000) * 0.9
    outcome = ran(decay(photons(expected(peak=5e4))), decay(twice))
    assert number(outcome, "reduced_chi2") == pytest.approx(1, abs=0.07)


def test_a_response_with_a_reflection_that_the_decay_lacks_is_told_from_a_wrong_model():
    outcome = ran(decay(photons(expected((0.5, 5.0), (0.9, 0.1), peak=2e5))), decay(pulse(0.08)))
    assert "No light of whatever course over time" in said(outcome)
    assert "12 ns after the maximum" in said(outcome)
    assert "sigmas less light than it allows" in said(outcome)
    assert number(outcome, "least_chi2_of_any_light") > 5


def test_an_emission_that_rises_first_is_not_blamed_on_the_response():
    rising = 1.5 * expected((20.0,), (1.0,), peak=1e5, background=0) - expected((3.0,), (1.0,), peak=1e5)
    outcome = ran(decay(photons(np.maximum(rising, 0.0) + 2.0)), decay(pulse(0.0)))
    assert "light of another course over time would give the rise as measured" in said(outcome)
    assert number(outcome, "least_chi2_of_any_light") < 1.5


def with_scattered_light(share: float) -> np.ndarray:
    """A share of the light that comes as the response itself does, as from a cuvette or a rough film."""
    clean = expected(peak=2e4, background=0.0)
    prompt = np.exp(-0.5 * ((T_NS - 5.0) / 0.15) ** 2)
    return np.asarray(clean + prompt / prompt.sum() * clean.sum() * share / (1 - share) + 2.0)


def test_a_correct_response_is_not_blamed_for_components_that_were_not_asked_for():
    """One exponential under two takes the slower one for background."""
    outcome = ran(decay(photons(expected((2.0, 30.0), (0.5, 0.5), peak=5e4))), decay(pulse(0.0)), model="1")
    assert "No light of whatever course over time" not in said(outcome)
    assert "or more components" in said(outcome)
    assert number(outcome, "least_chi2_of_any_light") < 1.5


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_scattered_light_of_the_pulse_is_in_no_lifetime(share):
    outcome = ran(decay(photons(with_scattered_light(share))), decay(pulse(0.0)))
    assert number(outcome, "reduced_chi2") == pytest.approx(1, abs=0.07)
    assert number(outcome, "scattered share of the light") == pytest.approx(share, rel=0.1)
    assert "comes with the pulse itself" in said(outcome)
    for key, component, truth in (
        ("trpl_lifetime", "1", 5.0),
        ("trpl_lifetime", "2", 30.0),
        ("trpl_amplitude_share", "1", 0.7),
        ("trpl_tau_amp", "", 12.5),
        ("trpl_tau_int", "", 23.0),
    ):
        found, sigma = value(outcome, key, component)
        assert abs(found - truth) < 4 * sigma, key


@pytest.mark.parametrize("model", ["auto", "2"])
@pytest.mark.parametrize("seed", range(4))
def test_the_amplitudes_beside_scattered_light_are_those_that_were_planted(seed, model):
    """Fitted as a very short lifetime it would delay t₀ and take its amplitude from the others."""
    share, clean = 0.1, expected(peak=2e4, background=0.0)
    outcome = ran(decay(photons(with_scattered_light(share), seed)), decay(pulse(0.0)), model=model)
    assert outcome.notes["model"] == "2 exponentials and scattered light"
    at_start = float(clean[-1] / (0.7 * np.exp(-(T_NS[-1] - 5) / 5) + 0.3 * np.exp(-(T_NS[-1] - 5) / 30)))
    for component, part in (("1", 0.7), ("2", 0.3)):
        found, sigma = value(outcome, "trpl_amplitude", component)
        assert abs(found - part * at_start) < 4 * sigma, component


@pytest.mark.parametrize("seed", [2, 10])
def test_kept_scattered_light_is_never_a_lifetime_without_an_error(seed):
    outcome = ran(decay(photons(with_scattered_light(0.1), seed)), decay(pulse(0.0)), scatter="no")
    assert all(found.sigma > 0 for found in outcome.values), outcome.values


def test_a_short_emission_that_is_asked_for_stays_one():
    short = photons(expected((0.05, 20.0), (0.9, 0.1), peak=2e3))
    left_out = ran(decay(short), decay(pulse(0.0)))
    assert value(left_out, "trpl_lifetime", "1")[0] == pytest.approx(20, rel=0.05)
    assert "taken for scattered light" in said(left_out)
    kept = ran(decay(short), decay(pulse(0.0)), scatter="no")
    assert value(kept, "trpl_lifetime", "1")[0] == pytest.approx(0.05, abs=0.035)
    assert "comes with the pulse itself" not in said(kept)


def test_a_lifetime_far_below_the_response_is_emission_where_the_data_tell_it():
    """0.28 of the response's width, and its error is a fortieth of it."""
    outcome = ran(decay(photons(expected((0.1, 3.0, 20.0), (0.6, 0.3, 0.1), peak=1e5))), decay(pulse(0.0)))
    for key, component, truth in (
        ("trpl_lifetime", "1", 0.1),
        ("trpl_lifetime", "3", 20.0),
        ("trpl_tau_amp", "", 2.96),
    ):
        found, sigma = value(outcome, key, component)
        assert abs(found - truth) < 4 * sigma, key
    assert "taken for emission" in said(outcome)


def test_no_emission_fits_better_than_the_true_one_by_more_than_its_freedom():
    t = T_NS[:260]
    clean = expected((3.0,), (1.0,), peak=1e5, background=0.0)[:260]
    sigma = np.sqrt(np.maximum(clean, 1.0))
    y = clean + sigma * np.random.default_rng(3).standard_normal(t.size)
    response = resampled(T_NS, pulse(0.0) - 1.0, STEP_NS)
    assert 0.5 < best_light(t, y, sigma, response).chi2 < 1.0
    wrong = y + 20 * sigma * (np.abs(t - 4.5) < 0.1)  # light before there can be any
    found = best_light(t, wrong, sigma, response)
    assert found.chi2 > 1.5
    assert abs(t[np.argmax(np.abs(found.residuals))] - 4.5) < 0.3


def test_a_response_of_finer_channels_costs_no_more_sources_of_light():
    t = T_NS[:100]
    coarse, fine = (resampled(step * np.arange(200), np.hanning(200), STEP_NS) for step in (0.05, 0.05 / 8))
    assert fine.per_channel == 8
    assert _seen(t, STEP_NS, coarse).shape == (200, 100)
    assert _seen(t, STEP_NS, fine).shape[0] <= 402


@pytest.mark.parametrize(
    ("name", "response", "sigmas", "share"),
    [("F520_N0_raw", "irf_520nm", 175, "0.065"), ("F700_N1_raw", "irf_745nm", 186, "0.099")],
)
def test_the_metro_responses_hold_a_reflection_that_their_traces_lack(
    reference, name, response, sigmas, share
):
    """2.7 ns after the pulse both responses hold 7 and 10 % of their maximum; the traces 1.4 and 2.5 %, all
    decay included. No lifetimes, rise, scattered light, shift or broadening can mend that."""
    outcome = ran(real(reference, f"metrotrpl/{name}.csv"), real(reference, f"metrotrpl/{response}.csv"))
    assert "No light of whatever course over time" in said(outcome)
    assert f"2.7 ns after the maximum there is 1{'75' if name[0:2] == 'F5' else '86'} sigmas less" in said(
        outcome
    )
    assert f"holds {share} of its maximum" in said(outcome)
    assert number(outcome, "least_chi2_of_any_light") > 500
