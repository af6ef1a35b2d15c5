"""Pages of invitations, shared samples, corrections, voiding and histories."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analysis import services
from samples.models import (
    Ingredient,
    Invitation,
    Membership,
    Preparation,
    Project,
    Role,
    Sample,
    ShareLink,
    User,
)
from samples.services import access, voiding
from tests.analysis.conftest import Measured, measured
from tests.conftest import person
from tests.frontend.conftest import browser
from tests.test_embargo import embargo

__all__ = ["measured"]

PASSWORD = "a long enough password"


def secret_in(page: str) -> str:
    found = re.search(r"https?://[^/]+(/(?:invitations|shared)/[\w-]{43}/)", page)
    assert found, "no address on the page"
    return found.group(1)


@pytest.fixture
def invited(alices_browser: Client, project: Project) -> str:
    given = {"email": "ada@example.org", "role": Role.CONTRIBUTOR, "days": 14}
    page = alices_browser.post(reverse("project-invite", args=[project.slug]), given)
    assert page.status_code == 200
    return secret_in(page.content.decode())


@pytest.fixture
def shared(alices_browser: Client, composite: Sample) -> str:
    page = alices_browser.post(
        reverse("sample-share", args=[composite.code]), {"note": "the referee", "days": 30}
    )
    return secret_in(page.content.decode())


# Invitations


def test_the_address_of_an_invitation_is_shown_once_and_mailed(
    invited: str, alices_browser: Client, project: Project, mailoutbox: list
) -> None:
    again = alices_browser.get(reverse("project", args=[project.slug])).content.decode()
    assert "ada@example.org" in again
    assert invited.split("/")[2] not in again
    assert invited in mailoutbox[0].body


def test_a_new_person_makes_an_account_and_is_in_the_project(invited: str, project: Project) -> None:
    visitor = Client()
    page = visitor.get(invited)
    assert "Glass composites" in page.content.decode()
    assert (page["Referrer-Policy"], page["X-Robots-Tag"]) == ("no-referrer", "noindex")
    weak = visitor.post(invited, {"username": "ada", "password1": "short", "password2": "short"})
    assert weak.status_code == 422
    assert not User.objects.filter(username="ada").exists()
    answer = visitor.post(invited, {"username": "ada", "password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 302
    member = Membership.objects.get(user__username="ada")
    assert (member.role, member.user.email) == (Role.CONTRIBUTOR, "ada@example.org")
    assert visitor.get(reverse("samples")).status_code == 200
    spent = Client().post(invited, {"username": "eve", "password1": PASSWORD, "password2": PASSWORD})
    assert spent.status_code == 404
    assert not User.objects.filter(username="eve").exists()


def test_somebody_with_an_account_joins_with_one_click(invited: str, charlie: User, project: Project) -> None:
    charlies = browser(charlie)
    assert "Join as charlie" in charlies.get(invited).content.decode()
    assert not Membership.objects.filter(user=charlie, project=project).exists()
    charlies.post(invited)
    assert Membership.objects.get(user=charlie, project=project).role == Role.CONTRIBUTOR


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00" * 43, "%E2%80%AE" * 43, "a" * 5000])
def test_a_token_that_nobody_gave_is_told_nothing(token: str, project: Project, invited: str) -> None:
    answer = Client().get(f"/invitations/{token}/")
    told_nothing = 400 if "%00" in token else 404  # a NUL is refused before anything is looked for
    assert answer.status_code == told_nothing
    assert "Glass composites" not in answer.content.decode()
    assert Client().get(f"/shared/{token}/").status_code == told_nothing


def test_a_viewer_neither_invites_nor_sees_who_was_invited(
    invited: str, bobs_browser: Client, project: Project
) -> None:
    page = bobs_browser.get(reverse("project", args=[project.slug])).content.decode()
    history = bobs_browser.get(reverse("projects-history", args=[project.slug])).content.decode()
    assert "ada@example.org" not in page
    assert "ada@example.org" not in history
    answer = bobs_browser.post(reverse("project-invite", args=[project.slug]), {"email": "x@example.org"})
    assert answer.status_code == 403
    pk = Invitation.objects.get().pk
    assert bobs_browser.post(reverse("invitation-revoke", args=[project.slug, pk])).status_code == 403


def test_a_wrong_address_is_refused_on_the_page(alices_browser: Client, project: Project) -> None:
    answer = alices_browser.post(
        reverse("project-invite", args=[project.slug]), {"email": "ada", "role": 20, "days": -1}
    )
    assert answer.status_code == 422
    assert not Invitation.objects.exists()


def test_a_revoked_invitation_is_spent(invited: str, alices_browser: Client, project: Project) -> None:
    pk = Invitation.objects.get().pk
    alices_browser.post(reverse("invitation-revoke", args=[project.slug, pk]))
    assert Client().get(invited).status_code == 404


# Shared samples


def test_a_shared_sample_is_read_without_login(shared: str, composite: Sample, measured: Measured) -> None:
    run, _ = services.request_run(measured(), "pl_gaussians")
    services.execute(run.pk)
    answer = Client().get(shared)
    page = answer.content.decode()
    assert answer.status_code == 200
    for told in (composite.code, "Mill", "275", "PL peak", "<svg", "agZIF-62"):
        assert told in page, told
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"].startswith("noindex")
    assert "no-store" in answer["Cache-Control"]
    assert 'name="robots" content="noindex' in page


def test_a_shared_page_leads_to_no_other_object(shared: str, composite: Sample, measured: Measured) -> None:
    """It holds no address but its own style and mark; and what it might name opens to no stranger."""
    measured()
    visitor = Client()
    page = visitor.get(shared).content.decode()
    addresses = set(re.findall(r'(?:href|src|action|hx-get)="([^"]*)"', page))
    assert {address for address in addresses if not address.startswith("/static/")} == set()
    token = shared.split("/")[2]
    for address in (
        composite.get_absolute_url(),
        f"/api/v1/samples/{composite.code}/",
        "/api/v1/measurements/",
        f"{composite.get_absolute_url()}?token={token}",
    ):
        assert visitor.get(address).status_code in (302, 401), address
    headers = {"Authorization": f"Token {token}"}
    assert visitor.get("/api/v1/samples/", headers=headers).status_code == 401
    assert visitor.post(shared).status_code == 405


def test_relatives_that_were_not_shared_stay_unnamed(
    alices_browser: Client, composite: Sample, project: Project, shared: str
) -> None:
    made = Preparation.objects.create(project=project)
    Ingredient.objects.create(preparation=made, sample=composite, mass_g=0.01)
    child = Sample.objects.create(project=project, code="CHILD-1", state="powder", preparation=made)
    page = alices_browser.post(reverse("sample-share", args=[child.code]), {"days": 30}).content.decode()
    page = Client().get(secret_in(page)).content.decode()
    assert "CHILD-1" in page
    assert composite.code not in page
    assert "CHILD-1" not in Client().get(shared).content.decode()


def test_a_link_that_ended_is_not_found(shared: str, alices_browser: Client, composite: Sample) -> None:
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(shared).status_code == 404
    ShareLink.objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert Client().get(shared).status_code == 200
    pk = ShareLink.objects.get().pk
    alices_browser.post(reverse("sample-share-revoke", args=[composite.code, pk]))
    assert Client().get(shared).status_code == 404


def test_the_sample_lists_its_links_and_who_sees_it(
    shared: str, alices_browser: Client, bob: User, composite: Sample
) -> None:
    page = alices_browser.get(reverse("sample-share", args=[composite.code])).content.decode()
    assert "the referee" in page
    assert "bob" in page
    assert shared.split("/")[2] not in page
    embargo(composite)
    assert "bob" not in alices_browser.get(reverse("sample-share", args=[composite.code])).content.decode()


def test_a_viewer_makes_no_link(bobs_browser: Client, composite: Sample) -> None:
    address = reverse("sample-share", args=[composite.code])
    assert "Make a link" not in bobs_browser.get(address).content.decode()
    assert bobs_browser.post(address, {"days": 30}).status_code == 403
    assert not ShareLink.objects.exists()


# Correcting, voiding, history


def edited(sample: Sample, **given: str) -> dict[str, str]:
    return {"name": sample.name, "notation": sample.notation, "state": sample.state, "notes": "", **given}


def test_a_correction_asks_why_and_shows_in_the_history(alices_browser: Client, composite: Sample) -> None:
    Sample.objects.filter(pk=composite.pk).update(planned=False)
    address = reverse("sample-edit", args=[composite.code])
    assert alices_browser.post(address, edited(composite, name="batch 2")).status_code == 422
    composite.refresh_from_db()
    assert composite.name == ""
    answer = alices_browser.post(address, edited(composite, name="batch 2", reason="Mislabelled jar."))
    assert answer.status_code == 302
    history = alices_browser.get(reverse("samples-history", args=[composite.code])).content.decode()
    for told in ("Mislabelled jar.", "batch 2", "alice", "changed"):
        assert told in history
    part = alices_browser.get(
        reverse("samples-history", args=[composite.code]), headers={"HX-Request": "true"}
    ).content.decode()
    assert "Mislabelled jar." in part
    assert "<html" not in part


def test_a_correction_does_not_cut_off_recorded_seconds(alices_browser: Client, composite: Sample) -> None:
    moment = timezone.now().replace(second=17, microsecond=5)
    Sample.objects.filter(pk=composite.pk).update(planned=False, made_at=moment)
    typed = f"{moment:%Y-%m-%dT%H:%M}"
    alices_browser.post(
        reverse("sample-edit", args=[composite.code]),
        edited(composite, name="x", made_at=typed, reason="named"),
    )
    composite.refresh_from_db()
    assert (composite.name, composite.made_at) == ("x", moment)


def test_a_void_sample_says_so_and_leaves_the_list(alices_browser: Client, composite: Sample) -> None:
    address = reverse("sample-voiding", args=[composite.code])
    assert "Void VT-GLASS" in alices_browser.get(address).content.decode()
    assert alices_browser.post(address, {"reason": " "}).status_code == 422
    assert alices_browser.post(address, {"reason": "Spilled on the floor."}).status_code == 302
    page = alices_browser.get(reverse("sample", args=[composite.code])).content.decode()
    assert "Spilled on the floor." in page
    assert composite.code not in alices_browser.get(reverse("samples")).content.decode()
    assert composite.code in alices_browser.get(reverse("samples"), {"void": "only"}).content.decode()
    alices_browser.post(address, {"reason": "It was another.", "back": "yes"})
    assert composite.code in alices_browser.get(reverse("samples")).content.decode()


def test_voiding_says_first_what_hangs_on_the_sample(
    alices_browser: Client, composite: Sample, measured: Measured
) -> None:
    measured()
    page = alices_browser.get(reverse("sample-voiding", args=[composite.code])).content.decode()
    assert "1 measurement stays at its address" in page


def test_a_void_sample_has_no_row_in_explore(alices_browser: Client, composite: Sample, alice: User) -> None:
    ask = {"x": "sintering_temperature_c", "y": "loading_mass_fraction"}
    assert composite.code in alices_browser.get("/api/v1/explore/", ask).content.decode()
    voiding.void(composite, reason="Spilled.", user=alice)
    assert composite.code not in alices_browser.get("/api/v1/explore/", ask).content.decode()


def test_a_fellow_contributor_may_not_void(composite: Sample, project: Project) -> None:
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    assert (
        browser(dora).post(reverse("sample-voiding", args=[composite.code]), {"reason": "x"}).status_code
        == 403
    )
    composite.refresh_from_db()
    assert composite.voided_at is None


def test_history_tells_masses_and_temperatures_as_people_write_them(
    alices_browser: Client, composite: Sample
) -> None:
    Sample.objects.filter(pk=composite.pk).update(amount_g=0.0461)
    page = alices_browser.get(reverse("samples-history", args=[composite.code])).content.decode()
    assert "46.1\u202fmg" in page
    assert "not recorded" in page
    recipe = composite.preparation.recipe_id  # type: ignore[union-attr]
    page = alices_browser.get(reverse("recipes-history", args=[recipe])).content.decode()
    assert "275\u202f°C" in page


def test_a_notice_tells_of_the_embargo(alices_browser: Client, composite: Sample) -> None:
    embargo(composite)
    page = alices_browser.get(reverse("sample", args=[composite.code])).content.decode()
    assert "Under embargo until" in page


def test_markup_in_a_reason_stays_text(alices_browser: Client, composite: Sample) -> None:
    alices_browser.post(
        reverse("sample-voiding", args=[composite.code]), {"reason": "<script>alert(1)</script>"}
    )
    for address in (
        reverse("sample", args=[composite.code]),
        reverse("samples-history", args=[composite.code]),
    ):
        assert "<script>alert" not in alices_browser.get(address).content.decode()


def test_links_are_revoked_with_the_api_too(shared: str, composite: Sample, alice: User) -> None:
    link = ShareLink.objects.get()
    access.revoke_link(link, alice)
    assert Client().get(shared).status_code == 404
