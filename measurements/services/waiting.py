"""Why a measurement waits for a person, in sentences for the one who looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from measurements.models import Conflict, Measurement, RawFile
from measurements.services.suggesting import headers_of, said_by_file
from samples.models import User

WORDS = {
    "sample": "No known sample",
    "format": "Could not be read",
    "technique": "Technique not known",
    "conflict": "Two answers",
}


class Reason(NamedTuple):
    key: str
    sentence: str


def why(user: User, rows: Sequence[Measurement]) -> dict[int, list[Reason]]:
    """At most two queries for any number of rows, which need their sample at hand."""
    twins = _twins(user, [row for row in rows if row.conflict == Conflict.BYTES])
    naming = [row for row in rows if row.conflict == Conflict.HEADER]
    headers = headers_of(naming) if naming else {}
    return {row.pk: list(_reasons(row, twins, headers.get(row.pk, {}))) for row in rows}


def _reasons(row: Measurement, twins: dict[str, list[Measurement]], header: dict[str, str]) -> list[Reason]:
    found = []
    if row.sample is None:
        found.append(Reason("sample", row.waits_because or _without_sample(row)))
    if row.status == Measurement.Status.FAILED:
        found.append(Reason("format", row.error))
    if row.technique == "unknown" and row.status == Measurement.Status.READ:
        found.append(Reason("technique", "Nobody said what was measured, and the file does not tell."))
    if row.conflict == Conflict.HEADER and row.sample is not None:
        found.append(
            Reason(
                "conflict",
                f"It came for {row.sample.code}, and the file itself says "
                f"“{said_by_file(row, header)[:80]}”.",
            )
        )
    if row.conflict == Conflict.BYTES:
        others = [twin for twin in twins.get(row.content_key, []) if twin.sample_id != row.sample_id]
        named = ", ".join(f"{twin.sample.code} (measurement {twin.pk})" for twin in others if twin.sample)
        found.append(Reason("conflict", f"The same bytes are also at {named or 'another sample'}."))
    return found


def _without_sample(row: Measurement) -> str:
    if row.claimed_code:
        return f"It came for “{row.claimed_code}”, and no sample that its sender may add to has it."
    return "It came without a sample."


def _twins(user: User, rows: Sequence[Measurement]) -> dict[str, list[Measurement]]:
    if not rows:
        return {}
    blobs = RawFile.objects.filter(measurement__in=[row.pk for row in rows]).values("blob")
    sharing = RawFile.objects.filter(blob__in=blobs).values("measurement")
    seen = Measurement.objects.visible_to(user).filter(pk__in=sharing, sample__isnull=False)
    found: dict[str, list[Measurement]] = {}
    for twin in seen.exclude(status=Measurement.Status.VOID).select_related("sample").order_by("pk"):
        found.setdefault(twin.content_key, []).append(twin)
    return found
