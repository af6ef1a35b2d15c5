from __future__ import annotations

from typing import Any

from django import forms

from frontend.forms.base import Form
from samples.exchange.tables import tables
from samples.models import Project


class ImportForm(Form):
    project = forms.ChoiceField(label="Project")
    file = forms.FileField(label="File", allow_empty_file=True)
    table = forms.ChoiceField(
        label="Table of a lone CSV",
        required=False,
        help_text="Only when the name of the file does not say it.",
    )

    def __init__(self, *args: Any, projects: list[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].choices = [(project.slug, project.name) for project in projects]
        names = [(table.name, table.name) for table in tables()]
        self.fields["table"].choices = [("", "As the file is called"), *names]
        self.fields["file"].widget.attrs["accept"] = ".xlsx,.csv,.zip,.json,.eln"
