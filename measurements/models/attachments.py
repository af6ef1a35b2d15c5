"""What people attach to samples, preparations and steps."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from measurements.models.blobs import Blob
from measurements.querysets import AttachmentQuerySet
from samples.models import Preparation, Sample
from samples.models.audit import audited


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
