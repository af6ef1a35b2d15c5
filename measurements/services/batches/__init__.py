"""Many files at once: a table says what each is, the files come in, and all of it is recorded."""

from measurements.services.batches.checking import plan_of
from measurements.services.batches.filling import add_file, add_stored, open_batch
from measurements.services.batches.manifest import (
    COLUMNS,
    MOST_ROWS,
    FileError,
    Manifest,
    read_manifest,
    template,
)
from measurements.services.batches.recording import commit, record_batch, requeue_batches
from measurements.services.batches.verdicts import Plan, Verdict

__all__ = [
    "COLUMNS",
    "MOST_ROWS",
    "FileError",
    "Manifest",
    "Plan",
    "Verdict",
    "add_file",
    "add_stored",
    "commit",
    "open_batch",
    "plan_of",
    "read_manifest",
    "record_batch",
    "requeue_batches",
    "template",
]
