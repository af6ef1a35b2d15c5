"""A file that was checked waits here until the person says yes, so that it is not sent twice.

The page holds a signed name; the signature binds the file to the person, and it expires after a day.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import UploadedFile

from samples.models import User

SALT = "vitrine.import"
KEEP_S = 24 * 3600


class ExpiredError(Exception):
    """The file is not here any more; the person chooses it again."""


@dataclass(frozen=True)
class Kept:
    path: Path
    filename: str
    ticket: str

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        return self.path.open("rb")


def keep(file: UploadedFile, user: User) -> Kept:
    folder = _folder()
    digest = hashlib.sha256()
    unfinished = folder / f".{os.getpid()}-{time.monotonic_ns()}"
    with unfinished.open("wb") as copy:
        for chunk in file.chunks():
            digest.update(chunk)
            copy.write(chunk)
    path = folder / f"{user.pk}-{digest.hexdigest()}"
    unfinished.replace(path)
    name = (file.name or "file")[:200]
    return Kept(path, name, signing.dumps([user.pk, digest.hexdigest(), name], salt=SALT))


def kept(ticket: str, user: User) -> Kept:
    try:
        owner, sha256, filename = signing.loads(ticket, salt=SALT, max_age=KEEP_S)
    except (signing.BadSignature, ValueError) as error:
        raise ExpiredError from error
    path = _folder() / f"{owner}-{sha256}"
    if owner != user.pk or not path.is_file():
        raise ExpiredError
    return Kept(path, filename, ticket)


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.is_file() and time.time() - old.stat().st_mtime > KEEP_S:
            old.unlink(missing_ok=True)
    return folder
