"""PicoQuant histograms with the unified header (.phu), of TimeHarp 260, PicoHarp, HydraHarp and MultiHarp.

Tags HistResDscr_…[n] describe curve n: the byte where its counts of 32 bits begin, how many there are, and
the width of a channel in seconds. Times have no zone. Written from PicoQuant's description of the tags: no
real file was at hand. Curves without a count were not measured; the header names them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from measurements.data import Dataset, ReadError
from measurements.readers import _picoquant as pq
from measurements.readers._binary import Bytes
from measurements.readers._picoquant import Tags
from measurements.readers.base import Format

FORMAT = Format(
    name="PicoQuant PHU histogram",
    extensions=(".phu",),
    vendor="PicoQuant",
    techniques=("trpl",),
    description="Decay curves with PicoQuant's unified header, one for each input channel or measurement.",
)
VERSION = 1

MAGIC = b"PQHISTO\0"


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC)


def read(path: Path) -> list[Dataset]:
    data = Bytes.of(path)
    tags = pq.unified_header(data)
    bits = tags.get("HistoResult_BitsPerBin")
    if bits not in (None, 32):
        raise ReadError(f"its counts have {bits} bits, 32 are read. {pq.DAMAGED}")
    header = tags.header()
    curves = list(pq.curves_of(tags.count("HistoResult_NumberOfCurves")))
    pq.refuse_overlap(data, (tags.count("HistResDscr_HistogramBins", number) for number in curves))
    datasets = [_curve(data, tags, number, header) for number in curves]
    measured, empty = pq.without_empty(datasets)
    return [replace(dataset, header={**dataset.header, **empty}) for dataset in measured]


def _curve(data: Bytes, tags: Tags, number: int, header: dict[str, str]) -> Dataset:
    counts = pq.histogram(
        data,
        tags.count("HistResDscr_HistogramBins", number),
        tags.count("HistResDscr_DataOffset", number),
    )
    width_s = tags.number("HistResDscr_MDescResolution", number) or tags.number("MeasDesc_Resolution") or 0.0
    curve = tags.get("HistResDscr_CurveIndex", number)
    index = curve if isinstance(curve, int) else number
    conditions = {
        **pq.rates(tags.get("HistResDscr_SyncRate", number), tags.get("HistResDscr_InputRate", number)),
        **pq.exposure(tags.get("HistResDscr_MDescStopAfter", number) or tags.get("MeasDesc_AcquisitionTime")),
        **pq.told(
            [
                ("instrument", tags.get("HW_Type")),
                ("software", tags.get("CreatorSW_Name")),
                ("local_time", tags.get("File_CreatingTime")),
                ("comment", tags.get("File_Comment")),
            ]
        ),
    }
    return pq.decay(counts, width_s * pq.NS_IN_S, header, conditions, f"Curve {index}")
