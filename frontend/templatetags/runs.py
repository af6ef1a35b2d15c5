"""How pages write what runs say."""

from __future__ import annotations

from django import template

from frontend import formatting

register = template.Library()


@register.filter
def seconds(duration_s: float | None) -> str:
    """`12 ms`, `1.4 s`"""
    if duration_s is None:
        return ""
    if duration_s < 1:
        return formatting.with_unit(float(f"{duration_s * 1000:.2g}"), "ms")
    return formatting.with_unit(float(f"{duration_s:.3g}"), "s")
