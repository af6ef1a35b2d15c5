"""The temperature programme that a sample saw, as a drawing and what must be said beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from frontend.drawings import temperature_programme as drawing
from frontend.formatting import with_unit
from frontend.history.steps import planned_segments, segments_of
from measurements.models import Attachment
from samples.ancestry import Lineage, steps_of
from samples.models import FurnaceSegment, Quench, Sample, Sintering

LEAVES_C = 5.0


@dataclass(frozen=True)
class ProgrammeTold:
    svg: str
    of: Sample
    planned: bool
    to_scale: bool
    gases: str
    inferred: bool
    quench_rate_unknown: bool
    logged: bool = False


def programme(family: Lineage, visible: Collection[int]) -> ProgrammeTold | None:
    """The last time in its history that the sample was sintered, with the quench behind it."""
    for sample in reversed([*family.ancestors, family.sample]):
        if sample.pk not in visible:
            continue
        steps = steps_of(sample.preparation)
        sintering = next((s for s in reversed(steps) if isinstance(s, Sintering) and segments_of(s)), None)
        if sintering is not None:
            quench = next((s for s in steps if isinstance(s, Quench) and s.order > sintering.order), None)
            return _programme(sample, sintering, quench)
    return None


def _programme(sample: Sample, sintering: Sintering, quench: Quench | None) -> ProgrammeTold:
    rows = segments_of(sintering)
    gases = dict.fromkeys(
        f"{s.gas}, {with_unit(s.flow_ml_min, 'mL/min')}" if s.flow_ml_min else s.gas for s in rows if s.gas
    )
    log = _log(sintering)
    # With a log the set points are drawn, and what ran is the log itself.
    shown = planned_segments(sintering) if log and _to_scale(planned_segments(sintering)) else rows
    return ProgrammeTold(
        svg=drawn(shown, quench, log),
        logged=log is not None,
        of=sample,
        planned=sintering.recipe_id is not None or not sintering.segments.all(),
        to_scale=_to_scale(rows),
        gases="; ".join(gases),
        inferred=bool(sintering.inferred),
        quench_rate_unknown=quench is not None and quench.rate_c_per_min is None,
    )


def _to_scale(rows: Sequence[FurnaceSegment]) -> bool:
    return bool(rows) and all(s.ramp_c_per_min is not None and s.hold_min is not None for s in rows)


def _log(sintering: Sintering) -> drawing.Log | None:
    """The last furnace log attached to the step, from where it leaves the temperature it began at."""
    if sintering.preparation_id is None:
        return None
    row = (
        Attachment.objects.in_use()
        .filter(
            preparation=sintering.preparation_id,
            step_kind="sintering",
            step_order=sintering.order,
            kind=Attachment.Kind.FURNACE_LOG,
            preview__isnull=False,
        )
        .last()
    )
    if row is None:
        return None
    minutes, values = np.frombuffer(bytes(row.preview or b""), "<f4").reshape(2, -1).astype(float)
    risen = np.flatnonzero(values > values[0] + LEAVES_C)
    begun = max(int(risen[0]) - 1, 0) if risen.size else 0
    return drawing.Log((minutes[begun:] - minutes[begun]).tolist(), values[begun:].tolist())


def drawn(rows: Sequence[FurnaceSegment], quench: Quench | None, log: drawing.Log | None = None) -> str:
    segments = [drawing.Segment(s.target_c, s.ramp_c_per_min, s.hold_min) for s in rows]
    cooled = quench and drawing.Quench(quench.get_medium_display(), quench.rate_c_per_min)
    return drawing.draw(segments, cooled, log=log)
