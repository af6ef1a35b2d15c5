"""Which file of an integrating sphere is which, and which is the response beside a decay, told by its name.

Only whole words count, and only where all names together make sense: a wrong role would be a wrong number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from measurements.models import Measurement, RawFile
from measurements.techniques import Technique

EMPTY, OFF_BEAM, ON_BEAM, OF_EMISSION = "empty", "off_beam", "on_beam", "_emission"
IRF = "irf"
RESPONSES = {"irf", "prompt"}
# As de Mello named the measurements; 1 is the laser's range, 2 the emission's.
LETTERS = {"a": EMPTY, "b": OFF_BEAM, "c": ON_BEAM}
LETTER = re.compile(r"(?:.*[^a-z0-9])?(?P<letter>[abc])(?P<range>[12]?)", re.DOTALL)
WORDS = {
    "empty": EMPTY, "blank": EMPTY, "nosample": EMPTY,
    "off": OFF_BEAM, "offbeam": OFF_BEAM, "indirect": OFF_BEAM,
    "on": ON_BEAM, "onbeam": ON_BEAM, "direct": ON_BEAM,
}  # fmt: skip
EMISSION = {"em", "emission"}
TWO_AT_ONCE = "?"


def roles_from_names(technique: str, filenames: Sequence[str]) -> list[str]:
    """A role for each file, "" where its name tells none; all "" unless every role is told once, one of them
    is the sample on the beam and no name tells two."""
    untold = [""] * len(filenames)
    if technique not in (str(Technique.PLQY), str(Technique.TRPL)) or len(filenames) < 2:
        return untold
    stems = [name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0].lower() or name.lower()
             for name in filenames]  # fmt: skip
    if technique == str(Technique.TRPL):
        responses = [IRF if RESPONSES & set(re.split(r"[^a-z0-9]+", stem)) else "" for stem in stems]
        return responses if responses.count(IRF) == 1 else untold
    by_words = [_by_word(stem) for stem in stems]
    if TWO_AT_ONCE in by_words:
        return untold
    for told in (by_words, list(map(_by_letter, stems))):
        known = [role for role in told if role]
        if ON_BEAM in known and len(known) > 1 and len(set(known)) == len(known):
            return told
    return untold


def give_roles(measurement: Measurement) -> None:
    """To files that came before anybody knew the technique; what a sender said stays."""
    files = list(measurement.files.order_by("pk"))
    if any(file.role for file in files):
        return
    told = roles_from_names(str(measurement.technique), [file.filename for file in files])
    for file, role in zip(files, told, strict=True):
        if role:
            RawFile.objects.filter(pk=file.pk).update(role=role)


def in_words(filenames: Sequence[str], roles: Sequence[str]) -> str:
    """What was taken for what, for whoever sent the files."""
    told = ", ".join(
        f"{name} as {role.replace('_', ' ')}" for name, role in zip(filenames, roles, strict=True) if role
    )
    return (
        f"The roles were taken from the names of the files: {told}. If that is wrong, send a role for each."
    )


def _by_word(stem: str) -> str:
    words = set(re.split(r"[^a-z0-9]+", stem))
    roles = {role for word, role in WORDS.items() if word in words}
    if len(roles) != 1:
        return TWO_AT_ONCE if roles else ""
    return roles.pop() + (OF_EMISSION if words & EMISSION else "")


def _by_letter(stem: str) -> str:
    match = LETTER.fullmatch(stem)
    if match is None:
        return ""
    return LETTERS[match["letter"]] + (OF_EMISSION if match["range"] == "2" else "")
