"""Uploads of 1 MB (eight clients), 512 MB and 2 GiB (one client), each stored, hashed and answered.

    .venv/bin/python -m benchmarks uploads

Ours is the web server of `manage.py up`, asked in its three ways. Its anchors: gunicorn with DRF's own
multipart parser and a FileField, without and with fsync; a bare socket server that gives the same guarantees;
and one process that only writes, hashes and fsyncs. All take turns. The clients run on the same machine and
cost all servers alike; the processor time of each server (without PostgreSQL's) stands beside.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.anchors.upload_servers import (
    MB,
    ROOT,
    Bare,
    Load,
    Server,
    post_form,
    put_body,
    running,
    send_by_tus,
)
from config import up

PUT, FORM, TUS = "Vitrine, PUT", "Vitrine, form", "Vitrine, tus"
DRF, DRF_FSYNC = "DRF multipart on gunicorn", "DRF multipart on gunicorn, with fsync"
SOCKET, BARE = "bare socket server, same guarantees", "write + hash + fsync in one process"
SIZE = ["2", "32"]  # processes and threads of the anchors: as many as ours has

SMALL = Load("1 MB, 8 clients", 1 * MB, 8, 160, 7)
LARGE = Load("512 MB, 1 client", 512 * MB, 1, 1, 5)
HUGE = Load("2 GiB, 1 client", 2 * 1024**3, 1, 1, 3)
TRIED = {
    SMALL: (PUT, FORM, DRF, DRF_FSYNC, SOCKET, BARE),
    LARGE: (PUT, FORM, TUS, DRF, BARE),
    HUGE: (PUT, TUS, BARE),
}


class Rate(NamedTuple):
    uploads_per_s: float
    cpu_ms: float  # of the server, for one upload


def measure(candidates: list[Server | Bare], load: Load) -> dict[str, Rate]:
    """Medians of each. Making the files and removing them again is not counted."""
    rates: dict[str, list[Rate]] = {candidate.name: [] for candidate in candidates}
    for turn in range(load.rounds + 1):
        for candidate in candidates:
            before_s = candidate.cpu_s()
            taken_s = candidate.run(load)
            cpu_ms = 1000 * (candidate.cpu_s() - before_s) / load.uploads
            if turn:
                rates[candidate.name].append(Rate(load.uploads / taken_s, cpu_ms))
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
    with contextlib.ExitStack() as stack:
        candidates = started(stack, folder)
        ours = candidates[PUT]
        assert isinstance(ours, Server)
        tables, peaks = [], [("at the start", ours.peak_mb())]
        for load, names in TRIED.items():
            tables.append(table(load, measure([candidates[name] for name in names], load)))
            peaks.append((f"after {load.name}", ours.peak_mb()))
    memory = ", ".join(f"{peak:.0f} MB {when}" for when, peak in peaks)
    return "\n\n".join([*tables, f"Highest memory of a web process: {memory}."])


def started(stack: contextlib.ExitStack, folder: Path) -> dict[str, Server | Bare]:
    token = sample_and_token()
    candidates: dict[str, Server | Bare] = {}
    port, process = stack.enter_context(
        running(
            folder / "files",
            lambda port: up.web("127.0.0.1", port, f"http://127.0.0.1:{port}").command,
            {},
        )
    )
    for name, send in ((PUT, put_body), (FORM, post_form), (TUS, send_by_tus)):
        candidates[name] = Server(name, port, token, folder / "files", process, send)
    bare_files = folder / "socket"
    port, process = stack.enter_context(
        running(
            bare_files,
            lambda port: ["python", "-m", "benchmarks.anchors.bare_socket", str(port), SIZE[0]],
            {"FILES": str(bare_files)},
        )
    )
    candidates[SOCKET] = Server(SOCKET, port, token, bare_files, process, put_body)
    plain = {"PLAIN_DATABASE_URL": plain_database(), "PLAIN_MEDIA": str(folder / "media")}
    plain_token = subprocess.run(
        [sys.executable, "-m", "benchmarks.anchors.plain_drf"],
        env=os.environ | plain, cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    gunicorn = ["gunicorn", "--worker-class", "gthread", "--workers", SIZE[0], "--threads", SIZE[1]]
    app = "benchmarks.anchors.plain_drf:application"
    for name, more in ((DRF, {}), (DRF_FSYNC, {"PLAIN_FSYNC": "1"})):
        media = folder / "media"
        port, process = stack.enter_context(
            running(
                media,
                lambda port: [*gunicorn, "--bind", f"127.0.0.1:{port}", "--log-level", "error", app],
                plain | more,
            )
        )
        candidates[name] = Server(name, port, plain_token, media, process, post_form)
    (folder / "bare").mkdir()
    candidates[BARE] = Bare(BARE, folder / "bare")
    return candidates


def table(load: Load, found: dict[str, Rate]) -> str:
    """Against the first of them."""
    ours = found[PUT]
    per_s, scale = ("/s", 1.0) if load.size_bytes <= MB else (" MB/s", load.size_bytes / MB)
    rows = [f"| {load.name} | rate | PUT / it | processor time each | PUT's / its |", "|---|---|---|---|---|"]
    for name, rate in found.items():
        cells = [
            name,
            f"{rate.uploads_per_s * scale:.0f}{per_s}",
            f"{ours.uploads_per_s / rate.uploads_per_s:.2f}",
            f"{rate.cpu_ms:.1f} ms",
            f"{ours.cpu_ms / rate.cpu_ms:.2f}",
        ]
        if name == BARE:  # its processor time holds that of making the files
            cells[3:] = ["", ""]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def sample_and_token() -> str:
    from measurements.services import issue_token
    from samples.models import Sample, User
    from samples.services import create_project

    user = User.objects.create_user("benchmark")
    project = create_project(user=user, name="Benchmark", slug="benchmark")
    Sample.objects.create(project=project, code="B-1", state=Sample.State.COMPOSITE)
    return issue_token(user)[1]


def plain_database() -> str:
    """The DRF anchor keeps its own tables, on the same PostgreSQL."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain")
    return make_conninfo(os.environ["DATABASE_URL"], dbname="plain")
