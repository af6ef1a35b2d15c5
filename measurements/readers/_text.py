"""Text of instruments: any of the usual encodings and line endings, and a plain no to what is not text."""

from __future__ import annotations

import codecs
import io
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from measurements.data import ReadError

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# how to read a text, what it must be to be one, and the first bytes of kana and characters of every day
EAST_ASIAN = (
    ("cp932", "cp932", range(0x81, 0xA0)), ("euc_jp", "euc_jp", range(0xA4, 0xA6)),
    ("gb18030", "gb2312", range(0xB0, 0xD8)),
)  # fmt: skip
FOREIGN = re.compile(r"[^\x00-\x7f]+")
FEWEST_FOREIGN = 2
SAMPLE_BYTES = 64 * 1024
CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x19\x1c-\x1f\x7f]")
MOST_CONTROLS = 0.01  # form feeds and stray escapes occur; binary data has ten times as many
NO_NUMBER = re.compile(
    r"[+-]?(?:nan(?:\([a-z]*\))?|1\.#(?:IND|QNAN|SNAN)\d*)", re.IGNORECASE
)  # C's, Windows'
MINUS = "\u2212"  # as typesetters write it, and Origin
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?", re.ASCII)


def _byte_as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """Older programs write ° and µ as one byte: in a text that is otherwise UTF-8, that byte is Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("byte_as_latin_1", _byte_as_latin_1)


def encoding_of(head: bytes) -> str:
    """The encoding of a text by its first bytes; ReadError when they are not text."""
    found = _encoding_or_why_not(head)
    if isinstance(found, str):
        return found
    raise ReadError(found.sentence, byte=found.byte)


class _NotText(NamedTuple):
    sentence: str
    byte: int


@lru_cache(maxsize=8)  # dozens of readers look at the same head, one after the other; most files are no text
def _encoding_or_why_not(head: bytes) -> str | _NotText:
    for bom, encoding in BOMS:
        if head.startswith(bom):
            return encoding
    sample = head[:SAMPLE_BYTES]
    if 0 in sample:
        return _utf_16_without_bom(sample)
    controls = list(CONTROLS.finditer(sample))
    if len(controls) > MOST_CONTROLS * len(sample):
        return _NotText(
            "the file is not text. If it is an instrument's own binary format, there is no reader for it "
            "yet: export the measurement as text.",
            controls[0].start(),
        )
    return "utf-8" if _decodes(sample, "utf-8") is not None else _east_asian(sample) or "utf-8"


def _decodes(sample: bytes, encoding: str) -> str | None:
    """The text, but for a character that the sample ends in; None when it is not of this encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(sample)
    except UnicodeDecodeError:
        return None


def _east_asian(sample: bytes) -> str | None:
    """The encoding of Japanese or Chinese Windows programs, if the text is in one.

    Read so, letters of Latin-1 become characters that are rare (Größe), or stand alone (25 °C, Bragg’s);
    words of these languages are characters of every day, side by side.
    """
    for encoding, strict, leads in EAST_ASIAN:
        text = _decodes(sample, strict) or ""
        foreign = sum(map(len, FOREIGN.findall(text)))
        words = "".join(word for word in FOREIGN.findall(text) if len(word) > 1)
        common = sum(letter.encode(strict)[0] in leads for letter in words)
        if common >= FEWEST_FOREIGN and common > 0.7 * foreign:
            return encoding
    return None


def _utf_16_without_bom(sample: bytes) -> str | _NotText:
    """Every second byte of European text in UTF-16 is zero; anything else with zeros is binary."""
    half = max(len(sample) // 2, 1)
    if sample[1::2].count(0) > 0.9 * half and sample[::2].count(0) == 0:
        return "utf-16-le"
    if sample[::2].count(0) > 0.9 * half and sample[1::2].count(0) == 0:
        return "utf-16-be"
    return _NotText(
        "the file is binary, not text. If it is an instrument's own format, there is no reader for it yet: "
        "export the measurement as text.",
        sample.index(0),
    )


@lru_cache(maxsize=8)  # dozens of readers look at the same head, one after the other
def decoded(head: bytes) -> str:
    """The first bytes of a file as text; what was cut in the middle of a character is left out."""
    decoder = codecs.getincrementaldecoder(encoding_of(head))("byte_as_latin_1")
    return decoder.decode(head)


def open_text(path: Path) -> io.TextIOWrapper:
    """The file as text with \\n for every line ending. The caller closes it."""
    with path.open("rb") as file:
        encoding = encoding_of(file.read(SAMPLE_BYTES))
    return path.open("r", encoding=encoding, errors="byte_as_latin_1", newline=None)


def as_number(cell: str) -> float | None:
    """The number in a cell, or None. "nan" is a number that is missing; 1D5 is how Fortran writes 1E5."""
    text = cell.strip().strip('"')
    if NUMBER.fullmatch(text):
        return float(text.replace("D", "E").replace("d", "e"))
    if MINUS in text:
        return as_number(text.replace(MINUS, "-"))
    return float("nan") if NO_NUMBER.fullmatch(text) else None
