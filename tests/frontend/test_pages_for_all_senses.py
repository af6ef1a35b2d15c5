"""Every page can be read without eyes and used without a mouse: what stands in the markup of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from frontend import figures
from frontend.urls import urlpatterns
from samples.models import Sample

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
UNLABELLED = {"hidden", "submit", "button"}


class Page(HTMLParser):
    """Headings, headers of tables, fields and buttons with the words they are known by."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[dict[str, str]] = []
        self.headings: list[int] = []
        self.words: list[dict[str, str]] = []
        self.fields: list[dict[str, str]] = []
        self.labelled: set[str] = set()
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs} | {"tag": tag, "text": ""}
        if self.open and self.open[-1]["tag"] in ("ul", "ol") and (tag != "li" or "role" in known):
            self.wrong.append(f"a list holds a {tag} that is no entry")
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
            if known.get("role"):
                self.wrong.append(f"{tag} with the role {known['role']} is no heading")
        if tag == "label" and "for" in known:
            self.labelled.add(known["for"])
        if tag in ("input", "select", "textarea") and known.get("type") not in UNLABELLED:
            known["wrapped"] = "yes" if any(each["tag"] == "label" for each in self.open) else ""
            self.fields.append(known)
        if tag in ("button", "a", "th", "summary"):
            self.words.append(known)
        if tag not in VOID:
            self.open.append(known)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()["tag"] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for each in self.open:
            each["text"] += data.strip()

    def faults(self) -> Iterator[str]:
        yield from self.wrong
        if self.headings.count(1) != 1:
            yield f"{self.headings.count(1)} headings of the first level"
        if any(b - a > 1 for a, b in zip(self.headings, self.headings[1:], strict=False)):
            yield f"headings that leave out a level: {self.headings}"
        for each in self.words:
            if not (each["text"] or each.get("aria-label") or each.get("title")):
                yield f"a {each['tag']} without words"
        for each in self.fields:
            named = each["wrapped"] or each.get("aria-label") or each.get("aria-labelledby")
            if not (named or each.get("id") in self.labelled):
                yield f"{each['tag']} {each.get('name') or each.get('id')} without a label"


def addresses() -> list[str]:
    found = []
    for pattern in urlpatterns:
        try:
            found.append(reverse(str(pattern.name)))
        except NoReverseMatch:
            continue  # it needs to know of what
    return found + [reverse("dashboard", args=[loaded.key]) for loaded in figures.taking("view")]


@pytest.mark.django_db
def test_headings_lists_buttons_and_fields_of_every_page_have_their_words(
    alices_browser: Client, composite: Sample
) -> None:
    faults, read = {}, 0
    for address in [*addresses(), reverse("sample", args=[composite.code])]:
        answer = alices_browser.get(address)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        if b"<main" not in answer.content:
            continue  # a part of a page
        read += 1
        if found := list(Page(answer.content.decode()).faults()):
            faults[address] = found
    assert faults == {}
    assert read > 30
