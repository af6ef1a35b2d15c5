"""A value entered by hand: marked as such for ever, with the person and the reason."""

from __future__ import annotations

from typing import Any

from django import forms

from analysis import properties
from analysis.models import Value
from frontend.formatting import unit_text
from frontend.forms.base import Form, optional_number


def subjects() -> list[tuple[str, str]]:
    """`key` or `key:component` → label with its unit, as people read it."""
    found = []
    for key, declared in properties.all().items():
        unit = "%" if declared.as_percent else unit_text(declared.unit)
        shown_unit = f" ({unit})" if unit else ""
        for component in declared.components or ("",):
            name = f"{declared.label} {component}".rstrip()
            found.append((f"{key}:{component}", f"{name}{shown_unit}"))
    return sorted(found, key=lambda choice: choice[1].lower())


class ValueForm(Form):
    subject = forms.ChoiceField(label="What", choices=subjects)
    comparator = forms.ChoiceField(label="Is", choices=Value.Comparator.choices)
    value = forms.FloatField(label="Value")
    sigma = optional_number("± one sigma", 0, help_text="Empty when not known.")
    reason = forms.CharField(
        label="Where it comes from", max_length=500, help_text="It stands beside the value for ever."
    )

    def answer(self) -> dict[str, Any]:
        """What `analysis.services.enter_value` takes; percent become the fractions that are stored."""
        cleaned = self.cleaned_data
        key, _, component = cleaned["subject"].partition(":")
        declared = properties.get(key)
        scale = 100 if declared.as_percent else 1
        return {
            "property_key": key,
            "component": component,
            "value": cleaned["value"] / scale,
            "sigma": None if cleaned["sigma"] is None else cleaned["sigma"] / scale,
            "unit": declared.unit,
            "comparator": cleaned["comparator"],
            "reason": cleaned["reason"],
        }
