"""The rows of what has arrived: every file of every instrument passes here.

A file whose bytes were never here needs one statement. Who inserts their blob is the first: whoever brings
the same bytes meanwhile waits at that row until this statement is committed, and then finds the blob.

For all others: first a lock on the content, then blobs, measurement and files at once: that statement sees
what the holder of the lock before has committed. All are planned once for a connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection, models, transaction

from measurements.models import Blob, Measurement, RawFile
from samples.prepared import rows_of

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
NEW = """
WITH blob AS (
    INSERT INTO {blobs} ({blob_columns}) VALUES ({blob_values})
    ON CONFLICT (sha256) DO NOTHING
    RETURNING id
), measurement AS (
    INSERT INTO {measurements} ({measurement_columns})
    SELECT {measurement_values} FROM blob
    RETURNING id
), file AS (
    INSERT INTO {files} (measurement_id, blob_id, {file_columns})
    SELECT measurement.id, blob.id, {file_values} FROM measurement CROSS JOIN blob
    RETURNING id, blob_id
)
SELECT measurement.id, file.id, file.blob_id FROM measurement CROSS JOIN file
"""
RECORD = """
WITH blob AS (
    INSERT INTO {blobs} ({blob_columns}) VALUES {blob_values}
    ON CONFLICT (sha256) DO UPDATE SET sha256 = excluded.sha256  -- changes nothing, and answers with its key
    RETURNING id, sha256
), known AS (
    SELECT min(id) AS id FROM {measurements} WHERE {same}
), measurement AS (
    INSERT INTO {measurements} ({measurement_columns})
    SELECT {measurement_values} FROM known WHERE known.id IS NULL
    RETURNING id
), given ({given_columns}) AS (
    VALUES {given_values}
), file AS (
    INSERT INTO {files} (measurement_id, blob_id, {file_columns})
    SELECT measurement.id, blob.id, {file_columns}
    FROM measurement CROSS JOIN given JOIN blob ON blob.sha256 = given.given_sha256
    ORDER BY given.given_number
    RETURNING id, blob_id
)
SELECT known.id, measurement.id, file.id, file.blob_id
FROM known LEFT JOIN measurement ON true LEFT JOIN file ON true ORDER BY file.id
"""


class Recorded(NamedTuple):
    """Either the key of a measurement that these bytes already are, or the new one's files."""

    known: int | None
    files: list[RawFile]


def lock_content(content_key: str) -> None:
    """Until the transaction ends, uploads of the same bytes wait: the second finds the first."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [content_key])


def record(new: Measurement, files: Sequence[tuple[Blob, RawFile]], *, any_technique: bool) -> Recorded:
    """Insert `new` and its files, unless the same bytes of the same sample (and technique) are there."""
    known, found = None, _first(new, *files[0]) if len(files) == 1 else []
    if not found:
        known, found = _found_or_new(new, files, any_technique)
    if known is None:
        new._state.adding, new._state.db = False, connection.alias
        for (blob, file), (measurement_pk, file_pk, blob_pk) in zip(files, found, strict=True):
            new.pk, file.pk, blob.pk = measurement_pk, file_pk, blob_pk
            file.measurement, file.blob = new, blob
    return Recorded(known, [file for _, file in files])


def _first(new: Measurement, blob: Blob, file: RawFile) -> list[tuple[Any, ...]]:
    """Keys of measurement, file and blob; nothing where the blob is here already."""
    return rows_of(NEW_ONE, [*BLOB.of(blob), *MEASUREMENT.of(new), *FILE.of(file)])


def _found_or_new(
    new: Measurement, files: Sequence[tuple[Blob, RawFile]], any_technique: bool
) -> tuple[int | None, list[tuple[Any, ...]]]:
    # In the order of the hashes, so that two uploads of the same files cannot lock each other out.
    blobs = [BLOB.of(blob) for _, blob in sorted({blob.sha256: blob for blob, _ in files}.items())]
    same, sought = _same(new, any_technique)
    given = [[blob.sha256, *FILE.of(file)] for blob, file in files]
    sql = RECORD.format(
        **TABLES,
        blob_values=", ".join(f"({BLOB.values})" for _ in blobs),
        same=same,
        given_values=", ".join(f"({number}, %s, {FILE.values})" for number, _ in enumerate(given)),
    )
    parameters = [each for row in (*blobs, sought, MEASUREMENT.of(new), *given) for each in row]
    with transaction.atomic():
        rows_of(LOCK, [new.content_key])
        found = rows_of(sql, parameters)
    return found[0][0], [keys[1:] for keys in found]


def _same(new: Measurement, any_technique: bool) -> tuple[str, list[Any]]:
    """As `same_bytes` asks it."""
    if new.sample_id is not None:
        same, values = "content_key = %s AND sample_id = %s", [new.content_key, new.sample_id]
    else:
        same = "content_key = %s AND project_id = %s AND claimed_code = %s"
        same += "" if new.claimed_code else " AND sample_id IS NULL"
        values = [new.content_key, new.project_id, new.claimed_code]
    if not any_technique:
        same, values = f"{same} AND technique = %s", [*values, new.technique]
    return same, values


class _Columns:
    """Of a model: their names, the places of their values in a statement, and the values of a row."""

    def __init__(self, model: type[models.Model], without: tuple[str, ...] = ()) -> None:
        fields = [
            field
            for field in model._meta.concrete_fields
            if not field.primary_key and field.name not in without
        ]
        self.names = ", ".join(field.column for field in fields)
        self.values = ", ".join(map(_place, fields))
        self._values_of = attrgetter(*(field.attname for field in fields))
        self._prepared = [
            (number, field) for number, field in enumerate(fields) if not _is_kept_as_it_is(field)
        ]

    def of(self, row: models.Model) -> list[Any]:
        """As Django would insert them."""
        values = list(self._values_of(row))
        for number, field in self._prepared:
            values[number] = field.get_db_prep_save(field.pre_save(row, add=True), connection)
        return values


def _place(field: models.Field[Any, Any]) -> str:
    """Where no INSERT says which column it is for, PostgreSQL takes a NULL for text. A text stays without its
    type: a cast would cut what is too long."""
    return "%s" if isinstance(field, models.CharField) else f"%s::{field.cast_db_type(connection)}"


def _is_kept_as_it_is(field: models.Field[Any, Any]) -> bool:
    """What Django would do to its value at every row changes nothing in it."""
    plain = (models.CharField, models.TextField, models.ForeignKey, models.IntegerField, models.FloatField)
    if isinstance(field, models.DateTimeField):
        return not (field.auto_now or field.auto_now_add)
    return isinstance(field, plain)


BLOB, MEASUREMENT = _Columns(Blob), _Columns(Measurement)
FILE = _Columns(RawFile, without=("measurement", "blob"))
TABLES = {
    "blobs": Blob._meta.db_table,
    "measurements": Measurement._meta.db_table,
    "files": RawFile._meta.db_table,
    "blob_columns": BLOB.names,
    "measurement_columns": MEASUREMENT.names,
    "measurement_values": MEASUREMENT.values,
    "file_columns": FILE.names,
    "given_columns": f"given_number, given_sha256, {FILE.names}",
}
NEW_ONE = NEW.format(**TABLES, blob_values=BLOB.values, file_values=FILE.values)
