"""The LED mixer: what is mixed, what the page says, and whose spectra it mixes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from django.test import Client

from analysis.methods import MethodError
from analysis.numerics import colour
from frontend import mixing
from frontend.figures import _mixture
from measurements.data import Axis, Dataset, Signal
from measurements.models import Measurement
from samples.models import Sample
from tests.analysis.conftest import Measured, measured
from tests.frontend.views_by_hand import decoded

__all__ = ["measured"]  # the fixture of the analysis tests

FLAT = mixing.Part("flat", np.full(mixing.GRID_NM.size, 1 / mixing.GRID_NM.size), 1.0)


def part(center_nm: float, share: float) -> mixing.Part:
    return mixing.Part(f"{center_nm:g}", mixing._gaussian(center_nm, 20), share)


# What is mixed


def test_equal_energy_is_white_whatever_its_share():
    for share in (0.1, 1.0, 50.0):
        found = mixing.mixed([mixing.Part("flat", FLAT.energy, share)])
        assert found.xy == pytest.approx((1 / 3, 1 / 3), abs=1e-4)
        assert found.kelvin == pytest.approx(5455, abs=10)


def test_a_mixture_lies_on_the_line_between_its_parts():
    blue, yellow = part(455, 1.0), part(575, 1.0)
    ends = [np.array(mixing.mixed([one]).xy) for one in (blue, yellow)]
    middle = np.array(mixing.mixed([part(455, 30), part(575, 70)]).xy)
    across = (ends[1] - ends[0])[0] * (middle - ends[0])[1] - (ends[1] - ends[0])[1] * (middle - ends[0])[0]
    assert across == pytest.approx(0, abs=1e-12)
    assert mixing.mixed([part(455, 30), part(575, 70)]).kelvin is not None


def test_a_saturated_mixture_has_no_temperature_and_darkness_no_colour():
    red = mixing.mixed([part(684, 1.0)])
    assert (red.kelvin, red.duv) == (None, None)
    assert mixing.mixed([part(455, 0.0)]).xy is None


X_NM = np.arange(420.0, 900.0, 2.0)


def spectrum(y: np.ndarray, unit: str = "counts") -> Dataset:
    return Dataset(Signal("intensity", unit, y), (Axis("wavelength", "nm", X_NM),))


def lit(center_nm: float, height: float = 1e4) -> np.ndarray:
    """As a detector counts it: on a background, with noise."""
    line = height * np.exp(-0.5 * ((X_NM - center_nm) / 12) ** 2)
    return np.random.default_rng(4).poisson(line + 400).astype(float)


def test_counts_are_photons_and_lose_their_offset():
    energy = mixing.emission(spectrum(X_NM * np.exp(-0.5 * ((X_NM - 520) / 12) ** 2) + 40))
    assert energy.sum() == pytest.approx(1)
    wavelength, purity = colour.dominant_wavelength(
        colour.chromaticity(colour.tristimulus(mixing.GRID_NM, energy))
    )
    assert wavelength == pytest.approx(521, abs=2)
    assert purity > 0.8
    center = float(energy @ mixing.GRID_NM)  # an offset or the photons left in would move it by 2 nm and more
    assert center == pytest.approx(520, abs=0.3)


@pytest.mark.parametrize("unit", ["W/nm", "μW/nm", "Watt/nm"])
def test_watts_are_energy_already(unit):
    """A broad line of constant energy would move by 8 nm if it were divided by its wavelength again."""
    broad = np.exp(-0.5 * ((X_NM - 600) / 50) ** 2)
    energy = mixing.emission(spectrum(broad, unit))
    assert float(energy @ mixing.GRID_NM) == pytest.approx(600, abs=1)


def test_what_nobody_sees_and_pure_noise_have_no_colour_to_mix():
    for y in (lit(850), lit(520, height=0.0), np.zeros(X_NM.size)):
        with pytest.raises(MethodError):
            mixing.emission(spectrum(y))
    assert mixing.emission(spectrum(lit(520))).any()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, 455),
        ("", 455),
        ("460", 460),
        ("9999", 500),
        ("-1", 400),
        ("blue", 455),
        ("nan", 455),
        ("inf", 455),
    ],
)
def test_a_setting_stays_between_its_ends(asked, expected):
    assert mixing.setting(mixing.BLUE_NM, asked) == expected


def test_the_figure_draws_parts_and_their_sum():
    parts = [("chip", part(455, 1).energy * 0.3), ("sample", part(575, 1).energy * 0.7)]
    whole = parts[0][1] + parts[1][1]
    drawing = _mixture.draw(mixing.GRID_NM, parts, whole, (0.33, 0.34), "told.", [])
    drawn = {
        trace["name"]: decoded(trace["y"])
        for trace in drawing.data
        if trace.get("meta") in ("part", "mixture")
    }
    assert drawn["chip"] + drawn["sample"] == pytest.approx(drawn["mixture"])
    assert drawn["mixture"].max() == pytest.approx(1)
    assert "told." in drawing.summary


def test_without_any_share_the_figure_says_what_to_do():
    assert "share" in _mixture.draw(mixing.GRID_NM, [], np.zeros(471), None, "", []).empty


# The page


def numbers(body: str) -> dict[str, str]:
    return dict(re.findall(r'data-mixed="(\w+)">([^<]*)<', body))


def test_the_page_mixes_the_chip_with_a_sample(
    measured: Measured, composite: Sample, alices_browser: Client
) -> None:
    measured()
    asked = {"first": composite.code, "first_share": "95", "blue": "5"}
    body = alices_browser.get("/dashboards/mixer/", asked).content.decode()
    assert f'<option value="{composite.code}" selected>' in body
    figure = alices_browser.get("/figures/mixer.json", asked).json()
    assert figure["mixed"] == numbers(body)
    assert float(figure["mixed"]["x"]) > 0.4
    assert composite.code in figure["summary"]
    alone = alices_browser.get("/figures/mixer.json").json()
    assert float(alone["mixed"]["x"]) < 0.2


def test_the_figure_says_where_a_spectrum_comes_from(
    measured: Measured, composite: Sample, alices_browser: Client
) -> None:
    row = measured()
    for origin in ("measured", "simulated"):
        Measurement.objects.filter(pk=row.pk).update(origin=origin)
        drawn = alices_browser.get("/figures/mixer.json", {"first": composite.code}).json()["data"]
        assert f"{composite.code}, {origin}" in [trace.get("name") for trace in drawn]


def test_a_spectrum_that_has_no_colour_is_left_out_with_a_sentence(
    measured: Measured, composite: Sample, alices_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured()
    monkeypatch.setattr(mixing, "load", lambda row: spectrum(lit(850)))
    figure = alices_browser.get("/figures/mixer.json", {"first": composite.code}).json()
    assert figure["mixed"] == alices_browser.get("/figures/mixer.json").json()["mixed"]
    assert composite.code in figure["notes"][0]


def test_the_address_holds_every_setting(measured: Measured, alices_browser: Client) -> None:
    body = alices_browser.get("/dashboards/mixer/?blue_nm=470&fwhm_nm=31&blue=12").content.decode()
    for name, value in (("blue_nm", "470"), ("fwhm_nm", "31"), ("blue", "12")):
        (tag,) = re.findall(rf'<input type="range" name="{name}"[^>]*>', body)
        assert f'value="{value}"' in tag
    assert "blue_nm=470&amp;fwhm_nm=31&amp;blue=12" in body  # the figure's own address


def test_every_slider_has_a_name_for_those_who_cannot_see_it(alices_browser: Client, project) -> None:
    body = alices_browser.get("/dashboards/mixer/").content.decode()
    sliders = re.findall(r'<input type="range"[^>]*>', body)
    assert len(sliders) == 5
    assert all('aria-label="' in slider for slider in sliders)


def test_without_spectra_the_page_says_what_to_do_and_the_chip_shines_alone(
    alices_browser: Client, project
) -> None:
    body = alices_browser.get("/dashboards/mixer/").content.decode()
    assert "has a PL spectrum yet" in body
    assert "/upload/" in body
    assert not alices_browser.get("/figures/mixer.json").json()["empty"]


def test_charlies_mixture_holds_nothing_of_alices_sample(
    measured: Measured, composite: Sample, charlies_browser: Client
) -> None:
    measured()
    asked = {"first": composite.code, "first_share": "100", "blue": "10"}
    figure = charlies_browser.get("/figures/mixer.json", asked).json()
    assert figure["notes"] == [mixing.NOT_YOURS]
    assert figure["mixed"] == charlies_browser.get("/figures/mixer.json").json()["mixed"]
    assert composite.code not in charlies_browser.get("/figures/mixer.json", asked).content.decode()
    assert composite.code not in charlies_browser.get("/dashboards/mixer/", asked).content.decode()


def test_a_viewer_may_mix(measured: Measured, composite: Sample, bobs_browser: Client) -> None:
    measured()
    assert bobs_browser.get("/figures/mixer.json", {"first": composite.code}).json()["notes"] == []


def test_the_page_asks_as_few_questions_for_many_samples_as_for_one(
    measured: Measured, composite: Sample, alices_browser: Client, django_assert_max_num_queries
) -> None:
    measured()
    with django_assert_max_num_queries(25):
        alices_browser.get("/dashboards/mixer/", {"first": composite.code, "second": composite.code})
