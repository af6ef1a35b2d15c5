"""The campaign's data as database rows, in few statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from analysis import properties
from analysis.models import Conflict, Publication, Value
from frontend.demo import forward
from frontend.demo.campaign import Campaign, ConflictData, SampleData, ValueData
from samples.models import (
    Component,
    FurnaceSegment,
    Ingredient,
    Material,
    Milling,
    OtherStep,
    Preparation,
    Project,
    Quench,
    Recipe,
    Sample,
    Sintering,
    User,
)
from samples.stoichiometry import FormulaError, molar_mass_g_per_mol

SIMULATION = "vitrine-demo-simulation"


def materials(project: Project, campaign: Campaign) -> dict[str, Material]:
    rows = [
        Material(
            project=project,
            name=name,
            molar_mass_g_per_mol=_molar_mass(material.get("formula", "")),
            **material,
        )
        for name, material in campaign.materials.items()
    ]
    return {row.name: row for row in Material.objects.bulk_create(rows)}


def _molar_mass(formula: str) -> float | None:
    try:
        return molar_mass_g_per_mol(formula)
    except FormulaError:
        return None  # CsPb(Cl,Br)3: the ratio is not stated


def recipes(
    project: Project, user: User, campaign: Campaign, materials: Mapping[str, Material]
) -> dict[str, Recipe]:
    rows = {
        key: Recipe(
            project=project,
            name=recipe.name,
            notes="\n".join(filter(None, [f"From {recipe.source}.", recipe.notes])),
            created_by=user,
        )
        for key, recipe in campaign.recipes.items()
    }
    Recipe.objects.bulk_create(rows.values())
    Component.objects.bulk_create(
        Component(recipe=rows[key], material=materials[name], mass_fraction=fraction)
        for key, recipe in campaign.recipes.items()
        for name, fraction in recipe.components.items()
    )
    _steps(
        (rows[key], order, step)
        for key, recipe in campaign.recipes.items()
        for order, step in enumerate(recipe.steps, start=1)
    )
    Recipe.objects.filter(project=project).update(frozen_at=timezone.now())
    return rows


STEPS: dict[str, type[Milling | Sintering | Quench]] = {
    "milling": Milling,
    "sintering": Sintering,
    "quench": Quench,
}


def _steps(planned: Iterable[tuple[Recipe, int, Mapping[str, Any]]]) -> None:
    """The programme as published, which is what was set. What ran is not known: nothing is performed."""
    rows: dict[type[Any], list[Any]] = {Milling: [], Sintering: [], Quench: [], OtherStep: []}
    segments: list[FurnaceSegment] = []
    for recipe, order, step in planned:
        columns = dict(step)
        kind = columns.pop("kind")
        model = STEPS.get(kind, OtherStep)
        programme = columns.pop("segments", [])
        if model is OtherStep:
            columns["kind"] = kind
        row = model(recipe=recipe, order=order, **columns)
        rows[model].append(row)
        segments += [
            FurnaceSegment(sintering=row, order=place, **segment)
            for place, segment in enumerate(programme, start=1)
        ]
    for model, of_kind in rows.items():
        model.objects.bulk_create(of_kind)
    FurnaceSegment.objects.bulk_create(segments)


def samples(
    project: Project,
    user: User,
    campaign: Campaign,
    materials: Mapping[str, Material],
    recipes: Mapping[str, Recipe],
) -> dict[str, Sample]:
    preparations = {
        sample.code: Preparation(project=project, recipe=recipes.get(sample.recipe))
        for sample in campaign.samples
        if sample.recipe or sample.ingredients
    }
    Preparation.objects.bulk_create(preparations.values())
    rows = Sample.objects.bulk_create(
        Sample(
            project=project,
            code=sample.code,
            notation=sample.notation,
            state=sample.state,
            material=materials.get(sample.material),
            preparation=preparations.get(sample.code),
            notes=_notes(sample),
            created_by=user,
        )
        for sample in campaign.samples
    )
    samples = {row.code: row for row in rows}
    Ingredient.objects.bulk_create(
        Ingredient(
            preparation=preparations[sample.code],
            sample=samples.get(ingredient.sample),
            material=materials.get(ingredient.material),
            mass_g=ingredient.mass_g,
        )
        for sample in campaign.samples
        for ingredient in sample.ingredients
    )
    return samples


def _notes(sample: SampleData) -> str:
    where = ", ".join(sample.where)
    evidence = {
        "explicit": f"Named in {where}.",
        "implied": f"Not named itself, but implied by {where}.",
        "grid": f"Completes the series of {where}; known there from figures only.",
    }[sample.evidence]
    return evidence + (f" Reported: {'; '.join(sample.reported)}." if sample.reported else "")


def sources(campaign: Campaign) -> dict[str, Publication]:
    for key, publication in campaign.publications.items():
        Publication.objects.get_or_create(key=key, defaults=publication)
    model = " ".join((forward.__doc__ or "").split())
    Publication.objects.update_or_create(
        key=SIMULATION,
        defaults={"title": f"Simulation of Vitrine's demo, version {forward.VERSION}. {model}"},
    )
    return {row.key: row for row in Publication.objects.filter(key__in=[*campaign.publications, SIMULATION])}


def published(
    campaign: Campaign, samples: Mapping[str, Sample], sources: Mapping[str, Publication]
) -> list[Value]:
    return [_published(value, samples, sources) for value in campaign.values]


def _published(value: ValueData, samples: Mapping[str, Sample], sources: Mapping[str, Publication]) -> Value:
    declared = properties.get(value.property)
    if value.unit != declared.unit or value.component not in (declared.components or ("",)):
        raise ValueError(f"published.toml: {value} does not fit the property “{value.property}”.")
    return Value(
        sample=samples[value.sample],
        property=value.property,
        component=value.component,
        value=value.value,
        sigma=value.sigma,
        upper=value.upper,
        text=value.text,
        unit=value.unit,
        comparator=value.comparator,
        inferred=value.inferred,
        origin=Value.Origin.PUBLISHED,
        publication=sources[value.source],
        place=f"{value.place} ({value.fact})" if value.fact else value.place,
        note=value.note,
    )


def simulated_plqy(
    campaign: Campaign, samples: Mapping[str, Sample], sources: Mapping[str, Publication]
) -> list[Value]:
    """The quantum yields of the array that the publications show in figures only."""
    stated = {value.sample for value in campaign.values if value.property == "plqy"}
    rows = []
    for sample, loading, temperature_c in campaign.array():
        if sample.code not in stated:
            yield_, sigma = forward.plqy(loading, temperature_c)
            rows.append(
                Value(
                    sample=samples[sample.code],
                    property="plqy",
                    value=yield_,
                    sigma=sigma,
                    unit="1",
                    origin=Value.Origin.SIMULATED,
                    publication=sources[SIMULATION],
                    place=f"forward model {forward.VERSION}, seed {forward.SEED}",
                )
            )
    return rows


def conflicts(project: Project, campaign: Campaign, sources: Mapping[str, Publication]) -> None:
    """What is missing of the known contradictions. What people decided on the others stays."""
    known = set(Conflict.objects.filter(project=project).values_list("code", flat=True))
    for conflict in campaign.conflicts:
        if conflict.code not in known:
            _conflict(project, conflict, sources)


def _conflict(project: Project, conflict: ConflictData, sources: Mapping[str, Publication]) -> None:
    row = Conflict.objects.create(
        project=project,
        code=conflict.code,
        category=conflict.category,
        title=conflict.title,
        detail=conflict.detail,
        suggestion=conflict.suggestion,
    )
    row.publications.set([sources[key] for key in conflict.sources])
    for sample, key, component in conflict.values:
        row.values.add(
            *Value.objects.filter(
                sample__project=project,
                sample__code=sample,
                property=key,
                component=component,
                origin=Value.Origin.PUBLISHED,
            )
        )
