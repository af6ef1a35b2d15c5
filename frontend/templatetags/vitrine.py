"""How templates write numbers, names, times and marks: thin covers over `frontend.formatting`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from analysis import properties
from analysis.models import Value
from frontend import formatting
from frontend.drawings.sparkline import sparkline as drawn
from measurements.models import Dataset
from samples import notation as notations

register = template.Library()


@register.filter
def number(value: float | None, digits: int = 6) -> str:
    return formatting.number(value, digits)


@register.filter
def exact(value: float | None) -> str:
    """Every digit that is stored."""
    return "" if value is None else repr(value).replace("-", formatting.MINUS)


@register.filter
def mass(mass_g: float | None) -> str:
    return formatting.mass(mass_g)


@register.filter
def percent(fraction: float | None, digits: int = 4) -> str:
    return formatting.percent(fraction, digits)


@register.filter
def duration(minutes: float | None) -> str:
    return formatting.duration_min(minutes)


@register.filter
def span(elapsed: timedelta) -> str:
    return formatting.duration_min(elapsed.total_seconds() / 60)


@register.filter
def with_unit(value: float | None, unit: str) -> str:
    return formatting.with_unit(value, unit)


@register.filter
def unit(text: str) -> str:
    return formatting.unit_text(text)


@register.filter
def titled(name: str, unit: str) -> str:
    """`Wavelength (nm)`; a pure number has no unit, and counts are not counted in counts."""
    title, written = formatting.sentence_case(name), formatting.unit_text(unit)
    return f"{title} ({written})" if written and written.lower() != title.lower() else title


@register.filter
def words(key: str) -> str:
    """`off_beam` → `off beam`"""
    return key.replace("_", " ")


@register.filter
def size(size_bytes: int) -> str:
    return formatting.size(size_bytes)


@register.filter
def notation(text: str) -> SafeString:
    """With real subscripts; `samples.notation` escapes what it does not understand."""
    return mark_safe(notations.to_html(text))  # noqa: S308


@register.filter
def formula(text: str) -> SafeString:
    return mark_safe(notations.formula_html(text))  # noqa: S308


@register.filter
def plain_notation(text: str) -> str:
    return notations.to_unicode(text)


@register.simple_tag
def value(row: Value) -> SafeString:
    """`682.83 ± 0.14 nm`, or the source's own words where it gives no number."""
    if row.value is None:
        return format_html('<span class="value">{}</span>', row.text)
    declared = properties.all().get(row.property)
    return written(
        formatting.quantity(
            row.value,
            row.sigma,
            row.unit,
            upper=row.upper,
            comparator=row.comparator,
            as_percent=bool(declared and declared.as_percent),
        )
    )


@register.simple_tag
def written(quantity: formatting.Written) -> SafeString:
    """A quantity with sigma and unit in the second ink."""
    sign = f"{quantity.comparator}{formatting.NARROW}" if quantity.comparator else ""
    left, right = ("(", ")") if quantity.power and quantity.sigma else ("", "")
    sigma = format_html('<span class="sigma"> ± {}</span>', quantity.sigma) if quantity.sigma else ""
    power = f"{formatting.NARROW}×{formatting.NARROW}{quantity.power}" if quantity.power else ""
    unit = (
        format_html('<span class="unit">{}{}</span>', formatting.NARROW, quantity.unit)
        if quantity.unit
        else ""
    )
    return format_html(
        '<span class="value">{}{}{}{}{}{}{}</span>', sign, left, quantity.value, sigma, right, power, unit
    )


@register.simple_tag
def origin(key: str) -> SafeString:
    """The mark of an origin, with its word for those who do not see it."""
    words = formatting.ORIGIN_WORDS.get(key, key)
    return format_html(
        '<span class="origin {}" title="{}" aria-hidden="true">{}</span><span class="unseen">{}</span>',
        key,
        words,
        formatting.MARKS.get(key, "?"),
        words,
    )


@register.simple_tag
def doubt(sentence: str) -> SafeString:
    """A mark with its word beside a value that is in doubt, the reason on hover and for a screen reader."""
    if not sentence:
        return SafeString("")
    return format_html(
        '<span class="badge caution" title="{}">in doubt<span class="unseen">: {}</span></span>',
        sentence,
        sentence,
    )


@register.simple_tag
def disputed(row: Value) -> SafeString:
    """A mark that leads to each open conflict of a value; of rows from `frontend.values.with_conflicts`."""
    return format_html_join(
        "",
        ' <a class="badge caution" href="{}" title="Sources disagree: {}">conflict</a>',
        ((reverse("conflict", args=[each.pk]), each.title) for each in getattr(row, "open_conflicts", ())),
    )


@register.simple_tag
def when(moment: datetime | None, unknown: str = formatting.NOT_RECORDED) -> SafeString:
    """`2026-11-20 14:05` in the reader's zone, the zone on hover."""
    if moment is None:
        return format_html('<span class="unknown">{}</span>', unknown)
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        f"{timezone.get_current_timezone_name()}, UTC{local:%z}",
        f"{local:%Y-%m-%d %H:%M}",
    )


@register.simple_tag
def sparkline(dataset: Dataset, width: int = 104, height: int = 34) -> SafeString:
    """A dataset's preview as a small line, or nothing while there is none."""
    if not dataset.preview:
        return SafeString("")
    return mark_safe(drawn(bytes(dataset.preview), width, height))  # noqa: S308


@register.inclusion_tag("partials/field.html")
def field(bound: Any, unit: str = "") -> dict[str, Any]:
    """A form field with its label, unit, hint and what is wrong with it."""
    return {"field": bound, "unit": unit}
