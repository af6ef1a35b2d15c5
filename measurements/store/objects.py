"""Raw files in S3-compatible storage, for workers that share no disk.

An upload is written and hashed in a local scratch folder and sent when it is complete; it is durable when the
storage has acknowledged it and names its size (and, up to one part, its SHA-256). Credentials come from the
environment, as boto3 reads them (AWS_ACCESS_KEY_ID, a profile, a role), or stand in the address.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from measurements.store.base import ORPHAN_AGE_S, Store
from measurements.store.cache import FileCache
from measurements.store.errors import StoreUnavailableError, sentences
from measurements.store.pending import CHUNK_BYTES, Stored
from measurements.store.remote import RemoteFile, answers

PART_BYTES = 64 * 1024**2
BUFFER_BYTES = 1024 * 1024
# A copy of this age is young enough that no sweep touches it before its row is committed.
RELIED_ON_FOR = timedelta(hours=12)
OPTIONS = {"endpoint_url", "region_name", "addressing_style", "verify"}
GONE = {"404", "NoSuchKey", "NotFound"}


def storage_options(url: str) -> dict[str, Any]:
    """What django-storages wants to know, from `s3://[KEY:SECRET@]bucket/prefix?endpoint_url=…`."""
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    if parts.scheme != "s3" or not parts.hostname or not options.keys() <= OPTIONS:
        raise ValueError(
            "VITRINE_STORAGE_URL is an address like s3://bucket/prefix?endpoint_url=https://s3.example.org; "
            f"it may also say {', '.join(sorted(OPTIONS - {'endpoint_url'}))}."
        )
    if parts.username and parts.password:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password)}
    if options.get("verify") in ("0", "false"):
        options["verify"] = False
    # As written: `hostname` alone is in lower case, and buckets of old installations may not be.
    bucket = parts.netloc.rpartition("@")[2]
    return options | {"bucket_name": bucket, "location": parts.path.strip("/")}


class ObjectStore(Store):
    """Objects `prefix/ab/cd/<sha256>` in a bucket; `scratch` is a folder of this machine alone."""

    def __init__(self, url: str, scratch: Path, least_free_bytes: int = 0, cache_bytes: int = 10**10) -> None:
        # Imported here: boto3 takes 0.3 s, and most installations keep their files in a folder.
        from botocore.config import Config
        from storages.backends.s3 import S3Storage

        super().__init__(scratch, least_free_bytes)
        options = storage_options(url)
        patience = Config(
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 3},
            s3={"addressing_style": options.get("addressing_style", "auto")},
        )
        self._storage = S3Storage(client_config=patience, **options)
        self._cache = FileCache(scratch / "cache", cache_bytes)
        self.bucket: str = options["bucket_name"]
        self.prefix = options["location"] + "/" if options["location"] else ""

    @property
    def _client(self) -> Any:  # boto3 makes its classes at run time
        return self._storage.connection.meta.client  # one per thread

    def key(self, sha256: str) -> str:
        return f"{self.prefix}{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def _aside(self, sha256: str) -> str:
        return f"{self.prefix}orphans/{sha256}"

    # --- in ------------------------------------------------------------------------------------------

    def link_into_place(self, temporary: Path, stored: Stored) -> None:
        head = self._head(self.key(stored.sha256))
        if head is not None and head["ContentLength"] == stored.size and _is_young(head):
            return
        # Sent again even if an old copy is there: nobody has looked lately whether that one is sound.
        self._upload(temporary, self.key(stored.sha256))
        self._require_arrived(stored)

    def _upload(self, path: Path, key: str) -> None:
        from boto3.s3.transfer import TransferConfig

        parts = TransferConfig(
            multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False
        )
        with sentences(), answers("was not taken"):
            # The checksum is computed here and compared there, part by part.
            self._client.upload_file(
                str(path), self.bucket, key, ExtraArgs={"ChecksumAlgorithm": "SHA256"}, Config=parts
            )

    def _require_arrived(self, stored: Stored) -> None:
        head = self._head(self.key(stored.sha256)) or {}
        # Of a file in several parts it is a checksum of checksums; each part was compared as it came.
        checksum = head.get("ChecksumSHA256") if stored.size < PART_BYTES else None
        expected = base64.b64encode(bytes.fromhex(stored.sha256)).decode()
        if head.get("ContentLength") != stored.size or checksum not in (None, expected):
            raise StoreUnavailableError(
                "The S3 storage did not keep the bytes that it was sent, so the file was not taken. Keep it, "
                "tell the operator, and send it again."
            )

    # --- out -----------------------------------------------------------------------------------------

    def open(self, sha256: str) -> BinaryIO:
        with answers("cannot be read"):
            head = self._head(self.key(sha256))
            if head is None and self.bring_back(sha256):
                head = self._head(self.key(sha256))
        if head is None:
            raise StoreUnavailableError(
                f"The stored file {sha256[:12]}… is missing in the S3 storage. Tell the operator: the "
                "Storage page says how to restore it from a backup."
            )
        raw = RemoteFile(partial(self.read_from, self.key(sha256)), head["ContentLength"])
        return cast(BinaryIO, io.BufferedReader(raw, BUFFER_BYTES))

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        with self._cache.file(sha256, lambda: self._download(sha256)) as path:
            yield path

    def _download(self, sha256: str) -> Path:
        """A fresh local copy whose bytes have this hash."""
        self.require_room()
        path, digest = self.new_temporary(), hashlib.sha256()
        try:
            with sentences(), self.open(sha256) as source, path.open("xb") as copy:
                while chunk := source.read(CHUNK_BYTES):
                    digest.update(chunk)
                    copy.write(chunk)
            if digest.hexdigest() != sha256:
                raise StoreUnavailableError(
                    f"The stored file {sha256[:12]}… has other bytes than were received. Tell the operator: "
                    "the Storage page says how to restore it from a backup."
                )
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def examine(self, sha256: str, size: int | None = None) -> str:
        try:
            return self._examine(sha256, size)
        except StoreUnavailableError as error:
            self.require_reachable()  # is it the storage, or this object alone?
            return f"cannot be read ({error.__cause__ or error})"

    def _examine(self, sha256: str, size: int | None) -> str:
        head = self._head(self.key(sha256))
        if head is None and not self.bring_back(sha256):
            self.require_reachable()
            return "is missing"
        if head is not None and size is not None and head["ContentLength"] != size:
            return f"has {head['ContentLength']} bytes instead of {size}"
        with self.open(sha256) as file:
            digest = hashlib.sha256()
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        return "" if digest.hexdigest() == sha256 else "has other bytes than were received"

    def read_from(self, key: str, start: int) -> Any:
        """The body of an object from a byte on, as boto3's stream."""
        with answers("cannot be read"):
            return self._client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={start}-")["Body"]

    # --- housekeeping --------------------------------------------------------------------------------

    def require_reachable(self) -> None:
        with answers("cannot be reached"):
            self._client.head_bucket(Bucket=self.bucket)

    def sweep(self, *, older_than_s: float = ORPHAN_AGE_S) -> int:
        """Also of parts that an upload which died has left in the storage."""
        limit = datetime.now(UTC) - timedelta(seconds=older_than_s)
        removed = super().sweep(older_than_s=older_than_s)
        with answers("cannot be swept"):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.prefix):
                for upload in page.get("Uploads", []):
                    if upload["Initiated"] < limit:
                        self._client.abort_multipart_upload(
                            Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        removed += 1
        return removed

    def hashes(self) -> Iterator[str]:
        for key in self._keys(self.prefix):
            name = key.rpartition("/")[2]
            if key == self.key(name):
                yield name

    def set_aside(self, sha256: str, *, older_than_s: float = ORPHAN_AGE_S) -> bool:
        head = self._head(self.key(sha256))
        if head is None or head["LastModified"] >= datetime.now(UTC) - timedelta(seconds=older_than_s):
            return False
        # An upload that relied on this object meanwhile finds it again: `open` brings it back.
        self._move(self.key(sha256), self._aside(sha256))
        return True

    def bring_back(self, sha256: str) -> bool:
        if self._head(self._aside(sha256)) is None:
            return False
        if self._head(self.key(sha256)) is None:
            self._move(self._aside(sha256), self.key(sha256))
        else:  # sent again meanwhile
            with answers("cannot be removed"):
                self._client.delete_object(Bucket=self.bucket, Key=self._aside(sha256))
        return True

    def orphans(self) -> list[str]:
        return sorted(key.rpartition("/")[2] for key in self._keys(f"{self.prefix}orphans/"))

    def remove(self, sha256: str) -> None:
        with answers("cannot be removed"):
            for key in (self.key(sha256), self._aside(sha256)):
                self._client.delete_object(Bucket=self.bucket, Key=key)

    def _move(self, source: str, target: str) -> None:
        with answers("cannot be moved"):
            self._client.copy({"Bucket": self.bucket, "Key": source}, self.bucket, target)
            self._client.delete_object(Bucket=self.bucket, Key=source)

    def _keys(self, prefix: str) -> Iterator[str]:
        with answers("cannot be listed"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    yield found["Key"]

    def _head(self, key: str) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        with answers("cannot be read"):
            try:
                return cast(
                    dict[str, Any],
                    self._client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED"),
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in GONE:
                    return None
                raise


def _is_young(head: dict[str, Any]) -> bool:
    return bool(head["LastModified"] > datetime.now(UTC) - RELIED_ON_FOR)
