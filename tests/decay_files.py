"""A decay and the response of its instrument as files, sent in, read and analysed."""

from __future__ import annotations

import io

from analysis.services import execute, request_runs
from measurements.data import Array, Dataset
from measurements.models import Measurement
from measurements.services import Incoming, read_measurement, receive
from samples.models import Sample, User
from tests.analysis.decay_reference import expected, irf, photons

DECAY = photons(expected())


def text(t: Array, y: Array) -> bytes:
    lines = [f"{time:.4f}\t{count:g}" for time, count in zip(t, y, strict=True)]
    return ("Time (ns)\tCounts (counts)\n" + "\n".join(lines) + "\n").encode()


def response() -> bytes:
    made: Dataset = irf(0.025)
    return text(made.axes[0].values, made.signal.values)


def worked(alice: User, sample: Sample, *files: tuple[str, bytes, str]) -> Measurement:
    incoming = [Incoming(name, io.BytesIO(content), role) for name, content, role in files]
    row = receive(user=alice, files=incoming, sample_code=sample.code, technique="trpl").measurement
    read_measurement(row)
    row.refresh_from_db()
    assert row.status == "read", row.error
    for run in request_runs(row):
        execute(run.pk)
    return row
