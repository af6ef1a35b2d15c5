"""What `manage.py test` hands on to pytest."""

import os
from pathlib import Path

import pytest

from config import kept, testing

SIDE_BY_SIDE = ["--dist", "loadscope", "--max-worker-restart", "0"]


@pytest.fixture
def handed_on(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []

    def remember(arguments: list[str]) -> int:
        calls.append(arguments)
        return 5

    monkeypatch.setattr(testing, "run_pytest", remember)
    for name in ("CI", "VITRINE_STRICT", "VITRINE_FULL", "VITRINE_REFERENCE", "VITRINE_CHROMIUM"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.setenv("CI", "")
    monkeypatch.setenv("VITRINE_STRICT", "")
    return calls


@pytest.mark.parametrize(
    ("asked", "handed"),
    [
        (["--processes", "1"], ["-m", "not full"]),
        (["--full", "--processes", "1"], []),
        (["--processes", "3"], ["-n", "3", *SIDE_BY_SIDE, "-m", "not full"]),
        (["--processes", "1", "-m", "live or browser"], ["-m", "not full and (live or browser)"]),
        (["--full", "--processes", "1", "-m", "live"], ["-m", "live"]),
        (["-x", "tests/samples", "-k", "mass"], ["-m", "not full", "-x", "tests/samples", "-k", "mass"]),
    ],
)
def test_long_tests_run_with_full_only(
    handed_on: list[list[str]], asked: list[str], handed: list[str]
) -> None:
    assert testing.main(asked) == 5, "pytest's own exit code"
    assert handed_on == [handed]


def test_everything_is_tested_on_all_cores_and_a_named_file_on_one(
    handed_on: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    testing.main(["-q"])
    testing.main([f"{__file__}::test_everything"])
    assert handed_on[0][:2] == ["-n", "4"]
    assert "-n" not in handed_on[1]


def test_a_new_migration_asks_for_a_new_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "samples" / "migrations").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("Django")
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    before = kept.fingerprint()
    assert kept.fingerprint() == before
    (tmp_path / "samples" / "migrations" / "0001_samples.py").write_text("operations = []")
    assert kept.fingerprint() != before


@pytest.mark.parametrize("switch", ["CI", "VITRINE_STRICT"])
def test_missing_references_are_a_failure_where_everything_must_be_checked(
    handed_on: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    switch: str,
) -> None:
    monkeypatch.setenv(switch, "true")
    monkeypatch.setenv("VITRINE_REFERENCE", "/nowhere")
    assert testing.main([]) == 1
    assert "there is no reference data in /nowhere" in capsys.readouterr().err
    assert handed_on == []


def test_missing_references_are_a_note_on_a_desk(
    handed_on: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VITRINE_REFERENCE", "/nowhere")
    assert testing.main([]) == 5
    assert "note: there is no reference data" in capsys.readouterr().err


def test_a_missing_browser_is_a_failure_where_everything_must_be_checked(
    handed_on: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VITRINE_STRICT", "1")
    monkeypatch.setattr(testing, "installed_browser", lambda: None)
    assert testing.main([]) == 1
    assert "there is no Chromium" in capsys.readouterr().err
