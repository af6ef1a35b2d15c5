"""Absorption edges and Tauc gaps: planted truth, noise, real files, and what instruments send."""

from __future__ import annotations

from math import erf, pi, sqrt
from pathlib import Path

import numpy as np
import pytest

from analysis import methods
from analysis.methods import Dataset, MethodError, Outcome
from measurements.data import Axis, Signal
from measurements.opening import Source, datasets_of
from tests.analysis.hostile import assert_survives, hostile_datasets
from tests.analysis.pl_reference import said, table

EDGE, TAUC = methods.get("uvvis_edge"), methods.get("uvvis_tauc")
X = np.arange(400.0, 801.0)
EV = 1239.841984


def spectrum(y, x=X, name="Absorbance", unit="1", axis_unit="nm") -> Dataset:
    return Dataset(Signal(name, unit, np.asarray(y, float)), (Axis("Wavelength", axis_unit, x),))


def ask(loaded, y, x=X, *, name="Absorbance", unit="1", axis_unit="nm", **params) -> Outcome:
    given = y if isinstance(y, Dataset) else spectrum(y, x, name, unit, axis_unit)
    parsed = methods.parse_params(loaded, params)
    return methods.check_outcome(loaded, loaded.run({"sample": given}, parsed))


def sigmoid(center=708.0, width=8.0, x=X):
    return 1 / (1 + np.exp((x - center) / width))


def direct(gap=1.75, x=X):
    return np.sqrt(np.maximum(EV / x - gap, 0)) / (EV / x)


def indirect(gap=1.75, x=X):
    return np.maximum(EV / x - gap, 0) ** 2 / (EV / x)


def test_a_sigmoid_of_708_and_8_nm_begins_at_724_and_inflects_at_708():
    """Tangent at the centre, slope −1/32: it meets zero 16 nm further."""
    values = table(ask(EDGE, sigmoid()))
    assert values["band_edge", ""][0] == pytest.approx(724.0, abs=0.01)
    assert values["band_edge_inflection", ""][0] == pytest.approx(708.0, abs=0.01)
    assert values["absorption_edge_number", ""] == (1, 0)


def test_an_edge_at_700_nm_is_1_7714_ev_by_the_published_rule():
    values = table(ask(EDGE, sigmoid(684.0)))
    assert values["band_edge", ""][0] == pytest.approx(700.0, abs=0.01)
    assert values["band_gap", ""][0] == pytest.approx(1.7714, abs=5e-5)
    assert values["band_gap_exact", ""][0] == pytest.approx(1239.842 / 700, abs=5e-5)


def test_a_planted_direct_gap_is_found():
    values = table(ask(TAUC, direct()))
    assert values["tauc_gap_direct", ""][0] == pytest.approx(1.750, abs=2e-4)


def test_a_planted_indirect_gap_is_found():
    values = table(ask(TAUC, indirect()))
    assert values["tauc_gap_indirect", ""][0] == pytest.approx(1.750, abs=2e-3)


def test_scattering_is_taken_off_before_the_tangent_is_laid():
    given = sigmoid() + 0.3 * (X / 724) ** -4
    outcome = ask(EDGE, given + np.random.default_rng(0).normal(0, 1e-4, X.size))
    value, sigma = table(outcome)["band_edge", ""]
    assert outcome.notes["background"] == "scattering"
    assert outcome.notes["scattering exponent"] == pytest.approx(4, abs=0.3)
    assert abs(value - 724.0) < max(3 * sigma, 0.3)
    assert abs(table(ask(EDGE, given, background="constant"))["band_edge", ""][0] - 724) > 1


def test_two_edges_on_strong_scattering_are_both_found():
    given = 0.6 * sigmoid() + 0.8 * sigmoid(430, 6) + 0.3 * (X / 724) ** -4
    values = table(ask(EDGE, given + np.random.default_rng(0).normal(0, 1e-4, X.size)))
    assert values["band_edge", "gamma"][0] == pytest.approx(724.0, abs=0.2)
    assert values["band_edge", "delta"][0] == pytest.approx(442.0, abs=0.2)


@pytest.mark.parametrize("power", [1, 2, 3, 4])
@pytest.mark.parametrize("loaded", [EDGE, TAUC], ids=["edge", "tauc"])
def test_scattering_alone_has_neither_edge_nor_gap(loaded, power):
    y = 0.5 * (X / 400) ** -power + np.random.default_rng(power).normal(0, 1e-3, X.size)
    with pytest.raises(MethodError, match="No absorption edge"):
        ask(loaded, y)


def test_a_gap_that_rises_to_the_end_of_the_scan_is_given_with_a_doubt():
    outcome = ask(TAUC, indirect())
    assert any("this spectrum cannot tell" in warning for warning in outcome.warnings)


def test_a_gap_on_top_of_scattering_is_found():
    x = np.arange(400.0, 1000.0)
    given = direct(x=x) + 0.05 * (x / 700) ** -4 + np.random.default_rng(0).normal(0, 1e-5, x.size)
    value, sigma = table(ask(TAUC, given, x))["tauc_gap_direct", ""]
    assert value == pytest.approx(1.75, abs=max(3 * sigma, 0.003))


def test_two_edges_are_labelled_by_energy():
    outcome = ask(EDGE, 0.6 * sigmoid() + 0.8 * sigmoid(430, 6))
    values = table(outcome)
    assert values["absorption_edge_number", ""][0] == 2
    assert values["band_edge", "gamma"][0] == pytest.approx(724.0, abs=0.1)
    assert values["band_edge", "delta"][0] == pytest.approx(442.0, abs=0.1)
    assert values["band_gap", "delta"][0] > values["band_gap", "gamma"][0]
    assert ("band_gap", "") not in values
    assert not said(outcome, "is called")


def test_two_edges_that_are_not_those_of_the_phases_are_called_so_with_a_warning():
    assert said(ask(EDGE, sigmoid(780, 4, x=X + 100) + sigmoid(600, 4, x=X + 100), X + 100), "called delta")


def test_edges_closer_than_60_nm_are_one():
    close = 0.5 * sigmoid(700, 5) + 0.5 * sigmoid(650, 5)
    assert table(ask(EDGE, close))["absorption_edge_number", ""][0] == 1


def test_the_slow_rise_above_a_sharp_edge_is_no_second_edge():
    assert table(ask(EDGE, sigmoid() + 1.5 * sigmoid(530, 35)))["absorption_edge_number", ""][0] == 1
    assert table(ask(EDGE, sigmoid(550, 35)))["absorption_edge_number", ""][0] == 1


def test_the_end_of_a_band_is_no_band_gap():
    """A plasmon of gold particles; a perovskite with its exciton on top of the edge is not taken for one."""
    plasmon = 0.35 * np.exp(-0.5 * ((X - 525) / 25) ** 2) + 0.1 * sigmoid(450, 15)
    assert said(ask(EDGE, plasmon + 0.02), "the end of a band is no band gap")
    exciton = sigmoid(708) + 0.3 * np.exp(-0.5 * ((X - 690) / 12) ** 2)
    for edge in (sigmoid(), exciton, 0.6 * sigmoid(490, 7) + 0.5 * sigmoid(690, 8) + 0.05):
        assert not said(ask(EDGE, edge), "the end of a band is no band gap")


def test_the_band_among_two_edges_is_named():
    band = 0.8 * np.exp(-0.5 * ((X - 460) / 10) ** 2)  # its steepest tangent meets zero at 460 + 2·10
    assert said(ask(EDGE, 0.3 * sigmoid() + band), "Above the delta edge at 480 nm the signal falls again")
    assert said(ask(EDGE, band), "Above the edge at 480 nm the signal falls again")


def test_one_edge_may_be_asked_for():
    values = table(ask(EDGE, 0.9 * sigmoid() + 0.5 * sigmoid(430, 6), edges="one"))
    assert values["absorption_edge_number", ""][0] == 1
    assert values["band_edge", ""][0] == pytest.approx(724, abs=0.1)  # 0.9/8 is steeper than 0.5/6


@pytest.mark.parametrize(("unit", "axis"), [("cm⁻¹", 1e7 / X[::-1]), ("µm", X / 1000)])
def test_absorbance_over_wavenumbers_or_micrometres_has_the_same_edge(unit, axis):
    y = sigmoid()[::-1] if unit == "cm⁻¹" else sigmoid()
    values = table(ask(EDGE, y, axis, axis_unit=unit))
    assert values["band_edge", ""][0] == pytest.approx(724.0, abs=0.02)


@pytest.mark.full
@pytest.mark.parametrize("noise", [0.001, 0.005, 0.015])
def test_the_68_percent_interval_of_an_edge_holds_the_truth_in_62_to_74_percent(noise):
    hits = {"band_edge": [], "band_gap": [], "band_edge_inflection": []}
    truth = {"band_edge": 724.0, "band_gap": 1240 / 724, "band_edge_inflection": 708.0}
    for seed in range(500):
        values = table(ask(EDGE, sigmoid() + np.random.default_rng(seed).normal(0, noise, X.size)))
        for key, found in hits.items():
            if (key, "") in values:
                value, sigma = values[key, ""]
                found.append(abs(value - truth[key]) <= sigma)
    rates = {key: np.mean(found) for key, found in hits.items()}
    assert all(0.62 <= rate <= 0.74 for rate in rates.values()), rates


def two_edges(rng):
    return spectrum(0.6 * sigmoid(490, 7) + 0.5 * sigmoid(690, 8) + 0.05 + rng.normal(0, 0.002, X.size))


def transmittance(rng):
    return spectrum(100 * 10 ** -(0.8 * sigmoid(700) + 0.1) + rng.normal(0, 0.2, X.size), name="T", unit="%")


def reflectance(rng):
    """Its (1−R)²/2R bends differently to the two sides: the truth is that of a fine grid without noise."""
    return spectrum(100 * (0.85 - 0.6 * sigmoid(700)) + rng.normal(0, 0.2, X.size), name="R", unit="%")


KUBELKA_MUNK_EDGE, KUBELKA_MUNK_INFLECTION = 702.739, 688.893


def test_the_truth_of_the_reflectance_below_is_that_of_its_formula():
    x = np.linspace(650.0, 750.0, 1_000_001)
    r = 0.85 - 0.6 * sigmoid(700, 8, x)
    f = (1 - r) ** 2 / (2 * r)
    slope = np.gradient(f, x)
    steepest = int(slope.argmin())
    meets = x[steepest] - (f[steepest] - 0.15**2 / 1.7) / slope[steepest]
    assert x[steepest] == pytest.approx(KUBELKA_MUNK_INFLECTION, abs=2e-3)
    assert meets == pytest.approx(KUBELKA_MUNK_EDGE, abs=2e-3)


@pytest.mark.full
@pytest.mark.parametrize(
    ("made", "truth"),
    [
        (two_edges, {("delta", ""): 504.0, ("delta", "_inflection"): 490.0, ("gamma", ""): 706.0,
                     ("gamma", "_inflection"): 690.0}),
        (transmittance, {("", ""): 716.0, ("", "_inflection"): 700.0}),
        (reflectance, {("", ""): KUBELKA_MUNK_EDGE, ("", "_inflection"): KUBELKA_MUNK_INFLECTION}),
    ],
)  # fmt: skip
def test_two_thirds_of_the_intervals_hold_two_edges_and_converted_ones(made, truth):
    hits = {key: [] for key in truth}
    for seed in range(500):
        values = table(ask(EDGE, made(np.random.default_rng(seed))))
        for (component, which), place in truth.items():
            value, sigma = values[f"band_edge{which}", component]
            hits[component, which].append(abs(value - place) <= sigma)
    rates = {key: np.mean(found) for key, found in hits.items()}
    assert all(0.62 <= rate <= 0.74 for rate in rates.values()), rates


def test_an_edge_far_above_the_scattering_that_was_seen_is_as_sure_as_that_is():
    """Found beyond 740 nm and taken off at 490 nm: with its noise alone, one interval in six held it."""
    hits = []
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(0, 0.002, X.size)
        clean = 0.6 * sigmoid(490, 7) + 0.5 * sigmoid(690, 8) + 0.2 * (X / 724) ** -4.0
        value, sigma = table(ask(EDGE, clean + noise))["band_edge", "delta"]
        hits.append(abs(value - 504.0) <= sigma)
    assert 0.5 < np.mean(hits) < 0.85


def test_an_edge_in_reflectance_is_where_its_formula_has_it():
    """A curve that bends alike to both sides would be 0.2 nm off, more than its sigma."""
    found = [table(ask(EDGE, reflectance(np.random.default_rng(seed)))) for seed in range(40)]
    for key, truth in (
        ("band_edge", KUBELKA_MUNK_EDGE),
        ("band_edge_inflection", KUBELKA_MUNK_INFLECTION),
    ):
        values = np.array([each[key, ""] for each in found])
        assert abs(np.mean(values[:, 0]) - truth) < 0.7 * np.mean(values[:, 1])


@pytest.mark.full
@pytest.mark.parametrize(("shape", "key"), [(direct, "tauc_gap_direct"), (indirect, "tauc_gap_indirect")])
def test_the_68_percent_interval_of_a_gap_holds_the_truth_in_62_to_74_percent(shape, key):
    x = np.arange(400.0, 900.0)
    clean, hits = shape(x=x) / shape(x=x).max(), []
    for seed in range(300):
        outcome = ask(TAUC, clean + np.random.default_rng(seed).normal(0, 0.003, x.size), x)
        value, sigma = table(outcome)[key, ""]
        hits.append(abs(value - 1.75) <= sigma)
    assert 0.62 <= np.mean(hits) <= 0.74


def test_the_tangent_of_a_curve_that_is_no_sigmoid_is_its_own():
    """An error function of σ = 10 nm: slope −1/(σ√2π) at the centre, so it meets zero at σ√(π/2)."""
    shape = np.array([0.5 * (1 - erf((nm - 700) / (10 * sqrt(2)))) for nm in X])
    truth = 700 + 10 * sqrt(pi / 2)
    assert table(ask(EDGE, shape))["band_edge", ""][0] == pytest.approx(truth, abs=0.01)
    noisy = shape + np.random.default_rng(0).normal(0, 0.005, X.size)
    value, sigma = table(ask(EDGE, noisy))["band_edge", ""]
    assert abs(value - truth) < 3 * sigma < 1.0


def test_the_tangent_is_drawn_down_to_the_edge_on_the_scale_of_the_file():
    drawn = {curve.name: curve for curve in ask(EDGE, sigmoid() + 0.1).curves}
    assert drawn["fit"].x[-1] == pytest.approx(724.0, abs=0.02)
    assert drawn["fit"].y[-1] == pytest.approx(0.1, abs=1e-3)
    assert drawn["background"].y == pytest.approx(0.1, abs=1e-3)
    percent = ask(EDGE, 100 * 10 ** -sigmoid(), name="%T", unit="%")
    assert [curve.name for curve in percent.curves] == ["absorbance"]


def test_transmittance_in_percent_and_as_a_fraction_is_turned_into_absorbance():
    percent = ask(EDGE, 100 * 10 ** -sigmoid(), name="%T", unit="%")
    fraction = ask(EDGE, 10 ** -sigmoid(), name="Transmittance", unit="1")
    for outcome in (percent, fraction):
        assert outcome.notes["signal"] == "transmittance"
        assert table(outcome)["band_edge", ""][0] == pytest.approx(724.0, abs=0.05)


def test_reflectance_is_turned_into_kubelka_munk():
    k_over_s = 2 * sigmoid() + 0.05
    reflectance = 1 + k_over_s - np.sqrt(k_over_s**2 + 2 * k_over_s)  # (1−R)²/2R = K/S, solved for R
    outcome = ask(EDGE, 100 * reflectance, name="%R", unit="%")
    assert outcome.notes["signal"] == "reflectance"
    assert table(outcome)["band_edge", ""][0] == pytest.approx(724.0, abs=0.05)


def test_what_the_signal_is_may_be_said():
    outcome = ask(EDGE, 100 * 10 ** -sigmoid(), name="channel 2", unit="%", signal="transmittance")
    assert table(outcome)["band_edge", ""][0] == pytest.approx(724.0, abs=0.05)
    with pytest.raises(MethodError, match="say which under “signal”"):
        ask(EDGE, 100 * 10 ** -sigmoid(), name="channel 2", unit="%")


def test_an_absorbance_in_percent_is_not_believed():
    absorbed = 100 * (1 - 10 ** -direct())
    with pytest.raises(MethodError, match="no absorbance is a share of the light"):
        ask(TAUC, absorbed, name="A", unit="%")
    assert table(ask(EDGE, 100 * 10 ** -sigmoid(), name="A", unit="%", signal="transmittance"))


def test_an_axis_in_electronvolts_gives_the_same_edge_since_absorbance_is_no_density():
    order = np.argsort(EV / X)
    for unit in ("eV", ""):
        outcome = ask(EDGE, sigmoid()[order], (EV / X)[order], axis_unit=unit)
        assert table(outcome)["band_edge", ""][0] == pytest.approx(724.0, abs=0.05)
        assert said(outcome, "is read as")


def test_a_saturated_absorbance_is_flagged():
    assert said(ask(EDGE, 3 * sigmoid()), "above 2")
    assert not said(ask(EDGE, 1.5 * sigmoid()), "above 2")


def test_a_scan_that_stops_on_the_edge_is_flagged_or_refused():
    x = np.arange(400.0, 801.0)
    assert said(ask(EDGE, sigmoid(760, 12, x), x), "few points beyond the edge")
    with pytest.raises(MethodError, match=r"Scan further|Widen the scan"):
        ask(EDGE, sigmoid(795, 12, x), x)


def test_a_scan_that_ends_while_the_signal_falls_is_flagged():
    assert said(ask(EDGE, sigmoid(600, 6) + sigmoid(815, 20), background="constant"), "Scan further")


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        (np.where(X == 500, np.nan, sigmoid()), X, "not finite"),
        (np.array([1.0, 0.0]), np.array([500.0, 600.0]), "at least 15"),
        (np.full(X.size, 0.3), X, "same signal"),
        (-sigmoid(), X, "No absorption edge"),
        (np.random.default_rng(0).normal(0, 1, X.size), X, "No absorption edge|no tangent"),
        (sigmoid(), np.random.default_rng(0).permutation(X), "sort the file"),
        (sigmoid(), EV / X, "not a wavelength"),
        (1000 * sigmoid(), X, "no absorbance"),
    ],
)
def test_what_has_no_edge_is_refused_with_the_reason(y, x, reason):
    for loaded in (EDGE, TAUC):
        with pytest.raises(MethodError, match=reason):
            ask(loaded, y, x)


def test_raw_counts_are_refused():
    with pytest.raises(MethodError, match="raw counts"):
        ask(EDGE, sigmoid(), unit="counts")


@pytest.mark.parametrize("unit", ["1", "%T", "%R"])
@pytest.mark.parametrize("key", ["uvvis_edge", "uvvis_tauc"])
def test_hostile_spectra_give_a_sentence_or_finite_numbers(key, unit):
    for name, given in hostile_datasets():
        if given.signal.values.ndim == 1:
            y, x = given.signal.values, given.axes[0].values
            scaled = y / 1e4 if name not in ("huge", "tiny") else y
            assert_survives(methods.get(key), spectrum(scaled, x, name="signal", unit=unit))


@pytest.mark.parametrize(
    ("name", "low_ev", "high_ev"),
    [
        ("PE_F4-P3HT_1-10_0p5_mgml.Probe.Raw.asc", 1.87, 1.95),  # P3HT absorbs from 1.9 eV
        ("JASCO_V570_PbSe_batch_4_2012-02-21.txt", 0.77, 0.82),  # first exciton at 1495 nm
        ("Cary_CuPCtS_H2O.csv", 1.75, 1.90),  # Q band of the phthalocyanine
        ("perovskite_absorption_Elliott_FACs_1.dat", 1.50, 1.58),  # FA₀.₈Cs₀.₂PbI₃
        ("Shimadzu_SA_5_MM.csv", 2.7, 3.0),  # steepest above A = 2, and said so
    ],
)
def test_a_real_file_has_an_edge_where_its_substance_absorbs(reference: Path, name, low_ev, high_ev):
    given = datasets_of([Source(reference / "instrument_files" / "uvvis" / name, name)])[0].dataset
    gaps = [value for (key, _), (value, _) in table(ask(EDGE, given)).items() if key == "band_gap"]
    assert any(low_ev < gap < high_ev for gap in gaps), gaps


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("JASCO_uvvis_abs.txt", "No absorption edge"),
        ("Avantes_1908047U1_0001.Raw8.txt", "raw counts"),
        ("PE_sphere_test01.Probe.Raw.asc", "is none"),
        ("OceanOptics_tsunami.scope", "no absorbance"),
    ],
)
def test_a_real_file_without_an_edge_is_refused_with_the_reason(reference: Path, name, reason):
    given = datasets_of([Source(reference / "instrument_files" / "uvvis" / name, name)])[0].dataset
    with pytest.raises(MethodError, match=reason):
        ask(EDGE, given)
