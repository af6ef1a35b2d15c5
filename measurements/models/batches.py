"""Many files at once: a table that says what each of them is, and the files as they come in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from measurements.models.blobs import Blob
from measurements.models.measurements import Measurement
from measurements.querysets import BatchQuerySet
from samples.models import Project


class Batch(models.Model):
    """A manifest and what came with it. Its maker's alone; what it made belongs to the projects."""

    class Status(models.TextChoices):
        OPEN = "open", "Waits for its files"
        QUEUED = "queued", "Is being recorded"
        DONE = "done", "Recorded"

    project = models.ForeignKey(
        Project,
        on_delete=models.PROTECT,
        related_name="batches",
        help_text="Whose inbox takes what cannot be recorded as its row says.",
    )
    name = models.CharField(max_length=255, help_text="The manifest's file name.")
    manifest = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="manifests")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    remarks = models.JSONField(default=list, help_text="On the table as a whole: a column that is not known.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    committed_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True, help_text="When it was last handed to the broker.")

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(name="batch_unfinished", fields=["queued_at"], condition=Q(status="queued")),
        ]
        constraints = [
            models.CheckConstraint(
                name="batch_status_known", condition=Q(status__in=["open", "queued", "done"])
            ),
            models.CheckConstraint(name="batch_name_not_empty", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("batch", args=[self.pk])


class BatchRow(models.Model):
    """One row of the manifest: one file, and what it says of it."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="In the table, as a spreadsheet counts.")
    said = models.JSONField(help_text="Its cells by column, as they were understood.")
    wrong = models.JSONField(default=list, help_text="Sentences on cells that were not understood.")
    measurement = models.ForeignKey(
        Measurement, on_delete=models.PROTECT, null=True, related_name="batch_rows"
    )
    outcome = models.TextField(blank=True, help_text="What became of it, where that needs saying.")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(name="batchrow_once", fields=["batch", "number"])]

    def __str__(self) -> str:
        return f"row {self.number}"


class BatchFile(models.Model):
    """A file of the batch, durably stored under its hash; waits for the batch to be recorded."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=1000, help_text="With its folders, as sent; only ever text.")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="batch_files")
    measurement = models.ForeignKey(
        Measurement,
        on_delete=models.PROTECT,
        null=True,
        related_name="batch_files",
        help_text="That it became without a row.",
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="batchfile_once", fields=["batch", "name", "blob"]),
            models.CheckConstraint(name="batchfile_name_not_empty", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
