"""JCAMP-DX: labelled records, blocks within blocks, and the packed forms of its tables.

R. S. McDonald and P. A. Wilks, Appl. Spectrosc. 42 (1988) 151 (version 4.24); A. N. Davies and P. Lampen,
Appl. Spectrosc. 47 (1993) 1093 (5.0, NMR); J. D. Baumbach et al., Pure Appl. Chem. 73 (2001) 1765 (5.01).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from measurements.data import Array, ReadError

LABEL = re.compile(r"\s*##(?P<label>[^=]*)=(?P<value>.*)|\s*##(?P<end>END\b.*)", re.IGNORECASE | re.DOTALL)
TABLES = ("XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE")
LONGEST_RECORD, MOST_BLOCKS = 4000, 10_000
MOST_VALUES = 16 * 1024**2

TOKEN = re.compile(r"([@%A-Za-z])(\d*\.?\d*)|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]\d+)?)|(\?)")
NOTHING_ELSE = {
    ord(letter): None for letter in "0123456789+-.,; \t@%?sABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
}
SQUEEZED = {letter: str(digit) for digit, letter in enumerate("@ABCDEFGHI")} | {
    letter: f"-{digit}" for digit, letter in enumerate("abcdefghi", start=1)
}
DIFFERENCE = {letter: str(digit) for digit, letter in enumerate("%JKLMNOPQR")} | {
    letter: f"-{digit}" for digit, letter in enumerate("jklmnopqr", start=1)
}
DUPLICATE = {letter: str(digit) for digit, letter in enumerate("STUVWXYZs", start=1)}


class Table(NamedTuple):
    """A table as it stands: `label` XYDATA, …; `form` (X++(Y..Y)), …; `page` N=1 and so on."""

    label: str
    form: str
    page: str
    lines: list[str]
    first_line: int


@dataclass
class Block:
    """From ##TITLE to ##END. `labels`: by their plain name; `header`: in the words of the file."""

    labels: dict[str, str] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    closed: bool = False

    def number(self, label: str) -> float | None:
        return first_number(self.labels.get(label, ""))

    def keep(self, label: str, value: str) -> None:
        self.labels[plain(label)] = value
        key, number = label.strip(), 2
        while key in self.header:
            key, number = f"{label.strip()} ({number})", max(number + 1, len(self.header))
        long = len(value) > LONGEST_RECORD
        self.header[key] = f"{value[:LONGEST_RECORD]}… ({len(value)} characters)" if long else value


def plain(label: str) -> str:
    """Labels are the same whatever their case, blanks, dashes, underscores and slashes."""
    return re.sub(r"[\s\-_/]", "", label).upper()


def first_number(text: str) -> float | None:
    found = re.match(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", text)
    number = float(found[1]) if found else None
    return number if number is not None and np.isfinite(number) else None


def blocks(lines: Iterable[str]) -> list[Block]:
    """Every block of the file, outer before inner."""
    found: list[Block] = []
    stack: list[Block] = []
    page = ""
    for label, value, rest, first_line in _records(lines):
        name = plain(label)
        if name == "TITLE" or not stack:
            stack.append(Block())
            found.append(stack[-1])
            if len(found) > MOST_BLOCKS:
                raise ReadError(f"there are more than {MOST_BLOCKS} blocks.", line=first_line)
        block = stack[-1]
        if name == "END":
            stack.pop().closed = True
        elif name == "PAGE":
            page = value
        elif name == "ENDNTUPLES":
            page = ""
        elif name in TABLES:
            block.tables.append(Table(name, value, page, rest, first_line + 1))
            block.keep(label, value)
        else:
            block.keep(label, "\n".join([value, *rest]).strip())
    return found


def _records(lines: Iterable[str]) -> Iterator[tuple[str, str, list[str], int]]:
    """(label, what follows in its line, the lines below it, its line number), without $$ comments."""
    label: str | None = None
    value, first_line = "", 1
    rest: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.partition("$$")[0].rstrip()
        found = LABEL.match(text) if "##" in text else None
        if found:
            if label is not None:
                yield label, value, rest, first_line
            label = "END" if found["end"] and "=" not in found["end"] else found["label"] or ""
            value, rest, first_line = (found["value"] or "").strip(), [], number
        elif label is not None:
            rest.append(text)
        elif text.strip():
            raise ReadError("a label such as ##TITLE= was expected here.", line=number)
    if label is not None:
        yield label, value, rest, first_line


def unpacked(lines: list[str], first_line: int, most: int | None) -> tuple[Array, float | None]:
    """The values of (X++(Y..Y)), whichever way they are packed, and the first x of the table.

    AFFN and PAC are numbers; SQZ has its first digit as a letter; DIF gives differences; DUP repeats. When a
    line ends in differences, the next one begins with a check of the last value.
    most : how many values there can be at the most, if it is known
    """
    limit = MOST_VALUES if most is None else min(most, MOST_VALUES)
    values: list[float] = []
    x_first: float | None = None
    last, step, in_differences = 0.0, 0.0, False
    for number, line in enumerate(lines, start=first_line):
        if not line.strip():
            continue
        if unknown := line.translate(NOTHING_ELSE).strip():
            raise ReadError(f"“{unknown[:10]}” does not belong into a table of numbers.", line=number)
        tokens = TOKEN.findall(line)
        x, tokens = _line_x(tokens, number)
        x_first = x if x_first is None else x_first
        check, in_differences = in_differences, False
        for letter, digits, plain_number, missing in tokens:
            if letter in DIFFERENCE:
                step, in_differences = _number(DIFFERENCE[letter] + digits, number), True
                last += step
                values.append(last)
            elif letter in DUPLICATE:
                count = _number(DUPLICATE[letter] + digits, number)
                if not values or count != int(count) or len(values) + count - 1 > limit:
                    raise ReadError(f"a value is repeated {count:.0f} times, which cannot be.", line=number)
                for _ in range(int(count) - 1):
                    last += step if in_differences else 0.0
                    values.append(last)
            else:
                if letter and letter not in SQUEEZED:
                    raise ReadError(f"“{letter}” does not begin a number here.", line=number)
                text = plain_number or ("nan" if missing else SQUEEZED[letter] + digits)
                value = _number(text, number)
                if check and len(tokens) == 1 and value == 0 and len(values) == most:
                    continue  # some close a whole table with a zero instead of the check of its last value
                if check:
                    _check(value, last, number)
                else:
                    values.append(value)
                last, in_differences = value, False
            check = False
        if len(values) > limit:
            raise ReadError(f"there are more than the {limit} points that are announced.", line=number)
    return np.array(values, dtype=np.float64), x_first


def _line_x(tokens: list[tuple[str, ...]], line: int) -> tuple[float, list[tuple[str, ...]]]:
    """The abscissa that every line begins with, and the other tokens."""
    letter, digits, plain_number, _ = tokens[0] if tokens else ("", "", "", "")
    if plain_number:
        return float(plain_number), tokens[1:]
    if letter in SQUEEZED:
        return _number(SQUEEZED[letter] + digits, line), tokens[1:]
    raise ReadError("a line of the table begins with its x, and there is none here.", line=line)


def _number(text: str, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise ReadError(f"expected a number, found “{text[:20]}”.", line=line) from None


def _check(value: float, last: float, line: int) -> None:
    if abs(value - last) > 1e-6 * max(1.0, abs(last)):
        raise ReadError(
            f"the check value {value:g} differs from the value before it, {last:g}. A line above is damaged "
            "or missing; export the file again.",
            line=line,
        )


def pairs(lines: list[str], first_line: int, width: int) -> Array:
    """The numbers of (XY..XY) and its kin, (N, width)."""
    text = " ".join(lines).replace(",", " ").replace(";", " ")
    words = text.split()
    try:
        numbers = np.array(words, dtype=np.float64)
    except ValueError:
        bad = next(word for word in words if first_number(word) is None or not _is_float(word))
        place = next(n for n, line in enumerate(lines, start=first_line) if bad in line)
        raise ReadError(f"expected a number, found “{bad[:20]}”.", line=place) from None
    if numbers.size % width or not numbers.size:
        raise ReadError(
            f"there are {numbers.size} numbers, which do not make rows of {width}. Was the file cut off?",
            line=first_line,
        )
    return numbers.reshape(-1, width)


def _is_float(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
