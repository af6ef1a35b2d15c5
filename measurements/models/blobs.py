"""Bytes, by their hash."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from samples.models.limits import within

SHA256 = r"^[0-9a-f]{64}$"


class Blob(models.Model):
    """Bytes that are durably on disk under their own hash. Never changed, never rewritten."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField()
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="blob_sha256_is_64_hex_digits", condition=Q(sha256__regex=SHA256)),
            within("blob", "size", low=0),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:8]}… ({self.size} bytes)"
