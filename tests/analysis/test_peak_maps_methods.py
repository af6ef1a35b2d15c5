"""Maps of PL and CL: planted centres, spreads and correlations come back; dark pixels stay out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis import methods
from analysis.methods import MethodError, Outcome
from analysis.methods._peak_map import histogram
from analysis.numerics import peak_maps
from measurements.data import Array, Axis, Dataset, Signal
from tests.analysis.pl_reference import table

CL, PL = methods.get("cl_map_gaussian"), methods.get("pl_map_gaussian")
X_NM = np.linspace(640.0, 780.0, 100)


def cube(
    seed: int = 1, side: int = 20, spread_nm: float = 2.0, sd: float = 20.0, dark: int = 0, **more: Any
) -> tuple[Dataset, Array]:
    """Centres around 710 nm, brighter the shorter; `dark` rows without light. And the planted parameters."""
    rng = np.random.default_rng(seed)
    off = rng.normal(0, 1, side * side)
    height = 800 * np.exp(-more.get("bend", 0.3) * off + rng.normal(0, 0.2, off.size))
    columns = [
        height,
        710 + spread_nm * off,
        rng.uniform(12, 18, off.size),
        np.full(off.size, 100.0),
        0 * off,
    ]
    truth = np.stack(columns, axis=1)
    truth[: dark * side, 0] = 0.0
    y = peak_maps.gaussian_on_line(X_NM, truth)
    y = rng.poisson(y).astype(float) if more.get("poisson") else y + rng.normal(0, sd, y.shape)
    step = np.arange(side, dtype=float)
    axes = (Axis("y", "µm", step), Axis("x", "µm", step), Axis("wavelength", "nm", X_NM))
    return Dataset(Signal("CL", "counts", y.reshape(side, side, -1)), axes), truth


def mapped(dataset: Dataset, method: Any = CL, **params: Any) -> Outcome:
    run = method.run({"sample": dataset}, methods.parse_params(method, params))
    return methods.check_outcome(method, run)


def curve(outcome: Outcome, name: str) -> tuple[Array, Array]:
    (found,) = [c for c in outcome.curves if c.name == name]
    return found.x, found.y


def test_centre_spread_and_correlation_of_a_map_are_those_planted() -> None:
    dataset, truth = cube(side=40)
    found = table(mapped(dataset))
    assert found["cl_peak_center", ""][0] == pytest.approx(np.median(truth[:, 1]), abs=0.05)
    assert found["cl_peak_spread", ""][0] == pytest.approx(2.0, abs=0.1)
    assert found["cl_fwhm", ""][0] == pytest.approx(2.3548 * np.median(truth[:, 2]), rel=0.01)
    assert found["cl_center_brightness_rank", ""][0] < -0.6
    assert found["cl_bright_share", ""] == pytest.approx((1.0, 0.5 / 1600))


@pytest.mark.full
@pytest.mark.parametrize("poisson", [False, True], ids=["even noise", "counting noise"])
def test_the_interval_of_one_sigma_holds_the_truth_as_often_as_it_says(poisson: bool) -> None:
    """1000 maps from one population of places, whose spread is not large against the errors of the fits."""
    planted = {
        "cl_peak_center": 710.0,
        "cl_peak_spread": 1.0,
        "cl_fwhm": 2.35482 * 15,
        "cl_center_brightness_rank": 0.0,
    }
    held: dict[str, list[bool]] = {key: [] for key in planted}
    for seed in range(1000):
        dataset, _ = cube(seed=seed, side=8, spread_nm=1.0, sd=80.0, bend=0.0, poisson=poisson)
        found = table(mapped(dataset, remove_cosmic_rays=False))
        for key, truth in planted.items():
            value, sigma = found[key, ""]
            held[key].append(abs(value - truth) < sigma)
    for key, hits in held.items():
        assert 0.62 < np.mean(hits) < 0.74, (key, np.mean(hits))


def test_a_map_without_any_spread_has_none_within_its_sigma() -> None:
    value, sigma = table(mapped(cube(spread_nm=0.0, bend=0.0)[0]))["cl_peak_spread", ""]
    assert value < 3 * sigma < 1.0


def test_dark_pixels_are_left_out_and_counted() -> None:
    dataset, truth = cube(dark=5)
    outcome = mapped(dataset)
    assert table(outcome)["cl_bright_share", ""][0] == pytest.approx(0.75, abs=0.01)
    pixels, centres = curve(outcome, "centre map")
    assert pixels.min() >= 100
    assert np.std(centres - truth[pixels.astype(int), 1]) < 0.5
    with pytest.raises(MethodError, match="In 0 of 400 pixels"):
        mapped(cube(dark=20)[0])


def test_maps_are_lines_over_the_pixels_and_a_mean_spectrum_with_its_fit() -> None:
    dataset, truth = cube()
    outcome = mapped(dataset, PL)
    pixels, heights = curve(outcome, "height map")
    assert np.array_equal(pixels, np.arange(400.0))
    assert np.corrcoef(heights, truth[:, 0])[0, 1] > 0.99
    _, residual = curve(outcome, "residual")
    assert np.abs(residual).max() < 5
    assert curve(outcome, "centre histogram")[1].sum() == 400
    assert ("pl_map_center", "") in table(outcome)


def test_a_cosmic_ray_does_not_move_a_centre() -> None:
    dataset, _ = cube()
    hit = dataset.signal.values.copy()
    hit[10, 10, 80:82] += 20_000
    struck = replace(dataset, signal=replace(dataset.signal, values=hit))
    outcome, clean = mapped(struck), mapped(dataset)
    assert "2 points were taken for cosmic rays" in outcome.warnings[0]
    place = 10 * 20 + 10
    assert curve(outcome, "centre map")[1][place] == pytest.approx(
        curve(clean, "centre map")[1][place], abs=0.3
    )
    kept = curve(mapped(struck, remove_cosmic_rays=False), "centre map")
    assert place not in kept[0] or abs(kept[1][kept[0] == place][0] - 710) > 3


def test_an_emitter_of_one_pixel_is_no_cosmic_ray() -> None:
    dataset, _ = cube(side=40, spread_nm=0.0)
    places = np.zeros((40, 40), dtype=bool)
    places[::4, ::4] = True
    y = dataset.signal.values.copy()
    y[places] += 20_000 * np.exp(-0.5 * ((X_NM - 740) / 8) ** 2)
    outcome = mapped(replace(dataset, signal=replace(dataset.signal, values=y)))
    pixels, centres = curve(outcome, "centre map")
    assert (centres[np.isin(pixels, np.flatnonzero(places))] > 735).sum() == 100
    assert not any("cosmic" in warning for warning in outcome.warnings)


def test_centres_that_differ_only_by_rounding_have_a_histogram_too() -> None:
    counted, edges = histogram(np.repeat([683.0, 683.0 + 2e-13], 200))
    assert counted.sum() == 400
    assert edges[0] < 683 < edges[-1]


def test_pixels_of_a_saturated_detector_are_counted() -> None:
    dataset, truth = cube()
    assert not mapped(dataset).warnings
    clipped = np.minimum(dataset.signal.values, 1000)
    (warning,) = mapped(replace(dataset, signal=replace(dataset.signal, values=clipped))).warnings
    count = int(warning.split()[1])
    assert 0.8 * count < (truth[:, 0] > 950).sum() < 1.2 * count
    assert "saturated" in warning


def test_what_is_no_map_is_refused_with_the_reason() -> None:
    dataset, _ = cube()
    flat = Dataset(Signal("CL", "counts", dataset.signal.values[0]), dataset.axes[1:])
    with pytest.raises(MethodError, match="the shape 20 × 100"):
        mapped(flat)
    wrong = replace(dataset, axes=(Axis("time", "s", np.arange(20.0)), *dataset.axes[1:]))
    with pytest.raises(MethodError, match="two lengths"):
        mapped(wrong)
    holes = dataset.signal.values.copy()
    holes[0, :3, 5] = np.nan
    outcome = mapped(replace(dataset, signal=replace(dataset.signal, values=holes)))
    assert outcome.warnings[0].startswith("3 pixels hold values that are not finite")
