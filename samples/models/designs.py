from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from samples.models.audit import audited
from samples.models.people import Project
from samples.querysets import OfProject


@audited
class Design(models.Model):
    """An array of planned samples: factors × levels, and the seed of its order, to draw it again."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="designs")
    name = models.CharField(max_length=160)
    levels = models.JSONField(help_text="As asked: factor → levels, replicates, fraction, blocks.")
    seed = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = OfProject.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(name="design_name_once_per_project", fields=["project", "name"]),
            models.CheckConstraint(name="design_name_not_empty", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
