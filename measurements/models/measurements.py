"""What was measured: raw files as they came, and what the readers made of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from measurements.models.blobs import SHA256, Blob
from measurements.models.instruments import Instrument
from measurements.querysets import WAITS_FOR_A_PERSON, MeasurementQuerySet, OfMeasurement
from measurements.techniques import Technique
from samples.models import Project, Sample
from samples.models.limits import within


class QcLevel(models.TextChoices):
    """Green: nothing odd. Amber: look before you use it. Red: the numbers cannot mean what they seem to."""

    GREEN = "green", "Nothing odd"
    AMBER = "amber", "Look at it"
    RED = "red", "Do not trust it"


class Conflict(models.TextChoices):
    """Two answers to one question; a person says which holds."""

    HEADER = "header", "The file names another sample"
    BYTES = "bytes", "The same bytes are at another sample"


class Measurement(models.Model):
    """One act of measuring, with the file or files that it left. Without a sample it waits in the inbox."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        READ = "read", "Read"
        FAILED = "failed", "Could not be read"
        VOID = "void", "Void"

    class Origin(models.TextChoices):
        MEASURED = "measured", "Measured"
        SIMULATED = "simulated", "Simulated"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="measurements")
    sample = models.ForeignKey(
        Sample, on_delete=models.PROTECT, null=True, blank=True, related_name="measurements"
    )
    claimed_code = models.CharField(
        max_length=200,
        blank=True,
        help_text="The sample code that came with the upload and is not known here.",
    )
    technique = models.CharField(max_length=20, choices=Technique.choices, default=Technique.UNKNOWN)
    technique_confidence = models.FloatField(
        null=True, blank=True, help_text="Of a detected technique, 0 to 1; empty when a person said it."
    )
    technique_reason = models.CharField(
        max_length=200, blank=True, help_text="What the detection went by, in words."
    )
    origin = models.CharField(max_length=20, choices=Origin.choices, default=Origin.MEASURED)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, null=True, blank=True, related_name="measurements"
    )
    acquired_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty when neither file nor person says."
    )
    conditions = models.JSONField(default=dict, blank=True)
    qc_level = models.CharField(
        max_length=5,
        choices=QcLevel.choices,
        blank=True,
        help_text="The worst of its datasets'; empty: not read.",
    )
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.RECEIVED)
    error = models.TextField(blank=True, help_text="The sentence that explains a failure.")
    refused_by = models.CharField(
        max_length=80,
        blank=True,
        help_text="Reader and version that could not read it; empty: no reader did.",
    )
    conflict = models.CharField(
        max_length=10, choices=Conflict.choices, blank=True, help_text="Until a person has decided it."
    )
    waits_because = models.TextField(
        blank=True, help_text="Why it came into the inbox, where that is not plain: a row of a batch."
    )
    read_again_with = models.CharField(
        max_length=80, blank=True, help_text="Reader and version that a failed file was handed to again."
    )
    content_key = models.CharField(max_length=64, help_text="SHA-256 over the roles and hashes of its files.")
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="How often a worker began to read it; a file that kills its reader is given up."
    )
    queued_at = models.DateTimeField(
        null=True, help_text="When the sweep last handed it to the broker again."
    )
    received_at = models.DateTimeField(auto_now_add=True)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = MeasurementQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(name="measurement_waiting", fields=["received_at"], condition=Q(status="received")),
            models.Index(name="measurement_inbox", fields=["project"], condition=Q(sample__isnull=True)),
            models.Index(name="measurement_for_a_person", fields=["project"], condition=WAITS_FOR_A_PERSON),
        ]
        constraints = [
            models.UniqueConstraint(
                name="measurement_same_bytes_once",
                fields=["content_key", "project", "sample", "claimed_code", "technique"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="measurement_technique_known", condition=Q(technique__in=Technique.values)
            ),
            models.CheckConstraint(
                name="measurement_status_known",
                condition=Q(status__in=["received", "read", "failed", "void"]),
            ),
            models.CheckConstraint(
                name="measurement_conflict_known", condition=Q(conflict__in=["", "header", "bytes"])
            ),
            models.CheckConstraint(
                name="measurement_origin_known", condition=Q(origin__in=["measured", "simulated"])
            ),
            models.CheckConstraint(
                name="measurement_failure_has_a_sentence", condition=~Q(status="failed") | ~Q(error="")
            ),
            within("measurement", "technique_confidence", low=0, high=1),
            models.CheckConstraint(
                name="measurement_qc_level_known", condition=Q(qc_level__in=["", "green", "amber", "red"])
            ),
            models.CheckConstraint(
                name="measurement_content_key_hash", condition=Q(content_key__regex=SHA256)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_technique_display()} of {self.sample or 'unknown sample'}"

    def get_absolute_url(self) -> str:
        return reverse("measurement", args=[self.pk])


class RawFile(models.Model):
    """A file as it arrived: its bytes, its name, and who handed it over."""

    measurement = models.ForeignKey(Measurement, on_delete=models.PROTECT, related_name="files")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="files")
    filename = models.CharField(max_length=255, help_text="As sent; only ever text, never a path.")
    role = models.CharField(max_length=40, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    objects = OfMeasurement.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(name="rawfile_filename_not_empty", condition=~Q(filename=""))]

    def __str__(self) -> str:
        return self.filename


class Dataset(models.Model):
    """What one reader version made of a measurement: NXdata in HDF5, under the hash of that file."""

    measurement = models.ForeignKey(Measurement, on_delete=models.PROTECT, related_name="datasets")
    number = models.PositiveSmallIntegerField(default=0, help_text="Several scans in one file count from 0.")
    file = models.ForeignKey(RawFile, on_delete=models.PROTECT, null=True, related_name="datasets")
    reader = models.CharField(max_length=60)
    reader_version = models.PositiveIntegerField()
    current = models.BooleanField(default=True)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="datasets")
    shape = ArrayField(models.PositiveIntegerField())
    axes = models.JSONField(help_text="[{name, unit, size}] in the order of the dimensions.")
    signal_name = models.CharField(max_length=80)
    signal_unit = models.CharField(max_length=40)
    header = models.JSONField(default=dict, help_text="Everything the file said, verbatim.")
    title = models.CharField(
        max_length=200, blank=True, help_text="Which scan, region or column of the file."
    )
    conditions = models.JSONField(default=dict, help_text="{key: {value, unit}} of measurements.vocabulary.")
    flags = models.JSONField(
        default=list, help_text="What the checks found: [{check, level, sentence}]; empty when all is well."
    )
    qc_level = models.CharField(max_length=5, choices=QcLevel.choices, default=QcLevel.GREEN)
    preview = models.BinaryField(null=True, help_text="Up to 400 points: float32 x, then float32 y.")
    overview = models.BinaryField(
        null=True, help_text="Of a large dataset or a map, what a page draws: measurements.overview."
    )
    read_at = models.DateTimeField(auto_now_add=True)

    objects = OfMeasurement.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                name="dataset_once_per_reader_version",
                fields=["measurement", "number", "reader", "reader_version"],
            ),
            models.UniqueConstraint(
                name="dataset_one_current", fields=["measurement", "number"], condition=Q(current=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signal_name} {tuple(self.shape)}"

    @property
    def qc(self) -> list[str]:
        """What is odd about the numbers, in sentences."""
        return [flag["sentence"] for flag in self.flags]

    def described(self) -> dict[str, Any]:
        return {"name": self.signal_name, "unit": self.signal_unit}
