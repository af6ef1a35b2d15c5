"""The demo says what the publications say, and what it invents it says that it invents."""

import json
import math
from collections import defaultdict
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from analysis import methods, properties
from analysis.models import Publication, Run, Value
from analysis.services import execute, request_run
from frontend.demo import forward, loading
from frontend.demo.campaign import ValueData, load
from frontend.demo.files import spectrum_file
from measurements.data import Axis, Dataset, Signal
from measurements.models import Blob, Instrument, Measurement, RawFile
from measurements.services import Incoming, read_measurement, receive
from measurements.store import store
from samples.ancestry import steps_of
from samples.models import Project, Sample, User
from samples.notation import parse

Reference = list[dict[str, Any]]


@pytest.fixture(scope="module")
def published_samples(reference: Path) -> Reference:
    return json.loads((reference / "reference" / "campaign.json").read_text())["samples"]


@pytest.fixture(scope="module")
def documents(reference: Path) -> dict[str, str]:
    """Fact number → document."""
    facts = json.loads((reference / "reference" / "published_facts.json").read_text())["facts"]
    return {fact["id"]: fact["document"] for fact in facts}


# The data file against the reference campaign ---------------------------------------------------------------


def test_every_published_sample_is_there_with_its_notation_state_and_evidence(published_samples: Reference):
    ours = {sample.code: sample for sample in load().samples}
    assert set(ours) == {sample["id"] for sample in published_samples}
    for theirs in published_samples:
        sample = ours[theirs["id"]]
        assert parse(sample.notation) == parse(theirs["notation"]), theirs["id"]
        assert sample.state == theirs["state"], theirs["id"]
        assert sample.evidence == theirs["evidence"]["level"], theirs["id"]
        assert list(sample.where) == theirs["evidence"]["where"], theirs["id"]
        assert sorted(sample.reported) == sorted(theirs["measurements_reported"]), theirs["id"]


def test_every_sample_has_the_published_parents(published_samples: Reference):
    ours = {sample.code: sample for sample in load().samples}
    for theirs in published_samples:
        parents = [i.sample for i in ours[theirs["id"]].ingredients if i.sample]
        assert parents == theirs["parents"], theirs["id"]


def test_materials_have_the_published_formulas(published_samples: Reference):
    campaign = load()
    for theirs in published_samples:
        if theirs.get("formula"):
            material = next(s.material for s in campaign.samples if s.code == theirs["id"])
            assert campaign.materials[material]["formula"] == theirs["formula"], theirs["id"]


QUENCHES = {"cryogenic_LN2": "liquid_nitrogen", "slow": "slow"}
GASES = {"flowing Ar": "Ar, flowing", "Ar until RT": "Ar", "Ar": "Ar"}


def known(cell: Any) -> Any:
    return cell["value"] if isinstance(cell, dict) else cell


def expected_step(operation: str, p: dict[str, Any]) -> dict[str, Any]:
    """A published step in our columns."""
    step: dict[str, Any]
    if operation == "ball_mill":
        step = {"kind": "milling", "rpm": p.get("rpm"), "ball_mass_g": p.get("balls_g")}
        step |= {"duration_min": p["time_h"] * 60 if p.get("time_h") else None}
        step |= {"powder_mass_g": p["powder_mg"] / 1000 if "powder_mg" in p else None}
        step |= {"ball_material": p.get("ball_material"), "mill": p.get("mill")}
    elif operation == "sinter":
        segment = {"target_c": known(p["T_C"]), "ramp_c_per_min": known(p.get("ramp_C_per_min"))}
        segment |= {"hold_min": known(p.get("hold_min")), "gas": GASES.get(p.get("atmosphere", ""))}
        named = {"T_C": "target_c", "ramp_C_per_min": "ramp_c_per_min", "hold_min": "hold_min"}
        inferred = [ours for theirs, ours in named.items() if isinstance(p.get(theirs), dict)]
        step = {"kind": "sintering", "segments": [segment], "inferred": sorted(inferred) or None}
        step |= {"equipment": p.get("equipment")}
    elif operation == "quench":
        step = {"kind": "quench", "medium": QUENCHES[p["mode"]], "gas": GASES.get(p.get("atmosphere", ""))}
    elif operation == "dissolve":
        step = {"kind": "dissolving", "solvent": p["solvent"], "volume_ml": p["volume_mL"]}
    elif operation == "heat_oven":
        step = {"kind": "solvothermal", "temperature_c": p["T_C"], "duration_min": p["time_d"] * 1440}
    elif operation == "centrifuge_wash":
        step = {"kind": "washing", "solvent": p["solvent"], "cycles": p["cycles"]}
    elif operation == "dry":
        step = {"kind": "drying", "temperature_c": p["T_C"], "notes": p["time"]}
    elif operation == "ramp":
        step = {"kind": "melting", "temperature_c": p["to_T_C"], "gas": GASES[p["atmosphere"]]}
        step |= {"equipment": p["equipment"]}
    else:
        step = {"kind": {"store": "storing", "melt_quench": "melting", "mix": "mixing"}[operation]}
    return {name: value for name, value in step.items() if value is not None}


def test_every_published_recipe_step_is_there_with_its_numbers(published_samples: Reference):
    campaign = load()
    for theirs in published_samples:
        sample = next(s for s in campaign.samples if s.code == theirs["id"])
        ours = list(campaign.recipes[sample.recipe].steps) if sample.recipe else []
        operations = [
            (step["operation"], step["parameters"])
            for step in theirs["recipe_steps"]
            if step["operation"] not in ("weigh", "hold")
        ]
        assert len(ours) == len(operations), theirs["id"]
        for step, (operation, parameters) in zip(ours, operations, strict=True):
            expected = expected_step(operation, parameters)
            if step["kind"] == "sintering":
                step = {**step, "inferred": sorted(step.get("inferred", [])) or None}
                segment = {**expected["segments"][0]}
                segment = {name: value for name, value in segment.items() if value is not None}
                expected = {**expected, "segments": [segment]}
            for name, value in expected.items():
                assert step[name] == value, (theirs["id"], step, name)


def test_every_published_weighing_is_there_in_grams(published_samples: Reference):
    for theirs in published_samples:
        sample = next(s for s in load().samples if s.code == theirs["id"])
        weighed = [s["parameters"] for s in theirs["recipe_steps"] if s["operation"] == "weigh"]
        expected = [p.get("mass_g") or p["mass_mg"] / 1000 for p in weighed]
        ours = [i.mass_g for i in sample.ingredients if i.mass_g is not None]
        assert ours == pytest.approx(expected), theirs["id"]
        for parameters, ingredient in zip(weighed, sample.ingredients, strict=False):
            named = parameters.get("parent") or parameters["reagent"].replace(" (hydration unstated)", "")
            said = ingredient.sample or ingredient.material.replace("zinc nitrate", "Zn(NO3)2")
            assert said.startswith(named), theirs["id"]


# property in the reference → ours, and the factor that brings its number into our unit
SAME = {
    "plqy_percent": ("plqy", "", 0.01),
    "pl_intensity_rel": ("pl_intensity_rel", "", 1),
    "pl_is_row_maximum": ("pl_row_maximum", "", 1),
    "pl_peak_nm": ("pl_max_position", "", 1),
    "pl_fwhm_nm": ("pl_fwhm", "", 1),
    "n_absorption_edges": ("absorption_edge_number", "", 1),
    "phase_gamma_wt_percent_of_crystalline": ("phase_fraction", "gamma", 0.01),
    "phase_delta_wt_percent_of_crystalline": ("phase_fraction", "delta", 0.01),
    "phase_gamma_wt_percent_of_sample": ("phase_fraction_of_sample", "gamma", 0.01),
    "phase_delta_wt_percent_of_sample": ("phase_fraction_of_sample", "delta", 0.01),
    "dominant_phase": ("dominant_phase", "", 1),
    "rwp_percent": ("rwp", "", 0.01),
    "particle_size_nm": ("particle_size", "", 1),
    "tg_C": ("tg", "", 1),
    "endotherm_onset_C": ("endotherm_onset", "", 1),
    "endotherm_end_C": ("endotherm_end", "", 1),
    "tga_mass_loss_percent": ("tga_mass_loss", "", 0.01),
    "active_phase_onset_heating_C": ("active_phase_onset_heating", "", 1),
    "beta_onset_cooling_C": ("beta_onset_cooling", "", 1),
    "gamma_onset_cooling_C": ("gamma_onset_cooling", "", 1),
    "saxs_coarsening_onset_C": ("saxs_coarsening_onset", "", 1),
    "zn_i_band_cm1": ("zn_i_band", "low high", 1),
    "zn_n_band_cm1": ("zn_n_band", "", 1),
    "zn_i_onset_C": ("zn_i_onset", "", 1),
    "nmr_interfacial_cs_fraction": ("nmr_interfacial_fraction", "", 1),
    "nmr_133cs_shifts_ppm": ("nmr_cs_shift", "delta CsI", 1),
    "iodine_extension_nm": ("iodine_extension", "", 1),
    "cl_peak_nm": ("cl_peak_center", "", 1),
    "cl_peak_spread_nm": ("cl_peak_spread", "", 1),
    "stability_water_h": ("stability_water", "", 1),
    "stability_ambient_d": ("stability_ambient", "", 1),
    "stability_laser_s": ("stability_laser", "", 1),
    "stability_sonication_h": ("stability_sonication", "", 1),
    "pl_gain_vs_pure_x": ("pl_gain_vs_pure", "", 1),
    "cie_x": ("cie_x", "", 1),
    "cie_y": ("cie_y", "", 1),
}
GAUSSIANS = {
    "y0": ("pl_offset", ""),
    "xc1_nm": ("pl_peak_center", "I"),
    "w1_nm": ("pl_peak_width", "I"),
    "A1": ("pl_peak_area", "I"),
    "xc2_nm": ("pl_peak_center", "II"),
    "w2_nm": ("pl_peak_width", "II"),
    "A2": ("pl_peak_area", "II"),
    "reduced_chi2": ("pl_fit_reduced_chi_square", ""),
    "R2": ("pl_fit_r_square", ""),
}
EDGES = {"Pbnm": "abc", "gamma Pnma": "bca", "Pnma": "abc"}


def expected_numbers(name: str, value: Any) -> dict[tuple[str, str], Any]:
    """One published property in our words: (property, component) → number, text or (low, upper)."""
    if name == "pl_two_gaussian":
        return {GAUSSIANS[key]: number for key, number in value.items()}
    if name == "exafs":
        rows = [(row["path"].replace("(doubtful)", ""), row) for row in value]
        return {("exafs_coordination", path): row["CN"] for path, row in rows} | {
            ("exafs_distance", path): row["R_A"] for path, row in rows
        }
    if name == "lattice":
        cells: dict[tuple[str, str], Any] = {}
        for label, cell in value.items():
            phase, setting = label.split("_")
            edges = EDGES.get(f"{phase} {setting}", EDGES[setting])
            cells |= {(f"lattice_{edge}", phase): number for edge, number in zip(edges, cell, strict=True)}
        return cells
    key, components, factor = SAME[name]
    if isinstance(value, bool):
        return {(key, components): "yes" if value else "no"}
    if isinstance(value, str):
        return {(key, components): value}
    if isinstance(value, list) and components:
        return {(key, c): number for c, number in zip(components.split(), value, strict=True)}
    if isinstance(value, list):
        return {(key, ""): (value[0], value[1])}
    return {(key, components.split(" ")[0]): value * factor}


def test_every_published_value_is_there_and_no_other(published_samples: Reference):
    ours: dict[str, dict[tuple[str, str], ValueData]] = defaultdict(dict)
    for value in load().values:
        assert (value.property, value.component) not in ours[value.sample]
        ours[value.sample][value.property, value.component] = value
    stated = 0
    for theirs in published_samples:
        expected: dict[tuple[str, str], Any] = {}
        for name, cell in theirs["properties"].items():
            if cell is None:
                continue
            stated += 1
            numbers = expected_numbers(name, cell["value"])
            expected |= numbers
            for subject in numbers:
                value = ours[theirs["id"]][subject]
                assert value.comparator == cell.get("comparator", "="), (theirs["id"], name)
                assert value.inferred == cell["inferred"], (theirs["id"], name)
                if name in SAME and cell["uncertainty"] is not None:
                    assert value.sigma == pytest.approx(cell["uncertainty"] * SAME[name][2])
                if cell.get("note") and name != "nmr_133cs_shifts_ppm":
                    assert value.note == cell["note"]
            if cell["fact_id"]:
                assert cell["fact_id"] in {ours[theirs["id"]][s].fact for s in numbers}, (theirs["id"], name)
        assert set(ours[theirs["id"]]) == set(expected), theirs["id"]
        for subject, number in expected.items():
            value = ours[theirs["id"]][subject]
            said = value.text or (value.value if value.upper is None else (value.value, value.upper))
            same = said == number if isinstance(number, str) else said == pytest.approx(number, rel=1e-12)
            assert same, (theirs["id"], subject)
    assert stated == 92


def test_every_value_cites_the_document_that_its_fact_stands_in(documents: dict[str, str]):
    publications = load().publications
    for value in load().values:
        assert publications[value.source]["doi"].startswith("10.")
        assert value.place
        if value.fact:
            assert documents[value.fact] == value.source, value


def test_the_standard_errors_of_the_published_fit_are_kept():
    sigmas = {
        (v.property, v.component): v.sigma for v in load().values if v.sample == "NC-250-300" and v.sigma
    }
    assert sigmas["pl_peak_center", "I"] == 0.2
    assert sigmas["pl_peak_center", "II"] == 0.97
    assert sigmas["pl_peak_area", "I"] == 3918.98
    assert sigmas["pl_offset", ""] == 9.77


# The forward model ------------------------------------------------------------------------------------------


def test_the_planted_line_is_the_published_one_where_that_is_known():
    line = forward.planted_line(0.25, 300)
    assert line.center_nm == pytest.approx((682.82, 716.94))
    assert line.width_nm == pytest.approx((39.27, 21.78))
    assert line.area[1] / sum(line.area) == pytest.approx(21896.09 / (418305.79 + 21896.09), abs=1e-5)


def test_planted_intensities_have_the_published_maxima():
    array = {(x, t): forward.intensity(x, t) for _, x, t in load().array()}
    best = {x: max((i, t) for (y, t), i in array.items() if y == x)[1] for x, _ in array}
    assert (best[0.01], best[0.25], best[0.85]) == (300, 275, 225)
    by_loading = [best[x] for x in sorted(best)]
    assert by_loading == sorted(by_loading, reverse=True)
    assert max(array, key=lambda point: array[point]) == (0.25, 275)
    assert all(array[x, 350] < 0.5 * array[x, 300] for x in (0.01, 0.05, 0.10, 0.25, 0.40))


def test_simulated_quantum_yields_stay_below_the_published_maximum():
    yields = {(x, t): forward.plqy(x, t) for _, x, t in load().array() if (x, t) != (0.05, 275)}
    assert all(0 < value < 0.813 and sigma > 0 for value, sigma in yields.values())
    assert yields[0.05, 250] == forward.plqy(0.05, 250), "the same every time"


def test_the_planted_lines_are_recovered_within_their_errors():
    method = methods.get("pl_gaussians")
    pulls = []
    for _, loading_, temperature_c in load().array():
        dataset = Dataset(
            signal=Signal("counts", "counts", forward.spectrum(loading_, temperature_c)),
            axes=(Axis("wavelength", "nm", forward.WAVELENGTH_NM),),
        )
        outcome = method.run({"sample": dataset}, method.Params())
        found = {(result.property, result.component): result for result in outcome.values}
        truth = forward.planted_line(loading_, temperature_c)
        if ("pl_peak_center", "II") not in found:
            assert loading_ == 0.01, "only the faintest row hides its second peak"
            assert found["pl_peak_center", "I"].value == pytest.approx(truth.center_nm[0], abs=5)
            continue
        for place, component in enumerate(("I", "II")):
            for name, planted in (
                ("center", truth.center_nm),
                ("width", truth.width_nm),
                ("area", truth.area),
            ):
                result = found[f"pl_peak_{name}", component]
                pulls.append((result.value - planted[place]) / result.sigma)
    assert len(pulls) >= 80 * 6
    assert max(map(abs, pulls)) < 4.5
    assert math.sqrt(np.mean(np.square(pulls))) == pytest.approx(1, abs=0.15)


def test_a_simulated_file_says_that_it_is_simulated():
    name, content = spectrum_file("NC-050-275", 0.05, 275)
    assert "simulated" in name
    assert b"SIMULATED" in content


# In the database --------------------------------------------------------------------------------------------


@pytest.fixture
def data_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def demo(db: None, data_folder: Path) -> Project:
    return loading.load_demo()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def test_the_demo_holds_every_sample_value_and_spectrum(demo: Project):
    assert demo.samples.count() == 129
    assert Value.objects.filter(origin="published").count() == len(load().values)
    assert Value.objects.filter(origin="simulated", property="plqy").count() == 87
    assert Measurement.objects.filter(sample__project=demo, technique="pl", origin="simulated").count() == 90
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


def test_loading_twice_duplicates_nothing(demo: Project):
    before = (Sample.objects.count(), Value.objects.count(), RawFile.objects.count(), User.objects.count())
    loading.load_demo()
    after = (Sample.objects.count(), Value.objects.count(), RawFile.objects.count(), User.objects.count())
    assert after == before


def test_an_interrupted_load_is_completed_by_the_next(
    db: None, data_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    sent: list[str] = []

    def dying(**arguments: Any) -> Any:
        if len(sent) == 5:
            raise KeyboardInterrupt
        sent.append(arguments["sample_code"])
        return receive(**arguments)

    monkeypatch.setattr(loading, "receive", dying)
    with pytest.raises(KeyboardInterrupt):
        loading.load_demo()
    assert not loading.marker().exists()
    monkeypatch.undo()
    loading.load_demo()
    assert Measurement.objects.count() == 90


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
    measurement = Measurement.objects.get(sample__code=code)
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


def test_if_new_does_nothing_once_the_demo_was_here(db: None, data_folder: Path):
    assert "password" in run("--if-new")
    loading.marker().unlink()  # as if its first load had been interrupted
    run("--remove", "--yes")
    assert run("--if-new") == ""
    assert not loading.password_file().exists(), "nobody is offered a login that is gone"
    assert not Project.objects.filter(slug="demo").exists()


def test_without_if_new_a_removed_demo_comes_back(db: None, data_folder: Path):
    loading.marker().touch()
    run()
    assert Project.objects.get(slug="demo").samples.count() == 129


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
    assert len(paths) == 89

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
    measurement = Measurement.objects.get(sample__code="NC-250-300")
    read_measurement(measurement)
    run_, _ = request_run(measurement, "pl_gaussians")
    execute(run_.pk)
    assert Value.objects.filter(run=run_).exists()
    run("--remove", "--yes")
    assert not Run.objects.exists()
    assert not Blob.objects.exists()
    assert not [path for path in store().root.rglob("*") if path.is_file()]


def test_a_project_of_people_at_the_address_demo_is_not_the_demo(alice: User, data_folder: Path):
    theirs = Project.objects.create(name="Our demonstrator", slug="demo")
    with pytest.raises(CommandError, match="not the demo"):
        run("--remove", "--yes")
    with pytest.raises(CommandError, match="not the demo"):
        run()
    theirs.refresh_from_db()


def test_a_person_called_demo_keeps_their_account(db: None, data_folder: Path, project: Project):
    person = User.objects.create_user("demo", password="something of their own")
    project.memberships.create(user=person)
    with pytest.raises(CommandError, match="needs that name"):
        run()
    person.refresh_from_db()
    assert person.check_password("something of their own")
    assert not Sample.objects.filter(code="NC-050-275").exists()


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
    assert "129 samples with 90 measurements" in asked[0]
    assert demo.samples.count() == 129


def test_every_published_value_fits_a_registered_property():
    for value in load().values:
        declared = properties.get(value.property)
        assert value.unit == declared.unit
        assert value.component in (declared.components or ("",))
