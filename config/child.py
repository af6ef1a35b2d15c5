"""One supervised process: how to start it, hear it, and end it with everything it started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

PR_SET_PDEATHSIG = 1  # Linux: the kernel signals the child when its parent dies, however it dies
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(eq=False)
class Child:
    name: str
    command: list[str]
    floor: int = 0  # higher floors stand on lower ones: they start later and stop first
    ready: Callable[[], bool] = lambda: True
    once: bool = False  # does one thing and ends; not started again
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM  # for when the supervisor itself is killed
    grace_s: float = 10
    noise: str = ""  # lines with this pattern are not worth a reader's time
    run_as: int | None = None  # user id, for a program that refuses to run as root

    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    unfinished_line: bytes = b""
    failures: int = 0
    restart_at: float | None = None

    @property
    def alive(self) -> bool:
        """As of the last `has_ended`: a child is alive until somebody has noticed its death."""
        return self.process is not None and self.process.returncode is None

    @property
    def output(self) -> IO[bytes]:
        if self.process is None or self.process.stdout is None:
            raise RuntimeError(f"{self.name} was never launched")
        return self.process.stdout

    def launch(self, env: dict[str, str]) -> None:
        self.restart_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops all in order
            preexec_fn=dying_with_parent(self.orphan_signal),
            user=self.run_as,
            group=self.run_as,
            extra_groups=None if self.run_as is None else [],
        )
        os.set_blocking(self.output.fileno(), False)

    def has_ended(self) -> bool:
        """True once, when its death is first noticed."""
        return self.alive and self.process is not None and self.process.poll() is not None

    def lines(self) -> Iterator[str]:
        """Whole lines said since last time; at the end of the output, its unfinished last line too."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.output.fileno(), 65536):
                *whole, self.unfinished_line = (self.unfinished_line + chunk).split(b"\n")
                yield from (line.decode(errors="replace").rstrip() for line in whole)
            if self.unfinished_line:
                yield self.unfinished_line.decode(errors="replace").rstrip()
            self.unfinished_line = b""
            self.output.close()

    def ask_to_stop(self) -> None:
        if self.alive and self.process:
            self.process.send_signal(self.stop_signal)

    def kill_group(self) -> None:
        """End what is left of the child and of its own children, which share its session."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def how_it_ended(self) -> str:
        code = self.process.returncode if self.process else None
        if code is None or code >= 0:
            return f"exit code {code}"
        return f"signal {signal.Signals(-code).name}"


def dying_with_parent(orphan_signal: signal.Signals) -> Callable[[], None]:
    """What a child does before it runs its program. Safe because the supervisor has one thread."""
    parent = os.getpid()

    def ask_the_kernel() -> None:
        if LIBC:
            LIBC.prctl(PR_SET_PDEATHSIG, orphan_signal)
            if os.getppid() != parent:
                os._exit(1)

    return ask_the_kernel
