"""When numba is worth it: it compiles for seconds, which one spectrum does not pay back.

    .venv/bin/python -m analysis.numerics.compiled

compiles all kernels into NUMBA_CACHE_DIR, so that from then on every fit that gains from them uses them.
They agree with NumPy to a thousandth of a standard error and not to the bit, so who keeps a record listens.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.metadata import version
from pathlib import Path

LARGE = 4_000_000  # numbers to fit; compiling takes as long as NumPy takes for some hundred times as many
_heard: ContextVar[dict[str, str] | None] = ContextVar("heard", default=None)


@contextmanager
def listening() -> Iterator[dict[str, str]]:
    """Filled while the block lasts: {"numba": its version} once a compiled kernel was chosen."""
    heard: dict[str, str] = {}
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


@cache
def _numba_version() -> str:
    return version("numba")


def has_numba() -> bool:
    return importlib.util.find_spec("numba") is not None


def pays(kernel: str, numbers: int) -> bool:
    """Whether to use the kernel of this module: it is loaded, or compiled on disk, or the work is large."""
    if not has_numba():
        return False
    chosen = numbers >= LARGE or f"{__package__}.{kernel}" in sys.modules or _is_on_disk(kernel)
    if chosen and (heard := _heard.get()) is not None:
        heard["numba"] = _numba_version()
    return chosen


def _is_on_disk(kernel: str) -> bool:
    """As numba's index says it; a stale one only means that compiling comes first."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    return bool(folder) and any(Path(folder or "").glob(f"*/{kernel}.*.nbi"))


def compile_all() -> None:
    import numpy as np

    from analysis.numerics import gaussians, peak_maps

    x = np.linspace(550.0, 800.0, gaussians.LONG)
    for peaks in ([[1.0, 680, 40, 1e3]], [[1.0, 680, 40, 1e3, 720, 30, 1e3]]):
        truth = np.array(peaks)
        y = gaussians.gaussian_model(x)(truth)[0]
        gaussians.fit(x, y, truth[:, None], engine="numba")
    for dtype in (np.float32, np.float64):
        peak_maps.fit(x, y.astype(dtype), engine="numba")


if __name__ == "__main__" and has_numba():
    compile_all()
