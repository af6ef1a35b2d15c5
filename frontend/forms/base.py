"""What the forms share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify


class Form(forms.Form):
    """Numbers of any precision, in fields that bring up a number pad."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            if isinstance(field, forms.FloatField):
                field.widget.attrs.update(step="any", inputmode="decimal")


def optional_number(label: str, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    return forms.FloatField(label=label, min_value=low, max_value=high, required=False, **more)


def with_an_address(name: str) -> str:
    """A project's name, which must leave something for its address."""
    if not slugify(name):
        raise forms.ValidationError("Use at least one letter or digit, so that the project has an address.")
    return name.strip()
