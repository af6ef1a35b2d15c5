"""The tokens: those of the design, and readable in both themes (WCAG AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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
