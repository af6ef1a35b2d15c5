"""Varian and Agilent VnmrJ: a folder name.fid with the signal in time, parameters, the operator's words.

    fid       32 bytes of header, then blocks; each has headers of 28 bytes and its traces, all big-endian
    procpar   parameters: a line of their attributes, a line with how many values and the values
    text      what the operator typed

Written after VnmrJ's programming manual. The scaling in the block headers is not applied, as no program does.
Times in procpar have no zone. No errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._text import as_number, decoded
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Varian VnmrJ",
    extensions=(".zip", ".fid"),
    vendor="Varian / Agilent",
    techniques=("nmr",),
    description="NMR experiments as VnmrJ keeps them: the folder name.fid with fid and procpar, zipped.",
    folder=True,
    gaps="processed spectra",
)
VERSION = 2

FILE_HEADER = ">6i2hi"  # nblocks, ntraces, np, ebytes, tbytes, bbytes, vers_id, status, nbheaders
FILE_HEADER_BYTES, BLOCK_HEADER_BYTES = 32, 28
IS_INT32, IS_FLOAT = 0x4, 0x8
MOST_FOLDERS = 200


def recognises_names(names: Sequence[str]) -> bool | float:
    last = {name.rpartition("/")[2] for name in names}
    return {"fid", "procpar"} <= last


def recognises(head: bytes, filename: str) -> bool | float:
    """A single file out of the folder: taken only to say what is missing."""
    if len(head) > FILE_HEADER_BYTES:
        _, traces, points, element, trace, block, _, _, headers = Bytes(head).unpack(FILE_HEADER, 0)
        fits = element in (2, 4) and 0 < points < MOST_VALUES and traces > 0 and 0 < headers < 10
        if fits and trace == points * element and block == traces * trace + headers * BLOCK_HEADER_BYTES:
            return 0.9
    first = head[:200].split(b"\n")[0].split()
    return 0.9 if len(first) == 11 and head[:1].isalpha() and all(map(_is_number, first[1:])) else False


def _is_number(word: bytes) -> bool:
    return as_number(word.decode("latin-1")) is not None


def read(path: Path) -> list[Dataset]:
    if not path.is_dir():
        raise ReadError(
            "this is one file of a VnmrJ experiment; alone it does not say how it was measured. Send the "
            "whole folder, with fid and procpar, as a zip."
        )
    folders = sorted(file.parent for file in path.rglob("fid") if (file.parent / "procpar").is_file())
    if not folders:
        raise ReadError("the folder holds no fid with a procpar beside it. Zip the folder name.fid itself.")
    if len(folders) > MOST_FOLDERS:
        raise ReadError(f"the folder holds {len(folders)} experiments; send up to {MOST_FOLDERS}.")
    datasets: list[Dataset] = []
    for folder in folders:
        prefix = f"{folder.name.removesuffix('.fid')}: " if len(folders) > 1 else ""
        datasets += _experiment(folder, prefix)
    return datasets


def _experiment(folder: Path, prefix: str) -> Iterator[Dataset]:
    parameters = _parameters(decoded((folder / "procpar").read_bytes()))
    rows = _rows(Bytes.of(folder / "fid"))
    width_hz = as_number(_first(parameters, "sw"))
    if width_hz is None or not width_hz > 0:
        raise ReadError("procpar gives no spectral width (sw) above zero. Copy the folder again.")
    header = {name: ", ".join(values) for name, values in parameters.items()}
    if (folder / "text").is_file():
        header["text"] = decoded((folder / "text").read_bytes()).strip()
    conditions = _conditions(parameters, header)
    for part, numbers in (("real", rows[:, 0::2]), ("imaginary", rows[:, 1::2])):
        values = numbers.astype(np.float64)
        seconds = np.arange(values.shape[1], dtype=np.float64) / width_hz
        if not np.all(np.isfinite(seconds)):
            raise ReadError(f"a spectral width of {width_hz:g} Hz makes no axis. Copy the folder again.")
        time = Axis("Time", "s", seconds)
        flat = len(values) == 1
        name = "Intensity" if part == "real" else "Intensity, imaginary"
        yield Dataset(
            Signal(name, "", values[0] if flat else values),
            (time,) if flat else (_arrayed(parameters, len(values)), time),
            header=header, conditions=conditions, title=f"{prefix}signal in time, {part}",
        )  # fmt: skip


def _rows(content: Bytes) -> NDArray[np.generic]:
    """Every trace of every block: real and imaginary in turn."""
    blocks, traces, points, element, trace, block, _, status, headers = content.unpack(FILE_HEADER, 0)
    kind = ">f4" if status & IS_FLOAT else ">i4" if status & IS_INT32 else ">i2"
    size = np.dtype(kind).itemsize
    if min(blocks, traces, points, headers) < 1 or element != size or trace != points * size:
        raise ReadError("the header of fid contradicts itself. Copy the folder again.", byte=0)
    if block != traces * trace + headers * BLOCK_HEADER_BYTES or points % 2:
        raise ReadError("the header of fid announces blocks of an impossible size. Copy it again.", byte=20)
    content.need(FILE_HEADER_BYTES, blocks * block)
    raw = content.array("u1", blocks * block, FILE_HEADER_BYTES).reshape(blocks, block)
    numbers = np.ascontiguousarray(raw[:, headers * BLOCK_HEADER_BYTES :]).view(kind)
    with np.errstate(invalid="ignore"):
        return numbers.reshape(blocks * traces, points)


def _parameters(text: str) -> dict[str, list[str]]:
    """Values by name. Strings stand in quotes, one to a line, the first in the line of their number."""
    parameters: dict[str, list[str]] = {}
    lines = iter(text.splitlines())
    for line in lines:
        attributes = line.split()
        if len(attributes) < 10 or not attributes[0][0].isalpha():
            continue
        count, _, rest = next(lines, "").strip().partition(" ")
        if not count.isdecimal() or int(count) > len(text):
            continue
        if attributes[2] == "2":  # a string
            values = [rest.strip(), *(next(lines, "").strip() for _ in range(int(count) - 1))]
            parameters[attributes[0]] = [value.removeprefix('"').removesuffix('"') for value in values]
        else:
            parameters[attributes[0]] = rest.split()
    return parameters


def _first(parameters: Mapping[str, list[str]], name: str) -> str:
    return next(iter(parameters.get(name, [])), "")


def _arrayed(parameters: Mapping[str, list[str]], rows: int) -> Axis:
    """What was varied from row to row, if it was one parameter; else, or if it only repeats, a count."""
    name = _first(parameters, "array")
    values = [as_number(value) for value in parameters.get(name, [])]
    numbers = {value for value in values if value is not None and np.isfinite(value)}
    if len(values) == rows and None not in values and len(numbers) == rows:
        return Axis(name, "", np.array(values, dtype=np.float64))
    return Axis("Increment", "1", _counted(rows))


def _counted(rows: int) -> Array:
    return np.arange(rows, dtype=np.float64)


def _conditions(parameters: Mapping[str, list[str]], header: Mapping[str, str]) -> dict[str, Quantity]:
    nucleus = _first(parameters, "tn")
    isotope = nucleus.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    return {
        **condition("nucleus", isotope + nucleus.removesuffix(isotope) if isotope else nucleus),
        **condition("larmor_frequency", _first(parameters, "sfrq") or None, "MHz"),
        **condition("spectral_width", _first(parameters, "sw") or None, "Hz"),
        **condition("pulse_program", _first(parameters, "seqfil") or _first(parameters, "pslabel")),
        **condition("accumulations", _first(parameters, "ct") or _first(parameters, "nt") or None, "1"),
        **condition("recycle_delay", _first(parameters, "d1") or None, "s"),
        **condition("temperature", _first(parameters, "temp") or None, "°C"),
        **condition("mas_rate", _first(parameters, "srate") or None, "Hz"),
        **condition("solvent", _first(parameters, "solvent")),
        **condition("sample_name", _first(parameters, "samplename") or header.get("text")),
        **condition("local_time", _first(parameters, "time_run") or _first(parameters, "date")),
    }
