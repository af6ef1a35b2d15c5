"""Where a sample's code stands in a file's name or in a line of its header. Pure.

A pattern is no regular expression: `{sample}` stands once for the code, `*` for any characters, `?` for one;
everything else stands for itself, upper and lower case alike. Matching takes at most (length of the text) ×
(length of the pattern) steps, whatever either of them holds.
"""

from __future__ import annotations

import re

LONGEST_PATTERN = 200
LONGEST_TEXT = 1000  # of a header's line; what stands behind is not looked at
LONGEST_CODE = 40
SAMPLE = "{sample}"
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class PatternError(ValueError):
    """The pattern cannot be used; the message is a sentence."""


class Pattern:
    """`Pattern("{sample}_*.txt").codes("VT-7K3M2A_PL.txt")` is `["VT-7K3M2A"]`."""

    def __init__(self, text: str) -> None:
        text = text.strip()
        if len(text) > LONGEST_PATTERN:
            raise PatternError(f"The pattern has {len(text)} characters; {LONGEST_PATTERN} are enough.")
        if text.count(SAMPLE) != 1:
            raise PatternError(
                "Say with {sample}, once, where the code of the sample stands, such as {sample}_*.txt."
            )
        before, after = text.split(SAMPLE)
        if strange := re.search(r"[{}]", before + after):
            raise PatternError(
                f"“{strange[0]}” stands there beside {{sample}}. * stands for anything, ? for one character."
            )
        self.text = text
        self._before = re.sub(r"\*+", "*", before.casefold())
        self._after = re.sub(r"\*+", "*", after.casefold())[::-1]

    def codes(self, text: str) -> list[str]:
        """What may stand for the code, longest first: which of them is a sample, the caller knows.

        A code begins and ends where a word does: `{sample}*` finds no VT-1 in VT-12.
        """
        text = text[:LONGEST_TEXT]
        folded = "".join(letter.casefold()[:1] or letter for letter in text)  # keeps its length
        begins = _ends_of_match(self._before, folded)
        ends = [len(text) - end for end in _ends_of_match(self._after, folded[::-1])]
        found = {
            text[begin:end]
            for begin in begins
            for end in ends
            if 0 < end - begin <= LONGEST_CODE and CODE.fullmatch(text, begin, end)
            if not _inside_a_word(text, begin) and not _inside_a_word(text, end)
        }
        return sorted(found, key=lambda code: (-len(code), code))


def _ends_of_match(pattern: str, text: str) -> list[int]:
    """Every n for which the whole pattern matches text[:n]."""
    reached = {0}
    for sign in pattern:
        if sign == "*":
            first = min(reached, default=len(text) + 1)
            reached = set(range(first, len(text) + 1))
        else:
            reached = {n + 1 for n in reached if n < len(text) and sign in ("?", text[n])}
    return sorted(reached)


def _inside_a_word(text: str, place: int) -> bool:
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()
