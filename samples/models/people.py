"""Who works here, and the project as the unit of access."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

from samples.models.audit import audited
from samples.querysets import ProjectQuerySet


class Role(models.IntegerChoices):
    """Ordered, so that "at least a contributor" is a comparison."""

    VIEWER = 10, "Viewer"
    CONTRIBUTOR = 20, "Contributor"
    MANAGER = 30, "Manager"


class User(AbstractUser):
    """A person, or the service account behind an instrument's token."""

    time_zone = models.CharField(
        max_length=64, blank=True, help_text="Such as Europe/Berlin; empty: the browser's own zone."
    )
    default_project = models.ForeignKey(
        "samples.Project",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where an upload without a known sample waits.",
    )


@audited
class Project(models.Model):
    """The unit of access: everything in Vitrine belongs to exactly one."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership", related_name="projects")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(name="project_name_not_empty", condition=~Q(name=""))]

    def __str__(self) -> str:
        return self.name


@audited
class Membership(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=Role.choices, default=Role.VIEWER)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="membership_one_role_per_person_and_project", fields=["project", "user"]
            ),
            models.CheckConstraint(name="membership_role_known", condition=Q(role__in=Role.values)),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}: {self.get_role_display()}"
