"""The drill: a running Vitrine is backed up, goes on, is lost, and stands again in an empty folder."""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.config.household import Household, household, manage_py

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(sys.platform != "linux", reason="starts `up`, which this test follows through /proc"),
]

PEOPLE = """
from samples.models import User
from samples.services import create_project
ada = User.objects.create_user("ada", password="a long enough password", is_staff=True)
create_project(user=ada, name="Glass", slug="glass")
"""
FORGET = "from samples.models import User; User.objects.update(email='changed after the backup')"
ROWS = """
import json
from django.apps import apps
ours = [m for m in apps.get_models() if m._meta.app_label in ("samples", "measurements", "analysis")]
print("rows:" + json.dumps({m._meta.label: m._default_manager.count() for m in ours}))
"""
HASHES = """
import json
from measurements.models import Blob
from measurements.store import store
print("hashes:" + json.dumps({b.sha256: store().examine(b.sha256, b.size) for b in Blob.objects.all()}))
"""


class Client:
    """An instrument with a token."""

    def __init__(self, running: Household, token: str) -> None:
        self.address, self.token = running.address + "/api/v1", token

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> bytes:
        request = urllib.request.Request(
            self.address + path, body, {"Authorization": f"Token {self.token}", **headers}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            content: bytes = answer.read()
        return content

    def upload(self, content: bytes, name: str) -> dict[str, object]:
        boundary = "a-boundary-of-the-test"
        form = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="technique"\r\n\r\npl\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        ).encode() + content + f"\r\n--{boundary}--\r\n".encode()  # fmt: skip
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer: dict[str, object] = json.loads(self.ask("/measurements/", form, **kind))
        return answer


def told(data: Path, script: str) -> dict[str, object]:
    answer = manage_py(data, "shell", "-v", "0", "-c", script)
    assert answer.returncode == 0, answer.stderr
    line = next(line for line in answer.stdout.splitlines() if line.startswith(("rows:", "hashes:")))
    found: dict[str, object] = json.loads(line.partition(":")[2])
    return found


def spectrum(n: int) -> bytes:
    return b"Wavelength (nm)\tCounts\n" + b"".join(
        b"%d\t%d\n" % (x, 100 + (x * n) % 17) for x in range(550, 801)
    )


@pytest.mark.full
def test_what_was_backed_up_stands_again_and_is_the_same(tmp_path: Path) -> None:
    old, backups, new = tmp_path / "old", tmp_path / "backups", tmp_path / "new"
    with household(old) as running:
        assert manage_py(old, "shell", "-c", PEOPLE).returncode == 0
        token = manage_py(old, "token", "ada").stdout.strip()
        ada = Client(running, token)
        receipts = [ada.upload(spectrum(n), f"run{n}.txt") for n in range(1, 6)]
        running.wait_to_hear("measurements.tasks.read", times=5)
        made = manage_py(old, "backup", str(backups))
        assert made.returncode == 0, made.stderr
        rows, hashes = told(old, ROWS), told(old, HASHES)
        assert len(hashes) >= 5
        assert set(hashes.values()) == {""}
        # Life goes on, and the second backup copies only what is new.
        ada.upload(spectrum(99), "after.txt")
        assert manage_py(
            old, "shell", "-c", "from samples.models import User; User.objects.update(email='x')"
        )
        second = manage_py(old, "backup", str(backups))
        assert second.returncode == 0, second.stderr
        assert "6 files" in second.stdout or "kB were new" in second.stdout
        checked = manage_py(old, "backup", str(backups), "--verify")
        assert checked.returncode == 0, checked.stderr
        assert checked.stdout.count("every hash agrees") == 2
    names = [
        line.split()[0] for line in manage_py(old, "restore", str(backups), "--list").stdout.splitlines()
    ]
    restored = manage_py(new, "restore", str(backups), "--at", names[0], "--data", str(new))
    assert restored.returncode == 0, restored.stderr
    assert "every hash agrees" in restored.stdout
    with household(new) as again:
        assert again.get("/readyz") == 200
        assert again.get("/accounts/login/") == 200
        after = told(new, ROWS)
        # The note of the backup itself was made after its snapshot; tokens used since count no rows.
        differing = {name for name in rows if rows[name] != after[name]}
        assert differing <= {"measurements.Backup"}
        assert told(new, HASHES) == hashes
        # Her token, her files: what an instrument was promised is kept.
        ada = Client(again, token)
        for receipt, n in zip(receipts, range(1, 6), strict=True):
            (file,) = receipt["files"]  # type: ignore[misc]
            content = ada.ask(f"/files/{file['id']}/content/")
            assert content == spectrum(n)
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert ada.upload(spectrum(7), "goes on.txt")["status"] == "received"
