"""PicoQuant PicoHarp 300 histograms (.phd) and photons (.pt2, .pt3), version 2.0: packed C structures.

A header, a structure for each board with four router channels, a structure for each curve; each curve says at
which byte its counts of 32 bits are. The width of a channel is given in ns. The time of the file has no zone,
that of a curve is in UTC. Written from the structures that PicoQuant publishes with its demo programs: no
real file was at hand. Curves without a count were not measured; the header names them. Files of photons have,
in place of the curves, a structure that says how many records follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from measurements.data import Dataset, Quantity
from measurements.readers import _photons, _tttr
from measurements.readers import _picoquant as pq
from measurements.readers._binary import Bytes
from measurements.readers._photons import Stream
from measurements.readers._picoquant import Fields, Value
from measurements.readers.base import Format

FORMAT = Format(
    name="PicoQuant PicoHarp",
    extensions=(".phd", ".pt2", ".pt3"),
    vendor="PicoQuant",
    techniques=("trpl",),
    description="Decay curves and single photons of the PicoHarp 300, format version 2.0.",
    max_bytes=4 * 1024**3,
)
VERSION = 1

MAGIC = b"PicoHarp 300"
VERSIONS = ("2.0",)
MAIN = (
    "CreatorName:18s CreatorVersion:12s FileTime:18s CRLF:2s Comment:256s NumberOfCurves:i BitsPerHistogBin:i"
    " RoutingChannels:i NumberOfBoards:i ActiveCurve:i MeasurementMode:i SubMode:i RangeNo:i Offset:i"
    " AcquisitionTime:i StopAt:i StopOnOvfl:i Restart:i DisplayLinLog:i DisplayTimeAxisFrom:i"
    f" DisplayTimeAxisTo:i DisplayCountAxisFrom:i DisplayCountAxisTo:i{pq.DISPLAY}{pq.SCAN}{pq.REPEAT}"
)
PHOTONS = (
    "ExtDevices:i Reserved1:i Reserved2:i InpRate0:i InpRate1:i StopAfter:i StopReason:i NumRecords:I"
    " ImgHdrSize:i"
)
RECORDS = {2: 0x00010203, 3: 0x00010303}
T2_CLOCK_S, S_IN_NS = 4e-12, 1e-9
ROUTER = ("InputType", "InputLevel", "InputEdge", "CFDPresent", "CFDLevel", "CFDZeroCross")
BOARD = (
    "HardwareIdent:16s HardwareVersion:8s HardwareSerial:i SyncDivider:i CFDZeroCross0:i CFDLevel0:i"
    " CFDZeroCross1:i CFDLevel1:i Resolution:f RouterModelCode:i RouterEnabled:i"
) + "".join(f" RtChan[{channel}].{part}:i" for channel in range(4) for part in ROUTER)
CURVE = (
    "CurveIndex:i TimeOfRecording:i HardwareIdent:16s HardwareVersion:8s HardwareSerial:i SyncDivider:i"
    " CFDZeroCross0:i CFDLevel0:i CFDZeroCross1:i CFDLevel1:i Offset:i RoutingChannel:i ExtDevices:i"
    " MeasMode:i SubMode:i P1:f P2:f P3:f RangeNo:i Resolution:f Channels:i AcquisitionTime:i"
    " StopAfter:i StopReason:i InpRate0:i InpRate1:i HistCountRate:i IntegralCount:q Reserved:i"
    " DataOffset:i RouterModelCode:i RouterEnabled:i RtCh_InputType:i RtCh_InputLevel:i"
    " RtCh_InputEdge:i RtCh_CFDPresent:i RtCh_CFDLevel:i RtCh_CFDZeroCross:i"
)


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC) and head[16:22].split(b"\0")[0].strip() in [v.encode() for v in VERSIONS]


def read(path: Path) -> list[Dataset]:
    fields = Fields(pq.head_of(path), 0)
    start = fields.read("Ident:16s FormatVersion:6s")
    pq.refuse_version(start["FormatVersion"], VERSIONS)
    main = fields.read(MAIN)
    boards = fields.many(main["NumberOfBoards"], BOARD, "Brd")
    if main["MeasurementMode"] in RECORDS:
        return _photons_of(path, fields, main, boards)
    pq.refuse_photons(main["MeasurementMode"])
    common = fields.header()
    data = pq.whole(path)
    curves = Fields(data, fields.place).many(main["NumberOfCurves"], CURVE, "Crv")
    pq.refuse_overlap(data, (curve["Channels"] for curve in curves))
    datasets = [_curve(data, curve, f"Curve {number}", common, main) for number, curve in enumerate(curves)]
    measured, empty = pq.without_empty(datasets)
    return [replace(dataset, header={**dataset.header, **empty}) for dataset in measured]


def _photons_of(
    path: Path, fields: Fields, main: Mapping[str, Value], boards: Sequence[Mapping[str, Value]]
) -> list[Dataset]:
    run = fields.read(PHOTONS)
    stream = Stream(
        path=path,
        start=fields.place + 4 * max(int(pq.number(run["ImgHdrSize"])), 0),
        announced=int(pq.number(run["NumRecords"])),
        kind=_tttr.KINDS[RECORDS[int(pq.number(main["MeasurementMode"]))]],
        clock_s=T2_CLOCK_S,
        width_s=(pq.number(boards[0]["Resolution"]) if boards else 0.0) * S_IN_NS,
        sync_hz=pq.number(run["InpRate0"]),
    )
    conditions = {
        **pq.rates(run["InpRate0"], run["InpRate1"]),
        **pq.exposure(run["StopAfter"]),
        **pq.told([("local_time", main["FileTime"]), ("comment", main["Comment"])]),
        **pq.told([("instrument", fields.values["Ident"])]),
    }
    return _photons.datasets(stream, fields.header(), lambda _: conditions)


def _curve(
    data: Bytes, curve: Mapping[str, Value], title: str, common: Mapping[str, str], main: Mapping[str, Value]
) -> Dataset:
    at, width_ns = curve["DataOffset"], curve["Resolution"]
    counts = pq.histogram(data, curve["Channels"], at if isinstance(at, int) else -1)
    conditions: dict[str, Quantity] = {
        **pq.rates(curve["InpRate0"], curve["InpRate1"]),
        **pq.exposure(curve["StopAfter"] or curve["AcquisitionTime"]),
        **pq.told(
            [
                ("instrument", curve["HardwareIdent"]),
                ("local_time", main["FileTime"]),
                ("comment", main["Comment"]),
            ]
        ),
    }
    return pq.decay(
        counts,
        float(width_ns) if isinstance(width_ns, float) else 0.0,
        {**common, **{f"Crv.{name}": str(value) for name, value in curve.items()}},
        conditions,
        title,
        pq.moment(curve["TimeOfRecording"]),
    )
