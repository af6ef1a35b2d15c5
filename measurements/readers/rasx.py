"""Rigaku RASX: a zip with Data0/Profile0.txt and its conditions in XML, Data1/…, from SmartLab Studio II.

The three columns of a profile are position, intensity and attenuator factor.
"""

from __future__ import annotations

import re
from pathlib import Path

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import _diffraction as xrd
from measurements.readers import _rigaku
from measurements.readers._archive import Archive
from measurements.readers._text import decoded
from measurements.readers._xml import Element, children, first, local, parse, text_of
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Rigaku RASX",
    extensions=(".rasx",),
    vendor="Rigaku",
    techniques=("xrd",),
    description="Scans of SmartLab and MiniFlex diffractometers, one or many, with the attenuator applied.",
    max_bytes=64 * 1024**2,
    zipped=True,
)
VERSION = 1

PROFILE = re.compile(r"(?:^|/)Data(\d{1,9})/Profile(\d{1,9})\.txt$", re.IGNORECASE)
LARGEST_PROFILE_BYTES = 16 * 1024**2
LEFT_OUT = frozenset({"RASHeader", "Axes", "Distances", "Categories", "Signature"})


def recognises(head: bytes, filename: str) -> bool:
    inside = re.search(rb"Data\d+/(?:Profile\d+\.txt|Mea?surementCond)", head)
    return head.startswith(b"PK") and inside is not None


def read(path: Path) -> list[Dataset]:
    with Archive(path) as archive:
        profiles = []
        for name in archive.find(PROFILE.pattern):
            found = PROFILE.search(name)
            if found:
                profiles.append((int(found[1]), int(found[2]), name))
        if not profiles:
            raise ReadError(
                "there is no profile in the archive: it may hold detector images only. Export the profile "
                "from SmartLab Studio."
            )
        scans = []
        for number, (_, own, name) in enumerate(sorted(profiles), start=1):
            scans.append(_scan(archive, name, own, number if len(profiles) > 1 else 0))
    datasets = _rigaku.in_order(scans)
    if not datasets:
        raise ReadError("the profiles in it are empty. Was the measurement stopped at once? Save it again.")
    return datasets


def _scan(archive: Archive, profile: str, own: int, number: int) -> list[Dataset]:
    content = archive.read(profile)
    if len(content) > LARGEST_PROFILE_BYTES:
        raise ReadError(f"“{profile}” has {len(content) / 1e6:.0f} MB, which no scan needs. Save it again.")
    text = decoded(content).lstrip("\ufeff")
    rows = xrd.numbers_in(text.splitlines(), 1, form="position, intensity and attenuator")
    folder = re.escape(profile.rpartition("/")[0])
    names = archive.find(rf"(?i)^{folder}/Mea?surementConditions{own}\.xml$")
    root = parse(archive.read(names[0])) if names else None
    scan_info = first(root, "ScanInformation")
    header = _header(root) if root is not None else {}
    axis = text_of(scan_info, "AxisName") or header.get("*MEAS_SCAN_AXIS_X", "Position")
    unit = text_of(scan_info, "PositionUnit")
    title = f"scan {number}, {xrd.axis_name(axis)}" if number else ""
    return _rigaku.scan(
        rows, axis, unit, text_of(scan_info, "IntensityUnit"), header, _conditions(root, header),
        text_of(scan_info, "StartTime"), title,
    )  # fmt: skip


def _header(root: Element) -> dict[str, str]:
    header = xrd.flattened(root, LEFT_OUT)
    for holder in root.iter():
        if local(holder) == "Category":
            header[f"Category.{holder.get('Name', '')}"] = holder.get("SelectedUnit", "")
        elif local(holder) == "Axis":
            header[f"Axis.{holder.get('Name', '')}"] = (
                f"{holder.get('Position', '')} {holder.get('Unit', '')}".strip()
                + (f", offset {offset}" if (offset := holder.get("Offset", "0")) not in ("", "0") else "")
                + (", scanned" if holder.get("State") == "Scan" else "")
            )
        elif local(holder) == "Pair":
            words = [(word.text or "").strip() for word in children(holder, "string")]
            if len(words) == 2 and words[1]:
                header[words[0]] = words[1]
    return header


def _conditions(root: Element | None, header: dict[str, str]) -> dict[str, Quantity]:
    general, generator = first(root, "GeneralInformation"), first(root, "HWConfigurations", "XrayGenerator")
    scan_info = first(root, "ScanInformation")
    step = xrd.as_float(text_of(scan_info, "Step"))
    return {
        **xrd.tube(
            alpha1=text_of(generator, "WavelengthKalpha1"),
            alpha2=text_of(generator, "WavelengthKalpha2"),
            anode=text_of(generator, "TargetName"),
            kilovolt=text_of(generator, "Voltage"),
            milliampere=text_of(generator, "Current"),
        ),
        **condition("step_size", step, text_of(scan_info, "PositionUnit")),
        **_rigaku.dwell(step, xrd.as_float(text_of(scan_info, "Speed")), text_of(scan_info, "SpeedUnit")),
        **_temperature(header),
        **condition("mode", text_of(scan_info, "Mode")),
        **condition("detector", header.get("Category.Detector")),
        **condition("instrument", text_of(general, "SystemName")),
        **condition("operator", text_of(general, "Operator")),
        **condition("sample_name", text_of(general, "SampleName")),
        **condition("comment", text_of(general, "Comment") or text_of(general, "Memo")),
    }


def _temperature(header: dict[str, str]) -> dict[str, Quantity]:
    """Of a heated stage, not of the cooling water (CW_Temperature)."""
    for key, value in header.items():
        name = key.removeprefix("Axis.").lower()
        if key.startswith("Axis.") and name.startswith("temp"):
            number, _, unit = value.partition(" ")
            return condition("temperature", xrd.as_float(number), unit.split(",")[0] or "°C")
    return {}
