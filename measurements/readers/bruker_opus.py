"""Bruker OPUS binary: blocks of spectra, interferograms and parameters, read through brukeropus.

The main dataset is what was computed (absorbance, transmittance, reflectance, Raman, …); the single channels
of sample and reference and the interferograms follow, all multiplied by their scaling factor (CSF), as OPUS
shows them. Parameters are kept under OPUS's own three letters; those of the reference measurement begin with
“Reference.”. OPUS writes the time with its offset from UTC.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from measurements.data import Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers._spectrum import NameAndUnit
from measurements.readers.base import Format, library
from measurements.vocabulary import condition

FORMAT = Format(
    name="Bruker OPUS",
    extensions=(".0", ".1", ".2"),
    vendor="Bruker",
    techniques=("ftir", "raman"),
    description="Spectra, single channels and interferograms saved by OPUS (the extension is a number).",
    max_bytes=128 * 1024**2,
)
VERSION = 1

MAGIC = b"\x0a\x0a\xfe\xfe"
SIGNALS: dict[str, NameAndUnit] = {
    "a": ("Absorbance", "1"), "t": ("Transmittance", "1"), "r": ("Reflectance", "1"),
    "km": ("Kubelka-Munk", "1"), "ra": ("Raman intensity", ""), "e": ("Emission", ""),
    "atr": ("ATR", "1"), "logr": ("log(R)", "1"), "pas": ("Photoacoustic", ""), "pw": ("Power", ""),
    "tr": ("Trace", ""), "match": ("Match", ""), "sm": ("Single channel, sample", ""),
    "rf": ("Single channel, reference", ""), "phsm": ("Phase, sample", ""), "phrf": ("Phase, reference", ""),
    "igsm": ("Interferogram, sample", ""), "igrf": ("Interferogram, reference", ""),
}  # fmt: skip
AXES: dict[str, NameAndUnit] = {
    "WN": ("Wavenumber", "cm⁻¹"), "MI": ("Wavelength", "µm"), "LGW": ("log wavenumber", ""),
    "MIN": ("Time", "min"), "PNT": ("Data point", "1"), "RSH": ("Raman shift", "cm⁻¹"),
}  # fmt: skip
TIME = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? \(GMT([+-]\d+)(?::(\d\d))?\)")
FIRST = tuple(SIGNALS)


def recognises(head: bytes, filename: str) -> bool:
    return head.startswith(MAGIC)


def read(path: Path) -> list[Dataset]:
    with library("brukeropus", FORMAT.name):
        from brukeropus import read_opus

        file = read_opus(str(path))
        if not file or not file.all_data_keys:
            raise ReadError("there is no spectrum in it. Was the file cut off? Copy it again.")
        header = _header(file)
        conditions = _conditions(file)
        keys = sorted(file.all_data_keys, key=_rank)
        return [_dataset(getattr(file, key), key, header, conditions) for key in keys]


def _rank(key: str) -> int:
    kind = key.split("_")[0]
    return FIRST.index(kind) if kind in FIRST else FIRST.index("match")


def _dataset(
    block: Any,  # brukeropus.file.data.Data or DataSeries
    key: str,
    header: dict[str, str],
    conditions: dict[str, Quantity],
) -> Dataset:
    x, y = np.array(block.x, dtype=np.float64), np.array(block.y, dtype=np.float64)
    if x.ndim != 1 or not x.size or y.shape[-1] != x.size or not np.all(np.isfinite(x)):
        raise ReadError(f"the axis of “{key}” does not fit its {y.size} values. Copy the file again.")
    name, unit = SIGNALS.get(key.split("_")[0], (key, ""))
    axes: tuple[Axis, ...] = (Axis(*AXES.get(_unit(block), ("x", "")), x),)
    if y.ndim == 2:
        axes = (Axis("Spectrum", "1", np.arange(1, len(y) + 1, dtype=np.float64)), *axes)
    raman = key.startswith("ra") or axes[-1].name == "Raman shift"
    number = key.partition("_")[2]
    return Dataset(
        signal=Signal(name, unit, y),
        axes=axes,
        header=header | _words("", block.params),
        acquired_at=_moment(block.params),
        conditions=conditions,
        title=f"{name} {number}".strip(),
        technique="raman" if raman else "ftir",
    )


def _unit(block: Any) -> str:  # as above
    return str(getattr(block.params, "dxu", "") or "")


def _header(file: Any) -> dict[str, str]:  # brukeropus.OPUSFile
    header = _words("", file.params) | _words("Reference.", file.rf_params)
    history = getattr(file, "history", None)
    return header | ({"History": str(history)[:20_000]} if history else {})


def _words(prefix: str, parameters: Any) -> dict[str, str]:  # brukeropus.file.params.Parameters
    return {f"{prefix}{key.upper()}": str(getattr(parameters, key)) for key in parameters.keys()}  # noqa: SIM118


def _conditions(file: Any) -> dict[str, Quantity]:
    def said(key: str) -> Any:  # a text or a number, as the block says
        return getattr(file.params, key, None)

    def number(key: str) -> float | None:
        value = said(key)
        return float(value) if isinstance(value, int | float) else None

    return {
        **condition("instrument", said("ins")),
        **condition("detector", said("dtc")),
        **condition("resolution", number("res"), "cm-1"),
        **condition("accumulations", number("nss"), "1"),
        **condition("sample_name", said("snm")),
        **condition("operator", said("cnm")),
        **condition("geometry", said("sfm")),
        **condition("excitation_wavelength", _laser_nm(number("rlw")), "nm"),
        **condition("laser_power", number("rlp"), "mW"),
    }


def _laser_nm(wavenumber: float | None) -> float | None:
    return 1e7 / wavenumber if wavenumber else None


def _moment(parameters: Any) -> datetime | None:  # as above
    """“12/06/2019”, “13:17:16.720 (GMT+2)”: a time with its offset; None when the offset is not given."""
    words = f"{getattr(parameters, 'dat', '')} {getattr(parameters, 'tim', '')}"
    found = TIME.fullmatch(words)
    if found is None:
        return None
    day, month, year, hour, minute, second = (int(part) for part in found.groups()[:6])
    hours = int(found[8])
    offset = timedelta(hours=hours, minutes=int(found[9] or 0) * (-1 if hours < 0 else 1))
    try:
        return datetime(
            year, month, day, hour, minute, second, int((found[7] or "0").ljust(6, "0")[:6]), timezone(offset)
        )
    except ValueError:
        return None
