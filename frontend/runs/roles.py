"""Which of a measurement's files fill the inputs of a method, and what else could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, Subquery
from django.utils import timezone

from analysis.methods import LoadedMethod, Role
from analysis.services.choosing import chosen_for, named_inputs, without_secrets
from analysis.services.inputs import own_inputs
from measurements.models import Dataset, Measurement, RawFile

MOST_CANDIDATES = 30
PREFIX = "input-"
FIRST_FILE = Subquery(
    RawFile.objects.filter(measurement=OuterRef("pk")).order_by("pk").values("filename")[:1]
)


@dataclass(frozen=True)
class Candidate:
    pk: int
    label: str


@dataclass(frozen=True)
class Input:
    """One role in the form. own : the file of the measurement that fills it; calibration : the kind, where
    its instrument has one that is valid; chosen : the measurement that a person named instead, as text."""

    name: str
    label: str
    help: str
    required: bool
    own: str
    calibration: str
    candidates: Sequence[Candidate]
    chosen: str = ""

    @property
    def lacking(self) -> bool:
        """Nothing fills it unless a person names something."""
        return self.required and not (self.own or self.calibration or self.chosen)

    @property
    def nothing(self) -> str:
        """What the select says while no other measurement is named."""
        if self.own:
            return "its own file"
        if self.calibration:
            return f"the instrument’s calibration “{self.calibration}”"
        return "choose a measurement" if self.required else "none"


def candidates_for(user: Any, row: Measurement, methods: Sequence[LoadedMethod]) -> list[Measurement]:
    """Measurements of the project that could fill a role of these methods: of the same sample first, then of
    the same instrument and the same day, then the newest. One query; none where nothing is to be chosen."""
    techniques = {
        technique for loaded in methods for role in loaded.method.accepts[1:] for technique in role.techniques
    }
    if not techniques:
        return []

    def whether(condition: Q) -> ExpressionWrapper:
        return ExpressionWrapper(condition, output_field=BooleanField())

    day = row.acquired_at.date() if row.acquired_at else None
    of_sample = Q(sample=row.sample_id) if row.sample_id else Q(pk__in=[])
    of_instrument = Q(instrument=row.instrument_id) if row.instrument_id else Q(pk__in=[])
    of_day = Q(acquired_at__date=day) if day else Q(pk__in=[])
    found = (
        without_secrets(Measurement.objects.visible_to(user), row)
        .filter(project=row.project_id, status=Measurement.Status.READ, technique__in=techniques)
        .exclude(pk=row.pk)
        .select_related("sample", "instrument")
        .annotate(near=whether(of_sample), beside=whether(of_instrument), then=whether(of_day))
        .annotate(first_file=FIRST_FILE)
        .order_by("-near", "-beside", "-then", "-pk")
    )
    return list(found[: MOST_CANDIDATES * len(techniques)])


def inputs_of_form(
    user: Any,
    loaded: LoadedMethod,
    row: Measurement,
    datasets: Sequence[Dataset],
    candidates: Sequence[Measurement],
    last: Any = None,
    given: Mapping[str, str] | None = None,
) -> list[Input]:
    """Every role of a method that has several; `given` is what the form came back with, else what the last
    run was given; that stays to be chosen, whatever else is offered. What is analysed is this measurement, so
    for the first role there is no other choice."""
    _, *others = loaded.method.accepts
    if not others:
        return []
    own = own_inputs(loaded, datasets)
    if given is None:
        named = named_inputs(last) if last is not None else {}
        given = {PREFIX + role: str(measurement.pk) for role, measurement in named.items()}
    calibrated = chosen_for(loaded, row, named=own)
    chosen = {role.key: given.get(PREFIX + role.key, "") for role in others}
    offered = {role.key: _of_role(role, candidates) for role in others}
    for role, missing in _not_offered(user, chosen, offered).items():
        offered[role] = [*offered[role], missing]
    return [
        Input(
            name=PREFIX + role.key,
            label=role.key.replace("_", " "),
            help=role.help,
            required=role.required,
            own=_file(own.get(role.key)),
            calibration=role.calibration.replace("_", " ") if role.key in calibrated else "",
            candidates=offered.get(role.key, []),
            chosen=chosen.get(role.key, ""),
        )
        for role in loaded.method.accepts
    ]


def _file(dataset: Dataset | None) -> str:
    if dataset is None:
        return ""
    name = dataset.file.filename if dataset.file is not None else dataset.signal_name
    return f"{name} ({dataset.title})" if dataset.title else name


def _of_role(role: Role, candidates: Sequence[Measurement]) -> list[Candidate]:
    fitting = [each for each in candidates if each.technique in role.techniques]
    return [Candidate(each.pk, _told(each)) for each in fitting[:MOST_CANDIDATES]]


def _not_offered(
    user: Any, chosen: Mapping[str, str], offered: Mapping[str, Sequence[Candidate]]
) -> dict[str, Candidate]:
    """By role: what was named before and is no candidate, for it is older, of another project, or hidden."""
    missing = {
        role: int(pk)
        for role, pk in chosen.items()
        if pk.isdecimal() and len(pk) < 19 and int(pk) not in {each.pk for each in offered[role]}
    }
    if not missing:
        return {}
    seen = Measurement.objects.visible_to(user).select_related("sample", "instrument")
    seen = seen.annotate(first_file=FIRST_FILE)
    rows = seen.in_bulk(list(missing.values()))
    return {
        role: Candidate(pk, _told(rows[pk]) if pk in rows else f"measurement no. {pk} (not yours to read)")
        for role, pk in missing.items()
    }


def _told(row: Measurement) -> str:
    """Measurements of one day and technique are told apart by the names of their files."""
    when = timezone.localtime(row.acquired_at or row.received_at).strftime("%Y-%m-%d %H:%M")
    where = f", {row.instrument.name}" if row.instrument is not None else ""
    sample = row.sample.code if row.sample is not None else "no sample"
    what = getattr(row, "first_file", None) or row.get_technique_display()
    return f"{sample} · {what} · {when}{where} (no. {row.pk})"
