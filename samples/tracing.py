"""What the work at hand is about, so that every line of the log can say it: a request, a task, a run."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_about: ContextVar[Mapping[str, object]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """`about(run=12)`: lines logged inside say so, besides what was said outside."""
    before = _about.set({**_about.get(), **ids})
    try:
        yield
    finally:
        _about.reset(before)


def begin(ids: Mapping[str, object]) -> None:
    """From here on, and nothing of what was before: for a process that does one thing after another."""
    _about.set(dict(ids))


def current() -> Mapping[str, object]:
    return _about.get()


def request_id(said: str | None) -> str:
    """What the sender calls the request, where that is short and plain; else a name of our own."""
    return said if said and REQUEST_ID.fullmatch(said) else uuid.uuid4().hex
