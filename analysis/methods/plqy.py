"""Quantum yield from the spectra of an integrating sphere, two or three measurements. Row A-06."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.methods import _plqy_bands as bands
from analysis.methods import _plqy_noise as noise
from analysis.methods import _plqy_spectra as spectra
from analysis.methods import _plqy_values as yields
from analysis.methods._plqy_bands import Windows
from analysis.methods._plqy_spectra import Scan, Worth
from analysis.methods.base import (
    Array,
    Curve,
    Dataset,
    Method,
    MethodError,
    Outcome,
    Property,
    Role,
    param,
)
from analysis.numerics.peaks import running_mean

WAVES = ("wavelength",)
METHOD = Method(
    title="PLQY: integrating sphere",
    version=1,
    accepts=(
        Role("on_beam", ("plqy",), help="The sample, hit by the laser (c).", axes=WAVES),
        Role(
            "empty",
            ("plqy",),
            help="The sphere without the sample (a): a file of the measurement, or the instrument’s blank.",
            calibration="blank",
            axes=WAVES,
        ),
        Role(
            "off_beam",
            ("plqy",),
            help="The sample in the sphere, beside the laser (b). With it the three-measurement formula is "
            "used.",
            required=False,
            axes=WAVES,
        ),
        *(
            Role(
                f"{of}_emission",
                ("plqy",),
                help="Only where laser and emission were scanned apart: the emission’s range.",
                required=False,
                axes=WAVES,
            )
            for of in ("on_beam", "off_beam", "empty")
        ),
        Role(
            "reference",
            ("plqy", "pl"),
            help="Emission of a dilute sample, measured with the same instrument: shows how much of the own "
            "emission is absorbed again.",
            required=False,
            axes=WAVES,
        ),
        Role(
            "sphere",
            ("plqy",),
            help="By what to multiply the counts at each wavelength; interpolated.",
            required=False,
            calibration="sphere",
            axes=WAVES,
        ),
    ),
    properties=(
        Property("plqy", "PL quantum yield", "1", True, html="Φ", as_percent=True),
        Property(
            "plqy_absorptance", "Share of the laser absorbed in the sphere", "1", html="A", as_percent=True
        ),
        Property(
            "plqy_corrected",
            "PL quantum yield, without reabsorption",
            "1",
            True,
            html="Φ<sub>true</sub>",
            as_percent=True,
        ),
        Property("plqy_reabsorbed", "Share of the emission absorbed again", "1", False, as_percent=True),
    ),
    reference=(
        "J. C. de Mello, H. F. Wittmann, R. H. Friend, Adv. Mater. 9 (1997) 230; T.-S. Ahn et al., Rev. Sci. "
        "Instrum. 78 (2007) 086105; Li et al., Nat. Commun. 14 (2023), doi:10.1038/s41467-023-43247-6, "
        "Fig. 2a"
    ),
    equation="A = 1 − L_c/L_b;  Φ = [P_c − (1 − A)·P_b]/(L_a·A);  without b: Φ = (P_c − P_a)/(L_a − L_c)",
    description=(
        "L and P are photons in the windows of laser and emission: counts × sphere calibration × wavelength "
        "(the last where the calibrated signal is power), by the trapezoidal rule; what the empty sphere "
        "shows in the emission window is subtracted. Unless given, the laser’s window is the excitation "
        "± 10 nm and the emission’s all that lies beyond. σ: the noise of every point (errors of the file, "
        "Poisson for raw counts, else the scatter of neighbouring points, growing with the signal) is "
        "carried into the integrals, and these are drawn anew 4 000 times. Errors of the calibration count "
        "where its file gives them; drift of the laser between the spectra counts as the parameter says."
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Params:
    excitation_nm: float | None = param(
        None, unit="nm", min=150, max=3000, help="Wavelength of the laser. Unless given, what the files say."
    )
    laser_min_nm: float | None = param(
        None, unit="nm", min=150, max=3000, help="Where the laser’s window begins."
    )
    laser_max_nm: float | None = param(None, unit="nm", min=150, max=3000, help="Where it ends.")
    emission_min_nm: float | None = param(
        None, unit="nm", min=150, max=3000, help="Where the emission’s window begins."
    )
    emission_max_nm: float | None = param(None, unit="nm", min=150, max=3000, help="Where it ends.")
    signal: str = param(
        spectra.AUTO,
        choices=(spectra.AUTO, spectra.PHOTONS, spectra.POWER),
        help="What the signal is after the calibration. Power is multiplied by the wavelength. auto: as the "
        "units say; counts with a calibration are power, counts without are photons.",
    )
    background: str = param(
        bands.AUTO,
        choices=(bands.AUTO, bands.ENDS, bands.NOTHING),
        help="ends: subtract the mean of the outermost points of each spectrum. auto: only where that is "
        "plainly not zero and changes an integral by more than 2 %.",
    )
    filter_factor: float = param(
        1.0,
        min=1.0,
        max=1e6,
        help="Where the laser’s range was measured through a neutral filter that the emission’s range did "
        "not have: how many times it weakens.",
    )
    noise: str = param(
        noise.AUTO,
        choices=(noise.AUTO, noise.POISSON, noise.SCATTER),
        help="Where the file gives no errors. auto: Poisson for whole numbers that scatter like counts, else "
        "the scatter of neighbouring points.",
    )
    laser_drift: float = param(
        0.0, min=0, max=0.5, help="Relative σ of the laser’s power from one spectrum to the next."
    )
    reabsorbed: float | None = param(
        None, min=0, max=0.99, help="Share of the emission absorbed again, if known otherwise."
    )
    correct: bool = param(True, help="Apply the sphere calibration, where there is one.")


def run(datasets: Mapping[str, Dataset], params: Params) -> Outcome:
    said: list[str] = []
    scans = {key: spectra.scan(key, one, said) for key, one in datasets.items()}
    calibration = scans.pop("sphere", None)
    calibration = calibration if params.correct else None
    shown = bands.windows(
        scans,
        params.excitation_nm,
        (params.laser_min_nm, params.laser_max_nm),
        (params.emission_min_nm, params.emission_max_nm),
        said,
    )
    power = spectra.is_power(scans, calibration, params.signal, said)
    if calibration is None:
        said.append(
            "No sphere calibration was applied, so the counts are taken as if the sphere and the detector "
            "saw all colours alike."
        )
    worths = _worths(scans, calibration, shown, power, said)
    variances, noise_words = _variances(scans, shown, params.noise)
    wanted = bands.bands_of(scans, shown, said)
    red_from = _add_red_edge(scans, wanted, shown, params)
    found = bands.integrals(scans, wanted, worths, variances, params.background, shown.laser, said)
    found = yields.drifting(yields.filtered(found, params.filter_factor), params.laser_drift)
    doubts = bands.remarks(scans, shown, variances, worths, found)
    doubts += [word for one in scans.values() for word in _flat(one, shown) if word]
    values = yields.values(found, shown, params.reabsorbed, doubts)
    said += doubts
    notes: dict[str, float | str] = {
        "formula": "three measurements" if "L_b" in found else "two measurements",
        "laser window": f"{shown.laser[0]:g} to {shown.laser[1]:g} nm",
        "emission window": f"{shown.emission[0]:g} to {shown.emission[1]:g} nm",
        "signal": "power, multiplied by the wavelength" if power else "photons",
        "noise": noise_words,
        **({"red edge from": f"{red_from:g} nm"} if red_from else {}),
        **{f"{name} over L_a": found[name] / found["L_a"] for name in found.names},
    }
    return Outcome(values, _curves(scans), tuple(dict.fromkeys(said)), notes)


def _worths(
    scans: Mapping[str, Scan], calibration: Scan | None, shown: Windows, power: bool, said: list[str]
) -> dict[str, Worth]:
    norms = spectra.exposures(scans, said)
    found = {}
    for key, one in scans.items():
        # A scan of the emission alone needs the calibration there only; a whole one in both windows.
        low, high = min(shown.laser[0], shown.emission[0]), max(shown.laser[1], shown.emission[1])
        found[key] = spectra.worth(one, calibration, low, high, power=power, norm=norms[key])
    return found


def _variances(scans: Mapping[str, Scan], shown: Windows, model: str) -> tuple[dict[str, Array], str]:
    if all(one.errors is not None for one in scans.values()):
        return {key: np.asarray(one.errors) ** 2 for key, one in scans.items()}, "errors of the files"
    own = [one for key, one in scans.items() if key != "reference"]
    quiet = [slice(*np.searchsorted(one.x, shown.emission)) for one in own]
    found, words = noise.variances([one.y for one in own], quiet, model)
    by_role = {one.role: variance for one, variance in zip(own, found, strict=True)}
    if "reference" in scans:  # perhaps of another instrument, with another noise
        by_role["reference"] = noise.variances([scans["reference"].y], [slice(None)], model)[0][0]
    return by_role, words


def _add_red_edge(
    scans: Mapping[str, Scan],
    wanted: bands.Wanted,
    shown: Windows,
    params: Params,
) -> float | None:
    """Bands for the share that is absorbed again; where the red edge begins."""
    dilute = scans.get("reference")
    if dilute is None or params.reabsorbed is not None:
        return None
    low, high = max(shown.emission[0], float(dilute.x[0])), min(shown.emission[1], float(dilute.x[-1]))
    part = (dilute.x >= low) & (dilute.x <= high)
    if part.sum() < bands.MIN_EMISSION_POINTS:
        raise MethodError("The reference spectrum does not lie in the emission window; name another.")
    x, y = dilute.x[part], running_mean(dilute.y[part], 2)
    top = int(np.argmax(y))
    beyond = np.flatnonzero(y[top:] < (y[top] + y[top:].min()) / 2)
    if beyond.size == 0 or x.size - top - int(beyond[0]) < spectra.MIN_POINTS:
        raise MethodError("The reference spectrum has no red edge in the emission window; name another.")
    edge = float(x[top + int(beyond[0])])
    wanted["reference"] = [("P_0", low, high), ("R_0", edge, high)]
    for role, letter in (("empty", "a"), ("on_beam", "c")):
        one = bands.emission_of(scans, role).role
        if any(name == f"P_{letter}" for name, *_ in wanted[one]):
            wanted[one] += [(f"Q_{letter}", low, high), (f"R_{letter}", edge, high)]
    return edge


def _flat(one: Scan, shown: Windows) -> list[str]:
    return [spectra.flat_top(one, *window) for window in (shown.laser, shown.emission)]


def _curves(scans: Mapping[str, Scan]) -> tuple[Curve, ...]:
    """As they were measured, to be seen above each other."""
    return tuple(
        Curve(one.words, one.x, one.y, "wavelength", one.axis_unit, one.name, one.unit)
        for key, one in scans.items()
        if key != "reference"
    )
