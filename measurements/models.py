"""What was measured: instruments, raw files as they came, and what the readers made of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse

from measurements.querysets import AttachmentQuerySet, MeasurementQuerySet, OfMeasurement
from measurements.techniques import Technique
from samples.models import Preparation, Project, Sample
from samples.models.audit import audited
from samples.models.limits import within
from samples.querysets import OfProject

SHA256 = r"^[0-9a-f]{64}$"


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
    origin = models.CharField(max_length=20, choices=Origin.choices, default=Origin.MEASURED)
    instrument = models.ForeignKey(
        Instrument, on_delete=models.PROTECT, null=True, blank=True, related_name="measurements"
    )
    acquired_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty when neither file nor person says."
    )
    conditions = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.RECEIVED)
    error = models.TextField(blank=True, help_text="The sentence that explains a failure.")
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
        ]
        constraints = [
            models.UniqueConstraint(
                name="measurement_same_bytes_once",
                fields=["project", "sample", "claimed_code", "technique", "content_key"],
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
                name="measurement_origin_known", condition=Q(origin__in=["measured", "simulated"])
            ),
            models.CheckConstraint(
                name="measurement_failure_has_a_sentence", condition=~Q(status="failed") | ~Q(error="")
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
    qc = ArrayField(
        models.TextField(), default=list, help_text="What is odd about the numbers, in sentences."
    )
    preview = models.BinaryField(null=True, help_text="Up to 400 points: float32 x, then float32 y.")
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

    def described(self) -> dict[str, Any]:
        return {"name": self.signal_name, "unit": self.signal_unit}


@audited
class Attachment(models.Model):
    """A photo, a furnace log or any other file, on a sample, on a preparation, or on a step of one.

    A step is named by its kind and its place, as planned: so a picture can be there before the step is
    recorded, and it stays when the record is undone.
    """

    class Kind(models.TextChoices):
        PHOTO = "photo", "Photo"
        FURNACE_LOG = "furnace_log", "Furnace log"
        FILE = "file", "File"

    STEP_KINDS = ("milling", "sintering", "quench", "otherstep")
    PICTURES = ("image/png", "image/jpeg", "image/webp")

    sample = models.ForeignKey(
        Sample, on_delete=models.PROTECT, null=True, blank=True, related_name="attachments"
    )
    preparation = models.ForeignKey(
        Preparation, on_delete=models.PROTECT, null=True, blank=True, related_name="attachments"
    )
    step_kind = models.CharField(max_length=12, blank=True)
    step_order = models.PositiveSmallIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.FILE)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="attachments")
    filename = models.CharField(max_length=255, help_text="As sent; only ever text, never a path.")
    media_type = models.CharField(
        max_length=20, blank=True, help_text="Of a picture whose first bytes prove it; empty: never shown."
    )
    note = models.TextField(blank=True)
    preview = models.BinaryField(
        null=True, help_text="Of a furnace log, up to 400 points: float32 minutes, then float32 °C."
    )
    reading = models.JSONField(default=dict, blank=True, help_text="What a furnace log was found to say.")
    attached_at = models.DateTimeField(auto_now_add=True)
    attached_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.TextField(blank=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="attachment_on_a_sample_or_a_preparation",
                condition=Q(sample__isnull=False, preparation__isnull=True)
                | Q(sample__isnull=True, preparation__isnull=False),
            ),
            models.CheckConstraint(
                name="attachment_step_whole_and_of_a_preparation",
                condition=Q(step_kind="", step_order__isnull=True)
                | Q(
                    step_kind__in=["milling", "sintering", "quench", "otherstep"],
                    step_order__isnull=False,
                    preparation__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="attachment_kind_known", condition=Q(kind__in=["photo", "furnace_log", "file"])
            ),
            models.CheckConstraint(
                name="attachment_furnace_log_of_a_hot_step",
                condition=~Q(kind="furnace_log") | Q(step_kind__in=["sintering", "quench"]),
                violation_error_message="A furnace log belongs to a sintering or quench step.",
            ),
            models.CheckConstraint(
                name="attachment_media_type_of_a_picture",
                condition=Q(media_type__in=["", "image/png", "image/jpeg", "image/webp"]),
            ),
            models.CheckConstraint(name="attachment_filename_not_empty", condition=~Q(filename="")),
            models.CheckConstraint(
                name="attachment_voided_with_a_reason",
                condition=Q(voided_at__isnull=True) | ~Q(void_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def step(self) -> str:
        """`sintering-2`, or "" for what belongs to the whole."""
        return f"{self.step_kind}-{self.step_order}" if self.step_kind else ""
