"""What stands on the label of a sample."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from django.http import HttpResponse

from samples.labels import ROLLS, SHEETS, Label, LabelError, labels_as_zpl, sheets_as_pdf
from samples.models import Component, Ingredient, Sample, User

Kind = TypeVar("Kind")
LEAD = re.compile(r"Pb(?![a-z])")
HOLDS_LEAD = "Contains lead (Pb)"


def labels_of(samples: Iterable[Sample], address_of: Callable[[str], str]) -> list[Label]:
    """A label per sample, in their order. `address_of` gives the address that a code leads to."""
    wanted = list(samples)
    with_lead = _preparations_with_lead(wanted)
    return [
        Label(
            code=sample.code,
            notation=sample.notation or sample.name,
            project=sample.project.name,
            date=f"{sample.made_at:%Y-%m-%d}" if sample.made_at else "",
            hazard=HOLDS_LEAD if _names_lead(sample) or sample.preparation_id in with_lead else "",
            address=address_of(sample.code),
        )
        for sample in wanted
    ]


def _names_lead(sample: Sample) -> bool:
    material = sample.material
    named = [sample.notation, sample.name, *([material.formula, material.name] if material else [])]
    return any(LEAD.search(text) for text in named)


def _preparations_with_lead(samples: list[Sample]) -> set[int]:
    """Preparations whose recipe or ingredients name lead, for samples whose own name does not say it."""
    made_by = {sample.preparation_id for sample in samples} - {None}
    planned = Component.objects.filter(recipe__preparations__in=made_by, material__formula__contains="Pb")
    taken = Ingredient.objects.filter(preparation__in=made_by)
    rows = [
        *planned.values_list("recipe__preparations", "material__formula"),
        *taken.values_list("preparation", "material__formula"),
        *taken.values_list("preparation", "sample__material__formula"),
        *taken.values_list("preparation", "sample__notation"),
    ]
    return {pk for pk, text in rows if text and LEAD.search(text)}


def samples_of_design(design: int, user: User) -> list[Sample]:
    """In the order of making, without what was withdrawn."""
    seen = Sample.objects.visible_to(user).kept().filter(preparation__design=design)
    return list(seen.select_related("project", "material").order_by("preparation__run_order", "code"))


def label_file(
    samples: Sequence[Sample],
    address_of: Callable[[str], str],
    *,
    kind: str,
    sheet: str = "",
    start: str = "",
    roll: str = "",
) -> HttpResponse:
    """Labels as PDF or ZPL for a browser. Raises LabelError with a sentence."""
    labels = labels_of(samples, address_of)
    if kind == "zpl":
        text = labels_as_zpl(labels, _chosen(ROLLS, roll, "roll"))
        return _attachment(text.encode(), "text/plain; charset=utf-8", "labels.zpl")
    if kind != "pdf":
        raise LabelError("Labels come as pdf or zpl.")
    chosen = _chosen(SHEETS, sheet, "sheet")
    if start and not (start.isascii() and start.isdecimal() and len(start) < 6):
        raise LabelError(f"The first unused place is a number from 1 to {chosen.per_page}.")
    pdf = sheets_as_pdf(labels, chosen, int(start or 1))
    return _attachment(pdf, "application/pdf", "labels.pdf")


def _chosen(known: Mapping[str, Kind], key: str, word: str) -> Kind:
    if not key:
        return next(iter(known.values()))
    if key not in known:
        raise LabelError(f"There is no {word} “{key[:20]}” here; choose one of {', '.join(known)}.")
    return known[key]


def _attachment(content: bytes, media_type: str, filename: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer
