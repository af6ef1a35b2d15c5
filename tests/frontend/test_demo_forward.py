"""What the demo invents: it honours what is published, and its planted truth can be found again."""

import math

import numpy as np
import pytest

from analysis import methods
from frontend.demo import forward
from frontend.demo.campaign import load
from frontend.demo.files import spectrum_file
from measurements.data import Axis, Dataset, Signal


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
