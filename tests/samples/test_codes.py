"""Codes: no slip of the pen makes another valid one, and no two samples get the same."""

from __future__ import annotations

import random
import re

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from samples import identity
from samples.identity import LETTERS, IdentityError, accept_code, check_letter, codes_in, complete, misread
from samples.models import Project, Sample, User
from samples.services import codes


def drawn(count: int) -> list[str]:
    """Codes drawn with a seed, and those at the corners of the alphabet."""
    rng = random.Random(4)
    corners = [f"VT-{5 * letter}{check_letter(5 * letter)}" for letter in LETTERS]
    return [complete(rng.choice) for _ in range(count)] + corners


def test_a_code_reads_well_and_checks() -> None:
    assert all(re.fullmatch(rf"VT-[{LETTERS}]{{6}}", code) for code in drawn(100))
    assert not set(LETTERS) & set("0O1IL2Z5S8BUV")
    assert check_letter("AAAAA") == "A"
    assert check_letter("7K3MC") == "M"  # 6·21 + 5·8 + 4·18 + 3·9 + 2·1 = 267, and 267 + 9 = 12 · 23


def test_every_single_wrong_letter_is_detected() -> None:
    for code in drawn(60):
        for place in range(3, 9):
            for letter in set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") - {code[place]}:
                wrong = code[:place] + letter + code[place + 1 :]
                assert misread(wrong), f"{wrong} passes for {code}"


def test_every_swap_of_two_letters_is_detected() -> None:
    for code in drawn(500):
        for i in range(3, 9):
            for j in range(i + 1, 9):
                swapped = list(code)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                if code[i] != code[j]:
                    assert misread("".join(swapped)), f"{swapped} passes for {code}"


def test_one_drawn_letter_in_23_would_pass_by_chance_and_no_more() -> None:
    passing = sum(not misread(f"VT-AC{a}D{b}{c}") for a in LETTERS for b in LETTERS for c in LETTERS)
    assert passing == len(LETTERS) ** 2


@pytest.mark.parametrize("code", ["NC-250-300", "VT-GLASS", "VT-7K3M2", "a.b_c-1", "7"])
def test_codes_of_other_making_stay_valid(code: str) -> None:
    assert accept_code(f" {code} ") == code


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("plan", "address of a page"),
        ("New", "address of a page"),
        ("find", "address of a page"),
        ("", "cannot be a code"),
        ("=cmd()", "cannot be a code"),
        ("VT 7", "cannot be a code"),
        ("x" * 41, "at most 40"),
        ("VT-A\u200bB", "U+200B"),
        ("VT-\u202eAB", "U+202E"),
        ("CsPbI₃", "cannot be a code"),
        ("VT-7K3MCA", "does not fit"),
        ("VT-7K3MC0", "never hold 0"),
    ],
)
def test_what_cannot_be_a_code_is_refused_with_a_sentence(code: str, sentence: str) -> None:
    with pytest.raises(IdentityError, match=re.escape(sentence)):
        accept_code(code)


@given(st.text(max_size=60))
def test_any_text_is_a_code_or_gets_a_sentence(text: str) -> None:
    try:
        taken = accept_code(text)
    except IdentityError as error:
        taken, sentence = "", str(error)
    assert identity.FREE.fullmatch(taken) if taken else sentence.endswith(".")


def test_a_scanned_list_gives_its_codes_in_order() -> None:
    text = "VT-A, nc-250-300;\tVT-B\r\nhttps://lab.example/s/VT-C/ “x” VT-A\ufeffVT-D."
    assert codes_in(text) == ["VT-A", "nc-250-300", "VT-B", "VT-C", "“x”", "VT-D"]
    assert codes_in(" ,; \n") == []
    with pytest.raises(IdentityError, match="too many"):
        codes_in(" ".join(f"C{i}" for i in range(5001)))


@pytest.mark.parametrize("cell", ["=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_in_a_cell_is_text(cell: str) -> None:
    assert identity.csv_cell(cell) == f"'{cell}"
    assert identity.csv_cell(-1.5) == -1.5


def sample(project: Project, code: str) -> Sample:
    return Sample.objects.create(project=project, code=code, state="powder")


def test_two_samples_never_get_one_code_even_when_the_dice_fall_alike(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    falls = iter(["VT-AAAAAA", "VT-CCCCCE", "VT-AAAAAA", "VT-DDDDDH"])
    monkeypatch.setattr(codes, "new_code", lambda: next(falls))
    made = [codes.save_with_code(Sample(project=project, state="powder")) for _ in range(3)]
    assert [row.code for row in made] == ["VT-AAAAAA", "VT-CCCCCE", "VT-DDDDDH"]


def test_new_codes_are_distinct_and_free(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(set(codes.new_codes(500))) == 500
    sample(project, "VT-AAAAAA")
    monkeypatch.setattr(codes.secrets, "choice", random.Random(1).choice)
    falls = iter(["VT-AAAAAA", "VT-CCCCCE"])
    monkeypatch.setattr(codes, "complete", lambda *_: next(falls))
    assert codes.new_code() == "VT-CCCCCE"


def test_a_list_says_what_is_there_and_what_was_meant(project: Project, alice: User, charlie: User) -> None:
    first, second = sample(project, "VT-7K3MCM"), sample(project, "NC-250-300")
    found = codes.find(["vt-7k3mcm", "NC-250-300", "VT-7K3CMM", "NC-250-30", "XY"], alice)
    assert found.samples == [first, second]
    assert dict(found.missing) == {
        "VT-7K3CMM": "VT-7K3CMM cannot be right: its last letter, which checks the others, does not fit. "
        "Did you mean VT-7K3MCM?",
        "NC-250-30": "There is no sample NC-250-30 in your projects. Did you mean NC-250-300?",
        "XY": "There is no sample XY in your projects.",
    }
    unseen = codes.find(["VT-7K3MCM", "NC-250-30"], charlie)
    assert unseen.samples == []
    assert [sentence for _, sentence in unseen.missing] == [
        "There is no sample VT-7K3MCM in your projects.",
        "There is no sample NC-250-30 in your projects.",
    ]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("plan", "address of a page"),
        ("FIND", "address of a page"),
        ("VT-7K3MCA", "does not fit"),
        ("VT-\u202eA", "A code starts with"),
        ("VT-\u200bA", "A code starts with"),
        ("=cmd", "A code starts with"),
    ],
)
def test_no_sample_is_saved_under_a_code_that_misleads(project: Project, code: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Sample(project=project, code=code, state="powder").full_clean()


def test_a_sample_that_has_its_code_already_keeps_it(project: Project) -> None:
    sample(project, "VT-7K3MCA").full_clean()
