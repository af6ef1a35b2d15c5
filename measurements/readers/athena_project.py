"""Projects of Athena (.prj): spectra as lists of Perl, or as JSON, usually in gzip.

    $old_group = 'weai';
    @args = ('bkg_e0','8977.58','label','cu010k.dat', …);
    @x = ('8786.204', …);  @y = (…);  @i0 = (…);  @signal = (…);  @stddev = (…);

The lists are read as text; nothing is executed. Each group gives its absorption, with the standard deviation
of a merge as its errors, then the detectors. Energies are those of the file: a shift that a person set in
Athena (bkg_eshift) stays in the header. There is no time of measurement.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._text import decoded
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Athena project",
    extensions=(".prj",),
    vendor="Demeter / Larch",
    techniques=("xas",),
    description="X-ray absorption spectra of all groups in a project of Athena or Larix.",
)
VERSION = 1

GZIP = b"\x1f\x8b"
MOST_BYTES = 256 * 1024**2
MARK = "Athena project file"
STATEMENT = re.compile(r"^([$@])(\w+) = (.*?);\s*$", re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"'((?:[^'\\]|\\.)*)'|([-+.\w]+)|(=>|[\[\]{}(),])", re.DOTALL)
ARRAYS = ("x", "y", "i0", "signal", "stddev")


def recognises(head: bytes, filename: str) -> bool:
    try:
        if head.startswith(GZIP):
            head = zlib.decompressobj(wbits=31).decompress(head, 4096)
        return MARK in decoded(head[:4096])
    except (zlib.error, ReadError):
        return False


@dataclass
class Group:
    """One spectrum of the project: Athena's settings and its arrays, as text."""

    args: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)


def read(path: Path) -> list[Dataset]:
    text = _text(path.read_bytes())
    groups = _from_json(text) if text.lstrip().startswith("{") else _from_perl(text)
    datasets = [
        dataset for number, group in enumerate(groups, start=1) for dataset in _datasets(group, number)
    ]
    if not datasets:
        raise ReadError("the project holds no group with numbers. Save it again from Athena.")
    return datasets


def _text(content: bytes) -> str:
    if content.startswith(GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as unpacked:
                content = unpacked.read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error):
            raise ReadError("the project is cut off or damaged: it does not unpack. Copy it again.") from None
    if len(content) > MOST_BYTES:
        raise ReadError(f"the project unpacks to more than {MOST_BYTES / 1e6:.0f} MB. Save fewer groups.")
    return decoded(content).replace("\r\n", "\n")


def _from_perl(text: str) -> Iterator[Group]:
    group: Group | None = None
    for kind, name, value in STATEMENT.findall(text):
        if kind == "$" and name == "old_group":
            if group is not None:
                yield group
            group = Group({"group": value.strip().strip("'")})
        elif group is not None and name == "args":
            words = _flat_list(value)
            group.args |= dict(zip(words[::2], words[1::2], strict=False))
        elif group is not None and name in ARRAYS:
            group.arrays[name] = _array(name, [a or b for a, b, _ in TOKEN.findall(value) if a or b])
        elif name in ("journal", "plot_features", "indicator") and group is not None:
            yield group
            group = None
    if group is not None:
        yield group


def _flat_list(text: str) -> list[str]:
    """The values of the outermost list; a list within it stays text."""
    words: list[str] = []
    depth, inner = 0, ""
    for quoted, bare, mark in TOKEN.findall(text):
        word = quoted.replace("\\'", "'").replace("\\\\", "\\") or bare
        if mark and mark in "([{":
            depth += 1
            inner = mark if depth == 2 else inner + mark if depth > 2 else inner
        elif mark and mark in ")]}":
            depth -= 1
            inner += mark
            if depth == 1:
                words.append(inner)
        elif depth > 1:
            inner += word or f"{mark} "
        elif not mark:
            words.append(word)
    return words


def _from_json(text: str) -> Iterator[Group]:
    try:
        project = json.loads(text)
    except (ValueError, RecursionError):
        raise ReadError("the project is cut off or damaged: it is no JSON. Copy it again.") from None
    for name, content in project.items() if isinstance(project, dict) else ():
        if isinstance(content, dict) and isinstance(content.get("args"), dict):
            args = {"group": name} | {key: _plain(value) for key, value in content["args"].items()}
            arrays = {key: _array(key, content[key]) for key in ARRAYS if isinstance(content.get(key), list)}
            yield Group(args, {key: values for key, values in arrays.items() if values.size})


def _plain(value: Any) -> str:  # Any: whatever JSON holds
    return value if isinstance(value, str) else json.dumps(value)


def _array(name: str, words: list[Any]) -> Array:  # Any: numbers or text, from JSON
    try:
        values = np.array(words, dtype=np.float64)
    except (ValueError, TypeError):
        raise ReadError(
            f"the list @{name} holds something that is no number. Save the project again."
        ) from None
    if values.ndim != 1:
        raise ReadError(f"the list @{name} is no list of numbers. Save the project again.")
    return values


def _datasets(group: Group, number: int) -> Iterator[Dataset]:
    x, y = group.arrays.get("x"), group.arrays.get("y")
    if x is None or y is None or not x.size:
        return
    label = group.args.get("label") or group.args.get("group") or f"group {number}"
    if not np.all(np.isfinite(x)):
        raise ReadError(f"the energies of “{label[:60]}” are not all numbers. Save the project again.")
    for name, values in group.arrays.items():
        if values.size != x.size:
            raise ReadError(
                f"“{label[:60]}” has {x.size} energies and {values.size} values of @{name}. Was the project "
                "cut off? Save it again."
            )
    is_chi = group.args.get("is_chi") == "1" or group.args.get("datatype") == "chi"
    axis = Axis("k", "Å⁻¹", x) if is_chi else Axis("Energy", "eV", x)
    named = {"y": "χ(k)" if is_chi else "μ(E)", "i0": "I0", "signal": "Signal"}
    for key, name in named.items():
        if key in group.arrays:
            errors = group.arrays.get("stddev") if key == "y" else None
            yield Dataset(
                Signal(name, "", group.arrays[key], errors), (axis,), group.args,
                conditions=_conditions(group.args, label), title=f"{label}, {name}",
            )  # fmt: skip


def _conditions(args: Mapping[str, str], label: str) -> dict[str, Quantity]:
    edge = args.get("fft_edge", "")
    return {
        **condition("element", args.get("bkg_z")),
        **condition("edge", edge[:1].upper() + edge[1:] if edge else None),
        **condition("sample_name", label),
    }
