"""Readers in a child process, as the worker runs them: a bad file may make HDF5 end its process."""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import time
from dataclasses import replace
from pathlib import Path

from measurements.data import Dataset
from measurements.readers import Reader
from measurements.sandbox import COMPUTE_S, MEMORY_BYTES, read_limited
from tests.measurements.readers.mutations import offence


def in_a_child(reader: Reader, folder: Path) -> Reader:
    """The same reader; whatever happens to its process becomes a ReadError, or the mistake that it is."""

    def read(path: Path) -> list[Dataset]:
        def numbered() -> dict[str, Dataset]:
            return {str(number): dataset for number, dataset in enumerate(reader.read(path))}

        return list(read_limited(numbered, folder / "exchange").values())

    return replace(reader, read=read)


def offences_of_many(reader: Reader, tried: list[tuple[str, bytes]], name: str, folder: Path) -> list[str]:
    """What `reader` does wrong with many files, in as few processes as survive them.

    A process that HDF5 ends takes one file with it, as in the worker; the next one goes on behind it.
    """
    wrong: list[str] = []
    at = 0
    while at < len(tried):
        incoming, outgoing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(incoming)
            _try_from(reader, tried, at, name, folder, outgoing)
        os.close(outgoing)
        with os.fdopen(incoming) as pipe:
            for line in pipe:
                done, _, said = line.rstrip("\n").partition("\t")
                at = int(done) + 1
                if said:
                    wrong.append(f"{reader.key} with {name}, {tried[at - 1][0]}: {json.loads(said)}")
        _, status = os.waitpid(pid, 0)
        if at < len(tried):
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
                wrong.append(f"{reader.key} with {name}, {tried[at][0]}: took too long")
            at += 1
    return wrong


def _try_from(
    reader: Reader, tried: list[tuple[str, bytes]], at: int, name: str, folder: Path, outgoing: int
) -> None:
    try:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        with os.fdopen(outgoing, "w") as pipe:
            for number in range(at, len(tried)):
                path = folder / f"damaged-{number % 2}"
                path.write_bytes(tried[number][1])
                used = time.process_time()
                limit = int(used + COMPUTE_S + 2)
                resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
                said = offence(reader, path, name)
                pipe.write(f"{number}\t{json.dumps(said) if said else ''}\n")
                pipe.flush()
    finally:
        os._exit(0)
