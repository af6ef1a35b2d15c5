#!/usr/bin/env python3
"""Vitrine's instrument agent: watches a folder and hands every finished file to Vitrine.

One file, nothing to install but Python 3.8 or newer, on Linux, Windows and macOS. Beside this file:

    python3 vitrine_agent.py --watch "C:/Data/XRD"

A file is taken once its size and time have stood still for a while (and, if asked for, once a completion
marker lies beside it). It is copied into a spool, sent from there, and forgotten only when Vitrine's receipt
names the same SHA-256. Nothing is ever deleted from the watched folder, unless --delete says so. Whatever
goes wrong is tried again for ever: the spool survives crashes, reboots and weeks without a network.
"""

from __future__ import annotations

import argparse
import base64
import fnmatch
import hashlib
import http.client
import json
import logging
import logging.handlers
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import sys
import threading
import time
import urllib.parse
import zipfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

# Filled in when the file is downloaded from the instrument's page in Vitrine.
SERVER = ""
TOKEN = ""
VERSION = 1

PIECE = 1024 * 1024
RESUMABLE_FROM = 32 * PIECE  # larger files go in pieces, so that a lost connection costs only the last one
PIECE_TO_SEND = 16 * PIECE
TIMEOUT_S = 60
LONGEST_PAUSE_S = 300.0
REFUSED_PAUSE_S = 3600.0  # a person has to act first, but then it goes by itself
AT_ONCE = 200
IGNORED = ("~$*", ".*", "*.tmp", "*.part", "*.crdownload", "*.lock", "Thumbs.db", "desktop.ini")

TABLE = """
CREATE TABLE IF NOT EXISTS files (
    pk INTEGER PRIMARY KEY,
    path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, count INTEGER NOT NULL,
    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
    state TEXT NOT NULL, upload TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0, said TEXT NOT NULL DEFAULT '',
    measurement INTEGER,
    UNIQUE (path, size, mtime_ns, count)
)
"""

log = logging.getLogger("vitrine-agent")


class Settings(NamedTuple):
    server: str
    token: str
    watch: Path
    spool: Path
    technique: str = ""
    project: str = ""
    sample_pattern: str = ""
    include: Tuple[str, ...] = ("*",)
    quiet_s: float = 10.0
    poll_s: float = 2.0
    marker: str = ""
    folders: bool = False
    delete: bool = False
    once: bool = False
    ca_file: str = ""


class Seen(NamedTuple):
    """What a look at a file or folder tells; when it changes, the waiting starts again."""

    size: int
    mtime_ns: int
    files: int = 1


class Later(Exception):
    """Something that time can heal: no network, a busy server, a file that is still open."""

    def __init__(self, message: str, after_s: Optional[float] = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class Refused(Exception):
    """Vitrine said no, in a sentence. Tried again once an hour: a person may have acted."""


# --- the spool -------------------------------------------------------------------------------------------


class Job(NamedTuple):
    pk: int
    path: str
    size: int
    sha256: str
    upload: str
    attempts: int


class Taken(NamedTuple):
    """A file or folder of which the spool holds a copy."""

    path: str
    seen: Seen
    size: int
    sha256: str


class Spool:
    """What waits to be sent, and what was: an SQLite file and a folder of copies, safe against power cuts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(str(folder / "spool.sqlite3"), timeout=30, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        # What was taken is made durable by `add`; that it was sent may be forgotten, for then it is only sent
        # again, and Vitrine knows the bytes.
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute(TABLE)
        self.db.execute("CREATE INDEX IF NOT EXISTS files_state ON files (state, not_before)")
        self._remove_orphans()

    def known(self) -> Dict[str, Seen]:
        """The last state of every path that was taken: what looks the same need not be looked at again."""
        rows = self.db.execute("SELECT path, size, mtime_ns, count FROM files ORDER BY pk")
        return {path: Seen(size, mtime_ns, count) for path, size, mtime_ns, count in rows}

    def copy(self, sha256: str) -> Path:
        return self.folder / sha256

    def add(self, taken: List[Taken]) -> None:
        """From now on they will be sent, whatever happens. The copies are durable already."""
        _sync_folder(self.folder)
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("BEGIN")
        self.db.executemany(
            "INSERT OR IGNORE INTO files (path, size, mtime_ns, count, bytes, sha256, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 'waiting')",
            [(t.path, t.seen.size, t.seen.mtime_ns, t.seen.files, t.size, t.sha256) for t in taken],
        )
        self.db.execute("COMMIT")
        self.db.execute("PRAGMA synchronous=NORMAL")

    def next(self) -> Optional[Job]:
        row = self.db.execute(
            "SELECT pk, path, bytes, sha256, upload, attempts FROM files"
            " WHERE state = 'waiting' AND not_before <= ? ORDER BY attempts, pk LIMIT 1",
            (time.time(),),
        ).fetchone()
        return Job(*row) if row else None

    def waiting(self) -> int:
        return int(self.db.execute("SELECT count(*) FROM files WHERE state = 'waiting'").fetchone()[0])

    def remember_upload(self, job: Job, url: str) -> None:
        self.db.execute("UPDATE files SET upload = ? WHERE pk = ?", (url, job.pk))

    def postpone(self, job: Job, seconds: float, said: str) -> None:
        # A clock that was set back must not hold a file for years: see `unfreeze`.
        self.db.execute(
            "UPDATE files SET attempts = attempts + 1, not_before = ?, said = ? WHERE pk = ?",
            (time.time() + seconds, said[:500], job.pk),
        )

    def unfreeze(self) -> None:
        """After a start, or when the clock jumped, everything may be tried at once."""
        self.db.execute("UPDATE files SET not_before = 0 WHERE state = 'waiting'")

    def done(self, job: Job, measurement: Optional[int]) -> None:
        self.db.execute(
            "UPDATE files SET state = 'sent', said = '', measurement = ? WHERE pk = ?", (measurement, job.pk)
        )
        self._drop_copy(job.sha256)

    def seen_of(self, job: Job) -> Seen:
        row = self.db.execute("SELECT size, mtime_ns, count FROM files WHERE pk = ?", (job.pk,)).fetchone()
        return Seen(*row)

    def _drop_copy(self, sha256: str) -> None:
        wanted = self.db.execute(
            "SELECT count(*) FROM files WHERE sha256 = ? AND state = 'waiting'", (sha256,)
        ).fetchone()[0]
        if not wanted:
            _unlink(self.copy(sha256))

    def _remove_orphans(self) -> None:
        """Copies that a crash left before their row was written, or after it was done."""
        wanted = {row[0] for row in self.db.execute("SELECT sha256 FROM files WHERE state = 'waiting'")}
        for path in self.folder.iterdir():
            if (len(path.name) == 64 or path.name.startswith("copy-")) and path.name not in wanted:
                _unlink(path)


# --- watching --------------------------------------------------------------------------------------------


class Watcher:
    """Finds what is finished. Stillness is measured with this process' own clock, never with file times:
    the clocks of instruments and file servers are wrong in every way there is."""

    def __init__(self, settings: Settings, spool: Spool) -> None:
        self.settings = settings
        self.spool = spool
        self._known = spool.known()
        self._still: Dict[str, Tuple[Seen, float]] = {}

    def look(self) -> int:
        """Take everything that is finished into the spool; how much that was."""
        now = time.monotonic()
        present = set()
        taken: List[Taken] = []
        count = 0
        for name, path, seen in self._candidates():
            present.add(name)
            if self._known.get(name) == seen:
                continue
            before = self._still.get(name)
            if before is None or before[0] != seen:
                self._still[name] = (seen, now)
                if self.settings.quiet_s > 0:
                    continue
            elif now - before[1] < self.settings.quiet_s:
                continue
            if not self._complete(path):
                continue
            copied = self._take(name, path, seen)
            if copied is not None:
                taken.append(copied)
            if len(taken) >= AT_ONCE:
                count += self._keep(taken)
        count += self._keep(taken)
        for name in set(self._still) - present:
            del self._still[name]
        return count

    def _keep(self, taken: List[Taken]) -> int:
        """One transaction for many small files: each would wait for the disk."""
        count = len(taken)
        if taken:
            self.spool.add(taken)
        for each in taken:
            self._known[each.path] = each.seen
            self._still.pop(each.path, None)
            log.info("%s is in the spool (%s bytes, sha256 %s…).", each.path, each.size, each.sha256[:12])
        taken.clear()
        return count

    def _candidates(self) -> Iterator[Tuple[str, Path, Seen]]:
        if self.settings.folders:
            for entry in _entries(self.settings.watch):
                if entry.is_dir(follow_symlinks=False) and not _ignored(entry.name):
                    inside = list(_walk(Path(entry.path)))
                    if inside:
                        seen = Seen(
                            sum(s.size for _, s in inside), max(s.mtime_ns for _, s in inside), len(inside)
                        )
                        yield entry.name, Path(entry.path), seen
            return
        for path, seen in _walk(self.settings.watch):
            name = path.relative_to(self.settings.watch).as_posix()
            marker = self.settings.marker
            if marker and fnmatch.fnmatch(path.name, f"*{marker}"):
                continue
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in self.settings.include):
                yield name, path, seen

    def _complete(self, path: Path) -> bool:
        """Whether the completion marker lies beside it: run7.raw.done or run7.done for run7.raw."""
        marker = self.settings.marker
        if not marker:
            return True
        if path.is_dir():
            return (path / marker).exists() or (path.parent / (path.name + marker)).exists()
        return (path.parent / (path.name + marker)).exists() or path.with_suffix(marker).exists()

    def _take(self, name: str, path: Path, seen: Seen) -> Optional[Taken]:
        copy = self.spool.folder / f"copy-{os.getpid()}-{threading.get_ident()}"
        try:
            sha256, size = _zip(path, copy) if path.is_dir() else _copy(path, copy)
            if _look_again(path) != seen:
                self._still[name] = (seen, time.monotonic())  # it changed meanwhile: wait again
                return None
            os.replace(str(copy), str(self.spool.copy(sha256)))
        except FileNotFoundError:
            return None  # moved or removed while it was copied; under its new name it is found again
        except OSError as error:
            log.info("%s cannot be read now (%s); it is tried again.", name, error)
            return None
        finally:
            _unlink(copy)
        return Taken(name, seen, size, sha256)


def _entries(folder: Path) -> List[Any]:
    try:
        with os.scandir(str(folder)) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        log.warning("The folder %s cannot be read now (%s).", folder, error)
        return []


def _walk(folder: Path) -> Iterator[Tuple[Path, Seen]]:
    """Files beneath `folder` with what they look like; what vanishes meanwhile is left out."""
    for entry in _entries(folder):
        if _ignored(entry.name):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                for found in _walk(Path(entry.path)):
                    yield found
            elif entry.is_file(follow_symlinks=False):
                # Not entry.stat(): Windows answers that from the folder, which lags behind an open file.
                status = os.stat(entry.path)
                yield Path(entry.path), Seen(status.st_size, status.st_mtime_ns)
        except OSError:
            continue


def _ignored(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in IGNORED)


def _look_again(path: Path) -> Seen:
    if path.is_dir():
        inside = list(_walk(path))
        if not inside:
            raise FileNotFoundError(str(path))
        return Seen(sum(s.size for _, s in inside), max(s.mtime_ns for _, s in inside), len(inside))
    status = os.stat(str(path))
    return Seen(status.st_size, status.st_mtime_ns)


def _copy(path: Path, target: Path) -> Tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with open(str(path), "rb") as source, open(str(target), "wb") as copy:
        while True:
            piece = source.read(PIECE)
            if not piece:
                break
            digest.update(piece)
            copy.write(piece)
            size += len(piece)
        copy.flush()
        os.fsync(copy.fileno())
    return digest.hexdigest(), size


def _zip(folder: Path, target: Path) -> Tuple[str, int]:
    """A folder as one file. No times in it: the same folder is the same bytes, and is known again."""
    with zipfile.ZipFile(str(target), "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for path, _ in _walk(folder):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            with open(str(path), "rb") as source, archive.open(info, "w", force_zip64=True) as out:
                shutil.copyfileobj(source, out, PIECE)
    digest, size = hashlib.sha256(), 0
    with open(str(target), "rb+") as copy:
        for piece in iter(lambda: copy.read(PIECE), b""):
            digest.update(piece)
            size += len(piece)
        os.fsync(copy.fileno())
    return digest.hexdigest(), size


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows has no such thing
    fd = os.open(str(folder), os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except OSError:
        pass


# --- sending ---------------------------------------------------------------------------------------------


class Server:
    """Vitrine over HTTP: one connection, kept while it holds."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        address = urllib.parse.urlsplit(
            settings.server if "//" in settings.server else f"//{settings.server}"
        )
        self.secure = address.scheme == "https"
        self.host, self.port = address.hostname or "", address.port
        self.root = address.path.rstrip("/")
        self._connection: Optional[http.client.HTTPConnection] = None

    def send(self, spool: Spool, job: Job) -> Optional[int]:
        """Hand one file over; returns the number of its measurement once the receipt is right."""
        receipt = self._resumable(spool, job) if job.size >= RESUMABLE_FROM else self._whole(spool, job)
        self._check(receipt, job)
        for warning in receipt.get("warnings", []):
            log.info("%s: %s", job.path, warning)
        measurement = receipt.get("id")
        return measurement if isinstance(measurement, int) else None

    def _whole(self, spool: Spool, job: Job) -> Dict[str, Any]:
        query = urllib.parse.urlencode(self._about(job))
        url = f"{self.root}/api/v1/uploads/{urllib.parse.quote(self._filename(job))}?{query}"
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(job.size),
            "X-Content-SHA256": job.sha256,
        }
        with open(str(spool.copy(job.sha256)), "rb") as body:
            status, answer, _ = self._ask("PUT", url, body, headers)
        return self._receipt(status, answer)

    def _resumable(self, spool: Spool, job: Job) -> Dict[str, Any]:
        """tus 1.0: what has arrived need not be sent again."""
        url, offset = job.upload, None
        if url:
            status, _, headers = self._ask("HEAD", url, None, {"Tus-Resumable": "1.0.0"})
            if status == 200:
                offset = int(headers.get("Upload-Offset", "0"))
            elif status not in (404, 410):
                raise self._trouble(status, b"", headers)
        if offset is None:
            url, offset = self._begin(spool, job), 0
        if offset == job.size:
            # All of it arrived, and the answer was lost on the way back.
            status, answer, _ = self._ask("GET", url, None, {"Tus-Resumable": "1.0.0"})
            return self._receipt(status, answer)
        with open(str(spool.copy(job.sha256)), "rb") as body:
            body.seek(offset)
            while True:
                piece = body.read(PIECE_TO_SEND)
                if not piece:
                    raise FileNotFoundError("the copy in the spool is shorter than it was")
                digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
                headers = {
                    "Tus-Resumable": "1.0.0",
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/offset+octet-stream",
                    "Content-Length": str(len(piece)),
                    "Upload-Checksum": f"sha256 {digest}",
                }
                status, answer, back = self._ask("PATCH", url, piece, headers)
                if status not in (200, 201, 204):
                    raise self._trouble(status, answer, back)
                offset = int(back.get("Upload-Offset", str(offset + len(piece))))
                body.seek(offset)
                if offset >= job.size:
                    break
        status, answer, _ = self._ask("GET", url, None, {"Tus-Resumable": "1.0.0"})
        return self._receipt(status, answer)

    def _begin(self, spool: Spool, job: Job) -> str:
        about = dict(self._about(job), filename=self._filename(job))
        metadata = ",".join(
            f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in about.items()
        )
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(job.size),
            "Upload-Metadata": metadata,
            "Content-Length": "0",
        }
        status, answer, back = self._ask("POST", f"{self.root}/api/v1/uploads/", b"", headers)
        if status != 201:
            raise self._trouble(status, answer, back)
        url = urllib.parse.urlsplit(back.get("Location", ""))
        spool.remember_upload(job, url.path)
        return url.path

    def _about(self, job: Job) -> Dict[str, str]:
        about = {
            "sample": sample_of(job.path, self.settings.sample_pattern),
            "technique": self.settings.technique,
            "project": self.settings.project,
        }
        return {key: text for key, text in about.items() if text}

    def _filename(self, job: Job) -> str:
        return job.path + (".zip" if self.settings.folders else "")

    def _check(self, receipt: Dict[str, Any], job: Job) -> None:
        hashes = [file.get("sha256") for file in receipt.get("files", [])]
        if job.sha256 not in hashes:
            raise Later(f"the receipt names {hashes or 'no hash'} instead of {job.sha256[:12]}…")

    def _receipt(self, status: int, answer: bytes) -> Dict[str, Any]:
        if status not in (200, 201):
            raise self._trouble(status, answer, {})
        try:
            receipt = json.loads(answer)
        except ValueError:
            raise Later("the answer is not a receipt; is this the address of Vitrine?") from None
        if not isinstance(receipt, dict):
            raise Later("the answer is not a receipt; is this the address of Vitrine?")
        # The address of a resumable upload tells about the upload and holds the receipt.
        inner = receipt.get("receipt")
        return inner if isinstance(inner, dict) else receipt

    def _trouble(self, status: int, answer: bytes, headers: Any) -> Exception:
        sentence = f"{status}: {_sentence(answer)}"
        if status in (400, 403, 405, 411, 413, 415):
            return Refused(sentence)
        after = headers.get("Retry-After", "") if headers else ""
        return Later(sentence, float(after) if str(after).isdigit() else None)

    def _ask(self, method: str, url: str, body: Any, headers: Dict[str, str]) -> Tuple[int, bytes, Any]:
        headers = dict(headers, Authorization=f"Token {self.settings.token}", Accept="application/json")
        headers["User-Agent"] = f"vitrine-agent/{VERSION}"
        try:
            connection = self._open()
            connection.request(method, url, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.will_close:
                self.close()
            return answer.status, content, answer.headers
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Later(f"no answer from {self.host} ({error or type(error).__name__})") from error

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self.secure:
                context = ssl.create_default_context(cafile=self.settings.ca_file or None)
                self._connection = http.client.HTTPSConnection(
                    self.host, self.port, timeout=TIMEOUT_S, context=context
                )
            else:
                self._connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _sentence(answer: bytes) -> str:
    """What Vitrine said, if it was Vitrine."""
    try:
        said = json.loads(answer)
        error = said.get("error", said)
        return str(error.get("message") or error.get("detail") or error)[:300]
    except (ValueError, AttributeError):
        return answer[:200].decode("utf-8", "replace").strip() or "no explanation"


def sample_of(path: str, pattern: str) -> str:
    """The sample's code in a file's name or folder, by the pattern; "" leaves it to Vitrine's inbox.

    `{sample}_*` is matched against the file's name, and `{sample}/*` with a slash against its whole path;
    * stands for anything. A pattern that begins with ^ is a regular expression with a group named sample.
    """
    if not pattern:
        return ""
    if pattern.startswith("^"):
        found = re.search(pattern, path)
    else:
        subject = path if "/" in pattern else path.rpartition("/")[2]
        parts = re.split(r"(\{sample\}|\*)", pattern)
        forms = {"{sample}": r"(?P<sample>[^/\s_]+?)", "*": r".*"}
        found = re.fullmatch("".join(forms.get(part, re.escape(part)) for part in parts), subject)
    return found.group("sample") if found and "sample" in found.groupdict() and found.group("sample") else ""


# --- the agent -------------------------------------------------------------------------------------------


class Agent:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stop = threading.Event()
        self.spool = Spool(settings.spool)
        self.watcher = Watcher(settings, self.spool)
        self.server = Server(settings)
        self._offset_s = time.time() - time.monotonic()

    def run(self) -> None:
        log.info(
            "Watching %s for %s; the spool is %s.",
            self.settings.watch,
            self.settings.server,
            self.settings.spool,
        )
        self.spool.unfreeze()
        while not self.stop.is_set():
            self._notice_clock()
            self.watcher.look()
            self.send_waiting()
            if self.settings.once and not self.spool.waiting() and not self.watcher._still:
                return
            self.stop.wait(self.settings.poll_s)

    def send_waiting(self) -> int:
        """Send what may be sent now; after a failure that is everybody's, such as no network, rest."""
        sent = 0
        until = time.monotonic() + max(self.settings.poll_s, 1.0) * 5  # new files are looked for in between
        while not self.stop.is_set() and time.monotonic() < until:
            job = self.spool.next()
            if job is None:
                break
            if not self._send(job):
                break
            sent += 1
        return sent

    def _send(self, job: Job) -> bool:
        """Whether to go on with the next one."""
        try:
            measurement = self.server.send(self.spool, job)
        except Refused as refusal:
            log.error(
                "%s was refused. %s It stays in the spool and is offered again in an hour.", job.path, refusal
            )
            self.spool.postpone(job, REFUSED_PAUSE_S, str(refusal))
            return True
        except FileNotFoundError:
            log.error("The copy of %s is gone from the spool; it is taken from the folder again.", job.path)
            self._forget(job)
            return True
        except Later as trouble:
            pause = trouble.after_s if trouble.after_s is not None else _pause(job.attempts)
            log.warning("%s: %s. Next try in %.0f s.", job.path, trouble, pause)
            self.spool.postpone(job, pause, str(trouble))
            return False
        self.spool.done(job, measurement)
        log.info("%s is safe (measurement %s, sha256 %s…).", job.path, measurement, job.sha256[:12])
        if self.settings.delete:
            self._delete(job)
        return True

    def _forget(self, job: Job) -> None:
        self.spool.db.execute("DELETE FROM files WHERE pk = ?", (job.pk,))
        self.watcher._known.pop(job.path, None)

    def _delete(self, job: Job) -> None:
        """Only what is still exactly what was sent."""
        path = self.settings.watch / job.path
        try:
            if _look_again(path) != self.spool.seen_of(job):
                return
            if path.is_dir():
                _remove_sent(path)
            else:
                path.unlink()
        except OSError as error:
            log.warning("%s was sent but cannot be deleted (%s).", job.path, error)

    def _notice_clock(self) -> None:
        """When the computer's clock is set, waiting times that were written with the old one mean nothing."""
        offset_s = time.time() - time.monotonic()
        if abs(offset_s - self._offset_s) > 30:
            log.info("The clock was set by %.0f s.", offset_s - self._offset_s)
            self.spool.unfreeze()
        self._offset_s = offset_s


def _remove_sent(folder: Path) -> None:
    """Exactly the files that were in the archive, and the folders that are empty then."""
    for path, _ in list(_walk(folder)):
        path.unlink()
    for root, _, _ in os.walk(str(folder), topdown=False):
        try:
            os.rmdir(root)
        except OSError:
            log.info("%s stays: it holds files that are never sent.", root)


def _pause(attempts: int) -> float:
    """1, 2, 4 … 300 s, each a little shorter by chance, so that many agents do not come back together."""
    return float(min(LONGEST_PAUSE_S, 2.0 ** min(attempts, 12)) * random.uniform(0.5, 1.0))


def arguments(given: Optional[List[str]] = None) -> Settings:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="Where the laboratory signs its own certificates, name the authority's certificate with --ca.",
    )
    say = parser.add_argument
    say("--watch", required=True, type=Path, help="the folder in which the instrument's files appear")
    say(
        "--server",
        default=os.environ.get("VITRINE_SERVER", SERVER),
        help="address of Vitrine (default: %(default)s)",
    )
    say("--token-file", type=Path, help="a file that holds the token, instead of the one in this script")
    say("--spool", type=Path, help="where copies wait (default: beside the watched folder)")
    say("--technique", default="", help="such as pl, xrd; left out: Vitrine finds out")
    say("--project", default="", help="whose inbox takes files without a known sample")
    say("--sample", default="", metavar="PATTERN", help="where the code stands: '{sample}_*' or '{sample}/*'")
    say("--include", default="*", help="which files, such as '*.txt,*.raw' (default: all)")
    say(
        "--quiet",
        type=float,
        default=10.0,
        metavar="S",
        help="how long a file must stand still (default 10 s)",
    )
    say("--poll", type=float, default=2.0, metavar="S", help="pause between two looks (default 2 s)")
    say("--marker", default="", help="take a file only when NAME+MARKER lies beside it, such as .done")
    say("--folders", action="store_true", help="each subfolder is one measurement, sent as a zip (TopSpin)")
    say("--delete", action="store_true", help="delete what Vitrine has safely stored")
    say("--once", action="store_true", help="send what is there and end")
    say("--ca", default="", metavar="FILE", help="certificate of the laboratory's own authority")
    say("--log", type=Path, help="a file for the log, kept below 5 MB")
    asked = parser.parse_args(given)
    token = (
        asked.token_file.read_text().strip() if asked.token_file else os.environ.get("VITRINE_TOKEN", TOKEN)
    )
    if not asked.server or not token:
        parser.error("no address or token: download this file from the instrument's page, or give both.")
    if not asked.watch.is_dir():
        parser.error(f"the folder {asked.watch} does not exist.")
    watch = asked.watch.resolve()
    _log_to(asked.log)
    return Settings(
        server=asked.server,
        token=token,
        watch=watch,
        spool=(asked.spool or watch.parent / f".vitrine-spool-{watch.name}").resolve(),
        technique=asked.technique,
        project=asked.project,
        sample_pattern=asked.sample,
        include=tuple(pattern.strip() for pattern in asked.include.split(",")),
        quiet_s=asked.quiet,
        poll_s=asked.poll,
        marker=asked.marker,
        folders=asked.folders,
        delete=asked.delete,
        once=asked.once,
        ca_file=asked.ca,
    )


def _log_to(path: Optional[Path]) -> None:
    handlers: List[logging.Handler] = [logging.StreamHandler()]
    if path is not None:
        handlers.append(logging.handlers.RotatingFileHandler(str(path), maxBytes=5 * PIECE, backupCount=1))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=handlers)


def alone(folder: Path) -> Any:
    """A lock that ends with this process: two agents on one spool would send everything twice."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = open(str(folder / "agent.lock"), "a+")
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        sys.exit(
            f"Another agent already works with the spool {folder}. Stop it, or name another with --spool."
        )
    return handle


def main() -> int:
    settings = arguments()
    lock = alone(settings.spool)
    agent = Agent(settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: agent.stop.set())
    try:
        agent.run()
    finally:
        agent.server.close()
        lock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
