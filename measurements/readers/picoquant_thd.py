"""PicoQuant TimeHarp 100 and 200 histograms (.thd), versions 2.0 to 6.0: packed C structures.

A header, a structure for each board, then for each curve a structure and its counts of 32 bits. The width of
a channel is given in ns. The time of the file has no zone; that of a curve, if there is one, is in UTC.
Structures as PicoQuant publishes them with its demo programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import _picoquant as pq
from measurements.readers._binary import Bytes
from measurements.readers._picoquant import Fields, Value
from measurements.readers.base import Format

FORMAT = Format(
    name="PicoQuant TimeHarp histogram",
    extensions=(".thd",),
    vendor="PicoQuant",
    techniques=("trpl",),
    description="Decay curves of TimeHarp 100 and 200 boards, format versions 2.0 to 6.0.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

MAGIC = b"TimeHarp "
VERSIONS = ("2.0", "3.0", "4.0", "5.0", "6.0")
BEGINNING = "HardwareVersion:6s FileTime:18s CRLF:2s Comment:256s"
BEGINNING_6 = "CreatorName:18s CreatorVersion:12s FileTime:18s CRLF:2s Comment:256s"
MAIN = (
    " NumberOfChannels:i NumberOfCurves:i BitsPerChannel:i RoutingChannels:i NumberOfBoards:i ActiveCurve:i"
    " MeasurementMode:i SubMode:i RangeNo:i Offset:i AcquisitionTime:i StopAt:i StopOnOvfl:i Restart:i"
    " DisplayLinLog:i DisplayTimeAxisFrom:i DisplayTimeAxisTo:i DisplayCountAxisFrom:i DisplayCountAxisTo:i"
    f"{pq.DISPLAY}{pq.SCAN}{pq.REPEAT}"
)
BOARD = "BoardSerial:i CFDZeroCross:i CFDDiscriminatorMin:i SYNCLevel:i CurveOffset:i Resolution:f"
BOARD_6 = f"HardwareIdent:16s HardwareVersion:8s {BOARD}"
CURVE = (
    "CurveIndex:i TimeOfRecording:i BoardSerial:i CFDZeroCross:i CFDDiscrMin:i SyncLevel:i CurveOffset:i"
    " RoutingChannel:i SubMode:i MeasMode:i P1:f P2:f P3:f RangeNo:i Offset:i AcquisitionTime:i StopAfter:i"
    " StopReason:i SyncRate:i CFDCountRate:i TDCCountRate:i IntegralCount:i Resolution:f "
    "Reserved1:i Reserved2:i"
)


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC) and head[16:22].split(b"\0")[0].strip() in [v.encode() for v in VERSIONS]


def read(path: Path) -> list[Dataset]:
    data = Bytes.of(path)
    fields = Fields(data, 0)
    start = fields.read("Ident:16s FormatVersion:6s")
    pq.refuse_version(start["FormatVersion"], VERSIONS)
    newest = start["FormatVersion"] == "6.0"
    main = fields.read((BEGINNING_6 if newest else BEGINNING) + MAIN)
    pq.refuse_photons(main["MeasurementMode"])
    if main["BitsPerChannel"] != 32:
        raise ReadError(f"its counts have {main['BitsPerChannel']} bits, 32 are read. The file is damaged.")
    fields.many(main["NumberOfBoards"], BOARD_6 if newest else BOARD, "Brd")
    curves = main["NumberOfCurves"]
    datasets = []
    for number in pq.curves_of(curves if isinstance(curves, int) else 0):
        own = Fields(data, fields.place)
        curve = own.read(CURVE, f"Crv[{number}].")
        counts = pq.histogram(data, main["NumberOfChannels"], own.place)
        fields.place = own.place + 4 * counts.size
        width_ns = curve["Resolution"]
        datasets.append(
            pq.decay(
                counts,
                float(width_ns) if isinstance(width_ns, float) else 0.0,
                fields.header() | own.header(),
                _conditions(start, main, curve),
                f"Curve {number}",
                pq.moment(curve["TimeOfRecording"]),
            )
        )
    return datasets


def _conditions(
    start: Mapping[str, Value], main: Mapping[str, Value], curve: Mapping[str, Value]
) -> dict[str, Quantity]:
    return {
        **pq.rates(curve["SyncRate"], curve["TDCCountRate"]),
        **pq.exposure(curve["StopAfter"] or curve["AcquisitionTime"]),
        **pq.told(
            [
                ("instrument", start["Ident"]),
                ("local_time", main["FileTime"]),
                ("comment", main["Comment"]),
            ]
        ),
    }
