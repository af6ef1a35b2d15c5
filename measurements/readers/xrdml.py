"""PANalytical XRDML: one XML file with one or more scans, schema 1.x and 2.x.

In 1.x `intensities` are counts that are already multiplied with the attenuation factor. In 2.x `counts` are
what the detector saw, and `beamAttenuationFactors` still have to be applied: they are, here, and the counts
before it follow as a dataset of their own. Corrections for a divergence slit are kept and not applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._xml import Element, children, first, local, parse, text_of
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="PANalytical XRDML",
    extensions=(".xrdml", ".xml"),
    vendor="Malvern PANalytical",
    techniques=("xrd",),
    description="Scans of X'Pert, Empyrean, Aeris and other diffractometers, with their attenuation factors "
    "applied; temperature and gas from non-ambient stages.",
    max_bytes=64 * 1024**2,
)
VERSION = 1

LISTS = frozenset({
    "intensities", "counts", "beamAttenuationFactors", "countingTimes", "divergenceCorrections",
    "listPositions", "nonAmbientValues", "nonAmbientTimes",
})  # fmt: skip


def recognises(head: bytes, filename: str) -> bool:
    return b"<xrdMeasurements" in head or "<xrdMeasurements".encode("utf-16-le") in head


def read(path: Path) -> list[Dataset]:
    root = parse(path.read_bytes())
    scans = [
        (measurement, scan)
        for measurement in children(root, "xrdMeasurement")
        for scan in children(measurement, "scan")
    ]
    common = {
        key: value
        for key, value in xrd.flattened(root, LISTS | {"xrdMeasurement"}).items()
        if not key.startswith("@schemaLocation")
    }
    datasets: list[Dataset] = []
    extra: list[Dataset] = []
    for number, (measurement, scan) in enumerate(scans, start=1):
        header = common | _prefixed("xrdMeasurement", measurement) | _prefixed("scan", scan)
        found = list(_datasets(root, measurement, scan, header, number if len(scans) > 1 else 0))
        datasets += found[:1]
        extra += found[1:]
    if not datasets:
        raise ReadError(
            "there is no scan with intensities in it. Was the measurement stopped before it began? Save it "
            "again from Data Collector."
        )
    return datasets + extra


def _prefixed(name: str, element: Element) -> dict[str, str]:
    return {f"{name}.{key}": value for key, value in xrd.flattened(element, LISTS | {"scan"}).items()}


def _datasets(
    root: Element, measurement: Element, scan: Element, header: dict[str, str], number: int
) -> Iterator[Dataset]:
    """The intensities of a scan, then the lists that belong to its points."""
    points = first(scan, "dataPoints")
    if points is None:
        return
    values, raw, factors = _intensities(points)
    if not values.size:
        return
    axis, others = _axes(points, scan.get("scanAxis", ""), values.size)
    temperature = _temperature(scan)
    moment, local_time = xrd.time(text_of(scan, "header", "startTimeStamp"))
    conditions = {
        **_conditions(root, measurement, scan, points),
        **_step(axis),
        **temperature,
        **xrd.attenuation(factors),
        **local_time,
    }
    title = f"scan {number}, {axis.name}" if number else ""
    if number and "temperature" in temperature:
        title += f", {float(temperature['temperature'].value):.1f} °C"

    def dataset(name: str, unit: str, numbers: Array, own_title: str) -> Dataset:
        return Dataset(
            Signal(name, unit, numbers), (axis,), header, moment, conditions, own_title, technique="xrd"
        )

    written = first(points, "intensities")
    unit = written.get("unit", "counts") if written is not None else "counts"
    yield dataset("Intensity", "counts/s" if unit in ("cps", "counts/s") else "counts", values, title)
    prefix = f"{title}: " if title else ""
    if raw is not None:
        yield dataset("Counts", "counts", raw, f"{prefix}counts before attenuation was applied")
    if factors is not None and factors.size == values.size and raw is not None:
        yield dataset("Attenuation factor", "1", factors, f"{prefix}attenuation factor")
    for element, name, unit in (
        ("countingTimes", "Counting time", "s"),
        ("divergenceCorrections", "Divergence correction", "1"),
    ):
        numbers = xrd.floats(text_of(points, element), name)
        if numbers.size == values.size:
            yield dataset(name, unit, numbers, f"{prefix}{name.lower()}")
    for word, unit, numbers in others:
        yield dataset(xrd.axis_name(word), unit, numbers, f"{prefix}position {word}")


def _intensities(points: Element) -> tuple[Array, Array | None, Array | None]:
    """(intensities, counts before attenuation if that makes a difference, factors)."""
    intensities = first(points, "intensities")
    counts = first(points, "counts")
    factors_text = text_of(points, "beamAttenuationFactors") or text_of(points, "commonBeamAttenuationFactor")
    factors = xrd.floats(factors_text, "attenuation factors") if factors_text else None
    if intensities is not None:
        return xrd.floats(intensities.text, "intensities"), None, factors
    values = xrd.floats(counts.text if counts is not None else "", "counts")
    if factors is None or not values.size:
        return values, None, None
    if factors.size not in (1, values.size):
        raise ReadError(
            f"there are {values.size} counts and {factors.size} attenuation factors. The file is damaged or "
            "cut off; save it again from Data Collector."
        )
    if not np.all(np.isfinite(factors)):
        raise ReadError("an attenuation factor is not a number. The file is damaged; save it again.")
    if np.all(factors == 1):
        return values, None, factors
    return values * factors, values, factors


def _axes(points: Element, scan_axis: str, count: int) -> tuple[Axis, list[tuple[str, str, Array]]]:
    """The axis of the scan, and other axes whose position is listed for every point."""
    moving: list[tuple[str, str, Array]] = []
    listed: set[str] = set()
    for positions in children(points, "positions"):
        word, unit = positions.get("axis", ""), positions.get("unit", "deg")
        ends = [xrd.as_float(text_of(positions, name)) for name in ("startPosition", "endPosition")]
        listing = xrd.floats(text_of(positions, "listPositions"), f"positions of {word}")
        if listing.size:
            if listing.size != count:
                raise ReadError(
                    f"there are {count} intensities and {listing.size} positions of “{word}”. The file is "
                    "damaged or cut off; save it again from Data Collector."
                )
            moving.append((word, unit, listing))
            listed.add(word)
        elif ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            moving.append((word, unit, xrd.between(ends[0], ends[1], count)))
    if not moving:
        return Axis("Point", "1", np.arange(1.0, count + 1)), []
    names = [word for word, _, _ in moving]
    wanted = "2Theta" if xrd.is_two_theta(scan_axis) or scan_axis not in names else scan_axis
    main = names.index(wanted) if wanted in names else 0
    word, unit, values = moving[main]
    others = [other for place, other in enumerate(moving) if place != main and other[0] in listed]
    return xrd.axis(word, values, unit), others


def _step(axis: Axis) -> dict[str, Quantity]:
    if axis.unit != "deg" or axis.values.size < 2:
        return {}
    step = (axis.values[-1] - axis.values[0]) / (axis.values.size - 1)
    return condition("step_size", float(f"{abs(step):.9g}"), "deg")


def _temperature(scan: Element) -> dict[str, Quantity]:
    """From a non-ambient stage: kelvin unless the file says otherwise."""
    for element in (found for found in scan.iter() if local(found) == "nonAmbientPoints"):
        values = first(element, "nonAmbientValues")
        kind = element.get("type", "Temperature")
        if values is None or kind.lower() != "temperature":
            continue
        unit = values.get("unit") or element.get("unit") or "K"
        return xrd.mean_temperature(xrd.floats(values.text, "temperatures"), unit)
    return {}


def _conditions(root: Element, measurement: Element, scan: Element, points: Element) -> dict[str, Quantity]:
    wavelength = first(measurement, "usedWavelength")
    xray_tube = first(measurement, "incidentBeamPath", "xRayTube")
    detector = first(measurement, "diffractedBeamPath", "detector")
    software = first(scan, "header", "source", "applicationSoftware")
    instrument = text_of(scan, "header", "source", "instrumentControlSoftware")
    serial = text_of(scan, "header", "source", "instrumentID")
    sample = first(root, "sample")
    return {
        **xrd.tube(
            alpha1=text_of(wavelength, "kAlpha1"),
            alpha2=text_of(wavelength, "kAlpha2"),
            ratio=text_of(wavelength, "ratioKAlpha2KAlpha1"),
            anode=text_of(xray_tube, "anodeMaterial"),
            kilovolt=text_of(xray_tube, "tension"),
            milliampere=text_of(xray_tube, "current"),
        ),
        **condition("scan_axis", scan.get("scanAxis")),
        **condition("mode", scan.get("mode")),
        **condition("geometry", measurement.get("sampleMode")),
        **condition("dwell_time", text_of(points, "commonCountingTime"), "s"),
        **condition("detector", detector.get("name") if detector is not None else None),
        **condition("instrument", " ".join(word for word in (instrument, serial) if word)),
        **condition("software", _with_version(software)),
        **condition("operator", text_of(scan, "header", "author", "name")),
        **condition("sample_name", text_of(sample, "name") or text_of(sample, "id")),
    }


def _with_version(software: Element | None) -> str:
    if software is None:
        return ""
    return " ".join(word for word in ((software.text or "").strip(), software.get("version", "")) if word)
