"""What the unit of an intensity says: energy or photons, a total or a rate. Not a method."""

from __future__ import annotations

import re
from unicodedata import normalize

ENERGY = re.compile(
    r"[\W\d]*(?:[pnumk]|pico|nano|micro|milli)?(?:w(?:atts?)?|j(?:oules?)?)(?=c?m\^?-|[^a-z]|$)"
)
POWER = re.compile(r"[\W\d]*(?:[pnumk]|pico|nano|micro|milli)?w(?:atts?)?(?=c?m\^?-|[^a-z]|$)")
PER_TIME = re.compile(
    r"\b[km]?cps\b|/.*\b(?:[num]?s|sec|seconds?|min)\b|\b(?:[num]?s|sec)\^?\(?-1|"
    r"\bper (?:s|sec|second)\b|\b[km]?hz\b"
)


def is_energy(unit: str) -> bool:
    """Watts or joules, however they are written; all else counts photons."""
    return bool(ENERGY.match(_plain(unit)))


def is_rate(unit: str) -> bool:
    """Already per time, so that no exposure is to be divided out."""
    plain = _plain(unit)
    return bool(PER_TIME.search(plain) or POWER.match(plain))


def _plain(unit: str) -> str:
    """Both µ are u, exponents stand on the line: Unicode has several of each."""
    return normalize("NFKC", unit).strip().replace("μ", "u").replace("\u2212", "-").lower()
