"""Which files a project can be had as, for the export menus."""

from __future__ import annotations

from django import template

from samples.exchange.formats import FORMATS

register = template.Library()


@register.simple_tag
def export_formats() -> list[tuple[str, str]]:
    return [(how.key, how.label) for how in FORMATS.values()]
