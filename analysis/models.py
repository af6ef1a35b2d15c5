"""What it means: runs of methods, the values they gave, and where every other value comes from."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analysis.querysets import RunQuerySet, ValueQuerySet
from measurements.models import Blob, Dataset, Measurement
from measurements.querysets import OfMeasurement
from samples.models import Sample
from samples.models.limits import within


class Run(models.Model):
    """One execution of one method version with one set of parameters on given datasets. Never repeated, never
    overwritten: `identity` hashes all of it."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Trigger(models.TextChoices):
        UPLOAD = "upload", "Upload"
        SCHEDULE = "schedule", "Schedule"
        PERSON = "person", "Person"
        SUPERSESSION = "supersession", "Supersession"

    measurement = models.ForeignKey(Measurement, on_delete=models.PROTECT, related_name="runs")
    method = models.CharField(max_length=60)
    method_version = models.PositiveIntegerField()
    params = models.JSONField(default=dict)
    identity = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.QUEUED)
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.UPLOAD)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    requested_at = models.DateTimeField(
        default=timezone.now, help_text="When somebody last asked for it; the last asked is current."
    )
    queued_at = models.DateTimeField(help_text="When it was last handed to the broker.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True, help_text="Until then nobody else may take it over.")
    attempts = models.PositiveSmallIntegerField(default=0)
    duration_s = models.FloatField(null=True)
    host = models.CharField(max_length=120, blank=True)
    libraries = models.JSONField(default=dict)
    message = models.TextField(blank=True, help_text="Why it failed, in a sentence.")
    warnings = ArrayField(models.TextField(), default=list)
    notes = models.JSONField(default=dict, help_text="Diagnostics of the fit: R², BIC, correlations.")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                name="run_unfinished",
                fields=["status", "queued_at"],
                condition=Q(status__in=["queued", "running"]),
            ),
            models.Index(name="run_by_method", fields=["method", "method_version"]),
        ]
        constraints = [
            models.CheckConstraint(
                name="run_status_known",
                condition=Q(status__in=["queued", "running", "done", "failed", "cancelled"]),
            ),
            models.CheckConstraint(
                name="run_running_under_a_lease",
                condition=~Q(status="running") | Q(lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="run_failure_has_a_sentence", condition=~Q(status="failed") | ~Q(message="")
            ),
            within("run", "duration_s", low=0),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.method_version} of {self.measurement_id}"

    @property
    def unfinished(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class RunInput(models.Model):
    """Which dataset a run read, in which role."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="inputs")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="runs")
    role = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(name="runinput_one_per_role", fields=["run", "role"])]

    def __str__(self) -> str:
        return f"{self.role}: {self.dataset}"


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
    current = models.BooleanField(default=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="values")
    publication = models.ForeignKey(
        Publication, on_delete=models.PROTECT, null=True, blank=True, related_name="values"
    )
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="entered_values",
    )
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
        ]
        constraints = [
            models.UniqueConstraint(
                name="value_one_current_per_subject_and_method",
                fields=["measurement", "method", "property", "component"],
                condition=Q(current=True, run__isnull=False),
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
                name="value_of_a_run_names_method_measurement_and_sigma",
                condition=Q(run__isnull=True)
                | (~Q(method="") & Q(measurement__isnull=False, value__isnull=False, sigma__isnull=False)),
            ),
            models.CheckConstraint(
                name="value_belongs_to_something",
                condition=Q(sample__isnull=False) | Q(measurement__isnull=False),
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


class Artifact(models.Model):
    """Named curves of a run (data, fit, components, residual) as HDF5, under the hash of that file."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="artifact")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="artifacts")
    names = ArrayField(models.CharField(max_length=60))

    objects = OfMeasurement.as_manager()

    def __str__(self) -> str:
        return ", ".join(self.names)
