"""Short names for things with a label."""

from __future__ import annotations

import secrets

# No 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V: a code is read aloud and typed with gloves on.
LETTERS = "ACDEFGHJKMNPQRTWXY34679"


def new_code(prefix: str = "VT") -> str:
    return f"{prefix}-{''.join(secrets.choice(LETTERS) for _ in range(5))}"
