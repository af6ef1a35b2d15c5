"""What Scienta's SES says about a region, in its text files and in the notes of its Igor waves alike."""

from __future__ import annotations

import re
from collections.abc import Mapping

from measurements.data import Quantity
from measurements.vocabulary import condition

UNIT = re.compile(r"^(.*?)\s*\[(.*?)\]\s*$")
UNITS = {"a.u.": "", "degree": "deg", "degrees": "deg"}


def named(title: str) -> tuple[str, str]:
    """("Binding energy", "eV") of "Binding Energy [eV]"."""
    found = UNIT.match(title)
    name, unit = (found[1], found[2].strip()) if found else (title, "")
    return name.strip().capitalize(), UNITS.get(unit, unit)


def conditions(info: Mapping[str, str]) -> dict[str, Quantity]:
    """SES writes no units: energies are in eV, the time of a step in ms."""
    moment = " ".join(filter(None, (info.get("Date"), info.get("Time"))))
    return {
        **condition("photon_energy", info.get("Excitation Energy"), "eV"),
        **condition("pass_energy", info.get("Pass Energy"), "eV"),
        **condition("dwell_time", info.get("Step Time"), "ms"),
        **condition("accumulations", info.get("Number of Sweeps"), "1"),
        **condition("region", info.get("Region Name")),
        **condition("sample_name", info.get("Sample")),
        **condition("instrument", info.get("Instrument")),
        **condition("operator", info.get("User")),
        **condition("mode", info.get("Lens Mode")),
        **condition("comment", info.get("Comments", "").strip(";")),
        **condition("local_time", moment),
    }
