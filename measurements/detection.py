"""Which technique a dataset comes from, with how much confidence and why.

The order of worth: what the file says, what its format can only be, what its axes and units mean, what its
name says. Pure floor: no Django here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from measurements.data import Dataset

ENOUGH = 0.5  # below, a person is asked
COLUMNS_ASKED = 6
ENOUGH_ALONE = 0.9  # from here on a file name adds nothing


class Guess(NamedTuple):
    """`confidence` from 0 to 1; `reason` completes the sentence “taken for X because …”."""

    technique: str
    confidence: float
    reason: str


# (axis unit, words in the axis' name, signal units or None, words in the signal's name) → technique
RULES: tuple[tuple[str, str, str | None, str, str, float], ...] = (
    ("deg", r"theta|θ|^x$", None, r"", "xrd", 0.8),
    ("Å⁻¹", r"^q\b|^s\b|^x$|q\(", None, r"s\(q|f\(q", "pdf", 0.75),
    ("Å⁻¹", r"^q\b|^x$|q\(|scatt", None, r"", "saxs", 0.7),
    ("nm⁻¹", r"^q\b|q\(|scatt", None, r"", "saxs", 0.7),
    ("Å", r"^r\b", None, r"", "pdf", 0.7),
    ("eV", r"binding|kinetic", None, r"", "xps", 0.9),
    ("eV", r"energy", None, r"\bmu\b|µ|μ|xmu|i0|itrans|trans|fluor", "xas", 0.8),
    ("cm⁻¹", r"raman", None, r"", "raman", 0.9),
    ("cm⁻¹", r"", None, r"absorb|transm|reflect|atr|kubelka", "ftir", 0.8),
    ("ppm", r"", None, r"", "nmr", 0.85),
    ("nm", r"", "1|%|a.u.|", r"absorb|transm|reflect|\babs\b|%t|%r|extinction|optical density", "uvvis", 0.8),
    ("nm", r"", "counts|counts/s|", r"count|intens|emission|signal|photolum|\bpl\b|lumin", "pl", 0.55),
    ("ns", r"time|delay|^x$", None, r"count|photon|decay|intens|signal", "trpl", 0.7),
    ("ps", r"time|delay|^x$", None, r"count|photon|decay|intens|signal", "trpl", 0.6),
    ("", r"", "mW|mW/mg|W/g|mW/g", r"heat|dsc|value", "dsc", 0.8),
    ("", r"", "mg|%|g", r"mass|weight|masse|gewicht|tg\b|tga", "tga", 0.75),
    ("", r"^2[-_ ]?(?:theta|θ|th)(?![a-z])|two[-_ ]?theta", None, r"", "xrd", 0.7),
)  # fmt: skip
IN_NAMES: tuple[tuple[str, str], ...] = (
    (r"trpl|tcspc|lifetime|decay", "trpl"), (r"plqy|qy", "plqy"), (r"pl", "pl"), (r"xrd|pxrd", "xrd"),
    (r"saxs|waxs", "saxs"), (r"pdf", "pdf"), (r"xps", "xps"), (r"xas|xanes|exafs", "xas"),
    (r"ftir|ir|farir|atr", "ftir"), (r"raman", "raman"), (r"nmr", "nmr"), (r"dsc", "dsc"),
    (r"tga|tg", "tga"), (r"uvvis|uv|abs", "uvvis"), (r"sem|tem|stem", "em"), (r"cl", "cl"), (r"eels", "eels"),
    (r"icp|icpms|icpoes", "leaching"),
)  # fmt: skip


def detect(
    datasets: Sequence[Dataset], format_name: str, format_techniques: Sequence[str], filenames: Sequence[str]
) -> Guess | None:
    """The best guess for a measurement, or None when nothing speaks for any technique."""
    guesses = [*_said(datasets, format_name), *_only(format_name, format_techniques), *_meant(datasets)]
    guesses = [each for each in guesses if not format_techniques or each.technique in format_techniques]
    named = list(_named(filenames))
    best = max(guesses, key=lambda guess: guess.confidence, default=None)
    if best is None:
        return max(named, key=lambda guess: guess.confidence, default=None)
    if best.confidence < ENOUGH_ALONE and any(name.technique == best.technique for name in named):
        # A name that agrees makes a weak guess stronger; one that disagrees is only a name.
        return best._replace(
            confidence=round(1 - (1 - best.confidence) / 2, 3),
            reason=f"{best.reason}, and the file name agrees",
        )
    return best


def _said(datasets: Sequence[Dataset], format_name: str) -> Iterator[Guess]:
    for dataset in datasets[:1]:
        if dataset.technique:
            yield Guess(dataset.technique, 0.95, f"the file says so ({format_name})")


def _only(format_name: str, techniques: Sequence[str]) -> Iterator[Guess]:
    if len(techniques) == 1:
        yield Guess(techniques[0], 0.9, f"“{format_name}” files hold nothing else")


def _meant(datasets: Sequence[Dataset]) -> Iterator[Guess]:
    """By the main curve; where that says nothing, by the next columns, with less confidence."""
    for place, dataset in enumerate(datasets[:COLUMNS_ASKED]):
        axis, signal = dataset.axes[-1] if dataset.axes else None, dataset.signal
        if axis is None:
            continue
        for unit, axis_words, signal_units, signal_words, technique, confidence in RULES:
            if unit and axis.unit != unit:
                continue
            if signal_units is not None and signal.unit not in signal_units.split("|"):
                continue
            if not re.search(axis_words, axis.name, re.I) or not re.search(signal_words, signal.name, re.I):
                continue
            seen = f"{signal.name} against {axis.name}" + (f" in {axis.unit}" if axis.unit else "")
            yield Guess(technique, round(confidence * (0.8 if place else 1.0), 3), f"it holds {seen}")
            return


def _named(filenames: Sequence[str]) -> Iterator[Guess]:
    """Whole words only: “pl” in “sample” says nothing."""
    for filename in filenames:
        words = {word.lower() for word in re.split(r"[^A-Za-z]+", filename)}
        for pattern, technique in IN_NAMES:
            if any(re.fullmatch(pattern, word) for word in words):
                yield Guess(technique, 0.4, f"the file name “{filename[:60]}” says so")
                return
