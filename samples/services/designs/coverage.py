"""Which loadings and temperatures a project has made, planned and not touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count

from samples.designing import Slot
from samples.models import ProcessFactors, Project, User
from samples.services.designs.asking import FACTORS

WIDEST = 16  # levels of an axis that are shown beside those asked for
LOADING = list(FACTORS).index("loading_mass_fraction")
TEMPERATURE = list(FACTORS).index("sintering_temperature_c")
Point = tuple[float, float]


@dataclass
class Spot:
    """One loading at one temperature; `asked` is what the design in hand would add."""

    made: int = 0
    planned: int = 0
    asked: int = 0


@dataclass
class Coverage:
    """rows : one per loading, in the order of `loadings`; columns as `temperatures`. `left_out`: samples at
    levels that the map has no room for."""

    loadings: list[float] = field(default_factory=list)
    temperatures: list[float] = field(default_factory=list)
    rows: list[list[Spot]] = field(default_factory=list)
    left_out: int = 0

    @property
    def lines(self) -> list[tuple[float, list[Spot]]]:
        return list(zip(self.loadings, self.rows, strict=True))


def coverage(project: Project, user: User, slots: Iterable[Slot] = (), design: int | None = None) -> Coverage:
    """The samples of `project` that `user` sees (or of one design of it), and those of `slots`."""
    asked = Counter(
        (round(float(slot.cell[LOADING]), 6), float(slot.cell[TEMPERATURE]))
        for slot in slots
        if slot.cell[TEMPERATURE] != ""
    )
    known = _known(project, user, design)
    existing: Counter[Point] = Counter()
    for (loading, temperature, _), count in known.items():
        existing[loading, temperature] += count
    loadings = _axis({x for x, _ in asked}, existing, 0)
    temperatures = _axis({t for _, t in asked}, existing, 1)
    rows = [
        [Spot(known[x, t, False], known[x, t, True], asked[x, t]) for t in temperatures] for x in loadings
    ]
    shown = sum(spot.made + spot.planned for row in rows for spot in row)
    return Coverage(loadings, temperatures, rows, left_out=existing.total() - shown)


def _known(project: Project, user: User, design: int | None) -> Counter[tuple[float, float, bool]]:
    factors = ProcessFactors.objects.visible_to(user).filter(
        sample__project=project,
        sample__voided_at=None,
        loading_mass_fraction__isnull=False,
        sintering_temperature_c__isnull=False,
    )
    if design is not None:
        factors = factors.filter(sample__preparation__design=design)
    rows = (
        factors.order_by()
        .values_list("loading_mass_fraction", "sintering_temperature_c", "sample__planned")
        .annotate(Count("pk"))
    )
    known: Counter[tuple[float, float, bool]] = Counter()
    for loading, temperature, planned, count in rows:
        known[round(loading, 6), temperature, planned] += count
    return known


def _axis(asked: set[float], existing: Counter[Point], which: int) -> list[float]:
    """The levels asked for and the commonest others."""
    times: Counter[float] = Counter()
    for point, count in existing.items():
        times[point[which]] += count
    others = [level for level, _ in times.most_common() if level not in asked]
    return sorted(asked | set(others[: max(0, WIDEST - len(asked))]))
