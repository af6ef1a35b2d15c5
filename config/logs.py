"""How lines of the log are written: text for people, or one JSON object a line (`VITRINE_LOG=json`).

Both carry what the work is about (samples.tracing), and neither carries a secret: what looks like one is cut
out last of all, whoever wrote it.
"""

from __future__ import annotations

import inspect
import json
import logging
import logging.config
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from samples import tracing

CUT = "…"
SECRETS = (
    # Addresses in which one part is the key
    (re.compile(r"(/(?:shared|invitations|reset/[^/\s]+)/)[^/\s\"'?]+"), rf"\1{CUT}"),
    (re.compile(r"(?i)\b(token|bearer|basic) +[A-Za-z0-9._~+/=:-]{8,}"), rf"\1 {CUT}"),
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{CUT}@"),
    (re.compile(r"\bvwh_[A-Za-z0-9_-]+"), CUT),
    (
        re.compile(
            r"(?i)([\"']?\b\w*(?:secret|passw(?:or)?d|token|signature|cookie|sessionid|api_?key)\w*[\"']?"
            r"\s*[=:]\s*)(?!None\b)(\"[^\"]*\"|'[^']*'|[^\s,;)}&]+)"
        ),
        rf"\1{CUT}",
    ),
)
# What a line may say beside its message; `extra` may hold anything, also whole requests.
FIELDS = (
    "request_id", "task", "task_id", "run", "measurement", "instrument", "webhook", "delivery", "method",
    "route", "status", "duration_ms",
)  # fmt: skip


def scrubbed(text: str) -> str:
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


class JsonFormatter(logging.Formatter):
    """One object a line, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": scrubbed(record.getMessage()),
        }
        line |= _ids(record)
        if record.exc_info:
            line["error"] = scrubbed(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """`INFO analysis.services.executing [run=12]: …`"""

    def format(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name}={value}" for name, value in _ids(record).items())
        record.about = f" [{ids}]" if ids else ""
        return scrubbed(super().format(record))


def _ids(record: logging.LogRecord) -> dict[str, object]:
    said = {name: record.__dict__[name] for name in FIELDS if name in record.__dict__}
    received = record.__dict__.get("data")  # Celery's own lines, from the process that hands tasks out
    if isinstance(received, Mapping) and "id" in received and "name" in received:
        said = {"task": received["name"], "task_id": received["id"], **said}
    asked = getattr(record.__dict__.get("request"), "request_id", None)  # Django's lines about a request
    return {**tracing.current(), **({"request_id": asked} if asked else {}), **said}


def of_task(task: Any, task_id: str, args: Any) -> dict[str, object]:
    """What a task is about: its names, the request that asked for it, and the row that its first argument
    names (`run_pk` is the key of a run)."""
    ids: dict[str, object] = {"task": task.name, "task_id": task_id}
    asked_by = task.request.get("request_id")
    if asked_by:
        ids["request_id"] = asked_by
    first = next(iter(inspect.signature(task.run).parameters), "")
    row = re.sub(r"_(pk|id)s?$", "", first)
    if row != first and args:
        ids[row] = args[0] if len(args) == 1 else list(args)
    return ids


def configure(level: str | int | None = None) -> None:
    """In place of what Celery would set up by itself."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
    if level:
        logging.getLogger().setLevel(level)
