"""A real browser before a real server. A page that logs an error or breaks its own policy fails its test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from samples import queueing
from samples.models import Material, Project, Sample, User
from tests.frontend.campaign import grow

CHROMIUM = os.environ.get("VITRINE_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=20_000)  # patience, not a measurement
# Playwright's loop in this thread would make Django refuse its database.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def _a_browser_is_here() -> None:
    if Path(CHROMIUM).exists():
        return
    missing = f"There is no browser at {CHROMIUM}; set VITRINE_CHROMIUM to a Chromium to run this test."
    if os.environ.get("VITRINE_STRICT"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}


@pytest.fixture(autouse=True)
def _no_message_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the test is the worker: it reads and executes when it wants to, and no other one does."""
    monkeypatch.setattr(queueing, "send", lambda *_, **__: None)


@pytest.fixture
def campaign(
    transactional_db: None, alice: User, project: Project, cspbi3: Material, zif_glass: Material
) -> dict[str, Sample]:
    return grow(alice, project, cspbi3, zif_glass)


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says against a page; a test that provokes one removes it."""
    return []


@pytest.fixture
def desk(
    context: BrowserContext,
    page: Page,
    live_server: LiveServer,
    client: Any,
    alice: User,
    complaints: list[str],
) -> Iterator[Page]:
    """A page where Alice is logged in and addresses are relative."""
    client.force_login(alice)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.set_default_timeout(20_000)
    yield page
    assert not complaints
