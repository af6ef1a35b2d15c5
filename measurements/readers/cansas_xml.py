"""canSAS 1-D in XML, versions 1.0 and 1.1: every SASentry, every SASdata in it, and transmission spectra.

Each number carries its unit in the file; q and intensity are converted to Å⁻¹ and cm⁻¹, and the units that
the file had are in the header. Points without an Idev leave a gap (NaN) in the errors.
https://www.cansas.org/formats/canSAS1d/1.1/doc/
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _sas
from measurements.readers._text import as_number
from measurements.readers._xml import Element, children, first, local, parse, text_of
from measurements.readers.base import NEVER, SURE, Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="canSAS 1-D XML",
    extensions=(".xml",),
    vendor="canSAS",
    techniques=("saxs",),
    description="Small-angle scattering in the XML of the canSAS working group, with errors and resolution.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

ROOT = re.compile(rb"<(?:\w+:)?SASroot\b")
COLUMNS = {"Qdev": "σ of q", "dQw": "slit width in q", "dQl": "slit length in q", "Qmean": "mean q",
           "Shadowfactor": "shadow factor"}  # fmt: skip
DATA = ("SASdata", "SAStransmission_spectrum")
MOST_HEADER_ENTRIES = 2000


def recognises(head: bytes, filename: str) -> float:
    return SURE if ROOT.search(head[:4096]) else NEVER


def read(path: Path) -> list[Dataset]:
    root = parse(path.read_bytes())
    entries = list(children(root, "SASentry"))
    if local(root) != "SASroot" or not entries:
        raise ReadError("there is no SASentry in it. Is it canSAS XML? Export the measurement again.")
    curves: list[Dataset] = []
    spectra: list[Dataset] = []
    for entry in entries:
        header = dict(_settings(entry))
        known = _conditions(entry)
        title = text_of(entry, "Title") if len(entries) > 1 else ""
        tables = list(children(entry, "SASdata"))
        for number, table in enumerate(tables, start=1):
            own = table.get("name", "") or (f"SASdata {number}" if len(tables) > 1 else "")
            curves += _curve(table, header, known, ": ".join(filter(None, (title, own))))
        for table in children(entry, "SAStransmission_spectrum"):
            spectra += _transmission(table, header, known)
    return curves + spectra


def _curve(table: Element, header: dict[str, str], known: dict[str, Quantity], title: str) -> list[Dataset]:
    points = list(children(table, "Idata"))
    q, q_unit = _column(points, "Q")
    intensity, intensity_unit = _column(points, "I")
    sigma, sigma_unit = _column(points, "Idev")
    others = {}
    for name, words in COLUMNS.items():
        values, unit = _column(points, name)
        if np.any(np.isfinite(values)) and np.any(values != 0):
            others[words] = (values, unit or "1")
    curve = _sas.Curve(
        q,
        intensity,
        sigma if np.any(np.isfinite(sigma)) else None,
        q_unit,
        intensity_unit,
        others,
    )
    if curve.sigma is not None and sigma_unit != intensity_unit:
        raise ReadError(
            f"the intensity is in “{intensity_unit}” and its error in “{sigma_unit}”. Export it again."
        )
    units = {"Idata/Q@unit": q_unit, "Idata/I@unit": intensity_unit}
    return _sas.datasets(curve.in_common_units(), header | units, known, title=title)


def _transmission(table: Element, header: dict[str, str], known: dict[str, Quantity]) -> list[Dataset]:
    points = list(children(table, "Tdata"))
    wavelength, unit = _column(points, "Lambda")
    transmission, _ = _column(points, "T")
    sigma, _ = _column(points, "Tdev")
    if not wavelength.size or not np.all(np.isfinite(wavelength)):
        return []
    return [
        Dataset(
            signal=Signal("Transmission", "1", transmission, sigma if np.any(np.isfinite(sigma)) else None),
            axes=(Axis("Wavelength", {"A": "Å"}.get(unit, unit), wavelength),),
            header=header,
            conditions=known,
            title=f"transmission spectrum {table.get('name', '')}".strip(),
            technique="other",
        )
    ]


def _column(points: list[Element], name: str) -> tuple[Array, str]:
    """One value for each point, NaN where it is missing, and the one unit that they all have."""
    values, units = np.full(len(points), np.nan), set()
    for index, point in enumerate(points):
        cell = first(point, name)
        text = (cell.text or "").strip() if cell is not None else ""
        if cell is None or not text:
            continue
        number = as_number(text)
        if number is None:
            raise ReadError(f"expected a number for {name} in point {index + 1}, found “{text[:40]}”.")
        values[index] = number
        units.add(cell.get("unit", "").strip())
    if len(units) > 1:
        raise ReadError(
            f"{name} changes its unit among the points ({', '.join(sorted(units))}). Export it again."
        )
    return values, units.pop() if units else ""


def _settings(entry: Element) -> Iterator[tuple[str, str]]:
    """Everything but the numbers: SASinstrument/SASdetector/SDD → "4.15 m"; the second of a kind is [2]."""
    yield from (("SASentry@" + key, value) for key, value in entry.attrib.items() if not key.startswith("{"))
    for count, pair in enumerate(_flat(entry, "")):
        if count >= MOST_HEADER_ENTRIES:
            return
        yield pair


def _flat(parent: Element, path: str) -> Iterator[tuple[str, str]]:
    seen: Counter[str] = Counter()
    for child in parent:
        name = local(child)
        if not name or (name in DATA and not path):
            continue
        seen[name] += 1
        place = f"{path}{name}" + (f"[{seen[name]}]" if seen[name] > 1 else "")
        if label := child.get("name"):
            place += f"({label})"
        texts = [child.text or "", *(grandchild.tail or "" for grandchild in child)]
        text = " ".join(" ".join(texts).split())
        if text:
            yield place, f"{text} {child.get('unit', '')}".strip()
        yield from _flat(child, place + "/")


def _conditions(entry: Element) -> dict[str, Quantity]:
    instrument = first(entry, "SASinstrument")
    source = first(instrument, "SASsource")
    radiation = text_of(source, "radiation")
    known = condition("instrument", text_of(instrument, "name")) | condition("mode", radiation)
    known |= condition("sample_name", text_of(entry, "SASsample", "ID") or text_of(entry, "Title"))
    known |= condition("detector", text_of(instrument, "SASdetector", "name"))
    for key, element in {
        "thickness": first(entry, "SASsample", "thickness"),
        "transmission": first(entry, "SASsample", "transmission"),
        "temperature": first(entry, "SASsample", "temperature"),
        "detector_distance": first(instrument, "SASdetector", "SDD"),
    }.items():
        if element is not None:
            known |= condition(key, _own_text(element), element.get("unit", ""))
    wavelength = first(source, "wavelength")
    if wavelength is not None:
        known |= _sas.wavelength(radiation, _own_text(wavelength), wavelength.get("unit", ""))
    return known


def _own_text(element: Element) -> str:
    """The text of an element that may hold comments."""
    return "".join([element.text or "", *(child.tail or "" for child in element)]).strip()
