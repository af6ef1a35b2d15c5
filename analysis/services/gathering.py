"""From runs to jobs: what each method is to be given, found with one statement for a whole batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from analysis import methods
from analysis.compact import pack, unpack
from analysis.methods import MethodError
from analysis.models import QuickInput, Run, RunInput
from analysis.sandbox import Job
from analysis.services.value_rows import Rows, identity_over, rows_of_runs
from measurements.data import Dataset, Quantity
from measurements.models import Blob
from measurements.nexus import read_nxdata
from measurements.store import StoreError, StoreFullError, store

CORRECTED = "The samples that it reads were corrected after it was asked; it is asked again by itself."
Sources: TypeAlias = dict[str, "Copy | File | Missing | Stated"]


class Copy:
    """A small dataset whose copy came with the statement."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self, copies: dict[str, bytes]) -> Dataset:
        return unpack(self.content)


class File:
    """A dataset to be read from its NeXus file, which is at hand; a small one leaves a copy."""

    def __init__(self, sha256: str, path: Path) -> None:
        self.sha256, self.path = sha256, path

    def read(self, copies: dict[str, bytes]) -> Dataset:
        (dataset,) = read_nxdata(self.path).values()
        if (content := pack(dataset)) is not None:
            copies[self.sha256] = content
        return dataset


class Missing:
    """Something that cannot be had: its run fails with this sentence, and no other of its batch."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def read(self, copies: dict[str, bytes]) -> NoReturn:
        raise MethodError(self.sentence)


class Stated:
    """A dataset of which its sender said more than the file does."""

    def __init__(self, source: Copy | File | Missing, said: Mapping[str, Mapping[str, Any]]) -> None:
        self.source, self.said = source, said

    def read(self, copies: dict[str, bytes]) -> Dataset:
        dataset = self.source.read(copies)
        said = {key: Quantity(given["value"], given["unit"]) for key, given in self.said.items()}
        return replace(dataset, conditions={**dataset.conditions, **said})


def jobs(runs: Sequence[Run], borrowed: ExitStack, copies: dict[str, bytes]) -> list[Job]:
    """One for each run. Files stay at hand until `borrowed` is closed.

    Raises StoreUnavailableError or StoreFullError when no file at all can be had, which says nothing of the
    runs.

    copies : filled by whoever calls the inputs, with what `keep_copies` takes
    """
    sources = _sources([run for run in runs if run.measurement_id is not None], borrowed)
    rows = rows_of_runs({run.pk: methods.get(run.method) for run in runs if run.measurement_id is None})
    settled: dict[str, Any] = {}
    return [
        _job(
            run,
            partial(_read, sources[run.pk], copies) if run.pk in sources else _given(run, rows[run.pk]),
            settled,
        )
        for run in runs
    ]


def _job(run: Run, inputs: Callable[[], Any], settled: dict[str, Any]) -> Job:
    """settled : parameters that were parsed for another run of the batch; mostly they are all the same"""
    loaded = methods.get(run.method)
    asked = f"{run.method} {json.dumps(run.params)}"
    if asked not in settled:
        try:
            settled[asked] = methods.parse_params(loaded, run.params)
        except methods.ParamsError as error:
            return Job(run.pk, loaded, None, partial(Missing(error.message).read, {}))
    return Job(run.pk, loaded, settled[asked], inputs)


def _given(run: Run, rows: Rows) -> Callable[[], Any]:
    """Values never change, but the samples that they belong to may have been corrected meanwhile."""
    loaded = methods.get(run.method)
    if run.verifies_id is None and identity_over(loaded, run.params, run.over, rows) != run.identity:
        return partial(Missing(CORRECTED).read, {})
    return lambda: list(rows.values())


def _read(sources: Sources, copies: dict[str, bytes]) -> Mapping[str, Dataset]:
    return {role: source.read(copies) for role, source in sources.items()}


def _sources(runs: Sequence[Run], borrowed: ExitStack) -> dict[int, Sources]:
    found: dict[int, Sources] = {run.pk: {} for run in runs}
    inputs = RunInput.objects.filter(run__in=list(found)).order_by("pk")
    # Whoever asks whether the same comes out again means the record, not a copy of it.
    from_the_record = {run.pk for run in runs if run.verifies_id is not None}
    files: dict[str, File | Missing] = {}
    for run_pk, role, said, sha256, content in inputs.values_list(
        "run", "role", "conditions", "dataset__blob__sha256", "dataset__blob__quick_input__content"
    ):
        source: Copy | File | Missing
        if content is not None and run_pk not in from_the_record:
            source = Copy(content)
        else:
            source = files[sha256] = files.get(sha256) or _borrow(sha256, borrowed)
        found[run_pk][role] = Stated(source, said) if said else source
    return found


def _borrow(sha256: str, borrowed: ExitStack) -> File | Missing:
    try:
        return File(sha256, borrowed.enter_context(store().local(sha256)))
    except StoreFullError:  # of the disk on which copies of objects are kept
        raise
    except StoreError as error:
        store().require_reachable()
        return Missing(str(error))


def keep_copies(copies: Mapping[str, bytes]) -> None:
    """Beside the runs, for the next time. Two workers may have read the same file."""
    blobs = Blob.objects.filter(sha256__in=list(copies)).values_list("pk", "sha256")
    QuickInput.objects.bulk_create(
        [QuickInput(blob_id=pk, content=copies[sha256]) for pk, sha256 in blobs], ignore_conflicts=True
    )
