from __future__ import annotations

import os
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from redis.exceptions import ConnectionError as BrokerDownError

from samples import queueing
from samples.queueing import Sender


class Task:
    """Keeps what it was asked to send."""

    name = "test"

    def __init__(self) -> None:
        self.sent: list[tuple[int, ...]] = []
        self.arrived = threading.Semaphore(0)
        self.down = False

    def apply_async(self, args: tuple[int, ...], **_: Any) -> None:
        if self.down:
            self.down = False
            self.arrived.release()
            raise BrokerDownError("refused")
        self.sent.append(args)
        for _key in args:
            self.arrived.release()


def wait_for(task: Task, keys: int) -> None:
    for _ in range(keys):
        assert task.arrived.acquire(timeout=10)


def test_keys_that_come_together_travel_together_and_each_once() -> None:
    task, sender = Task(), Sender()
    for key in range(20):
        sender.send(task, key)
    wait_for(task, 20)
    assert sorted(key for keys in task.sent for key in keys) == list(range(20))
    assert len(task.sent) < 20
    assert max(map(len, task.sent)) <= Sender.KEYS_IN_A_MESSAGE


def test_keys_that_keep_coming_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    task, sender, slept = Task(), Sender(), threading.Semaphore(0)
    rests: list[float] = []

    def sleep(seconds: float) -> None:
        rests.append(seconds)
        if seconds == Sender.RESTS_S:  # meanwhile three more
            assert slept.acquire(timeout=10)

    monkeypatch.setattr(queueing, "time", SimpleNamespace(sleep=sleep))
    sender.send(task, 0)
    wait_for(task, 1)
    for key in (1, 2, 3):
        sender.send(task, key)
    slept.release()
    wait_for(task, 3)
    slept.release()
    assert task.sent == [(0,), (1, 2, 3)]
    assert rests[:2] == [Sender.GATHERED_S, Sender.RESTS_S]


def test_a_broker_that_is_down_ends_no_thread() -> None:
    task, sender = Task(), Sender()
    task.down = True
    sender.send(task, 1)
    wait_for(task, 1)
    sender.send(task, 2)
    wait_for(task, 1)
    assert task.sent == [(2,)]


def test_a_forked_server_process_gets_a_thread_of_its_own() -> None:
    task, sender = Task(), Sender()
    sender.send(task, 1)
    wait_for(task, 1)
    child = os.fork()
    if child == 0:
        sender.send(task, 2)
        os._exit(0 if task.arrived.acquire(timeout=10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.django_db
def test_only_a_web_server_sends_in_the_background(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    task = Task()
    with django_capture_on_commit_callbacks(execute=True):
        queueing.enqueue_soon(task, 7)
    assert task.sent == [(7,)]
