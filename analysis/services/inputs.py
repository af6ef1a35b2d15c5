"""Which datasets of a measurement fill which roles of a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import QuerySet

from analysis import methods
from analysis.methods import LoadedMethod, Role
from analysis.methods._axes import fit
from measurements.models import Dataset, Measurement
from measurements.vocabulary import understood


def datasets_of(measurements: Sequence[Measurement | int]) -> QuerySet[Dataset]:
    """Those in force, in their order, with what tells roles apart and without what is large."""
    rows: QuerySet[Dataset] = Dataset.objects.filter(measurement__in=measurements, current=True)
    return (
        rows.select_related("blob", "file", "measurement")
        .defer("preview", "overview", "header")
        .order_by("measurement_id", "number")
    )


def own_inputs(loaded: LoadedMethod, datasets: Sequence[Dataset]) -> dict[str, Dataset]:
    """By role. A file that was given one of the method's roles fills that and no other."""
    roles = {role.key: role for role in loaded.method.accepts}
    main = loaded.method.accepts[0]
    chosen: dict[str, Dataset] = {}
    for dataset in datasets:
        key = role_of(dataset)
        if key in roles and key not in chosen and fits(roles[key], dataset):
            chosen[key] = dataset
    if main.key not in chosen:
        for dataset in datasets:
            if role_of(dataset) not in roles and fits(main, dataset):
                return {main.key: dataset} | chosen
    return chosen


def role_of(dataset: Dataset) -> str:
    """Of its file, or as the file itself calls it, in the words of methods: “Off beam” is off_beam, and the
    curve “IRF” that an instrument exports beside its decay is irf."""
    given = (dataset.file.role if dataset.file is not None else "") or dataset.title
    return given.strip().lower().replace(" ", "_").replace("-", "_")


def fits(role: Role, dataset: Dataset) -> bool:
    if not set(role.conditions) <= set(dataset.conditions):
        return False
    return not role.axes or fit(role.axes, [axis["unit"] for axis in dataset.axes], role.told)


def why_not(loaded: LoadedMethod, role: Role, measurement: Measurement) -> str:
    """The sentence for a role that nothing fills."""
    wanted = f" over {' and '.join(role.axes)}" if role.axes else ""
    stated = f" that states its {' and '.join(role.conditions).replace('_', ' ')}" if role.conditions else ""
    if role == loaded.method.accepts[0]:
        return (
            f"{loaded.method.title} needs a dataset{wanted}{stated}, and measurement {measurement.pk} has "
            "none: its file is not read yet, could not be, or holds something else."
        )
    return (
        f"{loaded.method.title} needs a dataset{wanted}{stated} for “{role.key}”, and measurement "
        f"{measurement.pk} has none. Give one of its files this role, or name another measurement."
    )


def methods_for(measurement: Measurement, datasets: Sequence[Dataset] | None = None) -> list[LoadedMethod]:
    """Methods that could be asked about this measurement: it has what their first role takes."""
    own = list(datasets_of([measurement])) if datasets is None else datasets
    return [
        loaded
        for loaded in methods.for_technique(measurement.technique)
        if loaded.method.accepts[0].key in own_inputs(loaded, own)
    ]


def named_input(role: Role, source: Measurement) -> Dataset | None:
    """Of a measurement that somebody named, or a calibration: what fits best."""
    datasets: Mapping[bool, list[Dataset]] = {True: [], False: []}
    for dataset in datasets_of([source]):
        datasets[role_of(dataset) == role.key].append(dataset)
    return next((each for each in (*datasets[True], *datasets[False]) if fits(role, each)), None)


def stated(dataset: Dataset) -> dict[str, dict[str, float | str]]:
    """What a person said of the conditions of its measurement and the file does not say: {key: {value, unit}}
    in the units of the vocabulary. Where both speak, the person is right."""
    said: dict[str, dict[str, float | str]] = {}
    for title, given in dataset.measurement.conditions.items():
        if given == dataset.conditions.get(title):
            continue
        if isinstance(given, Mapping) and _by_a_file(dataset, title, given):
            continue
        for key, quantity in understood({title: given}).items():
            told: dict[str, float | str] = {"value": quantity.value, "unit": quantity.unit}
            if told != dataset.conditions.get(key):
                said[key] = told
    return said


def _by_a_file(dataset: Dataset, key: str, given: Mapping[str, object]) -> bool:
    """Whether it is what another dataset says, which only concerns that one: of the three exposures of a
    sphere the measurement shows the first, and a file that states none has not that."""
    siblings = Dataset.objects.filter(measurement=dataset.measurement_id, current=True)
    return any(found.get(key) == given for found in siblings.values_list("conditions", flat=True))
