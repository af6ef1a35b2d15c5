"""The page of what was derived over a project: what it shows, and to whom."""

from __future__ import annotations

import pytest
from django.test import Client

from analysis import services
from analysis.models import Run
from samples.models import Material, Project, Sample, User
from tests.analysis.test_derived import compute, embargo, enter, entered, series

__all__ = ["entered", "series"]  # fixtures

ADDRESS = "/projects/glass/results/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User) -> str:
    answer = signed_in(user).get(ADDRESS)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def computed(entered: list[object]) -> Run:
    compute()
    return Run.objects.get(method="tg_vs_loading")


def test_the_slope_stands_on_the_page_with_its_figure(computed: Run, bob: User) -> None:
    shown = page(bob)
    assert "−70" in shown
    assert "per unit mass fraction" in shown
    assert f"/figures/runs/{computed.pk}.json?of=Tg" in shown


def test_its_figure_draws_the_values_and_the_line(computed: Run, bob: User, charlie: User) -> None:
    address = f"/figures/runs/{computed.pk}.json?of=Tg"
    drawn = signed_in(bob).get(address).json()
    assert [trace["name"] for trace in drawn["data"]] == ["values", "line", "Fox"]
    assert "Tg (°C)" in str(drawn["layout"])
    assert signed_in(charlie).get(address).status_code == 404


def test_a_figure_of_a_quantity_without_curves_says_so(computed: Run, bob: User) -> None:
    drawn = signed_in(bob).get(f"/figures/runs/{computed.pk}.json?of=nothing").json()
    assert drawn["empty"] == "This run left no curves."


def test_without_values_it_says_what_it_takes(project: Project, bob: User) -> None:
    shown = page(bob)
    assert "4 samples’ values of “Glass transition”" in shown
    assert "measured 8 times" in shown


def test_what_is_on_its_way_and_what_was_refused_is_said(
    computed: Run, series: list[Sample], alice: User
) -> None:
    enter(series[0], alice, 290)
    services.derive()
    assert "being computed anew" in page(alice)
    assert "−70" in page(alice)  # until then the last answer stands
    Run.objects.filter(status="queued").update(status="failed", message="The furnace was cold.")
    assert "The furnace was cold." in page(alice)


def test_strangers_find_no_such_page(computed: Run, charlie: User) -> None:
    assert signed_in(charlie).get(ADDRESS).status_code == 404


def test_replicates_of_an_embargoed_sample_are_not_told_to_a_fellow_member(
    series: list[Sample], alice: User, bob: User
) -> None:
    other = User.objects.create_user("erin", "e@example.org", "a long enough word")
    for user, value in ((alice, 0.31), (other, 0.35)):
        enter(series[0], user, value, sigma=0.01, key="plqy")
    compute()
    assert f"/samples/{series[0].code}/" in page(bob)
    embargo(series[0], alice)
    assert f"/samples/{series[0].code}/" not in page(bob)
    assert f"/samples/{series[0].code}/" in page(alice)


def test_correlations_stand_in_a_table_with_what_is_believed(
    project: Project, alice: User, cspbi3: Material, zif_glass: Material, bob: User
) -> None:
    from samples.services import plan_composite

    for number_of in range(8):
        sample = plan_composite(
            user=alice,
            project=project,
            name="Composite",
            components=[(cspbi3, 0.05 + 0.05 * number_of), (zif_glass, 0.95 - 0.05 * number_of)],
            milling={"rpm": 800, "duration_min": 60, "ball_mass_g": 16, "powder_mass_g": 0.2},
            sintering={"segments": [{"target_c": 300, "ramp_c_per_min": 20, "hold_min": 0, "gas": "Ar"}]},
            quench={"medium": "liquid_nitrogen"},
            code=f"VT-C{number_of}",
        )
        enter(sample, alice, 300 - 5 * number_of)
        enter(sample, alice, 0.3 + 0.01 * (number_of * 5 % 8), sigma=0.01, key="plqy")
    compute()
    run = Run.objects.get(method="rank_correlations")
    assert run.notes["pairs"] == 2.0  # all were sintered alike: only the loading differs
    assert run.notes["Glass transition × loading: q"] == pytest.approx(2 * 2 / 40320)
    assert run.notes["believed at q ≤ 0.05"].startswith("Glass transition with loading (ρ = -1.00)")
    assert "Glass transition with loading" in page(bob)
