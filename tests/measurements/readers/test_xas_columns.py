"""Beamline columns: real files of many beamlines against xraylarch, other habits in lines written here."""

from pathlib import Path

import numpy as np
import pytest

from measurements.data import Dataset, ReadError
from measurements.readers import xas_columns
from tests.measurements.readers.expected import disagreements, readings_of
from tests.measurements.readers.mutations import mutations

XDAC = """XDAC V1.4 Datafile version 1
"CuO.001" created on 5/4/09 at 1:23:45 PM on X-18B
Diffraction element= Ge (220) Ring energy= 2.50 GeV
E0= 8979.00
-------------------------------------------------------------------------------
   Energy           I0           It
   8779.0000   1000.0   500.0
   8780.0000   1001.0   501.0
   8781.0000   1002.0   502.0
"""
FEFF = """ Cu crystal                            Feff 6L.02
 -----------------------------------------------------------------------
   2  12.000   2.5478    2.8203   -3.82035 nleg, deg, reff, rnrmav(bohr), edge
        x         y         z   pot at#
     0.0000    0.0000    0.0000  0  29 Cu       absorbing atom
    k   real[2*phc]   mag[feff]  phase[feff] red factor   lambda      real[p]@#
  0.000  3.8257E+00  0.0000E+00 -5.7890E+00  1.054E+00  1.1791E+01  1.8076E+00
  0.100  3.8249E+00  7.9190E-02 -6.4370E+00  1.054E+00  1.1822E+01  1.8105E+00
  0.200  3.8227E+00  1.4620E-01 -7.0350E+00  1.053E+00  1.1920E+01  1.8189E+00
"""


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file"
    path.write_text(text)
    return path


def ends(datasets: list[Dataset]) -> list[tuple[float, float]]:
    arrays = [d.signal.values for d in datasets] + [datasets[0].axes[0].values]
    return sorted((float(array[0]), float(array[-1])) for array in arrays)


@pytest.mark.parametrize("name", ["APS10BM_2019", "APS12BM_2019", "APS20ID_2018", "SSRL1_2006"])
def test_beamline_files_agree_with_xraylarch_column_by_column(reference: Path, name: str) -> None:
    path = reference / "instrument_files" / "xas" / f"{name}.dat"
    assert xas_columns.recognises(path.read_bytes()[:65536], "any") == 0.9
    (reading,) = readings_of(reference)[f"xas/{name}.dat"]
    datasets = xas_columns.read(path)
    energy = datasets[0].axes[0]
    place = reading["energy_column"] - 1
    assert (energy.name, energy.unit) == ("Energy", reading["energy_units"])
    assert energy.values[0] == reading["first_row"][place]
    assert all(d.signal.values.size == reading["shape"][1] for d in datasets)
    rows = zip(reading["first_row"], reading["last_row"], strict=True)
    ours = ends(datasets)
    assert len(ours) in (reading["shape"][0], len(reading["labels"]))
    assert set(rows) <= set(ours) or sorted(rows) == ours


@pytest.mark.parametrize(
    "name",
    [
        "larch_cu_10k.xmu",
        "larch_cu_50k.xmu",
        "larch_fe2o3_rt1.xmu",
        "larch_cu.chi",
        "kmc2_NiOx_Co_merged.dat",
    ],
)
def test_other_files_agree_with_an_independent_reading(reference: Path, name: str) -> None:
    path = reference / "instrument_files" / "xas" / name
    assert xas_columns.recognises(path.read_bytes()[:65536], "any") == 0.9
    assert disagreements(xas_columns.read(path), readings_of(reference)[f"xas/{name}"]) == []


def test_fine_structure_is_over_k_and_absorption_over_the_energy(reference: Path) -> None:
    folder = reference / "instrument_files" / "xas"
    (chi,), (mu,) = xas_columns.read(folder / "larch_cu.chi"), xas_columns.read(folder / "larch_cu_10k.xmu")
    assert (chi.axes[0].name, chi.axes[0].unit) == ("k", "Å⁻¹")
    assert (mu.axes[0].name, mu.axes[0].unit) == ("Energy", "eV")
    assert mu.conditions["element"].value == "Cu"
    assert mu.conditions["temperature"].value == pytest.approx(-263.15)


def test_the_many_detectors_of_kmc3_keep_their_names_and_units(reference: Path) -> None:
    path = reference / "instrument_files" / "xas" / "kmc3_new_header.0003"
    datasets = xas_columns.read(path)
    table = np.loadtxt(path)
    assert len(datasets) == table.shape[1] - 1
    assert np.array_equal(datasets[0].axes[0].values, table[:, 1])
    assert (datasets[0].signal.name, datasets[0].signal.unit) == ("I0", "A")
    assert np.array_equal(datasets[0].signal.values, table[:, 2])
    assert {"fluo", "fluo (2)", "fluo (13)"} <= {d.title for d in datasets}


def test_xdac_names_its_columns_below_a_rule(tmp_path: Path) -> None:
    assert xas_columns.recognises(XDAC.encode(), "any") == 0.9
    i0, transmitted = xas_columns.read(saved(tmp_path, XDAC))
    assert (i0.signal.name, transmitted.signal.name) == ("I0", "It")
    assert list(transmitted.signal.values) == [500, 501, 502]
    assert i0.conditions["monochromator"].value == "Ge (220)"


def test_the_columns_of_feff_are_a_computation(tmp_path: Path) -> None:
    assert xas_columns.recognises(FEFF.encode(), "feff0001.dat") == 0.9
    datasets = xas_columns.read(saved(tmp_path, FEFF))
    assert [d.signal.name for d in datasets] == [
        "real[2*phc]", "mag[feff]", "phase[feff]", "reduction", "lambda", "real[p]@#"
    ]  # fmt: skip
    assert {d.technique for d in datasets} == {"computation"}
    assert list(datasets[0].axes[0].values) == [0, 0.1, 0.2]


@pytest.mark.parametrize(
    "text", ["Energy (eV)  PL intensity\n1 2\n2 3\n3 4\n", "words only\n", "1 2\n3 4\n5 6\n"]
)
def test_columns_that_are_no_absorption_scan_are_left_to_others(text: str) -> None:
    assert not xas_columns.recognises(text.encode(), "any.dat")


def test_a_bad_row_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="Line 10: expected 3 numbers, found 2"):
        xas_columns.read(saved(tmp_path, XDAC + "   8782.0000   1003.0\n"))


def test_mutilated_files_are_read_or_refused_and_nothing_else(tmp_path: Path) -> None:
    for whole in (XDAC, FEFF):
        for _, content in mutations(whole.encode(), seed=3):
            path = tmp_path / "file"
            path.write_bytes(content)
            try:
                xas_columns.recognises(content, "any")
                assert xas_columns.read(path)
            except ReadError:
                continue
