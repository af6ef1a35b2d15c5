"""One or two Gaussians under a PL spectrum, with the errors of every parameter.

Rows A-02 and A-03. Li et al. 2023 (SI 14, 15) separate the emission of CsPbI₃ in glass into the grain's (I)
and a shoulder at longer wavelength (II); the parametrisation is Origin's: the numbers compare directly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.methods._gaussian_fits import Fit, choose, fit_one_and_two, share_of_second
from analysis.methods._gaussian_warnings import warnings_about
from analysis.methods._spectra import HC_EV_NM, Spectrum, spectrum
from analysis.methods.base import Curve, Dataset, Method, MethodError, Outcome, Property, Result, Role, param
from analysis.numerics import gaussians
from analysis.numerics.residuals import aic

BOTH = ("I", "II")

METHOD = Method(
    title="PL: one or two Gaussians",
    version=1,
    accepts=(
        Role("sample", ("pl",), help="Emission spectrum against wavelength in nm.", axes=("wavelength",)),
    ),
    properties=(
        Property("pl_peak_center", "PL peak centre", "nm", None, BOTH, html="λ"),
        Property("pl_peak_width", "PL peak width w = 2σ", "nm", False, BOTH, html="w"),
        Property("pl_peak_area", "PL peak area", "counts·nm", True, BOTH, html="A"),
        Property("pl_offset", "PL offset", "counts", None, html="y<sub>0</sub>"),
        Property("pl_peak_fwhm", "PL peak full width at half maximum", "nm", False, BOTH),
        Property("pl_peak_height", "PL peak height", "counts", True, BOTH),
        Property("pl_peak_energy", "PL peak energy", "eV", None, BOTH, html="E"),
        Property(
            "pl_area_share",
            "Share of the PL area",
            "1",
            None,
            ("II",),
            html="f<sub>II</sub>",
            as_percent=True,
        ),
    ),
    reference=(
        "Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, Supplementary Information 14, 15"
    ),
    equation="y = y₀ + Σ Aᵢ / (wᵢ √(π/2)) · exp(−2 ((λ − λᵢ)/wᵢ)²)",
    description=(
        "Least squares on the nanometre axis from several starts. Two Gaussians are kept when BIC falls "
        "by more than 10, both areas exceed three standard errors, their share differs from zero, their "
        "centres differ by more than three standard errors and no parameter sits on a limit; otherwise "
        "one, which is component I. Component I has the shorter wavelength. Sigmas are √diag(s²(JᵀJ)⁻¹);"
        " where the variance of the residuals grows with the signal, heteroscedasticity-consistent (HC3)"
        " ones take their place and both stand in the notes. Component curves are drawn on the offset."
    ),
)


@dataclass(frozen=True)
class Params:
    model: str = param(
        "auto", choices=("auto", "one", "two"), help="How many Gaussians; auto decides by BIC."
    )
    weights: str = param(
        "none",
        choices=("none", "poisson"),
        help="none: as published. poisson: each point by one over the expected counts.",
    )
    window_min_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies below.")
    window_max_nm: float | None = param(None, unit="nm", min=10, max=100_000, help="Ignore what lies above.")
    min_width_nm: float = param(
        5.0, unit="nm", min=0.01, max=1000, help="Narrowest width w that counts as a peak."
    )
    max_width_nm: float = param(120.0, unit="nm", min=0.1, max=10_000, help="Broadest width w of a peak.")


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    data = _spectrum(datasets, params)
    ((one, two),) = _fits([data], params)
    return _outcome(data, datasets["sample"], one, two, params)


def run_many(inputs: Sequence[Mapping[str, Dataset]], params: Params) -> list[Outcome | MethodError]:
    """Spectra that share an axis are fitted together, in the same steps as each would be alone."""
    answers: dict[int, Outcome | MethodError] = {}
    alike: dict[bytes, list[tuple[int, Spectrum]]] = {}
    for place, datasets in enumerate(inputs):
        try:
            data = _spectrum(datasets, params)
        except MethodError as refusal:
            answers[place] = refusal
        else:
            alike.setdefault(data.x.tobytes(), []).append((place, data))
    for group in alike.values():
        fits = _fits([data for _, data in group], params)
        for (place, data), (one, two) in zip(group, fits, strict=True):
            try:
                answers[place] = _outcome(data, inputs[place]["sample"], one, two, params)
            except MethodError as refusal:
                answers[place] = refusal
    return [answers[place] for place in range(len(inputs))]


def _spectrum(datasets: Mapping[str, Dataset], params: Params) -> Spectrum:
    if params.min_width_nm >= params.max_width_nm:
        raise MethodError("min_width_nm must be below max_width_nm.")
    return spectrum(datasets["sample"], params.window_min_nm, params.window_max_nm)


def _fits(spectra: Sequence[Spectrum], params: Params) -> list[tuple[Fit, Fit | None]]:
    limits = (params.min_width_nm, params.max_width_nm)
    y = np.stack([data.y for data in spectra])
    return fit_one_and_two(spectra[0].x, y, params.model, params.weights == "poisson", *limits)


def _outcome(data: Spectrum, dataset: Dataset, one: Fit, two: Fit | None, params: Params) -> Outcome:
    fit, why, doubts = choose(one, two, params.model)
    warnings = (*data.warnings, *doubts, *warnings_about(data, fit, dataset))
    values = _values(fit, data.in_counts)
    return Outcome(values, _curves(data, fit), warnings, _notes(fit, one, two, why))


def _values(fit: Fit, in_counts: bool) -> tuple[Result, ...]:
    """Every number with its sigma from the full covariance: height depends on two correlated parameters."""
    values = []
    for i, label in enumerate(BOTH[: fit.peaks]):
        at_center, at_width, at_area = 3 * i + 1, 3 * i + 2, 3 * i + 3
        center, width, area = (float(number) for number in fit.params[at_center : at_area + 1])
        per_area = 1 / (width * gaussians.ROOT_HALF_PI)
        values += [
            Result("pl_peak_center", center, fit.sigma({at_center: 1.0}), label),
            Result("pl_peak_width", width, fit.sigma({at_width: 1.0}), label),
            Result(
                "pl_peak_fwhm",
                gaussians.FWHM_PER_WIDTH * width,
                fit.sigma({at_width: gaussians.FWHM_PER_WIDTH}),
                label,
            ),
            Result("pl_peak_energy", HC_EV_NM / center, fit.sigma({at_center: HC_EV_NM / center**2}), label),
        ]
        if in_counts:
            height = area * per_area
            slopes = {at_area: per_area, at_width: -height / width}
            values += [
                Result("pl_peak_area", area, fit.sigma({at_area: 1.0}), label),
                Result("pl_peak_height", height, fit.sigma(slopes), label),
            ]
    if in_counts:
        values.append(Result("pl_offset", float(fit.params[0]), fit.sigma({0: 1.0})))
    if fit.peaks == 2:
        values.append(Result("pl_area_share", *share_of_second(fit), "II"))
    return tuple(values)


def _curves(data: Spectrum, fit: Fit) -> tuple[Curve, ...]:
    offset = float(fit.params[0])
    lines = {"data": data.y, "fit": data.y - fit.residuals}
    for label, component in zip(BOTH, gaussians.components(data.x, fit.params), strict=False):
        lines[f"component {label}"] = offset + component
    lines |= {"offset": 0 * data.y + offset, "residual": fit.residuals}
    return tuple(
        Curve(name, data.x, line, "wavelength", "nm", data.y_name, data.y_unit)
        for name, line in lines.items()
    )


def _notes(fit: Fit, one: Fit, two: Fit | None, why: str) -> Mapping[str, float | str]:
    points, size = fit.residuals.size, fit.params.size
    notes: dict[str, float | str] = {
        "model": "two Gaussians" if fit.peaks == 2 else "one Gaussian",
        "why": why,
        "points": float(points),
        "r2": fit.r2,
        "adjusted_r2": 1 - (1 - fit.r2) * (points - 1) / (points - size),
        "reduced_chi2": fit.ssr / (points - size),
        "aic": aic(fit.ssr, points, size),
        "bic": fit.bic,
        "largest_correlation": fit.largest_correlation[0],
        "serial_correlation": fit.serial_correlation,
        "variance_trend_sigmas": fit.variance_trend,
        "sigma": "sandwich (HC3)" if fit.uneven else "classical",
    }
    if two is not None:
        notes["delta_bic"] = one.bic - two.bic
    if fit.peaks == 2:
        notes["height_ratio"] = float(fit.params[6] * fit.params[2] / (fit.params[5] * fit.params[3]))
    names = ["offset"] + [f"{name} {label}" for label in BOTH for name in ("center", "width", "area")]
    for i, name in enumerate(names[:size]):
        notes[f"classical sigma {name}"] = float(fit.classical[i, i] ** 0.5)
        notes[f"sandwich sigma {name}"] = float(fit.sandwich[i, i] ** 0.5)
    return notes
