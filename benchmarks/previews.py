"""What a page needs to draw ten million points: the figure's whole answer, and the map's, in process.

.venv/bin/python -m benchmarks previews

Beside it, in the same run, what the same answer costs when the numbers come from their file and are thinned.
"""

from __future__ import annotations

import io

import numpy as np
from django.test import Client

from benchmarks.measuring import interleaved
from measurements.data import Axis, Dataset, Signal
from measurements.models import Dataset as Row
from measurements.nexus import write_nxdata
from measurements.services import Incoming, read_measurement, receive
from samples.models import User
from samples.services import create_project

POINTS = 10_000_000
MAP = (2000, 5000)


def datasets() -> dict[str, Dataset]:
    chance = np.random.default_rng(20261120)
    curve = Dataset(
        Signal("Counts", "counts", chance.poisson(100, POINTS).astype(float)),
        (Axis("Time", "s", np.arange(float(POINTS))),),
    )
    surface = Dataset(
        Signal("Counts", "counts", chance.poisson(100, MAP).astype(float)),
        (Axis("Temperature", "°C", np.arange(float(MAP[0]))), Axis("2θ", "deg", np.arange(float(MAP[1])))),
    )
    return {f"curve of {POINTS:.0e} points": curve, f"map of {MAP[0]} × {MAP[1]}": surface}


def main() -> str:
    user = User.objects.create_user("benchmark")
    create_project(user=user, name="Benchmark", slug="benchmark")
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    rows = ["| figure | from the overview | from the file | answer |", "|---|---|---|---|"]
    for name, dataset in datasets().items():
        file = io.BytesIO()
        write_nxdata(file, {"0": dataset})
        file.seek(0)
        measurement = receive(user=user, files=[Incoming(f"{name}.nxs", file)]).measurement
        read_measurement(measurement)
        measurement.refresh_from_db()
        assert measurement.status == "read", measurement.error
        kept = bytes(Row.objects.get(measurement=measurement).overview or b"")
        url = f"/figures/measurements/{measurement.pk}.json"

        def with_overview(url: str = url) -> int:
            return len(client.get(url).content)

        def without(url: str = url, pk: int = measurement.pk, kept: bytes = kept) -> int:
            Row.objects.filter(measurement=pk).update(overview=None)
            size = len(client.get(url).content)
            Row.objects.filter(measurement=pk).update(overview=kept)
            return size

        medians = interleaved({"overview": with_overview, "file": without}, rounds=7)
        rows.append(
            f"| {name} | {medians['overview'] * 1000:.0f} ms | {medians['file'] * 1000:.0f} ms | "
            f"{with_overview() / 1e3:.0f} kB |"
        )
    return "\n".join(rows)
