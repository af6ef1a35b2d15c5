"""Correcting and voiding a sample, sharing it, inviting to a project, and accepting."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm

from frontend.forms.base import Form
from samples.models import Role, Sample, User
from samples.services.access import LONGEST_DAYS
from samples.services.correcting import CORRECTABLE, LONGEST_REASON


class ReasonForm(Form):
    reason = forms.CharField(label="Why", max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 2}))


class CorrectionForm(forms.ModelForm):
    """What is written about a sample. Whether a reason is needed, the service decides."""

    reason = forms.CharField(
        label="Why",
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It stands in the history, beside what changed.",
    )

    class Meta:
        model = Sample
        fields = [*CORRECTABLE]
        labels = {"made_at": "Made at", "embargoed_until": "Under embargo until"}
        widgets = {
            "notes": forms.Textarea(attrs={"rows": 3}),
            "made_at": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            "embargoed_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, may_embargo: bool, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        if not may_embargo:
            del self.fields["embargoed_until"]
        if self.instance.planned:
            del self.fields["made_at"]
        else:
            self.fields["reason"].required = True

    def changes(self) -> dict[str, Any]:
        """Only what differs; the field of a moment knows no seconds and must not cut off those recorded."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data if name in CORRECTABLE}
        made_at = self.instance.made_at
        if made_at and changed.get("made_at") == made_at.replace(second=0, microsecond=0):
            del changed["made_at"]
        return changed

    def _post_clean(self) -> None:
        """The service checks a fresh row; the one on the page keeps what it says."""


class DaysForm(Form):
    days = forms.IntegerField(label="Works for", min_value=1, max_value=LONGEST_DAYS, initial=30)


class ShareForm(DaysForm):
    note = forms.CharField(label="For whom", max_length=120, required=False)


class InvitationForm(DaysForm):
    email = forms.EmailField(label="E-mail")
    role = forms.TypedChoiceField(label="Role", choices=Role.choices, coerce=int, initial=Role.CONTRIBUTOR)
    field_order = ("email", "role", "days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].initial = 14


class NewPersonForm(BaseUserCreationForm):
    """Somebody who was invited and has no account here."""

    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["username"].help_text = ""
        self.fields["password1"].help_text = "At least 10 characters."
        self.fields["password2"].label = "The same again"
        self.fields["password2"].help_text = ""
