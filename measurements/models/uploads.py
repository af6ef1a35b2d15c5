"""Files that come in pieces."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.utils import timezone

KEPT_FOR = timedelta(days=7)  # since the last piece
EMPTY_KEPT_FOR = timedelta(hours=1)  # room is promised to it, and nothing would be lost


def expiry(received_bytes: int = 0) -> datetime:
    return timezone.now() + (KEPT_FOR if received_bytes else EMPTY_KEPT_FOR)


class UploadQuerySet(models.QuerySet):
    def of(self, user: models.Model) -> UploadQuerySet:
        """Whoever began an upload goes on with it; for others it does not exist."""
        return self.filter(owner=user)

    def unfinished(self) -> UploadQuerySet:
        return self.filter(receipt__isnull=True, given_up_at__isnull=True)

    def complete(self) -> UploadQuerySet:
        """Every byte is here, and no measurement yet: its web worker was killed at the last moment."""
        return self.unfinished().filter(received_bytes=F("size_bytes"))

    def promised_bytes(self) -> int:
        """What is still to come to them: room that nobody else may have."""
        return self.aggregate(sum=Sum(F("size_bytes") - F("received_bytes")))["sum"] or 0

    def expired(self) -> UploadQuerySet:
        return self.filter(expires_at__lt=timezone.now())


class Upload(models.Model):
    """A resumable upload (tus 1.0). This row says how much of it is durably on disk."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    project = models.ForeignKey(
        "samples.Project",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Whose quota its bytes were promised from; where they go is decided when they are here.",
    )
    size_bytes = models.BigIntegerField()
    received_bytes = models.BigIntegerField(default=0, help_text="Flushed to disk: a power cut spares them.")
    said = models.JSONField(default=dict, help_text="What its sender says about it, as text.")
    created_at = models.DateTimeField(auto_now_add=True)
    active_at = models.DateTimeField(default=timezone.now, help_text="When the last bytes were acknowledged.")
    expires_at = models.DateTimeField(default=expiry)
    writer = models.UUIDField(null=True, help_text="The request that may add bytes; a newer one takes over.")
    receipt = models.JSONField(null=True, help_text="What was answered when the measurement was there.")
    given_up_at = models.DateTimeField(null=True, help_text="When its bytes were removed, unfinished.")

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(name="upload_expiry", fields=["expires_at"])]
        constraints = [
            models.CheckConstraint(
                name="upload_received_within_size",
                condition=Q(received_bytes__gte=0) & Q(received_bytes__lte=F("size_bytes")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.received_bytes} of {self.size_bytes} bytes of {self.filename}"

    @property
    def filename(self) -> str:
        return str(self.said.get("filename", ""))

    @property
    def has_ended(self) -> bool:
        """Nobody went on with it in time; its bytes are gone, or will be with the next sweep."""
        return self.given_up_at is not None or self.expires_at < timezone.now()

    @property
    def is_complete(self) -> bool:
        return self.received_bytes == self.size_bytes
