"""PicoQuant's time-tagged photons with the unified header (.ptu), T2 and T3 records of every instrument.

A T3 file becomes a decay for each input channel: how many photons came how long after the laser pulse. In a
T2 file there is no pulse: it becomes a count trace for each input channel, in steps of 10 ms, or wider for
long measurements. Where photons were recorded while a laser scanned, all pixels are added. Times have no
zone.
"""

from __future__ import annotations

from pathlib import Path

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import _photons, _tttr
from measurements.readers import _picoquant as pq
from measurements.readers._photons import Stream
from measurements.readers._picoquant import Tags
from measurements.readers.base import Format

FORMAT = Format(
    name="PicoQuant PTU photons",
    extensions=(".ptu",),
    vendor="PicoQuant",
    techniques=("trpl",),
    description="Single photons of PicoHarp, HydraHarp, TimeHarp 260 and MultiHarp: decays from T3 files, "
    "count traces from T2 files.",
    max_bytes=4 * 1024**3,
)
VERSION = 1

MAGIC = b"PQTTTR\0\0"


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC)


def read(path: Path) -> list[Dataset]:
    tags = pq.unified_header(pq.head_of(path))
    code = tags.count("TTResultFormat_TTTRRecType")
    kind = _tttr.KINDS.get(code)
    if kind is None:
        raise ReadError(
            f"records of the type {code:#x} are not known. Export the decay as text, or as a histogram (PHU)."
        )
    stream = Stream(
        path=path,
        start=tags.end,
        announced=tags.count("TTResult_NumberOfRecords"),
        kind=kind,
        clock_s=tags.number("MeasDesc_GlobalResolution") or 0.0,
        width_s=tags.number("MeasDesc_Resolution") or 0.0,
        sync_hz=tags.number("TTResult_SyncRate") or 0.0,
    )
    return _photons.datasets(stream, tags.header(), lambda channel: _conditions(tags, channel))


def _conditions(tags: Tags, channel: int) -> dict[str, Quantity]:
    counted = tags.values.get(("TTResult_InputRate", max(channel, 0)))
    return {
        **pq.rates(tags.get("TTResult_SyncRate"), counted),
        **pq.exposure(tags.get("TTResult_StopAfter") or tags.get("MeasDesc_AcquisitionTime")),
        **pq.told(
            [
                ("instrument", tags.get("HW_Type")),
                ("software", tags.get("CreatorSW_Name")),
                ("local_time", tags.get("File_CreatingTime")),
                ("comment", tags.get("File_Comment")),
            ]
        ),
    }
