"""Ready-made views of a project: each is an address of Explore with its figure."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from frontend.access import login_required
from frontend.scope import scope


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


@login_required
def dashboards(request: HttpRequest) -> HttpResponse:
    project = scope(request).project
    slug = project.slug if project else ""
    boards = [Board(board.title, board.about, board.asked, slug) for board in BOARDS]
    return render(request, "dashboards.html", {"boards": boards})
