"""People and projects: logging in, the first administrator, members, one's own account."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from frontend.access import login_required, nobody_yet
from frontend.forms.base import Form
from frontend.forms.people import AccountForm, MemberForm, ProjectForm, WelcomeForm
from frontend.forms.sharing import InvitationForm
from frontend.scope import scope
from samples.incoming import row_number
from samples.models import Membership, Project, Role
from samples.querysets import MANAGER
from samples.services import access, create_project

ONE_FIRST_PERSON = 0x56495452  # any number that names this lock


class LoginView(auth.LoginView):
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if nobody_yet():
            return redirect("welcome")
        return super().dispatch(request, *args, **kwargs)


def welcome(request: HttpRequest) -> HttpResponse:
    """The first person and the first project. Closed for ever once anybody exists."""
    if not nobody_yet():
        return redirect("login")
    form = WelcomeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            # Two browsers may have this page open; the second finds the house inhabited.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_FIRST_PERSON])
            if not nobody_yet():
                return redirect("login")
            person = form.save(commit=False)
            person.is_staff = person.is_superuser = True
            person.save()
            create_project(user=person, **_project_fields(form.cleaned_data["project"]))
        login(request, person, backend="django.contrib.auth.backends.ModelBackend")
        messages.success(request, "Welcome. Your project is ready; plan a composite or upload a first file.")
        return redirect("home")
    status = 422 if request.method == "POST" else 200
    return render(request, "welcome.html", {"form": form}, status=status)


def _project_fields(name: str) -> dict[str, str]:
    form = ProjectForm({"name": name})
    form.is_valid()
    return {"name": name, "slug": form.slug()}


@login_required
def project_create(request: HttpRequest) -> HttpResponse:
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = create_project(
            user=request.user,
            name=form.cleaned_data["name"],
            slug=form.slug(),
            description=form.cleaned_data["description"],
        )
        messages.success(request, f"{made.name} is ready and you manage it. Add the people who work on it.")
        return redirect("project", made.slug)
    status = 422 if request.method == "POST" else 200
    return render(request, "people/project_create.html", {"form": form}, status=status)


@login_required
def project(request: HttpRequest, slug: str) -> HttpResponse:
    row = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    if request.method != "POST":
        return project_page(request, row)
    form = MemberForm(request.POST, project=managed(request, slug))
    if not form.is_valid():
        return project_page(request, row, form=form)
    Membership.objects.create(project=row, user=form.person, role=form.cleaned_data["role"])
    messages.success(request, f"{form.person} is a member of {row.name} now.")
    return redirect("project", row.slug)


def managed(request: HttpRequest, slug: str) -> Project:
    """Raises Http404 for strangers, PermissionDenied for members who do not manage it."""
    row = get_object_or_404(Project.objects.visible_to(request.user), slug=slug)
    if not scope(request).manages(row.pk):
        raise PermissionDenied("Only a manager of the project may change its members.")
    return row


def project_page(request: HttpRequest, row: Project, **told: Any) -> HttpResponse:
    """`told`: forms that were refused, or an invitation whose address is shown this once."""
    manages = scope(request).manages(row.pk)
    members = row.memberships.select_related("user", "user__instrument").order_by("-role", "user__username")
    context = {
        "project": row,
        "members": list(members),
        "manages": manages,
        "roles": Role.choices,
        "form": MemberForm(project=row) if manages else None,
        "invitation_form": InvitationForm() if manages else None,
        "invitations": list(access.open_invitations().filter(project=row)) if manages else [],
    } | told
    refused = any(form.errors for form in told.values() if isinstance(form, Form))
    return render(request, "people/project.html", context, status=422 if refused else 200)


@require_POST
@login_required
def membership(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Change a role, or remove a member; the last manager stays."""
    row = managed(request, slug)
    with transaction.atomic():
        managers = row.memberships.select_for_update().filter(role=MANAGER)
        only_manager = [m.pk for m in managers] == [pk]
        member = get_object_or_404(row.memberships.select_related("user"), pk=pk)
        remove = "remove" in request.POST
        role = _role(request.POST.get("role", ""))
        if only_manager and (remove or role != MANAGER):
            messages.error(
                request, f"{member.user} is the only manager of {row.name}; make somebody else one first."
            )
        elif remove:
            member.delete()
            messages.success(request, f"{member.user} is no longer a member of {row.name}.")
        elif role is not None:
            member.role = role
            member.save(update_fields=["role"])
            messages.success(request, f"{member.user} is now a {Role(role).label.lower()} of {row.name}.")
    return redirect("project", row.slug) if member.user_id != request.user.pk else redirect("home")


def _role(text: str) -> int | None:
    number = row_number(text)
    return number if number in Role.values else None


@login_required
def account(request: HttpRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("account")
    context = {"form": form, "zones": sorted(available_timezones())}
    return render(request, "people/account.html", context, status=422 if request.method == "POST" else 200)
