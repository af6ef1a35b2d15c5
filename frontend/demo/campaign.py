"""The published campaign as plain data: campaign.toml, published.toml, conflicts.toml; series written out.

Pure: no Django. `load()` gives 129 samples, parents before children, with recipes, materials and values.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from samples import notation

HERE = Path(__file__).parent


@dataclass(frozen=True)
class RecipeData:
    """steps: as in the file, `kind` and the columns of that kind; their order is their place."""

    name: str
    source: str
    steps: tuple[Mapping[str, Any], ...]
    components: Mapping[str, float] = field(default_factory=dict)
    notes: str = ""


@dataclass(frozen=True)
class IngredientData:
    """From a sample or, where its lot is not known, of a material; grams or None."""

    sample: str = ""
    material: str = ""
    mass_g: float | None = None


@dataclass(frozen=True)
class SampleData:
    """evidence: explicit (named in the text), implied (a parent or family is), grid (completes the array)."""

    code: str
    notation: str
    state: str
    evidence: str
    where: tuple[str, ...]
    reported: tuple[str, ...]
    material: str = ""
    recipe: str = ""
    ingredients: tuple[IngredientData, ...] = ()


@dataclass(frozen=True)
class ValueData:
    """One published number or text, with its place in the publication."""

    sample: str
    property: str
    source: str
    place: str
    component: str = ""
    value: float | None = None
    sigma: float | None = None
    upper: float | None = None
    text: str = ""
    unit: str = "1"
    comparator: str = "="
    inferred: bool = False
    note: str = ""
    fact: str = ""


@dataclass(frozen=True)
class ConflictData:
    """Statements that cannot all be right. values: (sample, property, component) of published values."""

    code: str
    category: str
    title: str
    detail: str
    suggestion: str
    sources: tuple[str, ...]
    values: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Campaign:
    project: Mapping[str, str]
    publications: Mapping[str, Mapping[str, str]]
    materials: Mapping[str, Mapping[str, str]]
    recipes: Mapping[str, RecipeData]
    samples: tuple[SampleData, ...]
    values: tuple[ValueData, ...]
    conflicts: tuple[ConflictData, ...]

    def array(self) -> Iterator[tuple[SampleData, float, float]]:
        """The samples of the loading × sintering temperature array, with both."""
        for sample in self.samples:
            if sample.recipe.startswith("array/"):
                temperature_c = self.recipes[sample.recipe].steps[0]["segments"][0]["target_c"]
                yield sample, notation.parse(sample.notation).loading, float(temperature_c)

    def sintered(self, prefix: str) -> Iterator[tuple[SampleData, float, float]]:
        """Composites whose code begins so, with loading and sintering temperature."""
        for sample in self.samples:
            recipe = self.recipes.get(sample.recipe)
            steps = recipe.steps if recipe is not None else ()
            hot = next((step for step in steps if step["kind"] == "sintering"), None)
            if hot is not None and sample.code.startswith(prefix) and sample.state == "composite":
                yield sample, notation.parse(sample.notation).loading, float(hot["segments"][0]["target_c"])


@cache
def load() -> Campaign:
    table = tomllib.loads((HERE / "campaign.toml").read_text(encoding="utf-8"))
    published = tomllib.loads((HERE / "published.toml").read_text(encoding="utf-8"))
    known = tomllib.loads((HERE / "conflicts.toml").read_text(encoding="utf-8"))
    recipes = {key: _recipe(recipe) for key, recipe in table["recipes"].items()}
    samples = list(table["samples"])
    for series in table["series"]:
        for variables in _combinations(series):
            sample = _filled(series["sample"], variables)
            sample["evidence"] = _evidence(series, sample["code"])
            if "recipe" in series:
                recipe = _recipe(_filled(series["recipe"], variables))
                prefix = "array/" if {"loading", "temperature_c"} <= set(variables) else ""
                sample["recipe"] = prefix + recipe.name
                recipes[sample["recipe"]] = recipe
            samples.append(sample)
    return Campaign(
        project=table["project"],
        publications=table["publications"] | known["publications"],
        materials=table["materials"],
        recipes=recipes,
        samples=_parents_first([_sample(sample, table["reported"]) for sample in samples]),
        values=tuple(
            ValueData(source=group["source"], place=group["place"], **value)
            for group in published["published"]
            for value in group["values"]
        ),
        conflicts=tuple(_conflict(row) for row in known["conflicts"]),
    )


def _combinations(series: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    combine = zip if series.get("together") else product
    for values in combine(*series["over"].values()):
        variables = dict(zip(series["over"], values, strict=True))
        if loading := variables.get("loading"):
            rest = round(1 - loading, 9)
            percent, rest_percent = round(100 * loading, 9), round(100 * rest, 9)
            variables |= {"rest": rest, "percent": percent, "rest_percent": rest_percent}
            variables["permille"] = 1000 * loading
        yield variables


def _filled(template: Any, variables: Mapping[str, Any]) -> Any:
    """Any, because a template is whatever TOML holds: tables, lists, texts and numbers."""
    if isinstance(template, dict):
        return {_filled(key, variables): _filled(value, variables) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(item, variables) for item in template]
    if isinstance(template, str):
        alone = template.removeprefix("{").removesuffix("}")
        return variables[alone] if template == f"{{{alone}}}" else template.format(**variables)
    return template


def _evidence(series: Mapping[str, Any], code: str) -> str:
    named = (level for level in ("explicit", "implied") if code in series.get(level, ()))
    return next(named, series["evidence"])


def _conflict(row: Mapping[str, Any]) -> ConflictData:
    values = tuple((sample, key, *component, "")[:3] for sample, key, *component in row.get("values", ()))
    return ConflictData(**{**row, "sources": tuple(row["sources"]), "values": values})


def _recipe(table: Mapping[str, Any]) -> RecipeData:
    return RecipeData(**{**table, "steps": tuple(table["steps"])})


def _sample(table: Mapping[str, Any], reported: Mapping[str, list[str]]) -> SampleData:
    code, batch_g = table["code"], table.get("batch_g")
    return SampleData(
        code=code,
        notation=str(notation.parse(table["notation"])),
        state=table["state"],
        evidence=table["evidence"],
        where=tuple(table["where"]),
        reported=tuple(
            what for what, patterns in reported.items() if any(fnmatchcase(code, p) for p in patterns)
        ),
        material=table.get("material", ""),
        recipe=table.get("recipe", ""),
        ingredients=tuple(_ingredient(row, batch_g) for row in table.get("ingredients", ())),
    )


def _ingredient(row: Mapping[str, Any], batch_g: float | None) -> IngredientData:
    mass_g = row.get("mass_g")
    if batch_g is not None and "fraction" in row:
        mass_g = round(batch_g * row["fraction"], 9)
    return IngredientData(row.get("sample", ""), row.get("material", ""), mass_g)


def _parents_first(samples: list[SampleData]) -> tuple[SampleData, ...]:
    ordered: dict[str, SampleData] = {}
    waiting = samples
    while waiting:
        ready = [s for s in waiting if all(i.sample in ordered for i in s.ingredients if i.sample)]
        if not ready:
            raise ValueError(f"campaign.toml: {waiting[0].code} has a parent that is not in the file.")
        ordered |= {sample.code: sample for sample in ready}
        waiting = [sample for sample in waiting if sample.code not in ordered]
    return tuple(ordered.values())
