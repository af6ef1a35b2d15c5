"""Runs of methods, what they read and the curves they left."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from analysis.querysets import RunQuerySet
from measurements.models import Blob, Dataset, Measurement
from measurements.querysets import OfMeasurement
from samples.models import Project, Sample
from samples.models.limits import within


def where_given(table: str, *links: str) -> list[models.Index]:
    """In place of the index that every foreign key gets: that one also holds the rows that name nothing
    there, and a batch would write each of its rows into it for nobody to find."""
    return [
        models.Index(name=f"{table}_by_{link}", fields=[link], condition=Q(**{f"{link}__isnull": False}))
        for link in links
    ]


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
        CALIBRATION = "calibration", "Calibration"
        VERIFICATION = "verification", "Verification"
        VALUES = "values", "Values changed"

    class Lane(models.TextChoices):
        """Fast runs travel in batches; long ones alone, on a queue of their own."""

        FAST = "fast", "Fast"
        LONG = "long", "Long"

    class Priority(models.IntegerChoices):
        PERSON = 0, "A person waits"
        UPLOAD = 3, "New data"
        REANALYSIS = 7, "Reanalysis"

    measurement = models.ForeignKey(
        Measurement, on_delete=models.PROTECT, null=True, related_name="runs",
        help_text="What was analysed; empty for a run over the values of a sample or of a project.",
    )  # fmt: skip
    sample = models.ForeignKey(
        Sample, on_delete=models.PROTECT, null=True, related_name="runs", db_index=False,
        help_text="Of a method whose inputs are values of one sample.",
    )  # fmt: skip
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, related_name="runs", db_index=False,
        help_text="Of a method whose inputs are values of a project’s samples.",
    )  # fmt: skip
    method = models.CharField(max_length=60)
    method_version = models.PositiveIntegerField()
    params = models.JSONField(default=dict)
    identity = models.CharField(max_length=64)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.QUEUED)
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.UPLOAD)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        db_index=False,
    )  # fmt: skip
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
    lane = models.CharField(max_length=5, choices=Lane.choices, default=Lane.FAST)
    priority = models.PositiveSmallIntegerField(
        default=Priority.PERSON, choices=Priority.choices, help_text="Smaller is sooner."
    )
    progress = models.FloatField(null=True, help_text="0 to 1, said by the method while it computes.")
    progress_note = models.CharField(max_length=200, blank=True)
    cancel_asked_at = models.DateTimeField(null=True)
    alone = models.BooleanField(
        default=False, help_text="Its batch died; it is executed singly, so that it can fail alone."
    )
    stale = models.TextField(
        blank=True,
        help_text="Why its values are in doubt, such as a withdrawn calibration.",
    )
    supersedes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="superseded_by", db_index=False,
        help_text="The run whose question this one answers anew.",
    )  # fmt: skip
    reanalysis = models.ForeignKey(
        "analysis.Reanalysis", on_delete=models.SET_NULL, null=True, blank=True, related_name="runs",
        db_index=False,
    )  # fmt: skip
    verifies = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="verifications", db_index=False,
        help_text="The run that this one repeats to see whether the same comes out. It yields no values.",
    )  # fmt: skip
    verdict = models.TextField(blank=True, help_text="Of a verification: the same, or what differs.")
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
            models.Index(name="run_queue", fields=["lane", "priority", "id"], condition=Q(status="queued")),
            models.Index(name="run_stale", fields=["method"], condition=~Q(stale="")),
            models.Index(
                name="run_finished", fields=["-finished_at"], condition=Q(finished_at__isnull=False)
            ),
            models.Index(name="run_failed", fields=["method", "-id"], condition=Q(status="failed")),
            *where_given("run", "sample", "project", "requested_by", "supersedes", "reanalysis", "verifies"),
        ]
        constraints = [
            # Not unique=True, which would keep a second index for prefixes.
            models.UniqueConstraint(name="run_identity_once", fields=["identity"]),
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
            within("run", "progress", low=0, high=1),
            models.CheckConstraint(name="run_lane_known", condition=Q(lane__in=["fast", "long"])),
            models.CheckConstraint(
                name="run_of_a_measurement_a_sample_or_a_project",
                condition=Q(measurement__isnull=False, sample__isnull=True, project__isnull=True)
                | Q(measurement__isnull=True, sample__isnull=False, project__isnull=True)
                | Q(measurement__isnull=True, sample__isnull=True, project__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        subject = self.measurement_id or self.sample_id or self.project_id
        return f"{self.method} {self.method_version} of {subject}"

    @property
    def over(self) -> Measurement | Sample | Project:
        """What it is about."""
        subject = self.measurement or self.sample or self.project
        assert subject is not None  # a constraint of the table
        return subject

    @property
    def unfinished(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class RunInput(models.Model):
    """Which dataset a run read, in which role."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="inputs", db_index=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="runs")
    role = models.CharField(max_length=40)
    calibration = models.ForeignKey(
        "analysis.Calibration", on_delete=models.PROTECT, null=True, blank=True, related_name="uses",
        db_index=False,
        help_text="When the input was chosen as the calibration valid at the time.",
    )  # fmt: skip
    conditions = models.JSONField(
        default=dict,
        help_text="{key: {value, unit}}: what its sender had said of it, beyond the file itself.",
    )

    class Meta:
        indexes = where_given("runinput", "calibration")
        constraints = [models.UniqueConstraint(name="runinput_one_per_role", fields=["run", "role"])]

    def __str__(self) -> str:
        return f"{self.role}: {self.dataset}"


class ValueInput(models.Model):
    """Which value a run over values read."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="value_inputs")
    value = models.ForeignKey("analysis.Value", on_delete=models.PROTECT, related_name="used_by")

    class Meta:
        constraints = [models.UniqueConstraint(name="valueinput_once_per_run", fields=["run", "value"])]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.value_id}"


class Artifact(models.Model):
    """Named curves of a run (data, fit, components, residual) as HDF5, under the hash of that file."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="artifact")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="artifacts")
    names = ArrayField(models.CharField(max_length=60))
    member = models.PositiveSmallIntegerField(
        null=True, help_text="Which one, in a file that holds the curves of a whole batch."
    )

    objects = OfMeasurement.as_manager()

    def __str__(self) -> str:
        return ", ".join(self.names)
