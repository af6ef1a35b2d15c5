"""Sources that disagree: both kept, shown side by side, decided by a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from analysis.models.values import Publication, Value
from analysis.querysets import ConflictQuerySet
from samples.models import Project
from samples.models.audit import audited


@audited
class Conflict(models.Model):
    """Two or more statements about one thing that cannot all be right, or one that cannot be right at all."""

    class Category(models.TextChoices):
        CONTRADICTION = "contradiction", "Contradiction"
        TENSION = "tension", "Tension"
        IMPLAUSIBLE = "implausible", "Implausible"
        AMBIGUITY = "ambiguity", "Ambiguity"
        METHOD = "method", "Method"
        TYPO = "typo", "Misprint"
        NOTATION = "notation", "Notation"
        OCR = "ocr", "Doubtful transcription"
        GARBLED = "garbled", "Garbled"
        NOTE = "note", "Note"
        VALUES = "values", "Values that disagree"

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="conflicts")
    code = models.CharField(max_length=60, help_text="Short name, such as C-LAMBDA.")
    category = models.CharField(max_length=20, choices=Category.choices)
    title = models.CharField(max_length=300)
    detail = models.TextField(blank=True)
    suggestion = models.TextField(blank=True, help_text="The best reading, until somebody decides.")
    publications = models.ManyToManyField(Publication, blank=True, related_name="conflicts")
    values = models.ManyToManyField(Value, blank=True, related_name="conflicts")
    found_at = models.DateTimeField(auto_now_add=True)
    decision = models.TextField(blank=True)
    decided_value = models.ForeignKey(
        Value, on_delete=models.PROTECT, null=True, blank=True, related_name="decided_conflicts"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ConflictQuerySet.as_manager()

    class Meta:
        ordering = ["decided_at", "code"]
        constraints = [
            models.UniqueConstraint(name="conflict_code_once_per_project", fields=["project", "code"]),
            models.CheckConstraint(
                name="conflict_category_known",
                condition=Q(
                    category__in=[
                        "contradiction",
                        "tension",
                        "implausible",
                        "ambiguity",
                        "method",
                        "typo",
                        "notation",
                        "ocr",
                        "garbled",
                        "note",
                        "values",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="conflict_decided_by_somebody_with_words",
                condition=Q(decided_at__isnull=True) | (Q(decided_by__isnull=False) & ~Q(decision="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"
