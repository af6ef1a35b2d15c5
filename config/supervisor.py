"""Start children in order, print their lines in one log, restart what crashes, leave no orphan.

One thread and one loop, `pump`: it copies output, notices the dead, starts them again, and raises
KeyboardInterrupt after Ctrl-C, SIGTERM or SIGHUP. Every wait is a loop around it. Standard library only.
"""

import json
import os
import re
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Self, TextIO

from config.child import Child

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COLOURS = {
    "database": 34, "broker": 35, "migrate": 33, "web": 32, "worker": 36, "long": 36, "scheduler": 96,
    "demo": 33,
}  # fmt: skip
TRIES_AT_START = 3
LONGEST_BACKOFF_S = 30
STEADY_AFTER_S = 60  # who ran this long is forgiven its earlier failures


class StartError(Exception):
    """A child did not come up; the message says which and where to look."""


def as_json(line: str, name: str) -> str:
    """For the programs that write no JSON themselves: the database, the broker, ourselves."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    return json.dumps({"at": at, "level": "INFO", "logger": name, "message": line}, ensure_ascii=False)


@dataclass
class Supervisor:
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    out: TextIO = field(default_factory=lambda: sys.stdout)
    first_backoff_s: float = 1
    children: list[Child] = field(default_factory=list)
    stop_requested: int | None = None  # the signal that asked
    stopping: bool = False

    def __enter__(self) -> Self:
        self.selector = selectors.DefaultSelector()
        self.woken, self.waker = socket.socketpair()
        self.woken.setblocking(False)
        self.waker.setblocking(False)
        self.selector.register(self.woken, selectors.EVENT_READ)
        self.wakeup_fd_before = signal.set_wakeup_fd(self.waker.fileno(), warn_on_full_buffer=False)
        self.handlers_before = {
            number: signal.signal(number, self.request_stop)
            for number in STOP_SIGNALS
            # nohup and background shells ignore signals on purpose; so do we, then.
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        # A handler that does nothing, so that a child's death wakes the loop.
        self.handlers_before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self.handlers_before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self.wakeup_fd_before)
        for resource in (self.selector, self.woken, self.waker):
            resource.close()

    def request_stop(self, number: int, _: object) -> None:
        self.stop_requested = number

    def start(self, child: Child, patience_s: float = 60) -> None:
        """Launch the child and return when it is ready; one that keeps dying or dawdling is an error."""
        self.children.append(child)
        self.launch(child)
        deadline = time.monotonic() + patience_s
        while not (child.alive and child.ready()):
            self.pump_for(0.05)
            if child.failures >= TRIES_AT_START:
                raise StartError(f"{child.name} ended {child.failures} times; its lines above say why.")
            if time.monotonic() > deadline:
                raise StartError(f"{child.name} was not ready after {patience_s:g} s; see its lines above.")

    def run(self, *children: Child) -> None:
        """Launch children that each do one thing, side by side, and return when all have done it."""
        for child in children:
            self.start(child)
        while any(child.alive for child in children):
            self.pump(0.2)
        failed = [child.name for child in children if child.failures]
        if failed:
            raise StartError(f"{' and '.join(failed)} failed; the lines above say why.")

    def watch(self) -> None:
        """Keep everything running until somebody asks for the end."""
        while True:
            self.pump(1)

    def pump_for(self, duration_s: float) -> None:
        """A pause in which nothing is missed and nothing asked too often."""
        end = time.monotonic() + duration_s
        while (left_s := end - time.monotonic()) > 0:
            self.pump(left_s)

    def pump(self, timeout_s: float) -> None:
        for key, _ in self.selector.select(timeout_s):
            if key.fileobj is self.woken:
                self.woken.recv(4096)
            else:
                self.copy_output(key.data)
        for child in self.children:
            if child.has_ended():
                self.bury(child)
            elif child.restart_at and time.monotonic() >= child.restart_at and not self.stopping:
                self.launch(child)
        if self.stop_requested and not self.stopping:
            raise KeyboardInterrupt

    def launch(self, child: Child) -> None:
        child.launch(self.env)
        self.selector.register(child.output, selectors.EVENT_READ, child)

    def bury(self, child: Child) -> None:
        """Take leave of a dead child: its own children, its last words, and perhaps its next life."""
        child.kill_group()
        self.copy_output(child)
        if not child.output.closed:  # held open by a grandchild that left the session
            self.selector.unregister(child.output)
            child.output.close()
        succeeded = child.once and child.process is not None and child.process.returncode == 0
        if self.stopping or succeeded:
            return
        lived_well = time.monotonic() - child.started_at > STEADY_AFTER_S
        child.failures = 1 if lived_well else child.failures + 1
        if child.once:
            self.say(f"{child.name} ended with {child.how_it_ended()}")
            return
        backoff_s = min(self.first_backoff_s * 2 ** (child.failures - 1), LONGEST_BACKOFF_S)
        child.restart_at = time.monotonic() + backoff_s
        self.say(f"{child.name} ended with {child.how_it_ended()}; starting it again in {backoff_s:g} s")

    def copy_output(self, child: Child) -> None:
        pipe = child.output
        if pipe.closed:
            return
        fd = pipe.fileno()
        for line in child.lines():
            if not (child.noise and re.search(child.noise, line)):
                self.say(line, child.name)
        if pipe.closed:
            self.selector.unregister(fd)

    def say(self, line: str, name: str = "vitrine") -> None:
        if os.environ.get("VITRINE_LOG") == "json":
            self.write(line if line.startswith('{"at"') else as_json(line, name))
            return
        prefix = f"{name:<9} │"
        if self.out.isatty() and not os.environ.get("NO_COLOR"):
            prefix = f"\x1b[{COLOURS.get(name, 1)}m{prefix}\x1b[0m"
        self.write(f"{time.strftime('%H:%M:%S')} {prefix} {line}")

    def write(self, line: str) -> None:
        try:
            print(line, file=self.out, flush=True)
        except OSError:  # the terminal is gone, and with it whoever was watching
            self.out = open(os.devnull, "w")  # noqa: SIM115
            self.stop_requested = signal.SIGHUP

    def stop(self) -> None:
        """End every floor before the one it stands on; who outlives its grace is killed."""
        self.stopping = True
        for floor in sorted({child.floor for child in self.children}, reverse=True):
            on_this_floor = [child for child in self.children if child.floor == floor]
            asked_at = time.monotonic()
            for child in on_this_floor:
                child.ask_to_stop()
            while living := [child for child in on_this_floor if child.alive]:
                self.pump(0.1)
                for child in living:
                    if child.alive and time.monotonic() - asked_at > child.grace_s:
                        self.say(f"{child.name} did not stop within {child.grace_s:g} s and is killed")
                        child.kill_group()
