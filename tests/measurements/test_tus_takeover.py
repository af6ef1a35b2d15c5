"""A resumable upload whose first request hangs, is overtaken, and wakes up when the file is stored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from measurements.models import Measurement, Upload
from measurements.services import uploading
from measurements.store import partial, store
from measurements.store.errors import StoreUnavailableError
from samples.models import Project
from tests.measurements.conftest import TEXT
from tests.measurements.test_tus import SHA256, begun, forget_hashes, offset, parts, patch

HALF = len(TEXT) // 2
NOBODY = 65534


class Hanging:
    """Gives one piece; then `meanwhile` happens, and it goes on with what comes of `then`."""

    def __init__(self, piece: bytes, meanwhile: Callable[[], None], then: Callable[[], bytes]) -> None:
        self._pieces = self._give(piece, meanwhile, then)

    def _give(
        self, piece: bytes, meanwhile: Callable[[], None], then: Callable[[], bytes]
    ) -> Iterator[bytes]:
        yield piece
        Upload.objects.update(active_at=timezone.now() - timedelta(minutes=1))
        meanwhile()
        yield then()
        yield b""

    def read(self, size: int, /) -> bytes:
        return next(self._pieces)


def breaks_off() -> bytes:
    raise OSError(104, "Connection reset by peer")


ENDINGS = {
    "end of file": bytes,
    "lost connection": breaks_off,
    "more bytes": lambda: b"?" * (len(TEXT) - 100),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("with_checksum", [True, False])
@pytest.mark.parametrize("looks_often", [True, False])
def test_a_stored_file_stays_whole_however_the_overtaken_request_ends(
    as_alice: APIClient,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    with_checksum: bool,
    looks_often: bool,
) -> None:
    monkeypatch.setattr(uploading, "ACKNOWLEDGE_EVERY_S", -1 if looks_often else 1e9)
    url = begun(as_alice)

    def overtake() -> None:
        assert patch(as_alice, url, offset(as_alice, url), TEXT[offset(as_alice, url) :]).status_code == 204
        assert store().verify(SHA256)

    announced = uploading.Checksum("sha1 " + "A" * 27 + "=") if with_checksum else None
    with pytest.raises((uploading.LockedError, uploading.ChecksumError)):
        uploading.append(
            Upload.objects.get(), 0, Hanging(b"!" * 100, overtake, ENDINGS[ending]), checksum=announced
        )
    assert store().verify(SHA256)
    assert as_alice.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256
    assert not list(store().incoming.glob("*"))


@pytest.mark.parametrize("ending", ENDINGS)
def test_acknowledged_bytes_do_not_vanish_when_the_overtaken_request_ends(
    as_alice: APIClient, project: Project, ending: str
) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:100])

    def overtake() -> None:
        assert patch(as_alice, url, 100, TEXT[100:HALF]).status_code == 204

    with pytest.raises(uploading.ChecksumError):
        uploading.append(
            Upload.objects.get(),
            100,
            Hanging(b"!" * 50, overtake, ENDINGS[ending]),
            checksum=uploading.Checksum("md5 AAAA"),
        )
    assert offset(as_alice, url) == HALF
    assert parts()[0].read_bytes() == TEXT[:HALF]
    assert patch(as_alice, url, HALF, TEXT[HALF:]).status_code == 204
    assert store().verify(SHA256)


def test_who_overtakes_is_not_overtaken_at_once(as_alice: APIClient, project: Project) -> None:
    """Though the kernel's lock of the request that hung is free by then."""
    url = begun(as_alice)
    hung = uploading._writing(Upload.objects.get())
    hung.__enter__()
    Upload.objects.update(active_at=timezone.now() - timedelta(minutes=1))

    def third() -> None:
        hung.__exit__(None, None, None)
        Upload.objects.update(active_at=timezone.now())
        assert patch(as_alice, url, 0, TEXT).status_code == 423

    uploading.append(Upload.objects.get(), 0, Hanging(TEXT[:100], third, lambda: TEXT[100:]))
    assert offset(as_alice, url) == len(TEXT)
    assert as_alice.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256


def test_who_is_overtaken_while_copying_does_not_put_the_copy_in_place(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:100])
    copy = partial.Partial.copy

    def slow(self: partial.Partial, size: int) -> Iterator[None]:
        yield from copy(self, size)
        monkeypatch.setattr(partial.Partial, "copy", copy)
        Upload.objects.update(active_at=timezone.now() - timedelta(minutes=1))
        assert patch(as_alice, url, 100, TEXT[100:HALF]).status_code == 204

    with uploading._writing(Upload.objects.get()):
        Upload.objects.update(active_at=timezone.now() - timedelta(minutes=1))
        monkeypatch.setattr(partial.Partial, "copy", slow)
        assert patch(as_alice, url, 100, TEXT[100:]).status_code == 423
    assert (offset(as_alice, url), parts()[0].read_bytes()) == (HALF, TEXT[:HALF])
    assert not list(store().incoming.glob("*"))


def test_a_whole_file_is_finished_by_one_request_however_long_that_takes(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(as_alice)
    with monkeypatch.context() as killed:
        killed.setattr(uploading, "finish", lambda upload: None)
        patch(as_alice, url, 0, TEXT)
    with uploading._writing(Upload.objects.get()):
        Upload.objects.update(active_at=timezone.now() - timedelta(hours=1))
        assert as_alice.get(url).json()["receipt"] is None
    assert as_alice.get(url).json()["receipt"] is not None


def test_nothing_is_added_to_a_file_that_has_its_receipt(as_alice: APIClient, project: Project) -> None:
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT)
    assert patch(as_alice, url, 0, b"?" * len(TEXT)).status_code == 409
    assert patch(as_alice, url, len(TEXT), b"").status_code == 409
    assert store().verify(SHA256)


def test_a_file_killed_between_its_place_and_its_receipt_is_finished_by_a_user_who_is_not_root(
    as_alice: APIClient, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(as_alice)

    def killed(*args: object, **known: object) -> None:
        written = known["files"][0].stream  # type: ignore[index]
        written.keep()
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(uploading, "receive", killed)
        with pytest.raises(KeyboardInterrupt):
            patch(as_alice, url, 0, TEXT)
    (part,) = parts()
    assert (Measurement.objects.count(), part.stat().st_mode & 0o777, part.stat().st_nlink) == (0, 0o400, 2)
    forget_hashes()
    assert as_nobody(part.name) == 0
    assert as_alice.get(url).json()["receipt"]["files"][0]["sha256"] == SHA256
    assert store().verify(SHA256)


def as_nobody(name: str) -> int:
    """Opens and keeps the whole file in a process of its own, without the rights of root; its exit code."""
    folder = store().scratch
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.chdir(folder)  # the folders above may be closed to others
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            mine = type(store())(Path())
            file = partial.Partial(mine, name, whole=True)
            file.lock()
            file.go_on_at(len(TEXT))
            code = 0 if file.keep().sha256 == SHA256 else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_whole_file_cannot_be_written_to(as_alice: APIClient, project: Project) -> None:
    begun(as_alice)
    file = partial.Partial(store(), parts()[0].name, whole=True)
    with pytest.raises((OSError, StoreUnavailableError)):
        file.write(b"?")
    file.discard()


def test_what_was_never_acknowledged_is_not_remembered_as_hashed(
    as_alice: APIClient, project: Project
) -> None:
    """It may come otherwise the next time, in another process too."""
    forget_hashes()
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:100])
    with uploading._writing(Upload.objects.get()) as writer:
        writer.go_on()
        writer.file.write(b"?" * 50)
    assert partial._remembered == {}
    patch(as_alice, url, 100, TEXT[100:])
    assert store().verify(SHA256)


def test_what_another_process_added_to_is_hashed_from_the_beginning(
    as_alice: APIClient, project: Project
) -> None:
    forget_hashes()
    url = begun(as_alice)
    patch(as_alice, url, 0, TEXT[:100])
    (known,) = partial._remembered.values()
    assert known.hashed.size == 100
    with parts()[0].open("ab") as file:
        file.write(TEXT[100:HALF])
    Upload.objects.update(received_bytes=HALF)
    with uploading._writing(Upload.objects.get()) as writer:
        writer.go_on()
        assert writer.file._hashed.size == 0
    patch(as_alice, url, HALF, TEXT[HALF:])
    assert store().verify(SHA256)
