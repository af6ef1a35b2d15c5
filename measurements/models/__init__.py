"""What was measured: instruments, raw files as they came, and what the readers made of them."""

from measurements.models.attachments import Attachment
from measurements.models.blobs import SHA256, Blob
from measurements.models.instruments import Instrument
from measurements.models.measurements import Dataset, Measurement, QcLevel, RawFile

__all__ = ["SHA256", "Attachment", "Blob", "Dataset", "Instrument", "Measurement", "QcLevel", "RawFile"]
