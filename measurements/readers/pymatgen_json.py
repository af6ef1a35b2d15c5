"""A crystal structure as pymatgen and the Materials Project write it in JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from measurements.data import Dataset, ReadError
from measurements.readers import _structure
from measurements.readers._structure import Site
from measurements.readers._text import decoded, open_text
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="pymatgen structure",
    extensions=(".json",),
    vendor="",
    techniques=("structure",),
    description="Crystal structures in the JSON of pymatgen and the Materials Project.",
    max_bytes=16 * 1024**2,
)
VERSION = 1

LENGTHS = ("a", "b", "c", "alpha", "beta", "gamma")
MARK = re.compile(r'"@module"\s*:\s*"pymatgen\.core\.structure"')


def recognises(head: bytes, filename: str) -> bool:
    try:
        text = decoded(head)
    except ReadError:
        return False
    lattice = '"lattice"' in text and '"sites"' in text and '"abc"' in text
    return text.lstrip("\ufeff \t\r\n").startswith("{") and (MARK.search(text) is not None or lattice)


def read(path: Path) -> list[Dataset]:
    with open_text(path) as text:
        try:
            document = json.load(text)
        except (ValueError, RecursionError) as error:
            raise ReadError(f"the JSON is damaged or cut off ({error}). Copy the file again.") from None
    try:
        lattice = document["lattice"]
        cell = tuple(float(lattice[name]) for name in LENGTHS)
        sites = [_site(site) for site in document["sites"]]
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise ReadError(
            f"the JSON is not a structure of pymatgen: one part is missing or no number ({error}). Export "
            "the structure as CIF."
        ) from None
    if not sites:
        raise ReadError("the structure has no sites. Export it again.")
    _structure.refuse_impossible(cell)
    header = {key: json.dumps(document[key])[:4000] for key in document if key not in ("sites", "lattice")}
    header["lattice"] = json.dumps(lattice)[:4000]
    conditions = _structure.cell(cell) | condition("composition", _composition(sites))
    return _structure.datasets(sites, header, conditions, "")


def _site(site: dict[str, Any]) -> Site:
    """Of a mixed site the first species names the element, and the occupancies add up."""
    species = site["species"]
    x, y, z = (float(value) for value in site["abc"])
    if not all(abs(value) < 1e6 for value in (x, y, z)):
        raise ValueError("a coordinate cannot be")
    names = "/".join(str(one["element"]) for one in species)
    return Site(
        str(site.get("label") or names), names, (x, y, z), occupancy=sum(float(s["occu"]) for s in species)
    )


def _composition(sites: list[Site]) -> str:
    """The content of the cell, in the order of the file; of mixed sites it is not worked out."""
    counts: dict[str, float] = {}
    for site in sites:
        if "/" in site.element:
            return ""
        counts[site.element] = counts.get(site.element, 0.0) + site.occupancy
    return " ".join(f"{element}{count:g}" for element, count in counts.items())
