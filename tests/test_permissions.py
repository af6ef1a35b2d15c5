"""Every address of the site, found in the URL table: Charlie gets nothing of Alice's from any of them.

A new address with a parameter fails here until it is told which of Alice's objects it is to be tried with.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from analysis import services
from analysis.models import Conflict, Notice, Publication, Reanalysis, Run, Value, Webhook
from frontend import figures
from measurements.models import InboxRule, Measurement
from measurements.services import Subject, add_instrument, attach, batches
from measurements.services.rules import save_rule
from measurements.services.uploading import begin_upload
from measurements.store import store
from samples.models import Design, Location, Lot, Material, Project, Sample, User
from samples.services import access, exposures, stock
from tests.analysis.conftest import Measured, measured

__all__ = ["measured"]  # the fixture of the analysis tests

OPEN_TO_ALL = re.compile(
    r"healthz|readyz|api/schema/|api/docs/|accounts/|welcome/|api/v1/auth/|admin/|static/|metrics"
    r"|invitations/|shared/"  # their tokens are the key; tests/frontend/test_pages_sharing.py tries them
)
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>")


def routes(patterns: list[URLPattern | URLResolver] | None = None, before: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern).replace("^", "").replace("$", "").replace(r"\Z", "")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif not OPEN_TO_ALL.match(route):
            yield route


def parameters(route: str) -> list[str]:
    return [a or b for a, b in PARAMETER.findall(route)]


OF_EVERYBODY = {"figures/views/<slug:key>/", "dashboards/<slug:key>/"}  # what they hold is not
OF_OPERATORS = {  # of all projects together; tests/analysis/test_histories.py tries them
    "schedules/<str:key>/history/",
    "api/v1/schedules/<str:key>/history/",
}
TAKES_ONLY = {
    "api/v1/uploads/<path:filename>"
}  # shows nothing; tests/measurements/test_raw_upload.py tries it
WITH_PARAMETERS = sorted(
    {route for route in routes() if parameters(route)} - TAKES_ONLY - OF_EVERYBODY - OF_OPERATORS
)
VIEWS = sorted(
    route.replace("<slug:key>", loaded.key) for route in OF_EVERYBODY for loaded in figures.taking("view")
)
WITHOUT = sorted({route for route in routes() if not parameters(route)})
QUESTIONS = {
    "api/v1/explore/": "?x=sintering_temperature_c&y=plqy",
    "figures/explore.json": "?x=sintering_temperature_c&y=plqy&color=loading_mass_fraction",
    "dashboards/mixer/": "?first=VT-GLASS",
    "figures/mixer.json": "?first=VT-GLASS",
    "explore/": "?x=sintering_temperature_c&y=plqy",
}
SECRETS = [
    "VT-GLASS",
    "Glass composites",
    "secret-glass",
    "secret-scan",
    "secret-array",
    "secret-conflict",
    "Alice’s FLS",
    "682.",
]


@pytest.fixture
def objects(measured: Measured, alice: User, project: Project, composite: Sample) -> dict[str, object]:
    """Alice's objects, by the room of the address that shows them."""
    measurement = measured()
    measurement.files.update(filename="secret-scan.txt")
    measured(seed=2, sample=None)  # and one in the inbox
    run, _ = services.request_run(measurement, "pl_gaussians")
    services.execute(run.pk)
    campaign = Reanalysis.objects.create(project=project, trigger="person", found=1)
    Run.objects.filter(pk=run.pk).update(reanalysis=campaign)
    services.finish_campaigns()  # and so Alice has a notice
    Value.objects.create(
        sample=composite, property="plqy", value=0.813, unit="1", origin="entered", entered_by=alice, note="-"
    )
    Material.objects.filter(name="agZIF-62").update(name="secret-glass")
    instrument = add_instrument(project=project, name="Alice’s FLS")
    preparation = composite.preparation
    assert preparation is not None
    ingredient = preparation.ingredients.earliest("pk")
    made = Sample.objects.create(project=project, code="VT-OLD", state="glass")
    scan = io.BytesIO(b"secret-scan")
    attached = attach(user=alice, subject=Subject(sample=composite), name="secret-scan.png", stream=scan)
    exposure = exposures.expose(user=alice, sample=made, kind="heat", started_at=timezone.now())
    link, _ = access.share(sample=composite, user=alice)
    invitation, _ = access.invite(project=project, email="ada@example.org", role=10, user=alice)
    room = Location.objects.create(project=project, kind="room", name="R-1", path="R-1")
    Lot.objects.create(sample=made, lot_number="secret-glass")
    entry = stock.recount(made, 1.0, "secret-glass", alice)
    upload = begin_upload(user=alice, size_bytes=1, said={"filename": "secret-scan.txt"})
    design = Design.objects.create(project=project, name="secret-array", levels={}, seed=1)
    rule = save_rule(InboxRule(project=project, pattern="scan_{sample}_*", enabled=False), alice)
    manifest = store().begin()
    manifest.write(b"sample,file\nVT-GLASS,secret-scan.txt\n")
    batch = batches.open_batch(user=alice, project=project, name="secret-scan.csv", upload=manifest)
    calibration = services.add_calibration(
        user=alice,
        instrument=instrument,
        kind="dark",
        measurement=measurement,
        valid_from=timezone.now(),
        note="secret-scan",
        from_elsewhere=True,
    )
    conflict = Conflict.objects.create(project=project, code="X-1", category="note", title="secret-conflict")
    conflict.values.add(*Value.objects.filter(run=run))
    paper = Publication.objects.create(key="secret-conflict", title="A paper")
    conflict.publications.add(paper)
    hook = Webhook.objects.create(project=project, url="https://example.org/", secret="s", made_by=alice)
    return {
        "inbox-rules": rule.pk,
        "rules": rule.pk,
        "batches": batch.pk,
        "samples": composite.code,
        "materials": Material.objects.get(name="secret-glass").pk,
        "locations": room.pk,
        "places": room.pk,
        "lots": made.code,
        "stock-entries": entry.pk,
        "weigh-outs": ingredient.pk,
        "designs": design.pk,
        "s": composite.code,
        "invitations": invitation.pk,
        "share-links": link.pk,
        "share": link.pk,
        "preparations": preparation.pk,
        "exposures": exposure.pk,
        "attachments": attached.pk,
        "ingredients": ingredient.pk,
        "recipes": preparation.recipe_id,
        "measurements": measurement.pk,
        "runs": run.pk,
        "values": Value.objects.filter(run=run).earliest("pk").pk,
        "datasets": measurement.datasets.get().pk,
        "files": measurement.files.get().pk,
        "pictures": measurement.files.get().pk,
        "instruments": instrument.pk,
        "calibrations": calibration.pk,
        "projects": project.slug,
        "uploads": upload.pk,
        "jobs": run.pk,
        "webhooks": hook.pk,
        "conflicts": conflict.pk,
        "deliveries": hook.deliveries.create(event="run.done", body={}).pk,
        "reanalysis": campaign.pk,
        "reanalyses": campaign.pk,
        "notices": Notice.objects.get(user=alice).pk,
    }


def address(route: str, objects: dict[str, object]) -> str:
    """The route with Alice's object in it."""
    room = next((part for part in route.split("/") if part in objects), None)
    assert room is not None, f"Tell this test which object of Alice's {route} shows."
    second = {"members": "1", "tokens": "0123456789abcde", "steps": "milling-1"}
    second |= {
        name: str(objects[name]) for name in ("ingredients", "invitations", "share", "webhooks", "deliveries")
    }

    def fill(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        if name == "format":
            return "json"
        before = match.string[: match.start()].rstrip("/").rpartition("/")[2]
        return second.get(before, str(objects[room]))

    filled = re.sub(r"<(?:\w+:)?(\w+)>", fill, re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route))
    return "/" + filled.replace(r"\.", ".").replace("/?", "/").replace("?", "")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside is not there afterwards, so that one world serves every address: to build it
    takes a hundred times as long as to ask."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def text(answer: HttpResponse | StreamingHttpResponse) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode(errors="replace")


def test_what_is_alices_does_not_exist_for_charlie(
    objects: dict[str, object], charlie: User, alice: User, subtests: pytest.Subtests
) -> None:
    client, hers = signed_in(charlie), signed_in(alice)
    for route in WITH_PARAMETERS:
        with subtests.test(route), undone():
            url = address(route, objects)
            calls = (client.get, client.post, client.patch, client.delete)
            statuses = {call(url).status_code for call in calls}
            assert 404 in statuses, f"{url} answers {statuses}"
            assert statuses <= {404, 405}, f"{url} answers {statuses}"
            found = {hers.get(url).status_code, hers.post(url, {}).status_code}
            assert found & {200, 201, 202, 302, 400, 405}, f"{url} answers {found}"


def test_no_list_count_or_figure_tells_charlie_of_alices_work(
    objects: dict[str, object], charlie: User, subtests: pytest.Subtests
) -> None:
    client = signed_in(charlie)
    for route in WITHOUT:
        with subtests.test(route), undone():
            answer = client.get(f"/{route}{QUESTIONS.get(route, '')}", follow=True)
            assert answer.status_code in (200, 400, 403, 405), route
            found = [secret for secret in SECRETS if secret in text(answer)]
            assert found == [], f"/{route} shows {found}"


def test_no_view_of_dashboards_tells_charlie_of_alices_work(
    objects: dict[str, object], charlie: User, alice: User
) -> None:
    assert VIEWS
    client, hers = signed_in(charlie), signed_in(alice)
    for route in VIEWS:
        answer = client.get(f"/{route}")
        assert answer.status_code == 200, route
        found = [secret for secret in SECRETS if secret in answer.content.decode()]
        assert found == [], f"/{route} shows {found}"
        assert client.get(f"/{route}?project={objects['projects']}").status_code == 404, route
        stranger = Client().get(f"/{route}")
        assert "/accounts/login/" in stranger.headers.get("Location", ""), route
    seen = "".join(hers.get(f"/{route}").content.decode() for route in VIEWS)
    assert "VT-GLASS" in seen


def test_a_stranger_is_sent_to_the_door(objects: dict[str, object], subtests: pytest.Subtests) -> None:
    for route in sorted({*WITH_PARAMETERS, *WITHOUT}):
        with subtests.test(route), undone():
            url = address(route, objects) if parameters(route) else f"/{route}"
            answer = Client().get(url + QUESTIONS.get(route, ""))
            if route.startswith("api/"):
                assert answer.status_code in (401, 405), answer.status_code
            else:
                assert answer.status_code in (302, 405), answer.status_code
                assert answer.status_code == 405 or "/accounts/login/" in answer["Location"]


def test_the_table_of_addresses_was_really_walked() -> None:
    assert {"samples/<str:code>/", "api/v1/explore/"} <= {*WITH_PARAMETERS, *WITHOUT}
    assert len(WITH_PARAMETERS) > 15


def test_alice_herself_sees_what_charlie_must_not(objects: dict[str, object], alice: User) -> None:
    client = signed_in(alice)
    pages = (
        "samples",
        "measurements",
        "recipes",
        "instruments",
        "designs",
        "conflicts",
        "api/v1/runs",
        "api/v1/values",
        "api/v1/files",
    )
    seen = "".join(client.get(f"/{page}/", follow=True).content.decode() for page in pages)
    seen += client.get(f"/measurements/{objects['measurements']}/").content.decode()
    assert [secret for secret in SECRETS if secret not in seen] == []
    assert Measurement.objects.count() == 2
    assert Run.objects.filter(status="done").exists()
