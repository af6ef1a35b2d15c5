"""A spectrum the size of a word: the preview of a dataset as inline SVG."""

from __future__ import annotations

import numpy as np

from measurements.data import Array

MARGIN = 2.0


def sparkline(preview: bytes, width: int, height: int) -> str:
    """`preview`: float32 x values, then as many float32 y values. Broken bytes draw nothing."""
    values = np.frombuffer(preview[: len(preview) // 8 * 8], dtype="<f4").astype(float)
    x, y = values[: len(values) // 2], values[len(values) // 2 :]
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 2:
        return ""
    order = np.argsort(x[known], kind="stable")
    across = _scaled(x[known][order], MARGIN, width - MARGIN)
    up = _scaled(y[known][order], height - MARGIN, MARGIN)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
    return (
        f'<svg class="sparkline" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-hidden="true"><polyline points="{points}" fill="none" stroke="currentColor" '
        f'stroke-width="1.2" stroke-linejoin="round"/></svg>'
    )


def _scaled(values: Array, start: float, end: float) -> Array:
    low, high = float(values.min()), float(values.max())
    if high == low:
        return np.full_like(values, (start + end) / 2)
    return start + (values - low) / (high - low) * (end - start)
