"""A furnace's log becomes the programme as it ran, beside the programme as it was set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction

from measurements import furnace_log
from measurements.data import ReadError
from measurements.furnace_log import FurnaceLog
from measurements.models import Attachment
from measurements.readers import delimited_text
from measurements.services.attachments import Subject, attach
from measurements.store import Pending, Readable, store
from samples.models import Preparation, Quench, Sintering, User
from samples.services import performing
from samples.services.deriving import rederive
from samples.services.performing.steps import lock, replace_segments

LARGEST_LOG_BYTES = 32 * 1024**2  # it is read while the person waits


@transaction.atomic
def attach_log(
    *,
    user: User,
    preparation: Preparation,
    step: str,
    name: str,
    stream: Readable | Pending,
    note: str = "",
) -> Attachment:
    """Attach a log to a sintering or quench that was recorded, and take from it what the furnace really did.

    A sintering gets its segments as they ran, a quench its rate; the plan stays as it is. Raises
    ValidationError with a sentence when the log cannot be read; then nothing is attached.
    """
    held = lock(preparation)
    line = performing.place(held, step)
    if not isinstance(line.step, Sintering | Quench):
        raise ValidationError("A furnace log belongs to a sintering or quench step.")
    if line.performed is None:
        raise ValidationError("Record the step as done first; its log then says how it ran.")
    row = attach(
        user=user,
        subject=Subject(preparation=held, step=step),
        name=name,
        stream=stream,
        note=note,
        kind=str(Attachment.Kind.FURNACE_LOG),
    )
    log = read_log(row)
    with pghistory.context(reason=f"Read from the furnace log {row.filename}"):
        _as_run(line.performed, log)
    rederive(held.samples.all())
    return row


def read_log(row: Attachment) -> FurnaceLog:
    """The log in an attachment, which then says what it was found to say. Raises ValidationError."""
    log = _read(row)
    minutes, temperature_c = furnace_log.preview(log)
    row.preview = np.concatenate([minutes, temperature_c]).astype("<f4").tobytes()
    row.reading = told(log)
    row.save(update_fields=["preview", "reading"])
    return log


def told(log: FurnaceLog) -> dict[str, Any]:
    """What the log says, as JSON; None where it does not say it."""
    return {
        "peak_c": log.peak_c,
        "highest_c": log.highest_c,
        "hold_min": log.hold_min,
        "near_peak_min": log.near_peak_min,
        "ramp_c_per_min": log.ramp_c_per_min,
        "cooling_c_per_min": log.cooling_c_per_min,
        "sigma_c": log.sigma_c,
        "readings": int(log.minutes.size),
        "warnings": list(log.warnings),
    }


def _read(row: Attachment) -> FurnaceLog:
    if row.blob.size > LARGEST_LOG_BYTES:
        raise ValidationError(
            f"{row.filename} has {row.blob.size / 1e6:.0f} MB; a furnace log of up to "
            f"{LARGEST_LOG_BYTES / 1e6:.0f} MB is read. Export fewer readings."
        )
    try:
        with store().local(row.blob.sha256) as path:
            return furnace_log.from_datasets(delimited_text.read(path))
    except ReadError as error:
        raise ValidationError(f"{row.filename}: {error}") from error


def _as_run(step: Sintering | Quench, log: FurnaceLog) -> None:
    if isinstance(step, Quench):
        if log.cooling_c_per_min is None:
            raise ValidationError(
                "The log does not show the fall of the quench: it must come half way down to 25 °C."
            )
        step.rate_c_per_min = log.cooling_c_per_min
        step.full_clean()
        step.save(update_fields=["rate_c_per_min"])
        return
    before = max(step.segments.all(), key=lambda segment: segment.target_c, default=None)
    gas = {"gas": before.gas} if before is not None and before.gas else {}
    if before is not None and before.flow_ml_min is not None:
        gas["flow_ml_min"] = before.flow_ml_min
    replace_segments(
        step,
        [
            {
                "target_c": segment.target_c,
                "ramp_c_per_min": segment.ramp_c_per_min,
                "hold_min": segment.hold_min,
                **gas,
            }
            for segment in log.segments
        ],
    )
