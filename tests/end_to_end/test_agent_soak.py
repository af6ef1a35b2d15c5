"""The instrument agent against the real thing, while it is killed and started again."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from measurements import agent
from measurements.models import Blob, Measurement, RawFile
from measurements.services import add_instrument, issue_token
from measurements.store import store
from samples.models import Project, Sample
from tests.end_to_end.conftest import Site, answers, eventually, free_port, kill_group

pytestmark = pytest.mark.live
FULL = bool(os.environ.get("VITRINE_FULL"))
FILES, KILLS = (2000, 5) if FULL else (150, 2)
LARGE_BYTES = 40 * 1024 * 1024


def test_every_file_arrives_once_while_the_server_is_killed_again_and_again(
    site: Site, project: Project, composite: Sample, tmp_path: Path
) -> None:
    instrument = add_instrument(project=project, name="FLS-1")
    _, token = issue_token(instrument.account)
    folder = tmp_path / "data"
    folder.mkdir()
    chance = random.Random(2000)
    wanted: dict[str, str] = {}
    port = free_port()
    web = start(site, port)
    sender = subprocess.Popen(
        [
            sys.executable, agent.__file__, "--watch", str(folder), "--server", f"http://127.0.0.1:{port}",
            "--sample", "{sample}_*", "--technique", "other", "--quiet", "0.2", "--poll", "0.2",
        ],
        env=os.environ | {"VITRINE_TOKEN": token},
        stderr=(tmp_path / "agent.log").open("wb"),
    )  # fmt: skip
    try:
        kills = sorted(chance.sample(range(10, FILES - 10), KILLS))
        for number in range(FILES):
            content = f"x y\n{number} {chance.random()}\n".encode() * chance.randrange(1, 200)
            if number == FILES // 2:
                content = chance.randbytes(LARGE_BYTES)
            (folder / f"{composite.code}_{number}.txt").write_bytes(content)
            wanted[f"{composite.code}_{number}.txt"] = hashlib.sha256(content).hexdigest()
            if number in kills:
                kill_group(web, signal.SIGKILL)
                web.wait()
                time.sleep(chance.random())
                web = start(site, port)
            time.sleep(0.002)
        eventually(
            lambda: RawFile.objects.count() >= FILES,
            400 if FULL else 120,
            f"{RawFile.objects.count()} of {FILES} files; {(tmp_path / 'agent.log').read_text()[-2000:]}",
        )
        time.sleep(1)  # one too many would come now
    finally:
        sender.send_signal(signal.SIGTERM)
        sender.wait(30)
    arrived = dict(RawFile.objects.values_list("filename", "blob__sha256"))
    assert arrived == wanted
    assert RawFile.objects.count() == Measurement.objects.count() == FILES
    assert set(Measurement.objects.values_list("sample__code", "instrument__name")) == {
        (composite.code, "FLS-1")
    }
    for sha256 in Blob.objects.values_list("sha256", flat=True):
        assert store().verify(sha256)


def start(site: Site, port: int) -> subprocess.Popen[bytes]:
    # Not `site.web`, which waits: the agent must bear that nobody answers yet.
    address = site.web(port)
    assert answers(f"{address}/healthz")
    return site.children[-1]
