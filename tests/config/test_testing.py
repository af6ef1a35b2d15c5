"""What `manage.py test` hands on to pytest."""

import os

import pytest

from config import testing


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
        ([], ["-m", "not full"]),
        (["--full"], []),
        (["-m", "live or browser"], ["-m", "not full and (live or browser)"]),
        (["--full", "-m", "live"], ["-m", "live"]),
        (["-x", "tests/samples", "-k", "mass"], ["-m", "not full", "-x", "tests/samples", "-k", "mass"]),
    ],
)
def test_long_tests_run_with_full_only(
    handed_on: list[list[str]], asked: list[str], handed: list[str]
) -> None:
    assert testing.main(asked) == 5, "pytest's own exit code"
    assert handed_on == [handed]


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
