"""Writing down which values have changed, for the methods that read values."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import QuerySet

from analysis import methods
from analysis.models import ChangedValues, Value
from samples.models import Project, Sample
from samples.queueing import enqueue


def read_by_methods() -> frozenset[str]:
    """Properties that some method over values reads."""
    return frozenset(key for loaded in methods.over_values() for key in loaded.method.reads)


def note_changed(values: QuerySet[Value]) -> None:
    """In the transaction that changes which of them are current. One statement, however many they are."""
    read = values.filter(property__in=read_by_methods(), sample__isnull=False).order_by()
    found = read.values_list("sample__project_id", "sample_id").annotate(
        keys=ArrayAgg("property", distinct=True, default=[])
    )
    _write([ChangedValues(project_id=p, sample_id=s, properties=keys) for p, s, keys in found])


def note_entered(value: Value) -> None:
    if value.sample is not None and value.property in read_by_methods():
        _write(
            [ChangedValues(project=value.sample.project, sample=value.sample, properties=[value.property])]
        )


def note_corrected(sample: Sample) -> None:
    """Its factors, its embargo, or whether it is void: all its values may count otherwise now."""
    if Value.objects.filter(sample=sample, current=True, property__in=read_by_methods()).exists():
        _write([ChangedValues(project_id=sample.project_id, sample=sample)])


def note_project(project: Project) -> None:
    _write([ChangedValues(project=project)])


def note_all() -> None:
    """Every hour: an embargo ends without anybody doing anything, and a step corrected far up the ancestry
    changes the factors of many samples. Where nothing differs, nothing is asked."""
    current = Value.objects.filter(current=True, property__in=read_by_methods(), sample__isnull=False)
    projects = current.order_by().values_list("sample__project_id", flat=True).distinct()
    _write([ChangedValues(project_id=key) for key in projects])


def _write(rows: Collection[ChangedValues]) -> None:
    from analysis.tasks import derive  # it calls services

    if rows:
        ChangedValues.objects.bulk_create(rows)
        enqueue(derive)
