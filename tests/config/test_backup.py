"""Backup and restore over a real PostgreSQL: consistent, incremental, verified, whole or not there at all."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from config import dumping, locations
from config.backup import commands, folder, making, restoring
from config.backup.folder import Backup, BackupError
from measurements.models import Blob, Measurement
from measurements.services import Receipt
from measurements.services.datasets import blobs_of
from measurements.store import BlobStore, store
from samples.models import User
from tests.config.household import ROOT
from tests.measurements.conftest import given

__all__ = ["given"]  # the fixture

pytestmark = pytest.mark.django_db(transaction=True)

Give = Callable[..., Receipt]


@pytest.fixture
def url(transactional_db: None) -> str:
    return make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])


@contextlib.contextmanager
def empty_database(name: str) -> Iterator[str]:
    """On the same server."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name}")
        yield make_conninfo(os.environ["DATABASE_URL"], dbname=name)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with empty_database(f"restored_{os.getpid()}") as url:
        yield url


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What else belongs to an installation."""
    path = tmp_path / "data"
    path.mkdir()
    (path / "secret_key").write_text("a key")
    return path


@pytest.fixture
def back_up(url: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Backup]:
    names = (f"2026-11-20T0{n}-00-00Z" for n in range(10))
    monkeypatch.setattr(making, "new_name", lambda: next(names))
    (tmp_path / "backups").mkdir()
    return lambda: making.make(tmp_path / "backups", url=url, files=files(), data=data)


def files() -> BlobStore:
    found = store()
    assert isinstance(found, BlobStore)
    return found


def spoil(path: Path) -> None:
    path.chmod(0o600)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def restored(backup: Backup, url: str, tmp_path: Path) -> tuple[BlobStore, dict[str, str]]:
    target = BlobStore(tmp_path / "restored")
    manifest = restoring.check(backup)
    lost = dict(manifest.unsound) | restoring.restore_files(backup, target)
    restoring.restore_database(backup, url, manifest)
    restoring.mark_lost(url, lost)
    return target, lost


def rows(url: str, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as there:
        return there.execute(question).fetchall()  # type: ignore[arg-type]


def test_what_is_restored_has_every_row_and_every_byte(
    given: Give, back_up: Callable[[], Backup], url: str, elsewhere: str, tmp_path: Path
) -> None:
    for n in range(5):
        given(b"%d,1\n" % n * 100)
    backup = back_up()
    User.objects.update(first_name="changed after the backup")
    given(b"after,1\n")
    target, lost = restored(backup, elsewhere, tmp_path)
    assert lost == {}
    before = rows(elsewhere, "SELECT sha256, size FROM measurements_blob ORDER BY sha256")
    assert len(before) == 5
    for sha256, size in before:
        content = target.open(str(sha256)).read()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (sha256, size)
    with psycopg.connect(elsewhere) as there:
        assert dumping.row_counts(there) == backup.manifest().tables
    assert rows(elsewhere, "SELECT first_name FROM samples_user") == [("",)]
    assert rows(elsewhere, "SELECT count(*) FROM measurements_measurement") == [(5,)]
    # Triggers and sequences came along: the audit trail goes on.
    with psycopg.connect(elsewhere) as there:
        there.execute("UPDATE samples_project SET description = 'changed by hand'")
    assert rows(elsewhere, "SELECT max(description) FROM samples_projectevent") == [("changed by hand",)]


def test_files_are_copied_once_however_many_backups_name_them(
    given: Give, back_up: Callable[[], Backup]
) -> None:
    given(b"first,1\n")
    one = back_up()
    inode = next((one.folder / "files").glob("??/??/*")).stat().st_ino
    given(b"the second,1\n")
    two = back_up()
    assert (one.manifest().files, two.manifest().files) == (1, 2)
    assert two.manifest().copied_bytes == len(b"the second,1\n")
    assert inode in {path.stat().st_ino for path in (one.folder / "files").glob("??/??/*")}
    assert inode != next(files().root.glob("??/??/*")).stat().st_ino, "a copy, never a link to the store"


def test_the_list_is_one_that_sha256sum_reads(given: Give, back_up: Callable[[], Backup]) -> None:
    given()
    backup = back_up()
    command = ["sha256sum", "--check", "--strict", f"{backup.name}/SHA256SUMS"]
    answer = subprocess.run(command, cwd=backup.folder, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{backup.name}/database.dump: OK" in answer.stdout
    assert f"{backup.name}/data/secret_key: OK" in answer.stdout
    assert answer.stdout.count(": OK") == 3
    assert backup.path.stat().st_mode & 0o077 == 0, "the key is for its owner"


def test_what_arrives_after_the_snapshot_is_not_half_in_it(
    given: Give,
    back_up: Callable[[], Backup],
    monkeypatch: pytest.MonkeyPatch,
    elsewhere: str,
    tmp_path: Path,
) -> None:
    given(b"before,1\n")
    dump = dumping.dump

    def and_then_an_upload(*arguments: object) -> None:
        given(b"meanwhile,1\n")
        dump(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(dumping, "dump", and_then_an_upload)
    backup = back_up()
    assert Measurement.objects.count() == 2
    assert backup.manifest().files == 1
    restored(backup, elsewhere, tmp_path)
    assert rows(elsewhere, "SELECT count(*) FROM measurements_measurement") == [(1,)]


def test_a_rotten_file_is_named_left_out_and_damaged_after_the_restore(
    given: Give, back_up: Callable[[], Backup], elsewhere: str, tmp_path: Path
) -> None:
    good = given(b"good,1\n").files[0].blob.sha256
    bad = given(b"bad,1\n").files[0].blob.sha256
    gone = given(b"gone,1\n").files[0].blob.sha256
    spoil(files().path(bad))
    files().path(gone).unlink()
    backup = back_up()
    assert backup.manifest().unsound.keys() == {bad, gone}
    assert "has other bytes than were received" in backup.manifest().unsound[bad]
    assert list(backup.blobs()) == [good]
    target, lost = restored(backup, elsewhere, tmp_path)
    assert list(target.hashes()) == [good]
    damaged = rows(elsewhere, "SELECT sha256 FROM measurements_blob WHERE damaged_at IS NOT NULL")
    assert {sha256 for (sha256,) in damaged} == {bad, gone} == lost.keys()


def test_what_an_earlier_backup_holds_outlives_the_rot_of_the_store(
    given: Give, back_up: Callable[[], Backup], elsewhere: str, tmp_path: Path
) -> None:
    sha256 = given(b"precious,1\n").files[0].blob.sha256
    back_up()
    spoil(files().path(sha256))
    later = back_up()
    assert later.manifest().unsound == {}
    target, _ = restored(later, elsewhere, tmp_path)
    assert target.open(sha256).read() == b"precious,1\n"


def test_rot_in_the_backup_is_found_and_healed_by_the_next_one(
    given: Give, back_up: Callable[[], Backup], elsewhere: str, tmp_path: Path
) -> None:
    sha256 = given(b"precious,1\n").files[0].blob.sha256
    backup = back_up()
    assert backup.damage() == []
    spoil(folder.kept_files(backup.folder).path(sha256))
    assert backup.damage() == [
        f"files/{sha256[:2]}/{sha256[2:4]}/{sha256} has other bytes than were received"
    ]
    target, lost = restored(backup, elsewhere, tmp_path)
    assert lost == {sha256: "is missing in the backup from which it was restored"}
    assert list(target.hashes()) == []
    later = back_up()
    assert (later.damage(), backup.damage()) == ([], [])


def test_rot_that_nobody_looked_for_is_not_restored_as_if_it_were_sound(
    given: Give, back_up: Callable[[], Backup], elsewhere: str, tmp_path: Path
) -> None:
    sha256 = given(b"precious,1\n").files[0].blob.sha256
    backup = back_up()
    spoil(folder.kept_files(backup.folder).path(sha256))
    target, lost = restored(backup, elsewhere, tmp_path)
    assert lost == {sha256: "has other bytes in the backup from which it was restored"}
    assert list(target.hashes()) == []


@pytest.mark.parametrize("spoiled", ["database.dump", "SHA256SUMS", "data/secret_key", "manifest.json"])
def test_a_backup_that_was_altered_is_not_restored(
    given: Give, back_up: Callable[[], Backup], spoiled: str
) -> None:
    given()
    backup = back_up()
    spoil(backup.path / spoiled)
    with pytest.raises(BackupError, match=r"not as it was written|no complete backup"):
        restoring.check(backup)


def test_a_backup_of_a_newer_vitrine_is_refused_before_anything_changes(
    given: Give, back_up: Callable[[], Backup]
) -> None:
    given()
    backup = back_up()
    said = json.loads((backup.path / "manifest.json").read_text())
    said["migrations"].append("measurements.9999_of_the_future")
    (backup.path / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(BackupError, match=r"newer Vitrine \(with measurements.9999_of_the_future\)"):
        restoring.check(backup)


@pytest.mark.full
def test_a_backup_of_an_older_vitrine_is_restored_and_migrated(
    elsewhere: str, data: Path, tmp_path: Path
) -> None:
    with empty_database(f"older_{os.getpid()}") as older:
        migrated = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "migrate", "measurements", "0006", "-v", "0"],
            env=os.environ | {"DATABASE_URL": older},
            capture_output=True,
            text=True,
        )
        assert migrated.returncode == 0, migrated.stderr
        kept = files().put(io.BytesIO(b"measured with an older Vitrine"))
        with psycopg.connect(older) as there:
            there.execute(
                "INSERT INTO measurements_blob (sha256, size, stored_at) VALUES (%s, %s, now())",
                (kept.sha256, kept.size),
            )
        (tmp_path / "backups").mkdir()
        backup = making.make(tmp_path / "backups", url=older, files=files(), data=data)
    target, lost = restored(backup, elsewhere, tmp_path)
    restoring.migrate(elsewhere)
    assert lost == {}
    assert target.verify(kept.sha256)
    assert rows(elsewhere, "SELECT sha256, damage FROM measurements_blob") == [(kept.sha256, "")]


def test_a_database_in_use_is_not_overwritten(given: Give, back_up: Callable[[], Backup], url: str) -> None:
    given()
    backup = back_up()
    with pytest.raises(BackupError, match="The database is not empty"):
        restoring.restore_database(backup, url, backup.manifest())
    assert Measurement.objects.count() == 1


def test_old_backups_give_way_and_take_along_only_files_that_no_other_names(
    given: Give, back_up: Callable[[], Backup]
) -> None:
    shared = given(b"shared,1\n").files[0].blob.sha256
    (alone,) = blobs_of([files().put(io.BytesIO(b"only in the first"))])
    first = back_up()
    Blob.objects.filter(pk=alone.pk).delete()
    back_up()
    third = back_up()
    assert folder.prune(first.folder, 2) == [first.name]
    assert list(folder.kept_files(first.folder).hashes()) == [shared]
    assert third.damage() == []
    assert [backup.name for backup in folder.backups_in(first.folder)] == [
        "2026-11-20T01-00-00Z",
        "2026-11-20T02-00-00Z",
    ]


def test_two_backups_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with (
        folder.locked(tmp_path),
        pytest.raises(BackupError, match="Another backup is being made"),
        folder.locked(tmp_path),
    ):
        pass


# --- killed -------------------------------------------------------------------------------------------

KILLED_AT = """
import os, signal, sys
from pathlib import Path
from config import dumping
from config.backup import commands, making, restoring

place, name = sys.argv[1].split(".")
module = {"dumping": dumping, "making": making, "restoring": restoring, "path": Path}[place]
real, calls = getattr(module, name), 0

def deadly(*args, **kwargs):
    global calls
    calls += 1
    result = real(*args, **kwargs)
    if calls == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(module, name, deadly)
sys.exit(getattr(commands, sys.argv[2])(sys.argv[3:]))
"""


def killed_at(place: str, *arguments: str, url: str, data: Path, files: Path) -> None:
    env = os.environ | {"DATABASE_URL": url, "VITRINE_DATA": str(data)}
    command = [sys.executable, "-c", KILLED_AT, place, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


@pytest.mark.parametrize("place", ["dumping.dump", "making.copy_files", "dumping.row_counts"])
def test_a_killed_backup_leaves_none_and_the_next_one_is_whole(
    given: Give, url: str, data: Path, tmp_path: Path, place: str, back_up: Callable[[], Backup]
) -> None:
    given()
    (data / "files").symlink_to(files().root)
    killed_at(place, "backup", str(tmp_path / "backups"), url=url, data=data, files=files().root)
    assert folder.backups_in(tmp_path / "backups") == []
    assert list((tmp_path / "backups").glob(".making-*"))
    backup = back_up()
    assert folder.backups_in(tmp_path / "backups") == [backup]
    assert backup.damage() == []
    assert list((tmp_path / "backups").glob(".making-*")) == []


@pytest.mark.parametrize("place", ["restoring.restore_files", "dumping.restore", "restoring.migrate"])
def test_a_killed_restore_is_not_taken_for_a_finished_one_and_can_be_repeated(
    given: Give,
    back_up: Callable[[], Backup],
    elsewhere: str,
    tmp_path: Path,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given()
    backup, target = back_up(), tmp_path / "new"
    arguments = ["restore", str(backup.folder), "--data", str(target)]
    killed_at(place, *arguments, url=elsewhere, data=target, files=target)
    assert (target / locations.UNFINISHED_RESTORE).exists()
    up = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "up", "--no-browser", "--data", str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert up.returncode == 1
    assert "did not come to its end. Run it again" in up.stderr
    with psycopg.connect(elsewhere, autocommit=True) as there:  # the operator gives a new database
        there.execute("DROP SCHEMA public CASCADE")
        there.execute("CREATE SCHEMA public")
    monkeypatch.setenv("DATABASE_URL", elsewhere)
    again = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr
    assert "every hash agrees" in again.stdout
    assert not (target / locations.UNFINISHED_RESTORE).exists()
    assert (target / "secret_key").read_text() == "a key"
    assert len(list((target / "files").glob("??/??/*"))) == 1


def test_a_folder_in_use_is_refused_and_with_replace_moved_aside(
    given: Give, back_up: Callable[[], Backup], tmp_path: Path
) -> None:
    given()
    backup, target = back_up(), tmp_path / "new"
    target.mkdir()
    (target / "somebody's").write_text("work")
    with pytest.raises(BackupError, match=r"is not empty.*--replace"):
        restoring.prepare_folder(target, backup, replace=False)
    assert sorted(path.name for path in target.iterdir()) == ["somebody's"]
    restoring.prepare_folder(target, backup, replace=True)
    (aside,) = target.glob("replaced-*")
    assert (aside / "somebody's").read_text() == "work"
    assert (target / "secret_key").exists()


@pytest.mark.parametrize("backups", ["new/backups", "new", "."])
def test_a_restore_over_its_own_backups_is_refused_before_anything_moves(
    given: Give, back_up: Callable[[], Backup], tmp_path: Path, backups: str
) -> None:
    given()
    made = back_up()
    target = tmp_path / "new"
    if backups == ".":  # the data folder within the backups
        within, target = made, made.folder / "new"
    else:
        (tmp_path / backups).parent.mkdir(exist_ok=True)
        within = Backup(made.folder.rename(tmp_path / backups), made.name)
    (tmp_path / "another_name").symlink_to(within.folder)
    for named in (within, Backup(tmp_path / "another_name", within.name)):
        with pytest.raises(BackupError, match="lie one in the other"):
            restoring.prepare_folder(target, named, replace=True)
    assert within.damage() == []
    assert not list(tmp_path.rglob("replaced-*"))


def test_only_what_a_restore_makes_is_removed_as_left_by_a_killed_one(
    given: Give, back_up: Callable[[], Backup], tmp_path: Path
) -> None:
    given()
    backup, target = back_up(), tmp_path / "new"
    restoring.prepare_folder(target, backup, replace=False)
    (target / "files").mkdir()
    (target / "files" / "half").write_text("copied")
    (target / "somebody's").mkdir()
    restoring.prepare_folder(target, backup, replace=False)
    assert not (target / "files").exists()
    assert (target / "somebody's").is_dir()
    assert (target / "secret_key").read_text() == "a key"


def test_no_backup_is_pruned_while_one_is_restored(
    given: Give,
    back_up: Callable[[], Backup],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given()
    backup, said = back_up(), []

    def meanwhile(*_: object) -> int:
        with folder.held(backup.folder):  # another restore is welcome
            said.append(commands.backup([str(backup.folder), "--keep", "1"]))
        return 0

    monkeypatch.setattr(commands, "_restore", meanwhile)
    assert commands.restore([str(backup.folder), "--data", str(tmp_path / "new")]) == 0
    assert said == [1]
    assert "or restored from it. Wait for it to end" in capsys.readouterr().err


def test_the_commands_say_what_is_wrong_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "none"))
    assert commands.restore([str(tmp_path)]) == 1
    assert "There is no complete backup in" in capsys.readouterr().err
    assert commands.backup([str(tmp_path), "--verify"]) == 1
    assert "There is no backup in" in capsys.readouterr().err
    assert commands.backup([str(tmp_path)]) == 1
    assert "There is no Vitrine in" in capsys.readouterr().err
    with contextlib.suppress(SystemExit):
        commands.backup([str(tmp_path), "--keep", "0"])
    assert "--keep needs 1 or more" in capsys.readouterr().err
