"""A program that listens to webhooks: an HTTP server on a thread of its own."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.conftest import ROOT


@dataclass
class Receiver:
    url: str = ""
    status: int = 200
    location: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]


def documented(language: str, has: str) -> str:
    """A block of docs/operating.md, so that what receivers are told to do is what is tried."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / "operating.md").read_text(), re.DOTALL)
    (block,) = (block for block in blocks if has in block)
    return str(block)


def is_from_vitrine(secret: str, signature: str, body: bytes) -> bool:
    names: dict[str, Any] = {}
    exec(documented("python", "is_from_vitrine"), names)  # noqa: S102  our own page
    return bool(names["is_from_vitrine"](secret, signature, body))


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.heard.append((dict(self.headers), body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook?from=vitrine"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
