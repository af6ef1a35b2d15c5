"""A mixture of lights: its parts over wavelength, and where it lies in the CIE diagram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.numerics import colour
from frontend.figures._arrays import typed
from frontend.figures._chromaticity import FEW_NM, backdrop, placed
from frontend.figures._template import INK, SECOND, axis, layout
from frontend.figures.base import Column, Drawing, Numbers

Parts = Sequence[tuple[str, Numbers]]


def draw(
    x_nm: Numbers,
    parts: Parts,
    whole: Numbers,
    xy: tuple[float, float] | None,
    told: str,
    notes: Sequence[str],
) -> Drawing:
    """parts : names and energies with their shares, which add up to `whole`, (N,) at x_nm
    told : chromaticity and temperature in a sentence"""
    seen = (x_nm >= 380) & (x_nm <= 780)
    top = float(whole[seen].max())
    if xy is None or top <= 0:
        return Drawing(empty="Nothing shines: give one of the parts a share.", notes=notes)
    x, scale = x_nm[seen], 1 / top
    shining = [(name, energy) for name, energy in parts if energy.any()]
    of_parts = [(name, energy[seen] * scale, _colour_of(x_nm, energy)) for name, energy in shining]
    data = [_filled(name, x, y, paint) for name, y, paint in of_parts]
    data.append(_whole(x, whole[seen] * scale))
    data += [{**trace, "xaxis": "x2", "yaxis": "y2"} for trace in backdrop(uv=False, labelled_nm=FEW_NM)]
    data.append(_spots(x_nm, shining, xy, told))
    return Drawing(
        data=data,
        layout=_layout(),
        table=[
            Column("wavelength", x, "nm"),
            *(Column(name, y) for name, y, _ in of_parts),
            Column("mixture", whole[seen] * scale),
        ],
        summary=f"Spectrum of {', '.join(name for name, _, _ in of_parts)}. {told}",
        notes=notes,
        filename="mixture",
    )


def _colour_of(x_nm: Numbers, energy: Numbers) -> str:
    xyz = colour.tristimulus(x_nm, energy)
    return colour.screen_colour(colour.chromaticity(xyz)) if xyz.sum() > 0 else SECOND


def _filled(name: str, x: Numbers, y: Numbers, paint: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": typed(x),
        "y": typed(y),
        "line": {"color": paint, "width": 1.4},
        "fill": "tozeroy",
        "hovertemplate": f"{name}<br>%{{x:.0f}} nm, %{{y:.3~g}}<extra></extra>",
        "meta": "part",
    }


def _whole(x: Numbers, y: Numbers) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "mixture",
        "x": typed(x),
        "y": typed(y),
        "line": {"color": INK, "width": 2},
        "hovertemplate": "mixture<br>%{x:.0f} nm, %{y:.3~g}<extra></extra>",
        "meta": "mixture",
    }


def _spots(x_nm: Numbers, parts: Parts, xy: tuple[float, float], told: str) -> dict[str, Any]:
    """The parts small, their mixture large."""
    names, places = [], []
    for name, energy in parts:
        xyz = colour.tristimulus(x_nm, energy)
        if xyz.sum() > 0:
            names.append(name)
            places.append(colour.chromaticity(xyz))
    all_xy = np.array([*places, xy], dtype=np.float64)
    at = placed(False, all_xy)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": typed(np.ascontiguousarray(at[:, 0])),
        "y": typed(np.ascontiguousarray(at[:, 1])),
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {
            "size": [9] * len(names) + [18],
            "color": [colour.screen_colour(place) for place in all_xy],
            "line": {"color": INK, "width": [1] * len(names) + [2]},
        },
        "text": [*names, told],
        "hovertemplate": "%{text}<br>x %{x:.4f}, y %{y:.4f}<extra></extra>",
        "showlegend": False,
        "meta": "spots",
    }


def _layout() -> dict[str, Any]:
    return layout(
        axis("Wavelength (nm)", domain=[0, 0.55], range=[380, 780]),
        axis("Energy per nm, relative", range=[0, 1.1]),
        xaxis2=axis("CIE 1931 x", domain=[0.66, 1], range=[-0.06, 0.8], anchor="y2", constrain="domain"),
        yaxis2=axis("CIE 1931 y", range=[-0.04, 0.9], anchor="x2", scaleanchor="x2", constrain="domain"),
        dragmode="zoom",
    )
