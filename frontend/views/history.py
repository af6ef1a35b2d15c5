"""What happened to a thing: a page of its own, or, for htmx, the part of another that unfolds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone

from frontend import formatting
from frontend.access import login_required
from samples.api.history import named
from samples.history import NOUNS, Change, Entry, history_of

NOT_RECORDED = formatting.NOT_RECORDED
ACTIONS = {"insert": "made", "update": "changed", "delete": "removed"}


@dataclass(frozen=True)
class Told:
    """An entry in words; `changes` are (what, from, to), without a from where the thing was made."""

    entry: Entry
    action: str
    by: str
    changes: list[tuple[str, str, str]]


@login_required
def history(request: HttpRequest, noun: str, key: str) -> HttpResponse:
    thing = named(noun, key, request.user)
    context = {
        "thing": thing,
        "address": thing.get_absolute_url() if hasattr(thing, "get_absolute_url") else "",
        "entries": [_told(entry) for entry in history_of(thing, request.user)],
    }
    whole = "partials/_history_entries.html" if request.headers.get("HX-Request") else "history.html"
    return render(request, whole, context)


def _told(entry: Entry) -> Told:
    told_by = entry.via if entry.via.startswith(("task", "command", "rule")) else "outside of Vitrine"
    by = entry.by or told_by
    what = f"{entry.kind} {entry.of}" if entry.of and not entry.of.startswith(entry.kind) else entry.kind
    changes = [
        (_label(change), _said(change.before, change), _said(change.after, change))
        for change in entry.changes
    ]
    return Told(
        entry,
        f"{(entry.of or what) if entry.of.startswith(entry.kind) else what} "
        f"{ACTIONS.get(entry.action, entry.action)}",
        by,
        changes,
    )


def _label(change: Change) -> str:
    """`target c` with its unit told apart is `target`."""
    words = change.label.split(" ")
    ending = [
        word
        for word in ("c per min", "ml min", "g", "c", "min", "s", "mm", "ml", "kpa", "nm")
        if change.unit and change.label.endswith(f" {word}")
    ]
    return " ".join(words[: len(words) - len(ending[0].split(" "))]) if ending else change.label


def _said(value: Any, change: Change) -> str:
    if value is None:
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, (int, float)):
        if change.field.endswith("_fraction"):
            return formatting.percent(value)
        return formatting.mass(value) if change.unit == "g" else formatting.with_unit(value, change.unit)
    return str(value)


urlpatterns: list[URLPattern] = [
    path(f"{noun}/<str:key>/history/", history, {"noun": noun}, name=f"{noun}-history") for noun in NOUNS
]
