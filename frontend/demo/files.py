"""Simulated measurements as files like those of instruments, so that they take the road of any other file.

Spectra, spheres and decays look like a Fluoracle export, absorption like any program's table; a series is a
NeXus file, which can say everything. Pure: bytes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np

from frontend.demo import forward, light
from frontend.demo.forward import Array
from measurements.data import Axis, Dataset, Quantity, Signal
from measurements.nexus import write_nxdata
from measurements.vocabulary import condition

EXCITATION_NM = 440.0
HALIDE_EXCITATION_NM = {"SC-PURE-CsPbI3": 440.0}  # of the others 365 nm, which would show again at 730 nm
REMARK = "SIMULATED by Vitrine's demo (forward model {}); nothing was measured"
File = tuple[str, bytes]


def spectrum_file(code: str, loading: float, temperature_c: float) -> File:
    """Name and content of the simulated emission scan of one sample."""
    counts = forward.spectrum(loading, temperature_c)
    return f"{code}_PL_simulated.csv", _scan(code, forward.WAVELENGTH_NM, counts, EXCITATION_NM)


def sphere_files(code: str, loading: float, temperature_c: float) -> dict[str, File]:
    """By role: the three spectra of one sample in the integrating sphere."""
    found = {}
    for role in light.SPHERE_ROLES:
        counts = light.sphere_counts(loading, temperature_c, role)
        content = _scan(code, light.SPHERE_NM, counts, light.LASER_NM)
        found[role] = (f"{code}_PLQY_{role}_simulated.csv", content)
    return found


def sphere_calibration_file() -> File:
    factor = light.sphere_factor(light.SPHERE_NM)
    head = [f"# {REMARK.format(forward.VERSION)}", "Wavelength (nm),Photons behind a count (photons/count)"]
    rows = [f"{x:.1f},{y:.6f}" for x, y in zip(light.SPHERE_NM, factor, strict=True)]
    return "sphere_factor_simulated.csv", "\n".join([*head, *rows, ""]).encode()


def decay_file(code: str, loading: float, temperature_c: float, quench: str) -> File:
    counts = light.decay_counts(loading, temperature_c, quench)
    return f"{code}_TRPL_simulated.csv", _decay(code, "TCSPC Decay", counts)


def response_file() -> File:
    return "IRF_simulated.csv", _decay("IRF", "TCSPC Instrument Response", light.response_counts())


def absorption_file(code: str, loading: float, temperature_c: float) -> File:
    values = light.absorbance(loading, temperature_c)
    head = [f"# {code}: {REMARK.format(forward.VERSION)}", "Wavelength (nm),Absorbance"]
    rows = [f"{x:.1f},{y:.5f}" for x, y in zip(light.ABSORPTION_NM, values, strict=True)]
    return f"{code}_UVVis_simulated.csv", "\n".join([*head, *rows, ""]).encode()


def endurance_file(of: light.Endurance, loading: float, temperature_c: float) -> File:
    """Emission over time and wavelength."""
    conditions: dict[str, Quantity] = {}
    for key, value, unit in of.conditions:
        conditions |= condition(key, value, unit)
    found = Dataset(
        Signal("Counts", "counts", light.endurance_counts(of, loading, temperature_c)),
        (Axis("Time", of.unit, np.array(of.times)), Axis("Wavelength", "nm", light.ENDURANCE_NM)),
        header={"Comment": REMARK.format(forward.VERSION), "Sample": of.sample},
        conditions=conditions,
        technique="pl",
    )
    content = BytesIO()
    write_nxdata(content, {f"{of.sample} {of.key}": found})
    return f"{of.sample}_PL_{of.key}_simulated.nxs", content.getvalue()


def halide_file(code: str) -> File:
    counts, excitation_nm = light.halide_counts(code), HALIDE_EXCITATION_NM.get(code, 365.0)
    return f"{code}_PL_colour_simulated.csv", _scan(code, light.HALIDE_NM, counts, excitation_nm)


def _scan(code: str, wavelength_nm: Array, counts: Array, excitation_nm: float) -> bytes:
    header = [
        ("Labels", f"{code} simulated"),
        ("Type", "Emission Scan"),
        ("Comment", REMARK.format(forward.VERSION)),
        ("Start", f"{wavelength_nm[0]:.2f}"),
        ("Stop", f"{wavelength_nm[-1]:.2f}"),
        ("Step", "1.00"),
        ("Fixed/Offset", f"{excitation_nm:.2f}"),
        ("Xaxis", "Wavelength"),
        ("Yaxis", "Counts"),
        ("Scan Corr. by File", "True"),
        ("Repeats", "1"),
        ("Dwell Time", "1.00"),
        ("Lamp", "Laser"),
    ]
    return _export(header, wavelength_nm, counts, "{:.8E}")


def _decay(label: str, kind: str, counts: Array) -> bytes:
    header = [
        ("Labels", f"{label} simulated"),
        ("Type", kind),
        ("Comment", REMARK.format(forward.VERSION)),
        ("Xaxis", "Time(ns)"),
        ("Yaxis", "Counts"),
        ("Lamp", "Laser"),
    ]
    return _export(header, light.DECAY_NS, counts, "{:.0f}")


def _export(header: Sequence[tuple[str, str]], x: Array, y: Array, written: str) -> bytes:
    lines = [f"{key},{value}," for key, value in header]
    lines += ["", *(f"{at:.2f},{written.format(value)}," for at, value in zip(x, y, strict=True)), ""]
    return "\r\n".join(lines).encode()
