"""Composition follows from grams through the whole ancestry, uncertainty included; the unknown is said."""

from __future__ import annotations

import random
from math import sqrt
from statistics import stdev

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from samples.ancestry import lineage
from samples.blending import Weighing, derive
from samples.composition import composition_of
from samples.genealogy import kin
from samples.models import Material, Project, Sample
from samples.services import derive_factors
from samples.stoichiometry import element_mass_fractions
from tests.samples.families import chain_of, grow, lot, stacked_diamonds

P, G = ("material", 1), ("material", 2)


def is_perovskite(leaf: tuple[str, int]) -> float:
    return float(leaf == P)


def made(number: int) -> tuple[str, int]:
    return ("made", number)


@pytest.fixture
def lots(project: Project, cspbi3: Material, zif_glass: Material) -> tuple[Sample, Sample]:
    return lot(project, "LOT-P", cspbi3), lot(project, "LOT-G", zif_glass)


# The numbers


def test_a_simple_blend_has_the_textbook_uncertainty() -> None:
    m1, m2, s1, s2 = 0.05, 0.15, 1e-5, 2e-5
    value, sigma = derive({made(0): [Weighing(P, m1, s1), Weighing(G, m2, s2)]}, made(0)).share(is_perovskite)
    assert value == pytest.approx(0.25, abs=1e-15)
    assert sigma == pytest.approx(sqrt((m2 * s1) ** 2 + (m1 * s2) ** 2) / (m1 + m2) ** 2, rel=1e-12)


def test_a_split_that_is_mixed_again_is_no_more_certain_than_before() -> None:
    """Both halves carry the same weighing error: averaging them as independent would give σ/√2."""
    once = {made(0): [Weighing(P, 1.0, 0.01), Weighing(G, 1.0, 0.01)]}
    twice = once | {made(1): [Weighing(made(0), 1.0, 0.1), Weighing(made(0), 1.0, 0.1)]}
    assert derive(twice, made(1)).share(is_perovskite) == pytest.approx(
        derive(once, made(0)).share(is_perovskite), rel=1e-12
    )


def test_the_uncertainty_agrees_with_ten_thousand_repeated_weighings() -> None:
    blends = {
        made(0): [Weighing(P, 1.0, 0.01), Weighing(G, 2.0, 0.02)],
        made(1): [Weighing(made(0), 1.5, 0.02), Weighing(G, 0.5, 0.01)],
        made(2): [Weighing(made(0), 0.7, 0.01), Weighing(P, 0.2, 0.01)],
        made(3): [Weighing(made(1), 1.0, 0.03), Weighing(made(2), 0.5, 0.02), Weighing(made(0), 0.3, 0.01)],
    }
    dice = random.Random(1)

    def once() -> float:
        weighed = {
            key: [Weighing(w.source, dice.gauss(w.mass_g or 0, w.sigma_g or 0), 0.0) for w in parts]
            for key, parts in blends.items()
        }
        return derive(weighed, made(3)).share(is_perovskite)[0]

    _, sigma = derive(blends, made(3)).share(is_perovskite)
    assert sigma == pytest.approx(stdev(once() for _ in range(10_000)), rel=0.03)


def test_a_weighing_without_sigma_leaves_the_sigma_unknown() -> None:
    blends = {made(0): [Weighing(P, 1.0, None), Weighing(G, 1.0, 0.1)]}
    assert derive(blends, made(0)).share(is_perovskite) == (0.5, None)


def test_a_weighing_without_sigma_does_not_matter_between_equals() -> None:
    blends = {made(0): [Weighing(P, 1.0, None), Weighing(P, 1.0, None)]}
    assert derive(blends, made(0)).share(is_perovskite) == (1.0, 0.0)


def test_shares_of_all_leaves_add_up_to_one() -> None:
    blends = {
        made(0): [Weighing(P, 1.0), Weighing(("sample", 9), 2.0)],
        made(1): [Weighing(made(0), 1.0), Weighing(G, 3.0), Weighing(made(2))],
        made(3): [Weighing(made(0), 2.0), Weighing(made(1), 5.0)],
    }
    leaves = derive(blends, made(3)).leaves
    assert set(leaves) == {P, ("sample", 9), made(1)}  # a mass of made(1) is not known
    assert sum(leaves.values()) == pytest.approx(1, abs=1e-15)


# The laboratory


def test_a_composite_holds_what_was_weighed_by_mass_and_by_element(
    project: Project, lots: tuple[Sample, Sample]
) -> None:
    family = grow(project, {"MIX": [("LOT-P", 0.0500, 1e-5), ("LOT-G", 0.1501, 1e-5)]})
    family |= grow(project, {"FIRED": [("MIX", 0.2, None)]})
    sample = family["FIRED"]
    sample.notation = "(CsPbI3)0.25(agZIF-62)0.75"
    found = composition_of(sample)
    x = 0.05 / 0.2001
    assert [share.name for share in found.materials] == ["agZIF-62", "CsPbI3"]
    assert found.loading is not None
    assert found.loading.fraction == pytest.approx(x, abs=1e-12)
    assert found.loading.sigma == pytest.approx(1e-5 * sqrt(0.15**2 + 0.05**2) / 0.2**2, rel=2e-3)
    assert found.loading.nominal == 0.25
    assert not found.loading.deviates
    elements = {share.name: share for share in found.elements}
    assert elements["Pb"].fraction == pytest.approx(x * element_mass_fractions("CsPbI3")["Pb"], rel=1e-12)
    assert sum(share.fraction for share in found.elements) == pytest.approx(1, abs=1e-12)


def test_a_quarter_of_cspbi3_holds_71_9_mg_of_lead_a_gram(
    project: Project, lots: tuple[Sample, Sample]
) -> None:
    family = grow(project, {"MIX": [("LOT-P", 0.1, 1e-5), ("LOT-G", 0.3, 1e-5)]})
    lead = next(share for share in composition_of(family["MIX"]).elements if share.name == "Pb")
    assert round(1000 * lead.fraction, 1) == 71.9


def test_half_a_percent_is_tolerated_and_more_is_not(project: Project, lots: tuple[Sample, Sample]) -> None:
    family = grow(
        project,
        {
            "GOOD": [("LOT-P", 25.4, None), ("LOT-G", 74.6, None)],
            "BAD": [("LOT-P", 25.6, None), ("LOT-G", 74.4, None)],
        },
    )
    for code, deviates in (("GOOD", False), ("BAD", True)):
        family[code].notation = "(CsPbI3)(agZIF-62)(25/75)"
        loading = composition_of(family[code]).loading
        assert loading is not None
        assert loading.deviates is deviates


def test_a_mass_that_was_not_recorded_leaves_the_composition_unknown(
    project: Project, lots: tuple[Sample, Sample]
) -> None:
    family = grow(project, {"MIX": [("LOT-P", None, None), ("LOT-G", 0.3, None)]})
    found = composition_of(family["MIX"])
    assert (found.is_known, found.materials, found.elements, found.loading) == (False, (), (), None)


def test_an_unknown_parent_is_an_unknown_share(project: Project, lots: tuple[Sample, Sample]) -> None:
    mystery = lot(project, "MYSTERY")
    family = grow(project, {"MIX": [("LOT-P", 0.1, None), ("MYSTERY", 0.3, None)]})
    found = composition_of(family["MIX"])
    assert not found.is_known
    [(key, part)] = found.unknown
    assert key == ("sample", mystery.pk)
    assert part == pytest.approx(0.75, abs=1e-12)
    assert found.elements == ()


def test_a_formula_that_states_no_amounts_gives_no_elements(project: Project) -> None:
    mixed = Material.objects.create(
        project=project, name="halides", kind="perovskite", formula="CsPb(Cl,Br)3"
    )
    found = composition_of(lot(project, "LOT", mixed))
    assert found.elements == ()
    assert found.without_formula == ("halides",)
    assert found.is_known


# Ten thousand


@pytest.mark.parametrize("many", [1_000, pytest.param(10_000, marks=pytest.mark.full)])
def test_ten_thousand_ancestors_take_the_queries_of_two(
    project: Project, lots: tuple[Sample, Sample], many: int
) -> None:
    family, last = chain_of(project, "LOT-P", many, "LOT-G"), f"C{many - 1:05}"
    left_of_the_perovskite = 0.9 ** (many // 100)
    counts = []
    for code in ("C00001", last):
        with CaptureQueriesContext(connection) as queries:
            found = composition_of(family[code])
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4
    assert found.loading is not None
    assert found.loading.fraction == pytest.approx(left_of_the_perovskite, abs=1e-12)
    with CaptureQueriesContext(connection) as queries:
        derive_factors([family[last]])
    assert len(queries) < 25
    family[last].refresh_from_db()
    assert family[last].factors.loading_mass_fraction == pytest.approx(left_of_the_perovskite, abs=1e-9)
    near = kin(family[last].pk, 50)
    assert len(near.generation) == 51
    assert near.more_ancestors == many + 1 - 50
    assert len(lineage(family[last]).ancestors) <= 200


def test_forty_stacked_diamonds_are_walked_by_their_edges(
    project: Project, lots: tuple[Sample, Sample]
) -> None:
    grow(project, {"MIX": [("LOT-P", 1.0, 0.01), ("LOT-G", 3.0, 0.01)]})
    family = stacked_diamonds(project, "MIX", 40)
    with CaptureQueriesContext(connection) as queries:
        found = composition_of(family["JOINED039"])
    assert len(queries) <= 4
    assert found.loading is not None
    assert found.loading.fraction == pytest.approx(0.25, abs=1e-12)
    assert found.loading.sigma == pytest.approx(composition_of(family["MIX"]).loading.sigma, rel=1e-9)  # type: ignore[union-attr]
    assert lineage(family["JOINED039"]).more_ancestors == 0
