"""Every real file of the reference folder, through the real upload, against independent readings."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from measurements import readers
from measurements.models import Measurement
from measurements.opening import Source, datasets_of
from measurements.services import load, read_measurement
from samples.models import Sample
from tests.measurements.readers import report
from tests.measurements.readers.children import offences_of_many
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import mutations

# Three rows of marks (time −1, −3) are events and no points; the independent reading counts them.
OTHERWISE = {"thermal/tga_TA_Q500_Cryo1.txt"}
FULL = bool(os.environ.get("VITRINE_FULL"))


@pytest.fixture(scope="module")
def results(reference: Path) -> list[report.Tried]:
    return report.all_tried(reference)


def test_at_least_95_of_100_measurements_agree_with_independent_readings(results: list[report.Tried]) -> None:
    compared = report.counted(results)
    wrong = [f"{each.path}: {each.refusal or each.disagreements[0]}" for each in compared if not each.agreed]
    assert len(compared) > 190
    assert len(wrong) <= 0.05 * len(compared), "\n".join(wrong)


def test_what_is_refused_is_refused_with_a_sentence_and_a_remedy(results: list[report.Tried]) -> None:
    for each in results:
        if not each.read:
            assert len(each.refusal) > 40, each
            assert each.refusal.rstrip().endswith("."), each


def test_the_page_of_formats_is_what_the_files_say(results: list[report.Tried]) -> None:
    assert report.PAGE.read_text() == report.page(results), (
        "python -m tests.measurements.readers.report --write"
    )


def test_every_file_of_the_manifest_goes_through_the_upload_with_its_hash(
    reference: Path, as_alice: APIClient, composite: Sample
) -> None:
    folder = reference / "instrument_files"
    for name, paths in report.groups(report.manifest(reference)):
        contents = {path: (folder / path).read_bytes() for path in paths}
        files = [SimpleUploadedFile("x", content) for content in contents.values()]
        for path, file in zip(contents, files, strict=True):
            file._name = path  # a form's file name may hold folders; Django's property strips them
        answer = as_alice.post("/api/v1/measurements/", {"sample": composite.code, "file": files})
        assert answer.status_code in (200, 201), (name, answer.content)
        told = sorted(file["sha256"] for file in answer.json()["files"])
        assert told == sorted(hashlib.sha256(content).hexdigest() for content in contents.values())
        measurement = Measurement.objects.get(pk=answer.json()["id"])
        read_measurement(measurement)
        measurement.refresh_from_db()
        assert measurement.status in ("read", "failed"), name
        if measurement.status == "failed":
            assert measurement.error.rstrip().endswith("."), name


def test_what_the_database_gives_back_agrees_too(
    reference: Path, as_alice: APIClient, composite: Sample
) -> None:
    """One file of each reader, from its upload to the arrays that the interface serves."""
    folder = reference / "instrument_files"
    for source in smallest_of_each_reader(folder, list(readings_of(reference))):
        name = str(source.relative_to(folder))
        file = SimpleUploadedFile(source.name, source.read_bytes())
        pk = as_alice.post("/api/v1/measurements/", {"sample": composite.code, "file": file}).json()["id"]
        measurement = Measurement.objects.get(pk=pk)
        read_measurement(measurement)
        rows = measurement.datasets.filter(current=True)
        directly = {opened.dataset.signal.values.tobytes() for opened in datasets_of([Source(source, name)])}
        assert {load(row).signal.values.tobytes() for row in rows} == directly, name
        if name not in OTHERWISE:
            assert not disagreements([load(row) for row in rows], readings_of(reference)[name]), name


def smallest_of_each_reader(folder: Path, names: list[str]) -> Iterator[Path]:
    seen = set()
    for path in sorted((folder / name for name in names), key=lambda path: path.stat().st_size):
        with path.open("rb") as file:
            reader = readers.recognise(file.read(readers.HEAD_BYTES), path.name)
        if reader is not None and reader.key not in seen and not reader.format.folder:
            seen.add(reader.key)
            yield path


def damaged(source: Path) -> dict[str, int]:
    """Small files in full; of large ones fewer, for each costs a whole reading."""
    if not FULL:
        return {"cuts": 4, "flips": 8, "swaps": 2}
    few = source.stat().st_size > 400_000
    return {"cuts": 20, "flips": 40 if few else 200, "swaps": 5 if few else 10}


def test_a_damaged_file_of_any_format_is_refused_or_read_within_its_limits_and_nothing_else(
    reference: Path, tmp_path: Path
) -> None:
    """ReadError or datasets, within ten seconds and a gigabyte; the original stays what it was."""
    folder = reference / "instrument_files"
    wrong: list[str] = []
    for source in smallest_of_each_reader(folder, report.manifest(reference)):
        content = source.read_bytes()
        reader = readers.recognise(content[: readers.HEAD_BYTES], source.name)
        assert reader is not None
        tried = list(mutations(content, seed=len(content), **damaged(source)))
        wrong += offences_of_many(reader, tried, source.name, tmp_path)
        assert source.read_bytes() == content
    assert not wrong, "\n".join(wrong[:20])
