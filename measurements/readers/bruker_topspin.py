"""Bruker TopSpin and XWIN-NMR: an experiment is a folder.

    acqus, acqu2s …         how it was measured, as JCAMP-like parameters
    fid  or  ser            the signal in time: integers or doubles, real and imaginary in turn
    pdata/1/procs, 1r, 1i   the spectrum that was made of it, scaled by 2^NC_proc
    pdata/1/2rr             the same for two dimensions, in blocks

Dataset 0 is the first processed spectrum; then its imaginary part, further processings, the signal in time.
The delay of the digital filter (GRPDLY points) is left in the signal. DATE counts seconds in UTC. No errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import Bytes
from measurements.readers._text import as_number, decoded
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Bruker TopSpin",
    extensions=(".zip",),
    vendor="Bruker",
    techniques=("nmr",),
    description="NMR experiments as TopSpin keeps them: the folder with acqus, fid or ser and pdata, zipped.",
    folder=True,
    gaps="imaginary parts of planes; anything of three dimensions",
)
VERSION = 1

PARAMETER = re.compile(r"^##(\$?)([^=\n]+)= ?(.*?)(?=^##|^\$\$|\Z)", re.MULTILINE | re.DOTALL)
DATA_FILES = {"fid", "ser", "1r", "1i", "2rr"}
ALONE = {"fid", "ser", "1r", "1i", "2rr", "2ri", "2ir", "2ii"}
MOST_EXPERIMENTS = 200
BLOCK_BYTES = 1024  # a row of a ser file is filled up to a multiple of this
ONE_CHANNEL = {"0", "2"}  # AQ_mod qf and qseq: no imaginary part


def recognises_names(names: Sequence[str]) -> bool | float:
    last = {name.rpartition("/")[2] for name in names}
    if "acqus" in last or "procs" in last:
        return True if last & DATA_FILES else 0.5
    return False


def recognises(head: bytes, filename: str) -> bool | float:
    """A single file out of the folder: taken only to say what is missing."""
    if head.startswith(b"##TITLE=") and b"##$" in head[:4000] and b"Parameter" in head[:400]:
        return 0.95
    name = re.split(r"[/\\]", filename)[-1]
    return 0.6 if name in ALONE and b"\0" in head else False


def read(path: Path) -> list[Dataset]:
    if not path.is_dir():
        raise ReadError(
            "this is one file of a Bruker TopSpin experiment; alone it does not say how it was measured. "
            "Send the whole folder, with acqus and pdata, as a zip."
        )
    experiments = sorted(
        {file.parent for file in path.rglob("acqus")}
        | {file.parents[2] for file in path.rglob("pdata/*/procs") if len(file.parents) > 2},
        key=_natural,
    )
    if not experiments:
        raise ReadError(
            "the folder holds no acqus. Zip the folder of the experiment itself, with its number."
        )
    if len(experiments) > MOST_EXPERIMENTS:
        raise ReadError(f"the folder holds {len(experiments)} experiments; send up to {MOST_EXPERIMENTS}.")
    datasets = [
        dataset
        for experiment in experiments
        for dataset in _experiment(experiment, f"{experiment.name}: " if len(experiments) > 1 else "")
    ]
    if not datasets:
        raise ReadError(
            "the folder has parameters (acqus) but neither fid, ser nor a processed spectrum. Was it cleaned "
            "up? Copy it again from the spectrometer."
        )
    return datasets


def _experiment(folder: Path, prefix: str) -> Iterator[Dataset]:
    acqus = _parameters(folder / "acqus")
    acqu2s = _parameters(folder / "acqu2s")
    for processing in sorted((folder / "pdata").glob("*"), key=_natural):
        if (processing / "procs").is_file():
            yield from _spectra(processing, acqus, prefix)
    for name in ("fid", "ser"):
        if (folder / name).is_file():
            yield from _in_time(folder / name, acqus, acqu2s, prefix)


def _natural(path: Path) -> tuple[list[str], int, str]:
    """Experiment 10 comes after experiment 2."""
    number = int(path.name) if path.name.isdecimal() and len(path.name) < 10 else 10**9
    return list(path.parts[:-1]), number, path.name


def _parameters(path: Path) -> dict[str, str]:
    """A file of parameters, verbatim; lists are joined into one line. {} when there is no such file."""
    if not path.is_file():
        return {}
    text = decoded(path.read_bytes())
    parameters = {
        key.strip(): " ".join(value.split()).removeprefix("<").removesuffix(">")
        for _, key, value in PARAMETER.findall(text)
    }
    parameters.pop("END", None)
    return parameters


def _number(parameters: Mapping[str, str], key: str, fallback: float | None = None) -> float:
    value = as_number(parameters.get(key, ""))
    if value is None or not np.isfinite(value):
        if fallback is None:
            raise ReadError(f"the parameter {key} is missing or no number. Copy the folder again.")
        return fallback
    return value


def _positive(parameters: Mapping[str, str], key: str) -> float:
    value = _number(parameters, key)
    if value <= 0:
        raise ReadError(f"the parameter {key} is {value:g}, but must be above zero. Copy the folder again.")
    return value


def _stored(path: Path, byte_order: str, number_type: str) -> Array:
    """All numbers of a data file; types are those of acqus (DTYPA) and procs (DTYPP)."""
    order = ">" if byte_order == "1" else "<"
    kind = f"{order}f8" if number_type == "2" else f"{order}i4"
    content = Bytes.of(path)
    return content.floats(kind, len(content) // int(kind[-1]), 0)


def _spectra(folder: Path, acqus: Mapping[str, str], prefix: str) -> Iterator[Dataset]:
    procs = _parameters(folder / "procs")
    header, conditions = _described(acqus, procs, folder)
    scale = 2.0 ** min(max(_number(procs, "NC_proc", 0.0), -100), 100)
    acquired_at = _acquired_at(acqus)
    if (folder / "2rr").is_file():
        proc2s = _parameters(folder / "proc2s")
        values = _stored(folder / "2rr", procs.get("BYTORDP", "0"), procs.get("DTYPP", "0"))
        plane = _unblocked(values, procs, proc2s) * scale
        header |= {f"proc2s.{key}": value for key, value in proc2s.items()}
        yield Dataset(
            Signal("Intensity", "", plane),
            (_ppm(proc2s, plane.shape[0], "Chemical shift F1"),
             _ppm(procs, plane.shape[1], "Chemical shift")),
            header, acquired_at, conditions, f"{prefix}spectrum {folder.name}, 2D",
        )  # fmt: skip
    for name, part in (("1r", "real"), ("1i", "imaginary")):
        if (folder / name).is_file():
            values = _stored(folder / name, procs.get("BYTORDP", "0"), procs.get("DTYPP", "0")) * scale
            if values.size:
                yield Dataset(
                    Signal(_name(part), "", values), (_ppm(procs, values.size, "Chemical shift"),),
                    header, acquired_at, conditions, f"{prefix}spectrum {folder.name}, {part}",
                )  # fmt: skip


def _ppm(procs: Mapping[str, str], points: int, name: str) -> Axis:
    """OFFSET is the shift of the first point; the width SW_p is in Hz, of the reference SF in MHz."""
    width_ppm = _positive(procs, "SW_p") / _positive(procs, "SF")
    return _axis(
        name, "ppm", _number(procs, "OFFSET") - np.arange(points, dtype=np.float64) * (width_ppm / points)
    )


def _name(part: str) -> str:
    """Parts differ in the name of their signal, so that only like is put together with like."""
    return "Intensity, imaginary" if "imaginary" in part else "Intensity"


def _axis(name: str, unit: str, values: Array) -> Axis:
    if not np.all(np.isfinite(values)):
        raise ReadError("the parameters of the folder make no axis; one of them is damaged. Copy it again.")
    return Axis(name, unit, values)


def _unblocked(values: Array, procs: Mapping[str, str], proc2s: Mapping[str, str]) -> Array:
    """TopSpin stores a plane in blocks of XDIM by XDIM points, row by row of blocks."""
    size_2, size_1 = int(_positive(procs, "SI")), int(_positive(proc2s, "SI"))
    block_2, block_1 = int(_number(procs, "XDIM", 0)) or size_2, int(_number(proc2s, "XDIM", 0)) or size_1
    fits = size_1 * size_2 == values.size and block_1 > 0 and block_2 > 0
    if not fits or size_1 % block_1 or size_2 % block_2:
        raise ReadError(
            f"the plane of {size_1} × {size_2} points does not fit the {values.size} numbers of 2rr. Was the "
            "file cut off? Copy the folder again."
        )
    blocks = values.reshape(size_1 // block_1, size_2 // block_2, block_1, block_2)
    return np.ascontiguousarray(blocks.transpose(0, 2, 1, 3)).reshape(size_1, size_2)


def _in_time(
    path: Path, acqus: Mapping[str, str], acqu2s: Mapping[str, str], prefix: str
) -> Iterator[Dataset]:
    values = _stored(path, acqus.get("BYTORDA", "0"), acqus.get("DTYPA", "0"))
    if not values.size:
        return
    header, conditions = _described(acqus, {}, path.parent)
    header |= {f"acqu2s.{key}": value for key, value in acqu2s.items()}
    width_hz = _positive(acqus, "SW_h")
    rows = _rows(values, acqus) if path.name == "ser" else values[np.newaxis, :]
    single = acqus.get("AQ_mod") in ONE_CHANNEL
    parts = {"": rows} if single else {", real": rows[:, 0::2], ", imaginary": rows[:, 1::2]}
    for part, numbers in parts.items():
        time = _axis("Time", "s", np.arange(numbers.shape[1]) / (width_hz * (2 if single else 1)))
        increments = Axis("Increment", "1", np.arange(numbers.shape[0], dtype=np.float64))
        flat = path.name == "fid"
        yield Dataset(
            Signal(_name(part), "", np.ascontiguousarray(numbers[0] if flat else numbers)),
            (time,) if flat else (increments, time),
            header, _acquired_at(acqus), conditions, f"{prefix}signal in time{part}",
        )  # fmt: skip


def _rows(values: Array, acqus: Mapping[str, str]) -> Array:
    """The rows of a ser file, without what fills each up to a whole block."""
    points = int(_positive(acqus, "TD"))
    per_block = BLOCK_BYTES // (8 if acqus.get("DTYPA") == "2" else 4)
    filled = -(-points // per_block) * per_block
    for length in (filled, points):
        if values.size % length == 0:
            return values.reshape(-1, length)[:, :points]
    if values.size < points:
        raise ReadError(f"ser holds {values.size} numbers, but one row has {points}. Copy the folder again.")
    raise ReadError(
        f"the {values.size} numbers of ser are no whole rows of {points}. Was it cut off? Copy the folder "
        "again."
    )


def _described(
    acqus: Mapping[str, str], procs: Mapping[str, str], folder: Path
) -> tuple[dict[str, str], dict[str, Quantity]]:
    header = {f"acqus.{key}": value for key, value in acqus.items()}
    header |= {f"procs.{key}": value for key, value in procs.items()}
    title = next((file for file in sorted(folder.glob("**/title")) if file.is_file()), None)
    if title is not None:
        header["title"] = decoded(title.read_bytes()).strip()
    delays = acqus.get("D", "").partition(")")[2].split()
    conditions = {
        **condition("nucleus", acqus.get("NUC1") or procs.get("AXNUC")),
        **condition("larmor_frequency", acqus.get("SFO1"), "MHz"),
        **condition("spectral_width", acqus.get("SW_h"), "Hz"),
        **condition("pulse_program", acqus.get("PULPROG")),
        **condition("accumulations", acqus.get("NS"), "1"),
        **condition("recycle_delay", delays[1] if len(delays) > 1 else None, "s"),
        **condition("solvent", acqus.get("SOLVENT") if acqus.get("SOLVENT") != "None" else None),
        **condition("instrument", acqus.get("INSTRUM")),
        **condition("sample_name", header.get("title")),
    }
    if _number(acqus, "TE", 0.0) > 0:
        conditions |= condition("temperature", acqus["TE"], "K")
    # Every probe has a MASR, also those that cannot spin at the magic angle; only their names tell.
    if "MAS" in acqus.get("PROBHD", "").upper() and _number(acqus, "MASR", 0.0) > 0:
        conditions |= condition("mas_rate", acqus["MASR"], "Hz")
    return header, conditions


def _acquired_at(acqus: Mapping[str, str]) -> datetime | None:
    seconds = as_number(acqus.get("DATE", ""))
    if seconds is None or not 10**8 < seconds < 2**33:
        return None
    return datetime.fromtimestamp(seconds, UTC)
