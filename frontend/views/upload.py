"""Upload, and the inbox for what came without a known sample."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from frontend.access import login_required
from frontend.formatting import number
from frontend.keyset import page
from frontend.scope import narrowed, scope
from measurements import readers
from measurements.models import Measurement
from measurements.services import RefusedError, assign
from measurements.techniques import Technique
from samples.incoming import row_number
from samples.models import Sample

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


@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    rows = narrowed(Measurement.objects.inbox(), request)
    found = page(
        rows.select_related("project", "instrument", "received_by").prefetch_related("files"),
        "id",
        descending=True,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    suggested = suggestions(request, found.rows)
    for row in found.rows:
        row.suggestion = suggested.get(row.pk, "")
        row.why = why(row)
        row.may_write = scope(request).may_write(row.project_id)
    context = {
        "page": found,
        "count": rows.count(),
        "several_projects": scope(request).project is None and len(scope(request).memberships) > 1,
        "may_write": any(row.may_write for row in found.rows),
    }
    return render(request, "inbox.html", context)


def why(row: Measurement) -> str:
    if row.claimed_code:
        return f"It came for “{row.claimed_code}”, and no sample that its sender may see has this code."
    return "It came without a sample."


def suggestions(request: HttpRequest, rows: list[Any]) -> dict[int, str]:
    """The sample that a file may belong to: the one whose code stands in its name or in what was claimed."""
    words: dict[int, list[str]] = {row.pk: _words(row) for row in rows}
    asked = {word.upper() for found in words.values() for word in found}
    codes = Sample.objects.visible_to(request.user).filter(code__in=asked | {w.lower() for w in asked})
    known = {code.upper(): code for code in codes.values_list("code", flat=True)}
    return {
        pk: code
        for pk, found in words.items()
        if (code := next((known[w.upper()] for w in found if w.upper() in known), ""))
    }


def _words(row: Measurement) -> list[str]:
    """Everything in claimed code and file names that looks like a code, longest first."""
    texts = [row.claimed_code, *(file.filename.rpartition(".")[0] for file in row.files.all())]
    words = {word for text in texts for word in CODE_IN_TEXT.findall(text)}
    for (
        text
    ) in texts:  # VT-7K3M2_PL_300K: the parts between underscores are words, and so are their beginnings
        for word in CODE_IN_TEXT.findall(text):
            parts = word.split("-")
            words |= {"-".join(parts[:end]) for end in range(2, len(parts))}
    return sorted(words, key=len, reverse=True)


@require_POST
@login_required
def inbox_assign(request: HttpRequest) -> HttpResponse:
    """One sample for each ticked row: its own field, or the one field for all of them."""
    for_all = request.POST.get("sample", "").strip()
    pks = [pk for pk in map(row_number, request.POST.getlist("measurement")) if pk is not None]
    only = row_number(request.POST.get("only", ""))
    if only is not None:
        pks, for_all = [only], ""
    done, refused = 0, []
    for row in Measurement.objects.visible_to(request.user).inbox().filter(pk__in=pks):
        code = for_all or request.POST.get(f"sample-{row.pk}", "").strip()
        try:
            assign(row, _sample(request, code), user=request.user)
            done += 1
        except RefusedError as error:
            refused.append(error.message)
        except PermissionDenied as error:
            refused.append(str(error))
    for sentence in dict.fromkeys(refused):
        messages.error(request, sentence)
    if done:
        messages.success(request, f"{number(done)} left the inbox.")
    elif not pks:
        messages.warning(request, "Nothing was ticked.")
    return redirect("inbox")


def _sample(request: HttpRequest, code: str) -> Sample:
    if not code:
        raise RefusedError("sample", "Say which sample it belongs to.")
    found = Sample.objects.visible_to(request.user).filter(code__iexact=code).first()
    if found is None:
        raise RefusedError("sample", f"There is no sample “{code}”. Check the code on the label.")
    return found
