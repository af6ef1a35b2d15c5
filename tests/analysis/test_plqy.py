"""PLQY from an integrating sphere: checked numbers, real files, sigmas that hold, windows and weights."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import methods
from analysis.methods import Dataset, MethodError, Outcome
from measurements.data import Array, Axis, Signal
from measurements.readers import delimited_text
from tests.analysis.sphere import (
    EMISSION_NM,
    EMISSION_WIDTH_NM,
    LASER_NM,
    PLANTED,
    X_NM,
    bell,
    counted,
    light,
    planted,
    spectrum,
    table,
)

METHOD = methods.get("plqy")
SETS = {"demello_1": (0.93412, 0.64594), "demello_2": (0.90867, 0.64879)}  # their own QY.txt
FILES = {
    "empty": "A1.txt",
    "off_beam": "B1.txt",
    "off_beam_emission": "B2.txt",
    "on_beam": "C1.txt",
    "on_beam_emission": "C2.txt",
}


def found(datasets: dict[str, Dataset], **params: object) -> Outcome:
    outcome = METHOD.run(datasets, methods.parse_params(METHOD, params))
    return methods.check_outcome(METHOD, outcome)


def plqy(datasets: dict[str, Dataset], **params: object) -> float:
    return table(found(datasets, **params))["plqy"][0]


def scaled(dataset: Dataset, by: float | Array) -> Dataset:
    return replace(dataset, signal=replace(dataset.signal, values=dataset.signal.values * by))


# Checked numbers


def test_the_published_maximum_comes_out_of_its_planted_photons() -> None:
    outcome = found(planted())
    assert outcome.notes["formula"] == "three measurements"
    assert table(outcome)["plqy_absorptance"][0] == pytest.approx(0.600, abs=5e-4)
    assert table(outcome)["plqy"][0] == pytest.approx(0.813, abs=5e-4)


@pytest.mark.parametrize(("emitted", "expected"), [(13_020.0, 0.0217), (7_380.0, 0.0123)])
def test_two_measurements_give_the_published_small_yields(emitted: float, expected: float) -> None:
    outcome = found(planted({"empty": (1e6, 0.0), "on_beam": (4e5, emitted)}))
    assert outcome.notes["formula"] == "two measurements"
    assert table(outcome)["plqy"][0] == pytest.approx(expected, abs=5e-5)


def test_a_known_reabsorption_is_taken_out() -> None:
    """Row A-06: a = 0.3, Φ_obs = 0.6 → 0.6818."""
    outcome = table(found(planted({"empty": (1e6, 0.0), "on_beam": (4e5, 3.6e5)}), reabsorbed=0.3))
    assert outcome["plqy"][0] == pytest.approx(0.6, abs=5e-4)
    assert outcome["plqy_corrected"][0] == pytest.approx(0.6818, abs=5e-4)


# Real files


def real(folder: Path, name: str) -> dict[str, Dataset]:
    read = {role: delimited_text.read(folder / name / file)[0] for role, file in FILES.items()}
    return read | {"sphere": delimited_text.read(folder / "demello_CF.txt")[0]}


@pytest.mark.parametrize("name", SETS)
def test_real_spectra_of_a_sphere_give_the_yield_that_came_with_them(reference: Path, name: str) -> None:
    expected, absorbed = SETS[name]
    outcome = found(real(reference / "instrument_files" / "plqy", name))
    value, sigma = table(outcome)["plqy"]
    assert value == pytest.approx(expected, rel=0.01)
    assert value == pytest.approx(expected, rel=0.001)  # what is reached
    assert 0.002 < sigma < 0.03
    assert table(outcome)["plqy_absorptance"][0] == pytest.approx(absorbed, rel=0.001)
    assert outcome.notes["laser window"] == "315 to 335 nm"
    assert outcome.notes["emission window"] == "400 to 720 nm"


def test_without_wavelength_or_calibration_the_real_spectra_give_something_else(reference: Path) -> None:
    given = real(reference / "instrument_files" / "plqy", "demello_1")
    assert plqy(given, signal="photons") == pytest.approx(0.54, abs=0.02)
    assert abs(plqy(given, correct=False) - 0.934) > 0.05


def test_an_exposure_that_only_some_files_state_is_pointed_out():
    """Unsaid, five times the light with the sample would be blamed on files in each other's role alone."""
    given = planted({"empty": (1e6, 0.0), "on_beam": (1.9e5, 1e5)})
    stated = given | {"on_beam": spectrum(given["on_beam"].signal.values, exposure_time=0.5)}
    outcome = found(stated)
    assert any("Only some files state their exposure" in warning for warning in outcome.warnings)
    longer = given | {"on_beam": scaled(stated["on_beam"], 10.0)}
    with pytest.raises(MethodError, match="exposed for other times"):
        found(longer)


# Sigmas


def covered(
    simulate: object, truth: dict[str, float], times: int = 1000, **params: object
) -> dict[str, float]:
    rng, hits = np.random.default_rng(11), defaultdict[str, int](int)
    for _ in range(times):
        for key, (value, sigma) in table(found(simulate(rng), **params)).items():  # type: ignore[operator]
            hits[key] += abs(value - truth[key]) <= sigma
    return {key: count / times for key, count in hits.items()}


@pytest.mark.full
def test_the_sigmas_of_counts_hold_the_truth_in_68_of_100_cases() -> None:
    weak = {role: (laser / 20, emission / 400) for role, (laser, emission) in PLANTED.items()}
    truth = {"plqy": (97560 * -0.4 + 526824) / 20 / 0.6e6, "plqy_absorptance": 0.6}
    shares = covered(lambda rng: counted(rng, weak), truth)
    assert shares.keys() == truth.keys()
    assert all(0.62 <= share <= 0.74 for share in shares.values()), shares


@pytest.mark.full
def test_the_sigmas_of_two_measurements_hold_the_truth_in_68_of_100_cases() -> None:
    given = {"empty": (5e4, 0.0), "on_beam": (2e4, 1500.0)}
    shares = covered(lambda rng: counted(rng, given), {"plqy": 0.05, "plqy_absorptance": 0.6})
    assert all(0.62 <= share <= 0.74 for share in shares.values()), shares


@pytest.mark.full
def test_the_sigmas_of_scattering_signals_hold_the_truth_in_68_of_100_cases() -> None:
    """Noise that grows with the signal and is no counting: 0.4² + 0.02·signal."""

    def simulate(rng: np.random.Generator) -> dict[str, Dataset]:
        photons = {role: light(a / 1000, b / 1000) for role, (a, b) in PLANTED.items()}
        return {
            role: spectrum(y + np.sqrt(0.16 + 0.02 * y) * rng.standard_normal(y.size), unit="")
            for role, y in photons.items()
        }

    shares = covered(simulate, {"plqy": 0.813, "plqy_absorptance": 0.6}, background="none")
    assert all(0.62 <= share <= 0.74 for share in shares.values()), shares


def reabsorbing(rng: np.random.Generator) -> dict[str, Dataset]:
    """An edge at 670 nm takes the blue side of the emission; the dilute sample shows it whole."""
    whole = 4e5 * bell(X_NM, EMISSION_NM, EMISSION_WIDTH_NM)
    left = whole * EDGE
    laser = 1e6 * bell(X_NM, LASER_NM, 2.0)
    return {
        "empty": spectrum(rng.poisson(laser)),
        "on_beam": spectrum(rng.poisson(0.2 * laser + left)),
        "reference": spectrum(rng.poisson(0.3 * whole)),
    }


EDGE = np.where(X_NM > 690, 1.0, np.clip((X_NM - 600) / 90, 0, 1))


def test_the_red_edge_of_a_dilute_sample_tells_what_is_absorbed_again() -> None:
    shape = bell(X_NM, EMISSION_NM, EMISSION_WIDTH_NM)
    a = 1 - float((shape * EDGE).sum() / shape.sum())
    observed = 4e5 * (1 - a) / 8e5
    truth = {
        "plqy": observed,
        "plqy_absorptance": 0.8,
        "plqy_reabsorbed": a,
        "plqy_corrected": observed / (1 - a + a * observed),
    }
    assert 0.1 < a < 0.4
    shares = covered(reabsorbing, truth, 500)
    assert shares.keys() == truth.keys()
    assert all(0.62 <= share <= 0.74 for share in shares.values()), shares


def test_a_drifting_laser_widens_the_sigma_as_much_as_it_says() -> None:
    rng, values = np.random.default_rng(5), []
    for _ in range(400):
        given = {role: scaled(one, 1 + 0.03 * rng.standard_normal()) for role, one in planted().items()}
        values.append(table(found(given))["plqy"][0] if plqy_is_possible(given) else np.nan)
    _, sigma = table(found(planted(), laser_drift=0.03))["plqy"]
    assert sigma == pytest.approx(float(np.nanstd(values)), rel=0.15)


def plqy_is_possible(given: dict[str, Dataset]) -> bool:
    try:
        found(given)
    except methods.MethodError:
        return False
    return True


def test_errors_of_the_calibration_go_into_the_sigma_as_repeated_calibrations_show() -> None:
    at = np.arange(400.0, 851.0, 10)
    rng, values = np.random.default_rng(6), []
    for _ in range(300):
        factor = 1 + 0.05 * rng.standard_normal(at.size)
        values.append(plqy(planted(dimmer()) | {"sphere": sphere(at, factor)}, signal="photons"))
    sure = planted(dimmer()) | {"sphere": sphere(at, np.ones(at.size), 0.05 * np.ones(at.size))}
    _, sigma = table(found(sure, signal="photons"))["plqy"]
    assert sigma == pytest.approx(float(np.std(values)), rel=0.15)


def dimmer() -> dict[str, tuple[float, float]]:
    return {role: (laser, emission / 2) for role, (laser, emission) in PLANTED.items()}


def sphere(x: object, y: object, errors: object = None) -> Dataset:
    return Dataset(Signal("factor", "", y, errors), (Axis("wavelength", "nm", x),))  # type: ignore[arg-type]


# Weights and windows


def test_a_planted_sphere_is_taken_out_again() -> None:
    """Seen in power (∝ 1/λ) through a sphere that dims towards the red."""
    factor = np.exp((X_NM - 440) / 200)
    given = {role: scaled(one, 1 / (factor * X_NM)) for role, one in planted().items()}
    assert plqy(given | {"sphere": sphere(X_NM, factor)}) == pytest.approx(0.813, abs=1e-3)
    assert abs(plqy(given, correct=False) - 0.813) > 0.1


def test_power_in_the_units_of_the_file_is_multiplied_by_its_wavelength() -> None:
    given = {role: scaled(one, 1 / X_NM) for role, one in planted().items()}
    watts = {role: replace(one, signal=replace(one.signal, unit="µW/nm")) for role, one in given.items()}
    assert plqy(watts) == pytest.approx(0.813, abs=5e-4)
    for unit in ("μW/nm", "Watt/nm"):  # the Greek letter; the sign for micro is another
        spelled = {role: replace(one, signal=replace(one.signal, unit=unit)) for role, one in given.items()}
        assert plqy(spelled) == pytest.approx(0.813, abs=5e-4), unit
    assert plqy(given) == pytest.approx(0.813 * LASER_NM / EMISSION_NM, rel=0.01)


def test_a_filter_before_the_laser_s_range_is_counted() -> None:
    given = {role: spectrum(light(laser / 50, emission)) for role, (laser, emission) in PLANTED.items()}
    assert plqy(given, filter_factor=50.0) == pytest.approx(0.813, abs=5e-4)


def test_an_offset_of_the_detector_is_noticed_and_subtracted() -> None:
    rng = np.random.default_rng(3)
    given = {
        role: spectrum(light(*photons) + 5000 + rng.normal(0, 30, X_NM.size))
        for role, photons in PLANTED.items()
    }
    outcome = found(given)
    assert table(outcome)["plqy"][0] == pytest.approx(0.813, abs=5e-3)
    assert any("stand on a background" in said for said in outcome.warnings)
    assert table(outcome)["plqy_absorptance"][0] == pytest.approx(0.6, abs=5e-3)
    assert table(found(given, background="none"))["plqy_absorptance"][0] < 0.55


def test_what_the_empty_sphere_emits_is_subtracted() -> None:
    glow = {role: (laser, emission + 4e4) for role, (laser, emission) in PLANTED.items()}
    assert plqy(planted(glow)) == pytest.approx(0.813, abs=5e-4)


def test_different_exposures_are_allowed_for() -> None:
    given = planted()
    given["on_beam"] = spectrum(3 * light(*PLANTED["on_beam"]), exposure_time=3.0)
    for role in ("empty", "off_beam"):
        given[role] = spectrum(light(*PLANTED[role]), exposure_time=1.0)
    outcome = found(given)
    assert table(outcome)["plqy"][0] == pytest.approx(0.813, abs=5e-4)
    assert any("different exposures" in said for said in outcome.warnings)


EXPOSURES_S = {"empty": 0.5, "off_beam": 0.5, "on_beam": 2.0}


def as_text(folder: Path, role: str, y: Array, title: str, stated: float, unit: str) -> Dataset:
    """As an instrument writes it, read again."""
    path = folder / f"{role}.txt"
    rows = "\n".join(f"{nm:g}\t{value:.9g}" for nm, value in zip(X_NM, y, strict=True))
    path.write_text(
        f"# Excitation wavelength: 440 nm\n# {title}: {stated:g}\nWavelength (nm)\tI ({unit})\n{rows}"
    )
    (dataset,) = delimited_text.read(path)
    return dataset


@pytest.mark.parametrize(("title", "per_s"), [("Integration time (ms)", 1000), ("Exposure time (s)", 1)])
def test_exposures_that_text_files_state_are_divided_out(tmp_path: Path, title: str, per_s: float) -> None:
    given = {
        role: as_text(tmp_path, role, time_s * light(*PLANTED[role]), title, per_s * time_s, "counts")
        for role, time_s in EXPOSURES_S.items()
    }
    assert plqy(given) == pytest.approx(0.813, abs=5e-4)


@pytest.mark.parametrize("unit", ["counts/s", "cps", "1/s", "s⁻¹", "photons/s"])
def test_rates_are_not_divided_by_the_exposure_again(tmp_path: Path, unit: str) -> None:
    given = {
        role: as_text(tmp_path, role, light(*PLANTED[role]), "Exposure time (s)", time_s, unit)
        for role, time_s in EXPOSURES_S.items()
    }
    outcome = found(given)
    assert table(outcome)["plqy"][0] == pytest.approx(0.813, abs=5e-4)
    assert not any("exposure" in said for said in outcome.warnings)


def test_rates_and_counts_meet_only_where_the_counts_state_their_exposure() -> None:
    rates = {role: spectrum(light(*PLANTED[role]), unit="cps") for role in ("empty", "off_beam")}
    stated = spectrum(2 * light(*PLANTED["on_beam"]), exposure_time=2.0)
    assert plqy(rates | {"on_beam": stated}) == pytest.approx(0.813, abs=5e-4)
    with pytest.raises(methods.MethodError, match="export all of them in one unit"):
        found(rates | {"on_beam": spectrum(light(*PLANTED["on_beam"]))})


def test_an_unstated_excitation_is_found_in_the_empty_sphere_and_said() -> None:
    bare = {role: replace(one, conditions={}) for role, one in planted().items()}
    outcome = found(bare)
    assert table(outcome)["plqy"][0] == pytest.approx(0.813, abs=5e-4)
    assert any("brightest line of the empty sphere, 440 nm" in said for said in outcome.warnings)


def test_the_order_of_points_and_of_roles_does_not_matter() -> None:
    turned = {
        role: Dataset(
            replace(one.signal, values=one.signal.values[::-1]),
            (replace(one.axes[0], values=one.axes[0].values[::-1]),),
            conditions=one.conditions,
        )
        for role, one in reversed(planted().items())
    }
    assert plqy(turned) == pytest.approx(0.813, abs=5e-4)


def test_the_same_spectra_give_the_same_sigma() -> None:
    given = counted(np.random.default_rng(1))
    assert found(given).values == found(given).values
