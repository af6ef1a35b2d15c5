"""`manage.py up`, with its real database, broker, web server, worker and scheduler."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.household import Household, household, manage_py

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(
        sys.platform != "linux", reason="looks into /proc, and needs Linux to follow a parent's death"
    ),
]
ADD_A_PERSON = "from django.contrib.auth import get_user_model as m; m().objects.create_user('ada')"
COUNT_PEOPLE = "from django.contrib.auth import get_user_model as m; print('people:', m().objects.count())"


@pytest.fixture(scope="module")
def vitrine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with household(tmp_path_factory.mktemp("up"), fresh=True) as running:
        yield running


def test_the_pages_and_the_api_are_served(vitrine: Household) -> None:
    assert [vitrine.get(path) for path in ("/healthz", "/", "/explore/", "/api/schema/")] == [200] * 4


def test_each_process_has_its_prefix_in_one_log(vitrine: Household) -> None:
    vitrine.wait_to_hear("worker    │")
    assert "database  │ LOG:  database system is ready" in vitrine.said
    assert all(line[8:9] == " " and line[9:].find("│") == 10 for line in vitrine.lines), vitrine.said


def test_a_second_up_on_the_same_data_says_so(vitrine: Household) -> None:
    answer = manage_py(vitrine.data, "up", "--no-browser", "--data", str(vitrine.data), "--port", "1")
    assert answer.returncode == 1
    assert f"already runs on the data folder {vitrine.data}, at {vitrine.address}/" in answer.stderr


def test_a_taken_port_is_named_before_anything_is_started(vitrine: Household, tmp_path: Path) -> None:
    answer = manage_py(tmp_path, "up", "--no-browser", "--port", str(vitrine.port))
    assert answer.returncode == 1
    assert f"Port {vitrine.port} on 127.0.0.1 is taken" in answer.stderr
    assert not (tmp_path / "pg").exists()


def test_a_command_in_another_terminal_finds_the_database(vitrine: Household) -> None:
    answer = manage_py(vitrine.data, "shell", "-v", "0", "-c", COUNT_PEOPLE)
    assert "people: " in answer.stdout, answer.stderr


def test_any_command_can_be_told_the_data_folder(vitrine: Household, tmp_path: Path) -> None:
    answer = manage_py(tmp_path, "shell", "--data", str(vitrine.data), "-v", "0", "-c", COUNT_PEOPLE)
    assert "people: " in answer.stdout, answer.stderr


def test_a_command_says_in_a_sentence_when_nothing_runs(tmp_path: Path) -> None:
    answer = manage_py(tmp_path, "migrate")
    assert answer.returncode == 1
    assert "manage.py up" in answer.stderr
    assert f"the data folder {tmp_path}" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("role", [" -Q ingest", "granian", "bin/postgres"])
def test_a_killed_process_is_started_again_and_the_page_is_back(vitrine: Household, role: str) -> None:
    name = {" -Q ingest": "worker", "granian": "web", "bin/postgres": "database"}[role]
    before = vitrine.main_process(role)
    os.kill(before, signal.SIGKILL)
    vitrine.wait_to_hear(f"{name} ended with signal SIGKILL; starting it again")
    vitrine.wait_to_serve("/readyz")
    assert vitrine.main_process(role, other_than=before)


def test_the_network_is_served_with_a_warning_about_tls(tmp_path: Path) -> None:
    with household(tmp_path, "--host", "0.0.0.0") as running:  # noqa: S104
        assert "without TLS" in running.said
        assert "docker-compose.yml" in running.said


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which Vitrine starts again and again; what damages it fails the next start."""
    return tmp_path_factory.mktemp("lived_in")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_ends_in_order_and_leaves_no_orphan(lived_in: Path, number: signal.Signals) -> None:
    with household(lived_in) as running:
        running.wait_to_hear("ready.")  # the worker, so that it too has something to end
        assert len(running.processes()) > 5
        assert running.stop(number) == 0
    assert running.processes() == {}
    assert "database system is shut down" in running.lines[-1]
    assert "was not properly shut down" not in running.said
    assert not (lived_in / "services.json").exists()


def test_a_killed_up_leaves_no_orphan_and_a_sound_database(lived_in: Path) -> None:
    with household(lived_in) as running:
        running.wait_to_hear("ready.")
        assert manage_py(lived_in, "shell", "-v", "0", "-c", ADD_A_PERSON).returncode == 0
        running.process.kill()
        running.process.wait()
        running.wait_for_silence()
    with household(lived_in) as again:
        assert "people: 1" in manage_py(lived_in, "shell", "-v", "0", "-c", COUNT_PEOPLE).stdout
        assert again.get("/healthz") == 200
