"""What to doubt about a fit of Gaussians to a PL spectrum, in sentences. Used by `pl_gaussians`."""

from __future__ import annotations

import numpy as np

from analysis.methods._gaussian_fits import Fit
from analysis.methods._spectra import Spectrum
from analysis.methods.base import Dataset
from analysis.numerics import gaussians

HIGH_CORRELATION = 0.98


def warnings_about(data: Spectrum, fit: Fit, dataset: Dataset) -> tuple[str, ...]:
    """What a colleague would say looking over your shoulder at this fit."""
    return (
        *_about_errors(fit),
        *_about_window(data, fit),
        *_about_background(data, fit),
        *_about_second_order(data, fit, dataset),
    )


def _about_errors(fit: Fit) -> list[str]:
    said = []
    if fit.uneven:
        said.append(
            "The variance of the residuals grows with the signal, so the sigmas are heteroscedasticity-"
            "consistent (sandwich); the classical ones stand in the notes. Poisson weights may suit "
            "these data better."
        )
    strongest, names = fit.largest_correlation
    if strongest > HIGH_CORRELATION:
        said.append(
            f"The {names} are correlated ({strongest:.3f}): only their combination is well determined."
        )
    if fit.structured:
        said.append(
            f"The residuals are not only noise (correlation of neighbours {fit.serial_correlation:.2f}): the "
            "line is not quite Gaussian, and the true errors are larger than the sigmas."
        )
    return said


def _about_window(data: Spectrum, fit: Fit) -> list[str]:
    said = []
    for i, label in enumerate(("I", "II")[: fit.peaks]):
        center, width = fit.params[3 * i + 1], fit.params[3 * i + 2]
        half = gaussians.FWHM_PER_WIDTH * width / 2
        if center - half < data.x[0] or center + half > data.x[-1]:
            said.append(f"Peak {label} is cut by the window from {data.x[0]:g} to {data.x[-1]:g} nm.")
    return said


def _about_background(data: Spectrum, fit: Fit) -> list[str]:
    edge = gaussians.edge_points(data.x) * 2
    left, right = fit.residuals[:edge], fit.residuals[-edge:]
    difference = float(right.mean() - left.mean())
    sigma = float(np.sqrt((left.var() + right.var()) / edge))
    if abs(difference) < max(5 * sigma, 0.01 * float(np.ptp(data.y))):
        return []
    return [
        f"The background is not flat: it differs by {abs(difference):.3g} between the ends of the window,"
        " which one offset cannot follow. Subtract the blank or narrow the window."
    ]


def _about_second_order(data: Spectrum, fit: Fit, dataset: Dataset) -> list[str]:
    """Light of the excitation reappears at twice its wavelength when no filter stops it."""
    excitation = dataset.conditions.get("excitation_wavelength")
    if excitation is None or excitation.unit != "nm" or isinstance(excitation.value, str):
        return []
    line = 2 * excitation.value
    noise = 1.4826 * float(np.median(np.abs(fit.residuals)))
    near = np.abs(data.x - line) <= 6
    on_peak = any(abs(center - line) <= 10 for center in fit.params[1::3])
    if not near.any() or not (on_peak or fit.residuals[near].max() > 6 * noise):
        return []
    return [
        f"There is light at {line:g} nm, twice the excitation ({excitation.value:g} nm): probably its "
        "second order. Use a long-pass filter or end the window before it."
    ]
