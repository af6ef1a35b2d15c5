"""What comes from outside, before it is anything of ours: numbers in addresses, texts in JSON. Pure."""

from __future__ import annotations

from typing import Any

LONGEST_NUMBER = 18  # digits that always fit into a row's number


def row_number(text: str) -> int | None:
    """The number that an address or a form names a row by; None for anything else, such as "²"."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None


def all_text(value: Any) -> bool:
    """Whether the texts in a JSON value, keys included, are such as the database keeps.

    JSON can spell NUL and halves of a surrogate pair, which no UTF-8 text of PostgreSQL holds.
    """
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [*part, *part.values()]
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str) and any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in part):
            return False
    return True
