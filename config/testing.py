"""`manage.py test`: pytest over a PostgreSQL and a Valkey of its own, which end with it."""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from config import embedded, kept
from config.bootstrap import PYTHON, ROOT
from config.child import dying_with_parent
from config.supervisor import StartError, Supervisor

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE_S = 20  # for tests that were interrupted and clear up
PLAYWRIGHT_BROWSERS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/*",
)


def main(arguments: list[str]) -> int:
    options, for_pytest = parse(arguments)
    if options.prepare_only:
        return 0
    strict = bool(os.environ.get("CI") or os.environ.get("VITRINE_STRICT"))
    os.environ["VITRINE_STRICT"] = "1" if strict else ""
    os.environ["VITRINE_FULL"] = "1" if options.full else ""
    problems = [problem for problem in (find_reference(), find_browser()) if problem]
    for problem in problems:
        print(f"{'error' if strict else 'note'}: {problem}", file=sys.stderr)
    if strict and problems:
        return 1
    if not options.full:
        options.marks = f"not full and ({options.marks})" if options.marks else "not full"
    marks = ["-m", options.marks] if options.marks else []
    return run_pytest([*side_by_side(options.processes, for_pytest), *marks, *for_pytest])


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        "manage.py test", description=__doc__, epilog="Everything else goes to pytest.", allow_abbrev=False
    )
    parser.add_argument("--full", action="store_true", help="include what takes long: fuzzing, soaks")
    parser.add_argument("--prepare-only", action="store_true", help="install what the tests need, and stop")
    parser.add_argument("--processes", type=int, metavar="N", help="side by side; else one for each core")
    parser.add_argument("-m", dest="marks", metavar="EXPRESSION", default="", help="as in pytest")
    return parser.parse_known_args(arguments)


def side_by_side(processes: int | None, for_pytest: list[str]) -> list[str]:
    """Options of pytest-xdist. A test file stays in one process; a few named tests are not worth two."""
    if processes is None:
        named = any(Path(each.split("::")[0]).exists() for each in for_pytest)
        processes = 1 if named else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    # A process that crashed ends the run: what is left of it would be waited for in vain.
    apart = ["-n", str(processes), "--dist", "loadscope", "--max-worker-restart", "0"]
    return [] if processes < 2 else apart


def find_reference() -> str | None:
    """Point VITRINE_REFERENCE at the folder of reference data, or say that it is missing."""
    folder = Path(os.environ.get("VITRINE_REFERENCE") or ROOT.parent / "shared")
    if not folder.is_absolute():
        folder = ROOT / folder
    os.environ["VITRINE_REFERENCE"] = str(folder)
    if (folder / "reference").is_dir():
        return None
    return f"there is no reference data in {folder}; tests against it cannot run. Set VITRINE_REFERENCE."


def find_browser() -> str | None:
    """Point VITRINE_CHROMIUM at a browser, or say how to get one."""
    found = installed_browser()
    if not found and os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], stdout=subprocess.DEVNULL)
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], stdout=subprocess.DEVNULL)
        found = installed_browser()
    os.environ["VITRINE_CHROMIUM"] = found or ""
    if found:
        return None
    return (
        "there is no Chromium; browser tests cannot run. Install one (apt install chromium) or set CHROMIUM."
    )


def installed_browser() -> str | None:
    named = os.environ.get("CHROMIUM")
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    downloaded = [str(path) for pattern in PLAYWRIGHT_BROWSERS for path in sorted(cache.glob(pattern))]
    return next(
        (path for path in map(shutil.which, filter(None, [named, *BROWSERS, *downloaded])) if path), None
    )


def run_pytest(arguments: list[str]) -> int:
    """pytest's exit code, after everything that was started for it has ended."""
    with tempfile.TemporaryDirectory(prefix="vitrine-test-") as folder:
        data = Path(folder)
        os.environ["VITRINE_DATA"] = folder
        (data / "static").mkdir()  # which WhiteNoise looks for; whoever starts `up` fills it
        with (data / "services.log").open("w+") as log, Supervisor(out=log) as supervisor:
            try:
                if not os.environ.get("DATABASE_URL"):
                    kept.lay_cluster(data)
                    supervisor.env["VITRINE_TEST_TEMPLATE"] = "vitrine"
                with embedded.services(supervisor, data):
                    return pytest(supervisor, arguments)
            except KeyboardInterrupt:
                return 130
            except (StartError, embedded.MissingServerError) as error:
                log.seek(0)
                print(log.read(), f"error: {error}", sep="", file=sys.stderr)
                return 1


def pytest(supervisor: Supervisor, arguments: list[str]) -> int:
    command = [str(PYTHON), "-m", "pytest", *arguments]
    env = supervisor.env | {"PYTEST_PLUGINS": "tests.apart"}
    tests = subprocess.Popen(command, cwd=ROOT, env=env, preexec_fn=dying_with_parent(signal.SIGINT))
    try:
        while tests.poll() is None:
            supervisor.pump(0.5)
    except KeyboardInterrupt:
        if supervisor.stop_requested != signal.SIGINT:  # which the terminal sends to both of us
            tests.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            tests.wait(PATIENCE_S)
        tests.terminate()  # it may have been told to ignore SIGINT, as in a script's background
        raise
    finally:
        tests.wait()
    return tests.returncode
