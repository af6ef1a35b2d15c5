"""PicoQuant HydraHarp 400 histograms (.hhd) and photons (.ht2, .ht3), versions 1.0 and 2.0.

Packed C structures: a header, one for each input channel, one for each curve; each curve says at which byte
its counts of 32 bits are. The width of a channel is given in ps. The time of the file has no zone, that of a
curve is in UTC. Structures as PicoQuant publishes them with its demo programs. Curves without a count were
not measured; the header names them. Files of photons have, in place of the curves, the rates of the inputs
and a structure that says how many records follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from measurements.data import Dataset, Quantity
from measurements.readers import _photons, _tttr
from measurements.readers import _picoquant as pq
from measurements.readers._binary import Bytes
from measurements.readers._photons import Stream
from measurements.readers._picoquant import Fields, Value
from measurements.readers._tttr import Kind
from measurements.readers.base import Format

FORMAT = Format(
    name="PicoQuant HydraHarp",
    extensions=(".hhd", ".ht2", ".ht3"),
    vendor="PicoQuant",
    techniques=("trpl",),
    description="Decay curves and single photons of the HydraHarp 400, format versions 1.0 and 2.0.",
    max_bytes=4 * 1024**3,
)
VERSION = 1

MAGIC = b"HydraHarp\0"
VERSIONS = ("1.0", "2.0")
NS_IN_PS = 1e-3
MODULES = "".join(f" Module[{n}].Model:i Module[{n}].Version:i" for n in range(10))
MAIN = (
    "CreatorName:18s CreatorVersion:12s FileTime:18s CRLF:2s Comment:256s NumberOfCurves:i BitsPerHistogBin:i"
    " ActiveCurve:i MeasurementMode:i SubMode:i Binning:i Resolution:d Offset:i AcquisitionTime:i StopAt:i"
    " StopOnOvfl:i Restart:i DisplayLinLog:i DisplayTimeAxisFrom:I DisplayTimeAxisTo:I DisplayCountAxisFrom:I"
    f" DisplayCountAxisTo:I{pq.DISPLAY}{pq.SCAN}{pq.REPEAT} HardwareIdent:16s HardwarePartNo:8s"
    f" HardwareSerial:i NumberOfModules:i{MODULES} BaseResolution:d InputsEnabled:q InputChannelsPresent:i"
    " RefClockSource:i ExtDevices:i MarkerSettings:i SyncDivider:i SyncCFDLevel:i SyncCFDZeroCross:i"
    " SyncOffset:i"
)
PHOTONS = "SyncRate:i StopAfter:i StopReason:i ImgHdrSize:i NumRecords:q"
RECORDS = {("1.0", 2): 0x00010204, ("1.0", 3): 0x00010304, ("2.0", 2): 0x01010204, ("2.0", 3): 0x01010304}
T2_CLOCK_S, S_IN_PS = 1e-12, 1e-12
INPUT = "ModuleIdx:i CFDLevel:i CFDZeroCross:i Offset:i"
CURVE = (
    f"CurveIndex:i TimeOfRecording:i HardwareIdent:16s HardwareVersion:8s HardwareSerial:i "
    f"NoOfModules:i{MODULES}"
    " BaseResolution:d InputsEnabled:q InpChanPresent:i RefClockSource:i ExtDevices:i MarkerSettings:i"
    " SyncDivider:i SyncCFDLevel:i SyncCFDZero:i SyncOffset:i InpModuleIdx:i InpCFDLevel:i InpCFDZeroCross:i"
    " InpOffset:i InpChannel:i MeasMode:i SubMode:i Binning:i Resolution:d Offset:i AcquisitionTime:i"
    " StopAfter:i StopReason:i P1:f P2:f P3:f SyncRate:i InputRate:i HistCountRate:i IntegralCount:q"
    " HistogramBins:i DataOffset:i"
)


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC) and head[16:22].split(b"\0")[0].strip() in [v.encode() for v in VERSIONS]


def read(path: Path) -> list[Dataset]:
    fields = Fields(pq.head_of(path), 0)
    start = fields.read("Ident:16s FormatVersion:6s")
    pq.refuse_version(start["FormatVersion"], VERSIONS)
    main = fields.read(MAIN)
    fields.many(main["InputChannelsPresent"], INPUT, "InpChan")
    records = RECORDS.get((str(start["FormatVersion"]), int(pq.number(main["MeasurementMode"]))))
    if records is not None:
        return _photons_of(path, fields, main, _tttr.KINDS[records])
    pq.refuse_photons(main["MeasurementMode"])
    common = fields.header()
    data = pq.whole(path)
    curves = Fields(data, fields.place).many(main["NumberOfCurves"], CURVE, "Crv")
    pq.refuse_overlap(data, (curve["HistogramBins"] for curve in curves))
    datasets = [
        _curve(data, curve, f"Curve {number}", common, start, main) for number, curve in enumerate(curves)
    ]
    measured, empty = pq.without_empty(datasets)
    return [replace(dataset, header={**dataset.header, **empty}) for dataset in measured]


def _photons_of(path: Path, fields: Fields, main: Mapping[str, Value], kind: Kind) -> list[Dataset]:
    inputs = fields.many(main["InputChannelsPresent"], "InputRate:i", "Input")
    run = fields.read(PHOTONS)
    stream = Stream(
        path=path,
        start=fields.place + 4 * max(int(pq.number(run["ImgHdrSize"])), 0),
        announced=max(int(pq.number(run["NumRecords"])), 0),
        kind=kind,
        clock_s=T2_CLOCK_S,
        width_s=pq.number(main["Resolution"]) * S_IN_PS,
        sync_hz=pq.number(run["SyncRate"]),
    )
    known = {
        **pq.exposure(run["StopAfter"]),
        **pq.told([("local_time", main["FileTime"]), ("comment", main["Comment"])]),
        **pq.told([("instrument", main["HardwareIdent"])]),
    }

    def conditions(channel: int) -> dict[str, Quantity]:
        rate = inputs[channel]["InputRate"] if 0 <= channel < len(inputs) else None
        return {**known, **pq.rates(run["SyncRate"], rate)}

    return _photons.datasets(stream, fields.header(), conditions)


def _curve(
    data: Bytes,
    curve: Mapping[str, Value],
    title: str,
    common: Mapping[str, str],
    start: Mapping[str, Value],
    main: Mapping[str, Value],
) -> Dataset:
    at, width_ps = curve["DataOffset"], curve["Resolution"]
    counts = pq.histogram(data, curve["HistogramBins"], at if isinstance(at, int) else -1)
    conditions: dict[str, Quantity] = {
        **pq.rates(curve["SyncRate"], curve["InputRate"]),
        **pq.exposure(curve["StopAfter"] or curve["AcquisitionTime"]),
        **pq.told(
            [
                ("instrument", pq.first_text(main["HardwareIdent"], start["Ident"])),
                ("local_time", main["FileTime"]),
                ("comment", main["Comment"]),
            ]
        ),
    }
    return pq.decay(
        counts,
        float(width_ps) * NS_IN_PS if isinstance(width_ps, float) else 0.0,
        {**common, **{f"Crv.{name}": str(value) for name, value in curve.items()}},
        conditions,
        title,
        pq.moment(curve["TimeOfRecording"]),
    )
