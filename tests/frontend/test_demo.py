"""The demo in the database: loaded once, complete, marked as what it is, and removed without a trace."""

import json
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db.models import Q
from django.utils import timezone

from analysis import explore
from analysis.models import Publication, Run, Value
from analysis.services import execute, request_run
from frontend import figures
from frontend.demo import forward, loading, sending
from frontend.demo.campaign import load
from frontend.demo.files import spectrum_file
from frontend.gathering import gather
from measurements.models import (
    Attachment,
    Batch,
    Blob,
    Decision,
    InboxRule,
    Instrument,
    Measurement,
    RawFile,
)
from measurements.services import Incoming, Subject, attach, batches, read_measurement, receive
from measurements.services.rules import save_rule
from measurements.store import store
from samples.ancestry import steps_of
from samples.models import Location, Project, Sample, User
from samples.services import stock
from samples.services.exposures import expose
from tests.frontend.demo_world import ENDURANCE, HALIDES, MEASUREMENTS, run

QUENCHES = {"cryogenic_LN2": "liquid_nitrogen", "slow": "slow"}
FILES = MEASUREMENTS + 2 * 26  # three of each sphere
Reference = list[dict[str, Any]]


@pytest.fixture(scope="module")
def published_samples(reference: Path) -> Reference:
    return json.loads((reference / "reference" / "campaign.json").read_text())["samples"]


def test_the_demo_holds_every_sample_value_and_spectrum(demo: Project):
    assert demo.samples.count() == 129
    assert Value.objects.filter(origin="published").count() == len(load().values)
    assert Value.objects.filter(origin="simulated", property="plqy").count() == 87
    counted = Counter(Measurement.objects.filter(project=demo).values_list("technique", flat=True))
    assert counted == {"pl": 90 + HALIDES + ENDURANCE, "plqy": 26 + 1, "trpl": 9 + 1, "uvvis": 8}
    assert not Measurement.objects.exclude(origin="simulated").exists()


def test_the_quantum_yield_map_is_complete_and_its_summit_published(demo: Project):
    yields = Value.objects.filter(property="plqy", sample__code__regex=r"^NC-\d{3}-\d{3}$")
    assert yields.count() == 90
    best = yields.order_by("-value")[0]
    assert (best.sample.code, best.value, best.origin) == ("NC-050-275", 0.813, "published")
    assert best.publication.doi == "10.1038/s41467-023-43247-6"
    assert "Fig. 2a" in best.place


def test_factors_follow_from_the_published_recipes(demo: Project, published_samples: Reference):
    rows = {s.code: s for s in demo.samples.select_related("factors")}
    for theirs in published_samples:
        factors = rows[theirs["id"]].factors
        if theirs["loading_mass_fraction"] is not None:
            assert factors.loading_mass_fraction == pytest.approx(theirs["loading_mass_fraction"]), theirs[
                "id"
            ]
        assert factors.sintering_temperature_c == theirs["sintering_T_C"], theirs["id"]
        if theirs["quench"]:
            assert factors.quench_medium == QUENCHES[theirs["quench"]], theirs["id"]
    assert rows["NC-050-275"].factors.ball_to_powder_ratio == pytest.approx(80)
    assert rows["NC-050-275"].factors.milling_duration_min == 60
    assert rows["NC-250-275"].factors.loading_mole_fraction == pytest.approx(0.0854, abs=5e-5)
    assert rows["SC-250-275-CsPbCl3"].factors.halide == "Cl"


def test_an_unknown_milling_time_stays_unknown(demo: Project):
    assert demo.samples.get(code="SC-250-275-MILL").factors.milling_duration_min is None


def test_steps_of_a_composite_are_typed_rows(demo: Project):
    steps = steps_of(demo.samples.get(code="NC-050-275").preparation)
    assert [str(step) for step in steps] == ["sinter 275 °C", "quench in liquid nitrogen"]
    assert steps[0].inferred == ["ramp_c_per_min", "hold_min"]


def test_the_demo_asks_for_the_urbach_tails_that_no_upload_asks_for(demo: Project):
    asked = Run.objects.filter(method__in=["pl_tail", "urbach_absorbance"])
    assert Counter(asked.values_list("method", flat=True)) == {"pl_tail": 27, "urbach_absorbance": 7}
    for run_ in asked.filter(measurement__sample__code__in=["NC-250-275", "SC-250-275"]):
        execute(run_.pk)
    assert Value.objects.filter(property="pl_urbach_energy", current=True).exists()
    assert Value.objects.filter(property="urbach_energy", current=True).exists()


def test_the_array_states_the_power_of_its_laser_so_that_its_brightness_compares(demo: Project):
    scan = Measurement.objects.get(sample__code="NC-250-275", conditions__has_key="laser_power")
    if scan.status != Measurement.Status.READ:
        read_measurement(scan)
        scan.refresh_from_db()
    execute(request_run(scan, "pl_descriptors")[0].pk)
    (value,) = Value.objects.filter(measurement=scan, property="pl_brightness", current=True)
    assert value.value > 0


def test_loading_twice_duplicates_nothing(demo: Project):
    before = (Sample.objects.count(), Value.objects.count(), RawFile.objects.count(), User.objects.count())
    loading.load_demo()
    after = (Sample.objects.count(), Value.objects.count(), RawFile.objects.count(), User.objects.count())
    assert after == before


def test_the_login_of_the_demo_works_and_its_password_is_for_its_owner_only(demo: Project):
    user = User.objects.get(username="demo", is_active=True)
    assert user.check_password(loading.password())
    assert not user.is_staff
    assert demo.memberships.get(user__username="demo").get_role_display() == "Manager"
    assert (loading.marker().parent / "demo_password").stat().st_mode & 0o777 == 0o600


def test_the_printed_login_works_after_its_file_was_lost(demo: Project):
    loading.password_file().unlink()
    printed = run().strip().rpartition(" ")[2]
    assert User.objects.get(username="demo").check_password(printed)


@pytest.mark.parametrize("code", ["NC-250-300", "NC-010-150"])
def test_a_simulated_spectrum_takes_the_road_of_any_other_file(demo: Project, code: str):
    measurement = Measurement.objects.get(sample__code=code, technique="pl")
    read_measurement(measurement)
    measurement.refresh_from_db()
    assert measurement.status == "read", measurement.error
    run_, _ = request_run(measurement, "pl_gaussians")
    execute(run_.pk)
    run_.refresh_from_db()
    assert run_.status == "done", run_.message
    value = run_.values.get(property="pl_peak_center", component="I")
    assert value.origin == "simulated"
    truth = forward.planted_line(measurement.sample.factors.loading_mass_fraction, float(code[-3:]))
    assert value.value == pytest.approx(truth.center_nm[0], abs=5 * value.sigma)


def test_removing_leaves_other_projects_and_their_bytes_untouched(
    demo: Project, composite: Sample, alice: User
):
    name, content = spectrum_file("NC-050-275", 0.05, 275)
    mine = receive(
        user=alice, files=[Incoming(name, BytesIO(content))], sample_code=composite.code, technique="pl"
    ).measurement
    shared = mine.files.get().blob
    others = Blob.objects.exclude(pk=shared.pk).filter(files__isnull=False).values_list("sha256", flat=True)
    paths = [store().path(sha256) for sha256 in others]
    assert len(paths) == FILES - 1

    assert "removed" in run("--remove", "--yes")

    assert list(Project.objects.values_list("slug", flat=True)) == ["glass"]
    assert list(Sample.objects.values_list("code", flat=True)) == ["VT-GLASS"]
    assert list(Measurement.objects.values_list("pk", flat=True)) == [mine.pk]
    assert not Value.objects.exists()
    assert not Publication.objects.exists()
    assert not Instrument.objects.exists()
    assert list(User.objects.values_list("username", flat=True)) == ["alice"]
    assert store().verify(shared.sha256)
    assert not any(path.exists() for path in paths)
    composite.refresh_from_db()
    assert composite.factors.loading_mass_fraction == 0.25


def test_removing_takes_runs_datasets_and_curves_along(demo: Project):
    measurement = Measurement.objects.get(sample__code="NC-250-300", technique="pl")
    read_measurement(measurement)
    run_, _ = request_run(measurement, "pl_gaussians")
    execute(run_.pk)
    assert Value.objects.filter(run=run_).exists()
    run("--remove", "--yes")
    assert not Run.objects.exists()
    assert not Blob.objects.exists()
    assert not [path for path in store().root.rglob("*") if path.is_file()]


def test_removing_takes_along_what_people_did_to_its_samples_and_leaves_shared_bytes(
    demo: Project, composite: Sample, alice: User
):
    sample = demo.samples.filter(planned=False, preparation__isnull=False).earliest("pk")
    demonstrator = demo.memberships.earliest("pk").user
    for subject in (
        Subject(sample=sample),
        Subject(preparation=sample.preparation),
        Subject(sample=composite),
    ):
        attach(user=demonstrator, subject=subject, name="photo.png", stream=BytesIO(b"shared"))
    attach(user=demonstrator, subject=Subject(sample=sample), name="own.txt", stream=BytesIO(b"own"))
    expose(user=demonstrator, sample=sample, kind="heat", started_at=timezone.now())
    stock.recount(sample, 0.1, "weighed again", demonstrator)
    room = Location.objects.create(project=demo, name="Lab", kind="room")
    box = Location.objects.create(project=demo, name="Box 1", kind="box", parent=room)
    stock.put(sample, box, demonstrator)
    run("--remove", "--yes")
    assert list(Project.objects.values_list("slug", flat=True)) == ["glass"]
    kept = Attachment.objects.get()
    assert store().verify(kept.blob.sha256)
    assert Blob.objects.count() == 1


def test_removing_takes_rules_decisions_and_batches_along(demo: Project):
    user = User.objects.get(username=sending.USERNAME)
    sample = demo.samples.order_by("pk").first()
    assert sample is not None
    save_rule(InboxRule(project=demo, pattern="{sample}_*.txt"), user)
    content = b"Wavelength (nm)\tCounts\n" + b"".join(b"%d\t%d\n" % (x, x % 7) for x in range(550, 650))
    receive(user=user, files=[Incoming(f"{sample.code}_1.txt", BytesIO(content))], project=demo)
    assert Decision.objects.filter(rule__isnull=False).count() == 1
    upload = store().begin()
    upload.write(f"sample,file\n{sample.code},a.txt\n".encode())
    batch = batches.open_batch(user=user, project=demo, name="plan.csv", upload=upload)
    sent = store().begin()
    sent.write(content + b"650\t1\n")
    batches.add_file(batch, "a.txt", sent)
    batches.commit(batch, user)
    run("--remove", "--yes")
    assert not Batch.objects.exists()
    assert not Decision.objects.exists()
    assert not InboxRule.objects.exists()
    assert not Blob.objects.exists()


def test_removing_asks_first(demo: Project, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(CommandError, match="--yes"):
        run("--remove")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    asked: list[str] = []

    def no(question: str) -> str:
        asked.append(question)
        return "n"

    monkeypatch.setattr("builtins.input", no)
    with pytest.raises(CommandError, match="Nothing was removed"):
        run("--remove")
    assert "129 samples with 144 measurements" in asked[0]
    assert demo.samples.count() == 129


def test_the_array_uploaded_as_raw_files_shows_the_published_maxima_in_the_views(demo: Project):
    """Rows 0.01, 0.25 and 0.85 are brightest at 300, 275 and 225 °C, all of them and what is next to it at
    (0.25, 275 °C), and the quantum yield from three raw spectra is 81.3 % at (0.05, 275 °C). The other
    cells are as far below as the forward model says (test_demo_forward)."""
    user = User.objects.get(username="demo")
    rows = Q(technique="pl", sample__code__regex=r"^NC-((010|250|850)-\d{3}|(100|400)-2(50|75))$")
    summit = Q(technique="plqy", sample__code__regex=r"^NC-(050-(250|275|300)|(010|100)-275)$")
    methods = {"pl": "pl_descriptors", "plqy": "plqy"}
    for measurement in Measurement.objects.filter(rows | summit).exclude(files__filename__endswith=".nxs"):
        read_measurement(measurement)
        measurement.refresh_from_db()
        run_, _ = request_run(measurement, methods[measurement.technique])
        execute(run_.pk)
    figure = figures.Figure(
        title="-",
        takes="view",
        reads=("pl_integrated_intensity", "plqy"),
        factors=("loading_mass_fraction", "sintering_temperature_c"),
    )
    view = gather(user, figure, explore.Filters(projects=("demo",)))

    def brightest(readings: list[figures.Reading], loading: float | None = None) -> tuple[float, float]:
        def place(reading: figures.Reading) -> tuple[float, float]:
            factors = view.subjects[reading.subject].factors
            return factors["loading_mass_fraction"], factors["sintering_temperature_c"]  # type: ignore[return-value]

        return place(max((r for r in readings if loading in (None, place(r)[0])), key=lambda r: r.value))

    intensities = view.values("pl_integrated_intensity")
    assert len(intensities) == 31
    assert {x: brightest(intensities, x)[1] for x in (0.01, 0.25, 0.85)} == {0.01: 300, 0.25: 275, 0.85: 225}
    assert brightest(intensities) == (0.25, 275)
    yields = [reading for reading in view.values("plqy") if reading.origin == "simulated"]
    assert brightest(yields) == (0.05, 275)
    best = max(yields, key=lambda reading: reading.value)
    assert best.value == pytest.approx(0.813, abs=3 * best.sigma)
    assert 0 < best.sigma < 0.005
