"""Labels for chosen samples: which, on which sheet, from which place on."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from frontend.access import login_required
from samples.identity import IdentityError, codes_in
from samples.labels import ROLLS, SHEETS, LabelError
from samples.models import Design, Sample
from samples.services import codes, labelling

AT_HOME = ("localhost", "127.", "[::1]")


@login_required
def labels(request: HttpRequest) -> HttpResponse:
    asked = request.GET
    context: dict[str, Any] = {
        "sheets": SHEETS.values(),
        "rolls": ROLLS.values(),
        "sheet": asked.get("sheet", ""),
        "roll": asked.get("roll", ""),
        "start": asked.get("start", "1"),
        "address": _address(request, "CODE"),
        "phones_cannot_reach": request.get_host().startswith(AT_HOME),
    }
    try:
        context["samples"], context["missing"] = _samples(request)
        if asked.get("as") and context["samples"]:
            return labelling.label_file(
                context["samples"],
                lambda code: _address(request, code),
                kind=asked["as"],
                sheet=context["sheet"],
                start=context["start"],
                roll=context["roll"],
            )
    except (IdentityError, LabelError) as error:
        context["wrong"] = str(error)
    return render(request, "labels/labels.html", context, status=422 if "wrong" in context else 200)


def _address(request: HttpRequest, code: str) -> str:
    return request.build_absolute_uri(reverse("scan", args=[code]))


def _samples(request: HttpRequest) -> tuple[list[Sample], list[tuple[str, str]]]:
    design = request.GET.get("design", "")
    if design:
        known = Design.objects.visible_to(request.user)
        if not (design.isascii() and design.isdecimal() and len(design) < 10) or not known.filter(pk=design):
            raise Http404("There is no such design among yours.")
        return labelling.samples_of_design(int(design), request.user), []
    found = codes.find(codes_in(" ".join(request.GET.getlist("codes"))), request.user)
    return found.samples, found.missing
