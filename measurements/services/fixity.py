"""Are the bytes still the bytes? Everything is read again once per period; a hash is never rewritten.

A slice works for a limited time on what nobody has read for longest and notes each file at once, so that the
next slice goes on where this one stopped, however it stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from measurements.models import Blob
from measurements.store import BlobStore, Store, StoreUnavailableError, store
from samples.locking import alone

log = logging.getLogger(__name__)

ONE_SLICE = 0x6669_7869  # "fixi": the first half of the advisory lock's key
AT_ONCE = 100


@dataclass
class Examined:
    """What a slice did. `unreachable`: why it could not go on."""

    files: int = 0
    size_bytes: int = 0
    damaged: int = 0
    healed: int = 0
    unreachable: str = ""


def check_fixity(*, budget_s: float, everything: bool = False) -> Examined:
    """Read again what is damaged, then what is due, for `budget_s` at most; `everything`: due or not."""
    done = Examined()
    with alone(ONE_SLICE) as is_alone:
        if not is_alone:
            return done
        began = timezone.now()
        until = time.monotonic() + budget_s
        before = began if everything else began - timedelta(days=settings.FIXITY_DAYS)
        try:
            for blob in _in_turn(before):
                _examine(store(), blob, done)
                if time.monotonic() > until:
                    break
        except StoreUnavailableError as error:
            # It says nothing about any one file, so none is called damaged.
            done.unreachable = str(error)
            log.error("Fixity: %s", error)
    return done


def _in_turn(before: datetime) -> Iterator[Blob]:
    yield from Blob.objects.damaged().order_by("pk")
    # Each one examined leaves the question, so the first ones are always the next ones.
    while due := list(Blob.objects.due(before)[:AT_ONCE]):
        yield from due


def _examine(files: Store, blob: Blob, done: Examined) -> None:
    found = files.examine(blob.sha256, blob.size)
    now = timezone.now()
    done.files += 1
    done.size_bytes += blob.size
    row = Blob.objects.filter(pk=blob.pk)
    if not found:
        row.update(verified_at=now, damaged_at=None, damage="")
        if blob.damaged_at:
            done.healed += 1
            log.info("Fixity: %s is sound again.", blob.sha256)
        return
    done.damaged += 1
    row.update(damaged_at=blob.damaged_at or now, damage=found[:200])
    if not blob.damaged_at:
        log.error("Fixity: the stored file %s %s. Restore it: manage.py fixity --repair BACKUP", blob, found)


def repair_from(folder: Path) -> tuple[int, int]:
    """Put back what is damaged from the files of a backup: how many there were, how many are sound now."""
    kept = BlobStore(folder / "files")
    done = Examined()
    damaged = list(Blob.objects.damaged().order_by("pk"))
    for blob in damaged:
        if kept.path(blob.sha256).exists() and kept.verify(blob.sha256):
            if not isinstance(store(), BlobStore):  # which replaces what is damaged, in one step
                store().remove(blob.sha256)
            with kept.open(blob.sha256) as sound:
                store().put(sound)
        _examine(store(), blob, done)
    return len(damaged), done.healed
