"""What methods over values have in common: the quantities that they look at, and how values are refused."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis.methods.base import MethodError, Property, ValueRow

LARGEST = 1e100  # squares of what is larger overflow, and no laboratory measures it
SMALLEST_RELATIVE = 1e-12  # a sigma below this is rounding, not knowledge


@dataclass(frozen=True)
class Quantity:
    """A property that is worth following from sample to sample, of one component where it has several."""

    key: str
    label: str
    unit: str
    component: str = ""
    as_percent: bool = False

    @property
    def name(self) -> str:
        return f"{self.label} {self.component}".rstrip()

    def about(self, suffix: str, label: str, **declared: object) -> Property:
        """A property in the same unit that says something about this one."""
        components = (self.component,) if self.component else ()
        own = {"unit": self.unit, "as_percent": self.as_percent, "components": components} | declared
        return Property(f"{self.key}_{suffix}", f"{self.label}, {label}", **own)  # type: ignore[arg-type]

    def rows(self, values: Iterable[ValueRow]) -> list[ValueRow]:
        return [v for v in values if (v.property, v.component) == (self.key, self.component)]


QUANTITIES = (
    Quantity("plqy", "PL quantum yield", "1", as_percent=True),
    Quantity("pl_max_position", "PL maximum", "nm"),
    Quantity("pl_max_intensity", "PL intensity", "counts"),
    Quantity("pl_fwhm", "PL full width", "nm"),
    Quantity("pl_peak_center", "PL peak centre", "nm", "I"),
    Quantity("trpl_tau_amp", "PL lifetime", "ns"),
    Quantity("band_gap", "Band gap", "eV"),
    Quantity("tg", "Glass transition", "°C"),
)
READS = tuple(quantity.key for quantity in QUANTITIES)


def checked(values: Sequence[ValueRow]) -> list[ValueRow]:
    """The values, or MethodError when one of them cannot be reckoned with."""
    for row in values:
        if not math.isfinite(row.value) or abs(row.value) > LARGEST:
            raise MethodError(
                f"The {row.property} of {row.sample} is {row.value}, beyond anything measurable; reject it."
            )
    return list(values)


def by_sample(rows: Iterable[ValueRow]) -> dict[str, list[ValueRow]]:
    found: dict[str, list[ValueRow]] = {}
    for row in rows:
        found.setdefault(row.sample, []).append(row)
    return found


def means(rows: Mapping[str, Sequence[ValueRow]]) -> dict[str, float]:
    """Each sample once, however often it was measured: replicates are not independent samples."""
    return {sample: math.fsum(r.value for r in of) / len(of) for sample, of in rows.items()}


def known_sigma(row: ValueRow) -> float | None:
    """None where the source gives none, or one that cannot be meant."""
    sigma = row.sigma
    if sigma is None or not math.isfinite(sigma) or not 0 < sigma <= LARGEST:
        return None
    return sigma if sigma > max(SMALLEST_RELATIVE * abs(row.value), 1 / LARGEST) else None
