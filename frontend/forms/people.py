"""People, projects and instruments."""

from __future__ import annotations

from itertools import chain, count
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.db.models import QuerySet
from django.utils.text import slugify

from frontend.forms.base import Form, with_an_address
from measurements.models import Instrument
from samples.models import Membership, Project, Role, User

LONGEST_SLUG = 60
RESERVED = {"new", "all"}  # words that stand in addresses themselves


class ProjectForm(Form):
    name = forms.CharField(label="Name", max_length=120)
    description = forms.CharField(
        label="What it is about", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def clean_name(self) -> str:
        return with_an_address(self.cleaned_data["name"])

    def slug(self) -> str:
        """A free address made from the name."""
        stem = slugify(self.cleaned_data["name"])[: LONGEST_SLUG - 4]
        taken = {*Project.objects.filter(slug__startswith=stem).values_list("slug", flat=True), *RESERVED}
        numbered = (f"{stem}-{number}" for number in count(2))
        return next(slug for slug in chain([stem], numbered) if slug not in taken)


class MemberForm(Form):
    username = forms.CharField(label="User name", max_length=150)
    role = forms.TypedChoiceField(label="Role", choices=Role.choices, coerce=int, initial=Role.CONTRIBUTOR)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project

    def clean_username(self) -> str:
        name = self.cleaned_data["username"].strip()
        self.person = User.objects.filter(username=name, is_active=True).first()
        if self.person is None:
            raise forms.ValidationError(f"Nobody here is called “{name}”; an administrator adds people.")
        if Membership.objects.filter(project=self.project, user=self.person).exists():
            raise forms.ValidationError(f"{name} is a member already; change the role in the list.")
        return name


class AccountForm(forms.ModelForm):
    time_zone = forms.CharField(
        label="Time zone",
        required=False,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        help_text="Such as Europe/Berlin. Empty: the browser's own.",
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "time_zone", "default_project"]
        labels = {"email": "E-mail", "default_project": "Project for uploads without a sample"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        projects = Project.objects.open_to(self.instance)
        self.fields["default_project"].queryset = projects
        self.fields["default_project"].help_text = ""

    def clean_time_zone(self) -> str:
        zone = self.cleaned_data["time_zone"].strip()
        if zone and zone not in available_timezones():
            raise forms.ValidationError(f"“{zone}” is not a known time zone; write it like Europe/Berlin.")
        return zone


class WelcomeForm(BaseUserCreationForm):
    """The first person of an instance, and the first project."""

    project = forms.CharField(label="First project", max_length=120)

    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ("username", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["username"].help_text = ""
        self.fields["email"].help_text = "For password resets; may stay empty."
        self.fields["password1"].help_text = "At least 10 characters."
        self.fields["password2"].label = "The same again"
        self.fields["password2"].help_text = ""

    def clean_project(self) -> str:
        return with_an_address(self.cleaned_data["project"])


class InstrumentForm(forms.ModelForm):
    class Meta:
        model = Instrument
        fields = ["project", "name", "model", "location"]
        labels = {"model": "Maker and model"}

    def __init__(self, *args: Any, projects: QuerySet[Project], **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["project"].queryset = projects
        self.fields["project"].empty_label = None
        self.fields["project"].help_text = "Its files without a known sample wait in this project's inbox."
