"""What the Storage page tells: who keeps how much, how far the round of reading again is, what is damaged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from measurements.models import Attachment, Blob, Measurement, Quota, RawFile
from measurements.models.blobs import BlobQuerySet, last_sound
from samples.models import Project, User

KEPT = """
    SELECT kept.project_id, count(*), coalesce(sum(blob.size), 0) FROM (
        SELECT measurement.project_id, file.blob_id
        FROM measurements_rawfile file
        JOIN measurements_measurement measurement ON measurement.id = file.measurement_id
        UNION SELECT batch.project_id, file.blob_id
        FROM measurements_batchfile file JOIN measurements_batch batch ON batch.id = file.batch_id
        UNION SELECT project_id, manifest_id FROM measurements_batch
        UNION SELECT coalesce(sample.project_id, preparation.project_id), attachment.blob_id
        FROM measurements_attachment attachment
        LEFT JOIN samples_sample sample ON sample.id = attachment.sample_id
        LEFT JOIN samples_preparation preparation ON preparation.id = attachment.preparation_id
    ) kept JOIN measurements_blob blob ON blob.id = kept.blob_id
    WHERE kept.project_id = ANY(%s) GROUP BY kept.project_id
"""


@dataclass(frozen=True)
class Holding:
    """The files of a project as its quota counts them, equal ones once."""

    project: Project
    files: int
    used_bytes: int
    limit_bytes: int | None

    @property
    def share(self) -> float | None:
        """Of the quota, 1 when it is full."""
        if self.limit_bytes is None:
            return None
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 1.0

    @property
    def limit_gb(self) -> str:
        """As a number field shows and takes it."""
        return "" if self.limit_bytes is None else f"{self.limit_bytes / 10**9:.12g}"


@dataclass(frozen=True)
class Round:
    """The round of reading everything again, once per period."""

    period_days: int
    files: int
    size_bytes: int
    read_again: int  # within the last period
    due: int
    longest_unread_since: datetime | None
    damaged: int

    @property
    def share(self) -> float:
        """Of the files that need not be read again yet."""
        return 1 - self.due / self.files if self.files else 1.0


@dataclass(frozen=True)
class Damage:
    """A stored file that is not what was received; `names` are those that the reader may see."""

    blob: Blob
    names: list[Name] = field(default_factory=list)


@dataclass(frozen=True)
class Name:
    text: str
    url: str


def holdings(projects: Iterable[Project]) -> list[Holding]:
    wanted = list(projects)
    with connection.cursor() as cursor:
        cursor.execute(KEPT, [[project.pk for project in wanted]])
        kept = {pk: (files, int(size)) for pk, files, size in cursor.fetchall()}
    limits = dict(Quota.objects.values_list("project_id", "limit_bytes"))
    return [
        Holding(project, *kept.get(project.pk, (0, 0)), limit_bytes=limits.get(project.pk))
        for project in wanted
    ]


def fixity_round() -> Round:
    since = timezone.now() - timedelta(days=settings.FIXITY_DAYS)
    counted = Blob.objects.annotate(sound_at=last_sound()).aggregate(
        files=Count("pk"),
        size_bytes=Sum("size"),
        read_again=Count("pk", filter=Q(verified_at__gte=since)),
        due=Count("pk", filter=Q(sound_at__lt=since, damaged_at=None)),
        damaged=Count("pk", filter=Q(damaged_at__isnull=False)),
        longest_unread_since=Min("sound_at", filter=Q(damaged_at=None)),
    )
    return Round(settings.FIXITY_DAYS, **counted | {"size_bytes": counted["size_bytes"] or 0})


def damaged(projects: Iterable[Project] | None, user: User) -> list[Damage]:
    """What is damaged of these projects or at all, each file with the names under which `user` knows it."""
    found = Blob.objects.damaged() if projects is None else damaged_of(projects)
    rows = list(found.order_by("damaged_at", "pk"))
    names: dict[int, list[Name]] = {blob.pk: [] for blob in rows}
    files = RawFile.objects.visible_to(user).filter(blob__in=rows)
    for file in files.select_related("measurement__sample"):
        where = file.measurement.sample.code if file.measurement.sample else "the inbox"
        names[file.blob_id].append(Name(f"{file.filename} of {where}", file.measurement.get_absolute_url()))
    for row in Attachment.objects.visible_to(user).filter(blob__in=rows).select_related("sample"):
        url = row.sample.get_absolute_url() if row.sample else ""
        names[row.blob_id].append(Name(f"{row.filename}, attached", url))
    return [Damage(blob, names[blob.pk] + _made_from(blob, user)) for blob in rows]


def _made_from(blob: Blob, user: User) -> list[Name]:
    """What readers and methods made has no name of its own."""
    of = Q(datasets__blob=blob) | Q(runs__artifact__blob=blob)
    measurements = Measurement.objects.visible_to(user).filter(of).select_related("sample").distinct()
    return [Name(f"Made from: {row}", row.get_absolute_url()) for row in measurements]


def damaged_of(projects: Iterable[Project]) -> BlobQuerySet:
    """Raw files, what readers and methods made of them, and attachments."""
    wanted = [project.pk for project in projects]
    belongs = (
        Q(files__measurement__project__in=wanted)
        | Q(datasets__measurement__project__in=wanted)
        | Q(artifacts__run__measurement__project__in=wanted)
        | Q(attachments__sample__project__in=wanted)
        | Q(attachments__preparation__project__in=wanted)
    )
    return Blob.objects.damaged().filter(pk__in=Blob.objects.damaged().filter(belongs).values("pk"))
