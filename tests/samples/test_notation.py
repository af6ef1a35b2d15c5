"""What the laboratory writes on a vial is read as it was meant, and written in one way only."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samples.notation import Notation, NotationError, Part, formula_html, parse, to_html, to_unicode

COMPOSITE = Notation((Part("CsPbI3", 0.25), Part("agZIF-62", 0.75)), "composite")
MIXTURE = Notation((Part("CsPbI3", 0.25), Part("agZIF-62", 0.75)), "mixture")


def test_subscripts_mean_a_sintered_composite():
    assert parse("(CsPbI3)0.25(agZIF-62)0.75") == COMPOSITE
    assert parse("(CsPbI3)0.25(agZIF-62)0.75").loading == 0.25


def test_a_ratio_at_the_end_means_a_mixture():
    assert parse("(CsPbI3)(agZIF-62)(25/75)") == MIXTURE
    assert parse("(CsPbI3)(agZIF-62)(25/75)").loading == 0.25


@pytest.mark.parametrize(
    "text",
    [
        "(CsPbI3)0.25(a_gZIF-62)0.75",
        "(CsPbI3)0.25(a_{g}ZIF-62)0.75",
        "(CsPbI3)0.25(a g ZIF 62)0.75",
        "(CsPbI3)0.25(agZIF62)0.75",
        "(CsPbI<sub>3</sub>)<sub>0.25</sub>(a<sub>g</sub>ZIF-62)<sub>0.75</sub>",
        "(CsPbI₃)₀.₂₅(a_gZIF‑62)₀.₇₅",
        " ( CsPbI3 ) 0.25 ( agZIF-62 ) 0.75 ",
        "(CsPbI3)0,25(agZIF-62)0,75",
        "(CsPbI3)25wt%(agZIF-62)75wt%",
        "(CsPbI3)25 wt.% (agZIF-62)75 wt.%",
        "(CsPbI3)25%(agZIF-62)75%",
        "(CsPbI3)25(agZIF-62)75",
        "(CsPbl3)0.25(agZIF-62)0.75",
        "(CsPbI3)O.25(agZIF-62)O.75",
        "(CsPbI\u00ad3)0.25(agZIF-62)0.75",
    ],
)
def test_every_way_people_and_scanners_write_it_means_the_same_composite(text):
    assert parse(text) == COMPOSITE


@pytest.mark.parametrize(
    "text",
    ["(CsPbI3)(agZIF-62)(25:75)", "(CsPbl3) (a_gZIF-62) (25/75 wt%)", "(CsPbI3)(agZIF-62)(0.25/0.75)"],
)
def test_every_way_to_write_a_ratio_means_the_same_mixture(text):
    assert parse(text) == MIXTURE


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CsPb(Br,l)3", "CsPb(Br,I)3"),
        ("CsPbC13", "CsPbCl3"),
        ("CsPbCl3", "CsPbCl3"),
        ("Csl", "CsI"),
        ("y-CsPbl3", "γ-CsPbI3"),
        ("ZIF-62 (bIm0.05)", "ZIF-62 bIm0.05"),
        ("a_gZIF-62(bIm0.25)", "agZIF-62 bIm0.25"),
        ("(CH3NH3)PbI3", "(CH3NH3)PbI3"),
    ],
)
def test_scanned_formulas_and_linkers_of_pure_substances_are_repaired(text, name):
    assert parse(text) == Notation((Part(name, 1.0),), "pure")


def test_silver_is_not_a_glass():
    assert parse("AgI").parts[0].name == "AgI"
    assert parse("AgI").loading == 1
    assert to_html("AgI") == "AgI"


def test_a_pure_glass_holds_no_perovskite_and_a_pure_perovskite_nothing_else():
    assert parse("agZIF-62 (bIm0.05)").loading == 0
    assert parse("ZIF-62").loading == 0
    assert parse("CsPbI3").loading == 1


def test_mixed_halides_and_qualified_glasses_are_parts_like_others():
    assert parse("(CsPb(Cl,Br)3)0.25(agZIF-62)0.75").parts[0] == Part("CsPb(Cl,Br)3", 0.25)
    assert parse("(CsPbI3)0.25(agZIF-62 bIm0.25)0.75").parts[1] == Part("agZIF-62 bIm0.25", 0.75)


def test_three_components_are_read_too():
    notation = parse("(CsPbBr3)0.1(CsPbI3)0.2(agZIF-62)0.7")
    assert [part.mass_fraction for part in notation.parts] == [0.1, 0.2, 0.7]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("CsPbI3 (ball milled)", "ball milled"),
        ("pure CsPbI3, identical sintering", "identical sintering"),
        ("ZIF-62 (bIm0.05), mechanochemical", "mechanochemical"),
        ("(CsPbI3)0.25(agZIF-62)0.75 extended milling", "extended milling"),
        ("(CsPbI3)0.25(agZIF-62)0.75, 24 h in water", "24 h in water"),
    ],
)
def test_words_behind_the_notation_are_kept_as_a_note(text, note):
    assert parse(text).note == note


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ("(CsPbI3)0.25(agZIF-62)0.70", "add up to 0.95"),
        ("(CsPbI3)(agZIF-62)(25/70)", "add up to 95"),
        ("(CsPbI3)0.25(agZIF-62)", "no mass fraction"),
        ("(CsPbI3)(agZIF-62)(25/50/25)", "2 parts and 3 numbers"),
        ("(CsPbI3)0.25(agZIF-62)0.75(25/75)", "not both"),
        ("(CsPbI3)25 mol%(agZIF-62)75 mol%", "convert mole"),
        ("(CsPbI3(agZIF-62)(25/75)", "never closed"),
        ("CsPbI3 0.25 agZIF-62 0.75", "without brackets"),
        ("CsPbI3/agZIF-62", "not the name"),
        ("()0.25()0.75", "not the name"),
        ("(CsPbI3)0.25\u202e(agZIF-62)0.75", "hides a character"),
        ("(CsPbI3)" + "9" * 200 + "(agZIF-62)1", "add up to"),
        ("(" * 10_000, "too many"),
    ],
)
def test_what_names_no_composite_is_refused_with_a_sentence(text, complaint):
    with pytest.raises(NotationError, match=complaint) as refusal:
        parse(text)
    assert str(refusal.value).endswith(".")
    assert len(str(refusal.value)) < 300


def test_fractions_may_miss_one_by_half_a_percent_and_no_more():
    assert parse("(CsPbI3)0.333(agZIF-62)0.667").loading == 0.333
    assert parse("(CsPbI3)0.25(agZIF-62)0.754").loading == 0.25
    with pytest.raises(NotationError):
        parse("(CsPbI3)0.25(agZIF-62)0.756")


fractions = st.integers(1, 9999).map(lambda n: n / 10_000) | st.floats(0.001, 0.999)
names = st.sampled_from(
    ["CsPbI3", "γ-CsPbI3", "CsPb(Cl,Br)3", "CsPbBr1.5I1.5", "agZIF-62", "agZIF-62 bIm0.25", "ZIF-8", "PMMA"]
)
notes = st.lists(st.sampled_from(["extended milling", "24 h", "in water", "<b>&"]), max_size=3).map(" ".join)


@given(names, names, fractions, st.sampled_from(["mixture", "composite"]), notes)
def test_writing_and_reading_again_changes_nothing(first, second, fraction, state, note):
    notation = Notation((Part(first, fraction), Part(second, 1 - fraction)), state, note)
    assert parse(str(notation)) == notation
    assert parse(to_unicode(str(notation))) == notation


@given(names, notes)
def test_a_pure_substance_survives_writing_and_reading(name, note):
    notation = Notation((Part(name, 1.0),), "pure", note)
    assert parse(str(notation)) == notation


typed = st.text() | st.text(alphabet="()CsPbIlagZF-62.0579,/%wtmol <>&'\"₂₅ γy", max_size=60)


@given(typed)
@example("(CsPbI3)0.25(agZIF-62)0.75")
@example("(A)(B)(1/.)")
def test_any_text_is_a_notation_or_a_notation_error(text):
    try:
        notation = parse(text)
    except NotationError:
        return
    assert 0 <= notation.loading <= 1
    assert parse(str(notation)).parts == notation.parts


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag if not attrs else f"{tag} with attributes")


@given(typed)
@example("(CsPbI3)0.25(agZIF-62)0.75, <script>alert(1)</script>")
@example("<img src=x onerror=alert(1)>")
def test_html_of_any_text_holds_subscripts_and_no_other_tag(text):
    for written in (to_html(text), formula_html(text)):
        reader = Tags()
        reader.feed(written)
        assert reader.tags <= {"sub"}


def test_html_has_real_subscripts():
    assert to_html("(CsPbI3)0.25(agZIF-62)0.75") == (
        "(CsPbI<sub>3</sub>)<sub>0.25</sub>(a<sub>g</sub>ZIF-62)<sub>0.75</sub>"
    )
    assert to_html("(CsPbI3)(agZIF-62)(25/75)") == "(CsPbI<sub>3</sub>)(a<sub>g</sub>ZIF-62)(25/75)"
    assert formula_html("Zn(NO3)2·6H2O") == "Zn(NO<sub>3</sub>)<sub>2</sub>·6H<sub>2</sub>O"


def test_plain_text_has_unicode_subscripts():
    assert to_unicode("(CsPbI3)0.25(agZIF-62)0.75") == "(CsPbI₃)₀.₂₅(agZIF-62)₀.₇₅"


def test_every_notation_of_the_published_campaign_is_read_with_its_loading_and_state(reference: Path):
    for sample in json.loads((reference / "reference" / "campaign.json").read_text())["samples"]:
        notation = parse(sample["notation"])
        if sample["loading_mass_fraction"] is not None:
            assert notation.loading == pytest.approx(sample["loading_mass_fraction"], abs=1e-12), sample["id"]
        expected = sample["state"] if sample["state"] in {"mixture", "composite"} else "pure"
        assert notation.state == expected, sample["id"]
        assert parse(str(notation)) == notation
