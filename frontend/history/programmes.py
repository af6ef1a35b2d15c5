"""The temperature programme that a sample saw, as a drawing and what must be said beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from frontend.drawings import temperature_programme as drawing
from frontend.formatting import with_unit
from frontend.history.steps import segments_of
from samples.ancestry import Lineage, steps_of
from samples.models import FurnaceSegment, Quench, Sample, Sintering


@dataclass(frozen=True)
class ProgrammeTold:
    svg: str
    of: Sample
    planned: bool
    to_scale: bool
    gases: str
    inferred: bool
    quench_rate_unknown: bool


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
    return ProgrammeTold(
        svg=drawn(rows, quench),
        of=sample,
        planned=sintering.recipe_id is not None or not sintering.segments.all(),
        to_scale=all(s.ramp_c_per_min is not None and s.hold_min is not None for s in rows),
        gases="; ".join(gases),
        inferred=bool(sintering.inferred),
        quench_rate_unknown=quench is not None and quench.rate_c_per_min is None,
    )


def drawn(rows: Sequence[FurnaceSegment], quench: Quench | None) -> str:
    segments = [drawing.Segment(s.target_c, s.ramp_c_per_min, s.hold_min) for s in rows]
    cooled = quench and drawing.Quench(quench.get_medium_display(), quench.rate_c_per_min)
    return drawing.draw(segments, cooled)
