"""The least that gives the same guarantees: no framework, no HTTP beyond one line and one length.

    python -m benchmarks.anchors.bare_socket PORT PROCESSES      (FILES and DATABASE_URL in the environment)

Each request: whether the token may add to the sample is looked up, the bytes are hashed while they are
written, fsync, a link to their hash, fsync of its folder, one committed row, the answer. One thread and one
database session a connection.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import sys
import threading
from pathlib import Path

import psycopg

BLOCK_BYTES = 1024 * 1024
ROWS = (
    "CREATE TABLE IF NOT EXISTS bare_upload"
    " (id bigserial PRIMARY KEY, sha256 text, size bigint, name text, sample bigint, at timestamptz)"
)
SENDER = """
    SELECT token.digest, sample.id FROM knox_authtoken token
    JOIN samples_user account ON account.id = token.user_id AND account.is_active
    JOIN samples_sample sample ON sample.code = %s
    JOIN samples_membership membership ON membership.user_id = account.id
        AND membership.project_id = sample.project_id AND membership.role >= 20
    WHERE token.token_key = %s AND (token.expiry IS NULL OR token.expiry > now())
"""


def serve(port: int) -> None:
    folder = Path(os.environ["FILES"])
    (folder / "incoming").mkdir(parents=True, exist_ok=True)
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        door.bind(("127.0.0.1", port))
        door.listen(128)
        while True:
            connection, _ = door.accept()
            threading.Thread(target=converse, args=(connection, folder), daemon=True).start()


def converse(connection: socket.socket, folder: Path) -> None:
    buffer = memoryview(bytearray(BLOCK_BYTES))
    with connection, psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        before = b""
        while True:
            while b"\r\n\r\n" not in before:
                more = connection.recv(65536)
                if not more:
                    return
                before += more
            head, _, before = before.partition(b"\r\n\r\n")
            line, *lines = head.decode().split("\r\n")
            said = dict(field.split(": ", 1) for field in lines)
            token = said["Authorization"].removeprefix("Token ")
            name, _, sample = line.split(" ")[1].partition("?sample=")
            known = database.execute(SENDER, [sample, token[:15]], prepare=True).fetchone()
            if known is None or known[0] != hashlib.sha512(token.encode()).hexdigest():
                return
            size = int(said["Content-Length"])
            sha256 = keep(connection, before, size, buffer, folder)
            before = b""
            (pk,) = database.execute(
                "INSERT INTO bare_upload (sha256, size, name, sample, at) VALUES (%s, %s, %s, %s, now())"
                " RETURNING id",
                [sha256, size, name, known[1]],
                prepare=True,
            ).fetchone()  # type: ignore[misc]
            body = f'{{"id": {pk}, "sha256": "{sha256}"}}'.encode()
            connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def keep(connection: socket.socket, before: bytes, size: int, buffer: memoryview, folder: Path) -> str:
    path = folder / "incoming" / secrets.token_hex(16)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o400)
    sha256 = hashlib.sha256(before)
    os.write(fd, before)
    left = size - len(before)
    while left:
        filled = 0
        while filled < min(BLOCK_BYTES, left):
            filled += connection.recv_into(buffer[filled : min(BLOCK_BYTES, left)])
        sha256.update(buffer[:filled])
        os.write(fd, buffer[:filled])
        left -= filled
    os.fsync(fd)
    os.close(fd)
    digest = sha256.hexdigest()
    place = folder / digest[:2] / digest[2:4]
    made = [level for level in (place, place.parent) if not level.exists()]
    place.mkdir(parents=True, exist_ok=True)
    os.link(path, place / digest)
    for level in (place, *(each.parent for each in made)):  # a folder is there when its parent is on disk
        folder_fd = os.open(level, os.O_RDONLY)
        os.fsync(folder_fd)
        os.close(folder_fd)
    path.unlink()
    return digest


def main() -> None:
    port, processes = map(int, sys.argv[1:])
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute(ROWS)
    for _ in range(processes - 1):
        if not os.fork():
            break
    serve(port)


if __name__ == "__main__":
    main()
