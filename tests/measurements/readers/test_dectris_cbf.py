"""Frames of Pilatus detectors come back pixel by pixel, and damage is told."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import dectris_cbf

SAID = """# Detector: PILATUS3 X 2M, S/N 24-0124
# 2026-05-04T10:00:00.123
# Pixel_size 172e-6 m x 172e-6 m
# Exposure_time 0.0995 s
# Wavelength 1.127 A
# Detector_distance 1.95 m
"""


def packed(pixels: np.ndarray) -> bytes:
    """One pixel after the other, as the definition says."""
    out, before = bytearray(), 0
    for pixel in pixels.ravel().tolist():
        step, before = int(pixel) - before, int(pixel)
        for size in (1, 2, 4, 8):
            if abs(step) < 1 << (8 * size - 1):
                out += step.to_bytes(size, "little", signed=True)
                break
            out += (-(1 << (8 * size - 1))).to_bytes(size, "little", signed=True)
    return bytes(out)


def cbf(pixels: np.ndarray, *, md5: str = "") -> bytes:
    frame = packed(pixels)
    right = base64.b64encode(hashlib.md5(frame, usedforsecurity=False).digest()).decode()
    return (
        (
            f"###CBF: VERSION 1.5\r\n\r\ndata_a\r\n_array_data.header_contents\r\n;\r\n{SAID};\r\n"
            "_array_data.data\r\n;\r\n--CIF-BINARY-FORMAT-SECTION--\r\n"
            'Content-Type: application/octet-stream;\r\n     conversions="x-CBF_BYTE_OFFSET"\r\n'
            f"X-Binary-Size: {len(frame)}\r\n"
            'X-Binary-Element-Type: "signed 32-bit integer"\r\n'
            f"Content-MD5: {md5 or right}\r\n"
            f"X-Binary-Size-Fastest-Dimension: {pixels.shape[1]}\r\n"
            f"X-Binary-Size-Second-Dimension: {pixels.shape[0]}\r\n\r\n"
        ).encode()
        + b"\x0c\x1a\x04\xd5"
        + frame
        + bytes(95)
        + b"\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n"
    )


def read(content: bytes, folder: Path) -> Dataset:
    path = folder / "frame.cbf"
    path.write_bytes(content)
    reader = readers.recognise(content[: readers.HEAD_BYTES], path.name)
    assert reader is not None
    assert reader.key == "dectris_cbf"
    (dataset,) = readers.read(reader, path)
    return dataset


FRAME = np.random.default_rng(8).poisson(30, (7, 11)) + 0
FRAME[2, 3], FRAME[2, 4], FRAME[5, 0], FRAME[6, 10] = 1_048_500, -2, 40_000, 2**31 + 5


def test_every_pixel_comes_back_and_gaps_between_modules_are_missing(tmp_path: Path) -> None:
    values = read(cbf(FRAME), tmp_path).signal.values
    assert np.isnan(values[2, 4])
    expected = np.where(FRAME < 0, np.nan, FRAME.astype(float))
    np.testing.assert_array_equal(values, expected)


def test_differences_that_lie_across_two_pieces_are_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    steep = np.random.default_rng(9).integers(0, 2**40, (12, 9)) * np.array([1, 0, 1, 0, 0, 1, 0, 1, 1])
    for piece_bytes in range(16, 40):
        monkeypatch.setattr(dectris_cbf, "PIECE_BYTES", piece_bytes)
        np.testing.assert_array_equal(dectris_cbf.unpacked(packed(steep), steep.size), steep.ravel())


def test_the_beamlines_header_gives_conditions_with_units(tmp_path: Path) -> None:
    dataset = read(cbf(FRAME), tmp_path)
    assert dataset.conditions == {
        "xray_wavelength": Quantity(1.127, "Å"),
        "detector_distance": Quantity(1950.0, "mm"),
        "exposure_time": Quantity(0.0995, "s"),
        "detector": Quantity("PILATUS3 X 2M, S/N 24-0124"),
        "local_time": Quantity("2026-05-04T10:00:00.123"),
    }
    assert dataset.acquired_at is None
    assert dataset.header["Pixel_size"] == "172e-6 m x 172e-6 m"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (cbf(FRAME)[:-150], "cut off on its way"),
        (cbf(FRAME, md5="AAAAAAAAAAAAAAAAAAAAAA=="), "not those that the detector wrote"),
        (cbf(FRAME).replace(b"x-CBF_BYTE_OFFSET", b"x-CBF_PACKED_____"), "not packed as x-CBF_BYTE_OFFSET"),
        (cbf(FRAME).replace(b"Second-Dimension: 7", b"Second-Dimension: 9"), "ends before its last pixel"),
        (cbf(FRAME).replace(b"Fastest-Dimension: 11", b"Fastest-Dimension: xx"), "does not give X-Binary"),
        (cbf(FRAME)[:300], "no frame in it"),
    ],
)
def test_a_frame_that_is_not_whole_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(ReadError, match=sentence):
        read(content, tmp_path)
