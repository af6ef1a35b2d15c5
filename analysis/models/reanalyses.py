"""Campaigns of reanalysis, what they changed, and who is told."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from analysis.querysets import NoticeQuerySet, ReanalysisQuerySet
from samples.models import Project


class Reanalysis(models.Model):
    """One round of asking outdated runs again: what was found, how far it is, what changed."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"

    trigger = models.CharField(max_length=20)
    method = models.CharField(max_length=60, blank=True, help_text="Empty: all methods.")
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, blank=True, related_name="reanalyses",
        help_text="Empty: every project.",
    )  # fmt: skip
    reason = models.TextField(blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    begun_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    found = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict, help_text="What changed, by how much; written when it is done.")

    objects = ReanalysisQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "reanalyses"
        constraints = [
            models.CheckConstraint(
                name="reanalysis_state_known", condition=Q(state__in=["running", "paused", "done"])
            )
        ]

    def __str__(self) -> str:
        return f"Reanalysis {self.pk}"


class Notice(models.Model):
    """Something a person should know, in the app and by mail where mail is set up."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, related_name="+")
    text = models.TextField()
    url = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(name="notice_unread", fields=["user"], condition=Q(read_at__isnull=True)),
            models.Index(name="notice_to_mail", fields=["at"], condition=Q(mailed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.text
