"""Correcting what is written about a sample, and voiding it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path

from frontend.access import login_required, must_write
from frontend.forms.sharing import CorrectionForm, ReasonForm
from samples.models import Sample
from samples.services import correcting, voiding


@login_required
def edit(request: HttpRequest, code: str) -> HttpResponse:
    sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    must_write(request, sample.project_id)
    form = CorrectionForm(
        request.POST or None,
        instance=sample,
        may_embargo=correcting.may_embargo(sample, request.user),
    )
    if request.method == "POST" and form.is_valid():
        try:
            correcting.correct(sample, form.changes(), user=request.user, reason=form.cleaned_data["reason"])
        except ValidationError as error:
            _blame(form, error)
        else:
            messages.success(request, "Saved; the history says who and why.")
            return redirect("sample", code)
    status = 422 if request.method == "POST" else 200
    context = {"code": code, "form": form, "planned": sample.planned}
    return render(request, "samples/edit.html", context, status=status)


def _blame(form: CorrectionForm, error: ValidationError) -> None:
    named = error.message_dict if hasattr(error, "error_dict") else {"__all__": error.messages}
    for name, sentences in named.items():
        form.add_error(name if name in form.fields else None, sentences)


@login_required
def void(request: HttpRequest, code: str) -> HttpResponse:
    """What it means first; then, with a reason, void it, or bring it back."""
    sample = get_object_or_404(Sample.objects.visible_to(request.user), code=code)
    must_write(request, sample.project_id)
    if not voiding.may_void(sample, request.user):
        raise PermissionDenied("Only the maker of a sample and the managers of its project may void it.")
    back = sample.voided_at is not None
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        act = voiding.unvoid if request.POST.get("back") else voiding.void
        try:
            act(sample, reason=form.cleaned_data["reason"], user=request.user)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"{code} is {'void' if sample.voided_at else 'back'}.")
            return redirect("sample", code)
    context = {
        "sample": sample,
        "form": form,
        "back": back,
        "meaning": voiding.consequences(sample, request.user).sentence(),
    }
    return render(request, "samples/void.html", context, status=422 if form.errors else 200)


urlpatterns: list[URLPattern] = [
    path("samples/<str:code>/edit/", edit, name="sample-edit"),
    path("samples/<str:code>/void/", void, name="sample-voiding"),
]
