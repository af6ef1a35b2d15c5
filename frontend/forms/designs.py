"""An array of samples as a person writes it down: percent, milligrams, lists of numbers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from frontend.forms.base import Form, optional_number
from samples.designing import LARGEST_SEED, DesignError, parse_numbers
from samples.models import Material, Project, Quench
from samples.services.designs import Array, read_array


class Numbers(forms.CharField):
    """Levels of a factor: “5, 10, 25” or “200 to 400 step 25”."""

    def __init__(self, label: str, example: str, **more: Any) -> None:
        widget = forms.TextInput(attrs={"placeholder": example, "autocomplete": "off"})
        super().__init__(label=label, max_length=600, widget=widget, **more)

    def clean(self, value: Any) -> list[float]:
        text = super().clean(value)
        try:
            return parse_numbers(text, str(self.label))
        except DesignError as error:
            raise forms.ValidationError(str(error)) from error


class ArrayForm(Form):
    """Left half: what varies. Right half: what all samples share, and in which order they are made."""

    name = forms.CharField(label="Name of the array", max_length=80)
    perovskite = forms.MultipleChoiceField(
        label="Perovskites",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one perovskite."},
    )
    glass = forms.MultipleChoiceField(
        label="Glasses",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one glass."},
    )
    loadings = Numbers("Loadings", "5, 10, 25", help_text="Mass of perovskite per mass of sample.")
    temperatures = Numbers(
        "Sintering temperatures",
        "250, 275, 300",
        required=False,
        help_text="Or “200 to 400 step 25”. Empty: not sintered.",
    )
    quenches = forms.MultipleChoiceField(
        label="Quench",
        choices=Quench.Medium.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    milling_times = Numbers("Milling times", "60", required=False, help_text="Empty: not milled.")
    milling_speed_rpm = optional_number("Milling speed", 0)
    ramp_c_per_min = optional_number("Ramp", 0)
    hold_min = optional_number("Hold", 0)
    gas = forms.CharField(label="Gas", max_length=40, required=False)
    batch_mg = forms.FloatField(
        label="Mass of each sample", min_value=0, help_text="All components together."
    )
    replicates = forms.IntegerField(label="Replicates", min_value=1, max_value=20, initial=1)
    furnace_capacity = forms.IntegerField(
        label="Furnace holds",
        min_value=1,
        max_value=1000,
        initial=1,
        help_text="Samples that can be fired together.",
    )
    jars = forms.IntegerField(label="Mill holds", min_value=1, max_value=100, initial=1)
    cells = forms.IntegerField(
        label="Only a fraction",
        min_value=1,
        required=False,
        help_text="Empty: every combination. A fraction keeps every level equally often.",
    )
    seed = forms.IntegerField(
        label="Seed of the order",
        min_value=0,
        max_value=LARGEST_SEED,
        help_text="Draws the same order again.",
    )

    array: Array | None = None

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        materials = list(Material.objects.filter(project=project).values_list("name", "kind"))
        for field, kinds in (("perovskite", ("perovskite",)), ("glass", ("glass", "framework"))):
            names = [name for name, kind in materials if kind in kinds]
            self.fields[field].choices = [(name, name) for name in names]
            if len(names) == 1:
                self.fields[field].initial = names

    def clean(self) -> dict[str, Any]:
        if self.errors.keys() - {"name"}:
            return self.cleaned_data
        try:
            self.array = read_array(self.project, self._said())
        except ValidationError as error:
            self.add_error(None, error.messages)
        return self.cleaned_data

    def _said(self) -> dict[str, Any]:
        said = self.cleaned_data
        shared = ("perovskite", "glass", "milling_speed_rpm", "ramp_c_per_min", "hold_min", "gas")
        return {
            **{
                name: said[name]
                for name in (*shared, "replicates", "furnace_capacity", "jars", "cells", "seed")
            },
            "loading_mass_fraction": [round(percent / 100, 9) for percent in said["loadings"]],
            "sintering_temperature_c": said["temperatures"],
            "quench_medium": said["quenches"],
            "milling_duration_min": said["milling_times"],
            "batch_mass_g": said["batch_mg"] / 1000,
        }
