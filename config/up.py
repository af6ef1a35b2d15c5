"""Starts everything on this machine: database, broker, web, worker and scheduler, in one log."""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config import embedded, locations, network
from config.bootstrap import PYTHON, ROOT
from config.child import Child
from config.network import RefusedError
from config.supervisor import StartError, Supervisor

PROGRAMS = PYTHON.parent


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    data: Path = options.data
    os.environ["VITRINE_DATA"] = str(data)
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(data):
            if (data / locations.UNFINISHED_RESTORE).exists():
                raise RefusedError(
                    f"A restore into {data} did not come to its end. Run it again: manage.py restore DIR "
                    f"--data {data}"
                )
            network.require_free_port(options.host, options.port)
            with Supervisor() as supervisor, embedded.services(supervisor, data):
                serve(supervisor, options)
    except KeyboardInterrupt:
        return 0
    except (RefusedError, StartError, embedded.MissingServerError, OSError) as error:
        print(f"vitrine: {error}", file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("manage.py up", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 to be seen on the network")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--data", type=lambda name: Path(name).expanduser().absolute(), metavar="DIR")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--no-demo", action="store_true", help="do not load the demo campaign on first start")
    options = parser.parse_args(arguments)
    options.data = options.data or locations.data_dir()
    return options


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data folder; the kernel lets go of it when this process dies, however it dies."""
    with (data / "lock").open("w") as lock:
        for _ in range(10):  # a command that looks whether somebody is here holds it for a moment too
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.05)
        else:
            address = locations.read_services().get("ADDRESS", "an address it has yet to announce")
            raise RefusedError(
                f"Vitrine already runs on the data folder {data}, at {address}. Stop that one first, or "
                "choose another folder with --data DIR."
            )
        yield


def serve(supervisor: Supervisor, options: argparse.Namespace) -> None:
    """Bring up what people see, say where it is, and watch over it until asked to stop."""
    addresses = network.addresses(options.host, options.port)
    if options.host not in network.LOOPBACK:
        warn_about_the_network(supervisor)
    supervisor.env["VITRINE_HOSTS"] = ",".join(
        [*network.host_names(options.host), *filter(None, [os.environ.get("VITRINE_HOSTS")])]
    )
    supervisor.env["PYTHONUNBUFFERED"] = "1"
    # As root Celery warns of pickled messages, which we neither send nor accept.
    supervisor.env.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
    announce(options.data, supervisor.env, addresses[0])
    try:
        prepare(supervisor, options.data)
        supervisor.start(web(options.host, options.port, addresses[0]))
        supervisor.say(f"Vitrine is at {' and '.join(addresses)} (Ctrl-C stops it)")
        supervisor.start(worker())
        supervisor.start(long_worker())
        supervisor.start(scheduler())
        if not options.no_browser:
            network.open_browser(addresses[0])
        offer_demo(supervisor, options.data, wanted=not options.no_demo)
        compile_kernels(supervisor, options.data)
        supervisor.watch()
    finally:
        supervisor.say("Stopping")
        (options.data / "services.json").unlink(missing_ok=True)


def prepare(supervisor: Supervisor, data: Path) -> None:
    """Bring tables and static files up to date, the latter only when something they are made of changed."""
    children = [Child("migrate", django("migrate", "--no-input", "--skip-checks"), floor=2, once=True)]
    children[0].noise = "^(Operations to perform|  Apply all|Running migrations|  No migrations to apply)"
    made_of = Path(os.environ.get("VITRINE_STATIC") or data / "static") / "made_of"
    fingerprint = fingerprint_of_static_files()
    is_current = made_of.exists() and made_of.read_text() == fingerprint
    if not is_current:
        children.append(Child("static", django("collectstatic", "--no-input", "-v", "0"), floor=2, once=True))
    supervisor.run(*children)
    if not is_current:
        made_of.write_text(fingerprint)


def fingerprint_of_static_files() -> str:
    """Collecting takes seconds at every start; what it depends on is ours and what requirements.txt pins."""
    sources = ["requirements.txt", "config/settings.py", "*/staticfiles.py", "*/static/**/*"]
    files = sorted(path for pattern in sources for path in ROOT.glob(pattern))
    stats = [(str(path.relative_to(ROOT)), path.stat().st_mtime_ns, path.stat().st_size) for path in files]
    return hashlib.sha256(repr(stats).encode()).hexdigest()


def warn_about_the_network(supervisor: Supervisor) -> None:
    supervisor.say("Warning: anyone on this network can reach these pages, and without TLS can read along,")
    supervisor.say("passwords included. docker-compose.yml puts a reverse proxy with TLS in front.")


def announce(data: Path, env: dict[str, str], address: str) -> None:
    """Tell other terminals where the services are; see locations.read_services."""
    content = {"DATABASE_URL": env["DATABASE_URL"], "REDIS_URL": env["REDIS_URL"]}
    content |= {"ADDRESS": address, "pid": str(os.getpid())}
    with tempfile.NamedTemporaryFile("w", dir=data, delete=False) as file:  # readable by its owner only
        json.dump(content, file, indent=1)
    os.replace(file.name, data / "services.json")


def django(*arguments: str) -> list[str]:
    return [str(PYTHON), str(ROOT / "manage.py"), *arguments]


def web(host: str, port: int, address: str) -> Child:
    granian = [str(PROGRAMS / "granian"), "--interface", "wsgi", "--host", host, "--port", str(port)]
    size = ["--workers", "2", "--blocking-threads", "32", "--respawn-failed-workers"]
    size += ["--http1-buffer-size", str(2 * 1024**2)]  # fewer pieces of a file, each of which wakes a thread
    manners = ["--workers-kill-timeout", "5", "--log-level", "error", "--working-dir", str(ROOT)]
    command = [*granian, *size, *manners, "config.wsgi:application"]
    return Child("web", command, floor=4, ready=network.serves(address))


WORKING: dict[str, Any] = {  # what a Child is told of every worker
    "floor": 3,
    "orphan_signal": signal.SIGQUIT,  # does not wait for running tasks; the sweep runs them again
    "noise": r"^$| received$|tasks\.(sweep\w*|finish_campaigns|mail_notices)\[.* succeeded",
}


def worker() -> Child:
    size = ["--concurrency", str(max(2, os.cpu_count() or 1))]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    queues = ["-Q", "ingest,fast,low"]
    return Child("worker", [*celery("worker"), "--loglevel", "INFO", *queues, *size, *alone], **WORKING)


def long_worker() -> Child:
    """One run at a time that may take hours, where it is in nobody's way.

    It needs no pool: the method is computed in a process of its own anyway.
    """
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    name = ["--hostname", "long@%h", "--pool", "solo"]
    return Child("long", [*celery("worker"), "--loglevel", "INFO", "-Q", "long", *name, *alone], **WORKING)


def scheduler() -> Child:
    return Child("scheduler", [*celery("beat"), "--loglevel", "WARNING"], floor=3)


def celery(role: str) -> list[str]:
    return [str(PROGRAMS / "celery"), "--quiet", "--workdir", str(ROOT), "-A", "config", role]


def compile_kernels(supervisor: Supervisor, data: Path) -> None:
    """Once for a data folder and behind everything else; until it is done, fits take NumPy's time."""
    cache = Path(os.environ.get("NUMBA_CACHE_DIR") or data / "cache" / "numba")
    supervisor.env["NUMBA_CACHE_DIR"] = str(cache)
    if not any(cache.glob("*/*.nbi")):
        quietly = ["env", f"PYTHONPATH={ROOT}", "nice", "-n", "19"]
        command = [*quietly, str(PYTHON), "-m", "analysis.numerics.compiled"]
        supervisor.start(Child("kernels", command, once=True))


def offer_demo(supervisor: Supervisor, data: Path, wanted: bool) -> None:
    """Load the demo campaign on the first start of a data folder; later it may hold real work."""
    was_here, password = data / "demo_was_here", data / "demo_password"  # as the command `demo` names them
    if not wanted:
        was_here.touch()
    elif not was_here.exists():
        supervisor.say(f"Demo login: demo, password {locations.kept_secret(password.name, 9)}")
        supervisor.start(Child("demo", django("demo", "--if-new"), floor=4, once=True))
    elif password.exists():
        supervisor.say(f"Demo login: demo, password {password.read_text().strip()}")
