"""CAS registry numbers: their last digit checks the others. Pure."""

from __future__ import annotations

import re

PATTERN = re.compile(r"([0-9]{2,7})-([0-9]{2})-([0-9])")


def wrong_with(cas: str) -> str | None:
    """A sentence when this cannot be a CAS number, else None.

    The check digit is Σ (place from the right) × digit, modulo 10: 7732-18-5 is right, 7732-18-4 is not.
    """
    match = PATTERN.fullmatch(cas)
    if match is None:
        return "A CAS number looks like 10101-63-0."
    digits = match.group(1) + match.group(2)
    check = sum(place * int(digit) for place, digit in enumerate(reversed(digits), start=1)) % 10
    if check != int(match.group(3)):
        return f"{cas} has a typing error: its last digit would have to be {check}."
    return None
