"""Codes of samples: drawn, checked, compared; and what text may stand in a name. Pure.

A new code is `VT-` + five drawn letters + one check letter, from an alphabet of 23 in which no two are taken
for each other. 23 is prime, so a weighted sum modulo 23 with different weights for all six places is zero for
the right code only: any single wrong letter and any two letters swapped, neighbours or not, are detected
(the ISO 7064 family gives the same guarantee; its alphabets of 10, 26 and 36 hold look-alikes).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

# No 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V: a code is read aloud and typed with gloves on.
LETTERS = "ACDEFGHJKMNPQRTWXY34679"
PREFIX = "VT"
DRAWN = 5
WEIGHTS = (6, 5, 4, 3, 2)  # of the drawn letters; the check letter weighs 1

OURS = re.compile(rf"{PREFIX}-([A-Z0-9]{{{DRAWN + 1}}})")
FREE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
LONGEST_CODE = 40
ADDRESSES = frozenset({"plan", "new", "find", "labels", "import", "export", "template"})
LONGEST_LIST = 5000

_TYPED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
_BETWEEN_CODES = re.compile(r"[\s,;|\"'()\[\]]+")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class IdentityError(ValueError):
    """A code or name that cannot be taken; the message is a sentence with the remedy."""


def check_letter(drawn: str) -> str:
    """The letter that makes the weighted sum of `drawn` (five of LETTERS) and itself zero modulo 23."""
    total = sum(weight * LETTERS.index(letter) for weight, letter in zip(WEIGHTS, drawn, strict=True))
    return LETTERS[-total % len(LETTERS)]


def complete(choose: Callable[[str], str], prefix: str = PREFIX) -> str:
    """A code whose drawn letters come from `choose`, such as `secrets.choice`."""
    drawn = "".join(choose(LETTERS) for _ in range(DRAWN))
    return f"{prefix}-{drawn}{check_letter(drawn)}"


def misread(code: str) -> str:
    """Why a code that looks like ours cannot be one; empty when it checks, or does not look like ours."""
    ours = OURS.fullmatch(code.upper())
    if ours is None:
        return ""
    strange = sorted(set(ours.group(1)) - set(LETTERS))
    if strange:
        return f"{code} cannot be right: our codes never hold {' or '.join(strange)}."
    if check_letter(ours.group(1)[:DRAWN]) != ours.group(1)[DRAWN]:
        return f"{code} cannot be right: its last letter, which checks the others, does not fit."
    return ""


def accept_code(code: str) -> str:
    """A code somebody chose, as it will be stored. Raises IdentityError with a sentence."""
    code = code.strip()
    refuse_unseen(code, "The code")
    if not FREE.fullmatch(code):
        raise IdentityError(
            f"“{code[:50]}” cannot be a code: start with a letter or digit, then letters, digits, dot, - "
            f"and _, at most {LONGEST_CODE}."
        )
    if code.lower() in ADDRESSES:
        raise IdentityError(f"“{code}” is the address of a page; choose another code.")
    if wrong := misread(code):
        raise IdentityError(f"{wrong} Leave the code empty for a new one, or use another beginning.")
    return code


def refuse_unseen(text: str, what: str) -> str:
    """The text, unless it hides characters that no one sees: zero-width, reordering, control characters."""
    for character in text:
        if unicodedata.category(character) in _UNSEEN:
            raise IdentityError(
                f"{what} hides a character that no one sees (U+{ord(character):04X}); type it again by hand."
            )
    return text


def codes_in(text: str) -> list[str]:
    """The codes in a pasted or scanned text, each once, in their order; an address ends in its code."""
    seen: dict[str, None] = {}
    visible = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in text)
    for word in _BETWEEN_CODES.split(visible):
        code = word.rstrip("/.").rpartition("/")[2].rpartition(",")[2] if "/" in word else word.rstrip(".")
        if code:
            seen.setdefault(code[:LONGEST_CODE])
    if len(seen) > LONGEST_LIST:
        raise IdentityError(f"{len(seen)} codes are too many at once; paste at most {LONGEST_LIST}.")
    return list(seen)


def neighbours(code: str) -> set[str]:
    """Every code one slip away: a letter changed, left out, put in, or two neighbours swapped."""
    code = code.upper()[:LONGEST_CODE]
    return set(_slips(code)) - {code, ""}


def _slips(code: str) -> Iterator[str]:
    for i in range(len(code) + 1):
        before, after = code[:i], code[i:]
        yield from (before + letter + after for letter in _TYPED)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in _TYPED)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]


def csv_cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def distinct(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(codes))
