"""The words every reader speaks. Pure floor: nothing heavier than NumPy is imported here.

A reader is one file in this folder with four names:

    FORMAT = Format(name=…, extensions=…, vendor=…, techniques=…, description=…)
    VERSION = 1
    def recognises(head: bytes, filename: str) -> bool | float: …
    def read(path: Path) -> list[Dataset]: …

and, if its format is a folder of files (TopSpin, VnmrJ), `FORMAT = Format(…, folder=True)` with

    def recognises_names(names: Sequence[str]) -> bool | float: …
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal

__all__ = [
    "Axis",
    "ContractError",
    "Dataset",
    "Format",
    "Quantity",
    "ReadError",
    "Reader",
    "Signal",
    "library",
    "load",
]

log = logging.getLogger(__name__)

HEAD_BYTES = 64 * 1024
NEVER, SURE = 0.0, 1.0


class ContractError(Exception):
    """A reader file that breaks the contract, in a sentence for its author."""


@dataclass(frozen=True)
class Format:
    """What a reader says about its format. The upload page and /api/v1/formats/ show it.

    extensions : lower case with the dot, such as (".csv",); for people, the bytes decide
    techniques : keys of measurements.techniques; exactly one: an upload that names no technique gets it
    max_bytes : larger files are refused before they are opened
    folder : the format is a folder of files; `read` gets the folder, `recognises_names` the names in it,
        relative to the folder, with forward slashes. Zipped folders and folders sent file by file alike.
    zipped : its files are zip archives; no other reader is asked about one, for the names and beginnings of
        what was packed stand in its head
    gaps : what of the format is known not to be read, in words; docs/formats.md shows it
    """

    name: str
    extensions: tuple[str, ...]
    vendor: str
    techniques: tuple[str, ...]
    description: str
    max_bytes: int = 256 * 1024**2
    folder: bool = False
    gaps: str = ""
    zipped: bool = False


@dataclass(frozen=True)
class Reader:
    """A reader file that keeps the contract. `key` is the name of the file."""

    key: str
    format: Format
    version: int
    recognises: Callable[[bytes, str], bool | float]
    read: Callable[[Path], list[Dataset]]
    recognises_names: Callable[[Sequence[str]], bool | float] | None = None

    @property
    def name_and_version(self) -> str:
        return f"{self.key} {self.version}"

    def confidence(self, head: bytes, filename: str) -> float:
        """From 0, not mine, to 1, surely mine. True counts as 1."""
        return min(max(float(self.recognises(head, filename)), NEVER), SURE)

    def confidence_in_names(self, names: Sequence[str]) -> float:
        """The same for a folder that holds files of these names."""
        if self.recognises_names is None:
            return NEVER
        return min(max(float(self.recognises_names(names)), NEVER), SURE)


@contextmanager
def library(name: str, format_name: str) -> Iterator[None]:
    """Around everything that somebody else's reader does: `with library("nmrglue", FORMAT.name): …`.

    Libraries raise whatever a damaged file leads them to; for a person it all means the same.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ReadError:
        raise
    except ImportError as error:
        raise ReadError(
            f"reading “{format_name}” needs the package {name}, which is not installed here ({error}). The "
            f"bytes are kept; ask the operator to install {name}, then have the file read again."
        ) from error
    except Exception as error:
        log.info("%s could not read a file of format %s", name, format_name, exc_info=True)
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ReadError(
            f"it looks like “{format_name}” but cannot be read as such ({said}). It may be cut off, damaged, "
            "or of a variant that is not known yet. The bytes are kept: copy the file again, or export it as "
            "text."
        ) from error


def load(module: ModuleType) -> Reader:
    """The reader in a module, or ContractError saying what the author must repair."""
    key = module.__name__.rpartition(".")[2]
    format_ = getattr(module, "FORMAT", None)
    if not isinstance(format_, Format):
        raise ContractError(f"{key}.py: FORMAT is missing or is not a Format; declare FORMAT = Format(…).")
    for name in ("name", "description"):
        if not isinstance(getattr(format_, name), str) or not getattr(format_, name).strip():
            raise ContractError(f"{key}.py: FORMAT.{name} is empty.")
    _check_words(key, "extensions", format_.extensions, r"\.[a-z0-9.-]+", "lower case with a dot: (“.csv”,)")
    _check_words(key, "techniques", format_.techniques, r"[a-z]+", "keys such as (“pl”,)")
    version = getattr(module, "VERSION", None)
    if type(version) is not int or version < 1:
        raise ContractError(f"{key}.py: VERSION is a whole number from 1, not {version!r}.")
    for name in ("recognises", "read"):
        if not callable(getattr(module, name, None)):
            raise ContractError(f"{key}.py: the function {name} is missing.")
    names = getattr(module, "recognises_names", None)
    if format_.folder and not callable(names):
        raise ContractError(f"{key}.py: FORMAT is of a folder, so it needs the function recognises_names.")
    return Reader(key, format_, version, module.recognises, module.read, names)


def _check_words(key: str, name: str, words: object, pattern: str, wanted: str) -> None:
    fits = isinstance(words, tuple) and all(isinstance(w, str) and re.fullmatch(pattern, w) for w in words)
    if not fits:
        raise ContractError(f"{key}.py: FORMAT.{name} is a tuple of {wanted}, not {words!r}.")
