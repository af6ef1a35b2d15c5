"""What became of an intensity and a wavelength over time, and under how much light.

The working half of `photostability` and `photostability_trace`; not a method itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.methods._axes import TIME
from analysis.methods._endurance import (
    MAX_MISFIT,
    Limits,
    darkness,
    departure,
    dip,
    doubts,
    endurance,
    excursion,
    misfits,
)
from analysis.methods._pl_series import LARGEST, MIN_SPECTRA, above_background, coordinate, series
from analysis.methods.base import Array, Curve, Dataset, MethodError, Outcome, Property, Result, Role, param
from analysis.numerics import irradiation
from analysis.numerics.losses import NEVER, Loss, fit_losses, retained, time_to
from analysis.numerics.smoothing import Smooth, smooth
from analysis.numerics.straight_lines import weighted_line

MEDIA = ("light", "water", "air", "sonication", "other")
REFERENCE = Role(
    "reference",
    ("pl",),
    help="A lamp monitor or a stable sample measured beside it; its changes are divided out.",
    required=False,
)
PAPERS = (
    "Hou et al., Science 374 (2021) 621, doi:10.1126/science.abf4460, Fig. 4A, S37-S40; "
    "Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Fig. 2b"
)
EQUATION = "I = a;  I = a + b·t;  I = a·exp(−t/τ);  I = a·exp(−(t/τ)<sup>β</sup>)"


@dataclass(frozen=True)
class EnduranceParams:
    medium: str = param(
        "auto",
        choices=("auto", *MEDIA),
        help="What it had to endure; auto: the solvent in the file, else the light.",
    )
    min_retention: float = param(0.95, min=0.0, max=1.0, help="Stable: at least this share is left.")
    irradiance_error: float = param(
        0.05,
        min=0.0,
        max=1.0,
        help="One standard deviation of the irradiance, as a fraction; power meters are good to about 5 %.",
    )


def properties(preferred: bool) -> tuple[Property, ...]:
    def declared(key: str, label: str, unit: str, better: bool | None = None, **more: object) -> Property:
        return Property(key, label, unit, better, preferred=preferred, **more)  # type: ignore[arg-type]

    kept = declared("pl_retention", "PL retained at the end", "1", True, components=MEDIA, as_percent=True)
    return (
        kept,
        declared("pl_t80", "PL: time to 80 %", "h", True, components=MEDIA, html="T<sub>80</sub>"),
        declared("pl_half_life", "PL: time to 50 %", "h", True, components=MEDIA, html="T<sub>50</sub>"),
        declared("light_dose", "Light dose", "J/cm²"),
        declared("stability_water", "Stable in water for", "h", True),
        declared("stability_ambient", "Stable in air for", "d", True),
        declared("stability_laser", "Stable under laser light for", "s", True),
        declared("stability_sonication", "Stable under sonication for", "h", True),
    )


@dataclass(frozen=True)
class Light:
    """irradiance : mW/cm², None where nobody knows it"""

    irradiance: float | None
    error: float
    wavelength_nm: float | None
    spot_mm: float | None


def number(dataset: Dataset, key: str) -> float | None:
    found = dataset.conditions.get(key)
    if found is None or isinstance(found.value, str) or not np.isfinite(found.value) or found.value <= 0:
        return None
    return float(found.value)


def light(dataset: Dataset, given: float | None, error: float) -> Light:
    """From the parameters, else as the file says, else from its power over its spot."""
    irradiance = given or number(dataset, "irradiance")
    power, spot = number(dataset, "laser_power"), number(dataset, "spot_diameter")
    if irradiance is None and power is not None and spot is not None:
        irradiance = irradiation.irradiance_mw_per_cm2(power, spot)
    return Light(irradiance, error, number(dataset, "excitation_wavelength"), spot)


def medium_of(dataset: Dataset, asked: str, lit: Light) -> str:
    """Where nobody says: what the sample lay in; else the light on it."""
    if asked != "auto":
        return asked
    solvent = dataset.conditions.get("solvent")
    if solvent is not None and isinstance(solvent.value, str):
        return "water" if solvent.value.strip().lower() in ("water", "h2o", "h₂o") else "other"
    return "light" if lit.irradiance is not None else "other"


def trace(dataset: Dataset) -> tuple[Array, Array]:
    """Hours and intensity of a curve over time."""
    if dataset.signal.values.ndim != 1:
        shape = " × ".join(str(size) for size in dataset.signal.values.shape)
        raise MethodError(f"One intensity against time is expected, but this dataset has the shape {shape}.")
    hours, _ = coordinate(dataset.axes[0], TIME)
    y = np.asarray(dataset.signal.values, dtype=np.float64)
    good = np.isfinite(y)
    hours, y = hours[good], y[good]
    if y.size < MIN_SPECTRA:
        raise MethodError(f"{y.size} points are finite numbers; at least {MIN_SPECTRA} are needed.")
    if np.abs(y).max() > LARGEST or np.abs(y).max() < 1 / LARGEST:
        raise MethodError(f"Intensities from {y.min():g} to {y.max():g} are no detector's; check the file.")
    return hours, y


def reference(dataset: Dataset, hours: Array) -> tuple[Array, list[str]]:
    """(N,) what the reference did meanwhile, 1 at the beginning, and what was said of it; of spectra the
    intensity above their background, as of the sample's."""
    said: list[str] = []
    if dataset.signal.values.ndim == 1:
        over, level = trace(dataset)
    else:
        data = series(dataset, TIME)
        over, level = data.at, above_background(data)
        said = [f"Reference: {warning}" for warning in data.warnings]
    if over[0] > hours[0] or over[-1] < hours[-1]:
        raise MethodError(
            f"The reference covers {over[0]:.4g} to {over[-1]:.4g} h, the sample {hours[0]:.4g} to "
            f"{hours[-1]:.4g} h. Measure it as long, or run it without a reference."
        )
    if not np.all(np.isfinite(level)) or level.min() <= 0 or level.max() > LARGEST:
        raise MethodError("The reference is not above zero all the time; run it without a reference.")
    found = np.interp(hours, over, level)
    return np.asarray(found / found[0]), said


def outcome(
    hours: Array,
    intensity: Array,
    wavelength: tuple[Array, Array] | None,
    medium: str,
    lit: Light,
    limits: Limits,
    said: tuple[str, ...],
) -> Outcome:
    """hours : (N,) increasing; intensity : (N,), of the reference already; wavelength : centre and sigma, NaN
    where there is none. Times are counted from the first point, and nothing is said about later ones."""
    times = hours - hours[0]
    observed_h = float(times[-1])
    dark, gaps = darkness(times, intensity)
    if dark.any():
        times, intensity, said = times[~dark], intensity[~dark], (*said, *gaps)
        if wavelength is not None:
            wavelength = wavelength[0][~dark], wavelength[1][~dark]
    scale = float(np.median(np.abs(intensity[: max(3, intensity.size // 20)])))
    if not scale > 0:
        raise MethodError("There is no intensity at the beginning to compare the others with.")
    relative = intensity / scale
    losses = fit_losses(times, relative)
    loss = losses[0]
    first = float(loss.curve(np.zeros(1))[0])
    if first <= 0:
        raise MethodError("The intensity does not start above zero; was the background subtracted twice?")
    means = smooth(times, relative / first)
    notes: dict[str, float | str] = {"model": loss.kind, "hours observed": float(times[-1])}
    notes |= {f"bic {other.kind}": other.bic for other in losses}
    doubtful = doubts(loss)
    start, end = misfits(loss, times, relative, first)
    warnings = [*said, *doubtful, *departure(loss, start, end)]
    values = []
    if follows := max(start, end) <= MAX_MISFIT:
        warnings += dip(loss, times, means, first)
        values = _losses(losses, times, means, (start, end), medium, notes)
    path = None
    shift, shift_sigma = 0.0, 0.0
    if wavelength is not None:
        drift, shift, shift_sigma, path, more = _drift(times, *wavelength)
        values, notes = [*values, *drift], notes | more
        warnings += excursion(path, shift, limits)
    values += endurance(
        losses, times, means, (shift, shift_sigma, path), medium, limits, follows and not doubtful, notes
    )
    if medium == "light" or lit.irradiance is not None:
        values += _dose(lit, observed_h * 3600, notes)
    if not values:
        raise MethodError(departure(loss, start, end)[0])
    curves = _curves(times, relative, loss, wavelength, medium)
    return Outcome(tuple(values), curves, tuple(warnings), notes)


def _losses(
    losses: list[Loss],
    times: Array,
    means: Smooth,
    misfits: tuple[float, float],
    medium: str,
    notes: dict[str, float | str],
) -> list[Result]:
    """What is left at the end, never less than nothing, and the times to the levels that were reached."""
    loss = losses[0]
    left, sigma = retained(losses)
    start, end = misfits
    sigma = float(np.hypot(sigma, np.hypot(end, left * start)))
    values = [Result("pl_retention", max(left, 0.0), sigma, medium)]
    for key, level in (("pl_t80", 0.8), ("pl_half_life", 0.5)):
        at, error = time_to(losses, level)
        passed = means.first_beyond(1 - means.y, 1 - level)
        if at < NEVER:
            values.append(Result(key, at, error, medium))
        elif passed < NEVER:
            notes[f"{level:.0%}"] = f"passed at {passed:.4g} h, but the curve does not follow"
        else:
            notes[f"{level:.0%}"] = f"not reached in {times[-1]:.4g} h"
    if loss.decays:
        notes |= {"tau (h)": float(loss.params[1] * loss.span), "beta": float(loss.params[2])}
    return values


def _drift(
    times: Array, centre: Array, sigma: Array
) -> tuple[list[Result], float, float, Smooth | None, dict[str, float | str]]:
    """A straight line through the wavelengths: its slope, how far it goes and how sure that is; their way."""
    known = np.isfinite(centre) & np.isfinite(sigma) & (sigma > 0)
    if known.sum() < 3:
        return [], 0.0, 0.0, None, {"wavelength": "fewer than three spectra have a peak above the noise"}
    line = weighted_line(times[known], centre[known], sigma[known])
    if line is None:
        return [], 0.0, 0.0, None, {}
    end = float(times[known][-1])
    shift, error = line.slope * end, line.slope_sigma * end
    found = [
        Result("pl_drift", line.slope, line.slope_sigma),
        Result("pl_shift", shift, error),
    ]
    path = smooth(times[known], centre[known])
    return found, shift, error, path, {"wavelength at the beginning (nm)": line.intercept}


def _dose(lit: Light, duration_s: float, notes: dict[str, float | str]) -> list[Result]:
    if lit.irradiance is None:
        notes["dose"] = "unknown: the irradiance is not recorded; give it as a parameter"
        return []
    dose = irradiation.dose_j_per_cm2(lit.irradiance, duration_s)
    notes["irradiance (mW/cm²)"] = lit.irradiance
    if lit.spot_mm is not None:
        notes["power in the spot (mW)"] = irradiation.power_in_spot_mw(lit.irradiance, lit.spot_mm)
    if lit.wavelength_nm is not None:
        flux = irradiation.photon_flux(lit.irradiance, lit.wavelength_nm)
        notes["photons per cm² and s"] = flux
        notes["photons per cm²"] = flux * duration_s
    return [Result("light_dose", dose, lit.error * dose)]


def _curves(
    times: Array, relative: Array, loss: Loss, wavelength: tuple[Array, Array] | None, medium: str
) -> tuple[Curve, ...]:
    first = float(loss.curve(np.zeros(1))[0])
    lines = {"retention": relative / first, "retention fit": loss.curve(times) / first}
    curves = [Curve(name, times, y, "time", "h", f"PL retained, {medium}", "1") for name, y in lines.items()]
    if wavelength is not None:
        known = np.isfinite(wavelength[0])
        if known.any():
            curves.append(
                Curve("wavelength", times[known], wavelength[0][known], "time", "h", "PL peak centre", "nm")
            )
    return tuple(curves)
