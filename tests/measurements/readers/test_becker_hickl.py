"""Becker & Hickl: real text exports, and SDT files written here field by field as their maker says."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.expected import disagreements, readings_of

# MeasureInfo of SPC_data_file_structure.h, packed: (name, code); 512 bytes.
STOP_INFO = "2Hf3i8fif"
FCS_INFO = "2HIfIif5HI"
HIST_INFO = "2f2ifiI2H4I"
MEASURE_INFO = (
    ("time", "9s"), ("date", "11s"), ("mod_ser_no", "16s"), ("meas_mode", "h"), ("cfd", "4f"),
    ("syn_zc", "f"), ("syn_fd", "h"), ("syn_hf", "f"), ("tac_r", "f"), ("tac_g", "h"), ("tac", "3f"),
    ("adc_re", "h"), ("eal_de", "h"), ("ncx", "h"), ("ncy", "h"), ("page", "H"), ("col_t", "f"),
    ("rep_t", "f"), ("stopt", "h"), ("overfl", "c"), ("use_motor", "h"), ("steps", "H"), ("offset", "f"),
    ("dither", "3h"), ("mod_type", "16s"), ("syn_th", "f"), ("dead_time_comp", "h"), ("polarity", "3h"),
    ("linediv", "h"), ("accumulate", "h"), ("flyback", "4i"), ("pix_time", "f"), ("pix_clk", "2h"),
    ("scan_x", "i"), ("scan_y", "i"), ("scan_rx", "2i"), ("fifo_typ", "h"), ("epx_div", "i"),
    ("mod_type_code", "2H"), ("overflow_corr_factor", "f"), ("adc_zoom", "2i"), ("stop_info", STOP_INFO),
    ("fcs_info", FCS_INFO), ("image_x", "i"), ("image_y", "i"), ("image_rx", "2i"), ("xy_gain", "5h"),
    ("hist_info", HIST_INFO), ("hist_ext", "64s"), ("sync_delay", "fHcb2B2hiHB44s"),
)  # fmt: skip
DECAY, PAGE, IMAGE, FCS = 0x01, 0x11, 0x68, 0x28
ULONG, ZIPPED = 0x100, 0x1000


def measure_info(**known: object) -> bytes:
    packed = b""
    for name, code in MEASURE_INFO:
        if name in known:
            packed += struct.pack(f"<{code}", known[name])
        else:
            packed += b"\0" * struct.calcsize(f"<{code}")
    return packed


def sdt(blocks: Sequence[tuple[int, bytes, int]], revision: int = 15, **known: object) -> bytes:
    """`blocks`: (block type, bytes as stored, bytes when not compressed)."""
    known = {"tac_r": 5e-8, "tac_g": 4, "adc_re": 64, "col_t": 60.0, "mod_type": b"SPC-150"} | known
    info = b"*IDENTIFICATION\r\n  ID : _SPC Setup & Data File_\r\n"
    info += b"  Title : dye in glass\r\n  Author : Ada\r\n*END\r\n\r\n"
    setup = b"*SETUP\r\n  SYS_PARA_BEGIN:\r\n  #SP [SP_COL_T,F,60]\r\n  SYS_PARA_END:\r\n*END\r\n"
    about = measure_info(**known)
    assert len(about) == 512
    info_at, setup_at = 42, 42 + len(info)
    about_at = setup_at + len(setup)
    at = blocks_at = about_at + len(about)
    stored = b""
    for number, (kind, content, length) in enumerate(blocks, start=1):
        following = at + 22 + len(content)
        if revision >= 15:
            stored += struct.pack("<BBIIHhII", 0, 0, at + 22, following, kind, 0, number, length)
        else:
            stored += struct.pack("<hiiHhII", number, at + 22, following, kind, 0, number, length)
        stored += content
        at = following
    header = struct.pack(
        "<hihihihIihhHIHH", revision, info_at, len(info), setup_at, len(setup), blocks_at, len(blocks), 0,
        about_at, 1, 512, 0x5555, len(blocks), 0, 0,
    )  # fmt: skip
    return header + info + setup + about + stored


def plain(counts: np.ndarray, kind: int = DECAY) -> tuple[int, bytes, int]:
    return kind, counts.tobytes(), counts.nbytes


def zipped(counts: np.ndarray, kind: int) -> tuple[int, bytes, int]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data_block", counts.tobytes())
    return kind | ZIPPED, packed.getvalue(), counts.nbytes


def read(content: bytes, folder: Path, key: str = "becker_hickl_sdt") -> list[Dataset]:
    found = readers.recognise(content[: readers.HEAD_BYTES], "measured")
    assert found is not None
    assert found.key == key
    path = folder / "stored"
    path.write_bytes(content)
    return readers.read(found, path)


@pytest.mark.parametrize("name", ["trpl/spcm_full_metadata.asc", "trpl/spcm_test.asc"])
def test_a_real_text_export_is_read_as_an_independent_reader_reads_it(name: str, reference: Path) -> None:
    source = reference / "instrument_files" / name
    found = readers.recognise(source.read_bytes()[: readers.HEAD_BYTES], source.name)
    assert found is not None
    assert found.key == "becker_hickl_asc"
    datasets = readers.read(found, source)
    assert disagreements(datasets, readings_of(reference)[name]) == []
    assert (datasets[0].axes[0].unit, datasets[0].signal.unit) == ("ns", "counts")
    if "full" in name:
        assert datasets[0].conditions["exposure_time"].value == 900  # SP_COL_T of its setup


def test_every_block_of_a_text_export_is_a_curve(tmp_path: Path) -> None:
    block = "*BLOCK {} ( Time[ns]  No_of_photons )\n0.0 , 3\n0.1 , {}\n*END\n"
    content = "  Title : two\n*END\n" + block.format(1, 5) + block.format(2, 7)
    first, second = read(content.encode(), tmp_path, "becker_hickl_asc")
    assert first.signal.values.tolist() == [3, 5]
    assert (second.title, second.signal.values.tolist()) == ("Block 2", [3, 7])


def test_a_text_export_without_times_takes_the_channel_width_of_its_setup(tmp_path: Path) -> None:
    content = "  SYS_PARA_BEGIN:\n  #SP [SP_TAC_TC,F,4e-12]\n*END\n*BLOCK 1 ( No_of_photons )\n3\n5\n*END\n"
    (curve,) = read(content.encode(), tmp_path, "becker_hickl_asc")
    assert curve.axes[0].values.tolist() == pytest.approx([0, 0.004])
    with pytest.raises(ReadError, match="counts and no times"):
        read(content.replace("#SP", "#XX").replace("TAC_TC", "OTHER").encode(), tmp_path, "becker_hickl_asc")


@pytest.mark.parametrize("revision", [14, 15])
def test_blocks_of_sixteen_bits_follow_each_other(revision: int, tmp_path: Path) -> None:
    one, two = np.arange(64, dtype="<u2"), np.arange(64, dtype="<u2")[::-1].copy()
    first, second = read(sdt([plain(one), plain(two)], revision), tmp_path)
    assert np.array_equal(first.signal.values, one)
    assert np.array_equal(second.signal.values, two)
    assert first.axes[0].values[1] == pytest.approx(50 / 4 / 64)  # 50 ns, gain 4, 64 channels
    assert first.conditions["sample_name"].value == "dye in glass"
    assert first.conditions["instrument"].value == "SPC-150"
    assert first.conditions["exposure_time"].value == 60


def test_a_zipped_image_becomes_its_sum_and_a_map(tmp_path: Path) -> None:
    counts = np.random.default_rng(3).integers(0, 9, (3, 2, 64)).astype("<u2")
    total, image = read(sdt([zipped(counts, IMAGE)], image_x=2, image_y=3), tmp_path)
    assert np.array_equal(total.signal.values, counts.sum(axis=(0, 1)))
    assert np.array_equal(image.signal.values, counts)
    assert [axis.name for axis in image.axes] == ["y", "x", "Time"]


def test_counts_of_thirty_two_bits_of_several_inputs_are_kept_apart(tmp_path: Path) -> None:
    counts = (np.arange(4 * 64, dtype="<u4") * 100_000).reshape(4, 64)
    total, curves = read(sdt([plain(counts, PAGE | ULONG)]), tmp_path)
    assert np.array_equal(curves.signal.values, counts)
    assert total.signal.values[-1] == counts[:, -1].sum(dtype=float)
    assert [axis.name for axis in curves.axes] == ["Curve", "Time"]


def test_other_histograms_are_named_and_not_read(tmp_path: Path) -> None:
    decay = plain(np.arange(64, dtype="<u2"))
    (curve,) = read(sdt([(FCS | 0x200, b"\0" * 80, 80), decay]), tmp_path)
    assert curve.header["block 1"] == "FCS curve, not read"
    with pytest.raises(ReadError, match="no block of decays"):
        read(sdt([(FCS | 0x200, b"\0" * 80, 80)]), tmp_path)


def test_an_sdt_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    content = sdt([plain(np.arange(64, dtype="<u2"))])
    with pytest.raises(ReadError, match="the file ends at byte"):
        read(content[:-20], tmp_path)


def test_a_zipped_block_that_is_damaged_is_refused(tmp_path: Path) -> None:
    kind, packed, length = zipped(np.arange(64, dtype="<u2"), DECAY)
    with pytest.raises(ReadError, match="zipped block 1 cannot be unpacked"):
        read(sdt([(kind, packed[:-30], length)]), tmp_path)
