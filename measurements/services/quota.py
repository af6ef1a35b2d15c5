"""How much a project may keep. Counted are the bytes of its raw files, of its batches and of what is attached
to its samples and preparations, equal files once.

Every upload asks, so the answer must be cheap: which projects have a limit is remembered for seconds, and
what one holds is counted anew only when the count is some minutes old or the limit seems to be reached. Two
that arrive in the same moment cannot pass the limit together: where there is one, whoever records holds the
row of the quota until what came is recorded, and counts under it. What is moved here from another project is
seen at the next count.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Max, Model, QuerySet, Sum

from measurements.models import Attachment, Batch, BatchFile, Blob, Quota, RawFile
from measurements.store import QuotaError, readable
from samples.models import Project

LIMITS_KNOWN_FOR_S = 5.0
COUNT_KNOWN_FOR_S = 600.0
# What keeps a file for a project: the row, the way to its project, and to its file.
KEPT: tuple[tuple[type[Model], str, str], ...] = (
    (RawFile, "measurement__project", "blob"),
    (BatchFile, "batch__project", "blob"),
    (Batch, "project", "manifest"),
    (Attachment, "sample__project", "blob"),
    (Attachment, "preparation__project", "blob"),
)


@dataclass(frozen=True)
class _Count:
    """What a project held up to and with the `last` row of each kind in KEPT."""

    used_bytes: int
    last: tuple[int, ...]
    at: float


@dataclass
class _Known:
    limits: dict[int, int]
    limits_at: float
    counts: dict[int, _Count]


_known = _Known({}, float("-inf"), {})  # of this process


def set_quota(project: Project, limit_bytes: int | None) -> None:
    """None takes the limit away. What is there already stays, even when it is more."""
    if limit_bytes is None:
        Quota.objects.filter(project=project).delete()
    else:
        Quota.objects.update_or_create(project=project, defaults={"limit_bytes": limit_bytes})
    _known.limits_at = float("-inf")


def used_bytes(project: Project) -> int:
    """Exactly, now."""
    return _blobs(project).aggregate(sum=Sum("size"))["sum"] or 0


def _blobs(project: Project) -> QuerySet[Blob]:
    first, *others = (
        kind._default_manager.filter(**{of: project}).order_by().values(pk_of_blob=F(blob))
        for kind, of, blob in KEPT
    )
    return Blob.objects.filter(pk__in=first.union(*others))


def room_left(project: Project) -> int | None:
    """How many bytes the project may still add; None where there is no limit."""
    limit = _limit(project)
    return None if limit is None else max(limit - used_bytes(project), 0)


def require_room(project: Project, sizes: Mapping[str, int]) -> None:
    """QuotaError when files with these sizes, by hash, would now be more than the project may keep."""
    if (limit := _limit(project)) is not None:
        _require(project, limit, sizes)


@contextmanager
def room(project: Project, sizes: Mapping[str, int]) -> Iterator[None]:
    """The block records these files, and nobody else takes their room meanwhile. QuotaError where there is
    none; make them durable before, so that others wait for rows and not for the disk."""
    if _limit(project) is None:
        yield
        return
    with transaction.atomic():
        limit = _held(project)
        if limit is not None:
            _require(project, limit, sizes)
        yield


def _held(project: Project) -> int | None:
    """The limit, and nobody else's until the transaction ends."""
    rows = Quota.objects.select_for_update().filter(project=project)
    return rows.values_list("limit_bytes", flat=True).first()


def _require(project: Project, limit: int, sizes: Mapping[str, int]) -> None:
    if _at_most(project) + sum(sizes.values()) <= limit:
        return
    # Perhaps counted twice, perhaps here already: only now is it worth the exact answer.
    count = _counted(project)
    known = set(_blobs(project).filter(sha256__in=sizes).values_list("sha256", flat=True))
    coming = sum(size for sha256, size in sizes.items() if sha256 not in known)
    if coming and count.used_bytes + coming > limit:
        raise QuotaError(
            f"{project} may keep {readable(limit)} of files and has {readable(count.used_bytes)}, so "
            f"these {readable(coming)} were not taken. Keep them, ask the operator to raise the project's "
            "quota, and send them again."
        )


def _limit(project: Project) -> int | None:
    now = time.monotonic()
    if now - _known.limits_at > LIMITS_KNOWN_FOR_S:
        _known.limits = dict(Quota.objects.values_list("project_id", "limit_bytes"))
        _known.limits_at = now
    return _known.limits.get(project.pk)


def _at_most(project: Project) -> int:
    """The last count and everything since, where a file that came twice counts twice."""
    count = _known.counts.get(project.pk)
    if count is None or time.monotonic() - count.at > COUNT_KNOWN_FOR_S:
        count = _counted(project)
    used_bytes = count.used_bytes
    for (kind, of, blob), last in zip(KEPT, count.last, strict=True):
        since = kind._default_manager.filter(pk__gt=last, **{of: project})
        used_bytes += since.aggregate(sum=Sum(f"{blob}__size"))["sum"] or 0
    return used_bytes


def _counted(project: Project) -> _Count:
    lasting = not connection.in_atomic_block  # what is rolled back must not be remembered
    with transaction.atomic():
        _held(project)  # else a row that is not committed yet may have an earlier key, and never be counted
        last = tuple(kind._default_manager.aggregate(last=Max("pk"))["last"] or 0 for kind, _, _ in KEPT)
        count = _Count(used_bytes(project), last, time.monotonic())
    if lasting:
        _known.counts[project.pk] = count
    return count
