"""The CIE diagram behind the marks: spectral locus, black bodies, white points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis.numerics import colour
from frontend.figures._arrays import typed
from frontend.figures._template import LINE, SECOND
from frontend.figures.base import Numbers

LABELLED_NM = (450, 470, 480, 490, 500, 510, 520, 540, 560, 580, 600, 620, 690)
FEW_NM = (470, 490, 520, 560, 600, 690)  # for a small diagram
WHITE_LOCUS_K = (1500.0, 20_000.0)


def backdrop(uv: bool, labelled_nm: Sequence[int] = LABELLED_NM) -> list[dict[str, Any]]:
    """uv : in CIE 1976 u′, v′ instead of CIE 1931 x, y"""
    return [_locus(uv), *_wavelengths(uv, labelled_nm), _planckian(uv), _whites(uv)]


def placed(space_uv: bool, xy: Numbers) -> Numbers:
    return colour.uv_prime(xy) if space_uv else np.asarray(xy, dtype=np.float64)


def line(name: str, xy: Numbers, uv: bool, **more: Any) -> dict[str, Any]:
    at = placed(uv, xy)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": typed(np.ascontiguousarray(at[:, 0])),
        "y": typed(np.ascontiguousarray(at[:, 1])),
        "hoverinfo": "skip",
        "showlegend": False,
        **more,
    }


def _locus(uv: bool) -> dict[str, Any]:
    _, points = colour.locus()
    closed = np.concatenate([points, points[:1]])
    return line("spectral locus", closed, uv, line={"color": SECOND, "width": 1.4}, meta="locus")


def _wavelengths(uv: bool, labelled_nm: Sequence[int]) -> list[dict[str, Any]]:
    """Ticks on the locus, their numbers pushed away from white."""
    known, points = colour.locus()
    chosen = np.isin(known, labelled_nm)
    at, white = placed(uv, points[chosen]), placed(uv, np.array([colour.EQUAL_ENERGY]))[0]
    away = at - white
    label = at + 0.03 * away / np.hypot(*away.T)[:, None]
    ticks = line("ticks", points[chosen], uv, mode="markers", marker={"size": 4, "color": SECOND})
    words = {
        "type": "scatter",
        "mode": "text",
        "x": typed(np.ascontiguousarray(label[:, 0])),
        "y": typed(np.ascontiguousarray(label[:, 1])),
        "text": [f"{nm:.0f}" for nm in known[chosen]],
        "textfont": {"size": 11, "color": SECOND},
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }
    return [ticks, words]


def _planckian(uv: bool) -> dict[str, Any]:
    kelvin = np.geomspace(*WHITE_LOCUS_K, 80)
    return line(
        "black bodies", colour.planckian_xy(kelvin), uv, line={"color": LINE, "width": 1.4}, meta="planckian"
    )


def _whites(uv: bool) -> dict[str, Any]:
    return line(
        "white points",
        np.array(list(colour.WHITES.values())),
        uv,
        mode="markers+text",
        marker={"symbol": "cross-thin-open", "size": 8, "color": SECOND, "line": {"width": 1.4}},
        text=list(colour.WHITES),
        textposition=["top right", "bottom left"],
        textfont={"size": 11, "color": SECOND},
        meta="whites",
    )
