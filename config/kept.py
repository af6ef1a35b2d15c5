"""A cluster whose database has all tables, made once for the tests and copied for each of their runs.

To migrate takes as long as several hundred tests. Standard library only.
"""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from config import embedded, postgres
from config.bootstrap import PYTHON, ROOT, VENV
from config.supervisor import Supervisor

KEPT = VENV / "test-clusters"
AT_MOST = 3  # a branch or two beside the main one


def lay_cluster(data: Path) -> None:
    """Put a copy where the embedded database of this data folder will look for its cluster."""
    KEPT.mkdir(exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second run waits, then finds it made
        kept = KEPT / fingerprint()
        if not kept.exists():
            make(kept)
        kept.touch()
        subprocess.run(["cp", "-a", kept, data / "pg"], check=True)  # with its owner, who may be nobody


def fingerprint() -> str:
    """Of everything that decides what the tables are."""
    files = [ROOT / "requirements.txt", *sorted(ROOT.glob("*/migrations/*.py"))]
    said = hashlib.sha256(postgres.postgres_programs().as_posix().encode())
    for file in files:
        said.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return said.hexdigest()[:16]


def make(kept: Path) -> None:
    others = sorted(KEPT.glob("????????????????"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for old in others[AT_MOST - 1 :]:
        shutil.rmtree(old)
    with tempfile.TemporaryDirectory(prefix="vitrine-kept-") as folder:
        data = Path(folder)
        with (
            (data / "log").open("w") as log,
            Supervisor(out=log) as supervisor,
            embedded.services(supervisor, data),
        ):
            env = supervisor.env | {"VITRINE_DATA": folder}
            migrate = [str(PYTHON), str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
            subprocess.run(migrate, env=env, cwd=ROOT, check=True)
        half_made = kept.with_name("half-made")
        shutil.rmtree(half_made, ignore_errors=True)
        subprocess.run(["cp", "-a", data / "pg", half_made], check=True)
        half_made.rename(kept)
