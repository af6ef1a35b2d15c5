"""What would become of each row now: asked anew whenever a file has come in. Changes nothing.

A fixed number of queries for any number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from measurements.models import Batch, BatchFile, Blob, Decision, Instrument, Measurement, RawFile
from measurements.services.batches.verdicts import MISSING, OK, WARNING, Group, Plan, Verdict
from samples.models import Project, User
from samples.services import codes


def plan_of(batch: Batch) -> Plan:
    verdicts = [
        Verdict(
            row.number,
            row.said,
            list(row.wrong),
            recorded=row.measurement_id,
            in_inbox=row.measurement is not None and row.measurement.sample_id is None,
            outcome=row.outcome,
        )
        for row in batch.rows.select_related("measurement")
    ]
    files = list(batch.files.select_related("blob"))
    return check(verdicts, user=batch.created_by, project=batch.project, files=files)


def check(
    verdicts: list[Verdict],
    *,
    user: User,
    project: Project,
    files: Sequence[BatchFile] = (),
    announced: Sequence[str] | None = None,
) -> Plan:
    """`announced`: names of files that will come, for a check before any has; None: that is not known."""
    groups = _groups(verdicts)
    _find_samples(groups, user)
    _find_instruments(groups, user)
    unnamed = _find_files(verdicts, files, announced, user)
    for group in groups:
        _agree(group)
    _same_file_twice(groups)
    _find_known_bytes(groups, user)
    for group in groups:
        _one_wrong_row_holds_the_others(group)
    return Plan(groups, verdicts, unnamed)


def _groups(verdicts: Sequence[Verdict]) -> list[Group]:
    groups: dict[tuple[Any, ...], Group] = {}
    for row in verdicts:
        said = row.said
        if said.get("measurement"):
            key: tuple[Any, ...] = ("measurement", said["measurement"])
        elif said.get("group"):
            key = ("group", said.get("sample"), said.get("technique"), said["group"])
        else:
            key = ("row", row.number)
        groups.setdefault(key, Group([])).rows.append(row)
    return list(groups.values())


def _find_samples(groups: Sequence[Group], user: User) -> None:
    wanted = list(dict.fromkeys(str(group.said["sample"]) for group in groups if group.said.get("sample")))
    found = codes.find(wanted, user) if wanted else codes.Found()
    sentences = dict(found.missing)
    known = {sample.code.upper(): sample for sample in found.samples}
    writable = set(Project.objects.open_to(user).values_list("pk", flat=True))
    for group in groups:
        code = group.said.get("sample")
        first = group.rows[0]
        if not code:
            first.wrong.append("It names no sample.")
            continue
        sample = known.get(str(code).upper()) if code not in sentences else None
        if sample is None:
            wrong = sentences.get(code, f"There is no sample {code} in your projects.")
        elif sample.project_id not in writable:
            wrong = f"You may look at {sample.code} but not add to it; ask a manager."
        elif sample.voided_at is not None:
            wrong = f"{sample.code} is void ({sample.void_reason}); it takes nothing more."
        else:
            group.sample = sample
            continue
        first.wrong.append(wrong)
        first.private[wrong] = f"There is no sample {code} that takes measurements from their sender."


def _find_instruments(groups: Sequence[Group], user: User) -> None:
    wanted = {row.said["instrument"] for group in groups for row in group.rows if row.said.get("instrument")}
    known = {each.name: each for each in Instrument.objects.open_to(user).filter(name__in=wanted)}
    for group in groups:
        for row in group.rows:
            name = row.said.get("instrument")
            if name and name not in known:
                row.wrong.append(f"There is no instrument “{name}” in your projects.")
            elif name:
                group.instrument = known[name]


def _find_files(
    verdicts: Sequence[Verdict], files: Sequence[BatchFile], announced: Sequence[str] | None, user: User
) -> list[BatchFile]:
    """Gives each row its bytes. Returns the files that no row names."""
    latest = {file.name: file for file in files}  # sent twice under one name: the later one counts
    by_name = _Names(latest)
    expected = _Names(announced or ())
    stored = _stored({row.said["sha256"] for row in verdicts if row.said.get("sha256")}, files, user)
    used: set[int] = set()
    for row in verdicts:
        sha256, wanted = row.said.get("sha256"), row.said.get("file")
        if sha256:
            row.name, row.blob = stored.get(sha256, ("", None))
            if row.blob is None:
                row.missing = True
                row.warnings.append("No file of yours has this SHA-256; send it with the batch.")
            used |= {file.pk for file in files if file.blob.sha256 == sha256}
            row.name = wanted or row.name
            continue
        if not wanted:
            if not any("file:" in sentence for sentence in row.wrong):
                row.wrong.append("It names no file.")
            continue
        name = by_name.find(wanted)
        if name is not None:
            row.name, row.blob = name, latest[name].blob
            used.add(latest[name].pk)
        elif announced is None or expected.find(wanted) is None:
            row.missing = row.recorded is None
            if row.missing:
                row.warnings.append(f"“{wanted}” has not come with the batch.")
    return [file for file in files if file.pk not in used and file.measurement_id is None]


class _Names:
    """Finds a file by what the table calls it: the whole name, or the end of it, if only one fits."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_name: dict[str, list[str]] = {}
        self._by_end: dict[str, list[str]] = {}
        for name in names:
            self._by_name.setdefault(name.casefold(), []).append(name)
            self._by_end.setdefault(_end(name), []).append(name)

    def find(self, wanted: str) -> str | None:
        same = self._by_name.get(wanted.casefold(), [])
        if wanted in same:
            return wanted
        if len(same) == 1:
            return same[0]
        folded = f"/{wanted.casefold()}"
        fitting = [
            name
            for name in self._by_end.get(_end(wanted), [])
            if f"/{name.casefold()}".endswith(folded) or folded.endswith(f"/{name.casefold()}")
        ]
        return fitting[0] if len(fitting) == 1 else None


def _end(name: str) -> str:
    return name.rpartition("/")[2].casefold()


def _stored(hashes: set[str], files: Sequence[BatchFile], user: User) -> dict[str, tuple[str, Blob]]:
    """Bytes that are here and that `user` may see, by hash, with the name under which they came."""
    if not hashes:
        return {}
    seen = RawFile.objects.visible_to(user).filter(blob__sha256__in=hashes).select_related("blob")
    found = {file.blob.sha256: (file.filename, file.blob) for file in seen}
    return found | {file.blob.sha256: (file.name, file.blob) for file in files if file.blob.sha256 in hashes}


def _agree(group: Group) -> None:
    """Rows of one measurement say the same, or leave it out; none says the same file twice."""
    first = group.rows[0]
    seen: dict[tuple[Any, ...], int] = {}
    for row in group.rows:
        for name in ("sample", "technique", "instrument", "acquired_at"):
            said, before = row.said.get(name), first.said.get(name)
            if said and before and said != before:
                row.wrong.append(
                    f"Row {first.number} of the same measurement says “{before}” for "
                    f"{name.replace('_', ' ')}, this one “{said}”."
                )
        for key, value in row.said.get("conditions", {}).items():
            before = first.said.get("conditions", {}).get(key, value)
            if before != value:
                row.wrong.append(
                    f"Row {first.number} of the same measurement says “{before}” for {key}, "
                    f"this one “{value}”."
                )
        same = (row.said.get("file"), row.said.get("sha256"), row.said.get("role"))
        if same in seen:
            row.wrong.append(f"Row {seen[same]} names the same file for the same measurement.")
        seen.setdefault(same, row.number)


def _same_file_twice(groups: Sequence[Group]) -> None:
    """Among different measurements: exactly the same row again is a mistake, the same file may be meant."""
    rows: dict[tuple[Any, ...], int] = {}
    named: dict[tuple[Any, ...], int] = {}
    for group in groups:
        for row in group.rows:
            file = (row.said.get("file"), row.said.get("sha256"))
            if file == (None, None):
                continue
            whole = (*file, row.said.get("sample"), row.said.get("technique"), row.said.get("role"))
            if whole in rows and len(group.rows) == 1:
                row.wrong.append(f"Row {rows[whole]} names the same file for the same sample and technique.")
            elif file in named and named[file] not in [each.number for each in group.rows]:
                row.warnings.append(f"Row {named[file]} names the same file for another measurement.")
            rows.setdefault(whole, row.number)
            named.setdefault(file, row.number)


def _find_known_bytes(groups: Sequence[Group], user: User) -> None:
    ready = {group.content_key: group for group in groups if group.sample is not None and group.content_key}
    if not ready:
        return
    twins = Measurement.objects.visible_to(user).filter(
        content_key__in=ready, sample__in={group.sample for group in ready.values()}
    )
    there = {(twin.content_key, twin.sample_id): twin.pk for twin in twins}
    moved = {
        (told.measurement.content_key, told.from_sample_id): told
        for told in Decision.objects.filter(
            measurement__content_key__in=ready, from_sample__in={group.sample for group in ready.values()}
        ).select_related("measurement")
    }
    seen = set(
        Measurement.objects.visible_to(user)
        .filter(pk__in=[told.measurement_id for told in moved.values()])
        .values_list("pk", flat=True)
    )
    for key, group in ready.items():
        assert group.sample is not None
        about = (key, group.sample.pk)
        for row in group.rows:
            if row.recorded is not None:
                continue
            if about in there:
                row.warnings.append(f"These bytes are here already as measurement {there[about]}.")
            elif about in moved:
                told = moved[about]
                where = f", as measurement {told.measurement_id}: {told.reason}"
                row.warnings.append(
                    f"These bytes were taken from {group.sample.code} before"
                    f"{where if told.measurement_id in seen else '.'}"
                )


def _one_wrong_row_holds_the_others(group: Group) -> None:
    # Also one that lies in the inbox already: what comes late must not become half a measurement of a sample.
    culprit = next((row for row in group.rows if row.wrong), None)
    waiting = next((row for row in group.rows if row.state == MISSING), None)
    for row in group.rows:
        if culprit is not None and row is not culprit and not row.wrong:
            row.wrong.append(f"Row {culprit.number} of the same measurement is wrong.")
        elif culprit is None and waiting is not None and row.state in (OK, WARNING):
            row.missing = True
            row.warnings.append(f"Row {waiting.number} of the same measurement waits for its file.")
