"""A photograph is shown in its own colours; nothing that could run is shown at all."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from PIL import Image

from measurements.models import Measurement
from measurements.services import Incoming, read_measurement, receive
from samples.models import Sample, User

pytestmark = pytest.mark.django_db
HTML = b"<html><script>alert(1)</script></html>"


def photograph(mode: str) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (40, 30), 90 if mode == "L" else (200, 60, 20)).save(out, "JPEG")
    return out.getvalue()


def taken(alice: User, sample: Sample, name: str, content: bytes) -> Measurement:
    files = [Incoming(name, io.BytesIO(content))]
    row = receive(user=alice, files=files, sample_code=sample.code).measurement
    read_measurement(row)
    return row


def test_a_photograph_stands_on_its_page_in_its_own_colours(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    content = photograph("RGB")
    row = taken(alice, composite, "under_uv.jpg", content)
    address = f"/pictures/{row.files.get().pk}/"
    assert f'src="{address}"' in alices_browser.get(f"/measurements/{row.pk}/").content.decode()
    answer = alices_browser.get(address)
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert b"".join(answer.streaming_content) == content


def test_a_picture_without_colours_is_not_shown_twice(
    alices_browser: Client, alice: User, composite: Sample
) -> None:
    row = taken(alice, composite, "sem.jpg", photograph("L"))
    assert "/pictures/" not in alices_browser.get(f"/measurements/{row.pk}/").content.decode()


@pytest.mark.parametrize("content", [HTML, b"GIF", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b""])
def test_what_only_calls_itself_a_photograph_is_not_shown(
    alices_browser: Client, alice: User, composite: Sample, content: bytes
) -> None:
    row = taken(alice, composite, "photo.jpg", content)
    assert alices_browser.get(f"/pictures/{row.files.get().pk}/").status_code == 404


def test_a_photograph_of_another_project_is_not_there(
    charlies_browser: Client, alice: User, composite: Sample
) -> None:
    row = taken(alice, composite, "under_uv.jpg", photograph("RGB"))
    assert charlies_browser.get(f"/pictures/{row.files.get().pk}/").status_code == 404
