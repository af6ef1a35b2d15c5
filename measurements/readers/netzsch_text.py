"""Text that Netzsch Proteus exports: #KEY:value lines, ## before the titles, then the rows.

    #SEPARATOR:SEMICOLON
    #DECIMAL:POINT
    #SAMPLE MASS /mg:8.91
    ##Temp./°C;Time/min;Mass/%
     27.14100;  0.00000;99.98948

The header itself says how cells are separated (semicolon, comma, tab, blank) and which decimal mark there is.
Exports of several runs side by side repeat the columns; the keys then have one value for each run, and empty
cells stand where a run is shorter than the others. #EXO is the sign of an exothermic effect: 1 up, −1 down.
The axis is the time where it was exported, otherwise the temperature. Date and time have no zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from measurements.data import Dataset, Quantity, ReadError
from measurements.readers import _thermal
from measurements.readers._numbers import Dialect
from measurements.readers._text import decoded, open_text
from measurements.readers._thermal import Column
from measurements.readers.base import Format
from measurements.vocabulary import condition

FORMAT = Format(
    name="Netzsch Proteus text",
    extensions=(".txt", ".csv"),
    vendor="Netzsch",
    techniques=("dsc", "tga", "dilatometry"),
    description="DSC, TGA, STA and dilatometer runs exported as text from Netzsch Proteus; any separator and "
    "decimal mark, one or several runs.",
    max_bytes=128 * 1024**2,
)
VERSION = 2

SEPARATORS = {"SEMICOLON": ";", "COMMA": ",", "TAB": "\t", "TABULATOR": "\t", "BLANK": None, "SPACE": None}
KEY = re.compile(r"^#([^#:][^:]*):(.*)$")
TECHNIQUES = (
    ("DIL", "dilatometry"),
    ("TMA", "dilatometry"),
    ("STA", "tga"),
    ("TG", "tga"),
    ("DSC", "dsc"),
    ("DTA", "dsc"),
)
RANGE = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*.?C\s*/\s*[^/]*\([^)]*\)\s*/\s*(-?\d+(?:[.,]\d+)?)\s*.?C")
KEYS = {
    "sample_name": ("SAMPLE", "PROBE", "IDENTITY"),
    "operator": ("OPERATOR", "BEDIENER"),
    "instrument": ("INSTRUMENT", "GERÄT", "GERAET"),
    "crucible": ("TYPE OF CRUCIBLE", "TIEGELTYP", "TIEGEL"),
    "local_time": ("DATE/TIME", "DATUM/ZEIT"),
    "comment": ("REMARK", "BEMERKUNG"),
}


def recognises(head: bytes, filename: str) -> float:
    try:
        text = decoded(head)
    except ReadError:
        return 0.0
    if re.search(r"^#(?:FORMAT|EXPORTTYPE?)\s*:[ \t,;]*(?:NETZSCH|DATA)", text, re.MULTILINE):
        return 1.0
    keys = len(re.findall(r"^#[A-ZÄÖÜ][^:\n]*:", text, re.MULTILINE))
    return 0.9 if keys >= 3 and re.search(r"^##\s*\w", text, re.MULTILINE) else 0.0


def read(path: Path) -> list[Dataset]:
    with open_text(path) as file:
        lines = file.read().split("\n")
    titles_at = next((number for number, line in enumerate(lines) if line.startswith("##")), None)
    if titles_at is None:
        raise ReadError(
            "the file ends before the titles of the columns (the line that begins with ##). Was the export "
            "cut off? Export it again.",
            line=len(lines),
        )
    above = _keys(lines[:titles_at])
    dialect = _dialect(above, lines[titles_at], next(filter(str.strip, lines[titles_at + 1 :]), ""))
    titles = [title.lstrip("# ").strip() for title in dialect.cells(lines[titles_at])]
    if len(titles) < 2:
        raise ReadError("there is only one column. Export time and signals with it.", line=titles_at + 1)
    datasets = []
    groups = _groups(titles)
    for number, group in enumerate(groups):
        table = _thermal.table_in(
            _rows_of(lines[titles_at + 1 :], group, len(titles), dialect.delimiter),
            dialect,
            len(group),
            titles_at + 2,
        )
        if not table.rows.size:
            raise ReadError(
                "there are no rows of numbers below the titles. Was the export cut off? Export it again.",
                line=titles_at + 2,
            )
        header = _of_run(above, number, len(groups), dialect)
        header |= {f"line {line}": text for line, text in table.remarks.items()}
        columns = [
            Column(*_thermal.name_and_unit(titles[place]), table.rows[:, index].copy())
            for index, place in enumerate(group)
        ]
        datasets += _thermal.run(columns, header, _conditions(header), _technique(header, columns))
    return datasets


def _keys(lines: Sequence[str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if found := KEY.match(line.rstrip()):
            key = found[1].strip()
            keys[key if key not in keys else f"line {number}"] = found[2]
        elif line.strip(" \t,;"):
            keys[f"line {number}"] = line.rstrip()
    return keys


def _dialect(keys: Mapping[str, str], titles: str, first_row: str) -> Dialect:
    """As the keys tell it; where these are in another language, as the first row is written."""
    told = keys.get("SEPARATOR", "").strip(" \t,;").split("\t")[0].split(",")[0].split(";")[0].strip().upper()
    decimal_comma = "COMMA" in keys.get("DECIMAL", "").upper() or "KOMMA" in keys.get("DECIMAL", "").upper()
    if told in SEPARATORS:
        return Dialect(SEPARATORS[told], decimal_comma)
    if "DECIMAL" not in keys:
        decimal_comma = "," in first_row and "." not in first_row
    for delimiter in (";", "\t", ","):
        if delimiter in titles:
            return Dialect(delimiter, decimal_comma and delimiter != ",")
    return Dialect(None, decimal_comma)


def _rows_of(lines: Sequence[str], group: Sequence[int], columns: int, delimiter: str | None) -> list[str]:
    """The cells of one run in every line. Empty ones are missing numbers; an empty first one ends the run."""
    if delimiter is None:
        return list(lines)
    own = []
    for line in lines:
        cells = line.split(delimiter)
        mine = delimiter.join(cells[place] for place in group) if len(cells) == columns else line
        own.append(_thermal.with_missing(mine, delimiter, len(group)))
    return own


def _groups(titles: Sequence[str]) -> list[list[int]]:
    """The places of the columns of each run: a run begins where the first title comes again."""
    first = re.sub(r"\s*\(?#?\d+\)?$", "", titles[0])
    starts = [place for place, title in enumerate(titles) if re.sub(r"\s*\(?#?\d+\)?$", "", title) == first]
    return [list(range(start, stop)) for start, stop in zip(starts, [*starts[1:], len(titles)], strict=True)]


def _of_run(keys: Mapping[str, str], number: int, runs: int, dialect: Dialect) -> dict[str, str]:
    """The keys of one run: where runs stand side by side, a key has one value for each."""
    own = {}
    for key, value in keys.items():
        values = [cell.strip() for cell in value.split(dialect.delimiter or "\t")]
        filled = [cell for cell in values if cell]
        if runs > 1 and len(filled) == runs:
            own[key] = filled[number]
        else:
            own[key] = value.strip().strip(dialect.delimiter or "\t").strip()
    return own


def _technique(header: Mapping[str, str], columns: Sequence[Column]) -> str:
    told = f"{header.get('MTYPE', '')} {header.get('INSTRUMENT', '')}".upper()
    for word, technique in TECHNIQUES:
        if re.search(rf"\b{word}", told):
            if technique == "tga" and not any(column.is_mass for column in columns):
                return _thermal.technique_of(columns)
            return technique
    return _thermal.technique_of(columns)


def _conditions(header: Mapping[str, str]) -> dict[str, Quantity]:
    known: dict[str, Quantity] = {}
    for condition_key, keys in KEYS.items():
        known |= condition(condition_key, next((header[key] for key in keys if header.get(key)), None))
    for key, value in header.items():
        if re.fullmatch(r"(?:SAMPLE MASS|PROBENMASSE|EINWAAGE)\s*/\s*(mg|g)", key, re.IGNORECASE):
            known |= _thermal.mass_mg(value, key.rpartition("/")[2].strip())
        gas = re.fullmatch(
            r"(?:PURGE|PROTECTIVE|SPÜL|SCHUTZ).*?GAS.*|PURGE \d MFC.*|PROTECTIVE MFC.*", key, re.I
        )
        if gas and value:
            known = _with_gas(known, value)
    ranges = header.get("RANGE") or header.get("BEREICH") or ""
    known |= _thermal.programme(ranges)
    if found := RANGE.search(ranges):
        known |= condition("start_temperature", found[1].replace(",", "."), "°C")
        known |= condition("end_temperature", found[2].replace(",", "."), "°C")
    exo = header.get("EXO", "").strip()
    return known | condition("mode", {"1": "exo up", "+1": "exo up", "-1": "exo down"}.get(exo))


def _with_gas(known: dict[str, Quantity], value: str) -> dict[str, Quantity]:
    """The first gas is the atmosphere; a second one, such as the protective gas, joins its name."""
    found = re.match(
        r"\s*([A-Za-zÄÖÜäöü][\w ]*?)\s*(?:[,;/\t ]\s*(\d+(?:[.,]\d+)?)\s*(?:\(?m?l/min\)?)?)?\s*$", value
    )
    if found is None:
        return known
    if "gas" in known:
        return (
            known
            if found[1] in str(known["gas"].value)
            else known | condition("gas", f"{known['gas'].value}, {found[1]}")
        )
    flow = (
        condition("gas_flow", found[2].replace(",", "."), "mL/min") if found[2] and "l/min" in value else {}
    )
    return known | condition("gas", found[1]) | flow
