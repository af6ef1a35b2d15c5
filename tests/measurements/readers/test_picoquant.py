"""PicoQuant's binary files: real ones against other people's decoding, and files that are written here.

Where no real file is at hand, the test writes one as PicoQuant's demo programs describe it; ptufile, an
independent reader, decodes the photons of the same bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import _tttr

FLOAT, INT, TEXT, BOOL, END = 0x20000008, 0x10000008, 0x4001FFFF, 0x00000008, 0xFFFF0008
HYDRAHARP_T2, HYDRAHARP_T3, PICOHARP_T2, PICOHARP_T3 = 0x01010204, 0x01010304, 0x00010203, 0x00010303
HYDRAHARP_1_T2 = 0x00010204


def tag(name: str, value: Any, index: int = -1) -> bytes:
    head = struct.pack("<32si", name.encode(), index)
    if isinstance(value, bool):
        return head + struct.pack("<Iq", BOOL, value)
    if isinstance(value, int):
        return head + struct.pack("<Iq", INT, value)
    if isinstance(value, float):
        return head + struct.pack("<Id", FLOAT, value)
    if value is None:
        return head + struct.pack("<Iq", END, 0)
    padded = value.encode().ljust(-(-len(value) // 8) * 8 + 8, b"\0")
    return head + struct.pack("<Iq", TEXT, len(padded)) + padded


def unified(magic: bytes, tags: Sequence[bytes], data: bytes) -> bytes:
    return magic + b"1.0.00\0\0" + b"".join(tags) + tag("Header_End", None) + data


def ptu(kind: int, records: Sequence[int], announced: int | None = None) -> bytes:
    tags = [
        tag("File_GUID", "{0}"), tag("HW_Type", "HydraHarp 400"), tag("Measurement_Mode", (kind >> 8) & 0xF),
        tag("Measurement_SubMode", 1), tag("TTResultFormat_TTTRRecType", kind),
        tag("TTResultFormat_BitsPerRecord", 32), tag("MeasDesc_BinningFactor", 1),
        tag("MeasDesc_AcquisitionTime", 5000), tag("MeasDesc_Resolution", 8e-12),
        tag("MeasDesc_GlobalResolution", 1e-12 if (kind >> 8) & 0xF == 2 else 25e-9),
        tag("TTResult_SyncRate", 40_000_000), tag("TTResult_StopAfter", 5000),
        tag("TTResult_NumberOfRecords", len(records) if announced is None else announced),
    ]  # fmt: skip
    return unified(b"PQTTTR\0\0", tags, np.array(records, "<u4").tobytes())


def hydraharp_t3(channel: int, delay: int, pulse: int, *, special: bool = False) -> int:
    return special << 31 | channel << 25 | delay << 10 | pulse


def picoharp_t3(channel: int, delay: int, pulse: int) -> int:
    return channel << 28 | delay << 16 | pulse


def read(content: bytes, folder: Path, key: str) -> list[Dataset]:
    found = readers.recognise(content[: readers.HEAD_BYTES], "measured")
    assert found is not None
    assert found.key == key
    path = folder / "stored"
    path.write_bytes(content)
    return readers.read(found, path)


def truth(path: Path) -> dict[str, str]:
    """“Name = value” lines of libpicoquant's text."""
    lines = (line.partition(" = ") for line in path.read_text(errors="replace").splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def same(ours: str, theirs: str) -> bool:
    try:
        return bool(np.isclose(float(ours), float(theirs), rtol=1e-5, atol=1e-6))
    except ValueError:
        return ours.strip() == theirs.strip()


@pytest.mark.parametrize("name", ["picoquant_timeharp_v30.thd", "picoquant_timeharp_v50.thd"])
def test_a_timeharp_histogram_agrees_with_libpicoquant(name: str, reference: Path) -> None:
    source = reference / "instrument_files" / "trpl" / name
    (curve,) = read_real(source, "picoquant_thd")
    told = truth(source.with_name(f"{name}.header"))
    ours = {key.replace("SubMode", "HistogrammingMode"): value for key, value in curve.header.items()}
    ours |= curve.header
    shared = told.keys() & ours.keys()
    assert len(shared) > 60
    different = {key: (ours[key], told[key]) for key in shared if not same(ours[key], told[key])}
    different.pop("Crv[0].TimeOfRecording", None)  # theirs is a date, ours the number in the file
    assert different == {}
    rows = np.loadtxt(source.with_name(f"{name}.data"), delimiter=",")
    edges_ps = np.floor(curve.axes[0].values[: len(rows)] * 1000 + 1e-6)
    assert np.array_equal(edges_ps, rows[:, 1])
    assert np.array_equal(curve.signal.values[: len(rows)], rows[:, 3])
    assert curve.signal.values.sum() == float(curve.header["Crv[0].IntegralCount"])
    resolution_ps = float(source.with_name(f"{name}.resolution").read_text().split(",")[1])
    assert curve.conditions["channel_width"].value == pytest.approx(resolution_ps / 1000, abs=5e-6)


def read_real(source: Path, key: str) -> list[Dataset]:
    found = readers.recognise(source.read_bytes()[: readers.HEAD_BYTES], source.name)
    assert found is not None
    assert found.key == key
    return readers.read(found, source)


def test_every_curve_of_a_hydraharp_histogram_holds_the_counts_that_it_announces(reference: Path) -> None:
    source = reference / "instrument_files" / "trpl" / "picoquant_hydraharp_v10.hhd"
    curves = read_real(source, "picoquant_hhd")
    assert [curve.title for curve in curves] == ["Curve 3", "Curve 7"]
    for curve in curves:
        assert curve.signal.values.sum() == float(curve.header["Crv.IntegralCount"])
        assert curve.signal.values.max() == 10_000  # “StopAt” of the measurement
    assert curves[0].axes[0].values[1] == pytest.approx(0.002)
    assert curves[0].header["without counts"] == "Curve 0, Curve 1, Curve 2, Curve 4, Curve 5, Curve 6"
    assert "Anthracen in EtOH" in str(curves[0].conditions["comment"].value)
    assert curves[0].acquired_at == datetime(2008, 6, 6, 13, 36, 1, tzinfo=UTC)


def test_photons_of_a_real_t2_file_are_those_of_libpicoquant_and_ptufile(reference: Path) -> None:
    from ptufile import PtuFile

    source = reference / "instrument_files" / "trpl" / "picoquant_hydraharp_v30_t2.ptu"
    (trace,) = read_real(source, "picoquant_ptu")
    with PtuFile(source) as independent:
        decoded = independent.decode_records()
        photons = decoded[decoded["channel"] >= 0]
        start = source.stat().st_size - 4 * independent.number_records
    assert trace.signal.values.sum() == photons.size
    steps = np.bincount(photons["time"].astype(np.int64) // 10**10)
    assert np.array_equal(trace.signal.values, steps)
    records = np.fromfile(source, "<u4", offset=start)
    ours = _tttr.t2(records, _tttr.KINDS[HYDRAHARP_T2], 0)
    # libpicoquant adds 33 552 000 where the counter of these newer records runs over at 2²⁵.
    theirs = ours.times - ours.times // 2**25 * (2**25 - 33_552_000)
    first = np.loadtxt(source.with_name(f"{source.name}.data"), delimiter=",", dtype=np.int64)
    assert np.array_equal(np.column_stack([ours.channels, theirs])[: len(first)], first)
    told = truth(source.with_name(f"{source.name}.header"))
    header = {re.sub(r"\[0\]$", "", key): value for key, value in trace.header.items()}
    shared = told.keys() & header.keys() - {"File_CreatingTime", "Fast_Load_End", "Header_End"}
    assert len(shared) > 50
    assert {key for key in shared if not same(header[key], told[key])} == set()


@pytest.mark.parametrize("kind", [HYDRAHARP_T3, PICOHARP_T3])
def test_a_t3_file_becomes_a_decay_for_each_input(kind: int, tmp_path: Path) -> None:
    from ptufile import PtuFile

    chance = np.random.default_rng(7)
    delays = np.minimum(chance.exponential(300, 4000).astype(int) + 50, 3000)
    inputs = chance.integers(0, 2, 4000)
    records: list[int] = []
    for number, (delay, channel) in enumerate(zip(delays.tolist(), inputs.tolist(), strict=True)):
        if kind == HYDRAHARP_T3:
            records += [hydraharp_t3(channel, delay, number % 1024)]
            records += [hydraharp_t3(0x3F, 0, 1, special=True)] * (number % 10 == 0)
            records += [hydraharp_t3(2, 0, 5, special=True)] * (number % 100 == 0)  # a marker
        else:
            records += [picoharp_t3(channel + 1, delay, number % 65536)]
            records += [picoharp_t3(0xF, 0, 0)] * (number % 10 == 0)
            records += [picoharp_t3(0xF, 2, 0)] * (number % 100 == 0)  # a marker
    decays = read(ptu(kind, records), tmp_path, "picoquant_ptu")
    assert [decay.title for decay in decays] == ["Decay of channel 1", "Decay of channel 2"]
    for channel, decay in enumerate(decays):
        wanted = np.bincount(delays[inputs == channel], minlength=decay.signal.values.size)
        assert np.array_equal(decay.signal.values, wanted)
        assert decay.axes[0].values.size == 3125  # 25 ns between pulses, 8 ps wide channels
        assert decay.axes[0].values[1] == pytest.approx(0.008)
        assert decay.conditions["repetition_rate"].value == 40
    (tmp_path / "oracle.ptu").write_bytes(ptu(kind, records))
    with PtuFile(tmp_path / "oracle.ptu") as independent:
        photons = independent.decode_records()
        for channel, decay in enumerate(decays):
            theirs = np.bincount(photons["dtime"][photons["channel"] == channel])
            assert np.array_equal(decay.signal.values[: theirs.size], theirs)


@pytest.mark.parametrize("kind", [HYDRAHARP_T2, HYDRAHARP_1_T2, PICOHARP_T2])
def test_times_of_t2_photons_run_on_when_the_counter_runs_over(kind: int, tmp_path: Path) -> None:
    wrap = {HYDRAHARP_T2: 2**25, HYDRAHARP_1_T2: 33_552_000, PICOHARP_T2: 210_698_240}[kind]
    ran_over = 0xF << 28 if kind == PICOHARP_T2 else 1 << 31 | 0x3F << 25 | 1
    photon = (1 << 28 if kind == PICOHARP_T2 else 1 << 25) | 500
    (trace,) = read(ptu(kind, [photon, *[ran_over] * 1000, photon, photon]), tmp_path, "picoquant_ptu")
    second = (1000 * wrap + 500) // 10**10
    assert trace.signal.values[0] == (1 if second else 3)
    assert trace.signal.values.size == second + 1
    assert trace.signal.values[second] >= 2


def test_a_long_trace_gets_wider_steps_and_keeps_every_photon(tmp_path: Path) -> None:
    far = [1 << 31 | 0x3F << 25 | 0x1FFFFFF] * 5  # five times 19 minutes
    content = ptu(HYDRAHARP_T2, [1 << 25 | 3, *far, 1 << 25 | 9])
    (trace,) = read(content, tmp_path, "picoquant_ptu")
    assert trace.signal.values.size <= 200_000
    assert trace.signal.values.sum() == 2
    assert trace.conditions["dwell_time"].value == 0.04
    assert trace.axes[0].values[-1] == pytest.approx(5 * (2**25 - 1) * 2**25 * 1e-12, abs=0.04)


def test_curves_with_the_unified_header_are_found_by_their_tags(tmp_path: Path) -> None:
    counts = [np.arange(64), np.zeros(64), np.arange(64)[::-1]]
    for offset in (0, 4096):
        tags = [tag("HW_Type", "TimeHarp 260"), tag("HistoResult_NumberOfCurves", 3)]
        tags += [tag("HistoResult_BitsPerBin", 32), tag("MeasDesc_AcquisitionTime", 60_000)]
        for number in range(3):
            tags += [
                tag("HistResDscr_CurveIndex", number, number), tag("HistResDscr_HistogramBins", 64, number),
                tag("HistResDscr_DataOffset", offset + 256 * number, number),
                tag("HistResDscr_MDescResolution", 25e-12 * (number + 1), number),
                tag("HistResDscr_SyncRate", 10_000_000, number),
            ]  # fmt: skip
        content = unified(b"PQHISTO\0", tags, b"").ljust(4096, b"\0")
    content += b"".join(curve.astype("<u4").tobytes() for curve in counts)
    first, third = read(content, tmp_path, "picoquant_phu")
    assert np.array_equal(first.signal.values, counts[0])
    assert np.array_equal(third.signal.values, counts[2])
    assert third.axes[0].values[1] == pytest.approx(0.075)
    assert third.conditions["exposure_time"].value == 60
    assert first.header["without counts"] == "Curve 1"


def picoharp(mode: int, rest: bytes) -> bytes:
    """Header and board of a PicoHarp 300 file; `rest` are its curves or its photons."""
    main = struct.pack(
        "<16s6s18s12s18s2s256s", b"PicoHarp 300", b"2.0", b"PicoHarp", b"2.3", b"01/02/03 04:05:06", b"\r\n",
        b"dye",
    )  # fmt: skip
    main += struct.pack("<18i", 1, 32, 4, 1, 0, mode, 0, 0, 0, 1000, 0, 0, 0, 0, 0, 0, 0, 0)
    main += b"\0" * (8 * 8 + 3 * 12 + 4 * 4 + 20)
    board = struct.pack("<16s8s6if2i24i", b"PicoHarp 300", b"2.0", 1, 8, 0, 0, 0, 0, 0.256, 0, 0, *[0] * 24)
    return main + board + rest


def hydraharp(version: bytes, mode: int, rest: bytes) -> bytes:
    """Header and two inputs of a HydraHarp 400 file with channels of 4 ps."""
    main = struct.pack("<16s6s18s12s18s2s256s", b"HydraHarp", version, b"HH", b"1", b"06/06/08", b"\r\n", b"")
    main += struct.pack("<6id10i", 1, 32, 0, mode, 0, 2, 4.0, *[0] * 10) + b"\0" * (
        8 * 8 + 3 * 12 + 4 * 4 + 20
    )
    main += struct.pack("<16s8s22idq8i", b"HydraHarp 400", b"930011", *[0] * 22, 1.0, 15, 2, *[0] * 7)
    return main + b"\0" * (2 * 16) + rest


def test_a_picoharp_histogram_is_found_where_its_curve_says(tmp_path: Path) -> None:
    counts = np.arange(128, dtype="<u4")
    curve = struct.pack("<2i16s8s11i3fif4i", 0, 1_600_000_000, b"PicoHarp 300", b"2.0", *[0] * 11, 0, 0, 0, 3,
                        0.032, 128, 2000, 0, 0)  # fmt: skip
    curve += struct.pack("<3iqii8i", 5_000_000, 4321, 0, int(counts.sum()), 0, 900, *[0] * 8)
    (decay,) = read(picoharp(0, curve).ljust(900, b"\0") + counts.tobytes(), tmp_path, "picoquant_phd")
    assert np.array_equal(decay.signal.values, counts)
    assert decay.header["Crv.IntegralCount"] == str(int(counts.sum()))
    assert decay.axes[0].values[1] == pytest.approx(0.032)
    assert decay.conditions["repetition_rate"].value == 5
    assert decay.conditions["comment"].value == "dye"
    assert decay.acquired_at == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)


def test_photons_of_a_picoharp_file_before_ptu_become_decays(tmp_path: Path) -> None:
    records = [picoharp_t3(1, 7, 1), picoharp_t3(0xF, 0, 0), picoharp_t3(4, 9, 2), picoharp_t3(1, 7, 3)]
    run = struct.pack("<7iIi2i", 0, 0, 0, 2_499_950, 112_156, 30_000, 0, len(records), 2, 0, 0)
    first, fourth = read(picoharp(3, run + np.array(records, "<u4").tobytes()), tmp_path, "picoquant_phd")
    assert (first.title, first.signal.values[7], first.signal.values.sum()) == ("Decay of channel 1", 2, 2)
    assert (fourth.title, fourth.signal.values[9]) == ("Decay of channel 4", 1)
    assert first.axes[0].values[1] == pytest.approx(0.256)
    assert first.conditions["exposure_time"].value == 30


@pytest.mark.parametrize("version", [b"1.0", b"2.0"])
def test_photons_of_a_hydraharp_file_before_ptu_become_decays(version: bytes, tmp_path: Path) -> None:
    records = [hydraharp_t3(1, 20480, 5), hydraharp_t3(0x3F, 0, 1, special=True), hydraharp_t3(1, 17403, 9)]
    run = struct.pack("<2i4iq", 140, 60, 10_004_460, 7_200_000, 0, 0, len(records))
    content = hydraharp(version, 3, run + np.array(records, "<u4").tobytes())
    (decay,) = read(content, tmp_path, "picoquant_hhd")
    assert decay.title == "Decay of channel 2"
    assert np.flatnonzero(decay.signal.values).tolist() == [17403, 20480]
    assert decay.axes[0].values[20480] == pytest.approx(81.92)
    assert decay.conditions["count_rate"].value == 60


@pytest.mark.parametrize(("version", "wrap"), [(b"1.0", 33_552_000), (b"2.0", 2**25)])
def test_times_of_older_t2_files_run_on(version: bytes, wrap: int, tmp_path: Path) -> None:
    records = [1 << 25 | 500, *[1 << 31 | 0x3F << 25 | 1] * 1000, 1 << 25 | 500]
    run = struct.pack("<2i4iq", 140, 60, 0, 100, 0, 0, len(records))
    content = hydraharp(version, 2, run + np.array(records, "<u4").tobytes())
    (trace,) = read(content, tmp_path, "picoquant_hhd")
    assert np.flatnonzero(trace.signal.values).tolist() == [0, (1000 * wrap + 500) // 10**10]


def test_curves_that_lie_over_each_other_are_refused(tmp_path: Path) -> None:
    tags = [tag("HistoResult_NumberOfCurves", 900), tag("MeasDesc_Resolution", 4e-12)]
    tags += [tag("HistResDscr_HistogramBins", 2**16), tag("HistResDscr_DataOffset", 0)]
    content = unified(b"PQHISTO\0", tags, b"\0" * 2**18)
    with pytest.raises(ReadError, match="more than the file holds"):
        read(content, tmp_path, "picoquant_phu")


def test_a_photon_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="announces 9 records, the file holds 2"):
        read(ptu(HYDRAHARP_T3, [1, 2], announced=9), tmp_path, "picoquant_ptu")


def test_a_file_without_photons_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no photon in it"):
        read(ptu(HYDRAHARP_T3, [hydraharp_t3(0x3F, 0, 1, special=True)]), tmp_path, "picoquant_ptu")
