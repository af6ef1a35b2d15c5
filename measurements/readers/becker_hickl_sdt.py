"""Becker & Hickl's own data files (.sdt): a header of offsets, texts, descriptions, then blocks of photons.

    header      42 bytes: where the texts, descriptions and the first block are; 5555 hex: it is whole
    *IDENTIFICATION … *END    what was typed in
    *SETUP … *END             parameters, then a binary part that only SPCM needs
    descriptions of measurements: range of the converter, number of channels, size of an image
    blocks, each with a header of 22 bytes that says where the next one is; counts of 16 or 32 bits, or zipped

A block with one decay is a curve; one with several (channels of a detector, pixels of an image) is their sum
and, if it is not too large, a map of all of them. Correlation and other histograms are named in the header
and not read. Written from “SPC_data_file_structure.h” of the maker.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from measurements.data import Array, Axis, Dataset, ReadError, Signal
from measurements.readers import _spcm
from measurements.readers._archive import BROKEN
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Becker & Hickl SDT",
    extensions=(".sdt",),
    vendor="Becker & Hickl",
    techniques=("trpl",),
    description="Decay curves and lifetime images of Becker & Hickl SPC modules as SPCM stores them.",
    max_bytes=128 * 1024**2,
)
VERSION = 1

HEADER = "<hihihihIihhHIHH"
HEADER_FIELDS = (
    "revision", "info_offs", "info_length", "setup_offs", "setup_length", "data_block_offs",
    "no_of_data_blocks", "data_block_length", "meas_desc_block_offs", "no_of_meas_desc_blocks",
    "meas_desc_block_length", "header_valid", "reserved1", "reserved2", "chksum",
)  # fmt: skip
VALID, VALID_AT = 0x5555, 32
MANY_BLOCKS = 0x7FFF
MOST_BLOCKS = 10_000
MOST_BYTES = 256 * 1024**2
HUGE_BLOCKS_REVISION = 15
BLOCK_BYTES = 22
# where these are in a description: (struct code, byte)
TAC_RANGE, TAC_GAIN, CHANNELS = ("<f", 64), ("<h", 68), ("<H", 82)
COLLECTION, MODULE, STOP_TIME = ("<f", 92), 117, ("<f", 215)
SCAN, IMAGE = ("<2i", 173), ("<2i", 309)
DECAYS, PAGE, IMAGE_BLOCK = 0x00, 0x10, 0x60
CONTENTS = {
    0x20: "FCS curve", 0x30: "FIDA histogram", 0x40: "FILDA histogram", 0x50: "MCS curve",
    0x70: "MCSTA curve", 0x80: "MCS image", 0x90: "moments", 0xA0: "intensity image",
}  # fmt: skip
TYPES = {0x000: "<u2", 0x100: "<u4", 0x200: "<f8"}
ZIPPED = 0x1000
MOST_MAP_VALUES = 16 * 1024**2


class Block(NamedTuple):
    """`kind` holds contents, type and compression as bits; `length` counts bytes that are not compressed."""

    number: int
    data_at: int
    next_at: int
    kind: int
    description: int
    length: int


def recognises(head: bytes, filename: str) -> bool:
    is_whole = head[VALID_AT : VALID_AT + 2] == VALID.to_bytes(2, "little")
    return is_whole and b"*IDENTIFICATION" in head[:4096]


def read(path: Path) -> list[Dataset]:
    data = Bytes.of(path)
    told = dict(zip(HEADER_FIELDS, data.unpack(HEADER, 0), strict=True))
    if told["header_valid"] != VALID:
        raise ReadError(
            "the header says of itself that it is not valid. The measurement was probably not saved to its "
            "end: save it again from SPCM.",
            byte=VALID_AT,
        )
    header = _texts(data, told)
    datasets: list[Dataset] = []
    announced = 0
    for block in _blocks(data, told):
        contents = block.kind & 0xF0
        announced += block.length
        if announced > MOST_BYTES:
            raise ReadError(
                f"its blocks announce more than {MOST_BYTES / 1e6:.0f} MB of counts. Export the curves "
                "that you need as text."
            )
        if contents in (DECAYS, PAGE, IMAGE_BLOCK):
            datasets += _decays(data, block, told, header)
        else:
            header[f"block {block.number}"] = f"{CONTENTS.get(contents, 'unknown contents')}, not read"
    if not datasets:
        raise ReadError("there is no block of decays in it. Export its curves as text from SPCM.")
    return datasets


def _texts(data: Bytes, told: Mapping[str, int]) -> dict[str, str]:
    info = data.raw(told["info_offs"], told["info_length"]).decode("latin-1")
    header = _spcm.settings(_plain(info))
    if told["setup_length"] > 0:
        # Newer setups are longer than 16 bits can say; their binary part is of no use here.
        end = min(max(told["data_block_offs"], 0), len(data))
        size = max(told["setup_length"], end - told["setup_offs"])
        setup = data.raw(told["setup_offs"], min(size, len(data) - told["setup_offs"]))
        text = setup.split(b"BIN_PARA_BEGIN")[0].split(b"\n*END")[0].decode("latin-1")
        for key, value in _spcm.settings(_plain(text)).items():
            header[f"setup.{key}" if key in header else key] = value
    return header


def _plain(text: str) -> list[str]:
    return [line.rstrip() for line in text.replace("\0", "").splitlines() if not line.startswith("*")]


def _blocks(data: Bytes, told: Mapping[str, int]) -> Iterator[Block]:
    count = told["no_of_data_blocks"]
    count = told["reserved1"] if count == MANY_BLOCKS else count
    if not 0 < count <= MOST_BLOCKS:
        raise ReadError(
            f"{count} blocks are announced; up to {MOST_BLOCKS} are read. The file may be damaged."
        )
    at = told["data_block_offs"]
    for number in range(1, count + 1):
        if told["revision"] & 0xF >= HUGE_BLOCKS_REVISION:
            high_data, high_next, low_data, low_next, kind, description, _, length = data.unpack(
                "<BBIIHhII", at
            )
            data_at, next_at = high_data << 32 | low_data, high_next << 32 | low_next
        else:
            _, data_at, next_at, kind, description, _, length = data.unpack("<hiiHhII", at)
        yield Block(number, data_at, next_at, kind, description, length)
        at = next_at


def _decays(data: Bytes, block: Block, told: Mapping[str, int], header: Mapping[str, str]) -> list[Dataset]:
    if not 0 <= block.description < told["no_of_meas_desc_blocks"]:
        raise ReadError(
            f"block {block.number} belongs to the description {block.description}, which the file does not "
            "hold. The file is damaged: copy it again."
        )
    at = told["meas_desc_block_offs"] + block.description * told["meas_desc_block_length"]
    about = Bytes(data.raw(at, told["meas_desc_block_length"]))
    channels = about.one(*CHANNELS) or 65536
    width_s = float(about.one(*TAC_RANGE)) / max(about.one(*TAC_GAIN), 1) / channels
    if not (np.isfinite(width_s) and width_s > 0):
        raise ReadError(f"the width of a channel is {width_s:g} s, which cannot be. The file is damaged.")
    counts = _counts(data, block)
    if counts.size % channels or not counts.size:
        raise ReadError(
            f"block {block.number} has {counts.size} counts, which is no whole number of curves with "
            f"{channels} channels. The file is damaged: copy it again."
        )
    curves = counts.reshape(-1, channels)
    times = Axis("Time", "ns", np.arange(channels, dtype=np.float64) * (width_s * 1e9))
    conditions = {
        **_spcm.conditions(header),
        **condition("channel_width", width_s, "s"),
        **condition("exposure_time", _positive(about, STOP_TIME) or _positive(about, COLLECTION), "s"),
        **condition("instrument", about.text(MODULE, 16) if len(about) >= MODULE + 16 else None),
    }

    def dataset(values: Array, axes: tuple[Axis, ...], title: str) -> Dataset:
        own = {**header, "block": f"{block.number}", "module": about.text(20, 16)}
        return Dataset(Signal("Counts", "counts", values), axes, own, None, conditions, title, "trpl")

    name = f"Block {block.number}"
    if len(curves) == 1:
        return [dataset(curves[0].astype(np.float64), (times,), name)]
    datasets = [
        dataset(curves.sum(axis=0, dtype=np.float64), (times,), f"{name}, sum of {len(curves)} curves")
    ]
    if counts.size <= MOST_MAP_VALUES:
        axes = _map_axes(about, len(curves))
        shape = (*(axis.values.size for axis in axes), channels)
        datasets.append(
            dataset(curves.astype(np.float64).reshape(shape), (*axes, times), f"{name}, all curves")
        )
    return datasets


def _positive(about: Bytes, field: tuple[str, int]) -> float | None:
    layout, at = field
    value = float(about.one(layout, at)) if len(about) >= at + 4 else 0.0
    return value if np.isfinite(value) and value > 0 else None


def _map_axes(about: Bytes, curves: int) -> tuple[Axis, ...]:
    """Rows and columns of the image if they fit the number of curves, else the number of the curve."""
    for layout, at in (IMAGE, SCAN):
        if len(about) >= at + 8:
            columns, rows = about.unpack(layout, at)
            if columns > 0 and rows > 0 and columns * rows == curves:
                sizes = {"y": rows, "x": columns}
                return tuple(Axis(name, "1", np.arange(n, dtype=np.float64)) for name, n in sizes.items())
    return (Axis("Curve", "1", np.arange(1, curves + 1, dtype=np.float64)),)


def _counts(data: Bytes, block: Block) -> np.ndarray:
    dtype = TYPES.get(block.kind & 0xF00)
    if dtype is None:
        raise ReadError(
            f"counts of the type {block.kind & 0xF00:#x} are not known. Export the curves as text."
        )
    count = block.length // np.dtype(dtype).itemsize
    if not block.kind & ZIPPED:
        return data.array(dtype, count, block.data_at)
    if count > MOST_VALUES:
        raise ReadError(
            f"block {block.number} announces {count} counts, which cannot be. The file is damaged."
        )
    end = block.next_at if block.next_at > block.data_at else len(data)
    packed = data.raw(block.data_at, min(end, len(data)) - block.data_at)
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open(archive.infolist()[0]) as member:
            unpacked = member.read(block.length)
    except BROKEN as error:
        raise ReadError(
            f"the zipped block {block.number} cannot be unpacked ({error}). The file is damaged: copy it "
            "again.",
            byte=block.data_at,
        ) from None
    return Bytes(unpacked).array(dtype, count, 0)
