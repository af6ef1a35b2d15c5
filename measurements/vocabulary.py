"""The conditions of a measurement that Vitrine knows by name, each with the one unit it is kept in.

A reader maps what it understands of a vendor's header to these keys with `condition()`; everything else
stays in the header, verbatim. Pure floor: no Django here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from measurements.data import Quantity

TEXT = "text"


@dataclass(frozen=True)
class Condition:
    """`unit` is what the number is kept in; TEXT for words."""

    label: str
    unit: str


CONDITIONS: dict[str, Condition] = {
    # the sample and its surroundings
    "temperature": Condition("Temperature", "°C"),
    "start_temperature": Condition("Start temperature", "°C"),
    "end_temperature": Condition("End temperature", "°C"),
    "heating_rate": Condition("Heating rate", "K/min"),
    "gas": Condition("Gas", TEXT),
    "gas_flow": Condition("Gas flow", "mL/min"),
    "pressure": Condition("Pressure", "kPa"),
    "mass": Condition("Sample mass", "mg"),
    "crucible": Condition("Crucible", TEXT),
    "thickness": Condition("Thickness", "mm"),
    "transmission": Condition("Sample transmission", "1"),
    "solvent": Condition("Solvent", TEXT),
    "concentration": Condition("Concentration", "mg/mL"),
    "humidity": Condition("Relative humidity", "1"),
    "tilt": Condition("Tilt", "deg"),
    "elapsed_time": Condition("Elapsed time", "s"),
    "position": Condition("Position", "mm"),
    # light and radiation in
    "excitation_wavelength": Condition("Excitation wavelength", "nm"),
    "emission_wavelength": Condition("Emission wavelength", "nm"),
    "excitation_bandwidth": Condition("Excitation bandwidth", "nm"),
    "emission_bandwidth": Condition("Emission bandwidth", "nm"),
    "laser_power": Condition("Laser power", "mW"),
    "irradiance": Condition("Irradiance", "mW/cm²"),
    "spot_diameter": Condition("Spot diameter", "mm"),
    "light_source": Condition("Light source", TEXT),
    "repetition_rate": Condition("Repetition rate", "MHz"),
    "xray_wavelength": Condition("X-ray wavelength", "Å"),
    "xray_wavelength_2": Condition("X-ray wavelength Kα₂", "Å"),
    "neutron_wavelength": Condition("Neutron wavelength", "Å"),
    "kalpha2_ratio": Condition("Kα₂/Kα₁ intensity ratio", "1"),
    "xray_energy": Condition("Photon energy", "keV"),
    "anode": Condition("Anode", TEXT),
    "tube_voltage": Condition("Tube voltage", "kV"),
    "tube_current": Condition("Tube current", "mA"),
    "photon_energy": Condition("Excitation energy", "eV"),
    # what the instrument's own program found
    "quantum_yield": Condition("Photoluminescence quantum yield", "1"),
    "implied_voltage": Condition("Implied open-circuit voltage", "V"),
    "band_gap": Condition("Band gap", "eV"),
    # the instrument
    "instrument": Condition("Instrument", TEXT),
    "detector": Condition("Detector", TEXT),
    "detector_distance": Condition("Detector distance", "mm"),
    "geometry": Condition("Geometry", TEXT),
    "mode": Condition("Mode", TEXT),
    "scan_axis": Condition("Scan axis", TEXT),
    "step_size": Condition("Step size", "deg"),
    "dwell_time": Condition("Time per point", "s"),
    "exposure_time": Condition("Exposure time", "s"),
    "live_time": Condition("Live time", "s"),
    "accumulations": Condition("Accumulations", "1"),
    "attenuation": Condition("Attenuation applied", TEXT),
    "resolution": Condition("Resolution", "cm⁻¹"),
    "bandwidth": Condition("Bandwidth", "nm"),
    "scan_speed": Condition("Scan speed", "nm/min"),
    "grating": Condition("Grating", "lines/mm"),
    "slit_width": Condition("Slit width", "µm"),
    "channel_width": Condition("Channel width", "ns"),
    "count_rate": Condition("Count rate", "counts/s"),
    "pass_energy": Condition("Pass energy", "eV"),
    "work_function": Condition("Work function", "eV"),
    "region": Condition("Region", TEXT),
    "nucleus": Condition("Nucleus", TEXT),
    "larmor_frequency": Condition("Larmor frequency", "MHz"),
    "spectral_width": Condition("Spectral width", "Hz"),
    "mas_rate": Condition("MAS rate", "kHz"),
    "recycle_delay": Condition("Recycle delay", "s"),
    "pulse_program": Condition("Pulse program", TEXT),
    "element": Condition("Element", TEXT),
    "edge": Condition("Edge", TEXT),
    "monochromator": Condition("Monochromator", TEXT),
    "d_spacing": Condition("Monochromator d spacing", "Å"),
    "acceleration_voltage": Condition("Acceleration voltage", "kV"),
    "working_distance": Condition("Working distance", "mm"),
    "magnification": Condition("Magnification", "1"),
    "pixel_size": Condition("Pixel size", "nm"),
    "beam_current": Condition("Beam current", "nA"),
    "camera_length": Condition("Camera length", "mm"),
    "convergence_angle": Condition("Convergence semi-angle", "mrad"),
    "collection_angle": Condition("Collection semi-angle", "mrad"),
    "q_min": Condition("Qmin", "Å⁻¹"),
    "q_max": Condition("Qmax", "Å⁻¹"),
    "composition": Condition("Composition", TEXT),
    "space_group": Condition("Space group", TEXT),
    "cell_a": Condition("a", "Å"),
    "cell_b": Condition("b", "Å"),
    "cell_c": Condition("c", "Å"),
    "cell_alpha": Condition("α", "deg"),
    "cell_beta": Condition("β", "deg"),
    "cell_gamma": Condition("γ", "deg"),
    # what the file says about itself
    "sample_name": Condition("Sample name in the file", TEXT),
    "operator": Condition("Operator", TEXT),
    "comment": Condition("Comment", TEXT),
    "software": Condition("Software", TEXT),
    "clock_offset": Condition("Clock of the log, ahead of the instrument's", "s"),
    "local_time": Condition("Time in the file, zone not recorded", TEXT),
}

# units that cannot stand in the name of a column as they are written
_IN_NAMES = {"percent": "%", "fraction": "1"}

# value in the canonical unit = factor · value + offset; spellings in lower case without spaces
_SCALES: dict[str, dict[str, tuple[float, float]]] = {
    "°C": {"°c": (1, 0), "c": (1, 0), "degc": (1, 0), "celsius": (1, 0), "k": (1, -273.15),
           "kelvin": (1, -273.15), "cel": (1, 0)},
    "K/min": {"k/min": (1, 0), "°c/min": (1, 0), "c/min": (1, 0), "k/s": (60, 0), "°c/s": (60, 0),
              "k·min⁻¹": (1, 0), "kmin-1": (1, 0)},
    "mL/min": {"ml/min": (1, 0), "l/min": (1000, 0), "sccm": (1, 0)},
    "kPa": {"kpa": (1, 0), "pa": (1e-3, 0), "mbar": (0.1, 0), "hpa": (0.1, 0), "bar": (100, 0),
            "mpa": (1e3, 0), "torr": (0.133322368, 0), "atm": (101.325, 0)},
    "mg": {"mg": (1, 0), "g": (1e3, 0), "µg": (1e-3, 0), "ug": (1e-3, 0), "kg": (1e6, 0)},
    "mm": {"mm": (1, 0), "cm": (10, 0), "m": (1e3, 0), "µm": (1e-3, 0), "um": (1e-3, 0), "nm": (1e-6, 0)},
    "nm": {"nm": (1, 0), "nanometers": (1, 0), "å": (0.1, 0), "angstrom": (0.1, 0), "a": (0.1, 0),
           "µm": (1e3, 0), "um": (1e3, 0), "mm": (1e6, 0), "m": (1e9, 0), "pm": (1e-3, 0)},
    "Å": {"å": (1, 0), "angstrom": (1, 0), "angstroms": (1, 0), "a": (1, 0), "nm": (10, 0), "pm": (0.01, 0),
          "m": (1e10, 0)},
    "µm": {"µm": (1, 0), "um": (1, 0), "micron": (1, 0), "microns": (1, 0), "mm": (1e3, 0), "nm": (1e-3, 0)},
    "mW": {"mw": (1, 0), "w": (1e3, 0), "µw": (1e-3, 0), "uw": (1e-3, 0)},
    "mW/cm²": {"mw/cm²": (1, 0), "mw/cm2": (1, 0), "w/m²": (0.1, 0), "w/m2": (0.1, 0), "w/cm²": (1e3, 0),
               "w/cm2": (1e3, 0)},
    "MHz": {"mhz": (1, 0), "khz": (1e-3, 0), "hz": (1e-6, 0), "ghz": (1e3, 0)},
    "kHz": {"khz": (1, 0), "hz": (1e-3, 0), "mhz": (1e3, 0)},
    "Hz": {"hz": (1, 0), "khz": (1e3, 0), "mhz": (1e6, 0)},
    "keV": {"kev": (1, 0), "ev": (1e-3, 0), "mev": (1e3, 0)},
    "eV": {"ev": (1, 0), "kev": (1e3, 0)},
    "V": {"v": (1, 0), "mv": (1e-3, 0)},
    "kV": {"kv": (1, 0), "v": (1e-3, 0), "kev": (1, 0)},
    "mA": {"ma": (1, 0), "a": (1e3, 0), "µa": (1e-3, 0), "ua": (1e-3, 0)},
    "nA": {"na": (1, 0), "pa": (1e-3, 0), "µa": (1e3, 0), "ua": (1e3, 0), "ma": (1e6, 0), "a": (1e9, 0)},
    "s": {"s": (1, 0), "sec": (1, 0), "seconds": (1, 0), "second": (1, 0), "ms": (1e-3, 0), "µs": (1e-6, 0),
          "us": (1e-6, 0), "min": (60, 0), "minutes": (60, 0), "h": (3600, 0)},
    "ns": {"ns": (1, 0), "ps": (1e-3, 0), "µs": (1e3, 0), "us": (1e3, 0), "ms": (1e6, 0), "s": (1e9, 0)},
    "deg": {"deg": (1, 0), "°": (1, 0), "degrees": (1, 0), "degree": (1, 0), "rad": (180 / math.pi, 0),
            "mrad": (0.18 / math.pi, 0)},
    "mrad": {"mrad": (1, 0), "rad": (1e3, 0), "deg": (1e3 * math.pi / 180, 0)},
    "cm⁻¹": {"cm⁻¹": (1, 0), "cm-1": (1, 0), "1/cm": (1, 0), "cm^-1": (1, 0), "wn": (1, 0)},
    "Å⁻¹": {"1/å": (1, 0), "å⁻¹": (1, 0), "1/a": (1, 0), "a^{-1}": (1, 0), "a-1": (1, 0), "å-1": (1, 0),
            "1/nm": (0.1, 0), "nm-1": (0.1, 0), "nm⁻¹": (0.1, 0)},
    "1": {"1": (1, 0), "": (1, 0), "%": (0.01, 0)},
    "nm/min": {"nm/min": (1, 0), "nm/s": (60, 0)},
    "mg/mL": {"mg/ml": (1, 0), "g/l": (1, 0)},
    "lines/mm": {"lines/mm": (1, 0), "l/mm": (1, 0), "gr/mm": (1, 0), "g/mm": (1, 0), "grooves/mm": (1, 0)},
    "counts/s": {"counts/s": (1, 0), "cps": (1, 0), "hz": (1, 0)},
}  # fmt: skip


def condition(key: str, value: float | str | None, unit: str = "") -> dict[str, Quantity]:
    """{key: quantity in the unit of the vocabulary}, or {} when value or unit is missing or not understood.

    Made for merging: `{**condition("mass", 10.2, "mg"), **condition("gas", "N2")}`. A number without a unit
    is not guessed, so it is left out; it stays in the header. Raises KeyError for a key that is not in
    CONDITIONS: that is the author's mistake, not the file's.
    """
    known = CONDITIONS[key]
    if value is None:
        return {}
    if known.unit == TEXT:
        text = str(value).strip().strip('"').strip()
        return {key: Quantity(text[:500])} if text else {}
    try:
        number = float(value)
    except ValueError:
        return {}
    scale = _SCALES[known.unit].get(_spelled(unit))
    if scale is None or not math.isfinite(number):
        return {}
    factor, offset = scale
    converted = factor * number + offset
    return {key: Quantity(float(f"{converted:.12g}"), known.unit)}


def named(title: str) -> tuple[str, str]:
    """(key, unit) of a name that ends with its unit, as in a manifest: temperature_c, heating_rate_k_per_min.
    Of a name that is no condition with a unit of it, the name itself and ""."""
    for key, known in CONDITIONS.items():
        unit = title.removeprefix(f"{key}_").replace("_per_", "/")
        if title.startswith(f"{key}_") and _spelled(_IN_NAMES.get(unit, unit)) in _SCALES.get(known.unit, {}):
            return key, _IN_NAMES.get(unit, unit)
    return title, ""


def understood(said: Mapping[str, object]) -> dict[str, Quantity]:
    """What a person or a program said of the conditions, as far as the vocabulary knows it:
    {"gas": "Ar", "temperature_c": 25, "mass": {"value": 10.2, "unit": "mg"}}. The rest is left out."""
    found: dict[str, Quantity] = {}
    for title, given in said.items():
        key, unit = named(title)
        value = given
        if isinstance(given, Mapping):
            value, unit = given.get("value"), str(given.get("unit") or "")
        if key in CONDITIONS and isinstance(value, (int, float, str)) and not isinstance(value, bool):
            found |= condition(key, value, unit)
    return found


def _spelled(unit: str) -> str:
    plain = unit.strip().replace(" ", "").replace("μ", "µ").replace("\u212b", "å").replace("\u00ba", "°")
    return plain.lower()
