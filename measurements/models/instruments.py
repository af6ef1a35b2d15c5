"""Machines that post files."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from samples.models import Project
from samples.querysets import OfProject


class Instrument(models.Model):
    """A machine that posts files. Its tokens belong to its own service account."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="instruments")
    name = models.CharField(max_length=80, unique=True)
    model = models.CharField("maker and model", max_length=120, blank=True)
    location = models.CharField(max_length=120, blank=True)
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="instrument"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OfProject.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(name="instrument_name_not_empty", condition=~Q(name=""))]

    def __str__(self) -> str:
        return self.name
