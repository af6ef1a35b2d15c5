"""Who is told of results by HTTP, and every message that was meant for them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analysis.querysets import WebhookQuerySet
from samples.models import Project


class Webhook(models.Model):
    """An address that is told of results, with a signature that only its owner can check."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=80, help_text="In the clear, for every message is signed with it.")
    events = ArrayField(models.CharField(max_length=40), default=list, help_text="Empty: all of them.")
    enabled = models.BooleanField(default=True)
    resting_until = models.DateTimeField(
        null=True, help_text="Its server could not be reached; nothing is sent to it before then."
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(name="webhook_has_a_secret", condition=~Q(secret=""))]

    def __str__(self) -> str:
        return self.url

    @property
    def rests(self) -> bool:
        return self.resting_until is not None and self.resting_until > timezone.now()


class Delivery(models.Model):
    """One message to one webhook, tried until it is taken or given up."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        TAKEN = "taken", "Taken"
        GIVEN_UP = "given_up", "Given up"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    body = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(auto_now_add=True)
    made_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True, help_text="The last time.")
    answer = models.CharField(max_length=300, blank=True, help_text="To the last attempt, in words.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(name="delivery_waiting", fields=["not_before"], condition=Q(state="waiting")),
        ]
        constraints = [
            models.CheckConstraint(
                name="delivery_state_known", condition=Q(state__in=["waiting", "taken", "given_up"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"
