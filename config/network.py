"""Ports, host names and browsers of this machine, as `up` needs them. Standard library only."""

import contextlib
import errno
import http.client
import os
import socket
import sys
import webbrowser
from collections.abc import Callable
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared with, not listened on


class RefusedError(Exception):
    """Vitrine cannot start like this; the message names the remedy."""


def require_free_port(host: str, port: int) -> None:
    try:
        listen_for_a_moment(host, port)
    except OverflowError:
        raise RefusedError(f"{port} is not a port; choose one between 1024 and 65535.") from None
    except OSError as error:
        raise RefusedError(why_not(error, host, port)) from None


def listen_for_a_moment(host: str, port: int) -> None:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    socket.create_server((host, port), family=family).close()


def why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        free = next_free_port(host, port)
        return f"Port {port} on {host} is taken by another program. Choose another, such as --port {free}."
    if error.errno == errno.EACCES:
        return (
            f"Port {port} is reserved for root on this machine. Choose one above 1023, such as --port 8000."
        )
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Use --host 127.0.0.1, or 0.0.0.0 for the network."
    return f"Cannot listen on {host}:{port}: {error}."


def next_free_port(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + 200, 65535)):
        try:
            listen_for_a_moment(host, candidate)
        except OSError:
            continue
        return candidate
    return 0


def addresses(host: str, port: int) -> list[str]:
    """The pages' addresses as somebody would type them, nearest first."""
    if host in EVERYWHERE:
        names = ["localhost", *own_addresses()[:1]]
    else:
        names = [host]
    return [f"http://{bracketed(name)}:{port}/" for name in names]


def host_names(host: str) -> list[str]:
    """Names under which a browser may ask for this server; others are refused by Django."""
    names = {"localhost", *LOOPBACK}
    if host in EVERYWHERE:
        names |= {socket.gethostname(), socket.getfqdn(), f"{socket.gethostname()}.local", *own_addresses()}
    else:
        names.add(host)
    return sorted(bracketed(name) for name in names)


def own_addresses() -> list[str]:
    """Addresses of this machine on the network, the one that leads outside first."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # an address for documentation; choosing a route sends nothing
        found.append(probe.getsockname()[0])
    with contextlib.suppress(OSError):
        found += [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)]
    return [name for name in dict.fromkeys(found) if "%" not in name and not name.startswith("127.")]


def bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def serves(address: str) -> Callable[[], bool]:
    """A question to repeat: does `<address>healthz` answer 200?"""
    place = urlsplit(address)

    def ready() -> bool:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready


def open_browser(address: str) -> None:
    """Show the page where there is a desktop; a browser inside the terminal would take it over."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)
