"""Which calibration a run is given: that of the measurement's instrument, valid when it was measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q

from analysis.methods import LoadedMethod, Role
from analysis.models import Calibration, Run, RunInput
from analysis.querysets import CalibrationQuerySet
from measurements.models import Measurement
from measurements.querysets import MeasurementQuerySet
from samples.models import Sample


def moment_of(measurement: Measurement) -> datetime:
    """When it was measured; when it came, where neither file nor person says."""
    moment: datetime = measurement.acquired_at or measurement.received_at
    return moment


def chosen_calibration(measurement: Measurement, kind: str) -> Calibration | None:
    """In force, of its instrument and valid at its moment; of several, the one that began last. What
    serves as a calibration itself is taken as it is."""
    if measurement.instrument_id is None or serving(measurement).exists():
        return None
    of_instrument = Calibration.objects.filter(instrument=measurement.instrument_id, kind=kind)
    return of_instrument.valid_at(moment_of(measurement)).select_related("measurement").first()


def serving(measurement: Any) -> CalibrationQuerySet:
    """In force, resting on this measurement, which may be a reference to an outer query."""
    found: CalibrationQuerySet = Calibration.objects.in_force().filter(measurement=measurement)
    return found


def chosen_for(
    loaded: LoadedMethod, measurement: Measurement, named: Collection[str] = ()
) -> dict[str, Calibration]:
    """By role. What a person has named wins, so nothing is chosen for it."""
    roles = [role for role in loaded.method.accepts if role.calibration and role.key not in named]
    chosen = {role.key: chosen_calibration(measurement, role.calibration) for role in roles}
    return {key: calibration for key, calibration in chosen.items() if calibration is not None}


def said_about(measurement: Measurement, chosen: Mapping[str, Calibration]) -> list[str]:
    """What the run warns of before it has begun."""
    if not chosen or measurement.acquired_at is not None:
        return []
    kinds = sorted({c.get_kind_display().lower() for c in chosen.values()})
    were = "was" if len(kinds) == 1 else "were"
    return [
        f"When this was measured is not recorded; {' and '.join(kinds)} {were} chosen by when it was "
        "received. Give the time of the measurement with the file if that is wrong."
    ]


def missing(loaded: LoadedMethod, role: Role, measurement: Measurement) -> str:
    """Why there is no input for a required calibration, and what to do."""
    kind = Calibration.Kind(role.calibration).label.lower()
    if measurement.instrument is None:
        return (
            f"{loaded.method.title} needs the calibration “{kind}” of the instrument, and which instrument "
            f"made measurement {measurement.pk} is not recorded. Name an input for “{role.key}” yourself."
        )
    return (
        f"{loaded.method.title} needs the calibration “{kind}”, and {measurement.instrument} has none that "
        f"is valid for {moment_of(measurement):%Y-%m-%d}. Add one on the page of the instrument, or name an "
        f"input for “{role.key}” yourself."
    )


def named_inputs(run: Run) -> dict[str, Measurement]:
    """What somebody named besides what was analysed; to be named again when the question is put again."""
    given = RunInput.objects.filter(run=run, calibration__isnull=True).exclude(
        dataset__measurement=run.measurement_id
    )
    return {row.role: row.dataset.measurement for row in given.select_related("dataset__measurement")}


def without_secrets(sources: MeasurementQuerySet, measurement: Measurement) -> MeasurementQuerySet:
    """Those that a run of `measurement` may be given. Whoever sees the run sees its inputs, so what is under
    an embargo serves its own sample only."""
    secret = Q(sample__in=Sample.objects.under_embargo().order_by().values("pk"))
    own = Q(sample=measurement.sample_id) if measurement.sample_id else Q(pk=measurement.pk)
    return sources.filter(~secret | own)


def recorded(run: Run, chosen: Mapping[str, Calibration]) -> None:
    """The same bytes may be entered again as another calibration: the answer holds, and is now of that."""
    for role, calibration in chosen.items():
        given = RunInput.objects.filter(run=run, role=role, calibration__isnull=False)
        given.exclude(calibration=calibration).update(calibration=calibration)
    Run.objects.filter(pk=run.pk).exclude(stale="").update(stale="")
