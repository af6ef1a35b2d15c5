"""The table of formats, from the files themselves: `python -m tests.measurements.readers.report --write`.

Reads every file of the reference folder and compares it with the independent readings, and writes
docs/formats.md. A test compares the page with what this makes.
"""

from __future__ import annotations

import csv
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from measurements import readers
from measurements.data import ReadError
from measurements.opening import Source, datasets_of
from tests.measurements.readers.expected import disagreements, readings_of, summaries

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "formats.md"
# Beside measurements the folder holds structures, decodes by other programs, and tables about samples.
# Files of public repositories, of some only their beginnings, that were tried and compared by hand with what
# their text says; they may not be kept here. Key of the reader → how many.
TRIED_ELSEWHERE = {
    "avantes": 1, "blockfile": 2, "bruker_bcf": 8, "bwtek": 60, "casaxps_text": 1, "emd": 6, "hspy": 23,
    "isis_2d": 2, "jcamp_dx": 2, "labspec": 2, "msa": 8, "netzsch_text": 2, "ocean_optics": 1,
    "panalytical_csv": 1, "pdfget": 2, "perkinelmer_asc": 1, "perkinelmer_pyris": 1, "philips_udf": 2,
    "psi_powder": 1, "ras": 3, "rigaku_asc": 1, "shimadzu_text": 1, "ta_trios": 2, "ta_universal": 1,
    "uxd": 1, "witec_text": 2, "xas_9809": 1,
}  # fmt: skip
# Whole files of public test suites of which our numbers agree with those of somebody else's reader. They may
# not be kept here either.
AGREED_ELSEWHERE = {
    "becker_hickl_sdt": 1, "brml": 2, "bruker_raw": 1, "bruker_topspin": 5, "cansas_xml": 32, "danse_sans": 2,
    "digital_micrograph": 83, "igor_wave": 8, "jasco_jws": 9, "jcamp_dx": 127, "netzsch_ngb": 11,
    "nist_abs": 14, "nxcansas": 14, "pdh": 4, "picoquant_ptu": 1, "rasx": 5, "renishaw_wdf": 13,
    "sas_text": 32, "spc": 11, "tia_ser": 25, "vamas": 4, "varian_vnmrj": 2, "xrdml": 4,
}  # fmt: skip
NOT_MEASUREMENTS = (
    "cif/", ".parity.json", ".ptu.data", ".ptu.header", ".thd.data", ".thd.header", ".hhd.data",
    ".hhd.header", ".ref.txt", "xrd_data_compositions.csv", "_list.csv", "_qy.txt",
)  # fmt: skip


@dataclass
class Tried:
    """One file, or one folder that is a measurement, and what became of it."""

    path: str
    reader: str = ""
    refusal: str = ""
    disagreements: list[str] = field(default_factory=list)
    compared: bool = False
    measurement: bool = True
    expected: bool = False

    @property
    def read(self) -> bool:
        return not self.refusal

    @property
    def agreed(self) -> bool:
        """Read, with the numbers of the independent readings."""
        return self.read and not self.disagreements


def manifest(reference: Path) -> list[str]:
    with (reference / "instrument_files" / "MANIFEST.csv").open() as file:
        return [row["path"] for row in csv.DictReader(file)]


def groups(paths: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """(name, files): files of one TopSpin experiment are one measurement, all others stand alone."""
    experiments: dict[str, list[str]] = defaultdict(list)
    roots = {path.rpartition("/")[0] for path in paths if path.endswith(("/acqus", "/acqu"))}
    for path in paths:
        root = next((root for root in sorted(roots, key=len) if path.startswith(f"{root}/")), None)
        experiments[f"{root}/fid" if root else path].append(path)
    yield from experiments.items()


def tried(reference: Path, name: str, paths: Sequence[str]) -> Tried:
    folder = reference / "instrument_files"
    readings = readings_of(reference).get(name, [])
    result = Tried(
        name,
        measurement=not any(part in name for part in NOT_MEASUREMENTS),
        expected=bool(readings),
        compared=summaries(readings) > 0,
    )
    try:
        opened = datasets_of([Source(folder / path, path, place) for place, path in enumerate(paths)])
    except ReadError as error:
        result.refusal = str(error)
        return result
    result.reader = opened[0].reader.partition("+")[0]
    result.disagreements = disagreements([each.dataset for each in opened], readings)
    return result


def all_tried(reference: Path) -> list[Tried]:
    return [tried(reference, name, paths) for name, paths in groups(manifest(reference))]


def counted(results: Sequence[Tried]) -> list[Tried]:
    """The entries that the issue counts: with an independent reading, and of a measurement."""
    return [each for each in results if each.expected and each.measurement]


def page(results: Sequence[Tried]) -> str:
    return "".join(_page(results))


def _page(results: Sequence[Tried]) -> Iterator[str]:
    compared = counted(results)
    agreed = sum(each.agreed for each in compared)
    yield "# Formats\n\n"
    yield "Written by `python -m tests.measurements.readers.report --write`; a test keeps it true.\n\n"
    yield (
        f"{len(readers.registry())} readers. Of {len(compared)} real measurements for which there is an "
        f"independent reading, {agreed} are read and agree with it ({agreed / max(len(compared), 1):.1%}): "
        "number of points, first and last, smallest and largest value, and sum.\n\n"
    )
    yield (
        f"Of {sum(AGREED_ELSEWHERE.values())} files of public test suites, which are not kept here, the "
        "numbers agree with those of other people's readers: the column “elsewhere”.\n\n"
    )
    yield "| format | vendor | files tried | read | compared | agreed | elsewhere | known gaps |\n"
    yield "|---|---|---|---|---|---|---|---|\n"
    by_reader: Mapping[str, list[Tried]] = _by_reader(results)
    for key, reader in readers.registry().items():
        files = by_reader.get(key, [])
        checked = [each for each in files if each.expected and each.compared]
        gaps = reader.format.gaps or ("" if files or key in AGREED_ELSEWHERE else _without_files(key))
        yield (
            f"| {reader.format.name} | {reader.format.vendor} | {len(files) or ''} | "
            f"{sum(each.read for each in files) or ''} | {len(checked) or ''} | "
            f"{sum(each.agreed for each in checked) or ''} | {AGREED_ELSEWHERE.get(key, '')} | {gaps} |\n"
        )
    yield "\n## Refused, with the sentence that the sender gets\n\n"
    for each in results:
        if not each.read:
            yield f"- `{each.path}`: {each.refusal.partition(': ')[2] or each.refusal}\n"
    differing = [each for each in results if each.disagreements]
    if differing:
        yield "\n## Read, but not as the independent reading\n\n"
        for each in differing:
            yield f"- `{each.path}` ({each.reader}): {each.disagreements[0]}\n"


def _without_files(key: str) -> str:
    if count := TRIED_ELSEWHERE.get(key):
        return (
            f"{f'{count} public files were' if count > 1 else 'a public file was'} tried; none is kept here"
        )
    return "no real file was at hand; made from its description"


def _by_reader(results: Sequence[Tried]) -> dict[str, list[Tried]]:
    found: dict[str, list[Tried]] = defaultdict(list)
    for each in results:
        found[each.reader].append(each)
    return found


def main() -> int:
    reference = Path(os.environ.get("VITRINE_REFERENCE") or ROOT.parent / "shared")
    results = all_tried(reference)
    text = page(results)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
