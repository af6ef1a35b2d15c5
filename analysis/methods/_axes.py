"""What an axis runs over, told by its unit."""

from __future__ import annotations

WAVELENGTH, ENERGY, TIME, TEMPERATURE, POSITION = "wavelength", "energy", "time", "temperature", "position"
UNITS = {
    "nm": WAVELENGTH, "nanometer": WAVELENGTH, "nanometers": WAVELENGTH, "nanometre": WAVELENGTH,
    "nanometres": WAVELENGTH, "ev": ENERGY, "mev": ENERGY, "kev": ENERGY,
    "ps": TIME, "ns": TIME, "µs": TIME, "us": TIME, "ms": TIME, "s": TIME, "sec": TIME, "min": TIME,
    "h": TIME, "d": TIME, "day": TIME, "days": TIME,
    "°c": TEMPERATURE, "degc": TEMPERATURE, "k": TEMPERATURE,
    "µm": POSITION, "um": POSITION, "mm": POSITION, "px": POSITION, "pixel": POSITION, "pixels": POSITION,
}  # fmt: skip
KINDS = frozenset(UNITS.values())
UNSAID = {"", "1", "a.u.", "arb. u."}


def kind_of(unit: str) -> str | None:
    """One of KINDS, "" where the file does not say, None for anything else."""
    word = unit.strip().lower()
    return "" if word in UNSAID else UNITS.get(word)


def fit(wanted: tuple[str, ...], units: list[str], told: bool = False) -> bool:
    """Whether axes in these units are of these kinds, in this order. One that does not say may be anything,
    unless they must have `told`, and nanometres may be a wavelength or a place; but a series runs over a time
    or a temperature only if it says so, for else its steps are only counted."""
    if len(wanted) != len(units):
        return False
    sure = KINDS if told else {TIME, TEMPERATURE} if len(wanted) > 1 else set()
    return all(
        found == want or (found == "" and want not in sure) or (found == WAVELENGTH and want == POSITION)
        for found, want in zip(map(kind_of, units), wanted, strict=True)
    )
