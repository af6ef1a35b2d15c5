"""Webhooks of a project: added, switched and removed by its managers, with what became of every message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from analysis import services
from analysis.models import Delivery, Webhook
from analysis.services.webhooks import EVENTS, renew_secret, send_again, switch
from frontend.access import login_required
from frontend.forms.base import Form
from frontend.views.people import managed
from samples.models import Project

SHOWN = 50


class WebhookForm(Form):
    url = forms.CharField(
        label="Address",
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://…", "autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        label="Events",
        choices=[(key, f"{key}: {words}") for key, words in EVENTS.items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=list(EVENTS),
    )


@never_cache
@login_required
def webhook_list(request: HttpRequest, slug: str) -> HttpResponse:
    project = managed(request, slug)
    form, told = WebhookForm(request.POST or None), {}
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["events"]
        events = [] if len(chosen) == len(EVENTS) else chosen
        try:
            made = services.add_webhook(
                project=project, user=request.user, url=form.cleaned_data["url"], events=events
            )
        except ValidationError as error:
            for name, sentences in error.message_dict.items():
                form.add_error(name, sentences)
        else:
            told, form = {"made": made}, WebhookForm()
    return _page(request, project, form=form, **told)


def _page(request: HttpRequest, project: Project, *, form: WebhookForm, **told: Any) -> HttpResponse:
    """`told`: a webhook that was just made, whose secret is shown this once."""
    context = {"project": project, "hooks": list(project.webhooks.select_related("made_by")), "form": form}
    return render(request, "webhooks/list.html", context | told, status=422 if form.errors else 200)


@login_required
def webhook(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    return _own_page(request, *_hook(request, slug, pk))


@never_cache
@require_POST
@login_required
def renew(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    project, hook = _hook(request, slug, pk)
    return _own_page(request, project, renew_secret(hook), renewed=True)


def _own_page(
    request: HttpRequest, project: Project, hook: Webhook, *, renewed: bool = False
) -> HttpResponse:
    """`renewed`: its new secret is shown this once."""
    deliveries = list(hook.deliveries.all()[:SHOWN])
    context = {
        "project": project,
        "hook": hook,
        "deliveries": deliveries,
        "more": len(deliveries) == SHOWN,
        "waiting": hook.deliveries.filter(state=Delivery.State.WAITING).count(),
        "renewed": renewed,
    }
    return render(request, "webhooks/webhook.html", context)


@require_POST
@login_required
def change(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    _, hook = _hook(request, slug, pk)
    if "remove" in request.POST:
        hook.delete()
        messages.success(request, f"{hook.url} is told nothing any more.")
        return redirect("webhooks", slug)
    on = "on" in request.POST
    switch(hook, on=on)
    messages.success(
        request, "Switched on." if on else "Switched off: until it is on again, nothing is kept."
    )
    return redirect("webhook", slug, pk)


@require_POST
@login_required
def again(request: HttpRequest, slug: str, pk: int, delivery: int) -> HttpResponse:
    _, hook = _hook(request, slug, pk)
    row = get_object_or_404(hook.deliveries.select_related("webhook"), pk=delivery)
    try:
        send_again(row)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "It is sent again.")
    return redirect("webhook", slug, pk)


def _hook(request: HttpRequest, slug: str, pk: int) -> tuple[Project, Webhook]:
    project = managed(request, slug)
    return project, get_object_or_404(project.webhooks.select_related("made_by"), pk=pk)


urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/webhooks/", webhook_list, name="webhooks"),
    path("projects/<slug:slug>/webhooks/<int:pk>/", webhook, name="webhook"),
    path("projects/<slug:slug>/webhooks/<int:pk>/change/", change, name="webhook-change"),
    path("projects/<slug:slug>/webhooks/<int:pk>/secret/", renew, name="webhook-secret"),
    path(
        "projects/<slug:slug>/webhooks/<int:pk>/deliveries/<int:delivery>/again/", again, name="webhook-again"
    ),
]
