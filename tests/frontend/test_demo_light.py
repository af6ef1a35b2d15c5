"""The simulated light of the demo, through the readers and methods that real files go through."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from analysis import methods
from analysis.methods import Dataset
from frontend.demo import files, forward, light
from frontend.demo.files import File
from measurements import readers


def read(file: File, folder: Path) -> Dataset:
    path = folder / file[0]
    path.write_bytes(file[1])
    reader = readers.recognise(file[1][:65536], file[0])
    assert reader is not None
    (dataset,) = readers.read(reader, path)
    return dataset


def found(method: str, datasets: Mapping[str, Dataset]) -> dict[tuple[str, str], tuple[float, float]]:
    loaded = methods.get(method)
    outcome = loaded.run(datasets, loaded.Params())
    return {(value.property, value.component): (value.value, value.sigma) for value in outcome.values}


@pytest.mark.parametrize(("loading", "temperature_c"), [(0.05, 275), (0.25, 275), (0.25, 325), (0.85, 275)])
def test_three_spectra_of_the_sphere_hold_the_planted_quantum_yield(
    tmp_path: Path, loading: float, temperature_c: float
) -> None:
    sent = files.sphere_files("X", loading, temperature_c)
    datasets = {role: read(file, tmp_path) for role, file in sent.items()}
    datasets["sphere"] = read(files.sphere_calibration_file(), tmp_path)
    value, sigma = found("plqy", datasets)["plqy", ""]
    assert value == pytest.approx(forward.expected_plqy(loading, temperature_c), abs=4 * sigma)
    assert sigma < 0.01 * value


def test_the_highest_quantum_yield_is_the_published_one() -> None:
    assert forward.expected_plqy(0.05, 275) == 0.813


def test_without_the_calibration_of_the_sphere_the_yield_is_another(tmp_path: Path) -> None:
    sent = files.sphere_files("X", 0.05, 275)
    value, _ = found("plqy", {role: read(file, tmp_path) for role, file in sent.items()})["plqy", ""]
    assert value < 0.75


@pytest.mark.parametrize(
    ("temperature_c", "quench"), [(175, "liquid_nitrogen"), (350, "liquid_nitrogen"), (275, "slow")]
)
def test_a_decay_holds_the_planted_lifetime(tmp_path: Path, temperature_c: float, quench: str) -> None:
    datasets = {
        "sample": read(files.decay_file("X", 0.25, temperature_c, quench), tmp_path),
        "irf": read(files.response_file(), tmp_path),
    }
    value, sigma = found("trpl", datasets)["trpl_tau_amp", ""]
    assert value == pytest.approx(light.lifetime_ns(temperature_c, quench), abs=4 * sigma)


def test_lifetimes_rise_with_sintering_and_with_a_faster_quench() -> None:
    temperatures = (175.0, 200.0, 250.0, 300.0, 350.0)
    assert all(np.diff([light.lifetime_ns(t, "liquid_nitrogen") for t in temperatures]) > 0)
    assert light.lifetime_ns(275, "slow") < light.lifetime_ns(275, "liquid_nitrogen")


@pytest.mark.parametrize(("temperature_c", "edges"), [(175, 2), (200, 1), (350, 1)])
def test_there_are_two_absorption_edges_at_175_degrees_and_one_above(
    tmp_path: Path, temperature_c: float, edges: int
) -> None:
    values = found("uvvis_edge", {"sample": read(files.absorption_file("X", 0.25, temperature_c), tmp_path)})
    assert values["absorption_edge_number", ""][0] == edges
    component = "gamma" if edges == 2 else ""
    value, sigma = values["band_edge_inflection", component]
    assert value == pytest.approx(light.gamma_edge_nm(temperature_c), abs=5 * sigma)


def test_a_series_states_the_light_it_was_under(tmp_path: Path) -> None:
    dataset = read(files.endurance_file(light.UNDER_LASER, 0.25, 275), tmp_path)
    assert [axis.unit for axis in dataset.axes] == ["s", "nm"]
    assert dataset.conditions["irradiance"].value == 57
    assert dataset.axes[0].values[-1] == 5000
    total = dataset.signal.values.sum(axis=1)
    assert total[-1] / total[0] == pytest.approx(light.UNDER_LASER.remaining, abs=0.01)


@pytest.mark.parametrize("code", light.HALIDES)
def test_each_halide_shines_where_it_was_planted(tmp_path: Path, code: str) -> None:
    values = found("pl_descriptors", {"sample": read(files.halide_file(code), tmp_path)})
    assert values["pl_max_position", ""][0] == pytest.approx(light.HALIDES[code][0], abs=1)


@pytest.mark.parametrize("make", [files.sphere_calibration_file, files.response_file])
def test_every_file_says_that_it_is_simulated_and_is_the_same_each_time(make: object) -> None:
    assert callable(make)
    assert b"SIMULATED" in make()[1]
    assert make() == make()


def test_a_series_is_the_same_bytes_each_time() -> None:
    assert files.endurance_file(light.UNDER_LASER, 0.25, 275) == files.endurance_file(
        light.UNDER_LASER, 0.25, 275
    )
