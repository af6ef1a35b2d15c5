"""The page of a decay: a logarithmic axis, the response drawn with it."""

from __future__ import annotations

import pytest
from django.test import Client

from samples.models import Sample, User
from tests.analysis.decay_reference import T_NS
from tests.decay_files import DECAY, response, text, worked

pytestmark = pytest.mark.django_db


def test_a_decay_is_drawn_on_a_logarithmic_axis_unless_asked_otherwise(
    alice: User, composite: Sample, alices_browser: Client
) -> None:
    row = worked(alice, composite, ("d.txt", text(T_NS, DECAY), ""), ("irf.txt", response(), ""))
    address = f"/figures/measurements/{row.pk}.json"
    drawing = alices_browser.get(address).json()
    assert [trace["name"] for trace in drawing["data"]] == ["data", "irf", "fit", "residual"]
    assert drawing["layout"]["yaxis"]["type"] == "log"
    assert alices_browser.get(f"{address}?scale=linear").json()["layout"]["yaxis"]["type"] == "linear"
    page = alices_browser.get(f"/measurements/{row.pk}/").content.decode()
    assert 'value="log" checked' in page
    asked = alices_browser.get(f"/measurements/{row.pk}/?scale=linear").content.decode()
    assert 'value="linear" checked' in asked
