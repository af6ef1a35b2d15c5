"""Which room may import which, read from the source: a wrong arrow fails here, with its line."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["samples", "measurements", "analysis", "frontend"]  # each may import those before it
PURE = [
    "measurements/data.py",
    "measurements/furnace_log",
    "measurements/readers",
    "analysis/numerics",
    "analysis/methods",
    "analysis/properties.py",
    "samples/notation.py",
    "samples/stoichiometry",
    "samples/alloys.py",
    "samples/programmes.py",
    "samples/zip_directory.py",
    "frontend/figures",
]
NOT_ON_A_PURE_FLOOR = {"django", "celery", "rest_framework", "plotly"}
SCIENCE = {"scipy", "lmfit", "matplotlib", "hyperspy", "pandas", "sklearn", "numba"}


def sources(folder: str) -> Iterator[Path]:
    path = ROOT / folder
    yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def imports(source: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, also of those inside functions."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno} imports relatively; write the whole name"
            yield node.lineno, node.module or ""


def wrong_arrows(source: Path, forbidden: set[str]) -> list[str]:
    return [
        f"{source.relative_to(ROOT)}:{line} imports {name}"
        for line, name in imports(source)
        if name.partition(".")[0] in forbidden
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_the_rooms_above_it(room: str) -> None:
    below = set(ROOMS[ROOMS.index(room) + 1 :]) | {"config"}
    assert [arrow for source in sources(room) for arrow in wrong_arrows(source, below)] == []


@pytest.mark.parametrize("floor", PURE)
def test_a_pure_floor_imports_no_framework(floor: str) -> None:
    assert (ROOT / floor).exists(), f"{floor} has moved: tell this test"
    assert [arrow for source in sources(floor) for arrow in wrong_arrows(source, NOT_ON_A_PURE_FLOOR)] == []


@pytest.mark.parametrize("floor", PURE)
def test_a_pure_floor_needs_no_database_even_through_what_it_imports(floor: str) -> None:
    module = floor.removesuffix(".py").replace("/", ".")
    heavy = sorted(NOT_ON_A_PURE_FLOOR | SCIENCE)
    check = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_the_web_process_starts_without_the_science() -> None:
    check = (
        "import os, sys, django\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'\n"
        "django.setup()\n"
        "from django.urls import get_resolver\n"
        "assert get_resolver().url_patterns\n"
        f"print([m for m in {sorted(SCIENCE)} if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_a_wrong_arrow_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    culprit = tmp_path / "culprit.py"
    culprit.write_text("def late():\n    from analysis.models import Run\n    return Run\n")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert wrong_arrows(culprit, {"analysis"}) == ["culprit.py:2 imports analysis.models"]
