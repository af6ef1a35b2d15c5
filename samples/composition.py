"""What is in a sample by mass and by element, derived from what was weighed, beside what its label says.

Derived through the whole ancestry from weighed grams alone; what was not weighed is said to be unknown, not
filled in from the plan. Lots count as pure, and a loss as taking all components alike: a furnace that drives
iodine off changes what this cannot see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from samples.blending import Derived, Key, Weighing, derive
from samples.genealogy import genealogy
from samples.models import Component, Material, Sample
from samples.notation import NotationError, parse
from samples.stoichiometry import StoichiometryError, element_mass_fractions

LOADING_TOLERANCE = 0.005
"""Half a percent by mass between what was weighed and what the label says."""


@dataclass(frozen=True)
class Share:
    """A mass fraction with one sigma (None: a balance's was not recorded), and what the label promises."""

    name: str
    formula: str
    fraction: float
    sigma: float | None
    nominal: float | None = None

    @property
    def difference(self) -> float | None:
        return None if self.nominal is None else self.fraction - self.nominal

    @property
    def deviates(self) -> bool:
        return self.difference is not None and abs(self.difference) > LOADING_TOLERANCE


@dataclass(frozen=True)
class Composition:
    """`unknown`: what nobody recorded the composition of, ("sample", pk) or ("made", preparation): share."""

    materials: tuple[Share, ...] = ()
    elements: tuple[Share, ...] = ()
    loading: Share | None = None
    unknown: tuple[tuple[Key, float], ...] = ()
    without_formula: tuple[str, ...] = ()
    sigmas_missing: bool = False

    @property
    def is_known(self) -> bool:
        return bool(self.materials) and not self.unknown


@dataclass(frozen=True)
class Ancestry:
    """Several samples at once, so that their common ancestors are fetched once."""

    tops: dict[int, Key]
    blends: Mapping[Key, Sequence[Weighing]]
    materials: dict[int, Material]

    def derived(self, sample_id: int) -> Derived:
        return derive(self.blends, self.tops[sample_id])


def ancestry(samples: Iterable[Sample]) -> Ancestry:
    """Two queries, whatever the depth and however many samples."""
    ids = [sample.pk for sample in samples]
    found = genealogy(ids)
    blends = found.blends()
    wanted = {w.source[1] for weighings in blends.values() for w in weighings if w.source[0] == "material"}
    tops = {pk: found.source(pk) for pk in ids}
    wanted |= {key[1] for key in tops.values() if key[0] == "material"}
    return Ancestry(tops, blends, Material.objects.in_bulk(wanted))


def composition_of(sample: Sample) -> Composition:
    """The whole answer for one sample, in a bounded number of queries."""
    known = ancestry([sample])
    derived = known.derived(sample.pk)
    unknown = tuple((key, part) for key, part in derived.leaves.items() if key[0] != "material")
    present = [known.materials[key[1]] for key in derived.leaves if key[0] == "material"]
    if not present:
        return Composition(unknown=unknown)
    labels = nominal_fractions(sample)
    materials = [_share_of(material, derived, labels) for material in present]
    elements, without_formula = ((), ()) if unknown else _elements(derived, present)
    return Composition(
        materials=tuple(sorted(materials, key=lambda share: -share.fraction)),
        elements=elements,
        loading=None if unknown else _loading(derived, present, labels, sample),
        unknown=unknown,
        without_formula=without_formula,
        sigmas_missing=any(share.sigma is None for share in materials),
    )


def _share_of(material: Material, derived: Derived, labels: Mapping[str, float]) -> Share:
    value, sigma = derived.share(lambda key: float(key == ("material", material.pk)))
    nominal = labels.get(material.name, labels.get(material.formula) if material.formula else None)
    return Share(material.name, material.formula, value, sigma, nominal)


def _elements(derived: Derived, present: Sequence[Material]) -> tuple[tuple[Share, ...], tuple[str, ...]]:
    """Every element, or none and the materials whose formula does not state all amounts."""
    by_material = {material.pk: elements_of(material) for material in present}
    missing = tuple(material.name for material in present if by_material[material.pk] is None)
    if missing:
        return (), missing
    symbols = {symbol for elements in by_material.values() for symbol in elements or ()}

    def holds(symbol: str) -> Share:
        value, sigma = derived.share(lambda key: (by_material[key[1]] or {}).get(symbol, 0.0))
        return Share(symbol, symbol, value, sigma)

    return tuple(sorted(map(holds, symbols), key=lambda share: -share.fraction)), ()


def elements_of(material: Material) -> dict[str, float] | None:
    """Mass fraction of each element; None where the formula does not state all amounts."""
    try:
        return element_mass_fractions(material.formula)
    except StoichiometryError:
        return None


def _loading(
    derived: Derived, present: Sequence[Material], labels: Mapping[str, float], sample: Sample
) -> Share | None:
    kinds = {material.kind for material in present}
    if not kinds & {Material.Kind.PEROVSKITE, Material.Kind.GLASS}:
        return None
    perovskites = {material.pk for material in present if material.kind == Material.Kind.PEROVSKITE}
    value, sigma = derived.share(lambda key: float(key[1] in perovskites))
    names = ", ".join(material.name for material in present if material.pk in perovskites)
    return Share(names, names, min(value, 1.0), sigma, nominal_loading(sample))


def nominal_loading(sample: Sample) -> float | None:
    """What the label says, or the recipe where the label says nothing."""
    try:
        return parse(sample.notation).loading
    except NotationError:
        recipe = sample.preparation.recipe if sample.preparation else None
        if recipe is None:
            return None
        components = list(Component.objects.filter(recipe=recipe).select_related("material"))
        of_perovskite = [c for c in components if c.material.kind == Material.Kind.PEROVSKITE]
        return sum(c.mass_fraction for c in of_perovskite) if components else None


def nominal_fractions(sample: Sample) -> dict[str, float]:
    """Mass fractions that the label states, by the names that it uses."""
    try:
        return {part.name: part.mass_fraction for part in parse(sample.notation).parts}
    except NotationError:
        return {}
