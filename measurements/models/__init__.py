"""What was measured: instruments, raw files as they came, and what the readers made of them."""

from measurements.models.attachments import Attachment
from measurements.models.batches import Batch, BatchFile, BatchRow
from measurements.models.blobs import SHA256, Blob
from measurements.models.inbox import Decision, InboxRule
from measurements.models.instruments import Instrument
from measurements.models.measurements import Conflict, Dataset, Measurement, QcLevel, RawFile
from measurements.models.storage import Backup, Quota
from measurements.models.uploads import Upload

__all__ = [
    "SHA256",
    "Attachment",
    "Backup",
    "Batch",
    "BatchFile",
    "BatchRow",
    "Blob",
    "Conflict",
    "Dataset",
    "Decision",
    "InboxRule",
    "Instrument",
    "Measurement",
    "QcLevel",
    "Quota",
    "RawFile",
    "Upload",
]
