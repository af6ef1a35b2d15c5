"""What methods over values have to look at again."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from samples.models import Project, Sample


class ChangedValues(models.Model):
    """Current values of a sample have changed: written down in the transaction that changed them, gone as
    soon as what reads them has been asked again.

    Rows are only added and taken away: writers never wait for each other.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    sample = models.ForeignKey(
        Sample, on_delete=models.CASCADE, null=True, related_name="+",
        help_text="Empty: of every sample of the project.",
    )  # fmt: skip
    properties = ArrayField(
        models.CharField(max_length=60),
        default=list,
        help_text="Which; empty: any, such as after a correction.",
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "changed values"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{', '.join(self.properties) or 'anything'} of {self.sample or self.project}"
