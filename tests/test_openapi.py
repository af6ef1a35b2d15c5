"""The published schema is sound, and no call that it allows breaks the server."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from rest_framework.test import APIClient

from samples.models import Sample

EXAMPLES = 100 if os.environ.get("VITRINE_FULL") else 8
HARMLESS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)


RAW = "application/octet-stream", "application/offset+octet-stream"
schemathesis.serializer.alias(RAW[1], RAW[0])


def operations() -> list[Any]:
    published = json.loads(json.dumps(SchemaGenerator().get_schema(public=True), default=str))
    found = schemathesis.openapi.from_dict(published).get_all_operations()
    return [operation.ok() for operation in found if "auth/" not in operation.ok().path]


def test_the_schema_is_valid_and_nothing_in_it_is_guessed() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)


@pytest.mark.django_db
def test_the_documentation_is_served_without_anything_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert "https://" not in page.content.decode()


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_no_allowed_call_is_a_server_error(operation: Any, as_alice: APIClient, composite: Sample) -> None:
    as_alice.raise_request_exception = False

    @HARMLESS
    @given(case=operation.as_strategy())
    def attempt(case: Any) -> None:
        with transaction.atomic():  # so that one example's rows do not help the next
            answer = called(as_alice, case)
            transaction.set_rollback(True)
        assert answer.status_code < 500, f"{case.method} {case.formatted_path} {case.query} {case.body}"

    attempt()


def called(client: APIClient, case: Any) -> Any:
    query = {name: value for name, value in (case.query or {}).items() if value is not None}
    body = case.body if isinstance(case.body, (dict, list)) else {}
    form = "json"
    if case.media_type == "multipart/form-data":
        form, body = "multipart", {name: as_part(value) for name, value in body.items()}
    if case.media_type in RAW:
        body = case.body if isinstance(case.body, bytes) else b""
        query = "?" + urlencode(query, doseq=True)
        headers = {name: str(value) for name, value in (case.headers or {}).items()}
        return client.generic(
            case.method, case.formatted_path + query, body, content_type=case.media_type, headers=headers
        )
    call = getattr(client, case.method.lower())
    if case.method == "GET":
        return call(case.formatted_path, query)
    return call(case.formatted_path, body, format=form, QUERY_STRING="")


def as_part(value: Any) -> Any:
    """A form carries texts and files; what the schema calls a file arrives as one."""
    if isinstance(value, list):
        return [as_part(each) for each in value]
    if isinstance(value, bytes):
        return SimpleUploadedFile("any.txt", value)
    return value if isinstance(value, str) else json.dumps(value)
