"""Stored files are read again; what is damaged is said, healed only by its own bytes, and never renamed."""

from __future__ import annotations

import io
import logging
import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from measurements.models import Blob
from measurements.services import Receipt
from measurements.services.datasets import blobs_of
from measurements.services.fixity import check_fixity, repair_from
from measurements.services.orphans import set_orphans_aside
from measurements.store import BlobStore, StoreFullError, store

pytestmark = pytest.mark.django_db


def files() -> BlobStore:
    found = store()
    assert isinstance(found, BlobStore)
    return found


@pytest.fixture
def kept() -> list[Blob]:
    """Three files, the first stored longest ago."""
    blobs = blobs_of([files().put(io.BytesIO(b"%d" % n * 1000)) for n in range(3)])
    for age, blob in zip((300, 200, 100), blobs, strict=True):
        Blob.objects.filter(pk=blob.pk).update(stored_at=timezone.now() - timedelta(days=age))
    return blobs


def spoil(blob: Blob) -> None:
    path = files().path(blob.sha256)
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(500)
        file.write(b"!")


def verified() -> list[datetime | None]:
    return list(Blob.objects.order_by("stored_at").values_list("verified_at", flat=True))


def test_what_is_due_is_read_again_once_per_period(kept: list[Blob], settings: Settings) -> None:
    settings.FIXITY_DAYS = 150
    assert check_fixity(budget_s=60).files == 2
    first, second, third = verified()
    assert first is not None
    assert second is not None
    assert first <= second
    assert third is None
    assert check_fixity(budget_s=60).files == 0


def test_a_slice_whose_time_is_over_leaves_the_rest_to_the_next(kept: list[Blob]) -> None:
    assert check_fixity(budget_s=0).files == 1
    assert [bool(at) for at in verified()] == [True, False, False], "the longest unread comes first"
    assert check_fixity(budget_s=0).files == 1
    assert [bool(at) for at in verified()] == [True, True, False]


@pytest.mark.parametrize("how", ["spoil", "lose", "cut"])
def test_damage_raises_an_alarm_and_leaves_the_hash_alone(
    kept: list[Blob], how: str, caplog: pytest.LogCaptureFixture
) -> None:
    blob, path = kept[1], files().path(kept[1].sha256)
    said = {
        "spoil": "has other bytes than were received",
        "lose": "is missing",
        "cut": "has 10 bytes instead of 1000",
    }
    if how == "spoil":
        spoil(blob)
    else:
        path.unlink()
    if how == "cut":
        path.write_bytes(b"1" * 10)
    with caplog.at_level(logging.ERROR):
        assert check_fixity(budget_s=60).damaged == 1
    after = Blob.objects.get(pk=blob.pk)
    assert (after.sha256, after.size) == (blob.sha256, blob.size)
    assert after.damage == said[how]
    assert after.damaged_at is not None
    assert after.verified_at is None
    assert said[how] in caplog.text


def test_the_alarm_is_raised_once_and_clears_when_the_file_is_sound_again(
    kept: list[Blob], caplog: pytest.LogCaptureFixture
) -> None:
    blob = kept[0]
    sound = files().path(blob.sha256).read_bytes()
    spoil(blob)
    check_fixity(budget_s=60)
    caplog.clear()
    assert check_fixity(budget_s=60).damaged == 1, "a damaged file is looked at in every slice"
    assert caplog.text == ""
    since = Blob.objects.get(pk=blob.pk).damaged_at
    assert check_fixity(budget_s=60).damaged == 1
    assert Blob.objects.get(pk=blob.pk).damaged_at == since
    files().put(io.BytesIO(sound))
    assert check_fixity(budget_s=60).healed == 1
    after = Blob.objects.get(pk=blob.pk)
    assert (after.damaged_at, after.damage) == (None, "")
    assert after.verified_at is not None


def test_a_disk_that_is_not_mounted_damages_no_file(kept: list[Blob]) -> None:
    shutil.rmtree(files().root)
    done = check_fixity(budget_s=60)
    assert "Mount or repair it" in done.unreachable
    assert not Blob.objects.damaged().exists()


def test_the_command_reads_everything_and_ends_in_error_while_anything_is_damaged(
    kept: list[Blob], capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.FIXITY_DAYS = 10_000
    call_command("fixity")
    assert "0 files" in capsys.readouterr().out
    call_command("fixity", "--all")
    assert "3 files, 3 kB read again." in capsys.readouterr().out
    spoil(kept[2])
    with pytest.raises(CommandError, match="1 stored files are damaged"):
        call_command("fixity", "--all")
    assert f"{kept[2].sha256} has other bytes" in capsys.readouterr().out


def test_damaged_files_are_put_back_from_a_backup_whose_own_bytes_are_sound(
    kept: list[Blob], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(files().root, tmp_path / "backups" / "files")
    spoil(kept[0])
    spoil(kept[1])
    spoiled_too = BlobStore(tmp_path / "backups" / "files").path(kept[1].sha256)
    spoiled_too.chmod(0o600)
    spoiled_too.write_bytes(b"not these")
    check_fixity(budget_s=60)
    with pytest.raises(CommandError, match="1 stored files are damaged"):
        call_command("fixity", "--repair", str(tmp_path / "backups"))
    assert "1 of 2 damaged files are sound again" in capsys.readouterr().out
    assert files().verify(kept[0].sha256)
    assert not files().verify(kept[1].sha256)


def test_a_backup_that_breaks_off_leaves_what_was_there(
    kept: list[Blob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(files().root, tmp_path / "backups" / "files")
    spoil(kept[1])
    check_fixity(budget_s=60, everything=True)
    damaged = files().path(kept[1].sha256).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise StoreFullError("The disk is full.")

    with monkeypatch.context() as disk:
        disk.setattr(BlobStore, "put", full)
        with pytest.raises(StoreFullError):
            repair_from(tmp_path / "backups")
    assert files().path(kept[1].sha256).read_bytes() == damaged
    assert repair_from(tmp_path / "backups") == (1, 1)
    assert files().verify(kept[1].sha256)


def test_a_file_without_a_row_is_set_aside_after_a_day_and_comes_back_with_its_row(
    kept: list[Blob], given: Callable[..., Receipt]
) -> None:
    unnamed = files().put(io.BytesIO(b"killed between link and commit"))
    assert set_orphans_aside() == 0, "its row may still come"
    yesterday = time.time() - 25 * 3600
    for sha256 in files().hashes():
        os.utime(files().path(sha256), (yesterday, yesterday))
    assert set_orphans_aside() == 1
    assert files().orphans() == [unnamed.sha256]
    assert sorted(files().hashes()) == sorted(blob.sha256 for blob in kept)
    blobs_of([unnamed])
    assert set_orphans_aside() == 0
    assert files().orphans() == []
    assert files().verify(unnamed.sha256)
