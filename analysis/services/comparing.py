"""Two runs side by side: what each said, and by how much they differ.

Differences are in units of σ = √((σ₁² + σ₂²)/2), the root mean square of the two. They are not independent
measurements: both runs mostly read the same data, so that their sigmas do not add up. It is the same number
whichever of the two is called old.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.models import Run, Value

Subject = tuple[str, str]


@dataclass(frozen=True)
class Pair:
    """What two runs said of one thing; None where one of them said nothing."""

    property_key: str
    component: str
    old: Value | None
    new: Value | None

    @property
    def difference(self) -> float | None:
        if self.old is None or self.new is None or self.old.value is None or self.new.value is None:
            return None
        return self.new.value - self.old.value

    @property
    def sigmas(self) -> float | None:
        """None where one of them is missing, or where they differ and neither states a sigma."""
        if self.difference is None:
            return None
        assert self.old is not None
        assert self.new is not None
        return in_sigmas(self.difference, self.old.sigma, self.new.sigma)


def in_sigmas(difference: float, first: float | None, second: float | None) -> float | None:
    if difference == 0:
        return 0.0
    spread = math.hypot(first or 0.0, second or 0.0) / math.sqrt(2)
    return difference / spread if spread and math.isfinite(difference / spread) else None


def compare(old: Run, new: Run) -> list[Pair]:
    """Everything that either of them said, in the order of properties and components."""
    said: dict[Subject, dict[int, Value]] = {}
    for value in Value.objects.filter(run__in=[old, new]).order_by("property", "component"):
        assert value.run_id is not None
        said.setdefault((value.property, value.component), {})[value.run_id] = value
    return [Pair(*subject, of.get(old.pk), of.get(new.pk)) for subject, of in said.items()]
