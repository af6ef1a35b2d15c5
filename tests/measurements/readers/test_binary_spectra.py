"""Binary formats of spectrometers, written here as they are described: series, maps, older JASCO files."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from measurements.data import ReadError
from measurements.readers import andor_sif, bruker_opus, jasco_jws, omnic_spa, perkinelmer_sp, renishaw_wdf


def wdf_block(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sIQ", name, 0, 16 + len(content)) + content


def wdf_map(
    points: int = 4,
    x: Sequence[float] = (0.5, 1.0, 1.5),
    y: Sequence[float] = (7.0, 7.0, 7.0),
) -> bytes:
    spectra = len(x)
    head = bytearray(496)
    struct.pack_into("<IQQI", head, 0x3C - 16, points, spectra, spectra, 5)
    head[0x60 - 16 : 0x60 - 16 + 4] = b"WiRE"
    struct.pack_into("<II", head, 0x80 - 16, 2, 3)
    struct.pack_into("<QQ", head, 0x88 - 16, 133_000_000_000_000_000, 0)
    struct.pack_into("<If", head, 0x98 - 16, 6, 1e7 / 532)
    axis = struct.pack("<II", 1, 1) + np.linspace(1600, 100, points).astype("<f4").tobytes()
    data = np.arange(points * spectra, dtype="<f4").tobytes()
    origins = struct.pack("<I", 2)
    for kind, values in ((3, x), (4, y)):
        origins += struct.pack("<II16s", kind | 0x80000000, 5, b"label") + struct.pack(
            f"<{spectra}d", *values
        )
    return b"".join(
        [wdf_block(b"WDF1", bytes(head)), wdf_block(b"DATA", data), wdf_block(b"YLST", bytes(12)),
         wdf_block(b"XLST", axis), wdf_block(b"ORGN", origins)]
    )  # fmt: skip


def test_a_renishaw_map_is_a_plane_with_its_positions(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(wdf_map())
    spectra, y = renishaw_wdf.read(path)
    assert [(axis.name, axis.unit) for axis in spectra.axes] == [("X", "µm"), ("Raman shift", "cm⁻¹")]
    np.testing.assert_array_equal(spectra.axes[0].values, [0.5, 1, 1.5])
    np.testing.assert_array_equal(spectra.axes[1].values, [1600, 1100, 600, 100])
    np.testing.assert_array_equal(spectra.signal.values[1], [4, 5, 6, 7])
    assert (y.title, y.signal.values.tolist()) == ("Y", [7, 7, 7])
    assert spectra.conditions["excitation_wavelength"].value == pytest.approx(532, rel=1e-6)
    assert spectra.acquired_at is not None
    assert spectra.acquired_at.year == 2022


def test_a_renishaw_map_that_was_scanned_to_and_fro_is_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(wdf_map(x=[1, 2, 3, 3, 2, 1], y=[9, 9, 9, 8, 8, 8.0000001]))
    (spectra,) = renishaw_wdf.read(path)
    assert [axis.name for axis in spectra.axes] == ["Y", "X", "Raman shift"]
    np.testing.assert_allclose(spectra.axes[0].values, [9, 8], rtol=1e-6)
    np.testing.assert_array_equal(spectra.axes[1].values, [1, 2, 3])
    np.testing.assert_array_equal(spectra.signal.values[1, :, 0], [20, 16, 12])  # the last row ran backwards


def test_points_that_fill_no_rectangle_stay_a_series(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(wdf_map(x=[1, 2, 3, 3], y=[9, 9, 8, 9]))
    spectra = renishaw_wdf.read(path)[0]
    assert [axis.name for axis in spectra.axes] == ["Spectrum", "Raman shift"]


def test_a_renishaw_file_that_lost_only_what_follows_the_numbers_is_read(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(wdf_map() + wdf_block(b"WHTL", bytes(100))[:-10])
    assert renishaw_wdf.read(path)[0].signal.values.shape == (3, 4)


def test_a_renishaw_file_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map"
    path.write_bytes(wdf_map()[:-10])
    with pytest.raises(ReadError, match=r"does not fit into the file\. Was it cut off"):
        renishaw_wdf.read(path)


def sif(frames: int = 2, width: int = 3, coefficients: str = "500 2 0 0") -> bytes:
    lines = [
        "Andor Technology Multi-Channel File", "65538 1",
        "65567 0 0 1 1700000000 -60 \0 \0 \0 \x02 \0 0 0.5 1 1 10 \0 2 1e-06 0 1 0 0 0 0 0 0 \0 1",
        "DU420_BX2DD ", " 1024 256 5", "a.sif ", "65538 4", "text\n65538 \x01 0 0", "65540 \x01 \0 \x01",
        coefficients, "0 1 0 0", "0 1 0 0", "532", "26", "26", "1", "10", "Wavelength6", "Counts12",
        f"Pixel number65541 1 1 {width} 1 {frames} 1 {frames * width} {width}",
        f"65538 1 1 {width} 1 1 1 0", *[f"{1000 * n}" for n in range(frames)], "0",
    ]  # fmt: skip
    numbers = np.arange(frames * width, dtype="<f4").tobytes()
    return "\n".join(lines).encode("latin-1") + b"\n" + numbers


def test_a_kinetic_series_of_andor_has_the_times_of_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "series"
    path.write_bytes(sif())
    (dataset,) = andor_sif.read(path)
    assert [(axis.name, axis.unit) for axis in dataset.axes] == [("Time", "s"), ("Wavelength", "nm")]
    np.testing.assert_allclose(dataset.axes[0].values, [0, 1e-3])
    np.testing.assert_array_equal(dataset.axes[1].values, [502, 504, 506])  # pixels are counted from 1
    np.testing.assert_array_equal(dataset.signal.values, [[0, 1, 2], [3, 4, 5]])
    assert dataset.acquired_at is not None
    assert dataset.acquired_at.isoformat() == "2023-11-14T22:13:20+00:00"


def test_an_andor_file_without_calibration_keeps_pixels(tmp_path: Path) -> None:
    path = tmp_path / "series"
    path.write_bytes(sif(coefficients="0 1 0 0"))
    (dataset,) = andor_sif.read(path)
    assert (dataset.axes[1].name, dataset.axes[1].unit) == ("Pixel", "1")
    path.write_bytes(sif()[:-4])
    with pytest.raises(ReadError, match="Was it cut off on its way"):
        andor_sif.read(path)


def compound_document(streams: dict[str, bytes]) -> bytes:
    """An OLE2 container of version 3 with one sector of FAT and every stream in the mini stream."""
    mini, starts = b"", []
    for content in streams.values():
        starts.append(len(mini) // 64)
        mini += content.ljust(-(-len(content) // 64) * 64, b"\0")
    mini_fat: list[int] = []
    for content in streams.values():
        length = -(-len(content) // 64)
        first = len(mini_fat)
        mini_fat += [*range(first + 1, first + length), 0xFFFFFFFE]
    mini_sectors = -(-len(mini) // 512)
    end, free, fat_sector = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    directory_sectors = -(-(1 + len(streams)) // 4)

    def chain(first: int, length: int) -> list[int]:
        return [*range(first + 1, first + length), end]

    fat = [fat_sector, *chain(1, directory_sectors), end, *chain(2 + directory_sectors, mini_sectors)]
    names = list(streams)
    entries = [_entry("Root Entry", 5, child=1, start=2 + directory_sectors, size=len(mini))]
    for number, name in enumerate(names, start=1):
        right = number + 1 if number < len(names) else free
        entries.append(_entry(name, 2, right=right, start=starts[number - 1], size=len(streams[name])))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    head += bytes(6) + struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 1 + directory_sectors, 1, end, 0)
    head += _words([0], 109)
    return b"".join(
        [head, _words(fat, 128), b"".join(entries).ljust(512 * directory_sectors, b"\0"),
         _words(mini_fat, 128), mini.ljust(512 * mini_sectors, b"\0")]
    )  # fmt: skip


def _words(words: Sequence[int], length: int) -> bytes:
    return struct.pack(f"<{length}I", *words, *[0xFFFFFFFF] * (length - len(words)))


def _entry(
    name: str, kind: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF, start: int, size: int
) -> bytes:
    written = name.encode("utf-16-le") + b"\0\0"
    entry = written.ljust(64, b"\0") + struct.pack("<HBBIII", len(written), kind, 1, 0xFFFFFFFF, right, child)
    return entry.ljust(116, b"\0") + struct.pack("<IQ", start, size)


def jasco_ole(values: bytes, *, channels: int = 1, points: int = 3) -> bytes:
    info = struct.pack("<6I3d", 3, 1, 0, channels, 1, points, 1000.0, 1004.0, 2.0)
    info += struct.pack("<III", 0x10000100, 3, 0x2001).ljust(48, b"\0")
    name = "glass".encode("utf-16-le") + b"\0\0"
    sample = struct.pack("<I", 0) + struct.pack("<I", len(name)) + name + struct.pack("<I", 0)
    return compound_document({"DataInfo": info, "SampleInfo": sample, "Y-Data": values})


def test_an_older_jasco_file_is_read_from_its_streams(tmp_path: Path) -> None:
    path = tmp_path / "old"
    content = jasco_ole(np.array([0.1, 0.2, 0.3], dtype="<f4").tobytes())
    path.write_bytes(content)
    assert jasco_jws.recognises(content[:65536], "old.jws") > 0.9
    (dataset,) = jasco_jws.read(path)
    np.testing.assert_array_equal(dataset.axes[0].values, [1000, 1002, 1004])
    np.testing.assert_allclose(dataset.signal.values, [0.1, 0.2, 0.3], rtol=1e-6)
    assert (dataset.axes[0].unit, dataset.signal.name, dataset.technique) == ("cm⁻¹", "Absorbance", "ftir")
    assert dataset.conditions["sample_name"].value == "glass"


def test_two_channels_of_an_older_jasco_file_are_two_datasets(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(jasco_ole(np.arange(6, dtype="<f4").tobytes(), channels=2))
    first, second = jasco_jws.read(path)
    assert (first.title, second.title) == ("Absorbance", "HT voltage")
    np.testing.assert_array_equal(second.signal.values, [3, 4, 5])


def jasco_series(x_code: int, x: list[float], z: list[float]) -> bytes:
    """Three points for every z, as Spectra Manager keeps a run over temperature or time."""
    info = struct.pack("<6I3d", 3, len(z), 1, 1, 1, 3, x[0], x[-1], x[1] - x[0])
    info += struct.pack("<4I2d", x_code, 3, 0, 8, z[0], z[-1]).ljust(0x5C - 0x30, b"\0")
    info += struct.pack(f"<{len(z)}d", *z)
    values = np.arange(3 * len(z), dtype="<f4").tobytes()
    return compound_document({"DataInfo": info, "Y-Data": values})


def test_jasco_s_spectra_over_temperature_are_one_map(tmp_path: Path) -> None:
    path = tmp_path / "run.jwb"
    path.write_bytes(jasco_series(0x10000103, [900.0, 899.5, 899.0], [24.98, 30.0, 35.01, 40.0]))
    (dataset,) = jasco_jws.read(path)
    series, wavelength = dataset.axes
    np.testing.assert_array_equal(series.values, [24.98, 30.0, 35.01, 40.0])
    np.testing.assert_array_equal(wavelength.values, [900.0, 899.5, 899.0])
    np.testing.assert_array_equal(dataset.signal.values[3], [9, 10, 11])


def test_jasco_s_kinetic_run_is_over_time(tmp_path: Path) -> None:
    path = tmp_path / "kinetics.jws"
    path.write_bytes(jasco_series(0x20000203, [0.0, 1.0, 2.0], [1.0]))
    (dataset,) = jasco_jws.read(path)
    assert (dataset.axes[0].name, dataset.axes[0].unit, dataset.technique) == ("Time", "s", "")


def test_a_jasco_file_whose_end_is_missing_is_refused(reference: Path, tmp_path: Path) -> None:
    whole = (reference / "instrument_files" / "uvvis" / "JASCO_uvvis_abs.jws").read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(whole[:-4])
    with pytest.raises(ReadError, match="Was it cut off on its way"):
        jasco_jws.read(path)


def test_other_kinds_of_perkinelmer_data_are_named(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"PEPE4D constant interval DataSet file".ljust(60, b"\0"))
    with pytest.raises(ReadError, match="of the kind “4D constant interval DataSet file”"):
        perkinelmer_sp.read(path)


def test_an_omnic_file_without_a_spectrum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"Spectral Data File".ljust(294, b"\0") + struct.pack("<H", 1) + bytes(200))
    with pytest.raises(ReadError, match="no spectrum in it"):
        omnic_spa.read(path)


def test_an_opus_file_without_blocks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"\x0a\x0a\xfe\xfe" + bytes(100))
    with pytest.raises(ReadError):
        bruker_opus.read(path)
