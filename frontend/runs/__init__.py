"""What a measurement's page says about its runs: what is current, what was before and by how much it moved,
and the form that asks for another."""

from frontend.runs.asking import Field, RunForm, default_forms, forms
from frontend.runs.roles import PREFIX, Input
from frontend.runs.telling import Analysis, Entry, Group, conditions, current, history, params_told

__all__ = [
    "PREFIX",
    "Analysis",
    "Entry",
    "Field",
    "Group",
    "Input",
    "RunForm",
    "conditions",
    "current",
    "default_forms",
    "forms",
    "history",
    "params_told",
]
