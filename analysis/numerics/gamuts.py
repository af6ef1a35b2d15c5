"""What a display can show: areas of CIE 1931 x, y, and how much of one another covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

NTSC = np.array([(0.67, 0.33), (0.21, 0.71), (0.14, 0.08)])  # 1953
SRGB = np.array([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)])  # ITU-R BT.709
REC2020 = np.array([(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)])  # ITU-R BT.2020
GAMUTS = {"sRGB": SRGB, "NTSC": NTSC, "Rec. 2020": REC2020}


def area(polygon: ArrayLike) -> float:
    """Of a polygon of (M, 2) corners in order; zero for fewer than three."""
    points = np.asarray(polygon, float).reshape(-1, 2)
    x, y = points.T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def hull(points: ArrayLike) -> Array:
    """(K, 2) corners of the smallest convex polygon around (M, 2) points, counter-clockwise.

    A. M. Andrew, Inf. Process. Lett. 9 (1979) 216.
    """
    rows = sorted(map(tuple, np.asarray(points, float).reshape(-1, 2)))
    rows = [row for place, row in enumerate(rows) if place == 0 or row != rows[place - 1]]
    if len(rows) < 3:
        return np.array(rows).reshape(-1, 2)
    return np.array(_half(rows)[:-1] + _half(rows[::-1])[:-1])


def _half(rows: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    kept: list[tuple[float, ...]] = []
    for row in rows:
        while len(kept) > 1 and _turn(kept[-2], kept[-1], row) <= 0:
            kept.pop()
        kept.append(row)
    return kept


def _turn(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> float:
    """Above zero where c lies to the left of the way from a to b."""
    (ax, ay), (bx, by), (cx, cy) = (np.asarray(point, float) for point in (a, b, c))
    return float((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))


def overlap(one: ArrayLike, other: ArrayLike) -> float:
    """Area that two convex polygons share.

    I. E. Sutherland, G. W. Hodgman, Commun. ACM 17 (1974) 32.
    """
    left, clip = list(hull(one)), hull(other)
    if len(left) < 3 or len(clip) < 3:
        return 0.0
    for a, b in zip(clip, np.roll(clip, -1, axis=0), strict=True):
        kept = []
        for start, end in zip(left, left[1:] + left[:1], strict=True):
            inside, ends_inside = _turn(a, b, start), _turn(a, b, end)
            if inside >= 0:
                kept.append(start)
            if inside * ends_inside < 0:
                kept.append(start + (end - start) * (inside / (inside - ends_inside)))
        left = kept
        if len(left) < 3:
            return 0.0
    return area(left)
