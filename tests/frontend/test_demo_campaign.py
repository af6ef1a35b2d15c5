"""The demo's data file against the reference campaign: sample by sample, step by step, value by value."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from analysis import properties
from frontend.demo.campaign import ValueData, load
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


def test_every_published_value_fits_a_registered_property():
    for value in load().values:
        declared = properties.get(value.property)
        assert value.unit == declared.unit
        assert value.component in (declared.components or ("",))
