"""An independent tus client against the real server, which is killed while the bytes come."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from tusclient.storage import filestorage
from tusclient.uploader import Uploader

from measurements.models import Measurement, Upload
from measurements.services import issue_token
from samples.models import Sample, User
from tests.end_to_end.conftest import Site, eventually, kill_group

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
PIECE_BYTES = 1_000_000
CONTENT = os.urandom(PIECE_BYTES) * 5 + b"the end"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def headers(alice: User) -> dict[str, str]:
    return {"Authorization": f"Token {issue_token(alice)[1]}"}


def uploader(address: str, headers: dict[str, str], **options: Any) -> Uploader:
    client = TusClient(f"{address}/api/v1/uploads/", headers=headers)
    known = {"filename": "map.bin", "sample": "VT-GLASS", "technique": "cl"}
    options.setdefault("file_stream", io.BytesIO(CONTENT))
    return client.uploader(chunk_size=PIECE_BYTES, metadata=known, **options)


def receipt_at(url: str, headers: dict[str, str]) -> Any:
    answer = requests.get(url, headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["receipt"]


def is_whole_and_alone(site: Site) -> bool:
    """The one measurement has the bytes that were sent, and nothing else lies about."""
    stored = [path for path in site.files.rglob("*") if path.is_file()]
    assert [path.name for path in stored] == [SHA256]
    assert hashlib.sha256(stored[0].read_bytes()).hexdigest() == SHA256
    assert Measurement.objects.get().files.get().blob.sha256 == SHA256
    return True


def test_tuspy_uploads_in_pieces_with_checksums(
    site: Site, composite: Sample, headers: dict[str, str]
) -> None:
    sending = uploader(site.web(), headers, upload_checksum=True)
    sending.upload()
    receipt = receipt_at(sending.url, headers)
    assert (receipt["sample"], receipt["technique"]) == ("VT-GLASS", "cl")
    assert receipt["files"][0]["sha256"] == SHA256
    assert is_whole_and_alone(site)


def test_tuspy_goes_on_where_another_run_of_it_stopped(
    site: Site, composite: Sample, headers: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "map.bin").write_bytes(CONTENT)
    address = site.web()

    def again() -> Uploader:
        kept = filestorage.FileStorage(str(tmp_path / "kept"))
        more = {"store_url": True, "url_storage": kept, "file_stream": None}
        return uploader(address, headers, file_path=str(tmp_path / "map.bin"), **more)

    first = again()
    first.upload(stop_at=2 * PIECE_BYTES)
    second = again()
    assert (second.url, second.offset) == (first.url, 2 * PIECE_BYTES)
    second.upload()
    assert receipt_at(second.url, headers)["files"][0]["sha256"] == SHA256
    assert is_whole_and_alone(site)


def test_a_web_server_killed_mid_upload_costs_nothing_but_the_last_seconds(
    site: Site, composite: Sample, headers: dict[str, str]
) -> None:
    address = site.web()
    sending = uploader(address, headers)
    sending.upload_chunk()
    sending.upload_chunk()
    # The third piece is half on its way when the server is killed.
    half = begin_a_piece(address, sending.url, headers, 2 * PIECE_BYTES, PIECE_BYTES // 2)
    part = next((site.files / "partial").iterdir())
    eventually(lambda: part.stat().st_size > 2 * PIECE_BYTES, 10, "half a piece")
    for child in site.children:
        kill_group(child, signal.SIGKILL)
        child.wait()
    half.close()
    assert Upload.objects.get().received_bytes == 2 * PIECE_BYTES
    with pytest.raises((TusUploadFailed, TusCommunicationError)):
        sending.upload_chunk()
    moved = site.web()  # on another port
    resumed = uploader(moved, headers, url=str(sending.url).replace(address, moved))
    assert 2 * PIECE_BYTES <= resumed.offset < 3 * PIECE_BYTES
    resumed.upload()
    assert receipt_at(resumed.url, headers)["files"][0]["sha256"] == SHA256
    assert is_whole_and_alone(site)


def begin_a_piece(
    address: str, url: str, headers: dict[str, str], offset: int, sent_bytes: int
) -> socket.socket:
    """A PATCH that announces a whole piece and stops in the middle of it."""
    host, port = address.removeprefix("http://").split(":")
    head = {
        "Host": f"{host}:{port}", "Tus-Resumable": "1.0.0", "Upload-Offset": str(offset),
        "Content-Type": "application/offset+octet-stream", "Content-Length": str(PIECE_BYTES), **headers,
    }  # fmt: skip
    lines = [
        f"PATCH {url.removeprefix(address)} HTTP/1.1",
        *(f"{key}: {value}" for key, value in head.items()),
    ]
    connection = socket.create_connection((host, int(port)))
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + CONTENT[offset : offset + sent_bytes])
    return connection


def test_a_client_that_vanishes_in_the_middle_keeps_what_it_has_sent(
    site: Site, composite: Sample, headers: dict[str, str]
) -> None:
    """And while it is connected, nobody else gets in between."""
    address = site.web()
    sending = uploader(address, headers)
    sending.upload_chunk()
    half = begin_a_piece(address, sending.url, headers, PIECE_BYTES, PIECE_BYTES // 2)
    part = next((site.files / "partial").iterdir())
    eventually(lambda: part.stat().st_size > PIECE_BYTES, 10, "half a piece")
    tus = headers | {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
    meanwhile = requests.patch(
        sending.url, CONTENT[PIECE_BYTES:], headers=tus | {"Upload-Offset": str(PIECE_BYTES)}, timeout=10
    )
    assert meanwhile.status_code == 423
    half.close()
    eventually(lambda: Upload.objects.get().received_bytes > PIECE_BYTES, 10, "the part to be kept", site)
    resumed = uploader(address, headers, url=sending.url)
    assert resumed.offset > PIECE_BYTES
    resumed.upload()
    assert receipt_at(resumed.url, headers)["files"][0]["sha256"] == SHA256
    assert is_whole_and_alone(site)


def test_curl_puts_a_file_and_checks_it(
    site: Site, composite: Sample, headers: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "map.bin").write_bytes(CONTENT)
    (tmp_path / "empty.txt").touch()
    address = site.web()

    def put(name: str, *more: str) -> str:
        authorization = f"Authorization: Token {headers['Authorization'].split()[1]}"
        command = ["curl", "-s", "-w", "%{http_code}", "-H", authorization, *more, "-T", str(tmp_path / name)]
        url = f"{address}/api/v1/uploads/{name}?sample=VT-GLASS"
        return subprocess.run([*command, url], capture_output=True, text=True, timeout=30).stdout

    wrong = put("map.bin", "-H", f"X-Content-SHA256: {'0' * 64}")
    assert wrong.endswith("400")
    assert Measurement.objects.count() == 0
    answer = put("map.bin", "-H", f"X-Content-SHA256: {SHA256}")
    assert answer.endswith("201")
    assert SHA256 in answer
    assert is_whole_and_alone(site)
    assert put("map.bin").endswith("200")
    assert put("empty.txt").endswith("201")
