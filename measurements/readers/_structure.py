"""Crystal structures as datasets: fractional coordinates of the sites, cell and composition as conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.vocabulary import condition

CELL = ("cell_a", "cell_b", "cell_c", "cell_alpha", "cell_beta", "cell_gamma")
NOTHING = float("nan")


@dataclass(frozen=True)
class Site:
    """A site as the file writes it; what it does not say is NaN."""

    label: str
    element: str
    position: tuple[float, float, float]
    sigmas: tuple[float, float, float] = (NOTHING, NOTHING, NOTHING)
    occupancy: float = NOTHING
    u_iso: float = NOTHING


def cell(values: tuple[float, ...]) -> dict[str, Quantity]:
    """a, b, c in Å, α, β, γ in degrees."""
    found: dict[str, Quantity] = {}
    for key, value in zip(CELL, values, strict=True):
        found |= condition(key, value, "Å" if key[-2] == "_" else "deg")
    return found


def datasets(
    sites: list[Site], header: Mapping[str, str], conditions: Mapping[str, Quantity], title: str
) -> list[Dataset]:
    """Coordinates first, then occupancies and displacements if the file gives any."""
    positions = np.array([site.position for site in sites], dtype=np.float64)
    sigmas = np.array([site.sigmas for site in sites], dtype=np.float64)
    number = Axis("Site", "1", np.arange(1.0, len(sites) + 1))
    own = {
        **header,
        "sites": "\n".join(
            f"{place} {site.label} {site.element}" for place, site in enumerate(sites, start=1)
        ),
    }

    def dataset(name: str, unit: str, values: Array, axes: tuple[Axis, ...], errors: Array | None) -> Dataset:
        own_title = ", ".join(word for word in (title, "" if len(axes) == 2 else name.lower()) if word)
        signal = Signal(name, unit, values, errors)
        return Dataset(signal, axes, own, None, conditions, own_title, technique="structure")

    coordinate = Axis("Coordinate (1 x, 2 y, 3 z)", "1", np.arange(1.0, 4.0))
    errors = sigmas if np.any(np.isfinite(sigmas)) else None
    found = [dataset("Fractional coordinate", "1", positions, (number, coordinate), errors)]
    for name, unit, column in (
        ("Occupancy", "1", [site.occupancy for site in sites]),
        ("Uiso", "Å²", [site.u_iso for site in sites]),
    ):
        values = np.array(column, dtype=np.float64)
        if np.any(np.isfinite(values)):
            found.append(dataset(name, unit, values, (number,), None))
    return found


def refuse_impossible(values: tuple[float, ...]) -> None:
    """ReadError for a cell that no crystal has."""
    lengths, angles = values[:3], values[3:]
    if not (all(0 < length < 1e5 for length in lengths) and all(0 < angle < 180 for angle in angles)):
        raise ReadError(
            f"the cell {', '.join(f'{value:g}' for value in values)} cannot be. The file is damaged."
        )
