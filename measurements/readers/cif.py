"""CIF through gemmi: crystal structures, and powder patterns (pdCIF), one block after the other.

Structures keep their sites as the file lists them: symmetry is not applied. Of a powder pattern, the measured
intensities come first, and every other column of its loop (calculated, background, weight) is a dataset of
its own. A value such as 0.1234(5) gives the number and its standard uncertainty. `_pd_meas.2theta_scan` of
the newer dictionaries and `_pd_meas_2theta_scan` are the same.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

from measurements.data import Dataset, ReadError
from measurements.readers import _cif_powder, _structure
from measurements.readers._cif_powder import Block, number
from measurements.readers._structure import Site
from measurements.readers._text import decoded, open_text
from measurements.readers.base import NEVER, Format, library
from measurements.vocabulary import condition

if TYPE_CHECKING:
    import gemmi

FORMAT = Format(
    name="CIF",
    extensions=(".cif", ".cfx", ".pdcif"),
    vendor="",
    techniques=("structure", "xrd"),
    description="Crystal structures (cell, space group, sites) and powder patterns (pdCIF) of any program.",
    max_bytes=24 * 1024**2,
)
VERSION = 1

LONGEST = 20_000  # characters of an item in the header; reflection lists are longer
CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
HM = ("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_ref")
NAMES = (
    "_chemical_name_common", "_chemical_name_mineral", "_chemical_name_systematic", "_pd_spec_description",
)  # fmt: skip


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return NEVER
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
    first = next((line for line in lines if line and not line.startswith("#")), "")
    if not re.match(r"data_\S*(?:\s|$)", first, re.IGNORECASE):
        return NEVER
    return 0.95 if re.search(r"(?m)^\s*(?:_\w[\w.\-/\[\]]*\s|loop_\s)", text) else 0.3


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        text = file.read()
    with library("gemmi", FORMAT.name):
        import gemmi

        document = gemmi.cif.read_string(text, check_level=0)
        blocks = [_block(block) for block in document]
    found: list[Dataset] = []
    for block in blocks:
        title = block.name if len(blocks) > 1 else ""
        found += _cif_powder.datasets(block, title)
        found += _structures(block, title)
    if not found:
        raise ReadError(
            "the CIF holds neither atom sites with fractional coordinates nor a powder pattern. "
            "Macromolecular models, reflection lists and dictionaries are not read; the bytes are kept."
        )
    return found


def _block(block: gemmi.cif.Block) -> Block:
    """Pairs and loops under their tags, as the file writes them, and under one spelling for us."""
    import gemmi

    found = Block(block.name)
    for item in block:
        if item.pair is not None:
            tag, value = cast("tuple[str, str]", item.pair)
            text = gemmi.cif.as_string(value)
            found.header[tag] = text if len(text) <= LONGEST else f"{text[:1000]}… {len(text)} characters"
            found.columns[_spelled(tag)] = [text]
        elif item.loop is not None:
            values, width = [gemmi.cif.as_string(value) for value in item.loop.values], item.loop.width()
            for place, tag in enumerate(item.loop.tags):
                column = values[place::width]
                found.columns[_spelled(tag)] = column
                found.loops.setdefault(_spelled(item.loop.tags[0]), []).append(_spelled(tag))
                whole = "\n".join(column)
                found.header[tag] = whole if len(whole) <= LONGEST else f"{len(column)} values"
    return found


def _spelled(tag: str) -> str:
    return tag.lower().replace(".", "_")


def _structures(block: Block, title: str) -> list[Dataset]:
    coordinates = [block.columns.get(f"_atom_site_fract_{axis}", []) for axis in "xyz"]
    if not coordinates[0] or len({len(column) for column in coordinates}) != 1:
        return []
    count = len(coordinates[0])
    labels = block.column("_atom_site_label", count)
    symbols = block.column("_atom_site_type_symbol", count)
    occupancies = block.column("_atom_site_occupancy", count)
    u_isos = block.column("_atom_site_u_iso_or_equiv", count)
    sites, nowhere = [], []
    for place in range(count):
        x, y, z = (number(column[place]) for column in coordinates)
        label = labels[place] or symbols[place] or f"site {place + 1}"
        if not all(value == value for value in (x[0], y[0], z[0])):
            nowhere.append(label)  # "?" and ".": a hydrogen that is known to be there, without a place
            continue
        element = symbols[place] or re.sub(r"[^A-Za-z].*", "", label)
        sites.append(
            Site(
                label, element, (x[0], y[0], z[0]), (x[1], y[1], z[1]),
                number(occupancies[place])[0], number(u_isos[place])[0],
            )
        )  # fmt: skip
    if not sites:
        return []
    cell = tuple(number(block.one(f"_cell_{name}"))[0] for name in CELL)
    conditions = {
        **_cif_powder.conditions(block),
        **condition("space_group", block.one(*HM)),
        **condition("composition", block.one("_chemical_formula_sum")),
        **condition("sample_name", block.one(*NAMES)),
    }
    if all(value == value for value in cell):
        _structure.refuse_impossible(cell)
        conditions |= _structure.cell(cell)
    remark = {"sites without a place": " ".join(nowhere)} if nowhere else {}
    return _structure.datasets(sites, block.header | remark, conditions, title)
