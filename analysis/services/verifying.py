"""Running it once more: does the same come out, bit for bit? If not, why not, and by how much.

A verification is a run of its own, with the method version, parameters and inputs of the run that it repeats.
The normal engine executes it; instead of values it leaves a verdict. Every one of them stays.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from analysis import methods
from analysis.curves import load_curves
from analysis.methods import Curve, Outcome
from analysis.models import Artifact, Run, RunInput, ValueInput
from analysis.services.requesting import queue
from measurements.store import StoreError
from samples.models import User

MOST_TOLD = 5  # differences in the sentence; all of them are in the notes
COMPILERS = ("numba",)  # of kernels; recorded only where these did the work


@dataclass(frozen=True)
class Difference:
    """One number that came out otherwise. `ulp`: how many representable numbers lie between the two; None
    where one of the two is missing. `in_sigma`: in units of the stored sigma."""

    what: str
    stored: float | None
    found: float | None
    ulp: int | None = None
    relative: float | None = None
    in_sigma: float | None = None

    def __str__(self) -> str:
        if self.stored is None:
            return f"{self.what} is new ({self.found!r})"
        if self.found is None:
            return f"{self.what} did not come out any more"
        if self.ulp is None:
            return f"{self.what} is {self.found} and was {self.stored}"
        by = f"{self.ulp} ulp" if self.ulp < 1000 else f"{self.relative:.2g} relative"
        sigmas = "" if self.in_sigma is None else f", {self.in_sigma:.2g} σ"
        return f"{self.what} by {by}{sigmas}"


def verify(run: Run, user: User) -> Run:
    """A new run that repeats this one. Where the worker can no longer ask the same question, it is closed at
    once and its verdict says why."""
    if not Run.objects.open_to(user).filter(pk=run.pk).exists():
        raise PermissionDenied("You may look at this project but not run analyses in it; ask its manager.")
    if run.verifies_id is not None:
        raise ValidationError("This run is itself a verification; verify the run that it repeats.")
    if run.status != Run.Status.DONE:
        raise ValidationError("Only a finished run can be verified: this one has no result to compare with.")
    return _repeat(run, user)


@transaction.atomic
def _repeat(run: Run, user: User) -> Run:
    now = timezone.now()
    obstacle = _obstacle(run)
    nonce = secrets.token_hex(8)
    again = Run.objects.create(
        measurement=run.measurement,
        sample=run.sample,
        project=run.project,
        method=run.method,
        method_version=run.method_version,
        params=run.params,
        # Its own question every time: who verifies wants to see it computed anew.
        identity=hashlib.sha256(f"verification {nonce} of {run.identity}".encode()).hexdigest(),
        trigger=Run.Trigger.VERIFICATION,
        requested_by=user,
        requested_at=now,
        queued_at=now,
        lane=run.lane,
        priority=Run.Priority.PERSON,
        verifies=run,
    )
    RunInput.objects.bulk_create(
        RunInput(
            run=again,
            dataset_id=given.dataset_id,
            role=given.role,
            calibration_id=given.calibration_id,
            conditions=given.conditions,
        )
        for given in run.inputs.order_by("pk")
    )
    ValueInput.objects.bulk_create(
        ValueInput(run=again, value_id=given.value_id) for given in run.value_inputs.order_by("pk")
    )
    if obstacle:
        again.status, again.finished_at, again.message = Run.Status.CANCELLED, now, obstacle
        again.verdict, again.notes = obstacle, {"same": None, "differences": []}
        again.save()
    else:
        queue(again)
    return again


def _obstacle(run: Run) -> str:
    loaded = methods.registry().get(run.method)
    if loaded is None:
        return f"It cannot be repeated: the method {run.method} is not installed any more."
    if loaded.method.version != run.method_version:
        return (
            f"It cannot be repeated here: version {run.method_version} of {run.method} gave these values, "
            f"and version {loaded.method.version} is installed. Install the older version to verify them, or "
            "run the newer one and compare."
        )
    return ""


def judge(verification: Run, outcome: Outcome) -> None:
    """Called by the engine instead of storing values, in the transaction that finishes the run."""
    stored = Run.objects.get(pk=verification.verifies_id)
    row = Run.objects.get(pk=verification.pk)
    differences = [*_values_differ(stored, outcome), *_curves_differ(stored, outcome)]
    around = _surroundings(stored, row)
    counts = _counted(len(outcome.values), len(outcome.curves))
    Run.objects.filter(pk=verification.pk).update(
        verdict=_sentence(differences, around, counts, _doubt(stored)),
        notes={
            "same": not differences,
            "surroundings": around,
            "differences": [_as_json(each) for each in differences],
        },
    )


def _as_json(difference: Difference) -> dict[str, Any]:
    """Without infinities, which JSON does not know."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(difference).items()
    }


def _sentence(differences: Sequence[Difference], around: Sequence[str], counts: str, doubt: str) -> str:
    if not differences:
        other = f", although {' and '.join(around)}" if around else ""
        return f"The same, bit for bit: {counts}{other}."
    told = "; ".join(map(str, differences[:MOST_TOLD]))
    more = len(differences) - MOST_TOLD
    told += f"; and {more} more" if more > 0 else ""
    why = f"Perhaps because {' and '.join(around)}." if around else doubt
    return f"Not the same: {told}. {why}"


def _doubt(stored: Run) -> str:
    """What is left to suspect when libraries and host are as they were."""
    if stored.measurement_id is None:
        return "Perhaps because the samples whose values it read were corrected since."
    return (
        "Method, parameters, inputs and libraries are the same, so the method itself does not always give "
        "the same numbers."
    )


def _counted(values: int, curves: int) -> str:
    told = f"{values} value{'s' * (values != 1)} with their sigmas"
    return f"{told} and {curves} curve{'s' * (curves != 1)}" if curves else told


def _surroundings(stored: Run, again: Run) -> list[str]:
    """What else is not as it was: libraries and host."""
    names = sorted({*stored.libraries, *again.libraries})
    told = [
        f"{name} is {again.libraries.get(name, 'missing')} and was {stored.libraries.get(name, 'missing')}"
        for name in names
        if name not in COMPILERS and stored.libraries.get(name) != again.libraries.get(name)
    ]
    for name in COMPILERS:
        then, now = (row.libraries.get(name) for row in (stored, again))
        if then and now and then != now:
            told.append(f"{name} is {now} and was {then}")
        elif now and not then:  # older records say nothing of it, whoever computed
            told.append(
                f"{_engine(name, now)} computed it, and whether it did then is not recorded; NumPy and it "
                "agree to a thousandth of a sigma"
            )
        elif then != now:
            told.append(
                f"{_engine(name, now)} computed it and not {_engine(name, then)}, and these agree to a "
                "thousandth of a sigma"
            )
    if stored.host and again.host != stored.host:
        told.append(f"it ran on {again.host} and not on {stored.host}")
    return told


def _engine(compiler: str, version: str | None) -> str:
    return f"compiled code ({compiler} {version})" if version else "NumPy"


def _values_differ(stored: Run, outcome: Outcome) -> Iterator[Difference]:
    known = {(value.property, value.component): value for value in stored.values.all()}
    found = {(result.property, result.component): result for result in outcome.values}
    for key in sorted({*known, *found}):
        what = " ".join(filter(None, key))
        value, result = known.get(key), found.get(key)
        if value is None or value.value is None or value.sigma is None:
            yield Difference(what, None, float(result.value) if result else None)
        elif result is None:
            yield Difference(what, value.value, None)
        else:
            yield from _numbers_differ(what, value.value, float(result.value), value.sigma)
            yield from _numbers_differ(f"σ of {what}", value.sigma, float(result.sigma), None)


def _numbers_differ(what: str, stored: float, found: float, sigma: float | None) -> Iterator[Difference]:
    if struct.pack("<d", stored) == struct.pack("<d", found):
        return
    size = max(abs(stored), abs(found))
    yield Difference(
        what,
        stored,
        found,
        ulp=ulps(stored, found),
        relative=abs(found - stored) / size if size else 0.0,
        in_sigma=abs(found - stored) / sigma if sigma else None,
    )


def _curves_differ(stored: Run, outcome: Outcome) -> Iterator[Difference]:
    artifact = Artifact.objects.filter(run=stored).select_related("blob").first()
    try:
        known = {} if artifact is None else {curve.name: curve for curve in load_curves(artifact)}
    except StoreError as error:
        yield Difference(f"the stored curves, which cannot be read ({error})", None, None)
        return
    found = {curve.name: curve for curve in outcome.curves}
    for name in sorted({*known, *found}):
        yield from _one_curve(f"the curve “{name}”", known.get(name), found.get(name))


def _one_curve(what: str, stored: Curve | None, found: Curve | None) -> Iterator[Difference]:
    if stored is None or found is None:
        yield Difference(what, 0.0 if stored else None, 0.0 if found else None)
        return
    for axis in ("x", "y"):
        ours = np.ascontiguousarray(getattr(stored, axis), dtype=np.float64)
        theirs = np.ascontiguousarray(getattr(found, axis), dtype=np.float64)
        if ours.shape != theirs.shape:
            yield Difference(
                f"{axis} of {what}, which has another length,", float(ours.size), float(theirs.size)
            )
        elif ours.tobytes() != theirs.tobytes():
            places = np.flatnonzero(ours.view(np.int64) != theirs.view(np.int64))
            apart = np.nan_to_num(np.abs(ours[places] - theirs[places]), nan=np.inf)
            worst = places[np.argmax(apart)]
            yield from _numbers_differ(f"{axis} of {what}", float(ours[worst]), float(theirs[worst]), None)


def ulps(ours: float, theirs: float) -> int | None:
    """How many steps from one double to the other; None when one is no finite number."""
    if not (math.isfinite(ours) and math.isfinite(theirs)):
        return None
    return abs(_place(ours) - _place(theirs))


def _place(number: float) -> int:
    """Doubles in their order, numbered; both zeros have the number 0."""
    (bits,) = struct.unpack("<q", struct.pack("<d", number))
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def verifications(runs: Iterable[Run]) -> Mapping[int, list[dict[str, Any]]]:
    """Of each run the verifications, newest first, as REST and the pages tell them."""
    told: dict[int, list[dict[str, Any]]] = {run.pk: [] for run in runs}
    rows = Run.objects.filter(verifies__in=list(told)).select_related("requested_by").order_by("-pk")
    for row in rows:
        told[row.verifies_id].append(
            {
                "id": row.pk,
                "status": row.status,
                "same": row.notes.get("same"),
                "verdict": row.verdict or row.message,
                "asked_by": row.requested_by.username if row.requested_by else None,
                "asked_at": row.requested_at,
                "finished_at": row.finished_at,
                "host": row.host,
                "libraries": row.libraries,
                "differences": row.notes.get("differences", []),
            }
        )
    return told
