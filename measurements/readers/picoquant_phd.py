"""PicoQuant PicoHarp 300 histograms (.phd), version 2.0: packed C structures.

A header, a structure for each board with four router channels, a structure for each curve; each curve says at
which byte its counts of 32 bits are. The width of a channel is given in ns. The time of the file has no zone,
that of a curve is in UTC. Written from the structures that PicoQuant publishes with its demo programs: no
real file was at hand. Curves without a count were not measured; the header names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from measurements.data import Dataset, Quantity
from measurements.readers import _picoquant as pq
from measurements.readers._binary import Bytes
from measurements.readers._picoquant import Fields, Value
from measurements.readers.base import Format

FORMAT = Format(
    name="PicoQuant PicoHarp histogram",
    extensions=(".phd",),
    vendor="PicoQuant",
    techniques=("trpl",),
    description="Decay curves of the PicoHarp 300, format version 2.0.",
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
    data = Bytes.of(path)
    fields = Fields(data, 0)
    start = fields.read("Ident:16s FormatVersion:6s")
    pq.refuse_version(start["FormatVersion"], VERSIONS)
    main = fields.read(MAIN)
    pq.refuse_photons(main["MeasurementMode"])
    fields.many(main["NumberOfBoards"], BOARD, "Brd")
    common = fields.header()
    curves = Fields(data, fields.place).many(main["NumberOfCurves"], CURVE, "Crv")
    pq.refuse_overlap(data, (curve["Channels"] for curve in curves))
    datasets = [_curve(data, curve, f"Curve {number}", common, main) for number, curve in enumerate(curves)]
    measured, empty = pq.without_empty(datasets)
    return [replace(dataset, header={**dataset.header, **empty}) for dataset in measured]


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
