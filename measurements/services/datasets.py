"""Between arrays and the blob that holds them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import IO

from measurements import models, nexus
from measurements.data import Dataset
from measurements.store import Stored, store
from measurements.store.errors import sentences
from measurements.vocabulary import understood

COPIED_AT_ONCE = 1024**2


def load(row: models.Dataset) -> Dataset:
    """The arrays of a dataset row, with the header in the order of the file."""
    (dataset,) = load_named(row.blob).values()
    return dataset


def load_named(blob: models.Blob) -> dict[str, Dataset]:
    """What `keep_datasets` stored, by name."""
    # HDF5 reads here and there; from afar that would be a request for every piece.
    with store().local(blob.sha256) as path, path.open("rb") as file:
        return nexus.read_nxdata(file)


def exported(row: models.Dataset) -> IO[bytes]:
    """Its NeXus file with where it comes from: a copy without a name, gone when it is closed."""
    path = store().new_temporary()
    try:
        with sentences(), store().open(row.blob.sha256) as kept, path.open("xb") as copy:
            shutil.copyfileobj(kept, copy, COPIED_AT_ONCE)
        with sentences():
            nexus.tell_origin(path, _origin(row))
            return path.open("rb")
    finally:
        path.unlink(missing_ok=True)


def _origin(row: models.Dataset) -> nexus.Origin:
    measurement = row.measurement
    sample, instrument = measurement.sample, measurement.instrument
    return nexus.Origin(
        description=measurement.get_technique_display(),
        identifier=f"measurement {measurement.pk}, dataset {row.number}",
        program=f"Vitrine, reader {row.reader} {row.reader_version}",
        sample=sample.code if sample else "",
        notation=sample.notation if sample else "",
        instrument=instrument.name if instrument else "",
        raw_files=[(file.filename, file.blob.sha256) for file in measurement.files.select_related("blob")],
        stated=understood(measurement.conditions),
    )


def keep_datasets(datasets: Mapping[str, Dataset]) -> models.Blob:
    """Store named datasets as one NeXus file; the same content is the same blob."""
    (blob,) = blobs_of([write(datasets)])
    return blob


def write(datasets: Mapping[str, Dataset]) -> Stored:
    path = store().new_temporary()
    try:
        with sentences():
            nexus.write_nxdata(path, datasets)
        return store().adopt(path)
    finally:
        path.unlink(missing_ok=True)


def blobs_of(stored: list[Stored]) -> list[models.Blob]:
    """Rows for files that are durably in the store, in the same order; only call it after they are."""
    sizes = {file.sha256: file.size for file in stored}
    # An update that changes nothing: rows which were there already come back with their key. Always in the
    # order of the hashes, so that two uploads of the same files cannot lock each other out.
    rows = models.Blob.objects.bulk_create(
        [models.Blob(sha256=sha256, size=size) for sha256, size in sorted(sizes.items())],
        update_conflicts=True,
        unique_fields=["sha256"],
        update_fields=["sha256"],
    )
    by_hash = {blob.sha256: blob for blob in rows}
    return [by_hash[file.sha256] for file in stored]
