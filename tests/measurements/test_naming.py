"""Where a code stands in a name: patterns that a person can read, and that nobody can make slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurements.naming import Pattern, PatternError


@pytest.mark.parametrize(
    ("pattern", "name", "code"),
    [
        ("{sample}_*.txt", "VT-7K3M2A_PL.txt", "VT-7K3M2A"),
        ("{sample}*", "VT-7K3M2A (2).raw", "VT-7K3M2A"),
        ("*-{sample}.xrdml", "2026-11-20-VT-7K3M2A.xrdml", "VT-7K3M2A"),
        ("run?_{sample}_*", "run7_AB.1_x_y", "AB.1"),
        ("PL_{sample}_*", "pl_ab1_300k", "ab1"),
        ("{sample}", "VT-7K3M2A", "VT-7K3M2A"),
    ],
)
def test_a_pattern_finds_the_code_among_what_fits(pattern: str, name: str, code: str) -> None:
    assert code in Pattern(pattern).codes(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{sample}_*.txt", "VT-7K3M2A_PL.csv"),
        ("{sample}_*.txt", "VT-7K3M2A.txt"),
        ("run?_{sample}", "run12_AB"),
        ("{sample}_.txt", "_.txt"),
    ],
)
def test_a_name_that_does_not_fit_gives_nothing(pattern: str, name: str) -> None:
    assert Pattern(pattern).codes(name) == []


def test_a_code_ends_where_its_word_ends() -> None:
    assert "VT-1" not in Pattern("{sample}*").codes("VT-12_a.txt")


def test_the_longest_candidate_comes_first() -> None:
    codes = Pattern("{sample}_*").codes("VT-1_PL_300K")
    assert codes.index("VT-1_PL") < codes.index("VT-1")


@pytest.mark.parametrize(
    "pattern", ["", "*.txt", "{sample}_{sample}", "{sample}_{date}", "{sample", "{sample}" + "*" * 300]
)
def test_a_pattern_that_cannot_work_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"\.$|characters"):
        Pattern(pattern)


@pytest.mark.parametrize("sign", ["(a+)+$", "[a-z]", ".*", "\\d", "^"])
def test_signs_of_regular_expressions_stand_for_themselves(sign: str) -> None:
    literal = sign.replace("*", "")
    assert Pattern(literal + " {sample}").codes(literal + " AB-1") == ["AB-1"]
    assert Pattern(literal + " {sample}").codes("aaaa AB-1") == []


def test_the_worst_pattern_on_the_worst_name_takes_milliseconds() -> None:
    pattern = Pattern("*a" * 90 + "{sample}" + "*b?" * 3)
    started = time.perf_counter()
    pattern.codes("a" * 1_000_000)
    assert time.perf_counter() - started < 0.5


PIECES = st.sampled_from(["*", "?", "a", "B", "-", "_", ".", "1"])


@given(
    before=st.lists(PIECES, max_size=6).map("".join),
    after=st.lists(PIECES, max_size=6).map("".join),
    name=st.text("aAbB1-_.", max_size=14),
)
def test_it_agrees_with_a_slow_search_by_regular_expressions(before: str, after: str, name: str) -> None:
    def regex(glob: str) -> str:
        return "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in glob)

    expected = set()
    for begin in range(len(name)):
        for end in range(begin + 1, len(name) + 1):
            code = name[begin:end]
            word = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", code)
            cut = (begin and name[begin - 1].isalnum() and name[begin].isalnum()) or (
                end < len(name) and name[end - 1].isalnum() and name[end].isalnum()
            )
            fits = re.fullmatch(regex(before), name[:begin], re.I) and re.fullmatch(
                regex(after), name[end:], re.I
            )
            if word and fits and not cut:
                expected.add(code)
    assert set(Pattern(before + "{sample}" + after).codes(name)) == expected
