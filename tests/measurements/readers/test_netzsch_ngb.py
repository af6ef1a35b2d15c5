"""Netzsch NGB: real files as pyngb reads them, and streams that are written here record by record."""

from __future__ import annotations

import json
import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import ReadError
from tests.measurements.readers.expected import disagreements, readings_of

FILES = [
    "netzsch_01_Messung_Probe_G_300_Grad_Ar.ngb-ds3",
    "netzsch_DF_FILED_STA_21O2_10K_220222_R1.ngb-ss3",
    "netzsch_Douglas_Fir_STA_10K_250730_R13.ngb-ss3",
    "netzsch_Douglas_Fir_STA_Baseline_10K_250730_R13.ngb-bs3",
]
PYNGB_NAMES = {
    "Mass change": "mass", "DSC": "dsc_signal", "Sample temperature": "sample_temperature",
    "Furnace temperature": "furnace_temperature", "Furnace power": "furnace_power",
}  # fmt: skip
HEADER, MIDDLE = bytes.fromhex("18fcffff038001"), bytes.fromhex("0000010000000c0017fcffff")
END = bytes.fromhex("010000000200010000")


def record(field: int, dtype: int, mode: bytes, payload: bytes) -> bytes:
    return HEADER + struct.pack("<H", field) + MIDDLE + bytes([dtype]) + mode + payload + END


def table(category: int, kind: int, *records: bytes) -> bytes:
    opening = b"\x01\x80" + bytes.fromhex("02000080") + struct.pack("<H", kind) + b"\0\0"
    return record(category, 0x1A, b"\x80\x01", opening) + b"".join(records) + b"\x00\x03\x00"


def numbers(field: int, dtype: int, values: list[float], count: int | None = None) -> bytes:
    array = np.array(values, {4: "<f4", 5: "<f8"}[dtype])
    announced = struct.pack("<I", array.size if count is None else count)
    return record(field, dtype, b"\xa0\x01", announced + array.tobytes())


def text(field: int, words: str) -> bytes:
    return record(field, 0x1F, b"\x80\x01", b"\xff\xfe\xff" + bytes([len(words)]) + words.encode("utf-16-le"))


def channel(number: int, dtype: int, *segments: list[float]) -> bytes:
    field = {4: 0x0F3D, 5: 0x0F40}[dtype]
    pieces = [table(0x7530 + n, 0x2B23, numbers(field, dtype, values)) for n, values in enumerate(segments)]
    return table(0x1700 + number, 0x2B22) + b"".join(pieces)


def ngb(folder: Path, *channels: bytes) -> Path:
    """A file of two minutes in two segments; its sample weighs 4.5 mg."""
    begun = record(0x083E, 3, b"\x80\x01", struct.pack("<i", 1677105826))
    mass = record(0x0C9E, 5, b"\x80\x01", struct.pack("<d", 4.5))
    about = [
        table(0x1772, 0x2AFA, text(0x0835, "Ada"), begun),
        table(0x7530, 0x2B0D, text(0x0840, "Glas µ"), text(0x0962, "ZIF"), mass),
    ]
    path = folder / "stored"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Streams/stream_1.table", b"Netzsch" + b"".join(about))
        archive.writestr("Streams/stream_2.table", b"Netzsch" + b"".join(channels))
    return path


@pytest.mark.parametrize("name", FILES)
def test_a_real_measurement_is_read_as_pyngb_reads_it(name: str, reference: Path) -> None:
    source = reference / "instrument_files" / "thermal" / name
    found = readers.recognise(source.read_bytes()[: readers.HEAD_BYTES], source.name)
    assert found is not None
    assert found.key == "netzsch_ngb"
    datasets = readers.read(found, source)
    assert disagreements(datasets, readings_of(reference)[f"thermal/{name}"]) == []
    golden = json.loads(source.with_name(f"{name}.parity.json").read_text())
    for dataset in datasets:
        if dataset.title in PYNGB_NAMES:
            stats = golden["column_stats"][PYNGB_NAMES[dataset.title]]
            assert dataset.signal.values.size == golden["num_rows"]
            assert (dataset.signal.values.min(), dataset.signal.values.max()) == (stats["min"], stats["max"])
    told = golden["metadata"]
    assert datasets[0].acquired_at == datetime.fromisoformat(told["date_performed"])
    assert datasets[0].conditions["operator"].value == told["operator"]
    if told["sample_mass"] > 0:
        assert datasets[0].conditions["mass"].value == told["sample_mass"]
    assert datasets[0].technique == "tga"


def test_segments_of_a_channel_are_joined_and_minutes_become_seconds(tmp_path: Path) -> None:
    path = ngb(
        tmp_path,
        channel(0x8C, 5, [0.0, 0.5], [1.0, 2.0]),
        channel(0x8D, 4, [25.0, 26.0], [27.0, 28.0]),
        channel(0x8E, 4, [-1.0, -2.0], [-3.0, -4.0]),
    )
    flow, temperature = readers.read(readers.get("netzsch_ngb"), path)
    assert flow.axes[0].values.tolist() == [0.0, 30.0, 60.0, 120.0]
    assert (flow.title, flow.signal.unit, flow.signal.values.tolist()) == ("DSC", "µV", [-1, -2, -3, -4])
    assert temperature.signal.values.tolist() == [25, 26, 27, 28]
    assert flow.technique == "dsc"
    assert flow.conditions["mass"].value == 4.5
    assert flow.conditions["sample_name"].value == "Glas µ"
    assert flow.acquired_at == datetime(2023, 2, 22, 22, 43, 46, tzinfo=UTC)


def test_a_correction_run_keeps_times_of_its_own(tmp_path: Path) -> None:
    path = ngb(
        tmp_path,
        channel(0x8C, 5, [0.0, 1.0]),
        channel(0x90, 5, [0.0, -2.5]),
        channel(0x8C, 5, [0.0, 1.5]),
        channel(0x90, 5, [0.0, 0.1]),
    )
    run, correction = readers.read(readers.get("netzsch_ngb"), path)
    assert (run.title, run.axes[0].values[-1], run.signal.values[-1]) == ("Mass change", 60.0, -2.5)
    assert correction.title == "Mass change, correction run 1"
    assert (correction.axes[0].values[-1], correction.signal.values[-1]) == (90.0, 0.1)
    assert "mass" not in correction.conditions


def test_an_array_longer_than_its_stream_is_refused(tmp_path: Path) -> None:
    broken = table(0x178C, 0x2B22) + table(0x7530, 0x2B23, numbers(0x0F40, 5, [0.0, 1.0], count=9000))
    with pytest.raises(ReadError, match="an array of 9000 values was announced"):
        readers.read(readers.get("netzsch_ngb"), ngb(tmp_path, broken))


def test_channels_of_different_lengths_are_refused(tmp_path: Path) -> None:
    path = ngb(tmp_path, channel(0x8C, 5, [0.0, 1.0]), channel(0x8E, 4, [1.0]))
    with pytest.raises(ReadError, match="“DSC” has 1 points and there are 2 times"):
        readers.read(readers.get("netzsch_ngb"), path)
