"""HDF5 of strangers: opened without surprise, sizes checked before anything is loaded, words as text.

One altered byte can make the HDF5 library end its process; that is why `measurements.sandbox` reads files in
a child. h5py is imported inside: it doubles what NumPy costs a process at start. It has no types, so its
groups, datasets and attributes are Any here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Array, ReadError
from measurements.readers._binary import MOST_VALUES
from measurements.readers.base import library

SIGNATURE = b"\x89HDF\r\n\x1a\n"
LONGEST_TEXT = 2000
MOST_ENTRIES = 3000
DEEPEST = 12


@contextmanager
def opened(path: Path, format_name: str) -> Iterator[Any]:
    """The file for reading; whatever HDF5 says of a damaged one becomes a ReadError."""
    with library("h5py", format_name):
        import h5py

        with h5py.File(path, "r") as file:
            yield file


def is_group(node: Any) -> bool:
    return hasattr(node, "keys") and hasattr(node, "attrs")


def is_array(node: Any) -> bool:
    return hasattr(node, "shape") and hasattr(node, "dtype") and node.shape is not None


def members(group: Any) -> Iterator[tuple[str, Any]]:
    """What a group really holds: links to other files are not followed, broken ones are passed over."""
    for name in group:
        if type(group.get(name, getlink=True)).__name__ == "ExternalLink":
            continue
        node = group.get(name)
        if node is not None:
            yield name, node


def child(group: Any, name: str) -> Any:
    """A member by its name, or None; never from another file."""
    if name not in group or type(group.get(name, getlink=True)).__name__ == "ExternalLink":
        return None
    return group.get(name)


def numbers(node: Any) -> Array:
    """The numbers of an HDF5 dataset as float64; ReadError when there are too many, or none at all."""
    if not is_array(node) or node.dtype.kind not in "iufb":
        raise ReadError(f"“{text(node.name)}” holds no real numbers.")
    if getattr(node, "is_virtual", False) or node.external:
        raise ReadError(
            f"the numbers of “{text(node.name)}” are in other files. Export one file that holds them."
        )
    if node.size > MOST_VALUES:
        raise too_large(node)
    return np.asarray(node[()], dtype=np.float64)


def refuse_large(file: Any) -> None:
    """ReadError if anything in it has more values than are read; for readers that load all they find."""

    def check(name: str, node: Any) -> None:
        if is_array(node) and node.size > MOST_VALUES:
            raise too_large(node)

    file.visititems(check)


def too_large(node: Any) -> ReadError:
    millions = f"{node.size / 1e6:.0f} million values; up to {MOST_VALUES / 1e6:.0f} million"
    return ReadError(f"“{text(node.name)}” has {millions} are read. Bin or crop it, or send its parts.")


def text(value: Any) -> str:
    """An attribute or a small dataset as words; "" when there are none."""
    if is_array(value) and hasattr(value, "file"):
        if value.size > LONGEST_TEXT:
            return ""
        value = value[()]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").rstrip("\0").strip()
    if isinstance(value, np.ndarray):
        return ", ".join(text(item) for item in value.ravel()[:LONGEST_TEXT])
    if value is None or type(value).__name__ == "Empty":
        return ""
    return clean(str(value)).strip()


def clean(words: str) -> str:
    """h5py smuggles bytes that are not UTF-8 through as half surrogates, which nothing else can store."""
    return words.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def attribute(node: Any, *names: str) -> str:
    """The first of these attributes that is there, as words."""
    return next((text(node.attrs[name]) for name in names if name in node.attrs), "")


def words(group: Any, *, skip: tuple[str, ...] = ()) -> dict[str, str]:
    """Everything short that a group says, by path: attributes, words and lone numbers, with their units."""
    found: dict[str, str] = {}
    for key, value in _words(group, "", 0, set(skip)):
        found[clean(key)] = value[:LONGEST_TEXT]
        if len(found) >= MOST_ENTRIES:
            break
    return found


def _words(group: Any, place: str, depth: int, skip: set[str]) -> Iterator[tuple[str, str]]:
    for name in group.attrs:
        yield f"{place}@{name}", text(group.attrs[name])
    for name, node in members(group):
        if is_group(node):
            if depth < DEEPEST and name not in skip:
                yield from _words(node, f"{place}{name}/", depth + 1, skip)
        elif is_array(node) and node.size <= 16 and node.dtype.kind != "V":
            unit = attribute(node, "units", "unit")
            yield f"{place}{name}", f"{text(node)} {unit}".strip()
