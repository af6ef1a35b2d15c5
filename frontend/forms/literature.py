"""A value that a publication states, and what people say about sources that disagree."""

from __future__ import annotations

from typing import Any

from django import forms

from analysis import properties
from analysis.models import Conflict, Publication, Value
from frontend.forms.base import Form, optional_number
from frontend.forms.values import subjects


class PublishedValueForm(Form):
    """Fractions are typed in per cent, as people read them."""

    subject = forms.ChoiceField(label="What", choices=subjects)
    comparator = forms.ChoiceField(label="Is", choices=Value.Comparator.choices)
    value = optional_number("Value", None)
    sigma = optional_number("± one sigma", 0, help_text="Empty when the source gives none.")
    upper = optional_number("to", None, help_text="The upper end, when it states a range.")
    text = forms.CharField(
        label="In words", max_length=500, required=False, help_text="What it says where it gives no number."
    )
    publication = forms.ChoiceField(label="Publication", required=False)
    key = forms.CharField(label="Short name", max_length=60, required=False, help_text="Such as Li2023.")
    doi = forms.CharField(label="DOI", max_length=200, required=False)
    title = forms.CharField(label="Title", max_length=1000, required=False)
    journal = forms.CharField(label="Journal, volume, year", max_length=200, required=False)
    place = forms.CharField(label="Where in it", max_length=200, help_text="Page, figure or table.")
    inferred = forms.BooleanField(
        label="I concluded it; the source does not say so in these words", required=False
    )
    doubtful = forms.BooleanField(label="The transcription is in doubt (OCR, blurred print)", required=False)
    note = forms.CharField(label="Remark", max_length=500, required=False)

    def __init__(self, *args: Any, known: list[Publication], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["publication"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "another one: name it below")] + [
            (each.key, f"{each.key}: {each.title[:70]}") for each in known
        ]

    def source(self) -> dict[str, str]:
        """What `find_or_add_publication` takes."""
        cleaned = self.cleaned_data
        if cleaned["publication"]:
            return {"key": cleaned["publication"]}
        return {name: cleaned[name] for name in ("key", "doi", "title", "journal")}

    def answer(self) -> dict[str, Any]:
        """What `enter_published` takes; percent become the fractions that are stored."""
        cleaned = self.cleaned_data
        key, _, component = cleaned["subject"].partition(":")
        scale = 100 if properties.get(key).as_percent else 1
        numbers = {
            name: None if cleaned[name] is None else cleaned[name] / scale
            for name in ("value", "sigma", "upper")
        }
        said = {
            name: cleaned[name] for name in ("comparator", "text", "place", "inferred", "doubtful", "note")
        }
        return {"property_key": key, "component": component, **numbers, **said}


class ConflictForm(Form):
    title = forms.CharField(label="What it is about", max_length=300)
    category = forms.ChoiceField(label="Kind", choices=Conflict.Category.choices)
    detail = forms.CharField(
        label="What each source says",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    suggestion = forms.CharField(
        label="Best reading until somebody decides",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    values = forms.CharField(
        label="Values",
        required=False,
        help_text="Their numbers, as in the address of a value’s page: 12, 15.",
    )

    def clean_values(self) -> list[int]:
        words = self.cleaned_data["values"].replace(",", " ").split()
        if not all(word.isascii() and word.isdecimal() and len(word) < 16 for word in words):
            raise forms.ValidationError("Write the numbers of values with commas between them.")
        return [int(word) for word in words]
