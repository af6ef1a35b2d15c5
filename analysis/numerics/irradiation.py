"""How much light a sample was given: power in the spot, photons, dose."""

from __future__ import annotations

import math

PLANCK_J_S = 6.62607015e-34  # exact since 2019, CODATA
LIGHT_NM_PER_S = 2.99792458e17


def power_in_spot_mw(irradiance_mw_per_cm2: float, diameter_mm: float) -> float:
    """Power through a round spot of even irradiance, mW."""
    return irradiance_mw_per_cm2 * math.pi * (diameter_mm / 20) ** 2


def irradiance_mw_per_cm2(power_mw: float, diameter_mm: float) -> float:
    """The mean over a round spot."""
    return power_mw / (math.pi * (diameter_mm / 20) ** 2)


def photon_flux(irradiance_mw_per_cm2: float, wavelength_nm: float) -> float:
    """Photons per cm² and second of one wavelength (vacuum): E·λ/(h·c)."""
    return irradiance_mw_per_cm2 * 1e-3 * wavelength_nm / (PLANCK_J_S * LIGHT_NM_PER_S)


def dose_j_per_cm2(irradiance_mw_per_cm2: float, duration_s: float) -> float:
    return irradiance_mw_per_cm2 * 1e-3 * duration_s
