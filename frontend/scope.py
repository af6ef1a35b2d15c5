"""Which project a page is about: `?project=slug`, or the one chosen last; none means all one sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from samples.models import Membership, Project
from samples.querysets import CONTRIBUTOR, MANAGER

ALL = "all"
REMEMBERED = "project"
Rows = TypeVar("Rows", bound=QuerySet)


@dataclass(frozen=True)
class Scope:
    """The reader's memberships, one query a request, and the project chosen among them."""

    memberships: tuple[Membership, ...]
    project: Project | None
    unknown: bool = False

    def role_in(self, project_id: int) -> int:
        """The reader's role, 0 when not a member."""
        return next((m.role for m in self.memberships if m.project_id == project_id), 0)

    def may_write(self, project_id: int) -> bool:
        return self.role_in(project_id) >= CONTRIBUTOR

    def manages(self, project_id: int) -> bool:
        return self.role_in(project_id) >= MANAGER

    @property
    def may_write_anywhere(self) -> bool:
        return any(m.role >= CONTRIBUTOR for m in self.memberships)

    @property
    def manages_anywhere(self) -> bool:
        return any(m.role >= MANAGER for m in self.memberships)

    def writable(self) -> list[Project]:
        return [m.project for m in self.memberships if m.role >= CONTRIBUTOR]


def scope(request: HttpRequest) -> Scope:
    known = getattr(request, "_vitrine_scope", None)
    if known is None:
        known = request._vitrine_scope = _scope(request)
    return known


def _scope(request: HttpRequest) -> Scope:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_active:
        return Scope((), None)
    memberships = tuple(
        Membership.objects.filter(user=user).select_related("project").order_by("project__name")
    )
    projects = {m.project.slug: m.project for m in memberships}
    asked = request.GET.get("project")
    if asked is None:
        return Scope(memberships, projects.get(request.session.get(REMEMBERED, "")))
    if asked in (ALL, ""):
        request.session.pop(REMEMBERED, None)
        return Scope(memberships, None)
    if asked not in projects:
        return Scope(memberships, None, unknown=True)
    if request.session.get(REMEMBERED) != asked:
        request.session[REMEMBERED] = asked
    return Scope(memberships, projects[asked])


def narrowed(rows: Rows, request: HttpRequest, path: str = "project") -> Rows:
    """Rows that the reader may see, in the chosen project. `path` leads from a row to its project."""
    chosen = scope(request)
    if chosen.unknown:
        raise Http404("There is no such project among yours.")
    projects = [membership.project_id for membership in chosen.memberships]
    seen = rows.visible_to(request.user, projects=projects)
    return seen.filter(**{path: chosen.project}) if chosen.project else seen
