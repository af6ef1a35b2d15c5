"""Formats through RosettaSciIO. No real files were at hand: those here are written by its own writers, which
share little with its readers, or byte by byte as the formats are described."""

from __future__ import annotations

import copy
import importlib
import json
import struct
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import _rosettasciio
from tests.measurements.readers.children import in_a_child
from tests.measurements.readers.mutations import offences

pytest.importorskip("rsciio")

MAP = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5)


def signal(data: np.ndarray = MAP) -> dict[str, Any]:
    names = (("y", "nm", 2.0, 1.0), ("x", "nm", 2.5, 0.0), ("Energy", "eV", 0.5, 100.0))
    return {
        "data": data,
        "axes": [
            {
                "size": size, "name": name, "units": unit, "scale": scale, "offset": offset,
                "navigate": index < 2, "index_in_array": index, "_type": "UniformDataAxis",
            }
            for index, (size, (name, unit, scale, offset)) in enumerate(zip(data.shape, names, strict=True))
        ],
        "metadata": {
            "General": {"title": "map", "date": "2026-05-04", "time": "10:00:00"},
            "Signal": {"signal_type": "EELS", "quantity": "Electrons (Counts)"},
            "Acquisition_instrument": {
                "TEM": {
                    "beam_energy": 300.0, "convergence_angle": 32.0, "camera_length": 48.0,
                    "Detector": {"EELS": {"collection_angle": 29.0}},
                }
            },
        },
        "original_metadata": {"Instrument": {"Slit": 2, "words": "as they are"}},
        "attributes": {"_lazy": False}, "package_info": {"package": "x", "package_version": "1"},
        "learning_results": {}, "models": {}, "tmp_parameters": {},
    }  # fmt: skip


def written(plugin: str, suffix: str, folder: Path, data: np.ndarray = MAP) -> Path:
    path = folder / f"written{suffix}"
    importlib.import_module(f"rsciio.{plugin}").file_writer(str(path), copy.deepcopy(signal(data)))
    return path.rename(folder / "without_extension")


def read(path: Path, key: str) -> list[Dataset]:
    reader = readers.recognise(path.read_bytes()[: readers.HEAD_BYTES], path.name)
    assert reader is not None
    assert reader.key == key
    return readers.read(reader, path)


def tag(name: bytes, body: bytes, *, is_group: bool = False) -> bytes:
    return struct.pack(">BH", 20 if is_group else 21, len(name)) + name + body


def number(name: bytes, kind: int, layout: str, value: float) -> bytes:
    return tag(name, struct.pack(">4sII", b"%%%%", 1, kind) + struct.pack(f"<{layout}", value))


def array(name: bytes, kind: int, content: bytes, count: int) -> bytes:
    return tag(name, struct.pack(">4sIIII", b"%%%%", 3, 20, kind, count) + content)


def words(name: bytes, text: str) -> bytes:
    return array(name, 4, text.encode("utf-16-le"), len(text))


def group(name: bytes, *tags: bytes) -> bytes:
    return tag(name, struct.pack(">BBI", 1, 0, len(tags)) + b"".join(tags), is_group=True)


REAL, COLOURS = 2, 23  # of DigitalMicrograph's types of images


def dm3(pixels: np.ndarray, kind: int = REAL) -> bytes:
    """Gatan's tags as they have been described since 1999, with the least that an image needs."""
    height, width = pixels.shape
    numbers = (6, "<f4") if kind == REAL else (3, "<i4")

    def dimension(scale: float, unit: str, name: bytes = b"") -> bytes:
        return group(
            name, number(b"Origin", 6, "f", 0), number(b"Scale", 6, "f", scale), words(b"Units", unit)
        )

    image = group(
        b"",
        group(
            b"ImageData",
            group(
                b"Calibrations",
                dimension(1, "", b"Brightness"),
                group(b"Dimension", dimension(0.5, "nm"), dimension(0.25, "nm")),
            ),
            array(b"Data", numbers[0], pixels.astype(numbers[1]).tobytes(), pixels.size),
            number(b"DataType", 5, "I", kind),
            group(b"Dimensions", number(b"", 5, "I", width), number(b"", 5, "I", height)),
            number(b"PixelDepth", 5, "I", 4),
        ),
        group(
            b"ImageTags",
            group(
                b"Microscope Info", number(b"Voltage", 7, "d", 200_000.0),
                number(b"Indicated Magnification", 7, "d", 50_000.0), words(b"Microscope", "JEM-2100F"),
            ),
        ),
        words(b"Name", "an image"),
    )  # fmt: skip
    root = struct.pack(">BBI", 1, 0, 1) + group(b"ImageList", image)
    return struct.pack(">III", 3, len(root) + 8, 1) + root + bytes(8)


def ser(pixels: np.ndarray) -> bytes:
    """A TIA series of one image, as P. van Aken described the format."""
    height, width = pixels.shape
    head = struct.pack("<HHHIIII", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, 1, 1)
    dimension = struct.pack("<IddII", 1, 0.0, 1.0, 0, 6) + b"Number" + struct.pack("<I", 0)
    offsets_at = len(head) + 8 + len(dimension)
    data_at = offsets_at + 8
    data = struct.pack("<ddIddI", 0.0, 2e-9, 0, 0.0, 4e-9, 0) + struct.pack("<HII", 2, width, height)
    data += pixels.astype("<u2").tobytes()
    tag_at = data_at + len(data)
    offsets = struct.pack("<II", data_at, tag_at)
    return (
        head
        + struct.pack("<II", offsets_at, 1)
        + dimension
        + offsets
        + data
        + struct.pack("<HHI", 0x4152, 0, 0)
    )


@pytest.mark.parametrize(
    ("plugin", "suffix", "key"),
    [("hspy", ".hspy", "hspy"), ("emd", ".emd", "emd"), ("digitalsurf", ".sur", "digital_surf")],
)
def test_a_map_comes_back_on_its_axes(tmp_path: Path, plugin: str, suffix: str, key: str) -> None:
    # Digital Surf holds whole numbers
    data = MAP.astype(np.int16) if key == "digital_surf" else MAP
    (dataset,) = read(written(plugin, suffix, tmp_path, data), key)
    assert np.array_equal(dataset.signal.values, MAP)
    assert [(axis.name, axis.unit) for axis in dataset.axes] == [("y", "nm"), ("x", "nm"), ("Energy", "eV")]
    assert dataset.axes[2].values.tolist() == pytest.approx([100, 100.5, 101, 101.5, 102])
    assert dataset.conditions["pixel_size"].value == pytest.approx(2.0)


def test_settings_of_the_microscope_become_conditions(tmp_path: Path) -> None:
    (dataset,) = read(written("hspy", ".hspy", tmp_path), "hspy")
    assert dataset.technique == "eels"
    assert (dataset.signal.name, dataset.signal.unit) == ("Electrons", "counts")
    known = {key: (quantity.value, quantity.unit) for key, quantity in dataset.conditions.items()}
    assert known["acceleration_voltage"] == (300, "kV")
    assert known["convergence_angle"] == (32, "mrad")
    assert known["collection_angle"] == (29, "mrad")
    assert known["local_time"] == ("2026-05-04 10:00:00", "")
    assert dataset.header["Instrument.words"] == "as they are"


def test_a_spectrum_of_its_writer_is_the_same_to_our_reader(tmp_path: Path) -> None:
    spectrum = signal()
    spectrum["data"], spectrum["axes"] = np.array([1.0, 2.5, -3.0]), [dict(spectrum["axes"][2], size=3)]
    path = tmp_path / "spectrum.msa"
    importlib.import_module("rsciio.msa").file_writer(str(path), spectrum)
    (dataset,) = read(path, "msa")
    assert dataset.signal.values.tolist() == [1, 2.5, -3]
    assert dataset.axes[0].values.tolist() == [100, 100.5, 101]
    assert dataset.conditions["acceleration_voltage"].value == 300
    assert dataset.technique == "eels"


def test_an_image_of_digital_micrograph_has_its_calibration(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    path = tmp_path / "image"
    path.write_bytes(dm3(pixels))
    (dataset,) = read(path, "digital_micrograph")
    assert np.array_equal(dataset.signal.values, pixels)
    assert [(axis.unit, axis.values[1]) for axis in dataset.axes] == [("nm", 0.25), ("nm", 0.5)]
    assert dataset.conditions["acceleration_voltage"].value == 200
    assert dataset.conditions["magnification"].value == 50_000
    assert dataset.title == "an image"


def test_an_image_of_digital_micrograph_in_colours_is_read(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(dm3(np.array([[0x00010203, 0x00040506]]), COLOURS))
    (dataset,) = read(path, "digital_micrograph")
    assert dataset.signal.values.shape == (1, 2, 3)
    assert sorted(dataset.signal.values[0, 1]) == [4, 5, 6]


VELOX: dict[str, Any] = {
    "Core": {"MetadataDefinitionVersion": "7.9"}, "Instrument": {"InstrumentClass": "Titan"},
    "Acquisition": {"AcquisitionStartDatetime": {"DateTime": "1450089847"}},
    "Optics": {"AccelerationVoltage": "300000", "CameraLength": "0.195", "BeamConvergence": "0.0214"},
    "Scan": {"DwellTime": "1e-05"},
    "Detectors": {"Detector-0": {
        "DetectorName": "Super-X", "DetectorType": "AnalyticalDetector", "Dispersion": "20",
        "OffsetEnergy": "-100", "BeginEnergy": "0", "LiveTime": "1", "RealTime": "2", "ElevationAngle": "0.3",
        "AzimuthAngle": "0.7", "Enabled": "true",
    }},
    "BinaryResult": {
        "Detector": "Super-X", "PixelSize": {"width": "2e-10", "height": "2e-10"}, "PixelUnitX": "m",
        "PixelUnitY": "m", "Offset": {"x": "0", "y": "0"},
    },
}  # fmt: skip
PIXELS = np.arange(12, dtype=np.uint16).reshape(3, 4, 1)
END_OF_POINT = 65535


def velox(path: Path, counts: np.ndarray | None = None) -> None:
    """A file of Velox: an image, and if there are `counts` (y, x, channel), the stream of its X-rays."""
    notes = np.frombuffer(json.dumps(VELOX).encode().ljust(4000, b"\0"), np.uint8)[:, None]

    def text(**words: Any) -> np.ndarray:
        return np.array([json.dumps(words).encode()])

    with h5py.File(path, "w") as file:
        file["Version"] = text(format="Velox", version="10")
        file.create_group("Presentation/Displays/ImageDisplay")
        file.create_group("Operations")
        image = file.create_group("Data/Image/abc")
        image.create_dataset("Data", data=PIXELS, chunks=PIXELS.shape)
        image["Metadata"] = notes
        if counts is not None:
            events: list[int] = []
            for spectrum in counts.reshape(-1, counts.shape[-1]):
                events += [*np.repeat(np.arange(spectrum.size), spectrum), END_OF_POINT]
            stream = file.create_group("Data/SpectrumStream/def")
            stream.create_dataset("Data", data=np.array(events, np.uint16)[:, None], chunks=True)
            stream["Metadata"] = notes
            stream["AcquisitionSettings"] = text(bincount=str(counts.shape[-1]), StreamEncoding="uint16")
            file["Data/SpectrumImage/ghi/SpectrumImageSettings"] = text(endFramePosition="1")


def test_an_image_of_velox_has_its_moment_in_utc(tmp_path: Path) -> None:
    path = tmp_path / "velox"
    velox(path)
    (dataset,) = read(path, "emd")
    assert np.array_equal(dataset.signal.values, PIXELS[..., 0])
    assert dataset.acquired_at == datetime(2015, 12, 14, 10, 44, 7, tzinfo=UTC)
    assert dataset.conditions["pixel_size"].value == pytest.approx(0.2)
    assert dataset.conditions["acceleration_voltage"].value == 300
    assert dataset.conditions["camera_length"].value == 195
    assert dataset.conditions["convergence_angle"].value == pytest.approx(21.4)
    assert dataset.conditions["dwell_time"].value == 1e-5


def test_a_stream_of_x_rays_becomes_a_map_of_spectra_beside_its_image(tmp_path: Path) -> None:
    counts = np.random.default_rng(1).poisson(0.3, (3, 4, 32))
    path = tmp_path / "velox"
    velox(path, counts)
    spectra, image = read(path, "emd")
    assert np.array_equal(spectra.signal.values, counts)
    assert spectra.technique == "eds"
    assert (spectra.axes[2].unit, spectra.axes[2].values[:2].tolist()) == (
        "keV",
        pytest.approx([-0.1, -0.08]),
    )
    assert np.array_equal(image.signal.values, PIXELS[..., 0])


def test_a_series_of_tia_is_read_and_its_description_alone_is_not(tmp_path: Path) -> None:
    pixels = np.arange(12).reshape(3, 4)
    path = tmp_path / "series"
    path.write_bytes(ser(pixels))
    (dataset,) = read(path, "tia_ser")
    assert sorted(dataset.signal.values.ravel().tolist()) == list(range(12))
    assert sorted(axis.values[1] - axis.values[0] for axis in dataset.axes) == pytest.approx([2, 4])
    assert {axis.unit for axis in dataset.axes} == {"nm"}
    path.write_bytes(b"JL\0\0<ObjectInfo></ObjectInfo>")
    with pytest.raises(ReadError, match="SER files"):
        read(path, "tia_ser")


def test_without_rosettasciio_the_file_is_kept_and_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "image"
    path.write_bytes(dm3(np.ones((2, 2), np.float32)))
    monkeypatch.setitem(sys.modules, "rsciio.digitalmicrograph", None)
    with pytest.raises(
        ReadError, match=r"needs the package rosettasciio.*bytes are kept.*install rosettasciio"
    ):
        read(path, "digital_micrograph")


def test_what_is_too_large_is_left_out_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rosettasciio, "MOST_VALUES", 20)
    with pytest.raises(ReadError, match=r"2×3×5 values; up to .* bin or crop it"):
        read(written("emd", ".emd", tmp_path), "emd")


@pytest.mark.parametrize("key", ["digital_micrograph", "tia_ser", "digital_surf", "hspy", "emd"])
def test_mutilated_files_are_refused_or_read(tmp_path: Path, key: str) -> None:
    pixels = np.arange(12, dtype=np.float32).reshape(3, 4)
    path = tmp_path / "without_extension"
    if key in ("hspy", "emd", "digital_surf"):
        written(
            {"digital_surf": "digitalsurf"}.get(key, key),
            {"digital_surf": ".sur"}.get(key, f".{key}"),
            tmp_path,
        )
    else:
        path.write_bytes({"digital_micrograph": dm3(pixels), "tia_ser": ser(pixels)}[key])
    reader = in_a_child(readers.get(key), tmp_path)
    assert list(offences(reader, path, cuts=10, flips=30)) == []
