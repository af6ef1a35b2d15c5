"""Andor SIF: lines of text, then float32 numbers, one frame after the other.

    Andor Technology Multi-Channel File
    65538 1
    65567 0 0 1 1628171392 -60 …          version, time (Unix seconds), temperature, exposure, cycles
    DU420_BX2DD                           the camera
     1024 256 50                          its size, the length of the file name that follows
    …                                     settings, of which versions have more or fewer lines
    789.7 0.1077 -5.006e-06 0             wavelength in nm = a + b i + c i² + d i³, pixels i from 1
    …                                     seven lines, then three titles, each after its length
    Pixel number65541 1 256 1024 1 1 1 1024 1024    place, frames, parts, values
    65538 1 190 1024 170 21 1 0           for each part: place and binning
             0                            for each frame: its time in µs
    0                                     a mark (0, or 1 and a number for each frame), then the numbers

The header is of a different length in every version, so the line of the frames is searched for, and the
calibration is counted backwards from it. Learnt from public readers; the ASCII export of the same measurement
confirms calibration, numbers and that the time is UTC. Binning along the axis is not part of the calibration.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._binary import MOST_VALUES, Bytes
from measurements.readers._spectrum import NameAndUnit
from measurements.readers._text import as_number
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Andor SIF",
    extensions=(".sif",),
    vendor="Andor",
    techniques=("pl", "raman", "uvvis"),
    description="Spectra, pictures and kinetic series saved by Andor Solis.",
)
VERSION = 1

MAGIC = b"Andor Technology Multi-Channel File"
HEADER_BYTES = 4 * 1024**2
SETTINGS_LINE = re.compile(
    rb"(?P<version>\d{5}) \d+ \d+ \d+ (?P<time>\d+) (?P<temperature>[-\d.]+) .{10}\S+ (?P<exposure>\S+) "
    rb"(?P<cycle>\S+) \S+ (?P<accumulations>\d+) .. ?(?P<kinetic>\S+) ",
    re.DOTALL,
)
CAMERA = re.compile(rb"\n(?P<camera>[ -~]+?) ?\n (?P<width>\d+) (?P<height>\d+) (?P<name>\d+)\n")
FRAMES = re.compile(
    rb"65\d{3} -?\d+ -?\d+ -?\d+ -?\d+ (?P<frames>\d+) (?P<parts>\d+) \d+ \d+ ?\n(?=65\d{3} )"
)
PART = re.compile(rb"65\d{3} (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)[ \d]*\n")
TITLES = re.compile(rb"\n(\d{1,2})\n([ -~]+?)(\d{1,2})\n([ -~]+?)(\d{1,2})\n([ -~]+)\Z")
NUMBER_LINE = re.compile(rb"[ ]*(\d+)[ ]*\n")
CALIBRATION_LINES_UP, EXCITATION_LINES_UP = 7, 4
NO_CALIBRATION: tuple[float, ...] = (0.0, 1.0, 0.0, 0.0)
MOST_FRAMES, MOST_PARTS = 1_000_000, 1000


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC)


def read(path: Path) -> list[Dataset]:
    content = path.read_bytes()
    found = FRAMES.search(content, 0, HEADER_BYTES)
    if not content.startswith(MAGIC) or found is None:
        raise ReadError("the description of its frames is missing. Was the file cut off? Copy it again.")
    header, coefficients = _header(content[: found.start()])
    frames, parts = int(found["frames"]), int(found["parts"])
    if not (1 <= frames <= MOST_FRAMES and 1 <= parts <= MOST_PARTS):
        raise ReadError(
            f"{frames} frames of {parts} parts are announced, which cannot be.", byte=found.start()
        )
    height, width, at = _size(content, found.end(), parts)
    times_us, at = _frame_times(content, at, frames)
    if height * width * frames > MOST_VALUES:
        raise ReadError(f"{frames} frames of {height} × {width} are announced, which cannot be.", byte=at)
    values = Bytes(content).floats("<f4", frames * height * width, at).reshape(frames, height, width)
    return _datasets(values, _axis(width, coefficients), times_us, header)


def _header(text: bytes) -> tuple[dict[str, str], tuple[float, ...]]:
    """What is known of the lines above the frames, and the calibration (of pixels, if there is none)."""
    header: dict[str, str] = {}
    if settings := SETTINGS_LINE.search(text, len(MAGIC)):
        header = {
            "Version": settings["version"].decode(),
            "Time (Unix)": settings["time"].decode(),
            "Detector temperature (°C)": settings["temperature"].decode(),
            "Exposure time (s)": settings["exposure"].decode("latin-1"),
            "Cycle time (s)": settings["cycle"].decode("latin-1"),
            "Accumulations": settings["accumulations"].decode(),
            "Kinetic cycle time (s)": settings["kinetic"].decode("latin-1"),
        }
    if camera := CAMERA.search(text, len(MAGIC)):
        header["Camera"] = camera["camera"].decode().strip()
        header["Detector size"] = f"{int(camera['width'])} x {int(camera['height'])}"
        header["File"] = text[camera.end() :][: min(int(camera["name"]), 1000)].decode("latin-1")
    coefficients = NO_CALIBRATION
    if titles := TITLES.search(text):
        header["Frame axis"] = titles[2].decode()
        header["Data type"] = titles[4].decode()
        header["Image axis"] = titles[6].decode()
        lines = text[: titles.start()].split(b"\n")
        if len(lines) >= CALIBRATION_LINES_UP:
            header["Calibration"] = lines[-CALIBRATION_LINES_UP].decode("latin-1").strip()
            header["Raman excitation (nm)"] = lines[-EXCITATION_LINES_UP].decode("latin-1").strip()
            coefficients = _coefficients(header["Calibration"])
    return header, coefficients


def _coefficients(line: str) -> tuple[float, ...]:
    """Four numbers; older versions put their own number, 65539, before them."""
    numbers = [as_number(word) for word in line.split()]
    if len(numbers) == 5:
        numbers = numbers[1:]
    known = tuple(n for n in numbers if n is not None and np.isfinite(n))
    return known if len(known) == len(numbers) == 4 else NO_CALIBRATION


def _size(content: bytes, at: int, parts: int) -> tuple[int, int, int]:
    """(rows of all parts, width, where the times begin)."""
    height, widths = 0, set()
    for _ in range(parts):
        part = PART.match(content, at)
        if part is None:
            raise ReadError(
                "the place of a part of the picture was expected here. Copy the file again.", byte=at
            )
        left, top, right, bottom, y_bin, x_bin = (int(number) for number in part.groups())
        if not x_bin or not y_bin or right < left or top < bottom:
            raise ReadError(
                "the picture has an impossible size: the file is damaged. Copy it again.", byte=at
            )
        widths.add((1 + right - left) // x_bin)
        height += (1 + top - bottom) // y_bin
        at = part.end()
    if len(widths) != 1 or not min(widths) or not height:
        raise ReadError("the parts of the picture have different widths, which is not read yet.", byte=at)
    return height, widths.pop(), at


def _frame_times(content: bytes, at: int, frames: int) -> tuple[Array, int]:
    """The times of the frames in µs, and where the numbers begin."""
    times = []
    for _ in range(frames):
        line = NUMBER_LINE.match(content, at)
        if line is None:
            raise ReadError(f"the times of {frames} frames were expected here. Copy the file again.", byte=at)
        times.append(float(line[1]))
        at = line.end()
    mark = NUMBER_LINE.match(content, at)
    if mark and int(mark[1]) == 0:
        at = mark.end()
    elif mark and int(mark[1]) == 1:
        at = mark.end()
        for _ in range(frames):
            line = NUMBER_LINE.match(content, at)
            at = line.end() if line else at
    return np.array(times, dtype=np.float64), at


def _axis(width: int, coefficients: tuple[float, ...]) -> Axis:
    pixels = np.arange(1, width + 1, dtype=np.float64)
    if coefficients == NO_CALIBRATION:
        return Axis("Pixel", "1", pixels)
    a, b, c, d = coefficients
    wavelength_nm: Array = a + pixels * (b + pixels * (c + pixels * d))
    if not np.all(np.isfinite(wavelength_nm)):
        raise ReadError("the calibration gives no wavelengths: the file is damaged. Copy it again.")
    return Axis("Wavelength", "nm", wavelength_nm)


def _datasets(values: Array, x: Axis, times_us: Array, header: dict[str, str]) -> list[Dataset]:
    frames, rows, _ = values.shape
    axes: tuple[Axis, ...] = (x,)
    if rows > 1:
        axes = (Axis("Row", "1", np.arange(1, rows + 1, dtype=np.float64)), x)
    if frames > 1:
        axes = (_series(times_us, header), *axes)
    shape = tuple(axis.values.size for axis in axes)
    signal = Signal(*_signal(header.get("Data type", "")), values.reshape(shape))
    return [Dataset(signal, axes, header, _moment(header), _conditions(header))]


def _series(times_us: Array, header: dict[str, str]) -> Axis:
    if np.all(np.diff(times_us) > 0):
        return Axis("Time", "s", times_us * 1e-6)
    cycle_s = as_number(header.get("Kinetic cycle time (s)", ""))
    if cycle_s and np.isfinite(cycle_s):
        return Axis("Time", "s", np.arange(times_us.size, dtype=np.float64) * cycle_s)
    return Axis("Frame", "1", np.arange(1, times_us.size + 1, dtype=np.float64))


def _signal(words: str) -> NameAndUnit:
    return words or "y", "counts" if words.lower().startswith("counts") else "%" if words[:1] == "%" else ""


def _moment(header: dict[str, str]) -> datetime | None:
    seconds = int(header.get("Time (Unix)", "0")[:12])
    moment = datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 2**33 else None
    return moment if moment and moment.year >= 1990 else None


def _conditions(header: dict[str, str]) -> dict[str, Quantity]:
    conditions = {
        **condition("exposure_time", as_number(header.get("Exposure time (s)", "")), "s"),
        **condition("accumulations", as_number(header.get("Accumulations", "")), "1"),
        **condition("detector", header.get("Camera")),
    }
    if header.get("Frame axis", "").lower() == "raman shift":
        conditions |= condition("excitation_wavelength", as_number(header["Raman excitation (nm)"]), "nm")
    return conditions
