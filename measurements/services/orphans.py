"""Files that no row names: set aside after a day, brought back when a row turns up, never deleted here.

A receipt needs the commit, so a file without a row was never promised to anybody. It is moved and not deleted
all the same: between two mistakes the bytes win. An operator may empty `orphans/`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from measurements.models import Blob
from measurements.store import ORPHAN_AGE_S, store

log = logging.getLogger(__name__)

AT_ONCE = 1000


def set_orphans_aside(*, older_than_s: float = ORPHAN_AGE_S) -> int:
    """Returns how many files were moved to `orphans/`."""
    files = store()
    for sha256 in _named(files.orphans()):
        files.bring_back(sha256)
        log.error("%s was set aside although a row names it; it is back in its place.", sha256)
    moved = sum(files.set_aside(sha256, older_than_s=older_than_s) for sha256 in _unnamed(files.hashes()))
    if moved:
        log.warning("%d files that no row names were set aside in orphans/.", moved)
    return moved


def _unnamed(hashes: Iterable[str]) -> Iterator[str]:
    for group in _groups(hashes):
        known = set(Blob.objects.filter(sha256__in=group).values_list("sha256", flat=True))
        yield from (sha256 for sha256 in group if sha256 not in known)


def _named(hashes: Iterable[str]) -> Iterator[str]:
    for group in _groups(hashes):
        yield from Blob.objects.filter(sha256__in=group).values_list("sha256", flat=True)


def _groups(hashes: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(hashes)
    while group := list(islice(rest, AT_ONCE)):
        yield group
