"""Methods that do what no method should: for the tests of the engine, never shipped.

`with at_large():` puts the files of `methods/` beside the real ones. A worker process that is to know them is
started as `celery -A tests.misbehaving_worker`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis import methods
from measurements.services import Incoming
from tests.spectra import as_text, published_spectrum

FOLDER = str(Path(__file__).parent / "methods")
POISONOUS_POINTS = 120  # a file with so many points brings out the worst in `fragile`


@contextmanager
def at_large() -> Iterator[None]:
    release()
    try:
        yield
    finally:
        methods.__path__.remove(FOLDER)
        methods._found.cache_clear()


def release() -> None:
    methods.__path__.append(FOLDER)
    methods._found.cache_clear()
    assert {"fragile", "patient"} <= set(methods.registry()), methods.refusals()


def poisonous_file(seed: int = 1, name: str = "poison.txt") -> Incoming:
    x, y = published_spectrum(seed)
    return Incoming(name, io.BytesIO(as_text(x[:POISONOUS_POINTS], y[:POISONOUS_POINTS])))
