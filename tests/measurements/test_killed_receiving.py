"""Killed −9 on the way from bytes to receipt: either no trace or the whole, and nothing twice."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from measurements.models import Blob, Measurement, RawFile
from measurements.services import Receipt
from measurements.services.orphans import set_orphans_aside
from measurements.store import BlobStore, store
from samples.models import Sample, User
from tests.measurements.conftest import TEXT

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
SHA256 = hashlib.sha256(TEXT).hexdigest()

# It dies before or after the n-th call of a step; `commit` is the statement that records the rows.
KILLED_AT = """
import io, os, signal, sys
from pathlib import Path
import django
django.setup()
from django.conf import settings
settings.RAW_FILES_DIR = Path(sys.argv[1])
from measurements.services import Incoming, receive, receiving
from samples.models import User

moment, step, call = sys.argv[2], sys.argv[3], int(sys.argv[4])
place, name = {"commit": (receiving, "record"), "queue": (receiving, "enqueue_soon")}.get(step, (os, step))
real, calls = getattr(place, name), 0

def deadly(*args, **kwargs):
    global calls
    calls += 1
    if calls == call and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*args, **kwargs)
    if calls == call:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

user = User.objects.get(username="alice")
setattr(place, name, deadly)
text = sys.stdin.buffer.read()
receive(user=user, files=[Incoming("run7.txt", io.BytesIO(text))], sample_code=sys.argv[5])
print("a receipt")
"""


def files() -> BlobStore:
    found = store()
    assert isinstance(found, BlobStore)
    return found


@pytest.mark.parametrize(
    ("step", "call", "moment"),  # tests/measurements/test_store.py has more of them, for the store alone
    [
        ("fsync", 1, "before"),
        ("link", 1, "before"),
        ("link", 1, "after"),
        ("fsync", 2, "after"),
        ("commit", 1, "before"),
        ("commit", 1, "after"),
        ("queue", 1, "after"),
    ],
)
def test_killed_at_any_step_there_is_no_trace_or_a_complete_measurement(
    alice: User, composite: Sample, given: Callable[..., Receipt], step: str, call: int, moment: str
) -> None:
    url = make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])
    arguments = [str(files().root), moment, step, str(call), composite.code]
    ran = subprocess.run(
        [sys.executable, "-c", KILLED_AT, *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        input=TEXT,
        capture_output=True,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stdout + ran.stderr
    is_committed = step == "queue" or (step, moment) == ("commit", "after")
    assert Measurement.objects.count() == RawFile.objects.count() == Blob.objects.count() == int(is_committed)
    for blob in Blob.objects.all():
        assert files().examine(blob.sha256, blob.size) == "", "what a row names is complete"
    # A day later everything that nobody was promised is out of the way, and what was promised is not.
    yesterday = time.time() - 25 * 3600
    for path in [path for path in files().root.rglob("*") if path.is_file()]:
        os.utime(path, (yesterday, yesterday))
    files().sweep()
    set_orphans_aside()
    assert not files().incoming.exists() or list(files().incoming.iterdir()) == []
    assert list(files().hashes()) == [SHA256] * is_committed
    # The instrument got no receipt, so it sends again: once is enough, and once is all there is.
    receipt = given()
    assert receipt.created is not is_committed
    assert files().verify(SHA256)
    assert Measurement.objects.count() == 1
