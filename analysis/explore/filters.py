from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Filters:
    """What to leave out. Ranges are closed; an unknown value lies in no range.

    made_from, made_until : when the sample was made, or entered here when that was not recorded
    """

    projects: Sequence[str] = ()
    states: Sequence[str] = ()
    origins: Sequence[str] = ()
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    made_from: date | None = None
    made_until: date | None = None
