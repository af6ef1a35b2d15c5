"""Browsers of the known people."""

from __future__ import annotations

import pytest
from django.test import Client

from samples.models import User
from tests.frontend.demo_world import demo, demo_world

__all__ = ["demo", "demo_world"]


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def alices_browser(alice: User) -> Client:
    return browser(alice)


@pytest.fixture
def bobs_browser(bob: User) -> Client:
    return browser(bob)


@pytest.fixture
def charlies_browser(charlie: User) -> Client:
    return browser(charlie)
