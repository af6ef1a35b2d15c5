"""Questions about samples. Every list, count, file and figure starts from `visible_to`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from samples.models import User

VIEWER, CONTRIBUTOR, MANAGER = 10, 20, 30


class ProjectQuerySet(models.QuerySet):
    def with_role(self, user: Any, role: int) -> ProjectQuerySet:
        """Projects where `user` has at least `role`. Being a site administrator opens no project."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(memberships__user=user, memberships__role__gte=role)

    def visible_to(self, user: Any) -> ProjectQuerySet:
        return self.with_role(user, VIEWER)

    def open_to(self, user: Any) -> ProjectQuerySet:
        """Projects into which `user` may write."""
        return self.with_role(user, CONTRIBUTOR)


class OfProject(models.QuerySet):
    """Rows that belong to a project, directly or through `project_path`."""

    project_path = "project"

    def visible_to(self, user: User) -> OfProject:
        return self._in_projects(user, VIEWER)

    def open_to(self, user: User) -> OfProject:
        return self._in_projects(user, CONTRIBUTOR)

    def _in_projects(self, user: Any, role: int) -> OfProject:
        from samples.models import Membership

        if not user.is_authenticated or not user.is_active:
            return self.none()
        projects = Membership.objects.filter(user=user, role__gte=role).values("project_id")
        return self.filter(**{f"{self.project_path}__in": projects})


class OfSample(OfProject):
    project_path = "sample__project"


class SampleQuerySet(OfProject):
    def search(self, text: str) -> SampleQuerySet:
        """Samples whose code, name or notation contains every word of `text`."""
        found = self
        for word in text.split():
            found = found.filter(
                models.Q(code__icontains=word)
                | models.Q(name__icontains=word)
                | models.Q(notation__icontains=word)
            )
        return found

    def for_list(self) -> SampleQuerySet:
        return self.select_related("project", "factors")
