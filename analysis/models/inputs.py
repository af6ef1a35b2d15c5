"""What methods read, kept where it is read quickly."""

from __future__ import annotations

from django.db import models

from measurements.models import Blob


class QuickInput(models.Model):
    """A copy of a small dataset beside the runs that read it: analysis.compact.

    It may be deleted at any time: the file under the blob's hash is the record, and the next run that reads
    it writes the copy again.
    """

    blob = models.OneToOneField(Blob, on_delete=models.CASCADE, primary_key=True, related_name="quick_input")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"copy of {self.blob}"
