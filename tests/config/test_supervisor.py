"""The supervisor over small children: shell and Python one-liners instead of servers."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.child import Child
from config.supervisor import StartError, Supervisor

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(out=io.StringIO(), first_backoff_s=0.05) as running:
        yield running


def shell(name: str, script: str, **options: object) -> Child:
    return Child(name, ["sh", "-c", script], **options)  # type: ignore[arg-type]


def said(supervisor: Supervisor) -> str:
    assert isinstance(supervisor.out, io.StringIO)
    return supervisor.out.getvalue()


def pump_until(supervisor: Supervisor, text: str, patience_s: float = 10) -> None:
    deadline = time.monotonic() + patience_s
    while text not in said(supervisor):
        assert time.monotonic() < deadline, f"never said {text!r}, but:\n{said(supervisor)}"
        supervisor.pump(0.05)


def is_running(pid: int) -> bool:
    """Whether the process exists and is not merely waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_the_end_of(*pids: int, patience_s: float = 10) -> None:
    deadline = time.monotonic() + patience_s
    while living := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < deadline, f"still running: {living}"
        time.sleep(0.05)


def test_every_line_carries_the_name_of_its_process(supervisor: Supervisor) -> None:
    supervisor.run(shell("worker", "echo one; echo two >&2; printf 'no newline'", once=True))
    lines = said(supervisor).splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "worker    │ one",
        "worker    │ two",
        "worker    │ no newline",
    ]


def test_a_line_that_is_not_text_is_shown_all_the_same(supervisor: Supervisor) -> None:
    supervisor.run(shell("worker", r"printf '\377\376 broken\n'", once=True))
    assert "broken" in said(supervisor)


def test_a_child_is_waited_for_until_it_is_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    supervisor.start(shell("database", f"sleep 0.3; touch {sign}; exec sleep 60", ready=sign.exists))
    assert sign.exists()


def test_a_crashed_child_is_started_again_and_the_log_says_so(supervisor: Supervisor, tmp_path: Path) -> None:
    second_life = (
        f"test -e {tmp_path}/seen && echo 'second life' && exec sleep 60; touch {tmp_path}/seen; exit 7"
    )
    supervisor.start(shell("worker", second_life))
    pump_until(supervisor, "second life")
    assert "worker ended with exit code 7; starting it again in 0.05 s" in said(supervisor)


def test_a_killed_child_is_started_again_with_the_signal_named(supervisor: Supervisor) -> None:
    child = shell("web", "exec sleep 60")
    supervisor.start(child)
    assert child.process
    child.process.kill()
    pump_until(supervisor, "web ended with signal SIGKILL")
    supervisor.pump_for(0.3)
    assert child.alive


def test_each_further_crash_waits_twice_as_long(supervisor: Supervisor) -> None:
    supervisor.start(shell("worker", "exit 1"))
    pump_until(supervisor, "again in 0.2 s")
    waits = [line.split("again in ")[1] for line in said(supervisor).splitlines()]
    assert waits == ["0.05 s", "0.1 s", "0.2 s"]


def test_a_child_that_never_becomes_ready_is_an_error_with_its_name(supervisor: Supervisor) -> None:
    with pytest.raises(StartError, match="database was not ready after"):
        supervisor.start(shell("database", "exec sleep 60", ready=lambda: False), patience_s=0.3)


def test_a_child_that_dies_at_every_start_is_an_error_before_patience_ends(supervisor: Supervisor) -> None:
    started_at = time.monotonic()
    with pytest.raises(StartError, match="broker ended 3 times"):
        supervisor.start(shell("broker", "exit 3", ready=lambda: False), patience_s=60)
    assert time.monotonic() - started_at < 5


def test_a_failed_migration_stops_the_start(supervisor: Supervisor) -> None:
    with pytest.raises(StartError, match="migrate failed"):
        supervisor.run(shell("migrate", "exit 1", once=True))


def test_what_did_its_one_thing_is_not_started_again(supervisor: Supervisor) -> None:
    child = shell("demo", "echo loaded", once=True)
    supervisor.run(child)
    supervisor.pump_for(0.3)
    assert said(supervisor).count("loaded") == 1


def test_floors_stop_from_the_top_and_each_waits_for_the_one_above(tmp_path: Path) -> None:
    note = tmp_path / "order"
    with Supervisor(out=io.StringIO()) as supervisor:
        for name, floor in (("database", 0), ("broker", 1), ("worker", 2), ("web", 3)):
            script = (
                f"trap 'sleep 0.2; echo {name} >> {note}; exit' TERM; echo up; while :; do sleep 0.02; done"
            )
            supervisor.start(shell(name, script, floor=floor))
            pump_until(supervisor, f"{name:<9} │ up")
    assert note.read_text().split() == ["web", "worker", "broker", "database"]


def test_a_child_deaf_to_signals_is_killed_after_its_grace() -> None:
    with Supervisor(out=io.StringIO()) as supervisor:
        child = shell("worker", "trap '' TERM; echo up; while :; do sleep 0.05; done", grace_s=0.3)
        supervisor.start(child)
        pump_until(supervisor, "up")
        out = supervisor.out
    assert isinstance(out, io.StringIO)
    assert "worker did not stop within 0.3 s and is killed" in out.getvalue()
    assert not child.alive


def test_grandchildren_end_with_the_child_that_left_them(supervisor: Supervisor) -> None:
    child = shell("worker", "sleep 300 & echo grandchild $!; exec sleep 60")
    supervisor.start(child)
    pump_until(supervisor, "grandchild ")
    grandchild = int(said(supervisor).split("grandchild ")[1].split()[0])
    assert child.process
    child.process.kill()
    pump_until(supervisor, "ended with signal SIGKILL")
    wait_for_the_end_of(grandchild)


def test_a_stop_request_interrupts_the_wait_for_a_slow_child() -> None:
    with Supervisor(out=io.StringIO()) as supervisor:
        asks = shell("asks", f"sleep 0.2; kill -TERM {os.getpid()}", once=True)
        supervisor.start(asks)
        with pytest.raises(KeyboardInterrupt):
            supervisor.start(shell("database", "exec sleep 60", ready=lambda: False), patience_s=30)
    assert not any(child.alive for child in supervisor.children)


HOUSEHOLD = """
from config.child import Child
from config.supervisor import Supervisor
with Supervisor() as supervisor:
    supervisor.start(Child("web", ["sh", "-c", "echo pid $$; exec sleep 300"]))
    supervisor.start(Child("worker", ["sh", "-c", "echo pid $$; sleep 300 & echo pid $!; wait"]))
    try:
        supervisor.watch()
    except KeyboardInterrupt:
        print("asked to stop", flush=True)
"""


@pytest.fixture
def household() -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor in a process of its own, and the process ids of its three descendants."""
    with subprocess.Popen(
        [sys.executable, "-c", HOUSEHOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        pids = [int(process.stdout.readline().split("pid ")[1]) for _ in range(3)]
        yield process, pids
        process.kill()
        for pid in pids[:2]:  # the leaders of their sessions
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_sigterm_and_a_closed_terminal_leave_no_orphan(
    household: tuple[subprocess.Popen[str], list[int]], number: signal.Signals
) -> None:
    process, pids = household
    process.send_signal(number)
    assert process.wait(15) == 0
    assert process.stdout
    assert "asked to stop" in process.stdout.read()
    wait_for_the_end_of(*pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_killed_supervisor_takes_its_children_along(
    household: tuple[subprocess.Popen[str], list[int]],
) -> None:
    process, (web, worker, _) = household
    process.kill()
    wait_for_the_end_of(web, worker)


def test_a_terminal_that_is_gone_counts_as_a_request_to_stop() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with Supervisor(out=os.fdopen(writing, "w", buffering=1)) as supervisor:
        supervisor.start(shell("web", "while :; do echo hello; sleep 0.05; done"))
        with pytest.raises(KeyboardInterrupt):
            supervisor.pump_for(10)
    assert not any(child.alive for child in supervisor.children)
