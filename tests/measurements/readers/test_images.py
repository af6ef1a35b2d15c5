"""Micrographs with vendors' tags, stacks, photographs."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, TiffImagePlugin

from measurements import readers
from measurements.data import Dataset, ReadError
from tests.measurements.readers.expected import disagreements, readings_of, summaries
from tests.measurements.readers.mutations import offences

SEM = "em/hysprint_perovskite_SEM.sem.tif"
GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def read(content: bytes, folder: Path, key: str) -> Dataset:
    path = folder / "picture"
    path.write_bytes(content)
    reader = readers.recognise(content[: readers.HEAD_BYTES], "picture")
    assert reader is not None
    assert reader.key == key
    (dataset,) = readers.read(reader, path)
    return dataset


def saved(pixels: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def tagged(number: int, text: str) -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[number] = text
    tags.tagtype[number] = 2
    return saved(GREY, "TIFF", tiffinfo=tags)


def test_a_micrograph_of_zeiss_agrees_with_rosettasciio_and_brings_its_settings(reference: Path) -> None:
    path = reference / "instrument_files" / SEM
    (dataset,) = readers.read(readers.get("tiff"), path)
    readings = readings_of(reference)[SEM]
    assert summaries(readings) > 0
    assert disagreements([dataset], readings) == []
    axis = readings[0]["signals"][0]["axes"][1]
    assert dataset.axes[1].unit == "nm"
    assert dataset.axes[1].values[1] * 1e-9 == pytest.approx(axis["scale"])
    assert dataset.technique == "em"
    known = {key: (quantity.value, quantity.unit) for key, quantity in dataset.conditions.items()}
    assert known["acceleration_voltage"] == (1.0, "kV")
    assert known["working_distance"] == (5.7, "mm")
    assert known["magnification"] == (20000.0, "1")
    assert known["beam_current"] == (0.071, "nA")
    assert known["pixel_size"] == (5.5825, "nm")
    assert known["local_time"] == ("7 Jun 2024 12:08:00", "")
    assert dataset.acquired_at is None
    assert dataset.header["AP_WD"] == "WD =  5.7 mm"


def test_a_mutilated_micrograph_is_refused_or_read(reference: Path) -> None:
    assert list(offences(readers.get("tiff"), reference / "instrument_files" / SEM, flips=100)) == []


def test_settings_of_fei_are_in_si_units_and_of_the_beam_in_use(tmp_path: Path) -> None:
    text = (
        "[User]\r\nDate=03/12/2019\r\nTime=10:22:13 AM\r\n\r\n[System]\r\nSystemType=Scios\r\n"
        "[Beam]\r\nHV=30000\r\nBeam=IBeam\r\n[EBeam]\r\nHV=5000\r\nWD=0.004\r\nBeamCurrent=1e-10\r\n"
        "[IBeam]\r\nHV=30000\r\nBeamCurrent=5e-11\r\nWD=0.0165\r\n[Scan]\r\nDwelltime=3e-06\r\n"
        "PixelWidth=2.0345e-009\r\nPixelHeight=2.5e-009\r\n[Detectors]\r\nName=ETD\r\n[Stage]\r\nStageT=0.907571\r\n"
    )
    dataset = read(tagged(34682, text), tmp_path, "tiff")
    known = {key: quantity.value for key, quantity in dataset.conditions.items()}
    assert known["acceleration_voltage"] == 30
    assert known["beam_current"] == 0.05
    assert known["working_distance"] == 16.5
    assert known["dwell_time"] == 3e-6
    assert known["tilt"] == pytest.approx(52, abs=1e-3)
    assert known["instrument"] == "Scios"
    assert dataset.axes[1].values[1] == pytest.approx(2.0345)
    assert dataset.axes[0].values[1] == pytest.approx(2.5)
    assert dataset.technique == "em"
    assert dataset.signal.values.tolist() == GREY.tolist()


def test_a_stack_is_one_dataset_over_its_frames(tmp_path: Path) -> None:
    frames = [Image.fromarray((GREY + n).astype(np.uint16)) for n in range(5)]
    dataset = read(saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]), tmp_path, "tiff")
    assert [axis.name for axis in dataset.axes] == ["Frame", "y", "x"]
    assert dataset.signal.values[:, 1, 2].tolist() == [6, 7, 8, 9, 10]


def test_a_grey_picture_saved_in_colours_has_one_channel_and_a_coloured_one_three(tmp_path: Path) -> None:
    grey = read(saved(Image.fromarray(GREY).convert("RGB"), "PNG"), tmp_path, "picture")
    assert grey.signal.values.tolist() == GREY.tolist()
    coloured = np.zeros((3, 4, 3), np.uint8)
    coloured[..., 2] = GREY
    dataset = read(saved(coloured, "PNG"), tmp_path, "picture")
    assert dataset.signal.values.shape == (3, 4, 3)
    assert dataset.technique == "image"


@pytest.mark.parametrize("zone", ["+02:00", None])
def test_a_camera_that_notes_its_zone_gives_the_moment_of_the_exposure(
    tmp_path: Path, zone: str | None
) -> None:
    notes = Image.Exif()
    notes[ExifTags.Base.Make], notes[ExifTags.Base.Model] = "Canon", "EOS R"
    inner = notes.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2026:05:04 10:00:00"
    inner[ExifTags.Base.ExposureTime] = 0.5
    if zone:
        inner[ExifTags.Base.OffsetTimeOriginal] = zone
    dataset = read(saved(GREY, "JPEG", exif=notes), tmp_path, "picture")
    assert dataset.conditions["instrument"].value == "Canon EOS R"
    assert dataset.conditions["exposure_time"].value == 0.5
    if zone:
        assert dataset.acquired_at == datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
    else:
        assert dataset.acquired_at is None
        assert dataset.conditions["local_time"].value == "2026:05:04 10:00:00"


def test_a_picture_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = saved(Image.new("L", (12_000, 12_000)), "TIFF", compression="tiff_deflate")
    assert len(bomb) < 1_000_000
    with pytest.raises(ReadError, match="144 million values"):
        read(bomb, tmp_path, "tiff")


def test_a_photograph_of_a_telephone_is_named_and_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"HEIC photograph.*export a JPEG"):
        read(b"\0\0\0\x18ftypheic\0\0\0\0" + bytes(100), tmp_path, "picture")


def test_a_cameras_raw_file_is_named_and_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"raw file \(CR2\).*export a TIFF"):
        read(b"II*\0\x10\0\0\0CR\x02\0" + bytes(100), tmp_path, "tiff")


JEOL = """$SEM_DATA_VERSION 1
$CM_FORMAT JEOL/SEM
$CM_INSTRUMENT JSM-7100F
$CM_ACCEL_VOLT 15.0
$CM_MAG 5000
$CM_SIGNAL SEI
$CM_DATE 2026/05/04
$CM_TIME 10:21:55
$$SM_WD 10.1
$$SM_MICRON_BAR 100
$$SM_MICRON_MARKER 1um
"""


def test_a_micrograph_of_jeol_takes_its_scale_from_the_text_beside_it(tmp_path: Path) -> None:
    reader = readers.get("sem_sidecar")
    assert reader.confidence_in_names(["a.tif", "a.txt"]) > 0
    assert reader.confidence_in_names(["a.tif", "b.txt"]) == 0
    (tmp_path / "a.tif").write_bytes(saved(GREY, "TIFF"))
    (tmp_path / "a.txt").write_text(JEOL)
    (dataset,) = readers.read(reader, tmp_path)
    assert dataset.axes[1].values[1] == 10  # 1 µm is 100 pixels long
    known = {key: quantity.value for key, quantity in dataset.conditions.items()}
    assert known["acceleration_voltage"] == 15
    assert known["working_distance"] == 10.1
    assert known["instrument"] == "JSM-7100F"
    assert known["local_time"] == "2026/05/04 10:21:55"
    assert dataset.technique == "em"


def test_the_text_of_a_micrograph_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="together with its picture"):
        read(JEOL.encode(), tmp_path, "sem_sidecar")
