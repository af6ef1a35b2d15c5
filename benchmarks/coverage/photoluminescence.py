"""Emission spectra: the published curve, its tail, colours, maps and series over temperature, and arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analysis.methods import ValueRow
from benchmarks.coverage.simulating import HC_EV_NM, Case, Key, bell, noiseless, spectrum
from measurements.data import Array, Axis, Dataset, Quantity, Signal

X_NM = np.arange(550.0, 801.0)
LIT = {"exposure_time": Quantity(2.0, "s"), "laser_power": Quantity(0.5, "mW")}
BOLTZMANN_EV_PER_K, ROOM_K = 8.617333262e-5, 298.15
NOISE_SD = 114.129  # of the published fit, the root of its reduced χ²
# Li2023, Supplementary Information 14b: offset, then centre, w and area of both
PUBLISHED = (81.13, (682.82, 39.27, 418305.79), (716.94, 21.78, 21896.09))
Noise = Callable[[np.random.Generator, Array], Array]


def origin(offset: float, *peaks: Sequence[float], x: Array = X_NM) -> Array:
    """Gaussians as Origin writes them: w = 2σ."""
    curve = np.full(x.size, offset)
    for centre, width, area in peaks:
        curve += area / (width * math.sqrt(math.pi / 2)) * np.exp(-2 * ((x - centre) / width) ** 2)
    return curve


def even(sd: float) -> Noise:
    return lambda rng, y: y + rng.normal(0, sd, y.shape)


def counting(rng: np.random.Generator, y: Array) -> Array:
    return rng.poisson(y).astype(float)


def averaged(sweeps: int) -> Noise:
    return lambda rng, y: rng.poisson(sweeps * y) / sweeps


def of_spectrum(
    method: str,
    name: str,
    curve: Array,
    noise: Noise,
    truth: Mapping[Key, float] | None = None,
    x: Array = X_NM,
    unit: str = "counts",
    conditions: Mapping[str, Quantity] | None = None,
    **params: object,
) -> Case:
    """Without a truth given, that of the curve without noise."""

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        return {"sample": spectrum(noise(rng, curve), x, unit=unit, conditions=conditions)}

    def clean(_: np.random.Generator) -> Mapping[str, Dataset]:
        return {"sample": spectrum(curve, x, unit=unit, conditions=conditions)}

    known = noiseless(Case(method, name, clean, {}, params)) if truth is None else truth
    return Case(method, name, simulate, known, params)


def gaussian_truth(offset: float, *peaks: Sequence[float]) -> dict[Key, float]:
    truth: dict[Key, float] = {("pl_offset", ""): offset}
    whole = sum(area for _, _, area in peaks)
    for label, (centre, width, area) in zip(("I", "II"), peaks, strict=False):
        truth |= {
            ("pl_peak_center", label): centre,
            ("pl_peak_width", label): width,
            ("pl_peak_area", label): area,
            ("pl_peak_fwhm", label): width * math.sqrt(2 * math.log(2)),
            ("pl_peak_height", label): area / (width * math.sqrt(math.pi / 2)),
            ("pl_peak_energy", label): HC_EV_NM / centre,
        }
    if len(peaks) == 2:
        truth["pl_area_share", "II"] = peaks[1][2] / whole
    return truth


def urbach(urbach_mev: float, kelvin: float, offset: float, height: float, x: Array) -> Array:
    """Counts per nm of a body in equilibrium whose absorption ends in exp(E/E_U): E²·α·exp(−E/kT) per eV."""
    energy = HC_EV_NM / x
    absorbed = np.where(energy < 1.8, np.exp(1e3 * (energy - 1.8) / urbach_mev), 1.0)
    per_ev = energy**2 * absorbed * np.exp(-(energy - 1.8) / (BOLTZMANN_EV_PER_K * kelvin))
    counts = per_ev * HC_EV_NM / x**2
    return np.asarray(offset + height * counts / counts.max())


TAIL_NM = np.arange(600.0, 820.0, 0.5)


def of_tail(name: str, urbach_mev: float, kelvin: float, noise: Noise, height: float = 1e6) -> Case:
    """The slope of ln I itself is that of the window, which the curve without noise tells."""
    curve = urbach(urbach_mev, kelvin, 100.0, height, TAIL_NM)
    state = {"temperature": Quantity(kelvin - 273.15, "°C")}
    case = of_spectrum("pl_tail", name, curve, noise, None, TAIL_NM, conditions=state)
    slope = 1e3 / urbach_mev - 1 / (BOLTZMANN_EV_PER_K * kelvin)
    exact = {"pl_urbach_energy": urbach_mev, "pl_urbach_tail": 1e3 / slope, "pl_tail_slope_reciprocal": slope}
    return Case(
        "pl_tail", name, case.simulate, {**case.truth, **{(key, ""): at for key, at in exact.items()}}
    )


VISIBLE_NM = np.arange(380.0, 781.0)
WHITE = 8e3 * bell(VISIBLE_NM, 455, 11) + 5e3 * bell(VISIBLE_NM, 560, 60) + 2e3 * bell(VISIBLE_NM, 640, 30)


def map_of_spectra(name: str, noise: Noise) -> Case:
    """Places from one population, whose spread is not large beside the errors of the fits."""
    x, side = np.linspace(640.0, 780.0, 100), 8
    step = np.arange(side, dtype=float)

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        height = 800 * np.exp(rng.normal(0, 0.2, side**2))
        centre, sigma = 710 + rng.normal(0, 1, side**2), rng.uniform(12, 18, side**2)
        y = 100 + height[:, None] * np.exp(-0.5 * ((x - centre[:, None]) / sigma[:, None]) ** 2)
        axes = (Axis("y", "µm", step), Axis("x", "µm", step), Axis("wavelength", "nm", x))
        return {"sample": Dataset(Signal("counts", "counts", noise(rng, y).reshape(side, side, -1)), axes)}

    width = 2 * math.sqrt(2 * math.log(2)) * 15
    truth = {
        ("pl_map_center", ""): 710.0,
        ("pl_map_spread", ""): 1.0,
        ("pl_map_fwhm", ""): width,
        ("pl_map_center_brightness_rank", ""): 0.0,
    }
    all_lit = {"pl_map_bright_share": "of a map that is bright everywhere: one"}
    return Case("pl_map_gaussian", name, simulate, truth, {"remove_cosmic_rays": False}, all_lit)


def over_temperature() -> Case:
    at_c, x = np.linspace(0, 200, 21), np.arange(640.0, 761.0)
    away = (at_c - 25)[:, None]

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        y = 50 + 1000 * np.exp(-away / 200) * np.exp(
            -0.5 * ((x - 690 - 0.05 * away) / (12 + 0.02 * away)) ** 2
        )
        axes = (Axis("T", "°C", at_c), Axis("wavelength", "nm", x))
        return {"sample": Dataset(Signal("PL", "counts", y + rng.normal(0, 20, y.shape)), axes)}

    slope = 0.02 * 2 * math.sqrt(2 * math.log(2))
    truth = {("pl_center_slope", ""): 0.05, ("pl_width_slope", ""): slope, ("pl_center_at_25", ""): 690.0}
    return Case("pl_temperature", "21 spectra, 0 to 200 °C", simulate, truth)


def array_of_samples(name: str, scatter: float) -> Case:
    """A bell along each row of the array, whose top falls by 90 °C per unit of loading."""

    def simulate(rng: np.random.Generator) -> list[ValueRow]:
        rows = []
        for loading in (0.1, 0.3, 0.5, 0.7):
            for t in np.arange(175.0, 351.0, 25.0):
                exact = (2 - 3 * abs(loading - 0.3)) * np.exp(-(((t - 290 + 90 * loading) / 60) ** 2))
                factors = {"loading_mass_fraction": loading, "sintering_temperature_c": float(t)}
                for key, each in (("pl_brightness", exact), ("plqy", 0.5 * exact)):
                    value = float(each * (1 + rng.normal(0, scatter)))
                    by = "pl_descriptors" if key == "pl_brightness" else "plqy"
                    sigma, sample = scatter * float(each), f"{loading}-{t:g}"
                    rows.append(ValueRow(sample, key, value, sigma, method=by, factors=factors))
        return rows

    truth = {
        ("pl_optimum_sintering", ""): 263.0,
        ("plqy_optimum_sintering", ""): 263.0,
        ("pl_ridge_slope", ""): -90.0,
    }
    cells = "a cell of the array: ± half a step of the grid is no 68 % interval"
    names = ("pl_map_loading", "pl_map_sintering", "plqy_map_loading", "plqy_map_sintering")
    return Case("pl_intensity_map", name, simulate, truth, bounds=dict.fromkeys(names, cells))


def reported() -> Case:
    x = np.linspace(400, 1000, 1024)
    flux = 1e12 * bell(x, 740, 18)

    def simulate(rng: np.random.Generator) -> Mapping[str, Dataset]:
        y = flux + rng.normal(0, 2e10, x.size)
        value = 0.2 * float(np.trapezoid(y, x) / np.trapezoid(flux, x))
        stated = {"quantum_yield": Quantity(float(f"{value:.9f}"), "1")}
        sample = Dataset(
            Signal("flux density", "photons/(s cm² nm)", y),
            (Axis("Wavelength", "nm", x),),
            {"PLQY": f"{value:.9f}"},
            conditions=stated,
        )
        return {"sample": sample}

    return Case("plqy_reported", "noise of its spectrum", simulate, {("plqy", ""): 0.2})


TWO = origin(*PUBLISHED)
ONE = origin(80.0, (680.0, 40.0, 4e5))
FAR_APART = (100.0, (640.0, 30.0, 2e5), (710.0, 35.0, 1e5))
NARROW_NM = np.arange(480.0, 560.0, 0.25)

CASES = (
    of_spectrum("pl_descriptors", "published, even noise", TWO, even(NOISE_SD), conditions=LIT),
    of_spectrum("pl_descriptors", "published, counted", TWO, counting, conditions=LIT),
    of_spectrum("pl_descriptors", "published, 1/40 of the counts", TWO / 40, counting, conditions=LIT),
    of_spectrum("pl_descriptors", "green, 20 nm, steps of 0.25 nm, average of 10",
                300 * bell(NARROW_NM, 518, 8.5) + 20, averaged(10), x=NARROW_NM),
    of_spectrum("pl_gaussians", "published, even noise", TWO, even(NOISE_SD), gaussian_truth(*PUBLISHED)),
    of_spectrum("pl_gaussians", "published, counted", TWO, counting, gaussian_truth(*PUBLISHED)),
    of_spectrum("pl_gaussians", "one, even noise", ONE, even(NOISE_SD), gaussian_truth(80.0, (680, 40, 4e5))),
    of_spectrum("pl_gaussians", "one, 1/40 of the counts", ONE / 40, counting,
                gaussian_truth(2.0, (680, 40, 1e4))),
    of_spectrum("pl_gaussians", "two far apart, counted", origin(*FAR_APART), counting,
                gaussian_truth(*FAR_APART)),
    of_tail("15 meV, 25 °C, counted", 15.0, ROOM_K, counting),
    of_tail("15 meV, 25 °C, even noise", 15.0, ROOM_K, even(300)),
    of_tail("20 meV, 25 °C, counted", 20.0, ROOM_K, counting),
    of_tail("7 meV, −173 °C, counted", 7.0, 100.0, counting),
    of_tail("15 meV, 25 °C, 10⁵ counts", 15.0, ROOM_K, counting, 1e5),
    of_spectrum("pl_colour", "red, published, from 600 nm on", TWO, even(NOISE_SD), window_min_nm=600),
    of_spectrum("pl_colour", "orange, counted", 1e4 * bell(VISIBLE_NM, 600, 15) + 50, counting, x=VISIBLE_NM),
    of_spectrum("pl_colour", "green", 1e4 * bell(VISIBLE_NM, 520, 10) + 100, even(60), x=VISIBLE_NM),
    of_spectrum("pl_colour", "green, counted", 1e4 * bell(VISIBLE_NM, 520, 10) + 100, counting, x=VISIBLE_NM),
    of_spectrum("pl_colour", "white", WHITE + 100, even(60), x=VISIBLE_NM),
    of_spectrum("pl_colour", "blue, in W/nm", 1e-3 * bell(VISIBLE_NM, 460, 9), even(5e-6), x=VISIBLE_NM,
                unit="W/nm"),
    map_of_spectra("8 × 8, even noise", even(80)),
    map_of_spectra("8 × 8, counted", counting),
    over_temperature(),
    array_of_samples("32 samples, 3 %", 0.03),
    array_of_samples("32 samples, 10 %", 0.10),
    reported(),
)  # fmt: skip
