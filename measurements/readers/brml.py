"""Bruker BRML: a zip of XML files as DIFFRAC.SUITE saves it, one RawData*.xml for each measured range.

A range has one or more data routes (measured, final); a route has rows of comma-separated numbers (`Datum`)
and a list of views that says which columns are the time, the axes, the counters and the temperatures. Counts
are stored with the absorber's factor already applied. A position-sensitive detector at rest gives one row of
channels; several such rows become one two-dimensional dataset.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.readers._archive import Archive
from measurements.readers._xml import Element, children, first, local, parse, text_of
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Bruker BRML",
    extensions=(".brml",),
    vendor="Bruker",
    techniques=("xrd",),
    description="Measurements of DIFFRAC.SUITE with all their ranges, detectors and temperatures.",
    max_bytes=256 * 1024**2,
    zipped=True,
)
VERSION = 2

RAW_DATA = re.compile(r"(?:^|/)RawData(\d+)\.xml$", re.IGNORECASE)
LARGEST_RANGE_BYTES = 32 * 1024**2
NUMBERS = frozenset({"Datum", "DataViews"})
UNITS = {
    "counts": "counts", "degree": "deg", "°": "deg", "degreecelsius": "°C", "celsius": "°C", "°c": "°C",
    "kelvin": "K", "second": "s", "millimeter": "mm", "volt": "V",
}  # fmt: skip
TUBE = {
    "alpha1": "WaveLengthAlpha1", "alpha2": "WaveLengthAlpha2", "ratio": "WaveLengthRatio",
    "kilovolt": "Voltage", "milliampere": "Current",
}  # fmt: skip


@dataclass
class Columns:
    """What the columns of a route are: name → first column, and for recordings also their number."""

    fixed: dict[str, int] = field(default_factory=dict)
    axes: dict[str, int] = field(default_factory=dict)
    recorded: list[tuple[str, str, int, int]] = field(default_factory=list)  # name, unit, first, number


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(b"PK") and (
        b"experimentCollection.xml" in head or re.search(rb"Experiment\d+/\w+\.xml", head) is not None
    )


def read(path: Path) -> list[Dataset]:
    with Archive(path) as archive:
        names = sorted(archive.find(RAW_DATA.pattern), key=_number)
        names = names or archive.find(r"(?i)RawData\d+\.xml$")
        if not names:
            raise ReadError(
                "there is no RawData in the archive: it holds a plan without a measurement. Send the BRML "
                "file that was saved after the measurement."
            )
        info = _measurement_info(archive)
        main: list[Dataset] = []
        others: list[Dataset] = []
        for number, name in enumerate(names, start=1):
            content = archive.read(name)
            if len(content) > LARGEST_RANGE_BYTES:
                raise ReadError(
                    f"“{name}” has {len(content) / 1e6:.0f} MB: detector images of every step, which are not "
                    "read. Export the integrated scan as XY."
                )
            found = list(_range(parse(content), info, number if len(names) > 1 else 0))
            main += found[:1]
            others += found[1:]
    if not main:
        raise ReadError("none of its ranges holds a measured point. Was the measurement stopped at once?")
    return main + others


def _number(name: str) -> int:
    found = RAW_DATA.search(name)
    return int(found[1][:9]) if found else 0


def _measurement_info(archive: Archive) -> dict[str, str]:
    """The sample's name, the user and the comment, where this version of the program keeps them."""
    for name in archive.find(r"(?i)DataContainer\.xml$"):
        root = parse(archive.read(name))
        elements = [first(root, "MeasurementInfo"), first(root, "ExperimentInfo", "InstrumentDescription")]
        return {
            f"{local(element)}.{key}": value
            for element in elements
            if element is not None
            for key, value in xrd.flattened(element).items()
        }
    return {}


def _range(root: Element, info: dict[str, str], number: int) -> Iterator[Dataset]:
    routes = [
        route
        for routes in children(root, "DataRoutes")
        for route in children(routes, "DataRoute")
        if first(route, "Datum") is not None
    ]
    routes.sort(key=lambda route: route.get("RouteFlag") != "Final")
    header = info | xrd.flattened(root, NUMBERS | {"DataRoute"})
    moment, local_time = xrd.time(text_of(root, "TimeStampStarted"))
    conditions = _conditions(root, header) | local_time
    for route in routes:
        words = [f"range {number}"] if number else []
        words += [route.get("RouteFlag", "").lower()] if len(routes) > 1 else []
        yield from _route(route, header, conditions, moment, ", ".join(words))


def _route(
    route: Element,
    header: dict[str, str],
    conditions: dict[str, Quantity],
    moment: datetime | None,
    title: str,
) -> Iterator[Dataset]:
    scan = first(route, "ScanInformation")
    rows = _rows(route)
    columns = _columns(route, rows.shape[1])
    own = header | {f"DataRoute.{key}": value for key, value in xrd.flattened(route, NUMBERS).items()}
    axis = _scan_axis(scan, columns, rows)
    common = conditions | _scan_conditions(scan, axis, columns, rows)
    for place, (name, unit, start, count) in enumerate(columns.recorded):
        values, remark = xrd.measured(rows[:, start : start + count])
        signal = Signal(name if place else "Intensity", unit, values[:, 0] if count == 1 else values)
        axes: tuple[Axis, ...] = (axis,)
        if count > 1:
            axes = (axis, _channels(scan, count))
        if count > 1 and len(rows) == 1:
            signal, axes = Signal(signal.name, unit, values[0]), axes[1:]
        own_title = _joined(title, name if place else "")
        yield Dataset(signal, axes, own | remark, moment, common, own_title, technique="xrd")
    for name, column in columns.fixed.items():
        if len(rows) > 1 and np.ptp(rows[:, column]) > 0:
            signal = Signal(name, "s" if "time" in name.lower() else "1", rows[:, column].copy())
            yield Dataset(signal, (axis,), own, moment, common, _joined(title, name), technique="xrd")


def _joined(*words: str) -> str:
    return ": ".join(word for word in words if word)


def _rows(route: Element) -> Array:
    texts = [(datum.text or "").strip() for datum in children(route, "Datum")]
    try:
        rows: Array = np.loadtxt(io.StringIO("\n".join(texts)), delimiter=",", comments=None, ndmin=2)
    except ValueError:
        raise ReadError(
            "its points are not all numbers, or have different numbers of them. The file is damaged; save it "
            "again."
        ) from None
    if len(rows) != len(texts):
        raise ReadError("some of its points are empty. The file is damaged; save it again.")
    return rows


def _columns(route: Element, width: int) -> Columns:
    columns = Columns()
    for view in (v for views in children(route, "DataViews") for v in children(views, "RawDataView")):
        start, length = _whole(view.get("Start")), _whole(view.get("Length", "1"))
        recording, varying = first(view, "Recording"), first(view, "Varying")
        fits = start is not None and length is not None and length > 0 and start + length <= width
        if varying is not None and recording is None and not fits:
            continue  # coordinates that the program works out for every channel and does not store
        if start is None or length is None or not fits:
            raise ReadError(
                f"a view of the data points at columns that its {width} columns do not have. The file is "
                "damaged, or its detector images are outside of it; export the scan as XY."
            )
        if recording is not None:
            base = first(recording, "Unit")
            unit = (base.get("Base") or "") if base is not None else ""
            name = recording.get("LogicName") or recording.get("VisibleName") or "Signal"
            columns.recorded.append((name, UNITS.get(unit.lower(), unit), start, length))
        elif varying is not None:
            for place, definition in enumerate(children(varying, "FieldDefinitions")):
                if place < length:
                    word = definition.get("AxisId") or definition.get("FieldName") or f"axis {place + 1}"
                    columns.axes.setdefault(word, start + place)
        else:
            columns.fixed.setdefault(view.get("LogicName") or f"column {start + 1}", start)
    if not columns.recorded:
        return _columns_by_habit(route, width)
    columns.recorded.sort(key=lambda recorded: (recorded[1] != "counts", "temp" in recorded[0].lower()))
    return columns


def _columns_by_habit(route: Element, width: int) -> Columns:
    """Files of the first versions do not describe their columns: time, absorber, the axes, the counts."""
    names = [axis.get("AxisId") or axis.get("AxisName") or "" for axis in _axis_infos(route)]
    if not names or width < 3 + len(names):
        raise ReadError("the file does not say which column holds the counts. Export the scan as XY.")
    axes = {name: 2 + place for place, name in enumerate(names)}
    counts = ("Counts", "counts", 2 + len(names), 1)
    return Columns({"MeasuredTime": 0, "AbsorptionFactor": 1}, axes, [counts])


def _axis_infos(route: Element) -> list[Element]:
    axes = first(route, "ScanInformation", "ScanAxes")
    return list(children(axes, "ScanAxisInfo")) if axes is not None else []


def _scan_axis(scan: Element | None, columns: Columns, rows: Array) -> Axis:
    """The first scan axis that moves; the number of the point when nothing does."""
    infos = [info for axes in _of(scan, "ScanAxes") for info in children(axes, "ScanAxisInfo")]
    for name in (*(info.get("AxisId") or "" for info in infos), *columns.axes):
        column = columns.axes.get(name)
        if column is not None and (len(rows) == 1 or np.ptp(rows[:, column]) > 0):
            return xrd.axis(name, rows[:, column].copy())
    return Axis("Point", "1", np.arange(1.0, len(rows) + 1))


def _channels(scan: Element | None, count: int) -> Axis:
    """Where the channels of a detector at rest look at, if the file says it."""
    for holder, child in (("ScaleAxes", "ScaleAxisInfo"), ("ScanAxes", "ScanAxisInfo")):
        for info in (element for axes in _of(scan, holder) for element in children(axes, child)):
            start, stop, step = (xrd.as_float(text_of(info, word)) for word in ("Start", "Stop", "Increment"))
            reference = xrd.as_float(text_of(info, "Reference")) or 0.0
            if start is None or stop is None or not step:
                continue
            if abs((stop - start) / step - count) < 1.5:
                return xrd.axis(info.get("AxisId") or "TwoTheta", xrd.stepped(reference + start, step, count))
    return Axis("Channel", "1", np.arange(1.0, count + 1))


def _of(parent: Element | None, name: str) -> Iterator[Element]:
    return children(parent, name) if parent is not None else iter(())


def _scan_conditions(scan: Element | None, axis: Axis, columns: Columns, rows: Array) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    if scan is not None:
        found |= condition("scan_axis", scan.get("ScanName") or scan.get("VisibleName"))
        found |= condition("mode", text_of(scan, "ScanModeVisibleName") or text_of(scan, "ScanMode"))
        found |= condition("dwell_time", xrd.as_float(text_of(scan, "TimePerStep")), "s")
    if axis.unit == "deg" and axis.values.size > 1:
        step = (axis.values[-1] - axis.values[0]) / (axis.values.size - 1)
        found |= condition("step_size", float(f"{abs(step):.9g}"), "deg")
    absorber = columns.fixed.get("AbsorptionFactor")
    if absorber is not None:
        found |= xrd.attenuation(rows[:, absorber])
    for name, unit, start, count in columns.recorded:
        if count == 1 and "temp" in name.lower() and unit in ("°C", "K"):
            return found | xrd.mean_temperature(xrd.measured(rows[:, start])[0], unit)
    return found


def _conditions(root: Element, header: dict[str, str]) -> dict[str, Quantity]:
    tube: dict[str, str | None] = dict.fromkeys(TUBE)
    anode = detector = ""
    settings: dict[str, str] = {}
    temperature: dict[str, Quantity] = {}
    for element in root.iter():
        name = local(element)
        for key, word in TUBE.items():
            if name == word and tube[key] is None:
                tube[key] = element.get("Value")
        if name == "TubeMaterial" and not anode:
            anode = element.get("Value") or (element.text or "").strip()
        elif name == "InfoItem":
            settings.setdefault(element.get("Name", ""), element.get("Value", ""))
        elif name == "InfoData" and "temp" in element.get("LogicName", "").lower() and not temperature:
            position = first(element, "Position")
            if position is not None and position.get("Unit") in ("°C", "K"):
                degrees = xrd.as_float(position.get("Value"))
                temperature = condition("temperature", degrees, position.get("Unit", ""))
        elif name == "Detectors" and not detector:
            detector = next((child.get("VisibleName", "") for child in element), "")
    return {
        **xrd.tube(anode=anode, **tube),
        **temperature,
        **condition("detector", detector),
        **condition("instrument", header.get("InstrumentDescription.InstrumentName")),
        **condition("sample_name", settings.get("SampleName") or header.get("MeasurementInfo.@SampleName")),
        **condition("operator", settings.get("User") or header.get("MeasurementInfo.@UserName")),
        **condition("comment", settings.get("Comment") or header.get("MeasurementInfo.@Comment")),
    }


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else None
