"""What this room adds to the histories: conflicts, default parameters of projects, the scheduler's rows."""

from __future__ import annotations

from analysis.models import Conflict, ProjectParams, Schedule
from samples import history
from samples.models import Project


def connect() -> None:
    history.keep(Conflict, noun="conflicts")
    history.keep(ProjectParams, of=Project)
    history.keep(Schedule, noun="schedules")
