"""Spectra: the energy axis keeps areas, thinning keeps peaks, what cannot be drawn is said."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from frontend import figures
from frontend.figures import Quantity, Spectrum, Trace
from frontend.figures._arrays import extremes, typed
from frontend.figures.spectrum import HC_EV_NM, MOST_POINTS, in_energy

WAVELENGTH_NM = np.arange(550.0, 801.0)
COUNTS = 1000 * np.exp(-2 * ((WAVELENGTH_NM - 683) / 39) ** 2)


def spectrum(*more: Trace, y: np.ndarray = COUNTS) -> Spectrum:
    return Spectrum(
        Quantity("wavelength", "Wavelength", "nm"),
        Quantity("intensity", "Intensity", "counts"),
        [Trace("data", WAVELENGTH_NM, y), *more],
    )


def test_the_energy_axis_keeps_the_area_under_the_curve() -> None:
    energy = in_energy(spectrum()).traces[0]
    assert (np.diff(energy.x) > 0).all()
    area_nm = np.trapezoid(COUNTS, WAVELENGTH_NM)
    assert np.trapezoid(energy.y, energy.x) == pytest.approx(area_nm, rel=1e-4)


def test_without_the_jacobian_the_area_would_be_another() -> None:
    bare = np.trapezoid(COUNTS[::-1], (HC_EV_NM / WAVELENGTH_NM)[::-1])
    assert bare != pytest.approx(np.trapezoid(COUNTS, WAVELENGTH_NM), rel=0.5)


def test_the_page_says_what_the_energy_axis_does_to_the_signal() -> None:
    drawing = figures.get("spectrum").draw(spectrum(), {"unit": "ev"})
    assert "λ²/hc" in drawing.notes[0]
    assert drawing.layout["xaxis"]["title"]["text"] == "Photon energy (eV)"
    assert drawing.table[0].unit == "eV"


def test_an_axis_that_is_no_wavelength_stays_what_it_is() -> None:
    angle = Spectrum(
        Quantity("two_theta", "2θ", "°"),
        Quantity("counts", "Counts", "counts"),
        [Trace("data", WAVELENGTH_NM, COUNTS)],
    )
    drawing = figures.get("spectrum").draw(angle, {"unit": "ev"})
    assert drawing.layout["xaxis"]["title"]["text"] == "2θ (°)"
    assert not drawing.notes


def test_points_below_zero_are_counted_when_the_scale_is_logarithmic() -> None:
    y = COUNTS.copy()
    y[:3] = -1
    drawing = figures.get("spectrum").draw(spectrum(y=y), {"scale": "log"})
    assert drawing.layout["yaxis"]["type"] == "log"
    assert drawing.notes == ["3 points at or below zero have no place on a logarithmic axis."]


def test_on_few_decades_a_logarithmic_axis_has_ticks_between_the_powers_of_ten() -> None:
    for highest, dtick in ((20.0, "D2"), (1e5, 1)):
        drawing = figures.get("spectrum").draw(
            spectrum(y=np.geomspace(1, highest, COUNTS.size)), {"scale": "log"}
        )
        assert drawing.layout["yaxis"]["dtick"] == dtick


def test_the_residual_stands_beneath_on_the_same_axis() -> None:
    drawing = figures.get("spectrum").draw(
        spectrum(
            Trace("fit", WAVELENGTH_NM, COUNTS, "fit"),
            Trace("residual", WAVELENGTH_NM, 0 * COUNTS, "residual"),
        ),
        {},
    )
    residual = next(trace for trace in drawing.data if trace["name"] == "residual")
    assert residual["yaxis"] == "y2"
    assert drawing.layout["yaxis2"]["domain"][1] < drawing.layout["yaxis"]["domain"][0]
    assert drawing.layout["hovermode"] == "x unified"


def test_a_long_scan_is_thinned_without_losing_its_sharpest_peak() -> None:
    x = np.linspace(0, 1, 200_000)
    y = np.zeros_like(x)
    y[123_456] = 7.0
    long = Spectrum(Quantity("t", "Time", "s"), Quantity("v", "Signal", "V"), [Trace("data", x, y)])
    drawing = figures.get("spectrum").draw(long, {})
    sent = np.frombuffer(base64.b64decode(drawing.data[0]["y"]["bdata"]), dtype="<f8")
    assert sent.size <= MOST_POINTS
    assert sent.max() == 7.0
    assert "200\u202f000 points" in drawing.notes[0]


def test_a_stretch_without_numbers_does_not_break_the_thinning() -> None:
    y = np.full(10_000, np.nan)
    y[9_999] = 1.0
    assert 9_999 in extremes(y, 100)


def test_a_matrix_travels_with_its_shape() -> None:
    spec = typed(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert spec["shape"] == "2, 3"
    assert np.frombuffer(base64.b64decode(spec["bdata"]), dtype="<f8").tolist() == [1, 2, 3, 4, 5, 6]


def test_an_empty_file_has_a_sentence_and_no_figure() -> None:
    nothing = np.array([])
    empty = Spectrum(Quantity("x", "x"), Quantity("y", "y"), [Trace("data", nothing, nothing)])
    assert figures.get("spectrum").draw(empty, {}).empty == "The file holds no points."


def test_what_is_below_zero_leaves_gaps_on_a_logarithmic_axis_and_does_not_stretch_it() -> None:
    noisy = COUNTS + np.random.default_rng(5).normal(0, 2, COUNTS.size)
    noisy[3] = 1e-9  # a background that happens to be right
    curve = Trace("curve", WAVELENGTH_NM, noisy, "component")
    drawing = figures.get("spectrum").draw(spectrum(curve, y=noisy), {"scale": "log"})
    for trace in drawing.data:
        y = np.frombuffer(base64.b64decode(trace["y"]["bdata"]))
        assert np.isnan(y).sum() == (noisy <= 0).sum()
        assert not (y <= 0).any()
    low, high = drawing.layout["yaxis"]["range"]
    assert 10**low == pytest.approx(0.3, abs=0.25)
    assert 1000 < 10**high < 2000
