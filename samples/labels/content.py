"""What stands on a label, and what of it a printer's built-in fonts can write."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

LONGEST_LINE = 160
_PLAIN = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "’": "'", "…": "..."})


@dataclass(frozen=True)
class Label:
    """`address` is where a phone that scans the QR code goes."""

    code: str
    notation: str
    project: str
    date: str
    hazard: str
    address: str


def printable(text: str) -> str:
    """One line: subscripts as digits, any space as a space, what no one sees left out."""
    plain = unicodedata.normalize("NFKC", text.translate(_PLAIN))
    seen = "".join(
        " " if unicodedata.category(c) in ("Zs", "Cc", "Zl", "Zp") else c
        for c in plain
        if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn")
    )
    return " ".join(seen.split())[:LONGEST_LINE]
