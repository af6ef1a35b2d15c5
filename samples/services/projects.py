"""Projects and their people."""

from __future__ import annotations

from django.db import transaction

from samples.models import Membership, Project, Role, User


@transaction.atomic
def create_project(*, user: User, name: str, slug: str, description: str = "") -> Project:
    project = Project.objects.create(name=name, slug=slug, description=description)
    Membership.objects.create(project=project, user=user, role=Role.MANAGER)
    if user.default_project_id is None:
        user.default_project = project
        user.save(update_fields=["default_project"])
    return project
