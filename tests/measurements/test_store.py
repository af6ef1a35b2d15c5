from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from measurements.store import BlobStore, StoreFullError, StoreUnavailableError, TooLargeError

BYTES = b"450.00,552.9\n" * 1000
SHA256 = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "files")


class Slowly:
    """A network that brings a kilobyte at a time."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO(BYTES)

    def read(self, size: int, /) -> bytes:
        return self._bytes.read(1000)


def stored_files(store: BlobStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file() and store.incoming not in path.parents]


def test_bytes_lie_under_their_own_hash_and_nobody_may_write_them(store: BlobStore) -> None:
    stored = store.put(io.BytesIO(BYTES))
    assert (stored.sha256, stored.size) == (SHA256, len(BYTES))
    path = store.root / SHA256[:2] / SHA256[2:4] / SHA256
    assert path.read_bytes() == BYTES
    assert path.stat().st_mode & 0o777 == 0o400
    assert store.open(SHA256).read() == BYTES
    assert list(store.incoming.iterdir()) == []


def test_the_same_bytes_are_not_written_a_second_time(store: BlobStore) -> None:
    store.put(io.BytesIO(BYTES))
    before = store.path(SHA256).stat().st_ino
    store.put(io.BytesIO(BYTES))
    assert store.path(SHA256).stat().st_ino == before


def test_an_empty_file_is_a_file(store: BlobStore) -> None:
    assert store.put(io.BytesIO(b"")).size == 0


def test_a_file_that_lost_its_end_on_disk_is_healed_by_the_same_bytes_sent_again(store: BlobStore) -> None:
    store.put(io.BytesIO(BYTES))
    path = store.path(SHA256)
    path.unlink()
    path.write_bytes(BYTES[:100])
    assert not store.verify(SHA256)
    store.put(io.BytesIO(BYTES))
    assert store.verify(SHA256)


def test_no_receipt_for_bytes_that_rotted_on_disk_sending_them_again_heals_them(store: BlobStore) -> None:
    store.put(io.BytesIO(BYTES))
    path = store.path(SHA256)
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.write(b"x")  # the size is as it was
    assert store.examine(SHA256) == "has other bytes than were received"
    store.put(io.BytesIO(BYTES))
    assert store.examine(SHA256) == ""


def test_what_is_wrong_with_a_file_is_said(store: BlobStore) -> None:
    store.put(io.BytesIO(BYTES))
    assert store.examine(SHA256, len(BYTES)) == ""
    assert store.examine(SHA256, 5) == "has 13000 bytes instead of 5"
    store.path(SHA256).unlink()
    assert store.examine(SHA256, len(BYTES)) == "is missing"


def test_a_store_that_is_not_mounted_says_nothing_of_its_files(store: BlobStore) -> None:
    with pytest.raises(StoreUnavailableError, match="Mount or repair"):
        store.examine(SHA256)


def test_the_reserve_of_the_disk_is_not_touched(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "files", least_free_bytes=10**18)
    with pytest.raises(StoreFullError, match=r"1e\+09 GB must stay free"):
        store.put(io.BytesIO(BYTES))
    assert not store.incoming.exists()


def test_a_disk_that_others_fill_meanwhile_stops_the_upload_at_the_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("measurements.store.pending.LOOK_EVERY_BYTES", 4000)
    store = BlobStore(tmp_path / "files", least_free_bytes=1000)
    free = iter([5000, 5000, 999])
    monkeypatch.setattr(store, "free_bytes", lambda: next(free))
    with pytest.raises(StoreFullError, match="has 999 bytes left"):
        store.put(Slowly())
    assert list(store.incoming.iterdir()) == []


def test_room_is_asked_for_the_size_that_is_expected(store: BlobStore) -> None:
    store.require_room(1000)
    with pytest.raises(StoreFullError, match="the file has"):
        store.require_room(10**18)


YESTERDAY = time.time() - 25 * 3600


def test_a_file_without_a_row_is_set_aside_after_a_day_and_found_again_when_asked_for(
    store: BlobStore,
) -> None:
    store.put(io.BytesIO(BYTES))
    assert not store.set_aside(SHA256), "its row may be on the way"
    os.utime(store.path(SHA256), (YESTERDAY, YESTERDAY))
    assert store.set_aside(SHA256)
    assert (store.orphans(), list(store.hashes())) == ([SHA256], [])
    assert store.open(SHA256).read() == BYTES
    assert (store.orphans(), list(store.hashes())) == ([], [SHA256])


def test_bytes_sent_again_make_an_old_file_young(store: BlobStore) -> None:
    store.put(io.BytesIO(BYTES))
    os.utime(store.path(SHA256), (YESTERDAY, YESTERDAY))
    store.put(io.BytesIO(BYTES))
    assert not store.set_aside(SHA256)


def test_an_upload_that_comes_between_look_and_move_keeps_its_file(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(io.BytesIO(BYTES))
    os.utime(store.path(SHA256), (YESTERDAY, YESTERDAY))
    rename = Path.rename

    def upload_first(path: Path, target: Path) -> Path:
        store.put(io.BytesIO(BYTES))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", upload_first)
    assert not store.set_aside(SHA256)
    assert store.path(SHA256).read_bytes() == BYTES


def test_an_upload_that_comes_just_after_the_move_brings_its_own_file(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(io.BytesIO(BYTES))
    os.utime(store.path(SHA256), (YESTERDAY, YESTERDAY))
    verify = store.verify

    def then_the_sweep(sha256: str) -> bool:
        sound = verify(sha256)
        assert store.set_aside(sha256)
        return sound

    monkeypatch.setattr(store, "verify", then_the_sweep)
    store.put(io.BytesIO(BYTES))
    assert store.path(SHA256).read_bytes() == BYTES


def test_more_bytes_than_allowed_are_refused_and_leave_nothing(store: BlobStore) -> None:
    with pytest.raises(TooLargeError, match=r"more than 10 kB"):
        store.put(io.BytesIO(BYTES), limit=10_000)
    assert list(store.incoming.iterdir()) == []
    assert stored_files(store) == []


def test_a_full_disk_is_said_and_leaves_nothing(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("measurements.store.pending.os.write", no_space)
    with pytest.raises(StoreFullError, match="disk of the raw files is full"):
        store.put(io.BytesIO(BYTES))
    assert list(store.incoming.iterdir()) == []


def test_a_disk_that_fills_up_during_fsync_is_said_too(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(fd: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr("measurements.store.pending.os.fsync", no_space)
    with pytest.raises(StoreFullError):
        store.put(io.BytesIO(BYTES))
    assert stored_files(store) == []


def test_a_folder_that_may_not_even_be_looked_at_is_told_in_a_sentence(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refused)
    with pytest.raises(StoreUnavailableError, match="cannot be written"):
        store.new_temporary()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the folder should be")
    with pytest.raises(StoreUnavailableError, match="cannot be written"):
        BlobStore(tmp_path / "files").put(io.BytesIO(BYTES))


def test_folders_that_somebody_took_away_are_made_again_for_the_next_file(store: BlobStore) -> None:
    kept = store.put(io.BytesIO(BYTES))
    shutil.rmtree(store.root / kept.sha256[:2])
    with pytest.raises(StoreUnavailableError, match="send it again"):
        store.put(io.BytesIO(BYTES))
    assert store.verify(store.put(io.BytesIO(BYTES)).sha256)


def test_a_file_that_is_gone_is_named_with_a_remedy(store: BlobStore) -> None:
    with pytest.raises(StoreUnavailableError, match="restore it from a backup"):
        store.open(SHA256)


def test_the_sweep_takes_orphans_older_than_a_day_and_leaves_uploads_alone(store: BlobStore) -> None:
    running = store.begin()
    running.write(b"still coming")
    orphan = store.incoming / "orphan"
    orphan.write_bytes(b"half a file")
    yesterday = time.time() - 25 * 3600
    os.utime(orphan, (yesterday, yesterday))
    assert store.sweep() == 1
    assert not orphan.exists()
    assert running.keep().size == 12


def test_a_short_write_of_the_kernel_is_completed(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr("measurements.store.pending.os.write", lambda fd, data: write(fd, data[:1000]))
    store.put(io.BytesIO(BYTES))
    monkeypatch.undo()
    assert store.verify(SHA256)


def test_a_finished_file_is_adopted_under_its_hash(store: BlobStore) -> None:
    path = store.new_temporary()
    path.write_bytes(BYTES)
    assert store.adopt(path).sha256 == SHA256
    assert store.verify(SHA256)
    assert not path.exists()


# A process that is killed at the n-th call of one of the steps on the way to durability.
KILLED_AT = """
import io, os, signal, sys
from pathlib import Path
from measurements.store import BlobStore

step, call = sys.argv[2], int(sys.argv[3])
real, calls = getattr(os, step), 0

def deadly(*args, **kwargs):
    global calls
    calls += 1
    if calls == call and sys.argv[4] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*args, **kwargs)
    if calls == call:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(os, step, deadly)
BlobStore(Path(sys.argv[1])).put(io.BytesIO(b"450.00,552.9\\n" * 1000))
print("stored")
"""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("step", "call"), [("open", 1), ("write", 1), ("fsync", 1), ("link", 1), ("fsync", 2), ("fsync", 5)]
)
def test_kill_9_leaves_a_complete_file_or_an_orphan_that_is_swept(
    store: BlobStore, step: str, call: int, moment: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(store.root), step, str(call), moment], capture_output=True
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()
    for path in stored_files(store):
        assert path.name == SHA256
        assert path.read_bytes() == BYTES
    store.sweep(older_than_s=-1)
    assert not store.incoming.exists() or list(store.incoming.iterdir()) == []
    assert store.put(io.BytesIO(BYTES)).sha256 == SHA256
    assert store.verify(SHA256)
