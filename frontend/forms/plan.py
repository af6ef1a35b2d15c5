"""A composite to make: what is weighed, and what is done with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from frontend.forms.base import Form, optional_number
from samples.models import Material, Project, Quench, Sample
from samples.models.limits import ABSOLUTE_ZERO_C
from samples.models.steps import HOTTEST_FURNACE_C
from samples.stoichiometry import FRACTION_SUM_TOLERANCE


class PlanForm(Form):
    """A composite to make: name, milling, quench. Components and segments are formsets beside it."""

    project = forms.ModelChoiceField(
        label="Project", queryset=Project.objects.none(), empty_label=None, to_field_name="slug"
    )
    name = forms.CharField(
        label="Recipe name", max_length=160, help_text="The same name again makes a new version."
    )
    code = forms.CharField(
        label="Code", max_length=40, required=False, help_text="Empty: a new code is drawn."
    )
    notes = forms.CharField(label="Notes", required=False, widget=forms.Textarea(attrs={"rows": 2}))

    mill = forms.BooleanField(label="Mill", required=False)
    rpm = optional_number("Speed", 0)
    duration_min = optional_number("Duration", 0)
    ball_mass_g = optional_number("Ball mass", 0)
    ball_material = forms.CharField(label="Ball material", max_length=60, required=False)

    sinter = forms.BooleanField(label="Sinter", required=False)
    equipment = forms.CharField(label="Furnace", max_length=80, required=False)

    quench = forms.ChoiceField(
        label="Medium", required=False, choices=[("", "No quench"), *Quench.Medium.choices]
    )
    delay_s = optional_number("Delay", 0)
    rate_c_per_min = optional_number("Rate", 0)
    quench_gas = forms.CharField(label="Gas", max_length=40, required=False)

    def __init__(self, *args: Any, projects: QuerySet[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = projects

    def clean_code(self) -> str:
        code = self.cleaned_data["code"].strip()
        if code == "plan":
            raise forms.ValidationError("“plan” is the address of this page; choose another code.")
        if code and Sample.objects.filter(code=code).exists():
            raise forms.ValidationError(f"There is a sample {code} already; leave this empty for a new code.")
        return code

    def milling(self) -> dict[str, Any] | None:
        if not self.cleaned_data["mill"]:
            return None
        return {
            name: self.cleaned_data[name] for name in ("rpm", "duration_min", "ball_mass_g", "ball_material")
        }

    def quenching(self) -> dict[str, Any] | None:
        if not self.cleaned_data["quench"]:
            return None
        return {
            "medium": self.cleaned_data["quench"],
            "delay_s": self.cleaned_data["delay_s"],
            "rate_c_per_min": self.cleaned_data["rate_c_per_min"],
            "gas": self.cleaned_data["quench_gas"],
        }


class ComponentForm(Form):
    material = forms.ModelChoiceField(
        label="Material", queryset=Material.objects.none(), empty_label="Choose a material", required=False
    )
    percent = optional_number("Mass fraction", 0, 100)

    def __init__(self, *args: Any, materials: QuerySet[Material], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["material"].queryset = materials

    def clean(self) -> dict[str, Any]:
        material, percent = self.cleaned_data.get("material"), self.cleaned_data.get("percent")
        if material and percent is None and "percent" not in self.errors:
            self.add_error("percent", f"Say how much {material}: a mass fraction in %.")
        if percent is not None and not material and "material" not in self.errors:
            self.add_error("material", "Choose the material of this fraction, or clear the fraction.")
        return self.cleaned_data


class Components(forms.BaseFormSet):
    def clean(self) -> None:
        if any(self.errors):
            return
        total = sum(fraction for _, fraction in self.pairs())
        if not self.pairs():
            raise forms.ValidationError("A recipe needs at least one component: choose a material.")
        if not abs(total - 1) <= FRACTION_SUM_TOLERANCE:
            raise forms.ValidationError(
                f"The mass fractions add up to {100 * total:.6g} %; they must add up to 100 %."
            )

    def pairs(self) -> list[tuple[Material, float]]:
        rows = [form.cleaned_data for form in self.forms if form.cleaned_data.get("material")]
        return [(row["material"], row["percent"] / 100) for row in rows]


class SegmentForm(Form):
    target_c = optional_number("Target", ABSOLUTE_ZERO_C, HOTTEST_FURNACE_C)
    ramp_c_per_min = optional_number("Ramp", 0)
    hold_min = optional_number("Hold", 0)
    gas = forms.CharField(label="Gas", max_length=40, required=False)
    flow_ml_min = optional_number("Flow", 0)

    def clean(self) -> dict[str, Any]:
        said = [value for name, value in self.cleaned_data.items() if name != "target_c"]
        without_target = self.cleaned_data.get("target_c") is None and "target_c" not in self.errors
        if without_target and any(value not in (None, "") for value in said):
            self.add_error("target_c", "Give the temperature this segment goes to.")
        return self.cleaned_data


class Segments(forms.BaseFormSet):
    def rows(self) -> list[dict[str, Any]]:
        rows = [form.cleaned_data for form in self.forms]
        return [row for row in rows if row.get("target_c") is not None]


ComponentFormSet = forms.formset_factory(
    ComponentForm, formset=Components, extra=0, min_num=2, max_num=12, absolute_max=12
)
SegmentFormSet = forms.formset_factory(
    SegmentForm, formset=Segments, extra=0, min_num=1, max_num=20, absolute_max=20
)
