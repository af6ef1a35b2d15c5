"""Servers to upload to, with the processor time and the memory that each took; and what is sent to them."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import itertools
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
MB = 1_000_000
BOUNDARY = "XXXXboundaryXXXX"
BEFORE = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="sample"\r\n\r\nB-1\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="map.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
AFTER = f"\r\n--{BOUNDARY}--\r\n".encode()
number = itertools.count()


class Load(NamedTuple):
    name: str
    size_bytes: int
    clients: int
    uploads: int  # in one round
    rounds: int


class File:
    """Made and hashed before the clock starts. A large one repeats a megabyte; no two are alike."""

    noise = secrets.token_bytes(MB)

    def __init__(self, size_bytes: int) -> None:
        self.size = size_bytes
        self.first = b"%020d" % next(number) + self.noise[20:]
        sha256 = hashlib.sha256()
        for block in self.blocks():
            sha256.update(block)
        self.sha256 = sha256.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        left = self.size
        for block in itertools.chain([self.first], itertools.repeat(self.noise)):
            if not left:
                return
            yield block[:left]
            left -= min(left, MB)


Send = Callable[[http.client.HTTPConnection, File, str], bytes]


def answered(connection: http.client.HTTPConnection, *expected: int) -> http.client.HTTPResponse:
    answer = connection.getresponse()
    assert answer.status in expected, answer.read()[:500]
    return answer


def post_form(connection: http.client.HTTPConnection, file: File, token: str) -> bytes:
    size = len(BEFORE) + file.size + len(AFTER)
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(size),
        "Authorization": f"Token {token}",
    }
    connection.request(
        "POST", "/api/v1/measurements/", itertools.chain([BEFORE], file.blocks(), [AFTER]), headers
    )
    return answered(connection, 201).read()


def put_body(connection: http.client.HTTPConnection, file: File, token: str) -> bytes:
    headers = {"Content-Length": str(file.size), "Authorization": f"Token {token}"}
    connection.request("PUT", "/api/v1/uploads/map.bin?sample=B-1", file.blocks(), headers)
    return answered(connection, 201).read()


def send_by_tus(connection: http.client.HTTPConnection, file: File, token: str) -> bytes:
    headers = {"Tus-Resumable": "1.0.0", "Authorization": f"Token {token}"}
    begin = headers | {
        "Upload-Length": str(file.size),
        "Upload-Metadata": "filename bWFwLmJpbg==,sample Qi0x",
    }
    connection.request("POST", "/api/v1/uploads/", None, begin)
    answer = answered(connection, 201)
    answer.read()
    address = "/" + answer.headers["Location"].split("/", 3)[3]
    piece = {
        "Upload-Offset": "0",
        "Content-Length": str(file.size),
        "Content-Type": "application/offset+octet-stream",
    }
    connection.request("PATCH", address, file.blocks(), headers | piece)
    answered(connection, 204).read()
    connection.request("GET", address, None, headers)
    return answered(connection, 200).read()


@dataclass
class Server:
    """A way to hand a file to a running server."""

    name: str
    port: int
    token: str
    files: Path
    process: subprocess.Popen[bytes]
    send: Send

    def run(self, load: Load) -> float:
        def client(files: list[File]) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            for file in files:
                assert file.sha256.encode() in self.send(connection, file, self.token)
            connection.close()

        return in_threads(client, load)

    def cpu_s(self) -> float:
        """Processor time of all its processes so far."""
        return sum(map(cpu_s, family(self.process.pid)))

    def peak_mb(self) -> float:
        """Highest memory of any of its processes so far."""
        statuses = [Path(f"/proc/{pid}/status").read_text() for pid in family(self.process.pid)]
        found = [re.search(r"VmHWM:\s*(\d+)", status) for status in statuses]
        return max(int(each[1]) for each in found if each) / 1000


@dataclass
class Bare:
    """One process that writes, hashes and fsyncs, with as many threads as there are clients. No network."""

    name: str
    files: Path

    def run(self, load: Load) -> float:
        def write(files: list[File]) -> None:
            for file in files:
                with (self.files / secrets.token_hex(8)).open("wb", buffering=0) as stored:
                    sha256 = hashlib.sha256()
                    for block in file.blocks():
                        sha256.update(block)
                        stored.write(block)
                    os.fsync(stored.fileno())
                assert sha256.hexdigest() == file.sha256

        return in_threads(write, load)

    def cpu_s(self) -> float:
        return time.process_time()


def in_threads(work: Callable[[list[File]], None], load: Load) -> float:
    """Seconds that it took; making the files is not counted."""
    each = load.uploads // load.clients
    failed: list[BaseException] = []

    def watched(files: list[File]) -> None:
        try:
            work(files)
        except BaseException as error:
            failed.append(error)

    threads = [
        threading.Thread(target=watched, args=([File(load.size_bytes) for _ in range(each)],))
        for _ in range(load.clients)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - start
    if failed:
        raise failed[0]
    return taken


@contextlib.contextmanager
def running(
    files: Path, command: Callable[[int], list[str]], more: dict[str, str]
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A server on a port of its own, with a folder that is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program, *arguments = command(port)
    files.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [str(BIN / program), *arguments], cwd=ROOT, env=os.environ | more, start_new_session=True
    )
    try:
        wait_for(port)
        yield port, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait(20)
        shutil.rmtree(files, ignore_errors=True)


def wait_for(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit("A server did not start.")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(deeper for child in children for deeper in family(child))]
