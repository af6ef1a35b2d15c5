"""Materials, lots, places, and what happens to an amount."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from frontend.forms.base import Form, optional_number
from samples.cas import wrong_with
from samples.models import Location, Material, Project, Sample

DAY = {"type": "date"}


def day(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))


class MaterialForm(forms.ModelForm):
    """A substance as such. `samples.services.materials` computes and checks the rest."""

    class Meta:
        model = Material
        fields = [
            "name", "kind", "formula", "cas", "density_g_per_cm3", "minimum_stock_g", "hazards",
        ]  # fmt: skip
        labels = {
            "cas": "CAS number",
            "density_g_per_cm3": "Density",
            "minimum_stock_g": "Warn below",
        }
        help_texts = {
            "formula": "Such as CsPbI3 or Zn(NO3)2·6H2O; the molar mass is computed from it.",
            "minimum_stock_g": "All bottles together; empty: never.",
            "hazards": "Lead is named by itself.",
        }
        widgets = {"hazards": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)

    def clean_cas(self) -> str:
        cas = self.cleaned_data["cas"].strip()
        if cas and (sentence := wrong_with(cas)):
            raise ValidationError(sentence)
        return cas


class LotForm(Form):
    """A bottle that came."""

    amount_g = optional_number("Amount", 0, help_text="Empty when not known.")
    purity_percent = optional_number("Purity", 0, 100)
    supplier = forms.CharField(max_length=120, required=False)
    catalogue_number = forms.CharField(max_length=80, required=False)
    lot_number = forms.CharField(max_length=80, required=False)
    received_on = day("Received")
    opened_on = day("Opened")
    expires_on = day("Expires")
    state = forms.ChoiceField(choices=Sample.State.choices, initial="powder")
    place = forms.ModelChoiceField(Location.objects.none(), required=False, empty_label="Nowhere yet")
    code = forms.CharField(max_length=40, required=False, help_text="Empty: the next free code.")
    notes = forms.CharField(max_length=4000, required=False)

    def __init__(self, *args: Any, places: QuerySet[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places

    def answer(self) -> dict[str, Any]:
        said = dict(self.cleaned_data)
        percent = said.pop("purity_percent")
        return said | {"purity": None if percent is None else round(percent / 100, 12)}


class StockForm(Form):
    """Recount, loss or disposal; the first known amount too."""

    AMOUNT = ("amount", "It holds")
    KINDS = [("recount", "Recounted: it holds"), ("loss", "Lost"), ("disposal", "Disposed of")]

    kind = forms.ChoiceField(label="What happened", choices=[AMOUNT, *KINDS])
    mass = optional_number("Mass", 0, help_text="Disposal: empty for all that is left.")
    unit = forms.ChoiceField(choices=[("mg", "mg"), ("g", "g")], label="Unit", required=False)
    waste_stream = forms.CharField(
        label="Waste stream",
        max_length=80,
        required=False,
        help_text="Of a disposal.",
        widget=forms.TextInput(attrs={"list": "waste-streams"}),
    )
    reason = forms.CharField(max_length=1000, required=False)

    def __init__(self, *args: Any, is_known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = self.KINDS if is_known else [self.AMOUNT, *self.KINDS]

    def mass_g(self) -> float | None:
        mass, unit = self.cleaned_data["mass"], self.cleaned_data["unit"]
        return mass / 1000 if mass is not None and unit == "mg" else mass


class PlaceForm(Form):
    """Where a sample stands."""

    place = forms.ModelChoiceField(Location.objects.none(), required=False, empty_label="Nowhere")

    def __init__(self, *args: Any, places: QuerySet[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = places


class NewPlaceForm(Form):
    """A room, or something that stands in one."""

    project = forms.ModelChoiceField(Project.objects.none(), to_field_name="slug", empty_label=None)
    kind = forms.ChoiceField(choices=Location.Kind.choices)
    name = forms.CharField(max_length=60)
    parent = forms.ModelChoiceField(
        Location.objects.none(), required=False, label="Stands in", empty_label="Nothing: a room"
    )

    def __init__(
        self, *args: Any, projects: QuerySet[Project], places: QuerySet[Location], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = projects
        self.fields["parent"].queryset = places


class ChangePlaceForm(Form):
    """Its name, and what it stands in."""

    name = forms.CharField(max_length=60)
    parent = forms.ModelChoiceField(
        Location.objects.none(), required=False, label="Stands in", empty_label="Nothing: a room"
    )
    rows = forms.IntegerField(label="Slots: rows", min_value=1, max_value=26, required=False)
    columns = forms.IntegerField(label="Columns", min_value=1, max_value=400, required=False)

    def __init__(self, *args: Any, places: QuerySet[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = places
