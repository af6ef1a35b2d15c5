"""With which parameters a project wants its measurements analysed."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from samples.models import Project
from samples.models.audit import audited
from samples.querysets import OfProject


@audited
class ProjectParams(models.Model):
    """Default parameters of one method in one project. What a person chooses for a run goes before them."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="default_params")
    method = models.CharField(max_length=60)
    params = models.JSONField(default=dict, help_text="What differs from the method’s own defaults.")
    former = models.JSONField(
        default=list,
        help_text="All parameters that were the default before; runs made with them are outdated.",
    )
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    objects = OfProject.as_manager()

    class Meta:
        ordering = ["project", "method"]
        verbose_name_plural = "project params"
        constraints = [
            models.UniqueConstraint(name="projectparams_one_per_method", fields=["project", "method"])
        ]

    def __str__(self) -> str:
        return f"{self.method} in {self.project}"
