"""Entering the virtual environment: what is said where it cannot be made, and that it is made once."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import manage
from config import bootstrap

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = Path(sys.base_prefix) / "bin" / "python3"


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """manage.py and config/ as cloned, without an environment, wanting no packages."""
    checkout = tmp_path / "checkout"
    (checkout / "config").mkdir(parents=True)
    (checkout / "tests").mkdir()
    for path in [ROOT / "manage.py", *(ROOT / "config").glob("*.py")]:
        shutil.copy(path, checkout / path.relative_to(ROOT))
    (checkout / "requirements.txt").touch()
    (checkout / "tests" / "requirements.txt").touch()
    return checkout


def manage_py(
    checkout: Path, *arguments: str, python_path: Path | None = None
) -> subprocess.CompletedProcess:
    env = os.environ | {"PYTHONPATH": str(python_path or "")}
    command = [SYSTEM_PYTHON, checkout / "manage.py", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True)


def test_a_python_without_venv_is_told_the_one_command_that_adds_it(
    bare_checkout: Path, tmp_path: Path
) -> None:
    crippled = tmp_path / "crippled"
    crippled.mkdir()
    (crippled / "ensurepip.py").write_text("raise ImportError('as on a new Debian')")
    answer = manage_py(bare_checkout, "up", python_path=crippled)
    assert answer.returncode == 1
    assert "apt install python3-venv" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (bare_checkout / ".venv").exists()


def test_an_old_python_is_refused_with_the_version_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 14))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; this is 3\.10"):
        manage.main()


def test_windows_is_sent_to_wsl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(SystemExit, match="WSL"):
        manage.main()


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """What would be installed, beside an environment that exists and remembers what it holds."""
    calls: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "INSTALLED", tmp_path / "installed.json")
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(bootstrap, "install", calls.append)
    (tmp_path / "requirements.txt").write_text("one==1")
    (tmp_path / "more.txt").write_text("two==2")
    return calls


def test_a_second_start_installs_nothing(installs: list[list[str]]) -> None:
    bootstrap.prepare("requirements.txt")
    bootstrap.prepare("requirements.txt")
    assert installs == [["requirements.txt"]]


def test_changed_requirements_are_installed_again(installs: list[list[str]], tmp_path: Path) -> None:
    bootstrap.prepare("requirements.txt")
    (tmp_path / "requirements.txt").write_text("one==1.1")
    bootstrap.prepare("requirements.txt")
    assert len(installs) == 2


def test_up_after_test_keeps_what_the_tests_need(installs: list[list[str]], tmp_path: Path) -> None:
    bootstrap.prepare("requirements.txt", "more.txt")
    (tmp_path / "requirements.txt").write_text("one==1.1")
    bootstrap.prepare("requirements.txt")
    assert installs[-1] == ["more.txt", "requirements.txt"]
    assert set(json.loads((tmp_path / "installed.json").read_text())) == {"more.txt", "requirements.txt"}


def test_a_failed_installation_is_tried_again_next_time(
    installs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: list[str]) -> None:
        sys.exit("no network")

    remember: Callable[[list[str]], None] = bootstrap.install
    monkeypatch.setattr(bootstrap, "install", fail)
    with pytest.raises(SystemExit):
        bootstrap.prepare("requirements.txt")
    monkeypatch.setattr(bootstrap, "install", remember)
    bootstrap.prepare("requirements.txt")
    assert installs == [["requirements.txt"]]


def test_what_runs_before_the_environment_exists_imports_the_standard_library_only() -> None:
    modules = "manage, config.bootstrap, config.up, config.testing"
    script = f"import sys, {modules}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run(
        [SYSTEM_PYTHON, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(answer.stdout.split()) <= sys.stdlib_module_names | {"manage", "config", "__main__"}
