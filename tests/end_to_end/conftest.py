"""The real thing: a web server, a worker and a scheduler as processes, over the test's own database."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from django.conf.global_settings import PASSWORD_HASHERS as DEFAULT_HASHERS
from django.db import connection
from psycopg.conninfo import make_conninfo
from pytest_django import Settings
from redis import Redis

from analysis.models import Run
from samples.models import User

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
Answer = TypeVar("Answer")


def eventually(ask: Callable[[], Answer], seconds: float, what: str, site: Site | None = None) -> Answer:
    """The first true answer; a test waits for it and never measures it. In vain: what became of `site`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := ask():
            return answer
        time.sleep(0.1)
    said = site.shown() if site else ""
    raise AssertionError(f"Waited {seconds:g} s in vain: {what}\n{said}")


@dataclass
class Site:
    """Processes that share the test's database, broker and files."""

    files: Path
    log: Path
    environment: dict[str, str]
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                [str(BIN / command[0]), *command[1:]],
                cwd=ROOT,
                env=self.environment | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.children.append(child)
        return child

    def web(self, port: int = 0, **environment: str) -> str:
        """Address of a web server that answers; on a port of its own, or again on one that it had."""
        port = port or free_port()
        self.start(
            "granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "8",
            "config.wsgi:application", **environment,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        eventually(lambda: answers(f"{address}/healthz"), 30, "web server", self)
        return address

    def worker(self, app: str = "config", **environment: str) -> subprocess.Popen[bytes]:
        command = ("celery", "-A", app, "worker", "--concurrency", "1", "--loglevel", "INFO")
        return self.start(*command, **environment)

    def scheduler(self, **environment: str) -> subprocess.Popen[bytes]:
        return self.start("celery", "-A", "config", "beat", "--loglevel", "INFO", **environment)

    def said(self) -> str:
        return self.log.read_text()[-3000:] if self.log.exists() else ""

    def shown(self) -> str:
        """For whoever must find out why a test waited in vain."""
        runs = Run.objects.exclude(status=Run.Status.DONE).order_by("pk")
        lines = [
            f"run {run.pk} {run} {run.status} ({run.lane}, {run.attempts}): {run.message}" for run in runs
        ]
        alive = [child.args[0] for child in self.children if child.poll() is None]
        return "\n".join([*lines, f"alive: {alive}", self.said()])

    def stop(self) -> None:
        for child in self.children:
            kill_group(child, signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                kill_group(child, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill_group(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def site(transactional_db: None, settings: Settings, tmp_path: Path, alice: User) -> Iterator[Site]:
    with Redis.from_url(settings.REDIS_URL) as broker:
        # What tests before have left there would be this one's workers' first work. Which queues there are
        # stays: this process told the broker once.
        for key in broker.scan_iter():
            if not key.startswith(b"_kombu.binding"):
                broker.delete(key)
    settings.PASSWORD_HASHERS = DEFAULT_HASHERS  # the quick one of the other tests is not known to the site
    alice.set_password("a long enough password")
    alice.save()
    database = connection.settings_dict["NAME"]
    settings.RAW_FILES_DIR = tmp_path / "files"
    environment = os.environ | {
        "DATABASE_URL": make_conninfo(os.environ["DATABASE_URL"], dbname=database),
        "VITRINE_DATA": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
    }
    site = Site(tmp_path / "files", tmp_path / "site.log", environment)
    yield site
    site.stop()
