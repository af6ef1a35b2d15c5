"""Uploads of 1 MB (eight clients) and 64 MB (one client), each stored, hashed and answered.

    .venv/bin/python -m benchmarks uploads

Ours is the web server of `manage.py up`. Its anchors: gunicorn with DRF's own multipart parser and a
FileField, without and with fsync; and one process that only writes, hashes and fsyncs. All take turns. The
clients run on the same machine and cost all servers alike; the processor time of each server stands beside.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import itertools
import os
import re
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
MB = 1_000_000
ROUNDS = 5
OURS = "Vitrine on Granian"
BARE = "write + fsync + SHA-256 in one process"
SIZE = ["2", "32"]  # processes and threads, for every server


class Load(NamedTuple):
    size_bytes: int
    clients: int
    uploads: int  # in one round


LOADS = (Load(1 * MB, 8, 160), Load(64 * MB, 1, 4))
number = itertools.count()
BEFORE = (
    b'--XXXXboundaryXXXX\r\nContent-Disposition: form-data; name="sample"\r\n\r\nB-1\r\n'
    b'--XXXXboundaryXXXX\r\nContent-Disposition: form-data; name="file"; filename="map.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n"
)
AFTER = b"\r\n--XXXXboundaryXXXX--\r\n"


class File(NamedTuple):
    """Made and hashed before the clock starts."""

    form: bytes
    sha256: str

    @classmethod
    def new(cls, size_bytes: int, noise: bytes = secrets.token_bytes(MB)) -> File:
        # No two alike: the store would recognise them.
        content = b"%020d" % next(number) + (noise * (size_bytes // MB))[20:]
        return cls(BEFORE + content + AFTER, hashlib.sha256(content).hexdigest())

    @property
    def content(self) -> memoryview:
        return memoryview(self.form)[len(BEFORE) : -len(AFTER)]


@dataclass
class Server:
    """A running web server and how to post to it."""

    name: str
    port: int
    token: str
    files: Path
    process: subprocess.Popen[bytes]

    def upload(self, connection: http.client.HTTPConnection, file: File) -> None:
        headers = {
            "Content-Type": "multipart/form-data; boundary=XXXXboundaryXXXX",
            "Authorization": f"Token {self.token}",
        }
        connection.request("POST", "/api/v1/measurements/", file.form, headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 201, body[:500]
        assert file.sha256.encode() in body

    def run(self, load: Load) -> None:
        def client(files: list[File]) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            for file in files:
                self.upload(connection, file)
            connection.close()

        in_threads(client, load)

    def cpu_s(self) -> float:
        """Processor time of all its processes so far."""
        return sum(cpu_s(pid) for pid in (self.process.pid, *children(self.process.pid)))

    def peak_mb(self) -> float:
        """Highest memory of any of its processes so far."""
        family = [self.process.pid, *children(self.process.pid)]
        return max(
            int(re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1])  # type: ignore[index]
            for pid in family
        ) / 1000  # fmt: skip


@dataclass
class Bare:
    """The limit: one process, the same threads as there are clients, no network, no database."""

    files: Path
    name: str = BARE

    def run(self, load: Load) -> None:
        def write(files: list[File]) -> None:
            for file in files:
                with (self.files / secrets.token_hex(8)).open("wb", buffering=0) as stored:
                    sha256 = hashlib.sha256()
                    for start in range(0, len(file.content), MB):
                        sha256.update(file.content[start : start + MB])
                        stored.write(file.content[start : start + MB])
                    os.fsync(stored.fileno())

        in_threads(write, load)

    def cpu_s(self) -> float:
        return time.process_time()


def in_threads(work: Callable[[list[File]], None], load: Load) -> None:
    each = load.uploads // load.clients
    threads = [
        threading.Thread(target=work, args=([File.new(load.size_bytes) for _ in range(each)],))
        for _ in range(load.clients)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.append(time.perf_counter() - start)


taken: list[float] = []


class Rate(NamedTuple):
    uploads_per_s: float
    cpu_ms: float  # of the server, for one upload


def measure(candidates: list[Server | Bare], load: Load) -> dict[str, Rate]:
    """Medians of each. Making the files and removing them again is not counted."""
    rates: dict[str, list[Rate]] = {candidate.name: [] for candidate in candidates}
    for turn in range(ROUNDS + 1):
        for candidate in candidates:
            before_s = candidate.cpu_s()
            candidate.run(load)
            cpu_ms = 1000 * (candidate.cpu_s() - before_s) / load.uploads
            if turn:
                rates[candidate.name].append(Rate(load.uploads / taken[-1], cpu_ms))
            for path in candidate.files.rglob("*"):
                if path.is_file():
                    path.unlink()
            os.sync()
    return {
        name: Rate(*(statistics.median(column) for column in zip(*found, strict=True)))
        for name, found in rates.items()
    }


def main() -> str:
    folder = Path(os.environ["VITRINE_DATA"])
    token = sample_and_token()
    plain, media = plain_database(), folder / "media"
    bare = Bare(folder / "bare")
    bare.files.mkdir()
    granian = ["granian", "--interface", "wsgi", "--workers", SIZE[0], "--blocking-threads", SIZE[1]]
    gunicorn = ["gunicorn", "--worker-class", "gthread", "--workers", SIZE[0], "--threads", SIZE[1]]
    env = {"PLAIN_DATABASE_URL": plain, "PLAIN_MEDIA": str(media)}
    plain_token = subprocess.run(
        [sys.executable, "-m", "benchmarks.anchors.plain_drf"],
        env=os.environ | env, cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    app = "benchmarks.anchors.plain_drf:application"
    with contextlib.ExitStack() as running:

        def serve(
            name: str, token: str, files: Path, command: Callable[[int], list[str]], **more: str
        ) -> Server:
            return running.enter_context(serving(name, token, files, command, more))

        ours = serve(
            OURS, token, folder / "files",
            lambda port: [*granian, "--port", str(port), "--log-level", "error", "config.wsgi:application"],
        )  # fmt: skip
        anchors = [
            serve(
                name, plain_token, media,
                lambda port: [*gunicorn, "--bind", f"127.0.0.1:{port}", "--log-level", "error", app],
                **env, **more,
            )
            for name, more in (
                ("DRF multipart on gunicorn", {}),
                ("DRF multipart on gunicorn, with fsync", {"PLAIN_FSYNC": "1"}),
            )
        ]  # fmt: skip
        found, peaks = [], [ours.peak_mb()]
        for load in LOADS:
            found.append(measure([ours, *anchors, bare], load))
            peaks.append(ours.peak_mb())
    return report(found, peaks)


def report(found: list[dict[str, Rate]], peaks: list[float]) -> str:
    small, large = found
    rows = [
        "| | 1 MB, 8 clients | ours / it | CPU each | 64 MB, 1 client | ours / it | CPU each |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in small:
        cells = [name]
        for rates, unit, scale in ((small, "/s", 1), (large, " MB/s", LOADS[1].size_bytes / MB)):
            rate, ours = rates[name], rates[OURS]
            cells += [
                f"{rate.uploads_per_s * scale:.0f}{unit}",
                f"{ours.uploads_per_s / rate.uploads_per_s:.2f}",
            ]
            cells.append("" if name == BARE else f"{rate.cpu_ms:.1f} ms")
        rows.append(f"| {' | '.join(cells)} |")
    start, small_files, large_files = peaks
    memory = (
        f"Highest memory of a web process: {start:.0f} MB at the start, {small_files:.0f} MB after files of "
        f"1 MB, {large_files:.0f} MB after files of 64 MB."
    )
    return "\n".join([*rows, "", memory])


def sample_and_token() -> str:
    from measurements.services import issue_token
    from samples.models import Sample, User
    from samples.services import create_project

    user = User.objects.create_user("benchmark")
    project = create_project(user=user, name="Benchmark", slug="benchmark")
    Sample.objects.create(project=project, code="B-1", state=Sample.State.COMPOSITE)
    return issue_token(user)[1]


def plain_database() -> str:
    """The anchor keeps its own tables, on the same PostgreSQL."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain")
    return make_conninfo(os.environ["DATABASE_URL"], dbname="plain")


@contextlib.contextmanager
def serving(
    name: str, token: str, files: Path, command: Callable[[int], list[str]], more: dict[str, str]
) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program, *arguments = command(port)
    process = subprocess.Popen([str(BIN / program), *arguments], cwd=ROOT, env=os.environ | more)
    try:
        wait_for(port)
        files.mkdir(exist_ok=True)
        yield Server(name, port, token, files, process)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(files, ignore_errors=True)


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("A server did not start.")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(deeper for child in found for deeper in children(child))]
