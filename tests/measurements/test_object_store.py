"""The store over S3: the same promises as the folder, without a disk that web and workers share."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from measurements.store import StoreFullError, StoreUnavailableError, TooLargeError, objects
from measurements.store.cache import FileCache
from measurements.store.objects import ObjectStore, storage_options
from tests.measurements.s3 import bucket

BYTES = b"450.00,552.9\n" * 1000
SHA256 = hashlib.sha256(BYTES).hexdigest()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with bucket() as address:
        yield address


@pytest.fixture
def store(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> ObjectStore:
    """Under a prefix of its own, so that tests do not see each other's files."""
    return ObjectStore(url.replace("/lab?", f"/lab/{tmp_path.name}?"), tmp_path / "scratch")


def overwrite(store: ObjectStore, content: bytes) -> None:
    store._client.put_object(Bucket=store.bucket, Key=store.key(SHA256), Body=content)


def test_an_upload_is_an_object_under_its_hash_and_nothing_is_left_behind(store: ObjectStore) -> None:
    stored = store.put(io.BytesIO(BYTES))
    assert (stored.sha256, stored.size) == (SHA256, len(BYTES))
    head = store._client.head_object(Bucket=store.bucket, Key=store.key(SHA256), ChecksumMode="ENABLED")
    assert head["ContentLength"] == len(BYTES)
    assert head["ChecksumSHA256"], "computed here, compared there"
    assert list(store.incoming.iterdir()) == []
    assert store.open(SHA256).read() == BYTES
    assert list(store.hashes()) == [SHA256]


def test_an_empty_file_is_a_file(store: ObjectStore) -> None:
    sha256 = store.put(io.BytesIO(b"")).sha256
    assert store.open(sha256).read() == b""
    assert store.examine(sha256, 0) == ""


def test_a_file_of_several_parts_arrives_whole(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 5 * 1024**2)
    content = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(400_000))  # 12.8 MB
    stored = store.put(io.BytesIO(content))
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert store.examine(stored.sha256, len(content)) == ""


def test_more_than_allowed_never_reaches_the_storage(store: ObjectStore) -> None:
    with pytest.raises(TooLargeError):
        store.put(io.BytesIO(BYTES), limit=100)
    assert list(store.hashes()) == []


@pytest.mark.parametrize("ending", [b"", b"!"])
def test_a_storage_that_keeps_other_bytes_gives_no_receipt(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, ending: bytes
) -> None:
    def lossy(path: str, bucket: str, key: str, **_: Any) -> None:
        content = Path(path).read_bytes()[:-1] + ending
        real.put_object(Bucket=bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256")

    real = store._client
    monkeypatch.setattr(real, "upload_file", lossy)
    with pytest.raises(StoreUnavailableError, match="did not keep the bytes"):
        store.put(io.BytesIO(BYTES))


def test_what_was_damaged_is_said_and_healed_by_the_same_bytes_sent_again(store: ObjectStore) -> None:
    store.put(io.BytesIO(BYTES))
    assert store.examine(SHA256, len(BYTES)) == ""
    overwrite(store, BYTES[:-1])
    assert store.examine(SHA256, len(BYTES)) == f"has {len(BYTES) - 1} bytes instead of {len(BYTES)}"
    store.put(io.BytesIO(BYTES))
    assert store.verify(SHA256)
    overwrite(store, BYTES[:-1] + b"!")
    assert store.examine(SHA256, len(BYTES)) == "has other bytes than were received"
    store.remove(SHA256)
    assert store.examine(SHA256, len(BYTES)) == "is missing"


def test_ranges_are_read_without_the_rest(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(io.BytesIO(BYTES))
    asked = []
    read_from = store.read_from
    monkeypatch.setattr(store, "read_from", lambda key, at: asked.append(at) or read_from(key, at))
    with store.open(SHA256) as file:
        assert file.seek(0, io.SEEK_END) == len(BYTES)
        assert asked == [], "to know the size, nothing is fetched"
        file.seek(5000)
        assert file.read(100) == BYTES[5000:5100]
        assert asked == [5000]
        file.seek(-13, io.SEEK_END)
        assert file.read() == BYTES[-13:]
        assert file.read() == b""


def test_a_worker_gets_a_file_on_its_own_disk_and_the_second_time_without_fetching(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, worker = ObjectStore(url, tmp_path / "web"), ObjectStore(url, tmp_path / "worker")
    web.put(io.BytesIO(BYTES))
    with worker.local(SHA256) as path:
        assert path.read_bytes() == BYTES
        assert tmp_path / "worker" in path.parents
        assert path.stat().st_mode & 0o777 == 0o400
    monkeypatch.setattr(worker, "read_from", None)  # not asked again
    with worker.local(SHA256) as path:
        assert path.read_bytes() == BYTES


def test_a_damaged_object_is_not_handed_to_a_reader(store: ObjectStore) -> None:
    store.put(io.BytesIO(BYTES))
    overwrite(store, BYTES[:-1] + b"!")
    with (
        pytest.raises(StoreUnavailableError, match="has other bytes than were received"),
        store.local(SHA256),
    ):
        pass
    assert list(store.incoming.iterdir()) == []


def test_an_object_without_a_row_is_set_aside_after_a_day_and_found_again_when_asked_for(
    store: ObjectStore,
) -> None:
    store.put(io.BytesIO(BYTES))
    assert not store.set_aside(SHA256), "its row may be on the way"
    assert store.set_aside(SHA256, older_than_s=-60)
    assert (store.orphans(), list(store.hashes())) == ([SHA256], [])
    assert store.open(SHA256).read() == BYTES
    assert (store.orphans(), list(store.hashes())) == ([], [SHA256])


def test_an_orphan_never_takes_the_place_of_what_was_sent_again(store: ObjectStore) -> None:
    store.put(io.BytesIO(BYTES))
    overwrite(store, BYTES[:-1] + b"!")
    assert store.set_aside(SHA256, older_than_s=-60)
    store.put(io.BytesIO(BYTES))
    assert store.bring_back(SHA256)
    assert store.orphans() == []
    assert store.verify(SHA256)


def test_an_old_object_is_sent_again_so_that_no_sweep_takes_it_from_under_a_receipt(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    upload = store._upload
    monkeypatch.setattr(store, "_upload", lambda path, key: sent.append(key) or upload(path, key))
    store.put(io.BytesIO(BYTES))
    store.put(io.BytesIO(BYTES))
    assert len(sent) == 1, "a young one is relied on"
    monkeypatch.setattr(objects, "RELIED_ON_FOR", timedelta(0))
    store.put(io.BytesIO(BYTES))
    assert len(sent) == 2


def test_parts_of_an_upload_that_died_are_swept(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    client = store._client
    begun = client.create_multipart_upload(Bucket=store.bucket, Key=store.key(SHA256))
    # moto says of every such upload that it began in 2010, so the age of this one is ours to say.
    ages = iter([0, 25])

    def listed(_: str) -> Any:
        initiated = datetime.now(UTC) - timedelta(hours=next(ages))
        upload = {"Key": begun["Key"], "UploadId": begun["UploadId"], "Initiated": initiated}
        return SimpleNamespace(paginate=lambda **_: [{"Uploads": [upload]}])

    monkeypatch.setattr(client, "get_paginator", listed)
    assert store.sweep() == 0, "it may still be running"
    assert store.sweep() == 1
    assert "Uploads" not in client.list_multipart_uploads(Bucket=store.bucket, Prefix=store.prefix)


def test_a_storage_that_does_not_answer_is_said_and_damages_no_file(tmp_path: Path) -> None:
    dead = ObjectStore("s3://a:b@bucket?endpoint_url=http://127.0.0.1:9&region_name=x", tmp_path)
    with pytest.raises(StoreUnavailableError, match=r"does not do its part \(EndpointConnectionError\)"):
        dead.put(io.BytesIO(BYTES))
    with pytest.raises(StoreUnavailableError):
        dead.examine(SHA256)
    assert list(dead.incoming.iterdir()) == []


def test_one_object_that_cannot_be_read_is_damaged_and_does_not_stop_the_round(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")

    store.put(io.BytesIO(BYTES))
    monkeypatch.setattr(store._client, "get_object", denied)
    assert store.examine(SHA256, len(BYTES)).startswith("cannot be read (")


def test_a_bucket_that_is_not_there_is_no_reason_to_call_files_missing(url: str, tmp_path: Path) -> None:
    store = ObjectStore(url.replace("@vitrine-", "@other-"), tmp_path)
    with pytest.raises(StoreUnavailableError, match=r"404|NoSuchBucket"):
        store.examine(SHA256)


def test_a_full_storage_is_said_as_such(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "XMinioStorageFull", "Message": "…"}}, "PutObject")

    monkeypatch.setattr(store._client, "upload_file", full)
    with pytest.raises(StoreFullError, match="S3 storage is full"):
        store.put(io.BytesIO(BYTES))


@pytest.mark.parametrize("url", ["s3://", "http://bucket", "s3://bucket?endpoint=typo", "bucket"])
def test_an_address_that_makes_no_sense_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValueError, match="VITRINE_STORAGE_URL is an address like s3://bucket/prefix"):
        storage_options(url)


def test_an_address_holds_bucket_prefix_endpoint_and_key() -> None:
    assert storage_options("s3://KEY:a%2Fb@Bucket/some/prefix?endpoint_url=https://s3.example.org") == {
        "bucket_name": "Bucket",
        "location": "some/prefix",
        "endpoint_url": "https://s3.example.org",
        "access_key": "KEY",
        "secret_key": "a/b",
    }


# --- the cache ----------------------------------------------------------------------------------------


def fetched(folder: Path, name: str) -> Path:
    path = folder / f"fetched-{name}"
    path.write_bytes(name.encode() * 100)
    return path


def test_the_cache_stays_within_its_bound_and_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", 250)
    for name in "abac":  # a is used again, so b gives way
        with cache.file(name, lambda name=name: fetched(tmp_path, name)) as path:
            assert path.read_bytes() == name.encode() * 100
    assert sorted(path.name for path in cache.folder.iterdir()) == ["a", "c"]


def test_what_is_in_use_does_not_give_way(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", 150)
    with cache.file("a", lambda: fetched(tmp_path, "a")) as held:
        with cache.file("b", lambda: fetched(tmp_path, "b")):
            assert held.exists()
        with cache.file("c", lambda: fetched(tmp_path, "c")):
            assert not (cache.folder / "b").exists()
        assert held.read_bytes() == b"a" * 100


def test_many_readers_of_a_small_cache_always_find_their_file(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", 150)
    failures: list[BaseException] = []

    def read(seed: int) -> None:
        for n in range(60):
            name = "abc"[(seed + n) % 3]

            def fetch(name: str = name, n: int = n) -> Path:
                path = tmp_path / f"{seed}-{n}"
                path.write_bytes(name.encode() * 100)
                return path

            try:
                with cache.file(name, fetch) as path:
                    assert path.read_bytes() == name.encode() * 100
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=read, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_clock_of_the_storage_decides_what_is_young() -> None:
    assert objects._is_young({"LastModified": datetime.now(UTC)})
    assert not objects._is_young({"LastModified": datetime.now(UTC) - timedelta(hours=13)})
