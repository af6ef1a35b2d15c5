"""A white LED by hand: a blue chip and the emission of up to two samples, each with a share of the light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import methods
from analysis.methods import MethodError
from analysis.numerics import colour
from analysis.numerics._cie_1931 import WAVELENGTHS_NM
from frontend.formatting import ORIGIN_WORDS
from measurements.data import Dataset as LoadedDataset
from measurements.models import Dataset, Measurement
from measurements.services import load
from measurements.store import StoreError
from measurements.techniques import Technique

Numbers = NDArray[np.float64]
GRID_NM: Numbers = WAVELENGTHS_NM
NANOMETRES = ("nm",)
NOT_YOURS = "A sample that was asked for is not among yours, or has no PL spectrum over wavelength."
UNREADABLE = "The spectrum of a sample could not be opened; its file is kept, tell an administrator."


@dataclass(frozen=True)
class Slider:
    """A number that a person sets: between its ends, in its steps, as it stands unasked."""

    name: str
    label: str
    unit: str
    least: float
    most: float
    step: float
    usual: float


BLUE_NM = Slider("blue_nm", "Centre", "nm", 400, 500, 1, 455)
FWHM_NM = Slider("fwhm_nm", "Full width at half maximum", "nm", 5, 60, 1, 22)
SHARES = (
    Slider("blue", "Blue chip", "%", 0, 100, 1, 30),
    Slider("first_share", "First sample", "%", 0, 100, 1, 70),
    Slider("second_share", "Second sample", "%", 0, 100, 1, 40),
)
SLIDERS = (BLUE_NM, FWHM_NM, *SHARES)
SAMPLES = ("first", "second")


@dataclass(frozen=True)
class Part:
    """energy : (471,) at GRID_NM, of area one; share : of the light, before all add up to one; origin : of
    the spectrum, empty for the chip"""

    name: str
    energy: Numbers
    share: float
    origin: str = ""

    @property
    def words(self) -> str:
        return f"{self.name}, {ORIGIN_WORDS[self.origin]}" if self.origin else self.name


@dataclass(frozen=True)
class Mix:
    """xy, kelvin, duv None where there is no light, or none near white."""

    parts: Sequence[Part]
    energy: Numbers
    xy: tuple[float, float] | None
    kelvin: float | None
    duv: float | None
    notes: Sequence[str]


def setting(slider: Slider, asked: str | None) -> float:
    """What the address says, brought between the ends; what it says is no number stays as it is unasked."""
    try:
        value = float(asked or "")
    except ValueError:
        return slider.usual
    if not np.isfinite(value):
        return slider.usual
    return min(max(value, slider.least), slider.most)


def mix(user: Any, asked: Mapping[str, str]) -> Mix:
    """Of what the address asks for; a sample that the person may not see is as one that is not there."""
    blue = _gaussian(setting(BLUE_NM, asked.get("blue_nm")), setting(FWHM_NM, asked.get("fwhm_nm")))
    parts = [Part("blue chip", blue, setting(SHARES[0], asked.get("blue")))]
    notes: list[str] = []
    for name, slider in zip(SAMPLES, SHARES[1:], strict=True):
        code = asked.get(name, "")
        if not code:
            continue
        found = _emission(user, code, notes)
        if found is not None:
            energy, origin = found
            parts.append(Part(code, energy, setting(slider, asked.get(slider.name)), origin))
    return mixed(parts, list(dict.fromkeys(notes)))


def mixed(parts: Sequence[Part], notes: Sequence[str] = ()) -> Mix:
    total = sum(part.share for part in parts)
    energy = sum((part.share / (total or 1.0) * part.energy for part in parts), np.zeros(GRID_NM.size))
    xyz = colour.tristimulus(GRID_NM, energy)
    if not xyz.sum() > 0:
        return Mix(parts, energy, None, None, None, notes)
    x, y = colour.chromaticity(xyz)
    kelvin, duv = colour.temperature((x, y))
    return Mix(parts, energy, (float(x), float(y)), kelvin, duv, notes)


def _gaussian(center_nm: float, fwhm_nm: float) -> Numbers:
    return _of_area_one(np.exp(-4 * np.log(2) * ((GRID_NM - center_nm) / fwhm_nm) ** 2))


def _of_area_one(energy: Numbers) -> Numbers:
    area = float(np.sum(energy))
    return np.asarray(energy / area) if area > 0 else np.zeros(GRID_NM.size)


def _emission(user: Any, code: str, notes: list[str]) -> tuple[Numbers, str] | None:
    """The newest PL spectrum of a sample, without its offset, in energy; and its origin."""
    rows = Measurement.objects.visible_to(user).filter(technique=Technique.PL, status=Measurement.Status.READ)
    spectra = Dataset.objects.filter(
        measurement__in=rows.filter(sample__code=code, sample__voided_at=None), current=True
    )
    for row in spectra.select_related("blob", "measurement").order_by("-measurement_id", "number")[:20]:
        if len(row.axes) != 1 or row.axes[0]["unit"] not in NANOMETRES:
            continue
        try:
            dataset = load(row)
        except StoreError:
            notes.append(UNREADABLE)
            return None
        try:
            return emission(dataset), row.measurement.origin
        except MethodError as error:
            notes.append(f"{code}: {error}")
            return None
    notes.append(NOT_YOURS)
    return None


def emission(dataset: LoadedDataset) -> Numbers:
    """At GRID_NM, as the method for colours takes it: without offset, photons over λ, energy as it is.

    Raises MethodError where the method has no colour for it: noise, or a line that nobody sees.
    """
    loaded = methods.get("pl_colour")
    outcome = loaded.run({"sample": dataset}, methods.parse_params(loaded, {}))
    (curve,) = outcome.curves
    return _of_area_one(np.interp(GRID_NM, curve.x, curve.y, left=0.0, right=0.0))
