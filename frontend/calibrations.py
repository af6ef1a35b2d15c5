"""What an instrument's page says about its calibrations."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from analysis.models import Calibration
from measurements.models import Instrument
from samples.models import User

MOST = 200


@dataclass(frozen=True)
class Line:
    """One calibration with its state in words; `ends_at` also where another takes over."""

    row: Calibration
    state: str
    tone: str
    taken_over: bool


def lines(instrument: Instrument, user: User) -> list[Line]:
    """Those in force first, each kind's newest first; not more than anybody reads."""
    rows = Calibration.objects.visible_to(user).filter(instrument=instrument).for_list(user)
    found = [_line(row) for row in rows.order_by("kind", "-valid_from", "-pk")[:MOST]]
    return sorted(found, key=lambda line: not line.row.is_in_force)


def _line(row: Calibration) -> Line:
    now = timezone.now()
    taken_over = row.valid_until is None and row.ends_at is not None
    if row.withdrawn_at is not None:
        return Line(row, "withdrawn", "bad", False)
    if not row.is_in_force:
        return Line(row, "its measurement does not count", "bad", False)
    if row.ends_at is not None and row.ends_at <= now:
        return Line(row, "over", "", taken_over)
    if row.valid_from > now:
        return Line(row, "begins later", "", taken_over)
    return Line(row, "valid now", "good", taken_over)
