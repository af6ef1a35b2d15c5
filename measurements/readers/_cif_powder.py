"""Powder patterns in CIF, after the powder dictionary of the IUCr (pdCIF)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from measurements.data import Array, Axis, Dataset, Quantity, ReadError, Signal
from measurements.readers import _diffraction as xrd
from measurements.vocabulary import condition

UNKNOWN = ("", "?", ".")
NUMBER = re.compile(r"([+-]?(?:\d+\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d{1,2}))?)(?:\((\d+)\))?")
NOTHING = (float("nan"), float("nan"))
# Tags of the axis in falling order of preference: our name and unit.
ANGLES = ("_pd_meas_2theta_scan", "_pd_proc_2theta_corrected", "_pd_meas_2theta_corrected")
AXES = {
    **dict.fromkeys(ANGLES, ("2θ", "deg")), "_pd_meas_time_of_flight": ("Time of flight", "µs"),
    "_pd_proc_recip_len_q": ("q", "Å⁻¹"), "_pd_proc_d_spacing": ("d", "Å"),
    "_pd_proc_energy_incident": ("Energy", "eV"),
}  # fmt: skip
RANGES = ("_pd_meas_2theta_range", "_pd_proc_2theta_range")
# Measured before processed before calculated; every further column of the loop follows.
MAIN = (
    "_pd_meas_counts_total", "_pd_meas_intensity_total", "_pd_proc_intensity_total", "_pd_proc_intensity_net",
    "_pd_meas_intensity_net", "_pd_calc_intensity_total", "_pd_calc_intensity_net",
)  # fmt: skip
PROBE = ("_diffrn_radiation_probe", "_expt_type_radiation_probe")
SIGMA = re.compile(r"_(?:su|esd|err|sigma)$")


@dataclass
class Block:
    """`header`: as the file writes it. `columns`: values by tag in our spelling. `loops`: tags together."""

    name: str
    header: dict[str, str] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    loops: dict[str, list[str]] = field(default_factory=dict)

    def one(self, *tags: str) -> str:
        """The first known value of the first tag that has one."""
        for tag in tags:
            for value in self.columns.get(tag, []):
                if value.strip() not in UNKNOWN:
                    return value
        return ""

    def column(self, tag: str, count: int) -> list[str]:
        """The values of a tag, blanks for unknown ones, as many as asked."""
        values = [value if value.strip() not in UNKNOWN else "" for value in self.columns.get(tag, [])]
        return values if len(values) == count else [""] * count


def number(text: str) -> tuple[float, float]:
    """(value, standard uncertainty) of "0.1234(5)"; NaN for what is not there."""
    found = NUMBER.fullmatch(text)
    if found is None:
        return NOTHING
    value = float(found[1])
    if found[5] is None:
        return value, float("nan")
    decimals = len(found[2] or found[3] or "") - int(found[4] or 0)
    return value, float(found[5]) * 10.0**-decimals


def datasets(block: Block, title: str) -> list[Dataset]:
    found: list[Dataset] = []
    for tags in block.loops.values():
        main = next((tag for tag in MAIN if tag in tags), None)
        axis = _axis(block, tags) if main else None
        if main and axis is not None:
            found += _pattern(block, tags, main, axis, title)
    return found


def _axis(block: Block, tags: list[str]) -> Axis | None:
    """2θ of every point, or its range, before anything that was calculated from it."""
    count = len(block.columns[tags[0]])
    return _listed(block, ANGLES, count) or _range(block, count) or _listed(block, tuple(AXES), count)


def _listed(block: Block, tags: tuple[str, ...], count: int) -> Axis | None:
    for tag in tags:
        if len(block.columns.get(tag, [])) == count > 1:
            values, _ = _numbers(block.columns[tag])
            if not np.all(np.isfinite(values)):
                raise ReadError(
                    f"some values of {tag} are not numbers. The file is damaged; export it again."
                )
            return Axis(*AXES[tag], values)
    return None


def _range(block: Block, count: int) -> Axis | None:
    for prefix in RANGES:
        first, last, step = (number(block.one(f"{prefix}_{word}"))[0] for word in ("min", "max", "inc"))
        if first != first or (step != step and last != last):
            continue
        if step != step:
            return xrd.axis("2Theta", xrd.between(first, last, count))
        if last == last and abs(first + step * (count - 1) - last) > 1.5 * abs(step):
            raise ReadError(
                f"the range from {first:g} to {last:g} in steps of {step:g} does not fit its {count} "
                "intensities. Was the file cut off? Copy it again."
            )
        return xrd.axis("2Theta", xrd.stepped(first, step, count))
    return None


def _pattern(block: Block, tags: list[str], main: str, axis: Axis, title: str) -> list[Dataset]:
    known = conditions(block)
    header = {key: value for key, value in block.header.items() if _spelled(key) not in tags}
    found = []
    for tag in (main, *(tag for tag in tags if tag != main)):
        if tag in AXES or SIGMA.search(tag) or not tag.startswith("_pd_"):
            continue
        values, errors = _numbers(block.columns[tag])
        if values.size != axis.values.size or not np.any(np.isfinite(values)) or tag.endswith("_id"):
            continue
        written = next(
            (f"{tag}{end}" for end in ("_su", "_esd", "_err", "_sigma") if f"{tag}{end}" in tags), None
        )
        if written:
            errors, _ = _numbers(block.columns[written])
        if errors is not None and np.any(errors < 0):
            raise ReadError(f"some errors of {tag} are negative. The file is damaged; export it again.")
        own_title = ", ".join(word for word in (title, "" if tag == main else tag) if word)
        name, unit = "Intensity" if tag == main else tag, "counts" if "counts" in tag else ""
        technique = "" if is_neutron(block) else "xrd"
        signal = Signal(name, unit, values, errors)
        found.append(Dataset(signal, (axis,), header, conditions=known, title=own_title, technique=technique))
    return found


def is_neutron(block: Block) -> bool:
    return "neutron" in block.one(*PROBE).lower()


def _spelled(tag: str) -> str:
    return tag.lower().replace(".", "_")


def _numbers(column: list[str]) -> tuple[Array, Array | None]:
    """Values, and their uncertainties if any is written in parentheses."""
    try:
        return np.array(column, dtype=np.float64), None
    except ValueError:
        pairs = np.array([number(text) for text in column], dtype=np.float64).reshape(-1, 2)
        return pairs[:, 0].copy(), pairs[:, 1].copy() if np.any(np.isfinite(pairs[:, 1])) else None


def conditions(block: Block) -> dict[str, Quantity]:
    wavelengths = [number(text)[0] for text in block.columns.get("_diffrn_radiation_wavelength", [])]
    wavelengths = [value for value in wavelengths if value > 0] or [number(block.one("_instr_wavelength"))[0]]
    weights = [number(text)[0] for text in block.columns.get("_diffrn_radiation_wavelength_wt", [])]
    kelvin = number(block.one("_diffrn_ambient_temperature", "_cell_measurement_temperature"))[0]
    if is_neutron(block):
        wavelengths = [float("nan")]  # it stays in the header: of X-rays is what the condition says
    found = {
        **xrd.tube(
            alpha1=wavelengths[0],
            alpha2=wavelengths[1] if len(wavelengths) > 1 else None,
            ratio=weights[1] / weights[0] if len(weights) > 1 and weights[0] > 0 else None,
            anode=block.one("_diffrn_source_target"),
        ),
        **condition("mode", block.one(*PROBE)),
        **condition("instrument", block.one("_diffrn_measurement_device_type", "_pd_instr_location")),
        **condition("software", block.one("_computing_data_collection")),
        **condition("local_time", block.one("_pd_meas_datetime_initiated")),
    }
    if kelvin == kelvin:
        found |= condition("temperature", kelvin, "K")
    return found
