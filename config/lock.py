"""Rewrite the generated half of the requirement files: `python3 -m config.lock`."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADING = "# --- Pulled in by the lines above; written by: python3 -m config.lock ---\n"


def package_names(lines: list[str]) -> set[str]:
    """Normalised names of the packages that requirement lines ask for."""
    found = (re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line) for line in lines)
    return {re.sub(r"[-_.]+", "-", match.group()).lower() for match in found if match}


def lock(path: Path, known: set[str]) -> set[str]:
    """Pin what `path` needs beyond its own lines and `known`; returns every name that is now pinned."""
    chosen = path.read_text().split(HEADING)[0]
    path.write_text(chosen)
    uv_compile = [str(ROOT / ".venv/bin/uv"), "pip", "compile", "--universal", "--python-version", "3.11"]
    quietly = ["--no-header", "--no-annotate", "--quiet"]
    answer = subprocess.run([*uv_compile, *quietly, str(path)], check=True, stdout=subprocess.PIPE, text=True)
    known = known | package_names(chosen.splitlines())
    pulled_in = [line for line in answer.stdout.splitlines() if not package_names([line]) <= known]
    path.write_text(chosen + HEADING + "".join(f"{line}\n" for line in pulled_in))
    return known | package_names(pulled_in)


if __name__ == "__main__":
    runtime = lock(ROOT / "requirements.txt", set())
    lock(ROOT / "tests" / "requirements.txt", runtime)
    sys.exit(subprocess.call(["git", "diff", "--stat", "--", "requirements.txt", "tests/requirements.txt"]))
