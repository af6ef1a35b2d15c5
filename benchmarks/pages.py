"""Server time of pages at 100 000 samples and 10⁶ values, in process: middleware, queries, templates and all.

.venv/bin/python -m benchmarks pages
"""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.explore import fill
from benchmarks.measuring import interleaved
from samples.models import User

SAMPLES, PROPERTIES = 100_000, 10
PAGES = {
    "sample list": "/samples/",
    "sample list, sorted by sintering temperature": "/samples/?sort=-temperature",
    "sample list, sorted by loading": "/samples/?sort=loading",
    "sample list, 5 to 10 % loading": "/samples/?loading_min=5&loading_max=10",
    "sample list, found by code": "/samples/?search=B-0500",
    "sample list, found by notation": "/samples/?search=CsPbI3",
    "one sample": "/samples/B-050000/",
    "home": "/",
    "measurements": "/measurements/",
    "recipes": "/recipes/",
    "jobs": "/jobs/",
    "inbox": "/inbox/",
}


def main() -> str:
    user = User.objects.create_user("benchmark")
    fill(user, SAMPLES, PROPERTIES)
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)

    def visit(url: str) -> None:
        answer = client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        _ = b"".join(answer.streaming_content) if answer.streaming else answer.content

    queries = {}
    for name, url in PAGES.items():
        with CaptureQueriesContext(connection) as seen:
            visit(url)
        queries[name] = len(seen)
    medians = interleaved({name: lambda url=url: visit(url) for name, url in PAGES.items()}, rounds=7)
    rows = ["| page | server time | queries |", "|---|---|---|"]
    rows += [f"| {name} | {seconds * 1000:.0f} ms | {queries[name]} |" for name, seconds in medians.items()]
    return f"{SAMPLES} samples, {SAMPLES * PROPERTIES} values.\n\n" + "\n".join(rows)
