"""PicoQuant's records of single photons, 32 bits each: what they mean for each instrument.

T2 records hold the time of each photon since the start; T3 records hold the number of the laser pulse and the
time of the photon after it. Special records carry markers, or say that a counter has run over.

PicoQuant publishes the bits with its demo programs (https://github.com/PicoQuant/PicoQuant-Time-Tagged-File-
Format-Demos).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.uint32]
Whole = NDArray[np.int64]


class Kind(NamedTuple):
    """`mode` 2 or 3; `family` “picoharp” or “hydraharp”; `first_version` of the HydraHarp's records."""

    mode: int
    family: str
    first_version: bool


KINDS = {
    0x00010203: Kind(2, "picoharp", False), 0x00010303: Kind(3, "picoharp", False),
    0x00010204: Kind(2, "hydraharp", True), 0x00010304: Kind(3, "hydraharp", True),
    0x01010204: Kind(2, "hydraharp", False), 0x01010304: Kind(3, "hydraharp", False),
    0x00010205: Kind(2, "hydraharp", False), 0x00010305: Kind(3, "hydraharp", False),
    0x00010206: Kind(2, "hydraharp", False), 0x00010306: Kind(3, "hydraharp", False),
    0x00010207: Kind(2, "hydraharp", False), 0x00010307: Kind(3, "hydraharp", False),
}  # fmt: skip
PICOHARP_SPECIAL, HYDRAHARP_OVERFLOW = 0xF, 0x3F
PICOHARP_T2_WRAP, HYDRAHARP_1_T2_WRAP, HYDRAHARP_T2_WRAP = 210_698_240, 33_552_000, 2**25
DELAYS = {"picoharp": 2**12, "hydraharp": 2**15}


class Photons(NamedTuple):
    """Of each photon: the input channel, counted from 0, and its time or delay in units of the clock."""

    channels: Whole
    times: Whole
    overflow: int  # what is to be added to the times of the next records; T2 alone


def t2(records: Records, kind: Kind, overflow: int) -> Photons:
    """Times since the start. The sync input, where it is recorded, is channel −1."""
    if kind.family == "picoharp":
        channel, time = (records >> 28).astype(np.int64), (records & 0xFFFFFFF).astype(np.int64)
        special = channel == PICOHARP_SPECIAL
        wraps = np.where(special & ((time & 0xF) == 0), PICOHARP_T2_WRAP, 0)
        photon, inputs = ~special, channel
    else:
        channel, time = ((records >> 25) & 0x3F).astype(np.int64), (records & 0x1FFFFFF).astype(np.int64)
        special = (records >> 31).astype(bool)
        ran_over = special & (channel == HYDRAHARP_OVERFLOW)
        if kind.first_version:
            wraps = np.where(ran_over, HYDRAHARP_1_T2_WRAP, 0)
        else:
            wraps = np.where(ran_over, HYDRAHARP_T2_WRAP * np.maximum(time, 1), 0)
        sync = special & (channel == 0)
        photon, inputs = ~special | sync, np.where(sync, -1, channel)
    totals = overflow + np.cumsum(wraps)
    last = int(totals[-1]) if totals.size else overflow
    return Photons(inputs[photon], (time + totals)[photon], last)


def t3(records: Records, kind: Kind) -> Photons:
    """Delays after the laser pulse."""
    if kind.family == "picoharp":
        channel, delay = (records >> 28).astype(np.int64), ((records >> 16) & 0xFFF).astype(np.int64)
        photon, inputs = (channel != PICOHARP_SPECIAL) & (channel > 0), channel - 1
    else:
        channel, delay = (
            ((records >> 25) & 0x3F).astype(np.int64),
            ((records >> 10) & 0x7FFF).astype(np.int64),
        )
        photon, inputs = ~(records >> 31).astype(bool), channel
    return Photons(inputs[photon], delay[photon], 0)
