"""What is in a blend of blends, and how exactly that is known. Pure: keys, grams and nothing else.

A blend is made of weighings, each from a source: another blend, or a leaf (a substance). Composition is
linear in the sources and a ratio of the masses, so the standard deviation of any share follows to first order
from one term per weighing:

    ∂f/∂m = a / M · (f_source − f_blend)

f is the share sought, M the blend's mass, a the share of the final sample that came through this blend.
Every weighing appears once however many paths lead from it to the sample, so what is common to two parents
through a shared ancestor is counted with its sign: correlations are exact, not ignored. Different weighings
are taken as independent. (J. R. Taylor, An Introduction to Error Analysis, 2nd ed., eq. 3.47.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from math import fsum, sqrt

Key = tuple[str, int]  # what kind of thing, and which
NOTHING = 1e-15


@dataclass(frozen=True, slots=True)
class Weighing:
    """`mass_g` ± `sigma_g` (one sigma) of `source` went into a blend; None where not recorded."""

    source: Key
    mass_g: float | None = None
    sigma_g: float | None = None


@dataclass(frozen=True)
class Derived:
    """The share of each leaf in one sample, and the means to ask for any other share."""

    leaves: dict[Key, float]
    _through: dict[Key, float]
    _order: tuple[Key, ...]
    _blends: Mapping[Key, Sequence[Weighing]]
    _top: Key

    def share(self, of_leaf: Callable[[Key], float]) -> tuple[float, float | None]:
        """(value, one sigma) of a quantity per gram that each leaf has `of_leaf` of, such as lead.

        Sigma is None when a weighing that matters has none.
        """
        values: dict[Key, float] = {leaf: of_leaf(leaf) for leaf in self.leaves}
        variances: list[float] = []
        known = True
        for blend in self._order:
            weighings = self._blends[blend]
            total_g = _total_g(weighings)
            values[blend] = _mean(weighings, total_g, values)
            for weighing in weighings if len(weighings) > 1 else ():
                contrast = values[weighing.source] - values[blend]
                if abs(contrast) <= NOTHING:
                    continue
                if weighing.sigma_g is None:
                    known = False
                    continue
                variances.append((self._through[blend] / total_g * contrast * weighing.sigma_g) ** 2)
        return values[self._top], sqrt(fsum(variances)) if known else None


def derive(blends: Mapping[Key, Sequence[Weighing]], top: Key) -> Derived:
    """Follow `top` down to its leaves. A blend with an unknown mass is a leaf itself: its shares are unknown.

    Visits every weighing of the ancestry once, however many paths there are. Raises graphlib.CycleError.
    """
    resolved: dict[Key, Sequence[Weighing]] = {}
    waiting = [top]
    while waiting:
        blend = waiting.pop()
        if blend in resolved or not is_known(blends.get(blend, ())):
            continue
        resolved[blend] = blends[blend]
        waiting.extend(weighing.source for weighing in blends[blend])
    graph = {
        blend: [w.source for w in weighings if w.source in resolved] for blend, weighings in resolved.items()
    }
    order = tuple(TopologicalSorter(graph).static_order())
    through: dict[Key, float] = dict.fromkeys(resolved, 0.0)
    through[top] = 1.0
    leaves: dict[Key, float] = {} if top in resolved else {top: 1.0}
    for blend in reversed(order):
        total_g = _total_g(resolved[blend])
        for weighing in resolved[blend]:
            part = through[blend] * (1.0 if len(resolved[blend]) == 1 else (weighing.mass_g or 0) / total_g)
            target = through if weighing.source in resolved else leaves
            target[weighing.source] = target.get(weighing.source, 0.0) + part
    return Derived(leaves, through, order, resolved, top)


def is_known(weighings: Sequence[Weighing]) -> bool:
    """Whether the proportions of a blend are known: of a single source they always are."""
    return len(weighings) == 1 or (bool(weighings) and all(w.mass_g for w in weighings))


def _total_g(weighings: Sequence[Weighing]) -> float:
    return fsum(weighing.mass_g or 0.0 for weighing in weighings)


def _mean(weighings: Sequence[Weighing], total_g: float, values: Mapping[Key, float]) -> float:
    if len(weighings) == 1:
        return values[weighings[0].source]
    return fsum((w.mass_g or 0.0) / total_g * values[w.source] for w in weighings)
