"""Spectra with planted truth, as an instrument would export them."""

from __future__ import annotations

import io

import numpy as np

from analysis.methods import Array
from measurements.services import Incoming

# Supplement of Li 2023, Fig. 14b: (CsPbI3)0.25(agZIF-62)0.75 sintered at 300 °C. Value, standard error.
PUBLISHED = {
    ("pl_offset", ""): (81.13, 9.77),
    ("pl_peak_center", "I"): (682.82, 0.20),
    ("pl_peak_width", "I"): (39.27, 0.33),
    ("pl_peak_area", "I"): (418305.79, 3918.98),
    ("pl_peak_center", "II"): (716.94, 0.97),
    ("pl_peak_width", "II"): (21.78, 1.75),
    ("pl_peak_area", "II"): (21896.09, 3476.46),
}
NOISE_SD = 114.129


def gaussian(x: Array, center: float, width: float, area: float) -> Array:
    return area / (width * np.sqrt(np.pi / 2)) * np.exp(-2 * ((x - center) / width) ** 2)


def published_spectrum(seed: int = 1, noise_sd: float = NOISE_SD) -> tuple[Array, Array]:
    wavelength_nm = np.arange(550.0, 801.0)
    truth = {key: value for key, (value, _) in PUBLISHED.items()}
    counts = np.full_like(wavelength_nm, truth["pl_offset", ""])
    for component in ("I", "II"):
        counts += gaussian(
            wavelength_nm,
            truth["pl_peak_center", component],
            truth["pl_peak_width", component],
            truth["pl_peak_area", component],
        )
    return wavelength_nm, counts + np.random.default_rng(seed).normal(0, noise_sd, counts.size)


def as_text(wavelength_nm: Array, counts: Array) -> bytes:
    rows = "".join(f"{x:.2f}\t{y:.4f}\n" for x, y in zip(wavelength_nm, counts, strict=True))
    return f"Instrument: FLS-test\nWavelength (nm)\tIntensity (counts)\n{rows}".encode()


def spectrum_file(seed: int = 1, name: str = "spectrum.txt") -> Incoming:
    return Incoming(name, io.BytesIO(as_text(*published_spectrum(seed))))
