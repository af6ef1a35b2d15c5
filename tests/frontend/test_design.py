"""The tokens: those of the design, and readable in both themes (WCAG AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from frontend.figures._template import worded

STATIC = Path(__file__).resolve().parents[2] / "frontend" / "static" / "frontend"
CSS = (STATIC / "vitrine.css").read_text()
PAIRS = dict(re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\);", CSS))


def colour(token: str, theme: str) -> tuple[float, float, float]:
    code = PAIRS[token].split(", ")[theme == "dark"]
    return tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))


def luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance, WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_of_black_on_white_is_21():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "surface", "raised"])
@pytest.mark.parametrize("ink", ["ink", "second", "accent", "good", "caution", "bad"])
def test_every_ink_is_readable_on_every_ground(ink, ground, theme):
    assert contrast(colour(ink, theme), colour(ground, theme)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_primary_button_is_readable(theme):
    assert contrast(colour("on-accent", theme), colour("accent", theme)) >= 4.5


@pytest.mark.parametrize("name", ["components.css", "samples.css"])
def test_components_name_no_colour_of_their_own(name):
    allowed = {"#6f9fe8"}  # the quench on dark, where β blue would drown
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", (STATIC / name).read_text())) <= allowed


def test_no_page_holds_inline_script_or_handlers():
    templates = Path(__file__).resolve().parents[2] / "frontend" / "templates"
    for page in templates.rglob("*.html"):
        text = page.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), page
        assert not re.search(r"\son[a-z]+=", text), page


# What is mixed from the tokens: tints, edges, hovers; the marks of figures, and their names in ink.

FIGURES = dict(
    re.findall(
        r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\);", (STATIC / "figures.css").read_text()
    )
)
MIXES = {
    name: (first, int(percent) / 100, second)
    for name, first, percent, second in re.findall(
        r"--([a-z-]+): color-mix\(in srgb, var\(--([a-z-]+)\) (\d+)%, (?:var\(--)?([a-z-]+)\)?\);", CSS
    )
}
RGB = tuple[float, float, float]


def mixed(first: RGB, share: float, second: RGB) -> RGB:
    r, g, b = (share * a + (1 - share) * c for a, c in zip(first, second, strict=True))
    return r, g, b


def of(token: str, theme: str, ground: str = "surface") -> RGB:
    """Any token as it looks; a mix with nothing lets the ground through."""
    if token not in MIXES:
        return colour(token, theme)
    first, share, second = MIXES[token]
    return mixed(colour(first, theme), share, colour(ground if second == "transparent" else second, theme))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("meaning", ["accent", "good", "caution", "bad"])
@pytest.mark.parametrize("ink", ["itself", "ink", "second"])
def test_every_ink_is_readable_on_every_tint(meaning, ink, theme):
    written = meaning if ink == "itself" else ink
    assert contrast(colour(written, theme), of(f"{meaning}-tint", theme)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "surface"])
@pytest.mark.parametrize("ink", ["ink", "second", "accent", "caution", "good", "bad"])
def test_every_ink_is_readable_where_the_pointer_is(ink, ground, theme):
    assert contrast(colour(ink, theme), of("hover", theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "surface"])
def test_the_edge_of_what_one_types_into_and_the_focus_stand_out(ground, theme):
    assert contrast(of("edge", theme), colour(ground, theme)) >= 3
    assert contrast(colour("accent", theme), colour(ground, theme)) >= 3


def test_a_placeholder_is_readable():
    (share,) = re.findall(r"::placeholder \{[^}]*opacity: ([0-9.]+)", (STATIC / "components.css").read_text())
    for theme in ("light", "dark"):
        ground = colour("surface", theme)
        assert contrast(mixed(colour("second", theme), float(share), ground), ground) >= 4.5


MARKS = [name for name in FIGURES if name.startswith(("scale-", "category-"))]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("mark", MARKS)
def test_marks_stand_out_from_the_panel_and_their_names_are_readable(mark, theme):
    code = FIGURES[mark].split(", ")[theme == "dark"]
    rgb = tuple(int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    assert contrast(rgb, colour("surface", theme)) >= 3
    share, ink = re.fullmatch(r"color-mix\(in srgb, red (\d+)%, var\(--([a-z]+)\)\)", worded("red")).groups()
    written = mixed(rgb, int(share) / 100, colour(ink, theme))
    assert contrast(written, colour("surface", theme)) >= 4.5


def test_the_scale_of_marks_rises_in_lightness_so_that_it_needs_no_colour():
    for theme in (0, 1):
        codes = [FIGURES[f"scale-{step}"].split(", ")[theme] for step in range(7)]
        light = [luminance(tuple(int(c[i : i + 2], 16) / 255 for i in (1, 3, 5))) for c in codes]
        assert light == sorted(light)
        assert len(set(light)) == 7
