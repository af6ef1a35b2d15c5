"""The rules that may decide without a person, and what was decided about a measurement."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from measurements import naming
from measurements.models.instruments import Instrument
from measurements.models.measurements import Measurement
from measurements.querysets import OfMeasurement
from measurements.techniques import Technique
from samples.models import Project, Sample
from samples.models.audit import audited
from samples.querysets import OfProject


def checked_pattern(pattern: str) -> None:
    try:
        naming.Pattern(pattern)
    except naming.PatternError as error:
        raise ValidationError(str(error)) from None


@audited
class InboxRule(models.Model):
    """Where the code of the sample stands, in files of one project. Made by its managers."""

    class Source(models.TextChoices):
        FILENAME = "filename", "The name of the file"
        HEADER = "header", "A line of its header"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="inbox_rules")
    instrument = models.ForeignKey(
        Instrument,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="inbox_rules",
        help_text="Empty: files of every origin.",
    )
    source = models.CharField("looks at", max_length=8, choices=Source.choices, default=Source.FILENAME)
    header_key = models.CharField(max_length=120, blank=True, help_text="Of a header: the name of its line.")
    pattern = models.CharField(
        max_length=naming.LONGEST_PATTERN,
        validators=[checked_pattern],
        help_text="{sample} stands for the code, * for anything, ? for one character: {sample}_*.txt",
    )
    technique = models.CharField(
        max_length=20, choices=Technique.choices, blank=True, help_text="Empty: as the file says."
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    objects = OfProject.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="inboxrule_source_known",
                condition=Q(source="filename", header_key="") | (Q(source="header") & ~Q(header_key="")),
                violation_error_message="A rule for the header names its line; one for file names does not.",
            ),
            models.CheckConstraint(
                name="inboxrule_pattern_has_a_sample", condition=Q(pattern__contains="{sample}")
            ),
            models.CheckConstraint(
                name="inboxrule_technique_known", condition=Q(technique__in=["", *Technique.values])
            ),
        ]

    def __str__(self) -> str:
        where = f"header line {self.header_key}: " if self.source == self.Source.HEADER else ""
        return f"{where}{self.pattern}"


@audited
class Decision(models.Model):
    """One thing that a person or a rule decided about a measurement. Only ever added."""

    class Kind(models.TextChoices):
        ASSIGNED = "assigned", "given its sample"
        MOVED = "moved", "moved"
        TECHNIQUE = "technique", "technique said"
        KEPT = "kept", "kept as it is"
        VOIDED = "voided", "declared void"
        RESTORED = "restored", "no longer void"
        REREAD = "reread", "read again"

    measurement = models.ForeignKey(Measurement, on_delete=models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    from_sample = models.ForeignKey(
        Sample, on_delete=models.PROTECT, null=True, blank=True, related_name="measurements_moved_away"
    )
    to_sample = models.ForeignKey(
        Sample, on_delete=models.PROTECT, null=True, blank=True, related_name="measurements_moved_here"
    )
    before = models.CharField(max_length=200, blank=True, help_text="Of a technique: what stood there.")
    after = models.CharField(max_length=200, blank=True)
    rule = models.ForeignKey(
        InboxRule, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)
    reason = models.TextField(blank=True)

    objects = OfMeasurement.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="decision_kind_known",
                condition=Q(
                    kind__in=["assigned", "moved", "technique", "kept", "voided", "restored", "reread"]
                ),
            ),
            models.CheckConstraint(
                name="decision_moved_and_voided_with_a_reason",
                condition=~Q(kind__in=["moved", "voided", "restored"]) | ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.measurement_id}"
