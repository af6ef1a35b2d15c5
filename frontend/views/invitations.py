"""Inviting somebody to a project, and what whoever was invited sees."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from frontend.access import login_required
from frontend.forms.sharing import InvitationForm, NewPersonForm
from frontend.views.people import managed, project_page
from samples.services import access, invitation_mail


@never_cache
@require_POST
@login_required
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    row = managed(request, slug)
    form, told = InvitationForm(request.POST), {}
    if form.is_valid():
        try:
            invitation, token = access.invite(project=row, user=request.user, **form.cleaned_data)
        except ValidationError as error:
            for name, sentences in error.message_dict.items():
                form.add_error(name, sentences)
        else:
            address = request.build_absolute_uri(reverse("invitation", args=[token]))
            told = {
                "invited": invitation,
                "address": address,
                "mailed": invitation_mail.send(invitation, address),
            }
            form = InvitationForm()
    return project_page(request, row, invitation_form=form, **told)


@require_POST
@login_required
def revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    row = managed(request, slug)
    invitation = get_object_or_404(row.invitations.select_related("project"), pk=pk)
    try:
        access.revoke_invitation(invitation, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"The invitation of {invitation.email} is revoked.")
    return redirect("project", row.slug)


@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join with the account one is logged in to, with another one, or with a new one."""
    form = NewPersonForm(request.POST or None) if not request.user.is_authenticated else None
    context: dict[str, Any] = {"form": form, "status": 200}
    try:
        context["invitation"] = access.invitation_for(token)
        if request.method == "POST" and (form is None or form.is_valid()):
            joined = _join(request, token, form)
            messages.success(request, f"Welcome to {joined.name}.")
            return redirect(f"{reverse('home')}?project={joined.slug}")
    except access.SpentError as error:
        context |= {"invitation": None, "spent": " ".join(error.messages), "status": 404}
    if form is not None and form.errors:
        context["status"] = 422
    answer = render(request, "people/invitation.html", context, status=context["status"])
    # The address is the key: it must not travel to another site, nor into an index.
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer


@transaction.atomic
def _join(request: HttpRequest, token: str, form: NewPersonForm | None) -> Any:
    """Raises SpentError, and then no account was made."""
    if form is None:
        return access.accept(token, request.user).project
    person = form.save(commit=False)
    person.email = access.invitation_for(token).email
    person.save()
    project = access.accept(token, person).project
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return project


urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/invitations/", invite, name="project-invite"),
    path("projects/<slug:slug>/invitations/<int:pk>/revoke/", revoke, name="invitation-revoke"),
    path("invitations/<str:token>/", invitation, name="invitation"),
]
