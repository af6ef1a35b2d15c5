"""Measurements over REST: files in, receipts, arrays and bytes out; formats, techniques, instruments."""

from measurements.api.attachments import AttachmentViewSet
from measurements.api.contents import DatasetViewSet, FileViewSet
from measurements.api.instruments import InstrumentViewSet
from measurements.api.lists import FormatsView, TechniquesView
from measurements.api.measurements import MeasurementViewSet
from measurements.api.raw import RawUploadView
from measurements.api.tus import UploadsView, UploadView

__all__ = [
    "AttachmentViewSet",
    "DatasetViewSet",
    "FileViewSet",
    "FormatsView",
    "InstrumentViewSet",
    "MeasurementViewSet",
    "RawUploadView",
    "TechniquesView",
    "UploadView",
    "UploadsView",
]
