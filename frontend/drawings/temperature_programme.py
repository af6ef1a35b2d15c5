"""The temperature programme of a sample, to scale: °C against minutes, ramps, holds and the quench.

What a recipe does not say cannot be drawn to scale. A ramp or hold that is not recorded is drawn dashed, gets
a fixed share of the width, and says so; behind it the time axis has no numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from frontend.formatting import duration_min, number, with_unit
from samples.programmes import ROOM_C, ramp_min

Kind = Literal["ramp", "hold", "quench"]

UNKNOWN_SHARE = 0.14  # of the width, for each part whose duration is not recorded
QUENCH_SHARE = 0.05
ROUND_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 7200, 14400)


@dataclass(frozen=True)
class Segment:
    """Go to `target_c` at `ramp_c_per_min` (a magnitude), stay `hold_min`; None where not recorded."""

    target_c: float
    ramp_c_per_min: float | None = None
    hold_min: float | None = None


@dataclass(frozen=True)
class Quench:
    label: str
    rate_c_per_min: float | None = None


@dataclass(frozen=True)
class Log:
    """What the furnace wrote down: minutes from the beginning of the ramp, °C; both of equal length."""

    minutes: Sequence[float]
    temperature_c: Sequence[float]


@dataclass(frozen=True)
class Part:
    """One straight piece of the programme. `start_min` is None behind a part of unknown duration."""

    kind: Kind
    from_c: float
    to_c: float
    duration_min: float | None
    start_min: float | None


@dataclass(frozen=True)
class Box:
    """The plotting area in SVG units."""

    left: float = 46.0
    top: float = 22.0
    width: float = 548.0
    height: float = 150.0

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True)
class Line:
    """A part where it is drawn."""

    part: Part
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Programme:
    lines: list[Line]
    time_ticks: list[tuple[float, float]]  # (minutes, x)
    temperature_ticks: list[tuple[float, float]]  # (°C, y)
    known_min: float
    box: Box
    logged: list[tuple[float, float]] = field(default_factory=list)

    @property
    def to_scale(self) -> bool:
        return all(line.part.duration_min is not None for line in self.lines if line.part.kind != "quench")


def parts(segments: Sequence[Segment], quench: Quench | None = None, start_c: float = ROOM_C) -> list[Part]:
    """The programme as straight pieces. A hold of 0 min is a turning point and gives no piece."""
    found: list[Part] = []
    now_c = start_c
    clock: float | None = 0.0
    for segment in segments:
        if segment.target_c != now_c:
            ramp = ramp_min(now_c, segment)
            found.append(Part("ramp", now_c, segment.target_c, ramp, clock))
            clock = _later(clock, ramp)
        if segment.hold_min != 0:
            found.append(Part("hold", segment.target_c, segment.target_c, segment.hold_min, clock))
            clock = _later(clock, segment.hold_min)
        now_c = segment.target_c
    if quench is not None and segments:
        end_c = min(start_c, now_c)  # where it ends is not recorded; the way there is what matters
        duration = (now_c - end_c) / quench.rate_c_per_min if quench.rate_c_per_min else None
        found.append(Part("quench", now_c, end_c, duration, clock))
    return found


def lay_out(pieces: Sequence[Part], box: Box | None = None, log: Log | None = None) -> Programme:
    """Known durations share the width in proportion; each unknown one takes a fixed share. A log needs room
    for its own time and temperatures."""
    box = box or Box()
    logged_c = [min(log.temperature_c), max(log.temperature_c)] if log else []
    low, high, temperatures = _temperature_axis([c for p in pieces for c in (p.from_c, p.to_c)] + logged_c)
    known_min = sum(p.duration_min for p in pieces if p.duration_min is not None)
    known_min = max([known_min, *(log.minutes[-1:] if log else [])])
    shares = [_unknown_share(p) for p in pieces]
    crowding = max(sum(shares) / (0.75 if known_min else 1.0), 1.0)
    per_min = box.width * (1 - sum(shares) / crowding) / known_min if known_min else 0.0

    def y_of(temperature_c: float) -> float:
        return box.bottom - (temperature_c - low) / (high - low) * box.height

    lines, x = [], box.left
    for piece, share in zip(pieces, shares, strict=True):
        width = box.width * share / crowding if piece.duration_min is None else piece.duration_min * per_min
        lines.append(Line(piece, x, y_of(piece.from_c), x + width, y_of(piece.to_c)))
        x += width
    return Programme(
        lines=lines,
        time_ticks=_time_ticks(pieces, box.left, per_min, log.minutes[-1] if log else 0.0),
        temperature_ticks=[(c, y_of(c)) for c in temperatures],
        known_min=known_min,
        box=box,
        logged=[
            (box.left + m * per_min, y_of(c)) for m, c in zip(log.minutes, log.temperature_c, strict=True)
        ]
        if log
        else [],
    )


def draw(
    segments: Sequence[Segment],
    quench: Quench | None = None,
    start_c: float = ROOM_C,
    log: Log | None = None,
) -> str:
    """The drawing as inline SVG with a text alternative; "" for a programme without segments.

    A log is laid over it when the programme is to scale; otherwise there is no clock to lay it on.
    """
    if not segments:
        return ""
    pieces = parts(segments, quench, start_c)
    unclear = any(piece.duration_min is None for piece in pieces if piece.kind != "quench")
    programme = lay_out(pieces, log=None if unclear else log)
    box = programme.box
    summary = sentence(segments, quench)
    if programme.logged and log is not None:
        summary += f"; the furnace logged {with_unit(round(max(log.temperature_c), 1), '°C')} at most"
    svg = [
        f'<svg class="programme" viewBox="0 0 {box.right + 26:.0f} {box.bottom + 40:.0f}" role="img" '
        f'aria-label="{escape(summary)}">'
    ]
    svg += [
        f'<line class="grid" x1="{box.left}" x2="{box.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{box.left - 8}" y="{y + 4:.1f}" text-anchor="end">{number(c)}</text>'
        for c, y in programme.temperature_ticks
    ]
    svg += [
        f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{box.bottom}" y2="{box.bottom + 4}"/>'
        f'<text class="tick" x="{x:.1f}" y="{box.bottom + 17}" text-anchor="middle">{number(minutes)}</text>'
        for minutes, x in programme.time_ticks
    ]
    svg.append(
        f'<line class="axis" x1="{box.left}" x2="{box.right}" y1="{box.bottom}" y2="{box.bottom}"/>'
        f'<text class="tick" x="{box.left - 38}" y="12">Temperature (°C)</text>'
        f'<text class="tick" x="{box.right}" y="{box.bottom + 33}" text-anchor="end">Time (min)'
        f"{'' if programme.to_scale else ', where recorded'}</text>"
    )
    for line in programme.lines:
        svg.append(_line(line))
    if programme.logged:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in programme.logged)
        svg.append(f'<polyline class="logged" fill="none" points="{points}"/>')
    svg += _labels(programme, segments, quench)
    return "".join(svg) + "</svg>"


def sentence(segments: Sequence[Segment], quench: Quench | None = None) -> str:
    """The programme in words: for screen readers, and as the drawing's check."""
    steps = []
    for segment in segments:
        ramp = _said(segment.ramp_c_per_min, "°C/min", "rate not recorded")
        hold = "hold not recorded" if segment.hold_min is None else f"hold {duration_min(segment.hold_min)}"
        steps.append(f"to {with_unit(segment.target_c, '°C')} ({ramp}), {hold}")
    if quench is not None:
        rate = _said(quench.rate_c_per_min, "°C/min", "rate not recorded")
        steps.append(f"then quench: {quench.label.lower()} ({rate})")
    return "; ".join(steps)


def _said(value: float | None, unit: str, unknown: str) -> str:
    return unknown if value is None else with_unit(value, unit)


def _later(clock: float | None, duration: float | None) -> float | None:
    return None if clock is None or duration is None else clock + duration


def _unknown_share(piece: Part) -> float:
    if piece.duration_min is not None:
        return 0.0
    return QUENCH_SHARE if piece.kind == "quench" else UNKNOWN_SHARE


def _temperature_axis(temperatures_c: Sequence[float]) -> tuple[float, float, list[float]]:
    """Round ends and ticks around what is drawn; at least 100 °C high, so that a flat one looks flat."""
    low, high = min([*temperatures_c, 0.0]), max([*temperatures_c, 100.0])
    step = next(s for s in (50, 100, 200, 250, 500, 1000) if (high - low) / s <= 5)
    first, last = int(low // step), int(-(-high // step))
    ticks = [float(n * step) for n in range(first, last + 1)]
    return ticks[0], ticks[-1], ticks


def _time_ticks(
    pieces: Sequence[Part], left: float, per_min: float, logged_min: float = 0.0
) -> list[tuple[float, float]]:
    """Minutes from the start, up to the first part of unknown duration: behind it no clock is known."""
    reached = [p.start_min + p.duration_min for p in pieces if p.start_min is not None and p.duration_min]
    end = max([logged_min, *reached])
    if not end or not per_min:
        return []
    step = next((s for s in ROUND_STEPS if end * per_min / s / per_min <= 7 and s * per_min >= 34), None)
    if step is None:
        return [(0.0, left)]
    return [(float(m), left + m * per_min) for m in range(0, int(end) + 1, step)]


def _line(line: Line) -> str:
    state = " unknown" if line.part.duration_min is None and line.part.kind != "quench" else ""
    return (
        f'<line class="{line.part.kind}{state}" x1="{line.x0:.1f}" y1="{line.y0:.1f}" '
        f'x2="{line.x1:.1f}" y2="{line.y1:.1f}"/>'
    )


def _labels(programme: Programme, segments: Sequence[Segment], quench: Quench | None) -> list[str]:
    hottest = max(segments, key=lambda segment: segment.target_c)
    labels, named = [], False
    for line in programme.lines:
        part = line.part
        middle = (line.x0 + line.x1) / 2
        if part.kind == "hold":
            words = "hold not recorded" if part.duration_min is None else duration_min(part.duration_min)
            labels.append(_text(middle, line.y0 + 16, "middle", words, part.duration_min is None))
        elif part.kind == "ramp" and part.duration_min is None:
            labels.append(_text(middle + 6, (line.y0 + line.y1) / 2, "start", "rate not recorded", True))
        elif part.kind == "ramp" and line.x1 - line.x0 > 24:
            rate = abs(part.to_c - part.from_c) / (part.duration_min or 1)
            beside = 12 if part.to_c > part.from_c else -6
            height = (line.y0 + line.y1) / 2 + beside
            labels.append(_text(middle + 6, height, "start", with_unit(rate, "°C/min")))
        elif part.kind == "quench" and quench is not None:
            labels.append(_text(line.x1 - 8, programme.box.bottom - 9, "end", quench.label.lower()))
        if part.to_c == hottest.target_c and part.kind == "ramp" and not named:
            named = True
            labels.append(_text(line.x1 - 6, line.y1 - 7, "end", with_unit(part.to_c, "°C"), strong=True))
    return labels


def _text(x: float, y: float, anchor: str, words: str, unknown: bool = False, *, strong: bool = False) -> str:
    kind = "label strong" if strong else "label unknown" if unknown else "label"
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
