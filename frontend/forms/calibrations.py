"""Adding and withdrawing calibrations."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from analysis.models import Calibration
from frontend.forms.base import Form
from samples.incoming import row_number

ADDRESS = re.compile(r"/measurements/(\d+)/?")


class MeasurementField(forms.CharField):
    """Its number, or its address as copied from the browser."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "list": "recent", "inputmode": "url"})

    def clean(self, value: Any) -> int | None:  # a number, or None when empty
        text = str(super().clean(value) or "").strip()
        if not text:
            return None
        match = ADDRESS.search(text)
        number = row_number(match.group(1) if match else text)
        if number is None:
            raise forms.ValidationError("Give the number of a measurement, or copy the address of its page.")
        return number


class CalibrationForm(Form):
    kind = forms.ChoiceField(label="What it gives", choices=[("", "choose"), *Calibration.Kind.choices])
    measurement = MeasurementField(label="Measurement", help_text="Its number, or the address of its page.")
    valid_from = forms.DateTimeField(
        label="Valid from",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    valid_until = forms.DateTimeField(
        label="Until",
        required=False,
        help_text="Empty: until another takes over.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    note = forms.CharField(label="Note", required=False, max_length=2000, help_text="Lamp, standard, slit.")
    from_elsewhere = forms.BooleanField(
        label="It holds although its measurement names another instrument, or none", required=False
    )


class WithdrawalForm(Form):
    reason = forms.CharField(label="Why", max_length=1000, help_text="It stands in the history for ever.")
    measurement = MeasurementField(
        label="Another measurement in its place",
        required=False,
        help_text="Its number or address; empty: what else is valid takes over, if anything is.",
    )
    from_elsewhere = forms.BooleanField(
        label="It holds although it names another instrument, or none", required=False
    )
