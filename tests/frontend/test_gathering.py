"""What a view over many samples is given: the right values, the right curves, for the right eyes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analysis import explore, services
from analysis.models import Publication, Value
from frontend import figures, gathering
from frontend.figures import Curves, Drawing, Figure, LoadedFigure, Option, View
from frontend.gathering import curves as gathered_curves
from frontend.gathering import gather
from measurements.data import Axis, Dataset, Signal
from measurements.models import Dataset as Row
from measurements.models import Measurement
from measurements.services import Incoming, keep_datasets, read_measurement, receive
from samples.models import Material, Membership, Project, Role, Sample, User
from samples.services import derive_factors, plan_composite
from tests.analysis.conftest import Measured, measured
from tests.conftest import person
from tests.frontend.conftest import browser
from tests.spectra import PUBLISHED

__all__ = ["measured"]

FITTED = Curves("pl", "pl_gaussians", ("data", "fit"))
FIGURE = Figure(
    title="Peaks",
    takes="view",
    reads=("plqy", "pl_peak_center:I"),
    factors=("loading_mass_fraction", "sintering_temperature_c", "quench_medium"),
    curves=(FITTED,),
    options=(Option("scale", "Scale", (("linear", "linear"), ("log", "logarithmic"))),),
    help="Where the peaks are.",
    needs="Upload emission spectra.",
)
SERIES = Figure(title="Series", takes="view", curves=(Curves("pl"),))


def draw(view: View, options: Mapping[str, str]) -> Drawing:
    return Drawing(
        data=[{"type": "scatter", "x": [1], "y": [1]}],
        summary=f"{[s.code for s in view.subjects]} on a {options['scale']} scale",
    )


@pytest.fixture
def in_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a file `view_peaks.py` stood among the figures."""
    known = {
        **figures.registry(),
        "view_peaks": LoadedFigure("view_peaks", replace(FIGURE, key="view_peaks"), draw),
    }
    monkeypatch.setattr(figures, "registry", lambda: MappingProxyType(known))


def analysed(measured: Measured, seed: int, sample: Sample | None = None) -> None:
    row = measured(seed=seed, sample=sample) if sample else measured(seed=seed)
    run, _ = services.request_run(row, "pl_gaussians")
    services.execute(run.pk)


def entered(sample: Sample, user: User, number: float) -> None:
    Value.objects.create(
        sample=sample, property="plqy", value=number, unit="1", origin="entered", entered_by=user, note="-"
    )


def another(alice: User, project: Project, code: str, target_c: float) -> Sample:
    made = plan_composite(
        user=alice,
        project=project,
        name=code,
        components=[
            (Material.objects.get(name="CsPbI3"), 0.25),
            (Material.objects.get(name="agZIF-62"), 0.75),
        ],
        sintering={"segments": [{"target_c": target_c}]},
        code=code,
    )
    derive_factors([made])
    return made


def everything(**narrowed: object) -> explore.Filters:
    return explore.Filters(**narrowed)  # type: ignore[arg-type]


def test_a_view_holds_values_factors_and_curves_of_a_sample(
    measured: Measured, alice: User, composite: Sample
) -> None:
    analysed(measured, 1)
    entered(composite, alice, 0.42)
    view = gather(alice, FIGURE, everything())
    (subject,) = view.subjects
    assert (subject.code, subject.factors["sintering_temperature_c"]) == ("VT-GLASS", 275)
    assert subject.factors["quench_medium"] == "liquid_nitrogen"
    (center,) = view.values("pl_peak_center:I")
    truth, sigma = PUBLISHED["pl_peak_center", "I"]
    assert center.value == pytest.approx(truth, abs=4 * sigma)
    assert (center.subject, center.origin) == (0, "measured")
    assert [(r.value, r.origin) for r in view.values("plqy")] == [(0.42, "entered")]
    (data,), (fit,) = view.curves("data"), view.curves("fit")
    assert data.x.size == 251
    assert (data.x_is.unit, data.measurement, data.subject) == ("nm", fit.measurement, 0)
    assert np.abs(fit.y - data.y).max() < 800, "a fit of these very data"


def test_replicates_are_one_value_as_in_explore(measured: Measured, alice: User) -> None:
    for seed in (1, 2, 3):
        analysed(measured, seed)
    view = gather(alice, FIGURE, everything())
    (center,) = view.values("pl_peak_center:I")
    shown = explore.columns(alice, x="sintering_temperature_c", y="pl_peak_center:I")
    assert center.value == shown.y[0]
    assert len(view.curves("data")) == 3


def test_origins_stay_apart_and_what_is_published_says_where(alice: User, composite: Sample) -> None:
    paper = Publication.objects.create(key="Li2023", title="-", doi="10.1038/s41467-023-43247-6")
    entered(composite, alice, 0.5)
    Value.objects.create(
        sample=composite, property="plqy", value=0.813, unit="1", origin="published", publication=paper,
        place="Fig. 2a",
    )  # fmt: skip
    readings = {r.origin: r for r in gather(alice, FIGURE, everything()).values("plqy")}
    assert readings["entered"].value == 0.5
    assert readings["published"].source == "doi:10.1038/s41467-023-43247-6, Fig. 2a"
    assert readings["entered"].source == ""


def test_charlie_is_given_nothing_of_alices(
    measured: Measured, alice: User, charlie: User, composite: Sample
) -> None:
    analysed(measured, 1)
    entered(composite, alice, 0.42)
    view = gather(charlie, FIGURE, everything())
    assert (list(view.subjects), list(view.readings), list(view.lines)) == ([], [], [])


def test_an_embargoed_sample_is_in_nobody_elses_view(
    measured: Measured, alice: User, project: Project, composite: Sample
) -> None:
    analysed(measured, 1)
    dora = person("dora")
    Membership.objects.create(project=project, user=dora, role=Role.CONTRIBUTOR)
    assert gather(dora, FIGURE, everything()).lines
    Sample.objects.update(embargoed_until=timezone.now().date() + timedelta(days=3))
    hidden = gather(dora, FIGURE, everything())
    assert (list(hidden.subjects), list(hidden.readings), list(hidden.lines)) == ([], [], [])
    assert gather(alice, FIGURE, everything()).lines


def test_a_voided_sample_and_another_project_are_left_out(
    measured: Measured, alice: User, composite: Sample
) -> None:
    analysed(measured, 1)
    assert not gather(alice, FIGURE, everything(projects=("elsewhere",))).lines
    Sample.objects.filter(pk=composite.pk).update(voided_at=timezone.now(), void_reason="spilled")
    assert not gather(alice, FIGURE, everything()).subjects


def test_only_what_lies_in_the_range_is_drawn(
    measured: Measured, alice: User, project: Project, composite: Sample
) -> None:
    cold = another(alice, project, "VT-COLD", 175)
    analysed(measured, 1)
    analysed(measured, 2, cold)
    narrowed = everything(at_most={"sintering_temperature_c": 200.0})
    view = gather(alice, FIGURE, narrowed)
    assert [subject.code for subject in view.subjects] == ["VT-COLD"]
    assert {line.subject for line in view.lines} == {0}


def test_queries_do_not_grow_with_samples(
    measured: Measured, alice: User, project: Project, composite: Sample
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert gather(alice, FIGURE, everything()).lines
        return len(found)

    analysed(measured, 1)
    few = asked()
    for seed in range(2, 6):
        analysed(measured, seed, another(alice, project, f"VT-{seed}", 150 + seed))
    assert asked() == few <= 6


def test_too_many_curves_are_counted_and_the_newest_of_each_sample_come_first(
    measured: Measured, alice: User, project: Project, composite: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathered_curves, "MOST_MEASUREMENTS", 2)
    analysed(measured, 1, another(alice, project, "VT-OLD", 200))
    for seed in (2, 3, 4):
        analysed(measured, seed)
    view = gather(alice, FIGURE, everything())
    assert {view.subjects[line.subject].code for line in view.curves("data")} == {"VT-OLD", "VT-GLASS"}
    assert "2 of 4 measurements are drawn" in " ".join(view.missing)


def test_too_many_samples_are_counted_and_the_newest_are_kept(
    alice: User, project: Project, composite: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST_SAMPLES", 1)
    for sample, number in ((composite, 0.2), (another(alice, project, "VT-NEW", 200), 0.3)):
        entered(sample, alice, number)
    view = gather(alice, FIGURE, everything())
    assert [subject.code for subject in view.subjects] == ["VT-NEW"]
    assert [(reading.subject, reading.value) for reading in view.readings] == [(0, 0.3)]
    assert view.missing[0].startswith("The newest 1 of 2 samples are drawn")


def test_a_series_is_a_line_a_step(alice: User, composite: Sample) -> None:
    found = Dataset(
        Signal("counts", "counts", np.arange(12.0).reshape(3, 4)),
        (Axis("time", "s", np.array([0.0, 60, 120])), Axis("wavelength", "nm", np.arange(600.0, 604))),
    )
    row = Measurement.objects.create(
        project=composite.project, sample=composite, technique="pl", status="read", content_key="0" * 64
    )
    Row.objects.create(
        measurement=row, reader="test", reader_version=1, blob=keep_datasets({"entry": found}), shape=[3, 4],
        axes=[{"name": "time", "unit": "s", "size": 3}, {"name": "wavelength", "unit": "nm", "size": 4}],
        signal_name="counts", signal_unit="counts",
        conditions={"irradiance": {"value": 57, "unit": "mW/cm²"}},
    )  # fmt: skip
    lines = gather(alice, SERIES, everything()).lines
    assert [line.series for line in lines] == [0, 60, 120]
    assert lines[1].y.tolist() == [4, 5, 6, 7]
    assert (lines[0].x_is.unit, lines[0].series_is.unit) == ("nm", "s")  # type: ignore[union-attr]
    assert lines[0].conditions["irradiance"] == 57


def test_a_long_curve_is_thinned_and_keeps_its_spike(alice: User, composite: Sample) -> None:
    counts = np.ones(9000)
    counts[4321] = 7777
    content = b"Wavelength (nm)\tIntensity (counts)\n" + b"".join(
        b"%.3f\t%d\n" % (400 + 0.05 * i, c) for i, c in enumerate(counts)
    )
    receipt = receive(
        user=alice, files=[Incoming("long.txt", io.BytesIO(content))], sample_code="VT-GLASS", technique="pl"
    )
    read_measurement(receipt.measurement)
    (line,) = gather(alice, SERIES, everything()).lines
    assert line.y.size <= figures.base.MOST_LINE_POINTS
    assert line.y.max() == 7777


def test_a_property_and_a_method_that_do_not_exist_yet_are_missing_not_fatal(
    alice: User, composite: Sample
) -> None:
    figure = Figure(title="-", takes="view", reads=("not_yet",), curves=(Curves("pl", "not_yet"),))
    view = gather(alice, figure, everything())
    assert view.missing == ["No method yields “not_yet” yet."]


def test_a_new_figure_file_is_a_page_an_address_and_a_line_of_the_list(
    in_registry: None, measured: Measured, alices_browser: Client, composite: Sample
) -> None:
    analysed(measured, 1)
    assert "Where the peaks are." in alices_browser.get("/dashboards/").content.decode()
    page = alices_browser.get("/dashboards/view_peaks/?scale=log").content.decode()
    assert '<option value="log" selected>' in page
    assert 'data-figure="/figures/views/view_peaks/?scale=log' in page
    answer = alices_browser.get("/figures/views/view_peaks/?scale=log").json()
    assert answer["summary"] == "['VT-GLASS'] on a log scale"
    assert "/api/v1/explore/?x=loading_mass_fraction&y=plqy" in answer["call"]


def test_an_empty_view_says_so_and_the_page_what_to_do(in_registry: None, alices_browser: Client) -> None:
    answer = alices_browser.get("/figures/views/view_peaks/").json()
    assert answer["empty"] == "There is nothing to draw yet."
    narrowed = alices_browser.get("/figures/views/view_peaks/?sintering_temperature_c__gte=900").json()
    assert narrowed["empty"] == "Nothing lies within these limits; choose wider ones."
    assert "Upload emission spectra." in alices_browser.get("/dashboards/view_peaks/").content.decode()


def test_a_project_that_is_not_ones_own_and_a_view_that_is_none_are_not_there(
    in_registry: None, project: Project, charlie: User, alices_browser: Client
) -> None:
    charlies = browser(charlie)
    for url in ("/figures/views/view_peaks/", "/dashboards/view_peaks/"):
        assert charlies.get(url).status_code == 200
        assert charlies.get(f"{url}?project={project.slug}").status_code == 404
    assert alices_browser.get("/figures/views/points/").status_code == 404
    assert alices_browser.get("/dashboards/none_such/").status_code == 404


@pytest.mark.parametrize(
    "query", ["sintering_temperature_c__gte=hot", "nothing__gte=1", "quench_medium__gte=1"]
)
def test_a_filter_that_is_none_is_refused_with_a_sentence(
    in_registry: None, alices_browser: Client, project: Project, query: str
) -> None:
    answer = alices_browser.get(f"/figures/views/view_peaks/?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].endswith(".")


def test_an_unchanged_view_is_not_sent_twice(
    in_registry: None, measured: Measured, alices_browser: Client, composite: Sample
) -> None:
    analysed(measured, 1)
    first = alices_browser.get("/figures/views/view_peaks/")
    again = alices_browser.get("/figures/views/view_peaks/", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
