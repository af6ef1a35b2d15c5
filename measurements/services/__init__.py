"""Changes that span rows: receive files, read them, give them their sample; instruments and their tokens."""

from measurements.services.attachments import Subject, attach, void_attachment
from measurements.services.datasets import keep_datasets, load, load_named
from measurements.services.furnace import attach_log, read_log
from measurements.services.inbox import assign, set_technique
from measurements.services.instruments import add_instrument, issue_token, owner_of_token
from measurements.services.reading import read_measurement, requeue_forgotten
from measurements.services.receiving import Incoming, Receipt, RefusedError, receive

__all__ = [
    "Incoming",
    "Receipt",
    "RefusedError",
    "Subject",
    "add_instrument",
    "assign",
    "attach",
    "attach_log",
    "issue_token",
    "keep_datasets",
    "load",
    "load_named",
    "owner_of_token",
    "read_log",
    "read_measurement",
    "receive",
    "requeue_forgotten",
    "set_technique",
    "void_attachment",
]
