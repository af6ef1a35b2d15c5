"""How long emissions lasted, and in what: times that people or methods gave, and series over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from frontend.figures.base import Line, Numbers, Reading, View

MEDIA = {  # property of the endurance, its unit, hours in that unit, heading
    "water": ("stability_water", "h", 1.0, "Water"),
    "air": ("stability_ambient", "d", 24.0, "Air"),
    "light": ("stability_laser", "s", 1 / 3600, "Laser light"),
    "sonication": ("stability_sonication", "h", 1.0, "Sonication"),
    "other": ("", "h", 1.0, "Elsewhere"),
}
STABLE = 0.95  # of the beginning; where an endurance is drawn of which only the time is known
MOST_SOLVENTS = 3  # with a panel of their own, while there is room


@dataclass(frozen=True)
class Mark:
    """An endurance: `left` as a fraction, known or the limit; sigmas NaN where unknown."""

    medium: str
    reading: Reading
    code: str
    hours: float
    sigma_h: float
    left: float
    left_sigma: float
    assumed: bool


@dataclass(frozen=True)
class Track:
    """A series over time: hours above zero, and the fraction left."""

    medium: str
    code: str
    origin: str
    hours: Numbers
    left: Numbers


def medium_of(line: Line) -> str:
    """What a series had to endure: the method writes it behind the name of what it draws."""
    said = line.y_is.label.rpartition(", ")[2]
    return said if said in MEDIA else "other"


def heading_of(medium: str) -> str:
    return MEDIA[medium][3] if medium in MEDIA else medium[:1].upper() + medium[1:]


def _solvents(view: View) -> set[str]:
    """What has a panel beside water: solvents that their measurements name, while these are few."""
    named = (
        line.conditions.get("solvent") for line in view.curves("retention") if medium_of(line) == "other"
    )
    found = {solvent for solvent in named if isinstance(solvent, str) and solvent not in MEDIA}
    return found if len(found) <= MOST_SOLVENTS else set()


def tracks_of(view: View) -> list[Track]:
    found = []
    solvents = _solvents(view)
    for line in view.curves("retention"):
        known = (line.x > 0) & np.isfinite(line.x) & np.isfinite(line.y)
        if known.any():
            code = view.subjects[line.subject].code
            solvent, medium = str(line.conditions.get("solvent", "")), medium_of(line)
            medium = solvent if medium == "other" and solvent in solvents else medium
            found.append(Track(medium, code, line.origin, line.x[known], line.y[known]))
    return found


def marks_of(view: View) -> list[Mark]:
    found = []
    for medium, (key, _, hours, _) in MEDIA.items():
        if not key:
            continue
        retained = {(r.subject, r.origin): r for r in view.values(f"pl_retention:{medium}")}
        for reading in view.values(key):
            if not 0 < reading.value < float("inf"):
                continue
            left = retained.get((reading.subject, reading.origin))
            found.append(
                Mark(
                    medium,
                    reading,
                    view.subjects[reading.subject].code,
                    reading.value * hours,
                    reading.sigma * hours,
                    STABLE if left is None else left.value,
                    float("nan") if left is None else left.sigma,
                    left is None,
                )
            )
    return found
