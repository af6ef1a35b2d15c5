"""Several properties and factors of all samples at once: what a view over many samples reads.

The value that stands for a sample is the same as anywhere in Explore, and so are the samples that a person
may see: it is the same statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.explore.axes import Axis
from analysis.explore.combining import Points
from analysis.explore.filters import Filters
from analysis.explore.packed import Column, answer, ids, numbers, points, texts
from analysis.explore.statement import statement


@dataclass(frozen=True)
class Several:
    """samples : (N,) keys, ascending; `code`, `notation` and each of `factors` are beside them
    values : by the key of the axis; Points.key >> 3 is a sample, of which there may be others than in
        `samples`: whoever may not see a sample looks its value up in vain
    """

    samples: NDArray[np.int64]
    code: list[str]
    notation: list[str]
    factors: Mapping[str, Column]
    values: Mapping[str, Points]

    def places(self, keys: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where these samples stand, -1 for those that are not here."""
        if not self.samples.size:
            return np.full(keys.size, -1)
        place = np.minimum(np.searchsorted(self.samples, keys), self.samples.size - 1)
        return np.where(self.samples[place] == keys, place, -1)


def several(user: Any, *, properties: Sequence[Axis], factors: Sequence[Axis], filters: Filters) -> Several:
    """Raises ExploreError for a filter that is none."""
    asked = {f"p{number}": axis for number, axis in enumerate(properties)}
    asked |= {f"f{number}": axis for number, axis in enumerate(factors)}
    packed = answer(*statement(user, asked, filters, labels=True))
    samples = ids(packed["sample"])
    order = np.argsort(samples, kind="stable")

    def column(name: str) -> Column:
        if asked[name].numeric:
            return numbers(packed[name])[order]
        return texts(packed[name], order)

    return Several(
        samples=samples[order],
        code=texts(packed["code"], order),
        notation=texts(packed["notation"], order),
        factors={axis.key: column(name) for name, axis in asked.items() if axis.kind == "factor"},
        values={axis.key: points(packed, name) for name, axis in asked.items() if axis.kind == "property"},
    )
