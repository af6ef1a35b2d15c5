"""The rows of what has arrived, in one statement: every file of every instrument passes here.

First a lock on the content, then blobs, measurement and files at once: that statement sees what the holder of
the lock before has committed. Both are planned once for a connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, models, transaction

from measurements.models import Blob, Measurement, RawFile
from samples.prepared import rows_of

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
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
    # In the order of the hashes, so that two uploads of the same files cannot lock each other out.
    blobs = sorted({blob.sha256: blob for blob, _ in files}.items())
    same, same_values = _same(new, any_technique)
    blob_columns, blob_values = _rows([blob for _, blob in blobs])
    columns, values = _rows([new])
    file_columns, file_values = _rows([file for _, file in files], without=("measurement", "blob"))
    given = [
        _Values(f"({number}, %s, {row.sql})", [blob.sha256, *row.parameters])
        for number, ((blob, _), row) in enumerate(zip(files, file_values, strict=True))
    ]
    sql = RECORD.format(
        blobs=Blob._meta.db_table,
        measurements=Measurement._meta.db_table,
        files=RawFile._meta.db_table,
        blob_columns=blob_columns,
        blob_values=", ".join(f"({row.sql})" for row in blob_values),
        same=same,
        measurement_columns=columns,
        measurement_values=values[0].sql,
        given_columns=f"given_number, given_sha256, {file_columns}",
        given_values=", ".join(row.sql for row in given),
        file_columns=file_columns,
    )
    parameters: list[Any] = []
    for rows in (blob_values, [_Values(same, same_values)], values, given):
        parameters += [parameter for row in rows for parameter in row.parameters]
    with transaction.atomic():
        rows_of(LOCK, [new.content_key])
        found = rows_of(sql, parameters)
    known, new.pk, *_ = found[0]
    if known is None:
        new._state.adding, new._state.db = False, connection.alias
        for (blob, file), (_, _, file_pk, blob_pk) in zip(files, found, strict=True):
            file.pk, blob.pk = file_pk, blob_pk
            file.measurement, file.blob = new, blob
    return Recorded(known, [file for _, file in files])


class _Values(NamedTuple):
    sql: str
    parameters: list[Any]


def _same(new: Measurement, any_technique: bool) -> tuple[str, list[Any]]:
    """As `same_bytes` asks it."""
    if new.sample_id is not None:
        same, values = "content_key = %s AND sample_id = %s", [new.content_key, new.sample_id]
    else:
        same = "content_key = %s AND project_id = %s AND claimed_code = %s"
        same += "" if new.claimed_code else " AND sample_id IS NULL"
        values = [new.content_key, new.project_id, new.claimed_code]
    return (same, values) if any_technique else (f"{same} AND technique = %s", [*values, new.technique])


def _rows(rows: Sequence[models.Model], without: tuple[str, ...] = ()) -> tuple[str, list[_Values]]:
    """Columns, and for each new row its values as Django would insert them."""
    fields = [
        field
        for field in rows[0]._meta.concrete_fields
        if not field.primary_key and field.name not in without
    ]
    return ", ".join(field.column for field in fields), [_values(row, fields) for row in rows]


def _values(row: models.Model, fields: Sequence[models.Field[Any, Any]]) -> _Values:
    sql, parameters = [], []
    for field in fields:
        value = field.get_db_prep_save(field.pre_save(row, add=True), connection)
        if value is None:
            # Where no INSERT says which column it is for, PostgreSQL takes a bare NULL for text. Other values
            # carry their type or fit as they are; a cast would cut a text that is too long.
            sql.append(f"NULL::{field.cast_db_type(connection)}")
        else:
            sql.append("%s")
            parameters.append(value)
    return _Values(", ".join(sql), parameters)
