"""The grammar of VAMAS, ISO 14976: every value is a line, and what it means follows from its place.

W. A. Dench, L. B. Hazell, M. P. Seah, Surf. Interface Anal. 13 (1988) 63.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from measurements.data import Array, ReadError
from measurements.readers._text import as_number

MAGIC = "VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"
MODES = {"MAP", "MAPDP", "MAPSV", "MAPSVDP", "NORM", "SDP", "SDPSV", "SEM", "NOEXP"}
SCANS = {"REGULAR", "IRREGULAR", "MAPPING"}
MASS_TECHNIQUES = {
    "FABMS", "FABMS energy spec", "ISS", "SIMS", "SIMS energy spec", "SNMS", "SNMS energy spec"
}  # fmt: skip
SPUTTERED_TECHNIQUES = {"AES diff", "AES dir", "EDX", "ELS", "UPS", "XPS", "XRF"}
DEPTH_MODES = {"MAPDP", "MAPSVDP", "SDP", "SDPSV"}
PARAMETERS = 40
UNKNOWN = 1e36  # the standard writes 1E37


class Lines:
    """The lines of the file, taken one after the other."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.place = lines, 0

    def text(self) -> str:
        if self.place >= len(self.lines):
            raise ReadError("the file ends too early. Copy it again.", line=self.place)
        self.place += 1
        return self.lines[self.place - 1].strip()

    def number(self) -> float:
        words = self.text()
        value = as_number(words)
        if value is None:
            raise ReadError(
                f"expected a number, found “{words[:40]}”. The file does not keep to ISO 14976; export it "
                "again.",
                line=self.place,
            )
        return value

    def count(self) -> int:
        """How many lines of something follow: never more than there are."""
        value = self.number()
        left = len(self.lines) - self.place
        if not (0 <= value <= left and value == int(value)):
            raise ReadError(
                f"{value:g} lines are announced, {left} are left. Copy the file again.", line=self.place
            )
        return int(value)

    def texts(self, count: int) -> list[str]:
        return [self.text() for _ in range(count)]

    def numbers(self, count: int) -> Array:
        """Many numbers at once; the slow way finds the line that is none."""
        start = self.place
        try:
            values = np.array(self.lines[start : start + count], dtype=np.float64)
        except ValueError:
            return np.array([self.number() for _ in range(count)])
        self.place += len(values)
        if len(values) < count:
            raise ReadError(
                f"{count} ordinates were announced, but the file ends after {len(values)}. Copy it again.",
                line=len(self.lines),
            )
        return values


@dataclass
class Experiment:
    """What the head says about all blocks."""

    header: dict[str, str]
    mode: str
    scan: str
    full_map: tuple[int, int]
    variables: list[str]
    included: list[bool]
    future_entries: int


@dataclass
class Block:
    """The parameters of a block by the names of the standard, and its columns."""

    values: dict[str, str] = field(default_factory=dict)
    additional: dict[str, str] = field(default_factory=dict)
    columns: list[tuple[str, str]] = field(default_factory=list)
    ordinates: Array = field(default_factory=lambda: np.empty((0, 0)))

    def number(self, name: str) -> float | None:
        value = as_number(self.values.get(name, ""))
        return None if value is None or not abs(value) < UNKNOWN else value


def blocks(lines: Lines) -> Iterator[tuple[Experiment, Block]]:
    """Every block with what the head says about all of them."""
    if MAGIC not in lines.text():
        raise ReadError("the first line is not that of a VAMAS file. Export it again.", line=1)
    experiment = _experiment(lines)
    before: Block | None = None
    for _ in range(lines.count()):
        before = _block(lines, experiment, before)
        yield experiment, before


def _experiment(lines: Lines) -> Experiment:
    names = ("institution", "instrument model", "operator", "experiment")
    header = {f"{name} identifier": lines.text() for name in names}
    header["comment"] = "\n".join(lines.texts(lines.count()))
    header["experiment mode"], header["scan mode"] = mode, scan = lines.text(), lines.text()
    if mode not in MODES or scan not in SCANS:
        raise ReadError(
            f"“{mode[:20]}” and “{scan[:20]}” are no experiment and scan mode of ISO 14976. Export the "
            "file again.",
            line=lines.place,
        )
    full_map = (0, 0)
    if mode in ("MAP", "MAPDP", "NORM", "SDP"):
        header["number of spectral regions"] = lines.text()
    if mode in ("MAP", "MAPDP"):
        header["number of analysis positions"] = lines.text()
        full_map = (int(min(max(lines.number(), 0), 1e6)), int(min(max(lines.number(), 0), 1e6)))
    variables = []
    for _ in range(lines.count()):
        label, unit = lines.text(), lines.text()
        variables.append(f"{label} ({unit})")
    included = _included(lines)
    lines.texts(lines.count())  # the numbers of what was typed in by hand
    future_head, future_block = lines.count(), lines.count()
    lines.texts(future_head)
    return Experiment(header, mode, scan, full_map, variables, included, future_block)


def _included(lines: Lines) -> list[bool]:
    """A positive count lists the parameters that every block writes, a negative one those left out."""
    count = lines.number()
    left = len(lines.lines) - lines.place
    if abs(count) > min(left, PARAMETERS) or count != int(count):
        raise ReadError(f"a list of {count:g} parameters cannot be. Copy the file again.", line=lines.place)
    listed = {int(number) for number in lines.numbers(int(abs(count))) if abs(number) <= PARAMETERS}
    return [(number in listed) == (count > 0) for number in range(1, PARAMETERS + 1)]


def _block(lines: Lines, experiment: Experiment, before: Block | None) -> Block:
    block = Block()
    values = block.values
    if before is not None:
        values |= before.values
        block.columns, block.additional = before.columns, before.additional
    values["block identifier"], values["sample identifier"] = lines.text(), lines.text()
    for number, is_in in enumerate(experiment.included, start=1):
        if is_in or before is None:
            _parameter(number, lines, experiment, block)
    values |= {f"future upgrade entry {n + 1}": lines.text() for n in range(experiment.future_entries)}
    count = lines.count()
    lines.texts(2 * len(block.columns))  # smallest and largest ordinate of each
    if not block.columns or count % len(block.columns):
        raise ReadError(
            f"{count} ordinates do not divide among {len(block.columns)} variables. Copy the file again.",
            line=lines.place,
        )
    block.ordinates = lines.numbers(count).reshape(-1, len(block.columns))
    return block


# The forty parameters that are one or several plain values, and the experiment modes that have them.
PLAIN: dict[int, tuple[str, ...]] = {
    1: ("year",), 2: ("month",), 3: ("day",), 4: ("hour",), 5: ("minute",), 6: ("second",),
    7: ("hours in advance of GMT",), 9: ("technique",), 10: ("x coordinate", "y coordinate"),
    12: ("analysis source label",),
    13: ("sputtering ion atomic number", "sputtering ion atoms", "sputtering ion charge"),
    14: ("analysis source characteristic energy",), 15: ("analysis source strength",),
    16: ("analysis source beam width x", "analysis source beam width y"),
    17: ("field of view x", "field of view y"),
    18: ("first linescan start x", "first linescan start y", "first linescan finish x",
         "first linescan finish y", "last linescan finish x", "last linescan finish y"),
    19: ("analysis source polar angle of incidence",), 20: ("analysis source azimuth",),
    21: ("analyser mode",), 22: ("analyser pass energy or retard ratio or mass resolution",),
    23: ("differential width",), 24: ("magnification of analyser transfer lens",),
    25: ("analyser work function or acceptance energy",), 26: ("target bias",),
    27: ("analysis width x", "analysis width y"),
    28: ("analyser axis take off polar angle", "analyser axis take off azimuth"),
    29: ("species label",), 30: ("transition or charge state label", "charge of detected particle"),
    31: ("abscissa label", "abscissa units", "abscissa start", "abscissa increment"),
    33: ("signal mode",), 34: ("signal collection time",), 35: ("number of scans to compile this block",),
    36: ("signal time correction",),
    37: ("sputtering source energy", "sputtering source beam current", "sputtering source width x",
         "sputtering source width y", "sputtering source polar angle of incidence",
         "sputtering source azimuth", "sputtering mode"),
    38: ("sample normal polar angle of tilt", "sample normal tilt azimuth"), 39: ("sample rotation angle",),
}  # fmt: skip
MAP_MODES = {"MAP", "MAPDP", "MAPSV", "MAPSVDP", "SEM"}
ONLY_IN_MODES = {10: {"MAP", "MAPDP"}, 17: MAP_MODES, 18: {"MAPSV", "MAPSVDP", "SEM"}}


def _parameter(number: int, lines: Lines, experiment: Experiment, block: Block) -> None:
    values, technique = block.values, block.values.get("technique", "")
    if number == 8:
        values["comment"] = "\n".join(lines.texts(lines.count()))
    elif number == 11:
        values |= {f"variable {name}": lines.text() for name in experiment.variables}
    elif number == 32:
        count = lines.count()
        block.columns = [(lines.text(), lines.text()) for _ in range(count)]
    elif number == 40:
        block.additional = {}
        for _ in range(lines.count()):
            label, unit = lines.text(), lines.text()
            block.additional[label or "parameter"] = f"{lines.text()} {unit}".strip()
    elif _is_written(number, experiment, technique):
        values |= {name: lines.text() for name in PLAIN[number]}


def _is_written(number: int, experiment: Experiment, technique: str) -> bool:
    """Some parameters exist only for certain modes and techniques."""
    if number in ONLY_IN_MODES:
        return experiment.mode in ONLY_IN_MODES[number]
    if number == 13:
        return experiment.mode in DEPTH_MODES or technique in MASS_TECHNIQUES
    if number == 23:
        return technique == "AES diff"
    if number == 31:
        return experiment.scan == "REGULAR"
    if number == 37:
        return experiment.mode in DEPTH_MODES and technique in SPUTTERED_TECHNIQUES
    return True
