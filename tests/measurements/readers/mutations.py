"""Files as they come out of a broken transfer or a hostile hand.

Truncated at twenty places, two hundred random byte flips, lines of the header swapped. Whatever is done to a
file, a reader gives a ReadError or datasets, within ten seconds and a gigabyte, and nothing else. From the
command line: `python -m tests.measurements.readers.mutations READER_KEY FILES…`.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements import readers
from measurements.data import ReadError
from measurements.readers import HEAD_BYTES, Reader

CUTS, FLIPS, SWAPS = 20, 200, 10
LONGEST_S = 10.0
HEADER_LINES = 60


def mutations(
    content: bytes, *, seed: int, cuts: int = CUTS, flips: int = FLIPS, swaps: int = SWAPS
) -> Iterator[tuple[str, bytes]]:
    """(what was done, the bytes), reproducibly."""
    chance = random.Random(seed)
    for number in range(cuts):
        end = len(content) * number // cuts
        yield f"cut at byte {end}", content[:end]
    for _ in range(flips):
        # Headers decide more than numbers do: every second flip hits the first kilobytes.
        reach = min(len(content), 2048) if chance.random() < 0.5 else len(content)
        place, value = chance.randrange(max(reach, 1)), chance.randrange(256)
        yield f"byte {place} is {value}", content[:place] + bytes([value]) + content[place + 1 :]
    lines = content.split(b"\n", HEADER_LINES)
    for _ in range(swaps if len(lines) > 2 else 0):
        one, other = chance.sample(range(len(lines) - 1), 2) if len(lines) > 3 else (0, 1)
        swapped = list(lines)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        yield f"lines {one + 1} and {other + 1} swapped", b"\n".join(swapped)


def offence(reader: Reader, path: Path, name: str) -> str:
    """What `reader` did wrong with the file, or "": it read it, or refused it in a sentence."""
    begun = time.perf_counter()
    try:
        with path.open("rb") as file:
            reader.confidence(file.read(HEAD_BYTES), name)
        datasets = readers.read(reader, path)
    except ReadError as error:
        return "" if str(error).strip() else "refused without a sentence"
    except Exception:
        return traceback.format_exc(limit=-4)
    took_s = time.perf_counter() - begun
    if took_s > LONGEST_S:
        return f"took {took_s:.0f} s"
    if not all(np.all(np.isfinite(axis.values)) for dataset in datasets for axis in dataset.axes):
        return "an axis holds NaN or infinity"
    return ""


def offences(reader: Reader, source: Path, **how_many: int) -> Iterator[str]:
    """Everything that `reader` does wrong with mutations of the file `source`."""
    content = source.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutated"
        for done, mutated in mutations(content, seed=len(content), **how_many):
            path.write_bytes(mutated)
            if wrong := offence(reader, path, source.name):
                yield f"{reader.key} with {source.name}, {done}: {wrong}"


def main() -> int:
    reader = readers.get(sys.argv[1])
    found = 0
    for name in sys.argv[2:]:
        source = Path(name)
        begun = time.perf_counter()
        for sentence in offences(reader, source):
            found += 1
            print(sentence)
        print(f"{source.name}: {time.perf_counter() - begun:.1f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
