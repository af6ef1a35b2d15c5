"""CIF and pymatgen's JSON: structures against gemmi and pymatgen, powder patterns as pdCIF writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from measurements import readers
from measurements.data import Dataset, ReadError
from measurements.readers import HEAD_BYTES, cif
from tests.measurements.readers.expected import readings_of
from tests.measurements.readers.mutations import offences

Reading = Callable[[str], list[Dataset]]
CELL = {name: f"cell_{name}" for name in ("a", "b", "c", "alpha", "beta", "gamma")}
STRUCTURES = (
    "cod_9004112", "coudert_ZIF-4_Lewis2009", "coudert_ZIF-8_Lewis2009", "coudert_ZIF-zni_Lewis2009",
    "dara_NiO_225_sym",
)  # fmt: skip

STRUCTURE = """data_CsCl
_cell_length_a 4.123(2)
_cell_length_b 4.123(2)
_cell_length_c 4.123(2)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P m -3 m'
_diffrn_ambient_temperature 100(2)
_publ_section_comment
;
Two lines
of text
;
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Cs1 Cs 0 0 0
Cl1 Cl 0.5123(12) .5 1/2
Cl2 Cl 0.5123(12) .5 0.25
"""
RANGE = """data_range
_pd_meas_2theta_range_min 10.0
_pd_meas_2theta_range_max 10.2
_pd_meas_2theta_range_inc 0.1
loop_
_diffrn_radiation_wavelength
_diffrn_radiation_wavelength_wt
1.5406 1
1.5444 0.5
loop_
_pd_meas_counts_total
_pd_calc_intensity_total
100 101.5
121 120.5
? .
"""
NEUTRON = """data_neutron
_diffrn_radiation_probe neutron
_diffrn_radiation_wavelength 1.494
loop_
_pd_data.point_id
_pd_meas.2theta_scan
_pd_meas.intensity_total
_pd_meas.intensity_total_su
1 10.0 100 10
2 10.5 121 11
"""


@pytest.fixture
def read(tmp_path: Path) -> Reading:
    def read_text(text: str) -> list[Dataset]:
        path = tmp_path / "file"
        path.write_text(text)
        found = readers.recognise(path.read_bytes()[:HEAD_BYTES], "file")
        assert found is not None
        assert found.key == "cif"
        return readers.read(found, path)

    return read_text


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_agree_with_gemmi(reference: Path, name: str) -> None:
    datasets = readers.read(readers.get("cif"), reference / "instrument_files" / "cif" / f"{name}.cif")
    (reading,) = [r for r in readings_of(reference)[f"cif/{name}.cif"] if r["reader"].startswith("gemmi")]
    conditions = datasets[0].conditions
    assert {key: conditions[ours].value for key, ours in CELL.items()} == {key: reading[key] for key in CELL}
    assert conditions["space_group"].value == reading["hm"]
    assert datasets[0].signal.values.shape == (reading["n_sites"], 3)
    assert all(dataset.technique == "structure" for dataset in datasets)


def test_pymatgens_json_agrees_with_pymatgen(reference: Path) -> None:
    path = reference / "instrument_files" / "cif" / "smact_mp-540839_CsPbI3_delta.json"
    found = readers.recognise(path.read_bytes()[:HEAD_BYTES], path.name)
    assert found is not None
    assert found.key == "pymatgen_json"
    datasets = readers.read(found, path)
    reading = readings_of(reference)[f"cif/{path.name}"][0]
    assert datasets[0].conditions["composition"].value == reading["formula"]
    assert datasets[0].conditions["cell_c"].value == reading["c"]
    assert len(datasets[0].signal.values) == reading["nsites"]


def test_uncertainties_in_parentheses_and_sites_without_a_place(read: Reading) -> None:
    (dataset,) = read(STRUCTURE)
    np.testing.assert_array_equal(dataset.signal.values, [[0, 0, 0], [0.5123, 0.5, 0.25]])
    assert dataset.signal.errors is not None
    assert dataset.signal.errors[1, 0] == pytest.approx(0.0012)
    assert np.isnan(dataset.signal.errors[0, 0])
    assert dataset.header["sites without a place"] == "Cl1"
    assert dataset.header["_publ_section_comment"].split("\n")[1:] == ["Two lines", "of text"]
    assert dataset.conditions["cell_a"].value == 4.123
    assert dataset.conditions["temperature"].value == pytest.approx(-173.15)


def test_a_powder_pattern_by_its_range_has_both_wavelengths_and_the_calculated_curve(read: Reading) -> None:
    measured, calculated = read(RANGE)
    np.testing.assert_allclose(measured.axes[0].values, [10, 10.1, 10.2])
    np.testing.assert_array_equal(measured.signal.values, [100, 121, np.nan])
    assert measured.signal.unit == "counts"
    assert calculated.title == "_pd_calc_intensity_total"
    assert measured.conditions["xray_wavelength"].value == 1.5406
    assert measured.conditions["kalpha2_ratio"].value == 0.5
    assert measured.technique == "xrd"


def test_a_neutron_pattern_has_errors_and_is_not_taken_for_x_rays(read: Reading) -> None:
    (dataset,) = read(NEUTRON)
    assert dataset.signal.errors is not None
    np.testing.assert_array_equal(dataset.signal.errors, [10, 11])
    assert "xray_wavelength" not in dataset.conditions
    assert dataset.header["_diffrn_radiation_wavelength"] == "1.494"
    assert dataset.technique == ""


def test_the_pattern_of_a_real_pdcif_is_whole(reference: Path) -> None:
    path = reference / "instrument_files" / "xrd" / "easydiff_hrpt.cif"
    (dataset,) = readers.read(readers.get("cif"), path)
    assert dataset.signal.values.size == 3098
    assert (dataset.axes[0].values[0], dataset.axes[0].values[-1]) == (10.0, 164.85)
    assert dataset.signal.values[-1] == 109
    assert dataset.signal.errors is not None
    assert dataset.signal.errors[-1] == 41.2


def test_angles_go_before_d_spacings_that_were_calculated_from_them(read: Reading) -> None:
    measured, *_ = read(RANGE.replace("_pd_calc_intensity_total", "_pd_proc_d_spacing").replace("? .", "? 1"))
    assert measured.axes[0].name == "2θ"


def test_a_refined_structure_comes_with_its_pattern_as_gsas_writes_them(read: Reading) -> None:
    """After COD 1517474: uncertainties in whole numbers, names that are only “ ?”."""
    loop = "loop_\n_pd_meas_intensity_total\n_pd_proc_ls_weight\n_pd_calc_intensity_total\n"
    rows = "5540(160) 0.0 833.\n579(34) 0.000865 .\n1029(66) 0.0 754.\n"
    text = RANGE.split("loop_")[0] + "_chemical_name_systematic ' ?'\n" + loop + rows
    both = text + STRUCTURE.replace("data_CsCl\n", "")
    measured, weight, _, sites = read(both)
    np.testing.assert_array_equal(measured.signal.values, [5540, 579, 1029])
    assert measured.signal.errors is not None
    np.testing.assert_array_equal(measured.signal.errors, [160, 34, 66])
    assert weight.signal.values[1] == 0.000865
    assert sites.technique == "structure"
    assert "sample_name" not in sites.conditions


def test_several_blocks_are_told_apart(read: Reading) -> None:
    titles = [dataset.title for dataset in read(STRUCTURE + RANGE)]
    assert titles == ["CsCl", "range", "range, _pd_calc_intensity_total"]


def test_a_cif_without_sites_or_pattern_says_so(read: Reading) -> None:
    with pytest.raises(ReadError, match="neither atom sites"):
        read("data_x\n_cell_length_a 5\n")


def test_jcamp_and_vamas_are_not_cif() -> None:
    assert not cif.recognises(b"##TITLE= x\n##XYDATA=\n", "a.jdx")
    assert not cif.recognises(b"data of today\n1 2\n3 4\n", "a.txt")


@pytest.mark.parametrize("text", [STRUCTURE, RANGE, NEUTRON])
def test_mutilated_files_are_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    assert not list(offences(readers.get("cif"), path))


def test_mutilated_json_is_read_or_refused(tmp_path: Path) -> None:
    site = {"species": [{"element": "Cs", "occu": 1}], "abc": [0, 0, 0.5], "label": "Cs"}
    lattice = {"a": 4.1, "b": 4.1, "c": 4.1, "alpha": 90, "beta": 90, "gamma": 90}
    path = tmp_path / "file"
    structure = {"@module": "pymatgen.core.structure", "lattice": lattice, "sites": [site]}
    path.write_text(json.dumps(structure, indent=1))
    assert readers.read(readers.get("pymatgen_json"), path)
    assert not list(offences(readers.get("pymatgen_json"), path))
