"""Make the checkout's own .venv and run inside it. Standard library only; runs before anything exists."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "vitrine-installed.json"  # which requirement files, by hash, are in the environment
UV = "uv==0.13.8"  # installs in seconds where pip takes a minute
ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR")


def enter_venv(*requirement_files: str) -> None:
    """Return inside a .venv that holds the requirements; until then, prepare it and start again in it."""
    prepare(*requirement_files)
    # Two processes with several linear-algebra threads each slow one another down tenfold. NumPy reads
    # this when it loads, so it is set before anything can load it.
    for library in ONE_THREAD:
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    if Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(PYTHON, [str(PYTHON), *sys.argv])  # noqa: S606  our own interpreter, no shell wanted


def prepare(*requirement_files: str) -> None:
    wanted = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in requirement_files}
    if wanted.items() <= installed().items() and PYTHON.exists():
        return
    with (ROOT / "requirements.txt").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second command started meanwhile waits, then finds it done
        before = installed()
        if not (wanted.items() <= before.items() and PYTHON.exists()):
            if not works(PYTHON):
                make_venv()
                before = {}
            install(sorted(before | wanted))
            INSTALLED.write_text(json.dumps(before | wanted, indent=1))


def installed() -> dict[str, str]:
    try:
        content: dict[str, str] = json.loads(INSTALLED.read_text())
    except (OSError, ValueError):
        return {}
    return content


def works(python: Path) -> bool:
    try:
        return subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        sudo = "" if os.geteuid() == 0 else "sudo "
        sys.exit(
            f"This Python ({sys.executable}) cannot make virtual environments: Debian and Ubuntu keep that "
            f"in a package of its own. Add it and start again:\n\n    {sudo}apt install python3-venv\n"
        )
    say(f"Making {VENV.name} and installing what requirements.txt lists; this happens once")
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)


def install(requirement_files: list[str]) -> None:
    """Install exact pins with uv, or with pip where uv finds no packages."""
    say("Installing " + " and ".join(requirement_files))
    lists = [part for name in requirement_files for part in ("-r", str(ROOT / name))]
    pip = [str(PYTHON), "-m", "pip"]
    # As pip does, trust the certificates that the machine trusts: a laboratory may have its own authority.
    uv = [str(VENV / "bin/uv"), "pip", "install", "--quiet", "--system-certs", "--python", str(PYTHON)]
    uv_is_here = subprocess.run([*pip, "install", "--quiet", UV]).returncode == 0
    if uv_is_here and subprocess.run([*uv, *lists]).returncode == 0:
        return
    # uv does not read pip's configuration, where a mirror or a proxy may be named.
    say("uv could not install everything; trying again with pip, which takes about a minute")
    if subprocess.run([*pip, "install", "--quiet", *lists]).returncode != 0:
        sys.exit("The packages could not be installed; the lines above say why. Is the network reachable?")


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":  # the container image installs in the same way: python3 -m config.bootstrap
    prepare("requirements.txt")
