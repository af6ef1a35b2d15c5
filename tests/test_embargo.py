"""Every address of the site again, as Dora, who contributes to the project of Alice's embargoed sample."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from analysis import explore
from analysis.models import Value
from measurements.models import Measurement
from measurements.services import add_instrument, receive
from samples.exchange import export, extent
from samples.models import Ingredient, Material, Membership, Preparation, Project, Role, Sample, User
from tests.analysis.conftest import measured
from tests.conftest import api, person
from tests.spectra import spectrum_file
from tests.test_permissions import (
    QUESTIONS,
    VIEWS,
    WITH_PARAMETERS,
    WITHOUT,
    address,
    objects,
    signed_in,
    text,
    undone,
)

__all__ = ["measured", "objects"]

STAYS_VISIBLE = {
    "recipes",
    "materials",
    "projects",
    "instruments",
    "locations",
    "places",
    "designs",
    "invitations",
    "inbox-rules",
    "rules",
}
SECRETS = ["VT-GLASS", "secret-scan", "secret-conflict", "682."]


@pytest.fixture
def dora(project: Project) -> User:
    user = person("dora")
    Membership.objects.create(project=project, user=user, role=Role.CONTRIBUTOR)
    return user


def embargo(sample: Sample, days: int = 30) -> None:
    today = timezone.now().date()
    Sample.objects.filter(pk=sample.pk).update(embargoed_until=today + timedelta(days=days))


@pytest.fixture
def embargoed(composite: Sample) -> Sample:
    """With every other sample that Alice's objects hang on."""
    for sample in Sample.objects.all():
        embargo(sample)
    return composite


def hangs_on_the_sample(route: str, objects: dict[str, object]) -> bool:
    rooms = [part for part in route.split("/") if part in objects]
    return not STAYS_VISIBLE.intersection(rooms[:1])


def test_what_hangs_on_an_embargoed_sample_does_not_exist_for_a_fellow_member(
    objects: dict[str, object], embargoed: Sample, dora: User, subtests: pytest.Subtests
) -> None:
    client = signed_in(dora)
    for route in WITH_PARAMETERS:
        with subtests.test(route), undone():
            url = address(route, objects)
            if not hangs_on_the_sample(route, objects):
                answer = client.get(url, follow=True)
                assert [secret for secret in SECRETS if secret in text(answer)] == [], url
                continue
            calls = (client.get, client.post, client.patch, client.delete)
            statuses = {call(url).status_code for call in calls}
            assert 404 in statuses, f"{url} answers {statuses}"
            assert statuses <= {404, 405}, f"{url} answers {statuses}"


def test_no_list_count_or_figure_tells_a_fellow_member_of_an_embargoed_sample(
    objects: dict[str, object], embargoed: Sample, dora: User, subtests: pytest.Subtests
) -> None:
    client = signed_in(dora)
    for route in WITHOUT:
        with subtests.test(route), undone():
            answer = client.get(f"/{route}{QUESTIONS.get(route, '')}", follow=True)
            assert answer.status_code in (200, 400, 403, 405), route
            assert [secret for secret in SECRETS if secret in text(answer)] == [], route


def test_no_view_of_dashboards_tells_a_fellow_member_of_an_embargoed_sample(
    objects: dict[str, object], embargoed: Sample, dora: User
) -> None:
    client = signed_in(dora)
    for route in VIEWS:
        answer = client.get(f"/{route}")
        assert answer.status_code == 200, route
        assert [secret for secret in SECRETS if secret in answer.content.decode()] == [], route


def seen_by(user: User) -> set[str]:
    return set(Sample.objects.visible_to(user).values_list("code", flat=True))


def test_its_maker_and_the_managers_see_it(composite: Sample, project: Project, dora: User) -> None:
    Sample.objects.filter(pk=composite.pk).update(created_by=dora)
    erin = person("erin")
    Membership.objects.create(project=project, user=erin, role=Role.MANAGER)
    frank = person("frank")
    Membership.objects.create(project=project, user=frank, role=Role.CONTRIBUTOR)
    embargo(composite)
    assert composite.code in seen_by(dora)
    assert composite.code in seen_by(erin)
    assert composite.code not in seen_by(frank)


def test_a_sample_whose_maker_is_not_recorded_is_only_for_managers(
    embargoed: Sample, dora: User, alice: User
) -> None:
    Sample.objects.filter(pk=embargoed.pk).update(created_by=None)
    assert embargoed.code in seen_by(alice)
    assert embargoed.code not in seen_by(dora)


def test_a_manager_of_another_project_is_no_manager_of_this(embargoed: Sample, dora: User) -> None:
    other = Project.objects.create(name="Other", slug="other")
    Membership.objects.create(project=other, user=dora, role=Role.MANAGER)
    assert embargoed.code not in seen_by(dora)


def test_on_its_date_the_embargo_is_over(composite: Sample, dora: User) -> None:
    embargo(composite, days=1)
    assert composite.code not in seen_by(dora)
    embargo(composite, days=0)
    assert composite.code in seen_by(dora)


def test_explore_has_exactly_the_rows_that_the_querysets_have(
    project: Project, dora: User, alice: User
) -> None:
    today = timezone.now().date()
    for number in range(24):
        Sample.objects.create(
            project=project,
            code=f"N-{number}",
            state="powder",
            created_by=(None, alice, dora)[number % 3],
            embargoed_until=(None, today - timedelta(1), today, today + timedelta(1))[number % 4],
            voided_at=timezone.now() if number >= 20 else None,
            void_reason="spilled" if number >= 20 else "",
        )
    for user in (alice, dora):
        found = explore.columns(user, x="sintering_temperature_c", y="loading_mass_fraction")
        assert set(found.code) == set(Sample.objects.kept().visible_to(user).values_list("code", flat=True))
    assert len(found.code) == 20 - 4


def test_a_value_and_its_preparation_are_hidden_with_the_sample(embargoed: Sample, dora: User) -> None:
    Value.objects.create(
        sample=embargoed, property="tg", value=300, unit="°C", origin="entered", note="-", entered_by=dora
    )
    assert not Value.objects.visible_to(dora).exists()
    assert not Preparation.objects.visible_to(dora).exists()
    assert not Preparation.objects.open_to(dora).exists()


def test_what_was_made_from_an_embargoed_sample_names_it_not(
    embargoed: Sample, project: Project, dora: User
) -> None:
    made = Preparation.objects.create(project=project)
    Ingredient.objects.create(preparation=made, sample=embargoed, mass_g=0.01)
    Sample.objects.create(project=project, code="CHILD", state="powder", preparation=made)
    page = signed_in(dora).get("/samples/CHILD/").content.decode()
    assert "CHILD" in page
    assert embargoed.code not in page


def test_relatives_under_an_embargo_are_not_counted(composite: Sample, project: Project, dora: User) -> None:
    made = Preparation.objects.create(project=project)
    Ingredient.objects.create(preparation=made, sample=composite, mass_g=0.01)
    child = Sample.objects.create(project=project, code="CHILD", state="powder", preparation=made)
    embargo(child)
    page = signed_in(dora).get(f"/samples/{composite.code}/").content.decode()
    assert "CHILD" not in page
    assert "1 relative" not in page


def test_an_instrument_of_the_project_still_delivers_to_an_embargoed_sample(
    embargoed: Sample, project: Project, dora: User
) -> None:
    """Otherwise its files would wait in the inbox, before everybody's eyes."""
    instrument = add_instrument(project=project, name="FLS-1")
    receipt = receive(user=instrument.account, files=[spectrum_file(5)], sample_code=embargoed.code)
    assert receipt.measurement.sample == embargoed
    assert not Measurement.objects.visible_to(dora).exists()
    assert not Measurement.objects.visible_to(instrument.account).exists()


def test_an_instrument_of_another_project_does_not(embargoed: Sample, charlie: User) -> None:
    instrument = add_instrument(project=charlie.projects.get(), name="FLS-2")
    receipt = receive(user=instrument.account, files=[spectrum_file(5)], sample_code=embargoed.code)
    assert receipt.measurement.sample is None


def test_search_and_filters_do_not_betray_it(embargoed: Sample, dora: User) -> None:
    client = api(dora)
    assert client.get("/api/v1/samples/", {"search": "GLASS"}).json()["results"] == []
    assert client.get("/api/v1/samples/", {"code": embargoed.code}).json()["results"] == []


def test_an_export_leaves_out_a_preparation_that_an_embargoed_sibling_hides(
    composite: Sample, project: Project, dora: User
) -> None:
    sibling = Sample.objects.create(
        project=project, code="SIBLING", state="powder", preparation=composite.preparation
    )
    embargo(sibling)
    for samples in (None, Sample.objects.filter(pk=composite.pk)):
        tables = {
            written.table.name: [
                dict(zip([column.name for column in written.columns], row, strict=True))
                for row in written.rows
            ]
            for written in export(extent(dora, project, samples))
        }
        assert [(row["code"], row["preparation"]) for row in tables["samples"]] == [("VT-GLASS", "(hidden)")]
        assert tables["preparations"] == tables["ingredients"] == []


def test_the_stock_of_a_material_leaves_out_bottles_under_an_embargo(
    cspbi3: Material, project: Project, dora: User
) -> None:
    for code, mass_g in (("OPEN", 2.0), ("SECRET", 5.0)):
        Sample.objects.create(
            project=project, code=code, state="powder", material=cspbi3, amount_g=mass_g, mass_left_g=mass_g
        )
    Sample.objects.create(project=project, code="UNKNOWN", state="powder", material=cspbi3)
    for code in ("SECRET", "UNKNOWN"):
        embargo(Sample.objects.get(code=code))
    told = api(dora).get(f"/api/v1/materials/{cspbi3.pk}/").json()
    assert (told["left_g"], told["unknown_bottles"]) == (2.0, 0)
    Material.objects.update(minimum_stock_g=3)
    for url in ("/materials/", "/"):
        assert "Running low" in signed_in(dora).get(url).content.decode()
