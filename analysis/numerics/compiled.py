"""When numba is worth it: it compiles for seconds, which one spectrum does not pay back.

    .venv/bin/python -m analysis.numerics.compiled

compiles all kernels into NUMBA_CACHE_DIR, so that from then on every fit that gains from them uses them.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

LARGE = 4_000_000  # numbers to fit; compiling takes as long as NumPy takes for some hundred times as many


def has_numba() -> bool:
    return importlib.util.find_spec("numba") is not None


def pays(kernel: str, numbers: int) -> bool:
    """Whether to use the kernel of this module: it is loaded, or compiled on disk, or the work is large."""
    if not has_numba():
        return False
    return numbers >= LARGE or f"{__package__}.{kernel}" in sys.modules or _is_on_disk(kernel)


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
