"""Posting to addresses that people typed in: where it must not go, and what may answer there."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest

from analysis import outgoing
from analysis.outgoing import RefusedAddressError, UnreachableError
from tests.analysis.receiver import Receiver, listening

LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as heard:
        yield heard


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, list[list[str]]]], list[str]]:
    """A name server of the test: each question about a name takes the next of its answers."""
    asked: list[str] = []

    def serve(zone: dict[str, list[list[str]]]) -> list[str]:
        def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            asked.append(host)
            if host not in zone:
                raise socket.gaierror(socket.EAI_NONAME, "unknown")
            found = zone[host].pop(0) if len(zone[host]) > 1 else zone[host][0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(outgoing.socket, "getaddrinfo", getaddrinfo)
        return asked

    return serve


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "0", "2130706433", "0x7f.1", "localhost", "10.1.2.3", "172.16.0.1",
        "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "[::1]", "[::]",
        "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[fe80::1]", "[fc00::1]", "[fd12::1]",
        "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fec0::1]", "[ff02::1]", "[2001:0:0:0:0:0:0:1]",
    ],
)  # fmt: skip
def test_an_address_inside_a_network_is_refused_however_it_is_written(host: str) -> None:
    target = outgoing.parsed(f"https://{host}/hook")
    with pytest.raises(RefusedAddressError, match="inside a private network"):
        outgoing.checked(target)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::808:808"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert outgoing.is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.org/", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("gopher://example.org/", "begins with https://"),
        ("//example.org/", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://user:pass@example.org/", "Leave name and password out"),
        ("https://example.org/a\r\nX-Injected: yes", "plain letters"),
        ("https://example.org/a b", "plain letters"),
        ("https://exämple.org/", "plain letters"),
        ("https://example.org:99999/", "no address of the web"),
        ("https://[::1/", "no address of the web"),
    ],
)
def test_what_is_no_address_of_the_web_is_refused_with_a_sentence(url: str, said: str) -> None:
    with pytest.raises(RefusedAddressError, match=said):
        outgoing.parsed(url)


def test_plain_http_is_for_allowed_hosts_only(names: Callable[..., list[str]]) -> None:
    names({"example.org": [["93.184.216.34"]]})
    target = outgoing.parsed("http://example.org/")
    with pytest.raises(RefusedAddressError, match="Use https://"):
        outgoing.checked(target)
    assert outgoing.checked(target, ["example.org"])
    assert outgoing.checked(target, ["93.184.216.0/24"])


def test_one_private_address_among_public_ones_is_enough_to_refuse(names: Callable[..., list[str]]) -> None:
    names({"mixed.example.org": [["93.184.216.34", "10.0.0.5"]]})
    with pytest.raises(RefusedAddressError, match="private"):
        outgoing.checked(outgoing.parsed("https://mixed.example.org/"))


def test_a_name_that_changes_its_address_between_check_and_connection_gains_nothing(
    names: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = names({"rebinding.example.org": [["93.184.216.34"], ["127.0.0.1"]]})
    connected: list[str] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(outgoing.socket, "create_connection", connect)
    with pytest.raises(UnreachableError, match="could not be reached"):
        outgoing.post("https://rebinding.example.org/", b"{}", {})
    assert (asked, connected) == (["rebinding.example.org"], ["93.184.216.34"])


def test_an_allowed_address_is_called_with_body_headers_and_query(receiver: Receiver) -> None:
    status = outgoing.post(receiver.url, b'{"a":1}', {"Vitrine-Event": "run.done"}, allow=LOOPBACK)
    (headers, body) = receiver.heard[0]
    assert (status, body, headers["Vitrine-Event"]) == (200, b'{"a":1}', "run.done")
    assert headers["Host"] == receiver.url.split("/")[2]


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with listening() as elsewhere:
        receiver.status, receiver.location = 307, elsewhere.url
        assert outgoing.post(receiver.url, b"{}", {}, allow=LOOPBACK) == 307
        assert elsewhere.heard == []


def test_no_proxy_of_the_environment_gets_to_see_the_message(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert outgoing.post(receiver.url, b"{}", {}, allow=LOOPBACK) == 200


@pytest.fixture
def raw() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A server that answers as the test likes, byte by byte."""
    servers: list[socket.socket] = []

    def serve(answer: Callable[[socket.socket], None]) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    connection.recv(4096)
                    answer(connection)
                except OSError:
                    pass

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield serve
    for server in servers:
        server.close()


def test_a_server_that_drips_its_answer_meets_the_deadline(raw: Callable[..., str]) -> None:
    def drip(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 200 OK" * 10:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    began = time.monotonic()
    with pytest.raises(UnreachableError, match="did not answer within"):
        outgoing.post(raw(drip), b"{}", {}, allow=LOOPBACK, deadline_s=0.5)
    assert time.monotonic() - began < 1.5


def test_what_does_not_speak_http_is_said_not_to(raw: Callable[..., str]) -> None:
    with pytest.raises(UnreachableError, match="does not speak HTTP"):
        outgoing.post(raw(lambda c: c.sendall(b"-ERR unknown command\r\n")), b"{}", {}, allow=LOOPBACK)


def test_a_certificate_nobody_vouches_for_is_refused(raw: Callable[..., str]) -> None:
    url = raw(lambda c: c.sendall(b"nonsense")).replace("http://", "https://")
    with pytest.raises(UnreachableError):
        outgoing.post(url, b"{}", {}, allow=LOOPBACK)
