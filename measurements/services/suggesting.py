"""Which sample a waiting file may be of, and where that was found. A suggestion is never more than that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.db.models.functions import Upper

from measurements.models import Dataset, Measurement
from samples.models import Sample, User

RUN = re.compile(r"[A-Za-z0-9]+")
BETWEEN = frozenset("._-")
MOST_RUNS = 6  # of letters and digits in one code
MOST_WORDS = 60  # of one text
SHORTEST_IN_TEXT = 3  # "PL" in a file name is no code, even where a sample is called so
SAMPLE_LINE = re.compile(r"sample|specimen|title|ident|label|comment|\bname\b|\bid\b", re.IGNORECASE)
# Stricter: a title or a comment may well speak of other samples.
NAMES_IT = re.compile(r"(sample|specimen)([ _-]*(name|id|code|no\.?|number|label))?\s*:?", re.IGNORECASE)
CAME_WITH = "the code that it came with"
MOST_SIMILAR_SOUGHT = 40  # words of one page for which similar codes are looked up
MOST_SIMILAR = 300
CLOSE = 2  # slips between a word and a code that is still suggested
# Letters that are taken for each other, each for the first of its kind.
CONFUSED = str.maketrans({"O": "0", "Q": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "B": "8", "V": "U"})


@dataclass(frozen=True)
class Suggestion:
    """`exact`: the code itself stands there; otherwise it only resembles what stands there."""

    code: str
    found: str
    exact: bool


def codes_in(text: str) -> list[str]:
    """Everything in a text that may be a code, longest first: VT-7K3M2_PL is VT-7K3M2_PL, VT-7K3M2, …"""
    runs = list(RUN.finditer(text[:1000]))
    words: dict[str, None] = {}
    for first in range(len(runs)):
        for last in range(first, min(first + MOST_RUNS, len(runs))):
            gap = text[runs[last - 1].end() : runs[last].start()] if last > first else "-"
            if len(gap) != 1 or gap not in BETWEEN:
                break
            word = text[runs[first].start() : runs[last].end()]
            if SHORTEST_IN_TEXT <= len(word) <= 40:
                words.setdefault(word)
    return sorted(words, key=len, reverse=True)[:MOST_WORDS]


def said_in_conditions(row: Measurement) -> str:
    """The name of the sample as the reader understood the file."""
    said = row.conditions.get("sample_name") if isinstance(row.conditions, dict) else None
    return str(said.get("value") or "") if isinstance(said, Mapping) else str(said or "")


def said_by_file(row: Measurement, header: Mapping[str, Any]) -> str:
    """What the file itself calls its sample: as its reader understood it, or a line that says “sample”."""
    named = (
        text for key, text in header.items() if isinstance(text, str) and NAMES_IT.fullmatch(key.strip())
    )
    return said_in_conditions(row) or next(named, "")


def suggest(user: User, rows: Sequence[Measurement]) -> dict[int, Suggestion]:
    """At most one for each row, from the strongest sign to the weakest. Three queries for any number of rows.

    Rows need their files prefetched. Only samples to which `user` may add are suggested.
    """
    signs = {row.pk: _signs(row, header) for row, header in _with_headers(rows)}
    known = _known(user, {word for found in signs.values() for _, words in found for word in words})
    suggested: dict[int, Suggestion] = {}
    for row in rows:
        own = row.sample.code if row.sample else None
        for where, words in signs[row.pk]:
            code = next((known[w.upper()] for w in words if w.upper() in known), None)
            if code is not None and code != own:
                suggested[row.pk] = Suggestion(code, where, exact=True)
                break
    unclear = {row.pk: signs[row.pk] for row in rows if row.pk not in suggested and row.sample is None}
    return suggested | _similar(user, unclear)


def headers_of(rows: Iterable[Measurement]) -> dict[int, dict[str, str]]:
    """What the first dataset of each says in its header, verbatim."""
    first = Dataset.objects.filter(measurement__in=[row.pk for row in rows], current=True, number=0)
    return {
        pk: header if isinstance(header, dict) else {}
        for pk, header in first.values_list("measurement_id", "header")
    }


def _with_headers(rows: Sequence[Measurement]) -> Iterator[tuple[Measurement, dict[str, str]]]:
    headers = headers_of(rows)
    return ((row, headers.get(row.pk, {})) for row in rows)


def _signs(row: Measurement, header: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """(where, words that may be codes), the most trustworthy place first."""
    signs = []
    if row.claimed_code:
        signs.append((CAME_WITH, [row.claimed_code, *codes_in(row.claimed_code)]))
    for key, text in header.items():
        if isinstance(text, str) and SAMPLE_LINE.search(key[:200]):
            signs.append((f"found in the header line “{key.rstrip(':')[:60]}”", codes_in(text)))
    if said := said_in_conditions(row):
        signs.append(("found in the header", codes_in(said)))
    for file in row.files.all():
        stem = file.filename.rpartition(".")[0] or file.filename
        signs.append(("found in the file name", codes_in(stem)))
    return [(where, words) for where, words in signs if words]


def _known(user: User, words: set[str]) -> dict[str, str]:
    """Codes of samples by what stands there, upper and lower case alike."""
    seen = Sample.objects.kept().open_to(user).annotate(upper=Upper("code"))
    codes = seen.filter(upper__in={word.upper() for word in words}).values_list("upper", "code")
    return dict(codes) if words else {}


def _similar(user: User, unclear: Mapping[int, list[tuple[str, list[str]]]]) -> dict[int, Suggestion]:
    likely = {
        pk: [(where, word) for where, words in signs for word in words if _may_be_mistyped(word, where)][:4]
        for pk, signs in unclear.items()
    }
    words = sorted({word.upper() for found in likely.values() for _, word in found})[:MOST_SIMILAR_SOUGHT]
    if not words:
        return {}
    resembles = reduce(or_, (Q(upper__trigram_similar=word) for word in words))
    seen = Sample.objects.kept().open_to(user).annotate(upper=Upper("code")).filter(resembles)
    codes = list(seen.values_list("code", flat=True)[:MOST_SIMILAR])
    found: dict[int, Suggestion] = {}
    for pk, signs in likely.items():
        near = [(distance(word, code), code, where, word) for where, word in signs for code in codes]
        slips, code, where, word = min(near, default=(CLOSE + 1, "", "", ""))
        if slips <= CLOSE and 2 * slips < len(code):
            found[pk] = Suggestion(code, f"resembles “{word}”, {where}", exact=False)
    return found


def _may_be_mistyped(word: str, where: str) -> bool:
    """What somebody gave as a code; in a name or a text, only what has a digit as most codes have."""
    return len(word) >= 4 and (where == CAME_WITH or any(letter.isdigit() for letter in word))


def distance(word: str, code: str) -> int:
    """Slips between the two: letters changed, left out, put in, or swapped; look-alikes count half a slip,
    rounded up in all."""
    a, b = word.upper(), code.upper()
    if abs(len(a) - len(b)) > CLOSE:
        return CLOSE + 1
    before: list[float] = []
    row = [float(n) for n in range(len(b) + 1)]
    for i, letter in enumerate(a, start=1):
        older, before, row = before, row, [float(i)]
        for j, other in enumerate(b, start=1):
            if letter == other:
                change = 0.0
            else:
                change = 0.5 if letter.translate(CONFUSED) == other.translate(CONFUSED) else 1.0
            steps = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + change)
            if i > 1 and j > 1 and letter == b[j - 2] and other == a[i - 2]:
                steps = min(steps, older[j - 2] + 1)
            row.append(steps)
    return -int(-row[-1] // 1)
