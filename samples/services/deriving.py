"""Process factors follow every change of history that matters."""

from __future__ import annotations

from collections.abc import Iterable

from samples.ancestry import descendants, family
from samples.factors import factors_of
from samples.models import ProcessFactors, Sample

FACTOR_COLUMNS = [f.name for f in ProcessFactors._meta.fields if not f.primary_key]


def derive_factors(samples: Iterable[Sample]) -> None:
    """Write the factors row of each sample (see `rederive` for those that have descendants)."""
    wanted = list(samples)
    if not wanted:
        return
    ProcessFactors.objects.bulk_create(
        factors_of(family(wanted), wanted),
        update_conflicts=True,
        unique_fields=["sample"],
        update_fields=FACTOR_COLUMNS,
        batch_size=2000,
    )


def rederive(samples: Iterable[Sample]) -> None:
    """After a change of history: the factors of the samples and of everything made from them."""
    derive_factors(descendants(samples))
