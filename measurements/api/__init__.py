"""Measurements over REST: files in, receipts, arrays and bytes out; formats, techniques, instruments."""

from measurements.api.attachments import AttachmentViewSet
from measurements.api.batches import BatchViewSet
from measurements.api.contents import DatasetViewSet, FileViewSet
from measurements.api.inbox import InboxRuleViewSet, InboxViewSet
from measurements.api.instruments import InstrumentViewSet
from measurements.api.lists import FormatsView, TechniquesView
from measurements.api.measurements import MeasurementViewSet
from measurements.api.raw import RawUploadView
from measurements.api.tus import UploadsView, UploadView

__all__ = [
    "AttachmentViewSet",
    "BatchViewSet",
    "DatasetViewSet",
    "FileViewSet",
    "FormatsView",
    "InboxRuleViewSet",
    "InboxViewSet",
    "InstrumentViewSet",
    "MeasurementViewSet",
    "RawUploadView",
    "TechniquesView",
    "UploadView",
    "UploadsView",
]
