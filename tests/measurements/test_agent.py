"""The instrument agent against a stand-in for Vitrine that loses, delays, refuses and lies on request."""

from __future__ import annotations

import ast
import hashlib
import http.server
import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from measurements import agent as agent_file
from measurements.agent import Agent, Settings, Spool, Watcher, sample_of

SOURCE = Path(agent_file.__file__)


class Vitrine:
    """Keeps what it was sent by PUT; `fault(number of the request, handler)` may do something else."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, bytes]] = {}  # sha256 → query and bytes
        self.names: list[str] = []
        self.fault: Callable[[int, Any], bool] = lambda number, handler: False
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_PUT(self) -> None:
                outer.requests += 1
                if outer.fault(outer.requests, self):
                    return
                content = self.rfile.read(int(self.headers["Content-Length"]))
                sha256 = hashlib.sha256(content).hexdigest()
                assert sha256 == self.headers["X-Content-SHA256"]
                assert self.headers["Authorization"] == "Token secret"
                address = urllib.parse.urlsplit(self.path)
                new = sha256 not in outer.kept
                outer.kept[sha256] = (address.query, content)
                outer.names.append(urllib.parse.unquote(address.path.partition("/uploads/")[2]))
                body = {
                    "id": list(outer.kept).index(sha256) + 1,
                    "files": [{"sha256": sha256}],
                    "warnings": [],
                }
                self.answer(201 if new else 200, body)

            def answer(self, status: int, body: Any) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def vitrine() -> Iterator[Vitrine]:
    server = Vitrine()
    yield server
    server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def settings(vitrine: Vitrine, folder: Path, **more: Any) -> Settings:
    known: dict[str, Any] = {
        "server": vitrine.address, "token": "secret", "watch": folder, "spool": folder.parent / "spool",
        "quiet_s": 0.0, "poll_s": 0.02,
    }  # fmt: skip
    return Settings(**(known | more))


def look_and_send(agent: Agent) -> None:
    agent.watcher.look()
    agent.spool.unfreeze()
    agent.send_waiting()


def test_it_runs_on_python_3_8_and_needs_nothing_but_its_standard_library() -> None:
    tree = ast.parse(SOURCE.read_text(), feature_version=(3, 8))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names


def test_a_finished_file_arrives_with_its_bytes_and_its_sample(vitrine: Vitrine, folder: Path) -> None:
    (folder / "VT-7K3M2_pl.txt").write_bytes(b"1 2\n3 4\n")
    agent = Agent(settings(vitrine, folder, sample_pattern="{sample}_*", technique="pl"))
    look_and_send(agent)
    ((query, content),) = vitrine.kept.values()
    assert (query, content) == ("sample=VT-7K3M2&technique=pl", b"1 2\n3 4\n")
    assert agent.spool.waiting() == 0
    assert (folder / "VT-7K3M2_pl.txt").exists()
    assert [path.name for path in agent.spool.folder.glob("*") if len(path.name) == 64] == []


@pytest.mark.parametrize(
    ("path", "pattern", "sample"),
    [
        ("VT-7K3M2_pl_300K.txt", "{sample}_*", "VT-7K3M2"),
        ("2026/VT-7K3M2/scan.raw", "*/{sample}/*", "VT-7K3M2"),
        ("xrd-VT-7K3M2.raw", "xrd-{sample}.raw", "VT-7K3M2"),
        ("run 7.txt", "{sample}_*", ""),
        ("a/VT-1.txt", r"^a/(?P<sample>VT-\d)", "VT-1"),
        ("VT-1.txt", "", ""),
    ],
)
def test_the_sample_stands_where_the_pattern_says(path: str, pattern: str, sample: str) -> None:
    assert sample_of(path, pattern) == sample


def test_a_file_that_grows_is_sent_when_it_stands_still_and_whole(vitrine: Vitrine, folder: Path) -> None:
    path = folder / "grows.txt"
    agent = Agent(settings(vitrine, folder, quiet_s=0.3))
    for length in range(1, 6):
        path.write_bytes(b"line\n" * length)
        assert agent.watcher.look() == 0
        time.sleep(0.05)
    time.sleep(0.35)
    look_and_send(agent)
    assert [content for _, content in vitrine.kept.values()] == [b"line\n" * 5]


def test_stillness_is_not_judged_by_file_times(vitrine: Vitrine, folder: Path) -> None:
    """A file server whose clock is a day off, either way."""
    agent = Agent(settings(vitrine, folder, quiet_s=0.1))
    for name, skew_s in (("early.txt", -86_400), ("late.txt", 86_400)):
        (folder / name).write_text(name)
        os.utime(folder / name, (time.time() + skew_s, time.time() + skew_s))
    agent.watcher.look()
    assert agent.spool.waiting() == 0
    time.sleep(0.15)
    look_and_send(agent)
    assert len(vitrine.kept) == 2


def test_a_file_that_changes_while_it_is_copied_waits_again(
    vitrine: Vitrine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "changes.txt"
    path.write_text("first half")
    copy = agent_file._copy

    def and_append(source: Path, target: Path) -> tuple[str, int]:
        result = copy(source, target)
        monkeypatch.setattr(agent_file, "_copy", copy)
        with path.open("a") as file:
            file.write(", second half")
        return result

    monkeypatch.setattr(agent_file, "_copy", and_append)
    agent = Agent(settings(vitrine, folder))
    agent.watcher.look()
    assert agent.spool.waiting() == 0
    look_and_send(agent)
    look_and_send(agent)
    assert [content for _, content in vitrine.kept.values()] == [b"first half, second half"]


def test_a_file_that_vanishes_after_it_was_taken_is_sent_from_the_spool(
    vitrine: Vitrine, folder: Path
) -> None:
    (folder / "gone.txt").write_text("here")
    agent = Agent(settings(vitrine, folder))
    agent.watcher.look()
    (folder / "gone.txt").unlink()
    look_and_send(agent)
    assert [content for _, content in vitrine.kept.values()] == [b"here"]


def test_a_renamed_file_is_kept_once(vitrine: Vitrine, folder: Path) -> None:
    (folder / "old.txt").write_text("same bytes")
    agent = Agent(settings(vitrine, folder))
    look_and_send(agent)
    (folder / "old.txt").rename(folder / "new.txt")
    look_and_send(agent)
    assert len(vitrine.kept) == 1


def test_a_marker_says_when_a_file_is_complete(vitrine: Vitrine, folder: Path) -> None:
    (folder / "run7.raw").write_text("numbers")
    agent = Agent(settings(vitrine, folder, marker=".done"))
    look_and_send(agent)
    assert vitrine.kept == {}
    (folder / "run7.raw.done").touch()
    look_and_send(agent)
    assert vitrine.names == ["run7.raw"]


def test_a_folder_is_one_measurement_and_the_same_folder_the_same_bytes(
    vitrine: Vitrine, folder: Path
) -> None:
    (folder / "exp1" / "pdata" / "1").mkdir(parents=True)
    (folder / "exp1" / "acqus").write_text("##TITLE=")
    (folder / "exp1" / "pdata" / "1" / "1r").write_bytes(b"\1\2")
    look_and_send(Agent(settings(vitrine, folder, folders=True)))
    look_and_send(Agent(settings(vitrine, folder, folders=True, spool=folder.parent / "other spool")))
    assert vitrine.names == ["exp1.zip", "exp1.zip"]
    ((_, content),) = vitrine.kept.values()
    (folder.parent / "back.zip").write_bytes(content)
    with zipfile.ZipFile(folder.parent / "back.zip") as archive:
        assert sorted(archive.namelist()) == ["exp1/acqus", "exp1/pdata/1/1r"]


def test_a_lost_network_costs_nothing_but_time(vitrine: Vitrine, folder: Path) -> None:
    for number in range(5):
        (folder / f"{number}.txt").write_text(str(number))

    def drop(number: int, handler: Any) -> bool:
        if number % 2:
            handler.rfile.read(1)
            handler.connection.close()
            handler.close_connection = True
        return bool(number % 2)

    vitrine.fault = drop
    agent = Agent(settings(vitrine, folder))
    for _ in range(12):
        look_and_send(agent)
    assert sorted(content for _, content in vitrine.kept.values()) == [b"0", b"1", b"2", b"3", b"4"]


def test_an_answer_that_is_lost_on_its_way_back_does_not_make_a_second_file(
    vitrine: Vitrine, folder: Path
) -> None:
    (folder / "a.txt").write_text("once")

    def take_and_hang_up(number: int, handler: Any) -> bool:
        if number == 1:
            content = handler.rfile.read(int(handler.headers["Content-Length"]))
            vitrine.kept[hashlib.sha256(content).hexdigest()] = ("", content)
            handler.connection.close()
            handler.close_connection = True
        return number == 1

    vitrine.fault = take_and_hang_up
    agent = Agent(settings(vitrine, folder))
    look_and_send(agent)
    assert agent.spool.waiting() == 1
    look_and_send(agent)
    assert (agent.spool.waiting(), len(vitrine.kept)) == (0, 1)


def test_a_receipt_with_another_hash_is_not_believed(vitrine: Vitrine, folder: Path) -> None:
    (folder / "a.txt").write_text("mine")

    def lie(number: int, handler: Any) -> bool:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.answer(201, {"id": 1, "files": [{"sha256": "0" * 64}]})
        return True

    vitrine.fault = lie
    agent = Agent(settings(vitrine, folder, delete=True))
    look_and_send(agent)
    assert agent.spool.waiting() == 1
    assert (folder / "a.txt").exists()


def test_a_refusal_is_logged_with_its_sentence_and_does_not_hold_up_the_others(
    vitrine: Vitrine, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "a_refused.txt").write_text("x")
    (folder / "b_taken.txt").write_text("y")

    def refuse(number: int, handler: Any) -> bool:
        if "refused" not in handler.path:
            return False
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.answer(413, {"error": {"message": "The file has more than 4 GB."}})
        return True

    vitrine.fault = refuse
    agent = Agent(settings(vitrine, folder))
    look_and_send(agent)
    assert vitrine.names == ["b_taken.txt"]
    assert agent.spool.waiting() == 1
    assert "413: The file has more than 4 GB." in caplog.text


def test_deleting_happens_only_after_the_receipt_and_only_of_what_was_sent(
    vitrine: Vitrine, folder: Path
) -> None:
    (folder / "a.txt").write_text("sent")
    (folder / "b.txt").write_text("sent")
    agent = Agent(settings(vitrine, folder, delete=True))
    agent.watcher.look()
    (folder / "b.txt").write_text("sent, and then changed")
    agent.send_waiting()
    assert not (folder / "a.txt").exists()
    assert (folder / "b.txt").exists()


def test_deleting_a_folder_leaves_what_was_never_sent(vitrine: Vitrine, folder: Path) -> None:
    run = folder / "run1"
    (run / "pdata").mkdir(parents=True)
    (run / "fid").write_text("sent")
    (run / "pdata" / "1r").write_text("sent")
    (run / "raw.part").write_text("still being written")
    (run / ".hidden").write_text("not looked at")
    look_and_send(Agent(settings(vitrine, folder, folders=True, delete=True)))
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert left == ["run1", "run1/.hidden", "run1/raw.part"]


def test_the_spool_survives_a_crash_and_is_sent_by_the_next_agent(vitrine: Vitrine, folder: Path) -> None:
    (folder / "a.txt").write_text("survives")
    first = Agent(settings(vitrine, folder))
    first.watcher.look()
    first.spool.db.close()  # and nothing else: no goodbye
    (folder / "a.txt").unlink()
    look_and_send(Agent(settings(vitrine, folder)))
    assert [content for _, content in vitrine.kept.values()] == [b"survives"]


def test_a_copy_that_a_crash_left_half_written_is_removed(vitrine: Vitrine, folder: Path) -> None:
    agent = Agent(settings(vitrine, folder))
    (agent.spool.folder / "copy-1-2").write_text("half")
    (agent.spool.folder / ("0" * 64)).write_text("no row")
    Spool(agent.spool.folder)
    assert not (agent.spool.folder / "copy-1-2").exists()
    assert not (agent.spool.folder / ("0" * 64)).exists()


def test_a_clock_that_is_set_back_does_not_hold_a_file_for_years(
    vitrine: Vitrine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("x")
    agent = Agent(settings(vitrine, folder))
    agent.watcher.look()
    job = agent.spool.next()
    assert job is not None
    agent.spool.postpone(job, 5, "busy")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 10 * 365 * 86_400)
    assert agent.spool.next() is None
    agent._notice_clock()
    assert agent.spool.next() is not None


def test_a_second_agent_on_the_same_spool_does_not_start(vitrine: Vitrine, folder: Path) -> None:
    lock = agent_file.alone(folder.parent / "spool")
    command = [sys.executable, str(SOURCE), "--watch", str(folder), "--server", vitrine.address, "--once"]
    second = subprocess.run(
        [*command, "--spool", str(folder.parent / "spool")],
        env=os.environ | {"VITRINE_TOKEN": "secret"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    lock.close()
    assert second.returncode != 0
    assert "Another agent already works with the spool" in second.stderr


def test_ten_thousand_small_files_arrive_each_once(vitrine: Vitrine, folder: Path) -> None:
    """As a process of its own, as on an instrument's computer."""
    count = 10_000 if os.environ.get("VITRINE_FULL") else 1000
    for number in range(count):
        place = folder / str(number % 20)
        place.mkdir(exist_ok=True)
        (place / f"{number}.txt").write_text(f"{number}\n")
    command = [sys.executable, str(SOURCE), "--watch", str(folder), "--server", vitrine.address, "--once"]
    subprocess.run(
        [*command, "--quiet", "0", "--poll", "0.1"],
        env=os.environ | {"VITRINE_TOKEN": "secret"},
        check=True,
        capture_output=True,
        timeout=300,
    )
    assert len(vitrine.kept) == vitrine.requests == count


def test_whatever_happens_in_the_folder_nothing_is_lost_and_nothing_is_sent_torn(
    vitrine: Vitrine, folder: Path
) -> None:
    """Files appear, grow, are renamed and removed at random while the agent works."""
    chance = random.Random(11)
    agent = Agent(settings(vitrine, folder, quiet_s=0.05))
    finished: set[bytes] = set()
    for step in range(60):
        name = folder / f"{step}.txt"
        whole = f"file {step} ".encode() * chance.randrange(1, 50)
        with name.open("wb") as file:
            file.write(whole[: len(whole) // 2])
            file.flush()
            agent.watcher.look()
            file.write(whole[len(whole) // 2 :])
        finished.add(whole)
        if chance.random() < 0.3:
            name.rename(folder / f"renamed {step}.txt")
        agent.watcher.look()
        if chance.random() < 0.3:
            agent.send_waiting()
    time.sleep(0.1)
    agent.watcher.look()
    look_and_send(agent)
    sent = {content for _, content in vitrine.kept.values()}
    assert sent == finished


def test_the_watcher_forgets_what_vanished_before_it_stood_still(vitrine: Vitrine, folder: Path) -> None:
    watcher = Watcher(settings(vitrine, folder, quiet_s=60), Spool(folder.parent / "spool"))
    (folder / "short.txt").write_text("x")
    watcher.look()
    (folder / "short.txt").unlink()
    watcher.look()
    assert watcher._still == {}
