"""Views of PL as the loader would build them, from the demo's planted forward model."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis import methods
from frontend.demo import forward
from frontend.figures import Line, Quantity, Reading, Subject, View
from measurements.data import Axis, Dataset, Signal

LOADING, SINTERING = "loading_mass_fraction", "sintering_temperature_c"
LOADINGS = (0.01, 0.10, 0.25, 0.40, 0.85)
TEMPERATURES = (200.0, 225.0, 250.0, 275.0, 300.0, 325.0)
WAVELENGTH = Quantity("wavelength", "Wavelength", "nm")
COUNTS = Quantity("intensity", "Intensity", "counts")
QUANTITIES = {
    LOADING: Quantity(LOADING, "Loading", "1", as_percent=True),
    SINTERING: Quantity(SINTERING, "Sintering temperature", "°C"),
    "plqy": Quantity("plqy", "PL quantum yield", "1", as_percent=True),
}
TYPES = {"f8": np.float64, "f4": np.float32, "i4": np.int32}


def subjects(
    loadings: Sequence[float] = LOADINGS, temperatures: Sequence[float] = TEMPERATURES
) -> list[Subject]:
    return [
        Subject(f"VT-{100 * x:g}-{t:g}", "", {LOADING: x, SINTERING: t})
        for x in loadings
        for t in temperatures
    ]


def array(
    loadings: Sequence[float] = LOADINGS,
    temperatures: Sequence[float] = TEMPERATURES,
    origin: str = "measured",
    curves: bool = True,
) -> View:
    """Spectra, maxima, Gaussians, brightness and quantum yields of a whole array."""
    samples = subjects(loadings, temperatures)
    lines, readings = [], []
    x = forward.WAVELENGTH_NM
    for place, sample in enumerate(samples):
        loading, sintering_c = (float(sample.factors[key]) for key in (LOADING, SINTERING))
        planted = forward.planted_line(loading, sintering_c)
        if curves:
            lines.append(Line(place, place + 1, "data", x, planted.counts(x), WAVELENGTH, COUNTS, origin))
        area = sum(planted.area)
        top = float(x[planted.counts(x).argmax()])
        quantum_yield, sigma = forward.plqy(loading, sintering_c)
        found = {
            ("pl_brightness", ""): (area, 1e-3 * area),
            ("pl_integrated_intensity", ""): (area, 1e-3 * area),
            ("pl_max_position", ""): (top, 0.05),
            ("pl_max_energy", ""): (1239.84 / top - 0.001, 2e-4),
            ("pl_peak_center", "I"): (planted.center_nm[0], 0.1),
            ("pl_peak_center", "II"): (planted.center_nm[1], 0.4),
            ("pl_peak_fwhm", "I"): (1.17741 * planted.width_nm[0], 0.2),
            ("pl_peak_fwhm", "II"): (1.17741 * planted.width_nm[1], 0.5),
            ("pl_area_share", "II"): (planted.area[1] / area, 0.003),
            ("plqy", ""): (quantum_yield, sigma),
        }
        readings += [
            Reading(place, key, component, value, error, origin)
            for (key, component), (value, error) in found.items()
        ]
    return View(samples, readings, lines, QUANTITIES)


def tails(urbach_mev: Sequence[float] = (14.6, 14.8, 15.0, 15.2, 15.3, 15.1)) -> View:
    """What `pl_tail` leaves of spectra with planted Urbach energies along sintering temperature."""
    loaded = methods.get("pl_tail")
    params = methods.parse_params(loaded, {})
    samples = subjects((0.25,), TEMPERATURES[: len(urbach_mev)])
    lines, readings = [], []
    x = np.arange(600.0, 820.0, 0.5)
    for place, planted in enumerate(urbach_mev):
        energy = 1239.841984 / x
        absorbed = np.where(energy < 1.8, np.exp(1e3 * (energy - 1.8) / planted), 1.0)
        y = energy**4 * absorbed * np.exp(-(energy - 1.8) / (8.617333262e-5 * 298.15))
        counts = np.random.default_rng(place).poisson(1e6 * y / y.max() + 100).astype(float)
        given = Dataset(Signal("intensity", "counts", counts), (Axis("wavelength", "nm", x),))
        outcome = loaded.run({"sample": given}, params)
        readings += [
            Reading(place, r.property, r.component, r.value, r.sigma, "measured") for r in outcome.values
        ]
        for curve in outcome.curves:
            if curve.x_unit == "eV":
                x_is = Quantity("energy", "Energy", "eV")
                y_is = Quantity("log", "log10 of PL over its maximum", "1")
                lines.append(Line(place, place + 1, curve.name, curve.x, curve.y, x_is, y_is))
    return View(samples, readings, lines, QUANTITIES)


def decoded(spec: Any) -> Any:
    values = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=TYPES[spec["dtype"]])
    return values.reshape([int(size) for size in spec["shape"].split(",")]) if "shape" in spec else values


def traces(drawing: Any, meta: str) -> list[dict[str, Any]]:
    return [trace for trace in drawing.data if trace.get("meta") == meta]


def column(drawing: Any, name: str) -> list[Any]:
    return list(next(column.values for column in drawing.table if column.name == name))


def texts(drawing: Any) -> list[str]:
    return [note["text"] for note in drawing.layout["annotations"]]
