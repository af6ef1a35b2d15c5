"""From a code to its sample: scanned with a phone, or many at once from a list."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from frontend import sample_table
from frontend.access import login_required
from samples.identity import IdentityError, codes_in
from samples.models import Sample
from samples.services import codes


@login_required
def scan(request: HttpRequest, code: str) -> HttpResponse:
    """Where the QR code of a label leads."""
    sample = codes.one(code, request.user)
    if sample is not None:
        return redirect(sample)
    missing = codes.find([code[:40]], request.user).missing
    return render(request, "labels/unknown.html", {"sentence": missing[0][1], "code": code[:40]}, status=404)


@login_required
def find(request: HttpRequest) -> HttpResponse:
    """A pasted or scanned list: what is there, what is not and what was probably meant."""
    text = request.POST.get("codes", "") or request.GET.get("codes", "")
    try:
        found = codes.find(codes_in(text), request.user)
    except IdentityError as error:
        return render(request, "labels/find.html", {"text": text, "wrong": str(error)}, status=422)
    if request.POST.get("as") == "csv" and found.samples:
        rows = Sample.objects.visible_to(request.user).filter(pk__in=[sample.pk for sample in found.samples])
        return sample_table.response(rows.for_list().order_by("code"))
    return render(request, "labels/find.html", {"text": text, "found": found, "asked": bool(text.strip())})
