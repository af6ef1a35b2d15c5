"""Between arrays and the blob that holds them."""

from __future__ import annotations

from collections.abc import Mapping

from measurements import models, nexus
from measurements.data import Dataset
from measurements.store import Stored, store


def load(row: models.Dataset) -> Dataset:
    """The arrays of a dataset row, with the header in the order of the file."""
    (dataset,) = load_named(row.blob).values()
    return dataset


def load_named(blob: models.Blob) -> dict[str, Dataset]:
    """What `keep_datasets` stored, by name."""
    with store().open(blob.sha256) as file:
        return nexus.read_nxdata(file)


def keep_datasets(datasets: Mapping[str, Dataset]) -> models.Blob:
    """Store named datasets as one NeXus file; the same content is the same blob."""
    (blob,) = blobs_of([write(datasets)])
    return blob


def write(datasets: Mapping[str, Dataset]) -> Stored:
    path = store().new_temporary()
    try:
        nexus.write_nxdata(path, datasets)
        return store().adopt(path)
    finally:
        path.unlink(missing_ok=True)


def blobs_of(stored: list[Stored]) -> list[models.Blob]:
    """Rows for files that are durably in the store, in the same order; only call it after they are."""
    models.Blob.objects.bulk_create(
        [models.Blob(sha256=file.sha256, size=file.size) for file in stored], ignore_conflicts=True
    )
    rows = {blob.sha256: blob for blob in models.Blob.objects.filter(sha256__in=[f.sha256 for f in stored])}
    return [rows[file.sha256] for file in stored]
