"""What an operator watches over: how much a project may keep, and which backups were made."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from samples.models import Project
from samples.models.audit import audited
from samples.models.limits import within


@audited
class Quota(models.Model):
    """How many bytes of raw files a project may keep. Without a row there is no limit."""

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, primary_key=True, related_name="storage_quota"
    )
    limit_bytes = models.BigIntegerField()

    class Meta:
        constraints = [within("quota", "limit_bytes", low=0)]

    def __str__(self) -> str:
        return f"{self.project}: {self.limit_bytes} bytes"


class Backup(models.Model):
    """A backup that was completed, as `manage.py backup` noted it. The folder itself is the proof."""

    folder = models.TextField(help_text="Where it lies, on the machine that made it.")
    name = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    files = models.PositiveIntegerField()
    size_bytes = models.BigIntegerField(help_text="Of all files that it names.")
    copied_bytes = models.BigIntegerField(help_text="What was not there from an earlier backup.")
    unsound = models.PositiveIntegerField(
        default=0, help_text="Files of which neither the store nor the folder had sound bytes."
    )
    verified_at = models.DateTimeField(null=True, help_text="When all its bytes were last read again.")

    class Meta:
        ordering = ["-finished_at"]
        constraints = [
            models.UniqueConstraint(name="backup_once_per_folder", fields=["folder", "name"]),
            models.CheckConstraint(
                name="backup_ends_after_it_began", condition=Q(finished_at__gte=models.F("started_at"))
            ),
        ]

    def __str__(self) -> str:
        return self.name
