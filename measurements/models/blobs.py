"""Bytes, by their hash."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from samples.models.limits import within

SHA256 = r"^[0-9a-f]{64}$"


def last_sound() -> Coalesce:
    """When the bytes were last known to have their hash: as they came, or when they were read again."""
    return Coalesce("verified_at", "stored_at")


class BlobQuerySet(models.QuerySet):
    def due(self, before: datetime) -> BlobQuerySet:
        """What nobody has read again since `before`, the longest unread first."""
        return (
            self.filter(damaged_at=None)
            .alias(sound_at=last_sound())
            .filter(sound_at__lt=before)
            .order_by("sound_at", "pk")
        )

    def damaged(self) -> BlobQuerySet:
        return self.filter(damaged_at__isnull=False)


class Blob(models.Model):
    """Bytes that are durably on disk under their own hash. Never changed, never rewritten."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    stored_at = models.DateTimeField(auto_now_add=True)
    verified_at = models.DateTimeField(
        null=True, editable=False, help_text="When the bytes were last read again and had their hash."
    )
    damaged_at = models.DateTimeField(
        null=True, editable=False, help_text="When the bytes were found not to have their hash any more."
    )
    damage = models.CharField(max_length=200, blank=True, help_text="What was found, in words.")

    objects = BlobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(last_sound(), name="blob_last_sound"),
            models.Index(fields=["damaged_at"], name="blob_damaged", condition=Q(damaged_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="blob_damage_in_words",
                condition=Q(damaged_at__isnull=True, damage="")
                | (Q(damaged_at__isnull=False) & ~Q(damage="")),
            ),
            models.CheckConstraint(name="blob_sha256_is_64_hex_digits", condition=Q(sha256__regex=SHA256)),
            within("blob", "size", low=0),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:8]}… ({self.size} bytes)"
