"""Hashing in a thread of its own gives what hashing in line gives, and leaves no thread behind."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from measurements.store import BlobStore, TooLargeError
from measurements.store.hashing import ALONE_BYTES, Hashing
from measurements.store.partial import Partial, create_partial

PIECES = [os.urandom(1_000_003) for _ in range(9)]
SHA256 = hashlib.sha256(b"".join(PIECES)).hexdigest()


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def test_a_large_file_is_hashed_beside_and_has_the_same_hash() -> None:
    hashing = Hashing()
    for number, piece in enumerate(PIECES):
        hashing.update(piece)
        assert (hashing._thread is not None) == (sum(map(len, PIECES[: number + 1])) > ALONE_BYTES)
    assert (hashing.hexdigest(), hashing.size) == (SHA256, 9 * 1_000_003)


def test_a_copy_goes_its_own_way() -> None:
    hashing = Hashing()
    for piece in PIECES[:6]:
        hashing.update(piece)
    twin = hashing.copy()
    twin.update(b"other")
    for piece in PIECES[6:]:
        hashing.update(piece)
    assert hashing.hexdigest() == SHA256
    assert twin.hexdigest() == hashlib.sha256(b"".join(PIECES[:6]) + b"other").hexdigest()


def test_a_large_file_in_the_store_has_the_hash_of_its_bytes(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    pending = store.begin()
    for piece in PIECES:
        pending.write(piece)
    stored = pending.keep()
    assert (stored.sha256, stored.size) == (SHA256, 9 * 1_000_003)
    assert hashlib.sha256(store.path(SHA256).read_bytes()).hexdigest() == SHA256


def test_a_large_file_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    pending = store.begin(limit=8 * 1_000_000)
    for piece in PIECES[:7]:
        pending.write(piece)
    with pytest.raises(TooLargeError):
        pending.write(PIECES[7])
    assert list(store.incoming.iterdir()) == []


def test_a_piece_that_is_taken_back_is_taken_back_from_the_hash_too(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    create_partial(store, "part")
    file = Partial(store, "part")
    file.go_on_at(0)
    for piece in PIECES[:6]:
        file.write(piece)

    def fail() -> None:
        with file.all_or_nothing():
            file.write(os.urandom(1_000_000))
            raise ValueError("not so")

    with pytest.raises(ValueError, match="not so"):
        fail()
    for piece in PIECES[6:]:
        file.write(piece)
    assert file.sha256() == SHA256
    file.discard()
