"""Ready-made views of a project: boards, each an address of Explore, and what figure files declare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from frontend import figures, formatting, question
from frontend.access import login_required
from frontend.figures import Figure
from frontend.gathering.asked import TEMPERATURE, options_of
from frontend.scope import ALL, scope
from measurements.techniques import Technique


@dataclass(frozen=True)
class Board:
    title: str
    about: str
    asked: dict[str, str]
    project: str = ""

    @property
    def explore_url(self) -> str:
        return f"{reverse('explore')}?{self._query}"

    @property
    def figure_url(self) -> str:
        return f"{reverse('explore-figure')}?{self._query}"

    @property
    def _query(self) -> str:
        return urlencode(self.asked | ({"project": self.project} if self.project else {}))


MAP = {"x": "sintering_temperature_c", "color": "loading_mass_fraction", "as": "map"}
BOARDS = (
    Board(
        "PL quantum yield",
        "Loading against sintering temperature: where the composites shine.",
        MAP | {"y": "plqy"},
    ),
    Board(
        "PL peak height",
        "The same array, by the height of the first Gaussian.",
        MAP | {"y": "pl_peak_height:I"},
    ),
    Board(
        "PL peak centre with temperature",
        "How the emission moves as sintering gets hotter, one colour a loading.",
        {
            "x": "sintering_temperature_c",
            "y": "pl_peak_center:I",
            "color": "loading_mass_fraction",
            "as": "lines",
        },
    ),
    Board(
        "PL width with loading",
        "Full width at half maximum, coloured by sintering temperature.",
        {
            "x": "loading_mass_fraction",
            "y": "pl_peak_fwhm:I",
            "color": "sintering_temperature_c",
            "as": "lines",
        },
    ),
)


THEMES = ("Photoluminescence", "Quantum yield", "Lifetime", "Absorption", "Colour", "Stability")
OF_TECHNIQUE = {"pl": THEMES[0], "plqy": THEMES[1], "trpl": THEMES[2], "uvvis": THEMES[3]}


@dataclass(frozen=True)
class Theme:
    title: str
    views: Sequence[Figure]


@dataclass(frozen=True)
class Range:
    """Two selects, from a level and up to one."""

    factor: str
    label: str
    levels: Sequence[question.Choice]
    least: str
    most: str


@login_required
def dashboards(request: HttpRequest) -> HttpResponse:
    project = scope(request).project
    slug = project.slug if project else ""
    boards = [Board(board.title, board.about, board.asked, slug) for board in BOARDS]
    return render(request, "dashboards.html", {"boards": boards, "themes": _themes()})


def _themes() -> list[Theme]:
    """Every view that a figure file declares, under its heading."""
    found: dict[str, list[Figure]] = {title: [] for title in THEMES}
    for loaded in figures.taking("view"):
        found.setdefault(_theme(loaded.figure), []).append(loaded.figure)
    return [Theme(title, views) for title, views in found.items() if views]


def _theme(figure: Figure) -> str:
    if figure.theme or not figure.curves:
        return figure.theme or "More"
    technique = figure.curves[0].technique
    return OF_TECHNIQUE.get(technique) or str(Technique(technique).label)


@login_required
def dashboard(request: HttpRequest, key: str) -> HttpResponse:
    """One view with its choices; the address holds them."""
    if key not in {loaded.key for loaded in figures.taking("view")} or scope(request).unknown:
        raise Http404("There is no such view, or no such project among yours.")
    figure = figures.get(key).figure
    project = scope(request).project
    fixed = urlencode({"project": project.slug if project else ALL})
    asked = "&".join(part for part in (request.GET.urlencode(), fixed) if part)
    chosen = options_of(request.GET, figure)
    context = {
        "figure": figure,
        "theme": _theme(figure),
        "options": [(option, chosen[option.name]) for option in figure.options],
        "ranges": [
            _range(request, question.LOADING, "Loading", formatting.percent),
            _range(request, TEMPERATURE, "Sintered at", lambda value: formatting.with_unit(value, "°C")),
        ],
        "fixed": fixed,
        "figure_url": f"{reverse('view-figure', args=[key])}?{asked}",
    }
    return render(request, "dashboard.html", context)


def _range(request: HttpRequest, factor: str, label: str, written: Callable[[float], object]) -> Range:
    least, most = (request.GET.get(f"{factor}__{end}", "") for end in ("gte", "lte"))
    return Range(factor, label, question.levels(request, factor, written), least, most)
