"""A whole Vitrine in a process of its own, as somebody at a terminal starts it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from config import kept

ROOT = Path(__file__).resolve().parents[2]
OWN_SERVICES = ("DATABASE_URL", "REDIS_URL", "VITRINE_HOSTS", "DJANGO_SETTINGS_MODULE")


def environment(data: Path) -> dict[str, str]:
    """This process's environment without the services that the test run itself uses."""
    env = {name: value for name, value in os.environ.items() if name not in OWN_SERVICES}
    # To collect static files and to compile kernels takes long; one folder of each serves all tests of a run.
    shared = Path(os.environ.get("VITRINE_DATA") or data)
    return env | {
        "VITRINE_DATA": str(data),
        "VITRINE_STATIC": str(shared / "static"),
        "NUMBA_CACHE_DIR": str(shared / "kernels"),
    }


def manage_py(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A management command in another terminal."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(
        command, env=environment(data), cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Household:
    """`manage.py up`, what it has said so far, and every process that belongs to its data folder."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data, self.port = data, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, str(ROOT / "manage.py"), "up", "--no-browser", "--no-demo"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--data", str(data), *options],
            env=environment(data),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def wait_to_hear(self, text: str, times: int = 1, patience_s: float = 60) -> None:
        deadline = time.monotonic() + patience_s
        while self.said.count(text) < times:
            assert self.process.poll() is None, f"`up` ended without saying {text!r}:\n{self.said}"
            assert time.monotonic() < deadline, f"never said {text!r}:\n{self.said}"
            time.sleep(0.05)

    def get(self, path: str) -> int:
        with urllib.request.urlopen(self.address + path, timeout=20) as answer:
            status: int = answer.status
        return status

    def wait_to_serve(self, path: str = "/healthz", patience_s: float = 60) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            with contextlib.suppress(OSError):
                if self.get(path) == 200:
                    return
            assert time.monotonic() < deadline, f"{path} is not served:\n{self.said}"
            time.sleep(0.1)

    def processes(self) -> dict[int, str]:
        """Everything alive that works in or for the data folder, by process id."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                belongs = f"VITRINE_DATA={self.data}\0".encode() in (folder / "environ").read_bytes()
                # PostgreSQL writes its titles over its environment, but works in its own folder.
                belongs = belongs or str((folder / "cwd").readlink()).startswith(str(self.data))
                if belongs and (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        found.pop(os.getpid(), None)
        return found

    def main_process(self, role: str, other_than: int = 0, patience_s: float = 30) -> int:
        """The process that the supervisor itself started for this role, once there is one."""
        deadline = time.monotonic() + patience_s
        while True:
            for pid, line in self.processes().items():
                if role in line and pid != other_than and parent(pid) == self.process.pid:
                    return pid
            assert time.monotonic() < deadline, f"no {role} among {self.processes()}"
            time.sleep(0.1)

    def wait_for_silence(self, patience_s: float = 30) -> None:
        deadline = time.monotonic() + patience_s
        while orphans := self.processes():
            assert time.monotonic() < deadline, f"orphans: {orphans}"
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.reader.join(5)
        return code


def parent(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


@contextlib.contextmanager
def household(data: Path, *options: str, fresh: bool = False) -> Iterator[Household]:
    """fresh : it makes its database and every table itself, as on a new machine"""
    if not fresh and not (data / "pg").exists():
        data.mkdir(exist_ok=True)
        kept.lay_cluster(data)
    running = Household(data, *options)
    try:
        running.wait_to_hear("Vitrine is at", patience_s=240)  # a fresh one makes every table
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
