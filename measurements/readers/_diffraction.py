"""What the readers of X-ray diffraction share: names of axes, the tube, times, and numbers in text."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime

import numpy as np

from measurements.data import Array, Axis, Quantity, ReadError
from measurements.readers._text import as_number
from measurements.readers._xml import Element, local
from measurements.vocabulary import condition

MOST_POINTS = 16 * 1024**2
LONGEST_SETTING = 4000  # characters; a longer text in a header is a list of numbers
UNMEASURED = -9999.0  # what Bruker's programs write for a point that a stopped scan never reached

# Vendors' words for a driven axis, in lower case without blanks, hyphens and slashes → our name.
_AXES = {
    "2theta": "2θ", "twotheta": "2θ", "2th": "2θ", "gonio": "2θ", "coupled": "2θ", "lockedcoupled": "2θ",
    "unlockedcoupled": "2θ", "detectorscan": "2θ", "detector": "2θ", "2thetatheta": "2θ", "theta2theta": "2θ",
    "twothetatheta": "2θ", "twothetaomega": "2θ", "2thetaomega": "2θ", "omega2theta": "2θ",
    "omegatwotheta": "ω", "coupledtwothetatheta": "2θ", "psdfixed": "2θ", "psdfast": "2θ",
    "thetatwotheta": "2θ", "twothetaomegascan": "2θ", "2θ": "2θ", "2thetachi": "2θχ", "twothetachi": "2θχ",
    "twothetachiphi": "2θχ/φ", "omega": "ω", "theta": "θ", "rockingcurve": "ω", "rocking": "ω",
    "thetas": "θs", "thetad": "θd", "phi": "φ", "phiscan": "φ", "chi": "χ", "chiscan": "χ", "khi": "χ",
    "psi": "ψ", "x": "x", "y": "y", "z": "z",
}  # fmt: skip


def axis_name(word: str) -> str:
    """Our name of a driven axis, or the vendor's own word where there is none."""
    plain = re.sub(r"[\s\-/_()]", "", word).lower()
    return _AXES.get(plain, word.strip())


def is_two_theta(word: str) -> bool:
    return axis_name(word) == "2θ"


def axis(word: str, values: Array, unit: str = "deg") -> Axis:
    """A driven axis; ReadError when one of its positions is not a number."""
    if not np.all(np.isfinite(values)):
        raise ReadError(
            f"a position on the axis “{word}” is not a number. The file is damaged; export the scan again."
        )
    name = axis_name(word)
    return Axis(name, "mm" if name in ("x", "y", "z") and unit == "deg" else unit, values)


def stepped(first: float, step: float, count: int) -> Array:
    """Positions of a scan of constant step."""
    if not 0 < count <= MOST_POINTS:
        raise ReadError(f"the header announces {count} points, which cannot be. Export the scan again.")
    if not (np.isfinite(first) and np.isfinite(step) and abs(first) < 1e6 and abs(step) < 1e6):
        raise ReadError(
            "the header gives no start and step that can be. The file is damaged; export it again."
        )
    return first + step * np.arange(count, dtype=np.float64)


def between(first: float, last: float, count: int) -> Array:
    """Positions of `count` points from the first to the last."""
    stepped(first, last - first, count)  # refuses what cannot be
    return np.linspace(first, last, count)


def as_float(text: str | None) -> float | None:
    """A finite number in a header, or None."""
    number = as_number(text.replace(",", ".")) if text and text.count(",") <= 1 else None
    return number if number is not None and np.isfinite(number) else None


def numbers_in(
    lines: list[str], first_line: int, *, comma: str = "decimal", form: str = "numbers"
) -> list[list[float]]:
    """The numbers of each line that is not blank.

    comma : "decimal", or "separator" in formats that always write a point
    Raises ReadError naming the line.
    """
    quick = _rectangle("\n".join(lines))
    if quick is not None:
        return quick
    rows = []
    for number, line in enumerate(lines, start=first_line):
        text = line.replace(",", " ") if comma == "separator" else _with_points(line)
        cells = text.split()
        if not cells:
            continue
        numbers = [as_number(cell) for cell in cells]
        if None in numbers:
            found = cells[numbers.index(None)]
            raise ReadError(f"expected {form}, found “{found[:40]}”. Export the scan again.", line=number)
        rows.append([value for value in numbers if value is not None])
    return rows


def _rectangle(text: str) -> list[list[float]] | None:
    """All rows at once, where every line has as many numbers and a plain decimal point."""
    if "," in text or not text.strip():
        return None
    try:
        rows: list[list[float]] = np.loadtxt(io.StringIO(text), comments=None, ndmin=2).tolist()
    except ValueError:
        return None
    return rows


def _with_points(line: str) -> str:
    """ "10,02 123,5" and "10.02, 123.5" both occur: a comma between digits is decimal unless points are."""
    if "," not in line:
        return line
    if "." in line or not re.search(r"\s", line.strip()):
        return line.replace(",", " ")
    return re.sub(r"(?<=\d),(?=\d)", ".", line).replace(",", " ")


def floats(text: str | None, what: str) -> Array:
    """All numbers of a list in XML, separated by blanks."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # NumPy's word for numbers that break off
        try:
            return np.fromstring(text or "", dtype=np.float64, sep=" ")
        except (DeprecationWarning, ValueError):
            raise ReadError(
                f"the {what} are not all numbers. The file is damaged; export the scan again."
            ) from None


def tube(
    *,
    alpha1: float | str | None = None,
    alpha2: float | str | None = None,
    ratio: float | str | None = None,
    anode: str | None = None,
    kilovolt: float | str | None = None,
    milliampere: float | str | None = None,
) -> dict[str, Quantity]:
    """The conditions of the X-ray tube; wavelengths in Å. A zero is every vendor's "unknown"."""
    known = {
        "xray_wavelength": (alpha1, "Å"),
        "xray_wavelength_2": (alpha2, "Å"),
        "kalpha2_ratio": (ratio, "1"),
        "tube_voltage": (kilovolt, "kV"),
        "tube_current": (milliampere, "mA"),
    }
    found = condition("anode", anode)
    for key, (value, unit) in known.items():
        number = as_float(value) if isinstance(value, str) else value
        if number is not None and number > 0:
            found |= condition(key, number, unit)
    return found


def time(text: str | None) -> tuple[datetime | None, dict[str, Quantity]]:
    """(moment, {}) of a time with its zone, (None, the text as a condition) of one without."""
    if not text or not text.strip():
        return None, {}
    # Bruker writes seven decimals of a second, Python reads six
    iso = re.sub(r"(\.\d{6})\d+", r"\1", text.strip())
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return None, condition("local_time", text)
    if moment.year < 1900:
        return None, {}
    if moment.tzinfo is None:
        return None, condition("local_time", text)
    return moment, {}


def attenuation(factors: Array | None) -> dict[str, Quantity]:
    """What was done about an attenuator, in words, when there was one."""
    if factors is None or not factors.size or np.all(factors == 1):
        return {}
    return condition("attenuation", f"applied, factors {factors.min():g} to {factors.max():g}")


def measured(values: Array) -> tuple[Array, dict[str, str]]:
    """The counts with NaN at points that were never measured, and what the header says about them."""
    missing = values == UNMEASURED
    if not np.any(missing):
        return values, {}
    return np.where(missing, np.nan, values), {
        "points not measured": f"{np.count_nonzero(missing)}, marked -9999 in the file"
    }


def mean_temperature(values: Array, unit: str) -> dict[str, Quantity]:
    """Temperature of a scan, and where it began and ended when it changed."""
    values = values[np.isfinite(values)]
    if not values.size:
        return {}
    found = condition("temperature", float(values.mean()), unit)
    if np.ptp(values) > 1:
        found |= condition("start_temperature", float(values[0]), unit)
        found |= condition("end_temperature", float(values[-1]), unit)
    return found


def flattened(root: Element, leave: Mapping[str, object] | frozenset[str] = frozenset()) -> dict[str, str]:
    """Attributes and texts of an element under dotted names; `leave`: elements that hold the numbers."""
    found: dict[str, str] = {}
    for key, value in _leaves(root, "", leave, 0):
        name, count = key, 2
        while name in found:
            name, count = f"{key} ({count})", count + 1
        found[name] = value
    return found


def _leaves(
    element: Element, prefix: str, leave: Mapping[str, object] | frozenset[str], depth: int
) -> Iterator[tuple[str, str]]:
    for key, value in element.attrib.items():
        yield f"{prefix}@{key.rpartition('}')[2]}", value
    text = (element.text or "").strip()
    if text and prefix:
        yield prefix, text if len(text) <= LONGEST_SETTING else f"{text[:LONGEST_SETTING]}…"
    for child in element:
        name = local(child)
        if name and name not in leave and depth < 100:
            yield from _leaves(child, f"{prefix}.{name}" if prefix else name, leave, depth + 1)
