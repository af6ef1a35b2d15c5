"""Who sees what. Charlie, a stranger, finds nothing of Alice's project at any address."""

from __future__ import annotations

import pytest
from django.urls import reverse

from measurements.services import add_instrument, issue_token
from samples.models import Membership, Recipe, Role, Sample


@pytest.fixture
def instrument(project):
    return add_instrument(project=project, name="FLS-1")


@pytest.fixture
def addresses(composite, project, instrument):
    return [
        reverse("sample", args=[composite.code]),
        reverse("recipe", args=[composite.preparation.recipe_id]),
        reverse("project", args=[project.slug]),
        reverse("instrument", args=[instrument.pk]),
        reverse("sample-plan") + f"?recipe={composite.preparation.recipe_id}",
    ]


def test_members_see_each_page_and_a_stranger_gets_404(
    addresses, alices_browser, bobs_browser, charlies_browser
):
    for address in addresses:
        assert alices_browser.get(address).status_code == 200, address
        assert charlies_browser.get(address).status_code == 404, address
    for address in addresses[:4]:
        assert bobs_browser.get(address).status_code == 200, address


@pytest.mark.parametrize("name", ["home", "samples", "recipes", "instruments", "dashboards"])
def test_lists_of_a_stranger_show_nothing_of_the_project(
    name, composite, project, instrument, charlies_browser
):
    page = charlies_browser.get(reverse(name)).content.decode()
    for secret in (composite.code, composite.preparation.recipe.name, project.name, instrument.name):
        assert secret not in page


def test_the_csv_of_a_stranger_holds_no_row(composite, charlies_browser, alices_browser):
    def rows(client):
        return b"".join(client.get(reverse("samples"), {"as": "csv"}).streaming_content).decode()

    assert composite.code in rows(alices_browser)
    assert composite.code not in rows(charlies_browser)


def test_naming_a_strangers_project_is_a_404_and_is_not_remembered(composite, project, charlies_browser):
    for name in ("samples", "recipes", "instruments", "home"):
        assert charlies_browser.get(reverse(name), {"project": project.slug}).status_code == 404
    assert charlies_browser.get(reverse("samples")).status_code == 200


def test_the_chosen_project_is_remembered_until_all_are_asked_for(
    alice, composite, alices_browser, project, charlie
):
    other = charlie.memberships.get().project
    Membership.objects.create(project=other, user=alice, role=Role.VIEWER)
    Sample.objects.create(project=other, code="OTHER-1", state="powder")
    alices_browser.get(reverse("samples"), {"project": other.slug})
    page = alices_browser.get(reverse("samples")).content.decode()
    assert "OTHER-1" in page
    assert composite.code not in page
    page = alices_browser.get(reverse("samples"), {"project": "all"}).content.decode()
    assert "OTHER-1" in page
    assert composite.code in page


def test_a_removed_member_no_longer_sees_the_project_it_remembers(bob, composite, bobs_browser, project):
    bobs_browser.get(reverse("samples"), {"project": project.slug})
    Membership.objects.filter(user=bob).delete()
    assert composite.code not in bobs_browser.get(reverse("samples")).content.decode()


def test_a_viewer_is_offered_nothing_that_writes(composite, bobs_browser, instrument):
    for address in (
        reverse("home"),
        reverse("samples"),
        reverse("sample", args=[composite.code]),
        reverse("recipe", args=[composite.preparation.recipe_id]),
        reverse("instrument", args=[instrument.pk]),
    ):
        page = bobs_browser.get(address).content.decode()
        for words in ("Plan a composite", "Make again", "It is made now", "Make a token", "data-upload"):
            assert words not in page, (address, words)


def test_a_viewer_who_posts_anyway_changes_nothing(composite, bobs_browser, instrument, project, bob):
    _, token = issue_token(instrument.account)
    member = Membership.objects.get(user=bob)
    posts = [
        (reverse("sample-made", args=[composite.code]), {}),
        (reverse("value-enter", args=[composite.code]), {}),
        (reverse("instrument-token", args=[instrument.pk]), {}),
        (reverse("instrument-agent", args=[instrument.pk]), {}),
        (reverse("instrument-token-revoke", args=[instrument.pk, token[:15]]), {}),
        (reverse("project", args=[project.slug]), {"username": "bob", "role": Role.MANAGER}),
        (reverse("membership", args=[project.slug, member.pk]), {"role": Role.MANAGER}),
    ]
    for address, fields in posts:
        assert bobs_browser.post(address, fields).status_code == 403, address
    composite.refresh_from_db()
    member.refresh_from_db()
    assert composite.planned
    assert member.role == Role.VIEWER
    assert instrument.account.auth_token_set.count() == 1


def test_a_stranger_who_posts_gets_404(composite, charlies_browser, instrument, project):
    member = Membership.objects.filter(project=project).first()
    for address in (
        reverse("sample-made", args=[composite.code]),
        reverse("value-enter", args=[composite.code]),
        reverse("instrument-token", args=[instrument.pk]),
        reverse("instrument-agent", args=[instrument.pk]),
        reverse("project", args=[project.slug]),
        reverse("membership", args=[project.slug, member.pk]),
    ):
        assert charlies_browser.post(address, {"remove": "yes"}).status_code == 404, address
    assert Membership.objects.filter(pk=member.pk).exists()


def test_nothing_can_be_planned_into_a_strangers_project(project, cspbi3, charlies_browser):
    fields = {
        "project": project.slug,
        "name": "Break in",
        "component-TOTAL_FORMS": 1,
        "component-INITIAL_FORMS": 0,
        "component-0-material": cspbi3.pk,
        "component-0-percent": 100,
        "segment-TOTAL_FORMS": 0,
        "segment-INITIAL_FORMS": 0,
    }
    assert charlies_browser.post(reverse("sample-plan"), fields).status_code == 422
    assert not Recipe.objects.filter(name="Break in").exists()


def test_somebody_not_logged_in_is_asked_who_they_are(alice, client, addresses):
    for address in [*addresses, "/", "/samples/", "/recipes/", "/instruments/", "/dashboards/", "/account/"]:
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer.url.startswith("/accounts/login/"), address


def test_relatives_in_foreign_projects_are_counted_but_not_named(composite, charlie, project, alices_browser):
    from samples.models import Ingredient, Preparation

    theirs = charlie.memberships.get().project
    made = Preparation.objects.create(project=theirs)
    Ingredient.objects.create(preparation=made, sample=composite, mass_g=0.1)
    Sample.objects.create(project=theirs, code="SECRET-9", state="composite", preparation=made)
    page = alices_browser.get(reverse("sample", args=[composite.code])).content.decode()
    assert "SECRET-9" not in page
    assert "1 relative in projects that you are not a member of" in page
