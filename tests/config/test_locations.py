"""Where other terminals find the services, and where secrets are kept."""

import fcntl
import json
import threading
from pathlib import Path

import pytest

from config import locations


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("VITRINE_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SECRET_KEY", raising=False)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_services_are_found_while_their_supervisor_lives(data: Path) -> None:
    (data / "services.json").write_text(json.dumps({"DATABASE_URL": "postgresql:///x"}))
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert locations.read_services() == {"DATABASE_URL": "postgresql:///x"}
    assert locations.read_services() == {}, "the lock fell with its holder"


def test_nothing_is_running_in_a_new_folder() -> None:
    assert locations.read_services() == {}


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(data: Path) -> None:
    assert locations.secret_key() == locations.secret_key()
    assert len(locations.secret_key()) >= 50
    assert (data / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_key_in_the_environment_wins(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", "given")
    assert locations.secret_key() == "given"
    assert not (data / "secret_key").exists()


def test_processes_that_come_first_together_agree_on_the_secret(data: Path) -> None:
    answers: list[str] = []
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        answers.append(locations.kept_secret("shared", 9))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert sorted(path.name for path in data.iterdir()) == ["shared"]


@pytest.mark.parametrize("said", [["--data", "/srv/v"], ["--data=/srv/v"]])
def test_the_data_folder_is_taken_out_of_a_commands_arguments(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setenv("VITRINE_DATA", "/elsewhere")
    assert locations.use_data_folder(["manage.py", "token", *said, "ada"]) == ["manage.py", "token", "ada"]
    assert str(locations.data_dir()) == "/srv/v"


def test_without_a_word_the_data_folder_stays_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DATA", "/elsewhere")
    assert locations.use_data_folder(["manage.py", "fixity", "--all"]) == ["manage.py", "fixity", "--all"]
    assert str(locations.data_dir()) == "/elsewhere"
