"""How long the emission lasted in water, air, light and ultrasound, each in its own panel. D-17."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from frontend.figures._arrays import typed
from frontend.figures._endurance import MEDIA, STABLE, Mark, Track, heading_of, marks_of, tracks_of
from frontend.figures._template import CATEGORIES, ORIGINS, SECOND, SYMBOLS, axis, layout, legend_mark
from frontend.figures.base import Column, Curves, Drawing, Figure, View
from frontend.formatting import COMPARATORS, ORIGIN_WORDS, number
from frontend.formatting import quantity as written

FIGURE = Figure(
    title="Endurance",
    takes="view",
    order=61,
    theme="Stability",
    help="PL left over PL at the beginning against time on a logarithmic axis. A mark on its own is the "
    "longest time for which a sample was stable, drawn at what was left then, or at the limit where nobody "
    "said.",
    reads=tuple(key for key, *_ in MEDIA.values() if key) + tuple(f"pl_retention:{name}" for name in MEDIA),
    curves=(
        Curves("pl", "photostability", ("retention",)),
        Curves("pl", "photostability_trace", ("retention",)),
    ),
    height_px=440,
    needs="Upload PL spectra against time, with the solvent or the irradiance, or enter how long a sample "
    "lasted.",
)
MOSTLY_LEFT = 80.0  # %; where all is above, the axis need not begin at zero
MOST_MARKS = 300  # of one medium: more lie on each other
FEW = 40  # of a series, marks of more points are joined without marks


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    tracks, marks = tracks_of(view), marks_of(view)
    endured = {track.medium for track in tracks} | {mark.medium for mark in marks}
    media = [*(name for name in MEDIA if name in endured), *sorted(endured - set(MEDIA))]
    if not media:
        return Drawing(empty="Nobody has measured or entered how long a sample lasts.", notes=view.missing)
    notes = list(view.missing)
    marks, more = _longest(marks, media)
    notes += more
    codes = sorted({track.code for track in tracks} | {mark.code for mark in marks})
    color = {code: CATEGORIES[place % len(CATEGORIES)] for place, code in enumerate(codes)}
    few = len(codes) <= len(CATEGORIES)
    if assumed := sum(mark.assumed for mark in marks):
        are = "1 time is" if assumed == 1 else f"{assumed} times are"
        notes.append(f"{are} drawn at {100 * STABLE:g} %: how much was left then is not recorded.")
    data: list[dict[str, Any]] = []
    for place, medium in enumerate(media):
        data += [_line(track, place, color[track.code]) for track in tracks if track.medium == medium]
        data += [_dots(same, place, color) for same in _together(marks, medium, few)]
    named: set[str] = set()
    for trace in data:  # each sample once, while its colour is its own
        if few and trace["name"] not in named:
            named.add(trace["name"])
            trace["showlegend"] = True
    data += [legend_mark(origin) for origin in ORIGINS if any(m.reading.origin == origin for m in marks)]
    return Drawing(
        data=data,
        layout=_layout(media, tracks, marks),
        table=_table(tracks, marks),
        summary=_summary(media, tracks, marks),
        notes=notes,
        filename="endurance",
    )


def _longest(marks: Sequence[Mark], media: Sequence[str]) -> tuple[list[Mark], list[str]]:
    """Of each medium as many as can be seen."""
    kept, notes = [], []
    for medium in media:
        same = [mark for mark in marks if mark.medium == medium]
        if len(same) > MOST_MARKS:
            notes.append(
                f"{heading_of(medium)}: the longest {MOST_MARKS} of {number(len(same))} times are drawn; "
                "narrow loading or sintering temperature to see others."
            )
            same = sorted(same, key=lambda mark: -mark.hours)[:MOST_MARKS]
        kept += same
    return kept, notes


def _together(marks: Sequence[Mark], medium: str, few: bool) -> list[list[Mark]]:
    """Of one origin, and of one sample where each has its own place in the legend."""
    groups: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        if mark.medium == medium:
            groups.setdefault((mark.reading.origin, mark.code if few else ""), []).append(mark)
    return list(groups.values())


def _axes(place: int) -> dict[str, str]:
    return {"xaxis": "x" if place == 0 else f"x{place + 1}", "yaxis": "y"}


def _line(track: Track, place: int, color: str) -> dict[str, Any]:
    few = track.hours.size <= FEW
    return {
        "type": "scatter",
        "mode": "lines+markers" if few else "lines",
        "name": track.code,
        "x": typed(track.hours),
        "y": typed(100 * track.left),
        "line": {"color": color, "width": 1.4, "dash": "dot" if track.origin == "simulated" else "solid"},
        "marker": {"size": 5, "color": color, "symbol": SYMBOLS[track.origin]},
        "samples": [track.code] * track.hours.size,
        "hovertext": [
            f"<b>{track.code}</b><br>{number(100 * float(left), 4)} % after {number(float(h), 4)} h"
            for h, left in zip(track.hours, track.left, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
        "meta": "series",
        **_axes(place),
    }


def _dots(marks: Sequence[Mark], place: int, color: Mapping[str, str]) -> dict[str, Any]:
    """Endurances of one origin; thousands of them are one trace, for a browser takes a while for each."""
    symbol = SYMBOLS[marks[0].reading.origin]
    signs = [COMPARATORS.get(mark.reading.comparator, "") for mark in marks]
    colors = [color[mark.code] for mark in marks]
    return {
        "type": "scatter",
        "mode": "markers+text" if any(signs) else "markers",
        "name": marks[0].code,
        "x": [mark.hours for mark in marks],
        "y": [100 * mark.left for mark in marks],
        "text": signs,
        "textposition": "middle right",
        "error_x": _bars([mark.sigma_h for mark in marks]),
        "error_y": _bars([100 * mark.left_sigma for mark in marks]),
        "marker": {
            "size": 10,
            "color": colors if len(set(colors)) > 1 else colors[0],
            "symbol": symbol,
            "line": {
                "width": 2 if symbol.endswith("open") else 0,
                "color": colors if len(set(colors)) > 1 else colors[0],
            },
        },
        "samples": [mark.code for mark in marks],
        "hovertext": [_hover(mark) for mark in marks],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
        "meta": "endurance",
        **_axes(place),
    }


def _hover(mark: Mark) -> str:
    _, unit, _, heading = MEDIA[mark.medium]
    time = written(mark.reading.value, mark.reading.sigma, unit, comparator=mark.reading.comparator)
    left = written(mark.left, mark.left_sigma, "1", as_percent=True)
    source = f", {mark.reading.source}" if mark.reading.source else ""
    return (
        f"<b>{mark.code}</b><br>{heading}\u2002{time}<br>"
        f"{'at the limit' if mark.assumed else 'left'}\u2002{left}<br>"
        f"{ORIGIN_WORDS.get(mark.reading.origin, mark.reading.origin)}{source}"
    )


def _bars(sigmas: Sequence[float]) -> dict[str, Any]:
    known = np.isfinite(np.array(sigmas))
    array = np.where(known, sigmas, 0.0).tolist()
    return {"type": "data", "array": array, "visible": bool(known.any()), "color": SECOND, "width": 3}


def _layout(media: Sequence[str], tracks: Sequence[Track], marks: Sequence[Mark]) -> dict[str, Any]:
    gap = 0.04
    wide = (1 - gap * (len(media) - 1)) / len(media)
    axes: dict[str, Any] = {}
    headings = []
    for place, medium in enumerate(media):
        start = place * (wide + gap)
        name = "xaxis" if place == 0 else f"xaxis{place + 1}"
        low, high = _decades(medium, tracks, marks)
        axes[name] = axis(
            "Time (h)",
            type="log",
            dtick=int(np.ceil((high - low) / (12 / len(media)))),
            domain=[start, start + wide],
            anchor="y",
            range=[low - 0.1, high],
        )
        headings.append(
            {
                "text": f"<b>{heading_of(medium)}</b>", "xref": "paper", "yref": "paper", "x": start,
                "y": 1.0, "xanchor": "left", "yanchor": "bottom", "showarrow": False,
            }
        )  # fmt: skip
    tops = [100 * float(t.left.max()) for t in tracks] + [100 * m.left for m in marks]
    feet = [100 * float(t.left.min()) for t in tracks] + [100 * m.left for m in marks]
    foot = 0.0 if min(feet) < MOSTLY_LEFT else 5 * np.floor((min(feet) - 1) / 5)
    y = axis("PL retained (%)", range=[float(foot), max(102.0, *(1.02 * top for top in tops))])
    drawn = layout(axes.pop("xaxis"), y, annotations=headings, **axes)
    drawn["legend"] |= {"y": 1.09}
    drawn["margin"] |= {"t": 64}
    return drawn


def _decades(medium: str, tracks: Sequence[Track], marks: Sequence[Mark]) -> tuple[float, float]:
    hours = [h for t in tracks if t.medium == medium for h in (float(t.hours.min()), float(t.hours.max()))]
    hours += [m.hours for m in marks if m.medium == medium]
    low, high = np.floor(np.log10(min(hours))), np.ceil(np.log10(max(hours)) + 0.05)
    return float(min(low, high - 2)), float(high)


def _table(tracks: Sequence[Track], marks: Sequence[Mark]) -> list[Column]:
    """A row for each endurance, then one for each point of each series."""
    none = float("nan")
    rows: list[tuple[str, str, str, float, float, float, float, str, str, str]] = [
        (m.code, m.medium, "endurance", m.hours, m.sigma_h, 100 * m.left, 100 * m.left_sigma,
         COMPARATORS.get(m.reading.comparator, "") or "=", m.reading.origin, m.reading.source)
        for m in marks
    ]  # fmt: skip
    rows += [
        (t.code, t.medium, "series", float(h), none, 100 * float(left), none, "=", t.origin, "")
        for t in tracks
        for h, left in zip(t.hours, t.left, strict=True)
    ]
    code, medium, kind, hours, sigma, left, left_sigma, sign, origin, source = zip(*rows, strict=True)
    return [
        Column("sample", list(code)),
        Column("medium", list(medium)),
        Column("what", list(kind)),
        Column("time", np.array(hours), "h"),
        Column("sigma of time", np.array(sigma), "h"),
        Column("retained", np.array(left), "%"),
        Column("sigma of retained", np.array(left_sigma), "%"),
        Column("comparator", list(sign)),
        Column("origin", list(origin)),
        Column("source", list(source)),
    ]


def _summary(media: Sequence[str], tracks: Sequence[Track], marks: Sequence[Mark]) -> str:
    told = []
    for medium in media:
        heading = heading_of(medium)
        of_marks = [m for m in marks if m.medium == medium]
        of_tracks = [t for t in tracks if t.medium == medium]
        if of_marks:
            best = max(of_marks, key=lambda m: m.hours)
            _, unit, _, _ = MEDIA[medium]
            time = written(best.reading.value, best.reading.sigma, unit, comparator=best.reading.comparator)
            origin = ORIGIN_WORDS.get(best.reading.origin, best.reading.origin)
            told.append(f"{heading}: longest {time} ({best.code}, {origin}).")
        if of_tracks:
            last = max(of_tracks, key=lambda t: float(t.hours[-1]))
            told.append(
                f"{heading}: {len(of_tracks)} series, {number(100 * float(last.left[-1]), 3)} % left after "
                f"{number(float(last.hours[-1]), 4)} h ({last.code})."
            )
    return " ".join(told)
