"""docker-compose.yml: valid to two judges, and its commands serve when run as plain processes.

No image was built here: where no container engine is at hand, this is as near as a test comes.
"""

import importlib.util
import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config import embedded, kept, network
from config.bootstrap import PYTHON
from config.child import Child
from config.supervisor import Supervisor
from tests.config.household import ROOT, environment, free_port

COMPOSE_FILE = ROOT / "docker-compose.yml"
SECRETS = {"SECRET_KEY": "a-key-of-the-test", "POSTGRES_PASSWORD": "a-password-of-the-test"}
PROGRAMS = PYTHON.parent


def compose(*arguments: str, secrets: dict[str, str] = SECRETS) -> subprocess.CompletedProcess[str]:
    """Docker's own parser. Its wrapper on PATH always exits with 0, so the binary inside is called."""
    spec = importlib.util.find_spec("compose")
    assert spec
    assert spec.submodule_search_locations
    binary = Path(next(iter(spec.submodule_search_locations))) / "docker-compose"
    env = {"PATH": os.environ["PATH"], **secrets}
    command = [binary, "--env-file", os.devnull, "-f", COMPOSE_FILE, "config", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:  # what a compose file may hold is Docker's to say
    answer = compose("--format", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)["services"]


def test_the_published_schema_accepts_the_file() -> None:
    command = [PROGRAMS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE_FILE]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout


def test_dockers_own_parser_accepts_the_file() -> None:
    assert compose("--quiet").returncode == 0


@pytest.mark.parametrize("name", list(SECRETS))
def test_without_its_secrets_nothing_starts(name: str) -> None:
    answer = compose("--quiet", secrets={other: value for other, value in SECRETS.items() if other != name})
    assert answer.returncode != 0
    assert f"{name} is missing a value: set it in .env" in answer.stderr


def test_only_the_proxy_is_reachable_from_outside(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if service.get("ports")] == ["proxy"]


def test_the_worker_can_be_multiplied(services: dict[str, Any]) -> None:
    assert "container_name" not in services["worker"]
    assert "ports" not in services["worker"]


def test_what_must_answer_has_a_health_check(services: dict[str, Any]) -> None:
    checked = {name for name, service in services.items() if service.get("healthcheck")}
    assert checked >= {"web", "worker", "postgres", "redis"}


def test_what_must_last_is_kept_in_a_volume(services: dict[str, Any]) -> None:
    kept = {
        name: [v["target"] for v in services[name]["volumes"]]
        for name in ("web", "worker", "postgres", "redis")
    }
    assert kept == {
        "web": ["/data"],
        "worker": ["/data"],
        "postgres": ["/var/lib/postgresql"],
        "redis": ["/data"],
    }


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "config" / "Dockerfile").read_text().splitlines()
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER vitrine"]


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    """A PostgreSQL and a Redis for the commands, in place of the services `postgres` and `redis`."""
    data = tmp_path_factory.mktemp("compose")
    kept.lay_cluster(data)
    env = environment(data)
    with (
        Supervisor(env=env, out=io.StringIO()) as running,
        embedded.services(running, data),
    ):
        yield running


@pytest.mark.live
def test_the_commands_of_the_services_serve_as_plain_processes(
    services: dict[str, Any], supervisor: Supervisor
) -> None:
    port = free_port()
    in_the_image = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}
    elsewhere = {name: supervisor.env[name] for name in ("DATABASE_URL", "REDIS_URL")}
    supervisor.env |= services["web"]["environment"] | in_the_image | elsewhere

    def child(name: str, floor: int, **options: Any) -> Child:
        command = [{"8000": str(port)}.get(part, part) for part in services[name]["command"]]
        # Inside the supervisor's own PATH python3 may be another one.
        return Child(name, ["env", *command], floor=floor, **options)

    static = Child(
        "static", ["env", "python3", "manage.py", "collectstatic", "--no-input", "-v", "0"], once=True
    )
    supervisor.run(child("migrate", 2, once=True), static)
    supervisor.start(child("web", 4, ready=network.serves(f"http://127.0.0.1:{port}/")))
    supervisor.start(child("worker", 3, ready=lambda: " ready." in said(supervisor)))
    supervisor.start(child("beat", 3))
    supervisor.pump_for(3)
    assert [each.failures for each in supervisor.children] == [0] * len(supervisor.children), said(supervisor)


def said(supervisor: Supervisor) -> str:
    assert isinstance(supervisor.out, io.StringIO)
    return supervisor.out.getvalue()
