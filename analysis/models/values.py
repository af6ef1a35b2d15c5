"""Values and where they come from."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from analysis.models.runs import Run, where_given
from analysis.querysets import ValueQuerySet
from measurements.models import Measurement
from samples.models import Project, Sample
from samples.models.limits import within


class Publication(models.Model):
    """A source of values that no run gave: a paper, its supplement, or the description of a simulation."""

    key = models.SlugField(max_length=60, unique=True)
    title = models.TextField()
    journal = models.CharField(max_length=200, blank=True)
    doi = models.CharField(max_length=120, blank=True)

    def __str__(self) -> str:
        return self.key


class Value(models.Model):
    """One number with its sigma and unit, and exactly one source: a run, a publication or a person."""

    class Origin(models.TextChoices):
        MEASURED = "measured", "Measured"
        ENTERED = "entered", "Entered by hand"
        PUBLISHED = "published", "Published"
        SIMULATED = "simulated", "Simulated"
        PREDICTED = "predicted", "Predicted"

    class Comparator(models.TextChoices):
        EQUAL = "=", "="
        ABOUT = "~", "≈"
        LESS = "<", "<"
        AT_MOST = "<=", "≤"
        MORE = ">", ">"
        AT_LEAST = ">=", "≥"

    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, null=True, blank=True, related_name="values")
    measurement = models.ForeignKey(
        Measurement, on_delete=models.PROTECT, null=True, blank=True, related_name="values"
    )
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, blank=True, related_name="values", db_index=False,
        help_text="Of a value that belongs to a whole project, such as a slope over its samples.",
    )  # fmt: skip
    property = models.CharField(max_length=60)
    component = models.CharField(max_length=40, blank=True)
    method = models.CharField(max_length=60, blank=True, help_text="Of the run; empty for other sources.")
    value = models.FloatField(null=True, blank=True)
    sigma = models.FloatField(null=True, blank=True)
    upper = models.FloatField(null=True, blank=True, help_text="Upper end, when the source states a range.")
    unit = models.CharField(max_length=30)
    comparator = models.CharField(max_length=2, choices=Comparator.choices, default=Comparator.EQUAL)
    text = models.TextField(blank=True, help_text="What the source says where it gives no number.")
    origin = models.CharField(max_length=20, choices=Origin.choices)
    inferred = models.BooleanField(default=False)
    doubtful = models.BooleanField(
        default=False, db_default=False, help_text="The transcription of the source is in doubt (OCR)."
    )
    current = models.BooleanField(default=True)
    rejected = models.BooleanField(
        default=False, help_text="By its last review: it leaves every dashboard, but not the record."
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, null=True, blank=True, related_name="values", db_index=False
    )  # a constraint below begins with it
    publication = models.ForeignKey(
        Publication, on_delete=models.PROTECT, null=True, blank=True, related_name="values", db_index=False
    )
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entered_values",
        db_index=False,
    )
    extracted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        db_index=False, help_text="Who read the number in the publication.",
    )  # fmt: skip
    place = models.CharField(max_length=200, blank=True, help_text="Where in the publication.")
    note = models.TextField(blank=True, help_text="A person's reason, or a remark of the source.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ValueQuerySet.as_manager()

    class Meta:
        ordering = ["property", "component", "pk"]
        indexes = [
            models.Index(
                name="value_current_by_property",
                fields=["property", "sample", "component", "origin"],
                include=["value", "sigma", "method", "comparator"],
                condition=Q(current=True, value__isnull=False, sample__isnull=False),
            ),
            *where_given("value", "project", "publication", "entered_by", "extracted_by"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="value_one_current_per_subject_and_method",
                fields=["measurement", "method", "property", "component"],
                condition=Q(current=True, run__isnull=False, measurement__isnull=False),
            ),
            models.UniqueConstraint(
                name="value_one_current_per_sample_and_method",
                fields=["sample", "method", "property", "component"],
                condition=Q(current=True, run__isnull=False, measurement__isnull=True, sample__isnull=False),
            ),
            models.UniqueConstraint(
                name="value_one_current_per_project_and_method",
                fields=["project", "method", "property", "component"],
                condition=Q(current=True, run__isnull=False, project__isnull=False),
            ),
            models.CheckConstraint(
                name="value_rejected_is_not_current", condition=Q(rejected=False) | Q(current=False)
            ),
            models.UniqueConstraint(
                name="value_once_per_run",
                fields=["run", "property", "component"],
                condition=Q(run__isnull=False),
            ),
            models.CheckConstraint(
                name="value_has_exactly_one_source",
                condition=Q(run__isnull=False, publication__isnull=True, entered_by__isnull=True)
                | Q(run__isnull=True, publication__isnull=False, entered_by__isnull=True)
                | Q(run__isnull=True, publication__isnull=True, entered_by__isnull=False),
            ),
            models.CheckConstraint(
                name="value_of_a_run_names_method_and_sigma",
                condition=Q(run__isnull=True) | (~Q(method="") & Q(value__isnull=False, sigma__isnull=False)),
            ),
            models.CheckConstraint(
                name="value_belongs_to_something",
                condition=Q(sample__isnull=False) | Q(measurement__isnull=False) | Q(project__isnull=False),
            ),
            models.CheckConstraint(
                name="value_is_a_number_or_a_text", condition=Q(value__isnull=False) | ~Q(text="")
            ),
            within("value", "value"),
            within("value", "sigma", low=0),
            models.CheckConstraint(
                name="value_origin_known",
                condition=Q(origin__in=["measured", "entered", "published", "simulated", "predicted"]),
            ),
            models.CheckConstraint(
                name="value_comparator_known", condition=Q(comparator__in=["=", "~", "<", "<=", ">", ">="])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.property} {self.component} {self.value} {self.unit}"


class Review(models.Model):
    """A person's judgement of a value. The last one counts; all of them stay."""

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"

    value = models.ForeignKey(Value, on_delete=models.PROTECT, related_name="reviews")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="review_verdict_known", condition=Q(verdict__in=["accepted", "rejected"])
            ),
            models.CheckConstraint(name="review_has_a_reason", condition=~Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"
