"""The sample list as a file that a spreadsheet opens."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse

from samples.querysets import SampleQuerySet

ABOUT = ("code", "notation", "name", "project", "state", "planned", "made_at")
FACTORS = (
    "loading_mass_fraction",
    "sintering_temperature_c",
    "sintering_ramp_c_per_min",
    "sintering_hold_min",
    "quench_medium",
    "milling_duration_min",
    "halide",
)
BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet spoils γ and °


class _Echo:
    """A file that hands back what is written to it, line by line."""

    def write(self, line: str) -> str:
        return line


def response(rows: SampleQuerySet) -> StreamingHttpResponse:
    streamed = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    streamed["Content-Disposition"] = 'attachment; filename="samples.csv"'
    return streamed


def _lines(rows: SampleQuerySet) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK
    yield writer.writerow([*ABOUT, *FACTORS])
    about = ["project__slug" if name == "project" else name for name in ABOUT]
    for row in rows.values_list(*about, *(f"factors__{name}" for name in FACTORS)).iterator(2000):
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value.isoformat() if hasattr(value, "isoformat") else value
