"""What waits, what runs, what failed and how long it will take: read from the rows, which are the queue.

A constant number of queries. Counts are of what the reader may see; how long it takes depends on everybody's
work, so that is asked of all rows and told as one duration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, Min, OuterRef, Q
from django.utils import timezone

from analysis import methods
from analysis.models import Run
from analysis.querysets import RunQuerySet
from measurements.models import Measurement

MOST_FAILURES = 5000
MOST_RUNNING = 50
NUMBERS = re.compile(r"[−-]?\d[\d.,\u202f]*")
PRIORITIES = {
    Run.Priority.PERSON: "person",
    Run.Priority.UPLOAD: "upload",
    Run.Priority.REANALYSIS: "reanalysis",
}
PACE_S, REMEMBERED = 120, 200

# What is ahead of the last of my runs in each lane, what was done lately, and how long one takes as a rule.
PACE = """
WITH waiting AS (
    SELECT lane, method, count(*) AS runs FROM analysis_run
    WHERE status = 'queued' AND priority <= %(urgency)s GROUP BY lane, method
), lately AS (
    SELECT lane, method, count(*) AS runs, min(started_at) AS since FROM analysis_run
    WHERE finished_at > statement_timestamp() - make_interval(secs => %(pace_s)s)
        AND status IN ('done', 'failed') AND started_at IS NOT NULL
    GROUP BY lane, method
)
SELECT lane, method, coalesce(waiting.runs, 0), coalesce(lately.runs, 0),
    least(%(pace_s)s, extract(epoch FROM statement_timestamp() - lately.since)),
    (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY last.duration_s) FROM (
            SELECT duration_s FROM analysis_run
            WHERE analysis_run.method = coalesce(waiting.method, lately.method)
                AND status = 'done' AND duration_s IS NOT NULL
            ORDER BY id DESC LIMIT %(remembered)s
        ) AS last
    )
FROM waiting FULL JOIN lately USING (lane, method)
"""


@dataclass
class Lane:
    """`about_s`: until the last waiting run has begun; None where no run of its method has ended yet."""

    key: str
    title: str
    running: int = 0
    waiting: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PRIORITIES.values(), 0))
    oldest: datetime | None = None
    about_s: float | None = 0.0

    @property
    def waits(self) -> int:
        return sum(self.waiting.values())

    @property
    def waited_min(self) -> int | None:
        return _minutes_since(self.oldest)


@dataclass
class Reason:
    """Failures that say the same, but for the numbers in it. Of runs, or of files when `method` is empty."""

    method: str
    title: str
    sentence: str
    runs: list[int] = field(default_factory=list)
    measurements: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.runs) if self.method else len(self.measurements)

    @property
    def key(self) -> str:
        return without_numbers(self.sentence)


@dataclass(frozen=True)
class Backlog:
    lanes: list[Lane]
    running: list[Run]
    unread: int
    oldest_unread: datetime | None
    done_last_hour: int
    failed_last_hour: int
    reasons: list[Reason]

    @property
    def waits(self) -> int:
        return sum(lane.waits for lane in self.lanes)

    @property
    def runs(self) -> int:
        return sum(lane.running for lane in self.lanes)

    @property
    def busy(self) -> bool:
        return self.waits + self.runs + self.unread > 0

    @property
    def unread_waited_min(self) -> int | None:
        return _minutes_since(self.oldest_unread)

    @property
    def oldest(self) -> datetime | None:
        known = [lane.oldest for lane in self.lanes if lane.oldest]
        return min([*known, *([self.oldest_unread] if self.oldest_unread else [])], default=None)

    @property
    def about_s(self) -> float | None:
        """Lanes are worked off side by side. None: nobody knows yet."""
        times = [lane.about_s for lane in self.lanes if lane.waits]
        known = [time for time in times if time is not None]
        return max(known, default=0.0) if len(known) == len(times) else None


def backlog(runs: RunQuerySet, measurements: Any) -> Backlog:
    """Of these runs and measurements: what the reader may see."""
    lanes, urgency = _lanes(runs)
    if any(lane.waits for lane in lanes.values()):
        _estimate(lanes, urgency)
    hour_ago = timezone.now() - timedelta(hours=1)
    ended = runs.filter(finished_at__gte=hour_ago).aggregate(
        done=Count("pk", filter=Q(status=Run.Status.DONE)),
        failed=Count("pk", filter=Q(status=Run.Status.FAILED)),
    )
    unread = measurements.filter(status=Measurement.Status.RECEIVED).aggregate(
        count=Count("pk"), oldest=Min("received_at")
    )
    running = runs.filter(status=Run.Status.RUNNING).for_list().order_by("started_at", "pk")
    return Backlog(
        lanes=list(lanes.values()),
        running=list(running[:MOST_RUNNING]),
        unread=unread["count"],
        oldest_unread=unread["oldest"],
        done_last_hour=ended["done"],
        failed_last_hour=ended["failed"],
        reasons=[*failed_runs(runs), *unreadable(measurements)],
    )


def _lanes(runs: RunQuerySet) -> tuple[dict[str, Lane], int]:
    """And the least urgent priority among what waits."""
    lanes = {str(key): Lane(str(key), str(title)) for key, title in Run.Lane.choices}
    urgency = 0
    unfinished = runs.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    counted = unfinished.order_by().values_list("lane", "priority", "status")
    for key, priority, status, count, oldest in counted.annotate(
        count=Count("pk"), oldest=Min("requested_at")
    ):
        lane = lanes[key]
        if status == Run.Status.RUNNING:
            lane.running += count
            continue
        lane.waiting[PRIORITIES[priority]] += count
        lane.oldest = min(filter(None, [lane.oldest, oldest]))
        urgency = max(urgency, priority)
    return lanes, urgency


def _estimate(lanes: dict[str, Lane], urgency: int) -> None:
    """Work that waits, in seconds of computing, over the seconds of computing done lately in one second."""
    with connection.cursor() as cursor:
        cursor.execute(PACE, {"urgency": urgency, "pace_s": PACE_S, "remembered": REMEMBERED})
        rows = cursor.fetchall()
    for lane in lanes.values():
        mine = [row[2:] for row in rows if row[0] == lane.key]
        if any(waiting and typical_s is None for waiting, _, _, typical_s in mine):
            lane.about_s = None
            continue
        work_s = sum(waiting * typical_s for waiting, _, _, typical_s in mine if waiting)
        done_s = sum(done * (typical_s or 0) for _, done, _, typical_s in mine)
        span_s = max((float(span) for _, _, span, _ in mine if span is not None), default=0.0)
        pace = done_s / span_s if done_s and span_s else float(max(1, lane.running))
        lane.about_s = work_s / pace


def failed_runs(runs: RunQuerySet) -> list[Reason]:
    """Of the newest failures; without those of which the question was put again since."""
    same = (
        Q(measurement=OuterRef("measurement")) | Q(sample=OuterRef("sample")) | Q(project=OuterRef("project"))
    )
    later = Run.objects.filter(
        same,
        method=OuterRef("method"),
        verifies=None,
        requested_at__gt=OuterRef("requested_at"),
    )
    failed = runs.filter(~Exists(later), status=Run.Status.FAILED, verifies=None).order_by("-pk")
    reasons: dict[tuple[str, str], Reason] = {}
    rows = failed.values_list("pk", "method", "message", "measurement")[:MOST_FAILURES]
    for pk, method, message, measurement in rows:
        loaded = methods.registry().get(method)
        title = loaded.method.title if loaded else method
        reason = reasons.setdefault((method, without_numbers(message)), Reason(method, title, message))
        reason.runs.append(pk)
        if measurement is not None:
            reason.measurements.append(measurement)
    return _most_first(reasons.values())


def unreadable(measurements: Any) -> list[Reason]:
    reasons: dict[str, Reason] = {}
    failed = measurements.filter(status=Measurement.Status.FAILED).order_by("-pk")
    for pk, error in failed.values_list("pk", "error")[:MOST_FAILURES]:
        reason = reasons.setdefault(without_numbers(error), Reason("", "Reading the file", error))
        reason.measurements.append(pk)
    return _most_first(reasons.values())


def _minutes_since(moment: datetime | None) -> int | None:
    return None if moment is None else round((timezone.now() - moment).total_seconds() / 60)


def _most_first(reasons: Iterable[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda reason: -reason.count)


def without_numbers(text: str) -> str:
    return NUMBERS.sub("#", text)
