"""What every page's frame needs. Nothing is asked of the database until a template draws the frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from analysis.models import Notice, Run
from frontend.scope import ALL, Scope, narrowed, scope
from measurements.models import Measurement
from samples.models import Project

THEMES = ("light", "dark")
# (URL name, word, letter of its key, whether a gap stands above, what its count counts)
RAIL = (
    ("home", "Home", "h", False, ""),
    ("samples", "Samples", "s", True, ""),
    ("recipes", "Recipes", "r", False, ""),
    ("measurements", "Measurements", "m", False, ""),
    ("explore", "Explore", "e", True, ""),
    ("dashboards", "Dashboards", "d", False, ""),
    ("conflicts", "Conflicts", "c", False, ""),
    ("inbox", "Inbox", "i", True, "waiting for a sample"),
    ("jobs", "Jobs", "j", False, "unfinished"),
    ("instruments", "Instruments", "n", True, ""),
)
# Pages with an address of their own that people reach from, and look for under, one of these words.
ALSO_THERE = {"samples": ("designs", "labels")}


@dataclass(frozen=True)
class Place:
    """One line of the rail."""

    label: str
    url: str
    letter: str
    gap: bool
    here: bool
    count: int = 0
    counted: str = ""
    waiting: bool = False


@dataclass(frozen=True)
class Frame:
    theme: str
    zone: str
    person: str = ""
    search: str = ""
    project: Project | None = None
    projects: list[Project] = field(default_factory=list)
    all_projects_url: str = ""
    upload_url: str = ""
    unread: int = 0
    manages: bool = False
    rail: list[Place] = field(default_factory=list)


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": SimpleLazyObject(partial(_frame, request))}


def _frame(request: HttpRequest) -> Frame:
    theme = request.COOKIES.get("theme", "")
    theme = theme if theme in THEMES else ""
    zone = timezone.get_current_timezone_name()
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Frame(theme, zone)
    chosen = scope(request)
    return Frame(
        theme=theme,
        zone=zone,
        person=user.get_short_name() or user.get_username(),
        search=request.GET.get("search", ""),
        project=chosen.project,
        projects=_switchable(request, chosen),
        all_projects_url=_switch_url(request, ALL),
        upload_url=reverse("upload") if chosen.may_write_anywhere else "",
        unread=Notice.objects.visible_to(user).unread().count(),
        manages=any(chosen.manages(membership.project_id) for membership in chosen.memberships),
        rail=_rail(request, chosen),
    )


def _switchable(request: HttpRequest, chosen: Scope) -> list[Project]:
    for membership in chosen.memberships:
        membership.project.switch_url = _switch_url(request, membership.project.slug)
        membership.project.role_label = membership.get_role_display().lower()
    return [membership.project for membership in chosen.memberships]


def _switch_url(request: HttpRequest, slug: str) -> str:
    """The same list in another project; from the page of one thing, home."""
    match = request.resolver_match
    path = request.path if match and not match.kwargs and not match.args else reverse("home")
    return f"{path}?{urlencode({'project': slug})}"


def _rail(request: HttpRequest, chosen: Scope) -> list[Place]:
    counts = {} if chosen.unknown else _counts(request)
    return [
        Place(
            label=word,
            url=reverse(name),
            letter=letter,
            gap=gap,
            here=any(_is_under(request.path, reverse(place)) for place in (name, *ALSO_THERE.get(name, ()))),
            count=counts.get(name, 0),
            counted=counted,
            waiting=name == "inbox",
        )
        for name, word, letter, gap, counted in RAIL
    ]


def _counts(request: HttpRequest) -> dict[str, int]:
    unfinished = Run.objects.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    return {
        "inbox": narrowed(Measurement.objects.inbox(), request).count(),
        "jobs": narrowed(unfinished, request, "measurement__project").count(),
    }


def _is_under(path: str, place: str) -> bool:
    return path == place or (place != "/" and path.startswith(place))
