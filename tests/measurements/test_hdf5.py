"""A disk that takes no more, and the HDF5 library, which must not hear of it."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from measurements.data import Axis, Dataset, Signal
from measurements.nexus import Origin, read_nxdata, tell_origin, write_nxdata

ROOT = Path(__file__).parents[2]
LIMITS_BYTES = (0, 512, 4096, 20_000, 60_000)


def spectrum(points: int = 5000) -> dict[str, Dataset]:
    x = np.linspace(500, 800, points)
    return {"data": Dataset(Signal("counts", "1", np.cos(x)), (Axis("wavelength", "nm", x),))}


def files_grow_no_further_than(limit_bytes: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))


def meet_a_full_disk(folder: Path) -> None:
    """In a process of its own: each refusal is an OSError, and sound files are read and written after it."""
    write_nxdata(folder / "sound.nxs", spectrum())
    for limit_bytes in LIMITS_BYTES:
        files_grow_no_further_than(limit_bytes)
        with pytest.raises(OSError, match="too large"):
            write_nxdata(folder / "broken.nxs", spectrum())
        files_grow_no_further_than(resource.RLIM_INFINITY)
        for _ in range(20):
            read_nxdata(folder / "sound.nxs")
            write_nxdata(folder / "another.nxs", spectrum())
    size = (folder / "sound.nxs").stat().st_size
    files_grow_no_further_than(size)
    with pytest.raises(OSError, match="too large"):
        tell_origin(folder / "sound.nxs", Origin("PL", "1", "Vitrine" * 5000))
    files_grow_no_further_than(resource.RLIM_INFINITY)
    assert read_nxdata(folder / "another.nxs").keys() == {"data"}
    print("alive")


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs limits on the size of files")
def test_a_process_whose_disk_was_full_goes_on_with_sound_files(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from {__name__} import *; meet_a_full_disk(Path({str(tmp_path)!r}))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr
