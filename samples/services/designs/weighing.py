"""The weighing table of a design: in the order of making, what to weigh for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.text import slugify

from samples.models import Design, Ingredient, Quench, Sample, User
from samples.weighing_table import as_csv, as_pdf


@dataclass(frozen=True)
class WeighingRow:
    """`masses_g` by material; the columns of the table are the materials of all rows."""

    run_order: int | None
    block: int | None
    code: str
    notation: str
    masses_g: dict[str, float | None]
    milling_min: float | None
    temperature_c: float | None
    quench: str


def weighing_rows(design: Design, user: User) -> tuple[list[str], list[WeighingRow]]:
    """(materials, rows) of the samples that `user` sees and that were not withdrawn."""
    samples = (
        Sample.objects.visible_to(user)
        .kept()
        .filter(preparation__design=design)
        .select_related("factors", "preparation")
        .order_by("preparation__run_order", "code")
    )
    rows = list(samples)
    planned = _planned(rows)
    materials = sorted({name for masses in planned.values() for name in masses})
    media = dict(Quench.Medium.choices)
    found = []
    for sample in rows:
        factors, preparation = getattr(sample, "factors", None), sample.preparation
        assert preparation is not None
        found.append(
            WeighingRow(
                run_order=preparation.run_order,
                block=preparation.block,
                code=sample.code,
                notation=sample.notation,
                masses_g=planned.get(preparation.pk, {}),
                milling_min=factors.milling_duration_min if factors else None,
                temperature_c=factors.sintering_temperature_c if factors else None,
                quench=media.get(factors.quench_medium, factors.quench_medium) if factors else "",
            )
        )
    return materials, found


def _planned(samples: Sequence[Sample]) -> dict[int, dict[str, float | None]]:
    """Preparation → material → grams to weigh."""
    planned: dict[int, dict[str, float | None]] = {}
    ingredients = Ingredient.objects.filter(preparation__in=[sample.preparation_id for sample in samples])
    for row in ingredients.select_related("material", "sample__material"):
        material = row.material or (row.sample.material if row.sample else None)
        name = material.name if material else row.sample.code
        planned.setdefault(row.preparation_id, {})[name] = row.planned_mass_g
    return planned


def weighing_file(design: Design, user: User, kind: str) -> HttpResponse:
    """The table as "csv" or "pdf"; on paper with room for the masses as weighed."""
    materials, rows = weighing_rows(design, user)
    heading = ["Order", "Furnace run", "Code", "Composition", *(f"{name} (mg)" for name in materials)]
    weighed = [f"{name} weighed (mg)" for name in materials]
    heading += [*weighed, "Mill (min)", "Sinter (°C)", "Quench"]
    cells = [
        [
            row.run_order,
            row.block,
            row.code,
            row.notation,
            *(_mg(row.masses_g.get(name)) for name in materials),
            *("" for _ in materials),
            _short(row.milling_min),
            _short(row.temperature_c),
            row.quench,
        ]
        for row in rows
    ]
    if kind == "csv":
        content, media_type = as_csv(heading, cells).encode(), "text/csv; charset=utf-8"
    else:
        under = f"{design.project.name}, order drawn with seed {design.seed}, {len(rows)} samples"
        content, media_type = (
            as_pdf(f"Weighing table: {design.name}", under, heading, cells),
            "application/pdf",
        )
    answer = HttpResponse(content, content_type=media_type)
    name = slugify(design.name) or f"design-{design.pk}"
    answer["Content-Disposition"] = f'attachment; filename="{name}-weighing.{kind}"'
    return answer


def _mg(mass_g: float | None) -> str:
    return "" if mass_g is None else f"{1000 * mass_g:.2f}"


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:g}"
