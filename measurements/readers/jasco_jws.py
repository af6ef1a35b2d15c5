"""JASCO's binary spectra (.jws, .jrs), of two kinds.

The flat kind (SPECMAN, of today's Spectra Manager and of the instruments' own memory), little-endian:

    0x00 "L~S "        0x08 "SPECMAN"      0x20 "R2.0.0"
    0x84 points: int32 0x88 first x, 0x90 last x, 0x98 step: float64
    0xA0 what x is: int8, then 01 00 10    0xA4 what y is: int32
    0xC8 bytes of data: int64              0x140 model, 0x160 serial number, 0x180 sample, 0x1C0 comment
    0x2C0 time of the measurement, Unix seconds in UTC
    0x740 the values, float32

The older kind (SPCMAN2) is an OLE2 container with the streams DataInfo, Y-Data and, where the axis is not
even, X-Data. It is read as others have described it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import Bytes
from measurements.readers._spectrum import NameAndUnit, understood
from measurements.readers.base import Format, library
from measurements.vocabulary import condition

FORMAT = Format(
    name="JASCO JWS",
    extensions=(".jws", ".jwb", ".jrs"),
    vendor="JASCO",
    techniques=("uvvis", "ftir", "raman", "pl"),
    description="Spectra saved by JASCO's Spectra Manager or by the spectrometer itself.",
    max_bytes=64 * 1024**2,
)
VERSION = 2

FLAT_MAGIC, OLE_MAGIC = b"L~S ", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FLAT_IDS = ("SPECMAN", "SPECIRM")
DATA_AT = 1856
TIME = 0x20000203  # a kinetic run; of all others the lowest byte says what x is
AXES: dict[int, NameAndUnit] = {
    0: ("Wavenumber", "cm⁻¹"),
    1: ("Raman shift", "cm⁻¹"),
    3: ("Wavelength", "nm"),
    TIME: ("Time", "s"),
}
SIGNALS: dict[int, NameAndUnit] = {
    0: ("Transmittance", "%"), 2: ("Reflectance", "%"), 3: ("Absorbance", "1"),
    9: ("Intensity, reference beam", ""), 10: ("Intensity, sample beam", ""), 14: ("Intensity", ""),
    0x1001: ("CD", "mdeg"), 0x2001: ("HT voltage", "V"),
}  # fmt: skip
TECHNIQUES = {0: "ftir", 1: "raman"}
ABSORPTION = (0, 2, 3)
# Where the V series keeps them, by comparison with the text export of the same measurement.
ABSORPTION_SETTINGS = {"Bandwidth": 0x354, "Response": 0x384, "Scan speed": 0x394}
SETTINGS: dict[str, NameAndUnit] = {"Bandwidth": ("bandwidth", "nm"), "Scan speed": ("scan_speed", "nm/min")}
DATA_INFO_BYTES = 64
SERIES_AT = 0x5C  # one float64 for every spectrum, such as its temperature
MOST_SPECTRA = 100_000


def recognises(head: bytes, filename: str) -> float:
    if head.startswith(FLAT_MAGIC):
        return 1.0 if any(name.encode() in head[8:24] for name in FLAT_IDS) else 0.0
    if not head.startswith(OLE_MAGIC):
        return 0.0
    named = "DataInfo".encode("utf-16-le") in head and "Y-Data".encode("utf-16-le") in head
    return 0.95 if named else 0.3 if filename.lower().endswith(".jws") else 0.0


def read(path: Path) -> list[Dataset]:
    content = Bytes.of(path)
    return _flat(content) if content.raw(0, 4) == FLAT_MAGIC else _ole(path)


def _flat(content: Bytes) -> list[Dataset]:
    points, first, last, step = content.unpack("<i3d", 0x84)
    x_code, y_code = content.one("<B", 0xA0), content.one("<I", 0xA4)
    size = content.one("<q", 0xC8)
    if points < 1 or size <= 0 or size % (4 * points):
        raise ReadError(f"{points} points in {size} bytes are announced, which do not match.", byte=0x84)
    content.need(DATA_AT, size)
    axis = Axis(*_axis_kind(x_code), _even(points, first, last, step))
    header = {
        "File id": content.text(0x08, 16),
        "Version": content.text(0x20, 16),
        "Points": str(points),
        "First x": f"{first:.12g}",
        "Last x": f"{last:.12g}",
        "Step": f"{step:.12g}",
        "X code": str(x_code),
        "Y code": str(y_code),
        "Model": content.text(0x140, 32, "cp932"),
        "Serial number": content.text(0x160, 32, "cp932"),
        "Sample": content.text(0x180, 64, "cp932"),
        "Comment": content.text(0x1C0, 64, "cp932"),
    }
    conditions = {
        **condition("instrument", header["Model"]),
        **condition("sample_name", header["Sample"]),
        **condition("comment", header["Comment"]),
    }
    if header["Model"].startswith("V-"):
        header |= {key: content.text(offset, 16, "cp932") for key, offset in ABSORPTION_SETTINGS.items()}
        conditions |= understood(header, SETTINGS)
    seconds = content.one("<i", 0x2C0)
    moment = datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    channels = size // (4 * points)
    return [
        Dataset(
            signal=Signal(
                *_signal_kind(y_code), content.floats("<f4", points, DATA_AT + 4 * points * channel)
            ),
            axes=(axis,),
            header=header,
            acquired_at=moment,
            conditions=conditions,
            title=f"channel {channel + 1}" if channels > 1 else "",
            technique=_technique(x_code, y_code),
        )
        for channel in range(channels)
    ]


def _ole(path: Path) -> list[Dataset]:
    with library("olefile", FORMAT.name):
        import olefile

        with olefile.OleFileIO(path) as container:
            names = {"/".join(name) for name in container.listdir()}
            if not {"DataInfo", "Y-Data"} <= names:
                raise ReadError("it is a compound document without a JASCO spectrum (DataInfo, Y-Data).")
            streams: dict[str, Bytes] = {
                name: Bytes(container.openstream(name).read())
                for name in ("DataInfo", "Y-Data", "X-Data", "SampleInfo", "ModuleInfo")
                if name in names
            }
    return _channels(streams)


def _channels(streams: dict[str, Bytes]) -> list[Dataset]:
    info, values = streams["DataInfo"], streams["Y-Data"]
    info.need(0, DATA_INFO_BYTES)
    spectra, channels, points = info.one("<I", 0x04), info.one("<I", 0x0C), info.one("<I", 0x14)
    first, last, step = info.unpack("<3d", 0x18)
    x_code = info.one("<I", 0x30)
    x_code = x_code if x_code == TIME else x_code & 0xFF
    if not 1 <= channels <= 64 or points < 1:
        raise ReadError(f"{channels} channels of {points} points are announced, which cannot be.")
    is_series = channels == 1 and 1 < spectra <= MOST_SPECTRA and len(values) == 4 * points * spectra
    if len(values) != 4 * points * channels and not is_series:
        raise ReadError(
            f"{channels} channels of {points} points are announced, but the data have {len(values)} bytes."
        )
    header = {
        "File id": "SPCMAN2", "Channels": str(channels), "Points": str(points), "First x": f"{first:.12g}",
        "Last x": f"{last:.12g}", "Step": f"{step:.12g}", "X code": str(x_code),
    }  # fmt: skip
    conditions = _words(streams, header)
    x = (
        streams["X-Data"].floats("<f4", points, 0)
        if "X-Data" in streams
        else _even(points, first, last, step)
    )
    if not np.all(np.isfinite(x)):
        raise ReadError("the axis holds values that are no numbers: the file is damaged. Copy it again.")
    axis = Axis(*_axis_kind(x_code), x)
    if is_series:
        y_code = info.one("<I", 0x34)
        signal = Signal(*_signal_kind(y_code), values.floats("<f4", points * spectra, 0).reshape(-1, points))
        axes = (_series_axis(info, spectra), axis)
        return [Dataset(signal, axes, header, None, conditions, "", _technique(x_code, y_code))]
    datasets = []
    for channel in range(channels):
        y_code = info.one("<I", 0x34 + 4 * channel)
        signal = Signal(*_signal_kind(y_code), values.floats("<f4", points, 4 * points * channel))
        title = signal.name if channels > 1 else ""
        datasets.append(Dataset(signal, (axis,), header, None, conditions, title, _technique(x_code, y_code)))
    return datasets


def _series_axis(info: Bytes, spectra: int) -> Axis:
    """What was changed from one spectrum to the next; the file does not say in words what it was."""
    counted = np.arange(1, spectra + 1, dtype=np.float64)
    if len(info) < SERIES_AT + 8 * spectra:
        return Axis("Spectrum", "1", counted)
    values = info.floats("<f8", spectra, SERIES_AT)
    steps = np.diff(values)
    is_axis = bool(np.all(np.isfinite(values)) and (np.all(steps > 0) or np.all(steps < 0)))
    return Axis("Series", "", values) if is_axis else Axis("Spectrum", "1", counted)


def _words(streams: dict[str, Bytes], header: dict[str, str]) -> dict[str, Quantity]:
    """Sample, comment, model and serial number, where the file has them: texts that follow their length."""
    found: dict[str, Quantity] = {}
    if "SampleInfo" in streams:
        header["Sample"], end = _text(streams["SampleInfo"], 4)
        header["Comment"], _ = _text(streams["SampleInfo"], end)
        found |= condition("sample_name", header["Sample"]) | condition("comment", header["Comment"])
    if "ModuleInfo" in streams:
        header["Module"], end = _text(streams["ModuleInfo"], 4)
        header["Model"], end = _text(streams["ModuleInfo"], end + 4)
        header["Serial number"], _ = _text(streams["ModuleInfo"], end)
        found |= condition("instrument", header["Model"])
    return found


def _text(stream: Bytes, offset: int) -> tuple[str, int]:
    length = stream.one("<I", offset)
    text = stream.raw(offset + 4, length).decode("utf-16-le", "replace").rstrip("\0")
    return text, offset + 4 + length


def _even(points: int, first: float, last: float, step: float) -> Array:
    """The grid from its first value and its step; the last value must agree within half a step."""
    if not np.all(np.isfinite([first, last, step])) or (points > 1 and step == 0):
        raise ReadError(f"the axis runs from {first} in steps of {step}: the file is damaged.")
    if abs(first + step * (points - 1) - last) > 0.5 * abs(step) + 1e-9:
        raise ReadError(
            f"an axis of {points} points from {first:g} in steps of {step:g} does not end at {last:g}. The "
            "file is damaged; copy it again."
        )
    values: Array = first + step * np.arange(points, dtype=np.float64)
    return values


def _axis_kind(code: int) -> NameAndUnit:
    return AXES.get(code, ("x", ""))


def _signal_kind(code: int) -> NameAndUnit:
    return SIGNALS.get(code, ("y", ""))


def _technique(x_code: int, y_code: int) -> str:
    return TECHNIQUES.get(x_code, "uvvis" if x_code == 3 and y_code in ABSORPTION else "")
