"""Changes that span rows: receive files, read them, give them their sample; instruments and their tokens."""

from measurements.services.attachments import Subject, attach, void_attachment
from measurements.services.datasets import exported, keep_datasets, load, load_named
from measurements.services.furnace import attach_log, read_log
from measurements.services.inbox import assign, keep, look_over, set_technique
from measurements.services.instruments import add_instrument, issue_token, owner_of_token
from measurements.services.moving import move
from measurements.services.reading import read_measurement, requeue_forgotten
from measurements.services.receiving import Incoming, Receipt, RefusedError, receive
from measurements.services.voiding import reread, reread_failed, restore, void

__all__ = [
    "Incoming",
    "Receipt",
    "RefusedError",
    "Subject",
    "add_instrument",
    "assign",
    "attach",
    "attach_log",
    "exported",
    "issue_token",
    "keep",
    "keep_datasets",
    "load",
    "load_named",
    "look_over",
    "move",
    "owner_of_token",
    "read_log",
    "read_measurement",
    "receive",
    "requeue_forgotten",
    "reread",
    "reread_failed",
    "restore",
    "set_technique",
    "void",
    "void_attachment",
]
