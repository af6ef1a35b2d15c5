"""Samples: filtering them, calling them made, and their materials."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from frontend.forms.base import Form, optional_number
from samples.models import Material, Project, Quench, Sample
from samples.models.limits import ABSOLUTE_ZERO_C


class SampleFilter(forms.Form):
    """The filters of the sample list, as they stand in its address. What cannot be read is left out."""

    MADE = [("", "Made or planned"), ("made", "Made"), ("planned", "Planned")]

    search = forms.CharField(required=False, max_length=200)
    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "Any state"), *Sample.State.choices]
    )
    halide = forms.ChoiceField(label="Halide", required=False, choices=[])
    quench = forms.ChoiceField(
        label="Quench", required=False, choices=[("", "Any quench"), *Quench.Medium.choices]
    )
    made = forms.ChoiceField(label="Made or planned", required=False, choices=MADE)
    void = forms.ChoiceField(label="Void", required=False, choices=[("", "Not void"), ("only", "Void only")])
    loading_min = optional_number("Loading from, in %", 0, 100)
    loading_max = optional_number("Loading to, in %", 0, 100)
    temperature_min = optional_number("Sintered from, in °C", ABSOLUTE_ZERO_C)
    temperature_max = optional_number("Sintered to, in °C", ABSOLUTE_ZERO_C)

    def __init__(self, *args: Any, halides: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label or ""
        choices = [("", "Any halide"), *((halide, halide) for halide in halides)]
        self.fields["halide"].choices = choices

    def chosen(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


class MadeForm(Form):
    """A planned sample has become real."""

    made_at = forms.DateTimeField(
        label="Made at",
        required=False,
        help_text="Empty when not recorded.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    amount_mg = optional_number("Amount", 0, help_text="Empty when not weighed.")


class MaterialForm(forms.ModelForm):
    """A material; `samples.services.materials` checks the formula and computes the molar mass."""

    class Meta:
        model = Material
        fields = ["project", "name", "kind", "formula", "cas", "density_g_per_cm3", "hazards"]
        labels = {"density_g_per_cm3": "Density", "cas": "CAS number"}
        widgets = {"hazards": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, projects: QuerySet[Project], **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["project"].queryset = projects
        self.fields["project"].empty_label = None
        self.fields["formula"].help_text = "Such as CsPbI3; the molar mass is computed from it."
