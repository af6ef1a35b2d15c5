"""Simulated spectra as files like a Fluoracle export, so that they take the road of any other file."""

from __future__ import annotations

from frontend.demo import forward

EXCITATION_NM = 440.0


def spectrum_file(code: str, loading: float, temperature_c: float) -> tuple[str, bytes]:
    """Name and content of the simulated emission scan of one sample."""
    wavelengths, counts = forward.WAVELENGTH_NM, forward.spectrum(loading, temperature_c)
    header = [
        ("Labels", f"{code} simulated"),
        ("Type", "Emission Scan"),
        ("Comment", f"SIMULATED by Vitrine's demo (forward model {forward.VERSION}); nothing was measured"),
        ("Start", f"{wavelengths[0]:.2f}"),
        ("Stop", f"{wavelengths[-1]:.2f}"),
        ("Step", "1.00"),
        ("Fixed/Offset", f"{EXCITATION_NM:.2f}"),
        ("Xaxis", "Wavelength"),
        ("Yaxis", "Counts"),
        ("Scan Corr. by File", "True"),
        ("Repeats", "1"),
        ("Dwell Time", "1.00"),
        ("Lamp", "Laser"),
    ]
    lines = [f"{key},{value}," for key, value in header]
    lines += ["", *(f"{x:.2f},{y:.8E}," for x, y in zip(wavelengths, counts, strict=True)), ""]
    return f"{code}_PL_simulated.csv", "\r\n".join(lines).encode()
