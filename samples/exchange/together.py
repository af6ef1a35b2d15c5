"""What only the file as a whole can break: codes, fractions, circles, balances, slots."""

from __future__ import annotations

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from typing import Any

from samples.exchange.linking import BATCH
from samples.exchange.parsing import Problem, Row
from samples.models import Location, Sample
from samples.stoichiometry import FRACTION_SUM_TOLERANCE

NANOGRAM_G = 1e-9


def taken_codes(rows: list[Row]) -> list[Problem]:
    """Codes are printed on labels, so one belongs to one thing in the whole house."""
    by_code: dict[str, Row] = {row.values["code"]: row for row in rows if row.values.get("code")}
    codes, problems = sorted(by_code), []
    for start in range(0, len(codes), BATCH):
        taken = Sample.objects.filter(code__in=codes[start : start + BATCH]).values_list("code", flat=True)
        problems += [
            by_code[code].problem(f"The code {code} is taken; choose another.", "code") for code in taken
        ]
    return problems


def fractions(rows: list[Row]) -> list[Problem]:
    """The components of a recipe are all of it."""
    of_recipe: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.sound and "recipe" in row.links:
            of_recipe[id(row.links["recipe"])].append(row)
    problems = []
    for together in of_recipe.values():
        recipe = together[0].links["recipe"]
        if recipe.pk is not None:
            problems.append(
                together[0].problem(f"{recipe} is there already; its components stay as they are.", "recipe")
            )
            continue
        total = sum(row.values["mass_fraction"] for row in together)
        if not abs(total - 1) <= FRACTION_SUM_TOLERANCE:
            problems.append(
                together[-1].problem(
                    f"The mass fractions of “{recipe.name}” add up to {total:.4g}; they must add up to 1.",
                    "mass_fraction",
                )
            )
    return problems


def circles(rows: dict[str, list[Row]]) -> list[Problem]:
    """Nothing is made from itself, however far back. What is stored already came before the file."""
    parents: dict[Any, set[Any]] = defaultdict(set)
    for row in rows["ingredients"]:
        if row.made is not None and isinstance(row.links.get("sample"), Sample):
            parents[id(row.links.get("preparation"))].add(row.links["sample"].code)
    made = {row.values["code"]: row for row in rows["samples"] if row.made is not None}
    graph = {code: parents[id(row.links.get("preparation"))] for code, row in made.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = [code for code in error.args[1] if code in made]
        said = " ← ".join(circle[:6])
        return [
            made[circle[0]].problem(
                f"It is made from itself: {said}. Correct its ingredients.", "preparation", "code"
            )
        ]
    return []


def overdrawn(rows: dict[str, list[Row]]) -> list[Problem]:
    """No more is weighed out of a sample of the file than there was of it."""
    taken_g: dict[int, float] = defaultdict(float)
    for row in rows["ingredients"]:
        if row.made is not None and "sample" in row.links:
            taken_g[id(row.links["sample"])] += row.values.get("mass_g") or 0.0
    recounted = set()
    for row in rows["stock"]:
        if row.made is not None and row.values.get("kind") == "recount":
            recounted.add(id(row.links["sample"]))
        elif row.made is not None:
            taken_g[id(row.links["sample"])] += row.values.get("mass_g") or 0.0
    problems = []
    for row in rows["samples"]:
        sample = row.made
        if not row.sound or not isinstance(sample, Sample) or sample.amount_g is None:
            continue
        if id(sample) in recounted:
            continue
        left_g = round(sample.amount_g - taken_g[id(sample)], 9)
        if left_g < -NANOGRAM_G:
            problems.append(
                row.problem(
                    f"{taken_g[id(sample)]:g} g are taken from {sample.code}, of which there were "
                    f"{sample.amount_g:g} g; correct one of them.",
                    "amount_g",
                )
            )
        elif sample.mass_left_g is not None and sample.mass_left_g > sample.amount_g + NANOGRAM_G:
            problems.append(row.problem("More is left than there ever was; correct one.", "mass_left_g"))
        elif "mass_left_g" not in row.places:
            sample.mass_left_g = max(left_g, 0.0)
    return problems


def slots(rows: list[Row]) -> list[Problem]:
    """One thing a slot."""
    problems: list[Problem] = []
    holds: dict[int, str] = {}
    stored = [row.links["place"].pk for row in rows if "place" in row.links and row.links["place"].pk]
    full = dict(Sample.objects.filter(place__in=stored, place_is_slot=True).values_list("place_id", "code"))
    for row in rows:
        place = row.links.get("place")
        if row.made is None or place is None or place.kind != Location.Kind.SLOT:
            continue
        if place.pk in full:
            problems.append(row.problem(f"{place.path} holds something already; choose another.", "place"))
        elif id(place) in holds:
            problems.append(
                row.problem(f"{place.path} holds {holds[id(place)]} too; choose another.", "place")
            )
        holds.setdefault(id(place), row.values["code"])
    return problems
