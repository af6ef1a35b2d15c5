"""Posting to addresses that people typed in, without becoming their way into our own network.

A name is resolved once, every address it has is checked, and the connection goes to a checked one: a name
that resolves to something else a moment later gains nothing. No redirect is followed, no proxy of the
environment is asked, nothing of the answer but its status is read, and all of it has one deadline.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
DEADLINE_S = 10.0
PORTS = {"https": 443, "http": 80}
STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
LONGEST_STATUS_LINE = 4096
NAT64 = ip_network("64:ff9b::/96")


class RefusedAddressError(Exception):
    """Nothing is sent there, in a sentence."""


class UnreachableError(Exception):
    """Nobody answered in HTTP, in a sentence."""


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parsed(url: str) -> Target:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise RefusedAddressError(
            "Write the address in plain letters, with others as %XX (or xn-- in names)."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedAddressError("This is no address of the web.") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise RefusedAddressError("The address begins with https:// and the name of a host.")
    if parts.username is not None or parts.password is not None:
        raise RefusedAddressError("Leave name and password out: the signature says who sends it.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or PORTS[parts.scheme], path)


def checked(target: Target, allow: Iterable[str] = ()) -> list[Address]:
    """The addresses of the host, all of them public, or allowed by name or by network."""
    names, networks = _allowed(allow)
    found = _resolved(target)
    if target.host in names:
        return found
    inside = [address for address in found if not any(address in network for network in networks)]
    if not inside:
        return found
    if target.scheme != "https":
        raise RefusedAddressError(
            "Use https://; an operator can allow http for a host (VITRINE_WEBHOOK_ALLOW)."
        )
    if not all(is_public(address) for address in inside):
        raise RefusedAddressError(
            f"{target.host} is inside a private network; an operator can allow it (VITRINE_WEBHOOK_ALLOW)."
        )
    return found


def is_public(address: Address) -> bool:
    """Neither loopback, private, link-local, shared, reserved nor multicast, also not in disguise."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow: Iterable[str] = (),
    deadline_s: float = DEADLINE_S,
) -> int:
    """The status that it answers with. Raises RefusedAddressError and UnreachableError."""
    end = time.monotonic() + deadline_s
    target = parsed(url)
    try:
        with _connected(target, checked(target, allow), end) as connection:
            connection.sendall(_request(target, body, headers))
            return _status(connection, end)
    except TimeoutError:
        raise UnreachableError(f"It did not answer within {deadline_s:g} s.") from None
    except ssl.SSLCertVerificationError as error:
        raise UnreachableError(f"Its certificate is not valid: {error.verify_message}.") from None
    except OSError as error:
        raise UnreachableError(
            f"It could not be reached ({error.strerror or type(error).__name__})."
        ) from None


def in_words(status: int) -> str:
    """`200 OK`; our words and not the server's, which may be anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _allowed(allow: Iterable[str]) -> tuple[set[str], list[Network]]:
    names, networks = set(), []
    for entry in allow:
        try:
            networks.append(ip_network(entry.strip(), strict=False))
        except ValueError:
            names.add(entry.strip().lower())
    return names, networks


def _resolved(target: Target) -> list[Address]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnreachableError(f"There is no host “{target.host}”.") from None
    return list(dict.fromkeys(ip_address(str(where[0]).partition("%")[0]) for *_, where in found))


def _connected(target: Target, addresses: list[Address], end: float) -> socket.socket:
    connection = _first_that_answers(addresses, target.port, end)
    if target.scheme == "http":
        return connection
    try:
        connection.settimeout(_left_s(end))
        return ssl.create_default_context().wrap_socket(connection, server_hostname=target.host)
    except BaseException:
        connection.close()
        raise


def _first_that_answers(addresses: list[Address], port: int, end: float) -> socket.socket:
    for address in addresses[:-1]:
        try:
            return socket.create_connection((str(address), port), _left_s(end) / 2)
        except OSError:
            continue
    return socket.create_connection((str(addresses[-1]), port), _left_s(end))


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("ascii") + body


def _status(connection: socket.socket, end: float) -> int:
    """Its first line and no more; a server that drips it byte by byte meets the deadline all the same."""
    line = b""
    while b"\n" not in line and len(line) < LONGEST_STATUS_LINE:
        connection.settimeout(_left_s(end))
        piece = connection.recv(LONGEST_STATUS_LINE)
        if not piece:
            break
        line += piece
    match = STATUS_LINE.match(line)
    if match is None:
        raise UnreachableError("What answers there does not speak HTTP.")
    return int(match.group(1))


def _left_s(end: float) -> float:
    left_s = end - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
