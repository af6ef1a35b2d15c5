"""Many small files again: read, two-Gaussian fit, supersede, store.

    VITRINE_FILES=10000 .venv/bin/python -m benchmarks reanalysis

Ours is the worker of `manage.py up`, with two processes, over PostgreSQL and Valkey: from the moment the runs
wait to the moment the last one is done. Its anchors: the same with one Celery task for each file, the ORM and
lmfit (fewer files; it takes long); and the same reading, fitting and writing in two bare processes that know
neither queue nor database. They read the stored NeXus files, for the copies that our workers read stand in
the database. Then everything once more, while somebody looks at Explore.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils import timezone

from analysis import methods, services
from analysis.curves import store_together
from analysis.models import Run, Value
from analysis.services.executing import BATCH
from analysis.services.waking import wake
from benchmarks import explore
from benchmarks.fits import X_NM, spectra
from benchmarks.measuring import family_megabytes
from measurements import data
from measurements.models import Dataset, Measurement, RawFile
from measurements.nexus import read_nxdata
from measurements.services.datasets import blobs_of, write
from measurements.store import store
from samples.models import Sample
from samples.services import create_project

METHOD = "pl_gaussians"
FILES = int(os.environ.get("VITRINE_FILES", "10000"))
ANCHOR_FILES = max(100, FILES // 20)
PROCESSES = 2
SAMPLES, PROPERTIES = 10_000, 10  # behind Explore
LOOK_EVERY_S = 0.2
BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[1]


def main() -> str:
    plant(FILES)
    first_analysis()
    raise_version()
    bare_s = bare(FILES)
    asked_s = ask_again()
    connection.close()
    ours_s, memory = ours()
    anchor_s = one_task_per_file(ANCHOR_FILES)
    bare_after_s = bare(FILES)
    looks = explore_meanwhile()
    rates = {
        "ours": FILES / ours_s,
        "task": ANCHOR_FILES / anchor_s,
        "bare": FILES / median([bare_s, bare_after_s]),
    }
    return report(rates, asked_s, memory, looks)


# --- what there is to analyse ----------------------------------------------------------------------------


def plant(count: int) -> None:
    user = get_user_model().objects.create_user("bench", "bench@example.org", "a long enough password")
    project = create_project(user=user, name="Reanalysis", slug="reanalysis")
    sample = Sample.objects.create(project=project, code="B-1", state="glass")
    curves = spectra(count)
    for start in range(0, count, 500):
        some = [
            data.Dataset(
                data.Signal("intensity", "counts", y), (data.Axis("wavelength", "nm", X_NM),), {"n": str(i)}
            )
            for i, y in enumerate(curves[start : start + 500], start)
        ]
        blobs = blobs_of([write({"data": each}) for each in some])
        measurements = Measurement.objects.bulk_create(
            Measurement(
                project=project, sample=sample, technique="pl", status="read", content_key=blob.sha256
            )
            for blob in blobs
        )
        files = RawFile.objects.bulk_create(
            RawFile(measurement=m, blob=blob, filename=f"{m.pk}.txt")
            for m, blob in zip(measurements, blobs, strict=True)
        )
        Dataset.objects.bulk_create(
            Dataset(
                measurement=m, file=file, reader="delimited_text", reader_version=1, blob=blob,
                shape=[X_NM.size], axes=[{"name": "wavelength", "unit": "nm", "size": X_NM.size}],
                signal_name="intensity", signal_unit="counts",
            )
            for m, file, blob in zip(measurements, files, blobs, strict=True)
        )  # fmt: skip


def first_analysis() -> None:
    """By the engine itself."""
    for measurement in Measurement.objects.all().iterator():
        services.request_run(measurement, METHOD, trigger="schedule")
    while services.execute_batch():
        pass


def raise_version() -> None:
    """All runs so far are said to be of an earlier version of the method."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_run SET method_version = 0, identity ="
            " encode(sha256((identity || id)::bytea), 'hex')"
        )
        cursor.execute("ANALYZE")


def ask_again() -> float:
    began = time.perf_counter()
    services.reanalyse(METHOD)
    asked_s = time.perf_counter() - began
    waiting = Run.objects.filter(status="queued").count()
    assert waiting == FILES, f"{waiting} of {FILES} files were asked for again"
    return asked_s


# --- the candidates --------------------------------------------------------------------------------------


def ours() -> tuple[float, list[float]]:
    memory: list[float] = []
    with worker("config", "fast") as process:
        began = time.perf_counter()
        wake("fast")
        looks = 0
        while _unfinished():
            if looks % 10 == 0:  # to count its pages takes a twentieth of a second of somebody's processor
                memory.append(family_megabytes(process.pid))
            looks += 1
            time.sleep(0.1)
        taken_s = time.perf_counter() - began
    done = Run.objects.filter(status="done", method_version__gt=0).count()
    assert done == FILES, f"{done} of {FILES} are done"
    current = Value.objects.filter(current=True, method=METHOD)
    assert not current.filter(run__method_version=0).exists()
    assert current.values("measurement").distinct().count() == FILES
    return taken_s, memory


def _unfinished() -> bool:
    return Run.objects.filter(status__in=["queued", "running"]).exists()


def explore_meanwhile() -> dict[str, list[float]]:
    """Seconds of Explore's answers, in process: with idle workers, and while they do everything again."""
    user = get_user_model().objects.create_user("looks")
    explore.fill(user, SAMPLES, PROPERTIES)
    y = Value.objects.filter(publication__isnull=False).order_by("property").first()
    assert y is not None
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)

    def look() -> float:
        began = time.perf_counter()
        query = {"x": explore.X, "y": f"{y.property}:{y.component}".rstrip(":"), "color": explore.COLOR}
        answer = client.get("/api/v1/explore/", query)
        assert answer.status_code == 200, answer.content
        assert len(answer.content) > SAMPLES
        time.sleep(LOOK_EVERY_S)
        return time.perf_counter() - began - LOOK_EVERY_S

    raise_version()
    ask_again()
    with worker("config", "fast"):
        idle = [look() for _ in range(25)][5:]
        wake("fast")
        busy = []
        while _unfinished():
            busy.append(look())
    return {"idle": idle, "busy": busy}


def one_task_per_file(count: int) -> float:
    from benchmarks.anchors.task_per_file import METHOD as ANCHOR
    from benchmarks.anchors.task_per_file import refit

    keys = list(Measurement.objects.order_by("pk").values_list("pk", flat=True)[:count])
    with worker("benchmarks.anchors.task_per_file", "anchor"):
        for version in (1, 2):  # the second supersedes the first
            began = time.perf_counter()
            for pk in keys:
                refit.delay(pk, version)
            while Run.objects.filter(method=ANCHOR, method_version=version, status="done").count() < count:
                time.sleep(0.1)
            taken_s = time.perf_counter() - began
    return taken_s


def bare(count: int) -> float:
    """The files' paths and the method are all they know; results go into files, synced like ours."""
    paths = [
        str(store().path(sha256))  # type: ignore[attr-defined]
        for sha256 in Dataset.objects.order_by("pk").values_list("blob__sha256", flat=True)[:count]
    ]
    half = -(-len(paths) // PROCESSES)
    context = get_context("fork")
    connection.close()
    workers = [
        context.Process(target=_bare_half, args=(paths[i * half : (i + 1) * half], i))
        for i in range(PROCESSES)
    ]
    began = time.perf_counter()
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert all(each.exitcode == 0 for each in workers)
    return time.perf_counter() - began


def _bare_half(paths: Sequence[str], number: int) -> None:
    loaded = methods.get(METHOD)
    assert loaded.run_many is not None
    params = methods.parse_params(loaded, {})
    gc.freeze()  # as in our child: what the parent left is not theirs to look through
    with Path(os.environ["VITRINE_DATA"], f"bare-{number}.jsonl").open("w") as results:
        for start in range(0, len(paths), BATCH):
            some = paths[start : start + BATCH]
            inputs = [{"sample": read_nxdata(Path(path))["data"]} for path in some]
            outcomes = [each for each in loaded.run_many(inputs, params) if isinstance(each, methods.Outcome)]
            assert len(outcomes) == len(some)
            store_together([methods.check_outcome(loaded, each).curves for each in outcomes])
            for path, outcome in zip(some, outcomes, strict=True):
                values = [[v.property, v.component, v.value, v.sigma] for v in outcome.values]
                results.write(json.dumps([path, values, outcome.warnings, dict(outcome.notes)]) + "\n")
            results.flush()
            os.fsync(results.fileno())


@contextmanager
def worker(app: str, queue: str) -> Iterator[subprocess.Popen[bytes]]:
    log = Path(os.environ["VITRINE_DATA"], f"{queue}.log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                str(BIN / "celery"), "-A", app, "worker", "-Q", queue, "--concurrency", str(PROCESSES),
                "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat",
            ],
            cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        while b" ready." not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


# --- what came of it -------------------------------------------------------------------------------------


def report(
    rates: dict[str, float], asked_s: float, memory: Sequence[float], looks: dict[str, list[float]]
) -> str:
    quarter = max(1, len(memory) // 4)
    early, late = np.mean(memory[quarter : 2 * quarter]), np.mean(memory[-quarter:])
    idle, busy = median(looks["idle"]), median(looks["busy"])
    rows = {
        "Vitrine's worker, two processes": rates["ours"],
        f"one Celery task a file, ORM and lmfit ({ANCHOR_FILES} files)": rates["task"],
        "two bare processes, no queue, no database": rates["bare"],
    }
    return "\n".join(
        [
            f"Reanalysis of {FILES} files of {X_NM.size} points: read, fit one and two Gaussians, choose, "
            "supersede, store.",
            "",
            "| | files/s | ours / it |",
            "|---|---|---|",
            *(f"| {name} | {rate:.0f} | {rates['ours'] / rate:.2f} |" for name, rate in rows.items()),
            "",
            f"Asking for all of them took {asked_s:.1f} s before. Memory of the worker and its processes: "
            f"{early:.0f} MB in the second quarter of the time, {late:.0f} MB in the last, at most "
            f"{max(memory):.0f} MB.",
            "",
            f"Explore over {SAMPLES} samples and {SAMPLES * PROPERTIES} values answered in "
            f"{1000 * idle:.0f} ms beside idle workers, and in {1000 * busy:.0f} ms while they analysed "
            f"everything again (medians of {len(looks['idle'])} and {len(looks['busy'])}): "
            f"{busy / idle:.2f} times as long.",
            f"({timezone.now():%Y-%m-%d})",
        ]
    )
