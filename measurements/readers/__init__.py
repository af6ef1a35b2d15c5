"""Readers: one file in this folder is one format. Nothing else is edited to add one (docs/add-a-reader.md).

`registry()` finds the files, refuses those that break the contract and says why in `refusals()`: one bad
file must not keep the laboratory's other formats out. The reader that is surest of the head of a file reads
it, so a vendor's own format comes before the generic text reader.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from measurements.data import Dataset, ReadError
from measurements.readers.base import HEAD_BYTES, ContractError, Format, Reader, load

__all__ = [
    "HEAD_BYTES",
    "ContractError",
    "Format",
    "ReadError",
    "Reader",
    "discover",
    "get",
    "load",
    "read",
    "recognise",
    "refusals",
    "registry",
]

ZIP = b"PK\x03\x04"

log = logging.getLogger(__name__)


def registry() -> Mapping[str, Reader]:
    """Every reader that keeps the contract, by key, in alphabetical order."""
    return _found()[0]


def refusals() -> Mapping[str, str]:
    """Files of this folder that were refused, with the sentence for their author."""
    return _found()[1]


def get(key: str) -> Reader:
    readers = registry()
    if key not in readers:
        why = refusals().get(key)
        raise KeyError(why or f"There is no reader “{key}”; known are: {', '.join(readers)}.")
    return readers[key]


def recognise(head: bytes, filename: str, readers: Iterable[Reader] | None = None) -> Reader | None:
    """The reader that is surest of these first bytes, or None when all of them say no."""
    best, best_confidence = None, 0.0
    is_zip = head.startswith(ZIP)
    for reader in registry().values() if readers is None else readers:
        if is_zip and not reader.format.zipped:
            continue
        try:
            confidence = reader.confidence(head, filename)
        except Exception:
            # Also runs while a file is received: a reader's mistake must not cost the laboratory its file.
            log.exception("The reader %s failed to look at a file and was passed over.", reader.key)
            continue
        if confidence > best_confidence:
            best, best_confidence = reader, confidence
    return best


def read(reader: Reader, path: Path) -> list[Dataset]:
    """What `reader` makes of the file; ReadError says why it cannot be read, and which reader says so."""
    try:
        return _read(reader, path)
    except ReadError as error:
        error.reader = error.reader or reader.name_and_version
        raise


def _read(reader: Reader, path: Path) -> list[Dataset]:
    size_bytes = path.stat().st_size
    if size_bytes > reader.format.max_bytes:
        raise ReadError(
            f"the file has {size_bytes / 1e6:.0f} MB and “{reader.format.name}” is read up to "
            f"{reader.format.max_bytes / 1e6:.0f} MB. The bytes are kept; export fewer points."
        )
    datasets = reader.read(path)
    if not datasets:
        raise ReadError("the file holds no data.")
    return datasets


def discover(module_names: Iterable[str]) -> tuple[dict[str, Reader], dict[str, str]]:
    """Readers and refusals among importable module names."""
    readers: dict[str, Reader] = {}
    refused: dict[str, str] = {}
    for name in sorted(module_names):
        key = name.rpartition(".")[2]
        try:
            readers[key] = load(importlib.import_module(name))
        except ContractError as error:
            refused[key] = str(error)
        except (ImportError, SyntaxError) as error:
            refused[key] = f"{key}.py cannot be imported: {error}."
    return readers, refused


@cache
def _found() -> tuple[Mapping[str, Reader], Mapping[str, str]]:
    names = [
        f"{__name__}.{entry.name}"
        for entry in pkgutil.iter_modules(__path__)
        if entry.name != "base" and not entry.name.startswith("_")
    ]
    readers, refused = discover(names)
    for sentence in refused.values():
        log.error("Reader refused. %s", sentence)
    return MappingProxyType(readers), MappingProxyType(refused)
