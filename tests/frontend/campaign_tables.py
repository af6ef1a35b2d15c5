"""The published campaign as import tables: what a person would type into the template."""

from __future__ import annotations

from typing import Any

from frontend.demo.campaign import Campaign, RecipeData, load

Rows = list[dict[str, Any]]


def tables(campaign: Campaign | None = None) -> dict[str, Rows]:
    campaign = campaign or load()
    recipes = campaign.recipes
    steps, segments = _programmes(recipes.values())
    return {
        "materials": [{"name": name, **material} for name, material in campaign.materials.items()],
        "recipes": [
            {"name": recipe.name, "version": 1, "notes": f"From {recipe.source}.\n{recipe.notes}".strip()}
            for recipe in recipes.values()
        ],
        "components": [
            {"recipe": recipe.name, "material": material, "mass_fraction": fraction}
            for recipe in recipes.values()
            for material, fraction in recipe.components.items()
        ],
        "steps": steps,
        "segments": segments,
        "preparations": [
            {
                "preparation": f"making {sample.code}",
                "recipe": recipes[sample.recipe].name if sample.recipe else None,
            }
            for sample in campaign.samples
            if sample.recipe or sample.ingredients
        ],
        "samples": [
            {
                "code": sample.code,
                "notation": sample.notation,
                "state": sample.state,
                "material": sample.material or None,
                "preparation": f"making {sample.code}" if sample.recipe or sample.ingredients else None,
                "notes": f"{sample.evidence}: {', '.join(sample.where)}",
            }
            for sample in campaign.samples
        ],
        "ingredients": [
            {
                "preparation": f"making {sample.code}",
                "sample": ingredient.sample or None,
                "material": ingredient.material or None,
                "mass_g": ingredient.mass_g,
            }
            for sample in campaign.samples
            for ingredient in sample.ingredients
        ],
        "publications": [{"key": key, **source} for key, source in campaign.publications.items()],
        "values": [
            {
                "sample": value.sample,
                "property": value.property,
                "component": value.component,
                "value": value.value,
                "sigma": value.sigma,
                "upper": value.upper,
                "text": value.text,
                "unit": value.unit,
                "comparator": value.comparator,
                "inferred": value.inferred,
                "origin": "published",
                "publication": value.source,
                "place": value.place,
                "note": value.note,
            }
            for value in campaign.values
        ],
    }


def _programmes(recipes: Any) -> tuple[Rows, Rows]:
    steps: Rows = []
    segments: Rows = []
    for recipe in recipes:
        assert isinstance(recipe, RecipeData)
        for order, step in enumerate(recipe.steps, start=1):
            columns = dict(step)
            programme = columns.pop("segments", [])
            columns["inferred"] = columns.get("inferred", [])
            steps.append({"recipe": recipe.name, "order": order, **columns})
            segments += [
                {"recipe": recipe.name, "step": order, "order": place, **segment}
                for place, segment in enumerate(programme, start=1)
            ]
    return steps, segments
