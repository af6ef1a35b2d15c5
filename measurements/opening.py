"""From the files of one measurement to its datasets: folders, archives, single files, series.

Runs in a process of its own (measurements.sandbox), so nothing here touches the database. Pure floor: no
Django here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from measurements import readers, scan_list, series
from measurements.data import UNREAD, Dataset, ReadError
from measurements.readers import HEAD_BYTES, Reader
from measurements.readers._archive import Archive

SERIES = "series"
LOG_ROLES = ("log", "temperature_log")
LOGS = "environment_log"  # the reader of rows with date and time
MOST_DATASETS = 1000
NOT_A_SCAN = {"._", ".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Source:
    """A file of a measurement. `filename` as it was sent, perhaps with folders in it; `place` in its list."""

    path: Path
    filename: str
    place: int = 0
    role: str = ""


@dataclass(frozen=True)
class Opened:
    """A dataset with the reader that made it. `place` of its file; None when it comes from several."""

    dataset: Dataset
    reader: str
    version: int
    place: int | None
    filename: str = ""
    role: str = ""


def datasets_of(sources: Sequence[Source], offset_s: float | None = None) -> list[Opened]:
    """Everything in the files, with scans of one kind made into series; the first is the main one.

    Raises ReadError, with the name of the file that cannot be read.
    """
    opened = _folder(sources) if len(sources) > 1 else None
    if opened is None:
        opened = _one_by_one(sources) if len(sources) > 1 else _named(sources[0])
    opened = _with_series(opened, offset_s)
    if len(opened) > MOST_DATASETS:
        raise ReadError(
            f"The files hold {len(opened)} scans; up to {MOST_DATASETS} are read. Send them in parts."
        )
    return opened


def _named(source: Source) -> list[Opened]:
    try:
        return _file(source)
    except ReadError as error:
        raise ReadError(about(source.filename, error), reader=error.reader) from error


def about(filename: str, error: ReadError) -> str:
    """The sentence with the file and the place in it."""
    place = f"line {error.line}" if error.line is not None else ""
    if error.byte is not None:
        place = f"byte {error.byte}"
    return f"{', '.join(filter(None, [filename, place]))}: {error.message}"


def _file(source: Source) -> list[Opened]:
    if source.path.stat().st_size == 0:
        raise ReadError("the file is empty (0 bytes). Export it again and send it again.")
    with source.path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    reader = readers.recognise(head, source.filename)
    if reader is not None:
        return _opened(reader, readers.read(reader, source.path), source)
    if head.startswith(readers.ZIP):
        return _archive(source)
    raise ReadError(
        "no reader recognises this format. The bytes are kept and are read as soon as there is a reader; "
        "until then, export the measurement as text. What can be read is listed on the upload page."
    )


def _opened(reader: Reader, datasets: Iterable[Dataset], source: Source) -> list[Opened]:
    return [
        Opened(dataset, reader.key, reader.version, source.place, source.filename, source.role)
        for dataset in datasets
    ]


def _archive(source: Source) -> list[Opened]:
    """A zipped folder: of a format that is one, or of files that are read one by one."""
    with tempfile.TemporaryDirectory(prefix="vitrine-zip-") as folder, Archive(source.path) as archive:
        inside = [
            replace(source, path=path, filename=str(path.relative_to(folder)))
            for path in archive.unpack(Path(folder))
            if not _of_the_system(path)
        ]
        if not inside:
            raise ReadError(
                "the archive holds no files. Zip the folder of the measurement and send it again."
            )
        whole = _read_folder(Path(folder), inside)
        if whole is not None:
            return whole
        try:
            return _one_by_one(sorted(inside, key=lambda each: each.filename), of_archive=True)
        except ReadError as error:
            raise ReadError(f"nothing in the archive can be read. {error}", reader=error.reader) from error


def _of_the_system(path: Path) -> bool:
    return any(part in NOT_A_SCAN or part.startswith("._") or part == "__MACOSX" for part in path.parts)


def _one_by_one(sources: Sequence[Source], *, of_archive: bool = False) -> list[Opened]:
    """A note or a damaged scan among files that can be read is named, not hidden, and hinders nobody. What
    came with a role has to be read: without it the others may not mean what they seem to."""
    opened: list[Opened] = []
    unread: dict[str, ReadError] = {}
    listed = scan_list.found_in([(source.filename, source.path) for source in sources])
    for source in sources:
        if listed is not None and source.filename == listed.filename:
            continue
        try:
            opened += [_with_coordinates(each, listed) for each in _named(source)]
        except ReadError as error:
            if source.role and not of_archive:
                raise
            unread[source.filename] = error
    if not opened:
        raise next(iter(unread.values()))
    first = opened[0].dataset
    header = {**first.header, **{f"{UNREAD}{name}": str(error) for name, error in unread.items()}}
    return [replace(opened[0], dataset=replace(first, header=header)), *opened[1:]]


def _with_coordinates(each: Opened, listed: scan_list.ScanList | None) -> Opened:
    """What a list of the scans says of this one; the file's own word counts more."""
    said = listed.of(each.filename) if listed is not None else {}
    if not said:
        return each
    dataset = replace(each.dataset, conditions={**said, **each.dataset.conditions})
    return replace(each, dataset=dataset)


def _folder(sources: Sequence[Source]) -> list[Opened] | None:
    """Files that were sent one by one but are a folder together, as a folder again."""
    with tempfile.TemporaryDirectory(prefix="vitrine-folder-") as temporary:
        folder = Path(temporary)
        linked = []
        for source in sources:
            target = folder / _inside(source.filename, source.place)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                os.symlink(source.path, target)
            except OSError:  # a name twice, one too long, one that is a folder of another: not one folder
                return None
            linked.append(replace(source, path=target, filename=str(target.relative_to(folder))))
        return _read_folder(folder, linked)


def _inside(filename: str, place: int) -> PurePosixPath:
    """A name that stays in the folder, whatever the sender calls the file."""
    parts = [part for part in filename.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return (
        PurePosixPath(*(part.replace("\0", "") or "_" for part in parts))
        if parts
        else PurePosixPath(str(place))
    )


def _read_folder(folder: Path, inside: Sequence[Source]) -> list[Opened] | None:
    names = [source.filename for source in inside]
    reader = max(readers.registry().values(), key=lambda each: each.confidence_in_names(names), default=None)
    if reader is None or reader.confidence_in_names(names) <= 0:
        return None
    root = replace(inside[0], filename=_common(names) or inside[0].filename)
    return _opened(reader, readers.read(reader, folder), root)


def _common(names: Sequence[str]) -> str:
    return os.path.commonpath(names) if len(names) > 1 else ""


def _with_series(opened: list[Opened], offset_s: float | None) -> list[Opened]:
    """Scans of one kind, each group made one dataset where something tells its scans apart."""
    logs = [each for each in opened if _is_log(each, opened)]
    log = min(logs, key=lambda each: each.dataset.signal.unit not in TEMPERATURES).dataset if logs else None
    groups: dict[tuple[object, ...], list[Opened]] = {}
    for each in sorted(opened, key=lambda each: each in logs):  # the first is the main one: no log
        groups.setdefault(_kind(each), []).append(each)
    result = []
    for members in groups.values():
        scans = [series.Scan(each.dataset, each.filename) for each in members]
        whole = None if members[0] in logs else series.series_of(scans, log, offset_s)
        if whole is None:
            result += members
            continue
        unread = {
            key: said
            for each in members
            for key, said in each.dataset.header.items()
            if key.startswith(UNREAD)
        }
        whole = replace(whole, header={**whole.header, **unread})
        places = {each.place for each in members}
        reader, version = members[0].reader, members[0].version
        result.append(
            Opened(
                whole,
                f"{reader}+series{series.VERSION}",
                version,
                places.pop() if len(places) == 1 else None,
                members[0].filename,
                members[0].role,
            )
        )
    return result


TEMPERATURES = ("°C", "K")


def _is_log(each: Opened, opened: Sequence[Opened]) -> bool:
    """Said to be one, or rows of date and time beside scans that are none."""
    return each.role in LOG_ROLES or (
        each.reader == LOGS and any(other.reader != LOGS for other in opened) and not each.role
    )


def _kind(each: Opened) -> tuple[object, ...]:
    """Scans that may belong together: same reader, role and axis; of one file, columns of one quantity."""
    axis = each.dataset.axes[0] if each.dataset.axes else None
    grid = (axis.unit, axis.values.size) if axis is not None else ()
    signal = each.dataset.signal
    name = "a number" if series.is_number(signal.name) else signal.name
    return each.reader, each.role, name, signal.unit, len(each.dataset.axes), *grid
