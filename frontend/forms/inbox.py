"""The form of an inbox rule."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from frontend.forms.base import Form
from measurements.models import InboxRule, Instrument
from measurements.naming import LONGEST_PATTERN
from measurements.techniques import Technique
from samples.models import Project


class RuleForm(Form):
    project = forms.ChoiceField(label="Project")
    pattern = forms.CharField(
        label="Pattern",
        max_length=LONGEST_PATTERN,
        strip=True,
        help_text="{sample} stands for the code, * for anything, ? for one character.",
        widget=forms.TextInput(attrs={"placeholder": "{sample}_*.txt", "autocomplete": "off"}),
    )
    source = forms.ChoiceField(label="Looks at", choices=InboxRule.Source.choices)
    header_key = forms.CharField(
        label="Line of the header",
        max_length=120,
        required=False,
        help_text="As the file calls it, such as Sample.",
    )
    instrument = forms.ChoiceField(label="Files from", required=False)
    technique = forms.ChoiceField(label="Technique", required=False)

    def __init__(
        self,
        *args: Any,
        projects: list[Project],
        instruments: list[Instrument],
        rule: InboxRule | None = None,
        **kwargs: Any,
    ) -> None:
        self.rule = rule
        self.projects = {project.slug: project for project in projects}
        self.instruments = {str(each.pk): each for each in instruments}
        super().__init__(*args, **kwargs)
        self.fields["project"].choices = [(slug, project.name) for slug, project in self.projects.items()]
        named = [(key, f"{each.name} ({each.project})") for key, each in self.instruments.items()]
        self.fields["instrument"].choices = [("", "every origin"), *named]
        known = [choice for choice in Technique.choices if choice[0] != "unknown"]
        self.fields["technique"].choices = [("", "as the file says"), *known]
        if rule is not None:
            del self.fields["project"]

    def filled(self) -> InboxRule:
        """The rule as the form says, not saved."""
        told = self.cleaned_data
        rule = self.rule or InboxRule(project=self.projects[told["project"]])
        rule.pattern, rule.source, rule.technique = told["pattern"], told["source"], told["technique"]
        rule.header_key = told["header_key"] if rule.source == InboxRule.Source.HEADER else ""
        rule.instrument = self.instruments.get(told["instrument"])
        return rule

    def refuse(self, error: ValidationError) -> None:
        """What the service refused, beside its field."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, sentences in error.message_dict.items():
            self.add_error(name if name in self.fields else None, sentences)


def starting(rule: InboxRule) -> dict[str, Any]:
    return {
        "pattern": rule.pattern,
        "source": rule.source,
        "header_key": rule.header_key,
        "instrument": rule.instrument_id or "",
        "technique": rule.technique,
    }
