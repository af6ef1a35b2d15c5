"""Upload: one row a file."""

from __future__ import annotations

import re
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analysis import methods
from frontend.access import login_required
from frontend.scope import scope
from measurements import readers
from measurements.techniques import Technique

CODE_IN_TEXT = re.compile(r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*")


@cache
def known_roles() -> dict[str, list[dict[str, str]]]:
    """By technique: what the files of one measurement can be, where its methods take several."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for loaded in methods.registry().values():
        for role in loaded.method.accepts:
            for technique in role.techniques:
                told = {"key": role.key, "words": role.key.replace("_", " "), "help": role.help}
                found.setdefault(technique, {}).setdefault(role.key, told)
    return {technique: list(roles.values()) for technique, roles in found.items() if len(roles) > 1}


@login_required
def upload(request: HttpRequest) -> HttpResponse:
    context = {
        "techniques": Technique.choices,
        "sample": request.GET.get("sample", ""),
        "formats": [reader.format for reader in readers.registry().values()],
        "roles": known_roles(),
        "projects": scope(request).writable(),
        "chosen": scope(request).project,
    }
    return render(request, "upload.html", context)
