"""The Storage page: for operators all, for managers their projects, else nothing; and the alarm on Home."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from measurements.models import Backup, Blob, Quota
from measurements.services import Receipt, quota, read_measurement
from measurements.services.holdings import fixity_round, holdings
from samples.models import Project, User
from tests.measurements.conftest import charlies, given

__all__ = ["charlies", "given"]  # fixtures


def page(user: User, url: str = "/storage/") -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("olga", is_staff=True)


def damage(sha256: str) -> None:
    Blob.objects.filter(sha256=sha256).update(damaged_at=timezone.now(), damage="is missing")


def test_a_manager_sees_their_project_and_no_other(
    given: Callable[..., Receipt], alice: User, charlie: User
) -> None:
    given()
    hers, his = page(alice), page(charlie)
    assert "Glass composites" in hers
    assert "Charlie&#x27;s own" not in hers
    assert "Charlie&#x27;s own" in his
    assert "Glass composites" not in his


def test_who_manages_nothing_is_told_whom_to_ask(bob: User) -> None:
    client = Client()
    client.force_login(bob)
    answer = client.get("/storage/")
    assert answer.status_code == 403
    assert b"for operators and for managers" in answer.content


def test_an_operator_sees_every_project_but_no_name_of_a_file(
    given: Callable[..., Receipt], operator: User
) -> None:
    receipt = given(name="secret-scan.txt")
    damage(receipt.files[0].blob.sha256)
    shown = page(operator)
    assert "Glass composites" in shown
    assert receipt.files[0].blob.sha256 in shown
    assert "It is missing." in shown
    assert "secret-scan" not in shown
    assert "manage.py fixity --repair" in shown


def test_a_manager_reads_which_file_is_damaged_and_what_to_do(
    given: Callable[..., Receipt], alice: User, charlie: User
) -> None:
    receipt = given(name="run7.txt")
    damage(receipt.files[0].blob.sha256)
    assert "run7.txt of VT-GLASS" in page(alice)
    assert "1 damaged file" in page(alice)
    assert "No damaged file" in page(charlie)
    assert receipt.files[0].blob.sha256[:12] not in page(charlie)


def test_what_was_made_of_a_file_is_named_by_its_measurement(
    given: Callable[..., Receipt], alice: User
) -> None:
    measurement = given().measurement
    read_measurement(measurement)
    damage(measurement.datasets.get().blob.sha256)
    shown = page(alice)
    assert "Made from: " in shown
    assert measurement.get_absolute_url() in shown


def test_the_alarm_stands_on_home_for_those_who_answer_for_it(
    given: Callable[..., Receipt], alice: User, bob: User, charlie: User, operator: User
) -> None:
    receipt = given()
    assert "stored file is damaged" not in page(alice, "/")
    damage(receipt.files[0].blob.sha256)
    assert "1 stored file is damaged" in page(alice, "/")
    assert "1 stored file is damaged" in page(operator, "/")
    assert "damaged" not in page(bob, "/")
    assert "damaged" not in page(charlie, "/")


def test_equal_files_of_a_project_count_once(given: Callable[..., Receipt], project: Project) -> None:
    given(b"a" * 1000)
    given(b"a" * 1000, technique="pl", sample_code="VT-ELSEWHERE")
    given(b"b" * 500)
    (held,) = holdings([project])
    assert (held.files, held.used_bytes, held.share) == (2, 1500, None)
    assert held.used_bytes == quota.used_bytes(project)
    quota.set_quota(project, 2000)
    assert holdings([project])[0].share == 0.75


def test_the_page_asks_as_many_questions_for_many_projects_as_for_one(
    operator: User, alice: User, project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Project.objects.bulk_create(Project(name=f"P {n}", slug=f"p-{n}") for n in range(30))
    client = Client()
    client.force_login(operator)
    with django_assert_max_num_queries(20):
        client.get("/storage/")


def test_an_operator_sets_a_quota_and_takes_it_away(operator: User, project: Project) -> None:
    client = Client()
    client.force_login(operator)
    answer = client.post(f"/projects/{project.slug}/quota/", {"limit_gb": "1.5"}, follow=True)
    assert "may keep 1.5 GB" in answer.content.decode()
    assert Quota.objects.get().limit_bytes == 1_500_000_000
    assert 'value="1.5"' in answer.content.decode()
    client.post(f"/projects/{project.slug}/quota/", {"limit_gb": ""})
    assert not Quota.objects.exists()
    answer = client.post(f"/projects/{project.slug}/quota/", {"limit_gb": "nan"}, follow=True)
    assert "A quota is a number of GB" in answer.content.decode()


def test_a_manager_may_not_change_their_own_quota(alice: User, project: Project) -> None:
    client = Client()
    client.force_login(alice)
    assert client.post(f"/projects/{project.slug}/quota/", {"limit_gb": "9"}).status_code == 403
    assert not Quota.objects.exists()


def test_the_round_says_what_is_due_and_what_was_read_again(
    given: Callable[..., Receipt], alice: User, settings: Settings
) -> None:
    settings.FIXITY_DAYS = 90
    old, new = given(b"old").files[0].blob, given(b"new").files[0].blob
    Blob.objects.filter(pk=old.pk).update(stored_at=timezone.now() - timedelta(days=100))
    assert fixity_round().due == 1
    assert "1 of 2 files are due" in page(alice)
    Blob.objects.filter(pk=old.pk).update(verified_at=timezone.now())
    found = fixity_round()
    assert (found.due, found.read_again, found.files, found.share) == (0, 1, 2, 1.0)
    assert found.longest_unread_since == Blob.objects.get(pk=new.pk).stored_at
    assert "No file is due" in page(alice)


def test_the_last_backups_are_shown_and_an_old_one_is_pointed_at(
    alice: User, project: Project, operator: User
) -> None:
    assert "No backup was made yet." in page(alice)
    made = Backup.objects.create(
        folder="/srv/backups",
        name="2026-11-20T01-00-00Z",
        started_at=timezone.now(),
        finished_at=timezone.now(),
        files=12,
        size_bytes=1000,
        copied_bytes=1000,
    )
    assert "more than 8 days old" not in page(operator)
    assert "/srv/backups/2026-11-20T01-00-00Z" in page(operator)
    assert "/srv/backups" not in page(alice), "a place on the server is the operator's to know"
    long_ago = timezone.now() - timedelta(days=9)
    Backup.objects.filter(pk=made.pk).update(started_at=long_ago, finished_at=long_ago)
    assert "more than 8 days old" in page(alice)


def test_a_disk_without_room_is_said_where_the_operator_looks(operator: User, settings: Settings) -> None:
    settings.MIN_FREE_BYTES = 10**18
    settings.RAW_FILES_DIR.mkdir()
    assert "uploads are refused" in page(operator)
