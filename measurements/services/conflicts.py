"""Two answers to one question: the file names another sample, or its bytes are at another one already."""

from __future__ import annotations

from measurements.models import Conflict, Measurement, RawFile
from measurements.services.suggesting import codes_in, headers_of, said_by_file
from samples.models import Sample, User


def conflict_of(row: Measurement) -> str:
    """Only against samples and files that its sender may see: nobody learns of others by it."""
    if row.received_by is None or row.sample is None:
        return ""
    named = codes_in(said_by_file(row, headers_of([row]).get(row.pk, {})))
    if named and row.sample.code.casefold() not in {code.casefold() for code in named}:
        seen = Sample.objects.kept().visible_to(row.received_by).filter(project=row.project)
        if seen.filter(code__in=named).exclude(pk=row.sample_id).exists():
            return str(Conflict.HEADER)
    # Of two, the later one is asked about.
    return str(Conflict.BYTES) if any(twin.pk < row.pk for twin in twins(row, row.received_by)) else ""


def twins(row: Measurement, user: User) -> list[Measurement]:
    """Measurements of other samples in the same project that hold the same bytes."""
    blobs = RawFile.objects.filter(measurement=row).values("blob")
    sharing = RawFile.objects.filter(blob__in=blobs).values("measurement")
    found = Measurement.objects.visible_to(user).filter(
        pk__in=sharing, project=row.project, content_key=row.content_key, sample__isnull=False
    )
    others = found.exclude(sample=row.sample_id).exclude(status=Measurement.Status.VOID)
    return list(others.select_related("sample").order_by("pk")[:5])


def release_twins(row: Measurement) -> None:
    """After `row` has moved or is void: what was only in conflict with it no longer is."""
    waiting = Measurement.objects.filter(content_key=row.content_key, conflict=Conflict.BYTES)
    for twin in waiting.exclude(pk=row.pk).select_related("project", "sample", "received_by"):
        if not conflict_of(twin):
            Measurement.objects.filter(pk=twin.pk).update(conflict="")
