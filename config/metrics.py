"""`/metrics`, for Prometheus: what the rows say at the moment of asking, and what the web processes did.

Rows are counted in PostgreSQL, so every process gives the same answer and a restart forgets nothing. Only
the times of requests are kept by the web processes, in files that those of one server share. Labels name
methods, techniques and states; never a project, a sample or a person.
"""

from __future__ import annotations

import hmac
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
KEPT_S = 5.0  # two Prometheus servers at once cost as much as one
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")
_lock = Lock()
_making = Lock()
_kept: dict[str, Any] = {"until": 0.0, "text": b""}


def _requests() -> tuple[Any, Any]:
    """What the processes of one web server count together."""
    with _making:  # the first requests come in several threads, and nothing may be registered twice
        return _made()


@cache
def _made() -> tuple[Any, Any]:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_folder())
    from prometheus_client import Counter, Histogram, values

    values.ValueClass = values.MultiProcessValue()  # as it chooses itself where it was loaded after that line

    labels = ("method", "route", "status")
    return (
        Histogram("vitrine_request_seconds", "Time to answer a request", labels, buckets=BUCKETS_S),
        Counter("vitrine_request_bytes", "Bytes of request bodies, as announced", ("method", "route")),
    )


def _folder() -> Path:
    """Named after the server, which is the parent of its processes; those of dead servers are removed."""
    mine = f"vitrine-metrics-{os.getuid()}-"
    shelf = Path(tempfile.gettempdir())
    for old in shelf.glob(f"{mine}*"):
        if not _alive(old.name.removeprefix(mine)):
            shutil.rmtree(old, ignore_errors=True)
    folder = shelf / f"{mine}{os.getppid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():  # somebody else was here first
        folder = Path(tempfile.mkdtemp(prefix=mine))
    return folder


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OSError):
        return True
    return True


class MetricsMiddleware:
    """Times every request, under the pattern of its address: there are no more labels than patterns."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.route if match else "(no such page)"
        method = request.method if request.method in METHODS else "other"
        seconds, size = _requests()
        seconds.labels(method, route, response.status_code).observe(time.perf_counter() - began)
        announced = request.META.get("CONTENT_LENGTH", "")
        if announced.isdecimal() and announced != "0":
            size.labels(method, route).inc(int(announced))
        return response


def metrics(request: HttpRequest) -> HttpResponse:
    if not allowed(request):
        return HttpResponse(
            "Metrics are told to this machine, to VITRINE_METRICS_NETWORKS, or to whoever sends "
            "“Authorization: Bearer” with VITRINE_METRICS_TOKEN.\n",
            status=403,
            content_type="text/plain; charset=utf-8",
        )
    from prometheus_client import CONTENT_TYPE_LATEST

    return HttpResponse(_text(), content_type=CONTENT_TYPE_LATEST)


def allowed(request: HttpRequest) -> bool:
    """By token; or by address, of whoever asks directly: behind a proxy everybody has the proxy's."""
    said = request.headers.get("Authorization", "").encode()
    if settings.METRICS_TOKEN and hmac.compare_digest(said, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return True
    if any(request.headers.get(name) for name in FORWARDED):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ip_network(network, strict=False) for network in settings.METRICS_NETWORKS)


def _text() -> bytes:
    """Of the processes, each time; of the database, at most every few seconds."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    _requests()
    processes = CollectorRegistry()
    MultiProcessCollector(processes)
    with _lock:
        if time.monotonic() > _kept["until"]:
            _kept["text"] = generate_latest(_Rows())
            _kept["until"] = time.monotonic() + KEPT_S
        return generate_latest(processes) + bytes(_kept["text"])


class _Rows:
    """What `generate_latest` asks of a registry."""

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        began = time.perf_counter()
        try:
            found = [*_runs(), *_measurements(), *_storage(), *_webhooks()]
            up = 1
        except DatabaseError:
            found, up = [], 0
        yield GaugeMetricFamily("vitrine_database_up", "Whether the database answers", up)
        yield from found
        yield from _broker()
        took = time.perf_counter() - began
        yield GaugeMetricFamily("vitrine_scrape_seconds", "Time to count the rows", took)


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _gauge(name: str, help_text: str, labels: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> Metric:
    """Rows end with the number."""
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, help_text, labels=list(labels))
    for *said, value in rows:
        family.add_metric([str(each) for each in said], float(value))
    return family


def _runs() -> Iterator[Metric]:
    from prometheus_client.core import SummaryMetricFamily

    counted = _rows(
        "SELECT lane, status, method, count(*), count(duration_s), coalesce(sum(duration_s), 0)"
        " FROM analysis_run GROUP BY lane, status, method ORDER BY 1, 2, 3"
    )
    yield _gauge(
        "vitrine_runs", "Runs of methods, now in this state", ("lane", "status", "method"),
        [row[:4] for row in counted],
    )  # fmt: skip
    durations = SummaryMetricFamily("vitrine_run_seconds", "Computing time of runs", labels=["method"])
    for method in sorted({row[2] for row in counted}):
        mine = [row for row in counted if row[2] == method]
        durations.add_metric([method], sum(row[4] for row in mine), sum(row[5] for row in mine))
    yield durations
    yield _gauge(
        "vitrine_oldest_waiting_run_seconds", "How long the oldest waiting run has waited; 0: none waits",
        ("lane",),
        _rows(
            "SELECT lanes.lane, coalesce(extract(epoch FROM now() - min(requested_at)), 0)"
            " FROM (VALUES ('fast'), ('long')) AS lanes(lane)"
            " LEFT JOIN analysis_run run ON run.lane = lanes.lane AND run.status = 'queued'"
            " GROUP BY 1 ORDER BY 1"
        ),
    )  # fmt: skip


def _measurements() -> Iterator[Metric]:
    yield _gauge(
        "vitrine_measurements", "Measurements in this state; failed: no reader could read them",
        ("status", "technique"),
        _rows(
            "SELECT status, technique, count(*) FROM measurements_measurement"
            " GROUP BY status, technique ORDER BY 1, 2"
        ),
    )  # fmt: skip
    yield _gauge(
        "vitrine_oldest_unread_seconds", "How long the oldest file has waited to be read; 0: none waits", (),
        _rows(
            "SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)"
            " FROM measurements_measurement WHERE status = 'received'"
        ),
    )  # fmt: skip


def _storage() -> Iterator[Metric]:
    files, size, damaged = _rows(
        "SELECT count(*), coalesce(sum(size), 0), count(damaged_at) FROM measurements_blob"
    )[0]
    yield _gauge("vitrine_stored_files", "Files stored, with what was made of them", (), [(files,)])
    yield _gauge("vitrine_stored_bytes", "Bytes of the stored files", (), [(size,)])
    yield _gauge("vitrine_damaged_files", "Stored files that are not what was received", (), [(damaged,)])
    received, size = _rows(
        "SELECT count(*), coalesce(sum(blob.size), 0) FROM measurements_rawfile file"
        " JOIN measurements_blob blob ON blob.id = file.blob_id"
    )[0]
    yield _gauge(
        "vitrine_uploaded_files", "Raw files received, equal ones counted each time", (), [(received,)]
    )
    yield _gauge("vitrine_uploaded_bytes", "Bytes of raw files received", (), [(size,)])


def _webhooks() -> Iterator[Metric]:
    yield _gauge(
        "vitrine_webhook_deliveries", "Messages to webhooks of the last 30 days", ("event", "state"),
        _rows("SELECT event, state, count(*) FROM analysis_delivery GROUP BY event, state ORDER BY 1, 2"),
    )  # fmt: skip


def _broker() -> Iterator[Metric]:
    from samples.queueing import waiting_messages

    waiting = [(queue.name, waiting_messages(queue.name)) for queue in settings.CELERY_TASK_QUEUES]
    known = [(name, count) for name, count in waiting if count is not None]
    yield _gauge("vitrine_broker_up", "Whether the broker answers", (), [(int(bool(known)),)])
    yield _gauge("vitrine_broker_messages", "Messages nobody has taken yet", ("queue",), known)
