"""Steps as they were performed, corrected and, where the record was wrong, undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pghistory
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from samples.models import FurnaceSegment, Preparation, Sintering, User
from samples.models.steps import OtherStep, Quench
from samples.services.deriving import rederive
from samples.services.performing.sheet import Place, place, sheet
from samples.services.recipe_steps import MOST_SEGMENTS, checked, save_checked
from samples.step_kinds import KINDS, SEGMENT_FIELDS, StepKind, kind_of

LONGEST_NOTES = 10_000
FUTURE = timedelta(minutes=5)  # a tablet's clock may be that wrong
Said = Mapping[str, Any]


@transaction.atomic
def perform(
    *,
    user: User,
    preparation: Preparation,
    key: str,
    said: Said,
    at: datetime | None,
    notes: str = "",
    reason: str = "",
) -> Any:
    """Record a step of the run sheet as it was done; the performed row.

    said : the fields of its kind in samples.step_kinds; a sintering also "segments". What is left out was not
        recorded, and stays unknown beside its set point.
    at : when it was done; None: not recorded
    A step that is recorded already is corrected, which needs a reason.
    Raises ValidationError with a sentence; then nothing is saved.
    """
    held = lock(preparation)
    line = place(held, key)
    if line.performed is not None and not reason.strip():
        raise ValidationError("This step is recorded already. To correct it, say why.")
    begin(held)
    row = line.performed or type(line.planned)(
        preparation=held, planned=line.planned, order=_free_order(held, line)
    )
    with pghistory.context(**({"reason": reason.strip()} if reason.strip() else {})):
        _write(row, kind_of(line.step), said, at, notes, line.planned)
    rederive(held.samples.all())
    return row


@transaction.atomic
def add_step(
    *,
    user: User,
    preparation: Preparation,
    kind: str,
    said: Said,
    at: datetime | None,
    notes: str = "",
) -> Any:
    """Record a step that nobody planned, behind all others."""
    held = lock(preparation)
    known = KINDS.get(kind)
    if known is None:
        raise ValidationError(f"“{kind[:40]}” is no kind of step; choose one of {', '.join(KINDS)}.")
    begin(held)
    last = max((line.step.order for line in sheet(held)), default=0)
    row = known.model(preparation=held, order=last + 1)
    if known.model is OtherStep:
        row.kind = known.key
    _write(row, known, said, at, notes, None)
    rederive(held.samples.all())
    return row


@transaction.atomic
def undo(*, user: User, preparation: Preparation, key: str, reason: str) -> None:
    """Take the record of a step back. The audit trail keeps what it said, with the reason."""
    if not reason.strip():
        raise ValidationError("Say why the record of this step is taken back.")
    held = lock(preparation)
    line = place(held, key)
    if line.performed is None:
        raise ValidationError("This step is not recorded, so there is nothing to take back.")
    with pghistory.context(reason=reason.strip()):
        line.performed.delete()
    rederive(held.samples.all())


def lock(preparation: Preparation) -> Preparation:
    """Two tablets at one bench: the second waits and then sees what the first recorded."""
    return Preparation.objects.select_for_update(of=("self",)).select_related("recipe").get(pk=preparation.pk)


def begin(preparation: Preparation) -> None:
    """The first record begins the sheet."""
    if preparation.started_at is None and preparation.performed_at is None:
        preparation.started_at = timezone.now()
        preparation.save(update_fields=["started_at"])


def check_moment(at: datetime | None) -> datetime | None:
    if at is not None and timezone.is_naive(at):
        raise ValidationError("The time needs a zone, such as 2026-05-04T10:00:00+02:00.")
    if at is not None and at > timezone.now() + FUTURE:
        raise ValidationError("The time lies in the future. Check the date; leave it empty when not known.")
    return at


def _write(row: Any, kind: StepKind, said: Said, at: datetime | None, notes: str, planned: Any) -> None:
    where = kind.word
    given = {name: value for name, value in said.items() if name != "segments"}
    if isinstance(row, Quench) and planned is not None:
        given.setdefault("medium", planned.medium)
    fields = KINDS["other"].fields if kind.model is OtherStep else kind.fields
    values = checked(given, where, fields)
    for field in fields:
        empty = "" if field.reads in ("text", "choice") else None
        setattr(row, field.name, values.get(field.name, empty))
    if len(notes) > LONGEST_NOTES or "\0" in notes:
        raise ValidationError(f"{where}: notes are text of at most {LONGEST_NOTES} characters.")
    row.performed_at, row.notes = check_moment(at), notes.strip()
    save_checked(row, where)
    if kind.has_segments:
        replace_segments(row, said.get("segments") or [], where)
    elif said.get("segments"):
        raise ValidationError(f"{where}: only a sintering has segments; leave them out.")


def replace_segments(step: Sintering, segments: Sequence[Said], where: str = "Sintering") -> None:
    """The programme as it ran: every segment or none, for the hottest of half a programme would mislead."""
    if not isinstance(segments, Sequence) or isinstance(segments, str) or len(segments) > MOST_SEGMENTS:
        raise ValidationError(f"{where}: segments are a list of at most {MOST_SEGMENTS}.")
    said = [_segment(segment, f"{where}, segment {n}") for n, segment in enumerate(segments, start=1)]
    if any(said):
        for number, segment in enumerate(said, start=1):
            if "target_c" not in segment:
                raise ValidationError(
                    f"{where}, segment {number}: its target is missing. Record the temperature of every "
                    "segment, or of none."
                )
    step.segments.all().delete()
    for number, segment in enumerate((s for s in said if s), start=1):
        row = FurnaceSegment(sintering=step, order=number)
        values = checked(segment, f"{where}, segment {number}", SEGMENT_FIELDS)
        for name, value in values.items():
            setattr(row, name, value)
        save_checked(row, f"{where}, segment {number}")


def _segment(segment: Said, where: str) -> dict[str, Any]:
    if not isinstance(segment, Mapping):
        raise ValidationError(f"{where} must be an object with target_c.")
    return {name: value for name, value in segment.items() if value not in (None, "")}


def _free_order(preparation: Preparation, line: Place) -> int:
    """The planned place, unless an unplanned step was recorded there before the plan grew."""
    model = type(line.planned)
    taken = set(model.objects.filter(preparation=preparation).values_list("order", flat=True))
    return line.planned.order if line.planned.order not in taken else max(taken) + 1
