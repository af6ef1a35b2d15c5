"""Upload: one row a file."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.access import login_required
from frontend.scope import scope
from measurements import readers
from measurements.techniques import Technique

CODE_IN_TEXT = re.compile(r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*")


@login_required
def upload(request: HttpRequest) -> HttpResponse:
    context = {
        "techniques": Technique.choices,
        "sample": request.GET.get("sample", ""),
        "formats": [reader.format for reader in readers.registry().values()],
        "projects": scope(request).writable(),
        "chosen": scope(request).project,
    }
    return render(request, "upload.html", context)
