"""Ports and names of this machine, and the sentences said about them."""

import socket
from collections.abc import Iterator

import pytest

from config import network
from config.network import RefusedError

EVERYWHERE = network.EVERYWHERE[0]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        yield somebody.getsockname()[1]


def test_a_taken_port_is_named_with_a_free_one_beside_it(taken_port: int) -> None:
    with pytest.raises(RefusedError, match=f"Port {taken_port} .* is taken") as refusal:
        network.require_free_port("127.0.0.1", taken_port)
    offered = int(str(refusal.value).rpartition("--port ")[2].rstrip("."))
    network.require_free_port("127.0.0.1", offered)


def test_a_port_taken_on_one_address_is_taken_for_the_whole_network(taken_port: int) -> None:
    with pytest.raises(RefusedError, match="is taken"):
        network.require_free_port(EVERYWHERE, taken_port)


def test_a_number_that_is_no_port_is_refused() -> None:
    with pytest.raises(RefusedError, match="70000 is not a port"):
        network.require_free_port("127.0.0.1", 70000)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"192\.0\.2\.7 is not an address of this machine"):
        network.require_free_port("192.0.2.7", 8000)


def test_a_name_nobody_has_is_refused() -> None:
    with pytest.raises(RefusedError, match="not an address of this machine"):
        network.require_free_port("no-such-host.invalid", 8000)


def test_only_local_names_are_answered_to_on_a_local_address() -> None:
    assert network.host_names("127.0.0.1") == ["127.0.0.1", "[::1]", "localhost"]


def test_the_machine_is_known_to_its_network_by_name() -> None:
    assert {"localhost", socket.gethostname()} <= set(network.host_names(EVERYWHERE))


def test_nothing_serves_where_nobody_listens(taken_port: int) -> None:
    assert not network.serves(f"http://127.0.0.1:{network.next_free_port('127.0.0.1', taken_port)}/")()


def test_no_browser_is_opened_without_a_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(network.webbrowser, "open", opened.append)
    monkeypatch.setattr(network.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    network.open_browser("http://localhost/")
    assert not opened
    monkeypatch.setenv("DISPLAY", ":0")
    network.open_browser("http://localhost/")
    assert opened == ["http://localhost/"]
