"""Photostability (D-16) and endurance (D-17): series that the method analysed, times that people entered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis import methods
from frontend import figures
from frontend.figures import Drawing, Line, Quantity, Reading, Subject, View
from measurements.data import Axis, Dataset, Signal
from measurements.data import Quantity as Condition
from tests.frontend.views_by_hand import column, decoded

X_NM = np.arange(640.0, 740.0)
WAVELENGTH, COUNTS = Quantity("wavelength", "wavelength", "nm"), Quantity("intensity", "intensity", "counts")
CONDITIONS: dict[str, dict[str, Condition]] = {
    "laser": {"irradiance": Condition(57.0, "mW/cm²")},
    "water": {"solvent": Condition("water")},
}


def series(left: Any, hours: Any, conditions: dict[str, Condition], shift_nm: float) -> Dataset:
    centre = 690 + shift_nm * hours / hours[-1]
    y = 50 + 1000 * left[:, None] * np.exp(-0.5 * ((X_NM - centre[:, None]) / 12) ** 2)
    y += np.random.default_rng(4).normal(0, 3, y.shape)
    axes = (Axis("time", "h", hours), Axis("wavelength", "nm", X_NM))
    return Dataset(Signal("intensity", "counts", y), axes, conditions=conditions)


def lines_of(subject: int, measurement: int, dataset: Dataset, *, frames: bool = True) -> list[Line]:
    """The spectra as the loader gives them, and the curves of a real run."""
    method = methods.get("photostability")
    outcome = method.run({"sample": dataset}, method.Params())
    told = {key: said.value for key, said in dataset.conditions.items()}
    time = Quantity("time", "time", "h")
    lines = [
        Line(subject, measurement, curve.name, curve.x, curve.y, time,
             Quantity(curve.y_name, curve.y_name, curve.y_unit), conditions=told)
        for curve in outcome.curves
    ]  # fmt: skip
    if frames:
        lines += [
            Line(subject, measurement, "data", X_NM, y, WAVELENGTH, COUNTS, conditions=told,
                 series=float(hour), series_is=time)
            for hour, y in zip(dataset.axes[0].values, dataset.signal.values, strict=True)
        ]  # fmt: skip
    return lines


def view(*, frames: bool = True) -> View:
    hours, long = np.linspace(0, 5000 / 3600, 60), np.linspace(0, 10_000, 60)
    laser = series(1 - 0.1 * hours / hours[-1], hours, CONDITIONS["laser"], 0.8)
    water = series(1 - 0.05 * long / long[-1], long, CONDITIONS["water"], 0.0)
    readings = [
        Reading(0, "stability_laser", "", 5000.0, 40.0, "measured"),
        Reading(0, "pl_retention", "light", 0.9, 0.004, "measured"),
        Reading(2, "stability_water", "", 10_000.0, float("nan"), "published", source="doi:10.1126/x"),
        Reading(2, "stability_ambient", "", 650.0, float("nan"), "published", source="doi:10.1126/x"),
        Reading(2, "stability_laser", "", 5000.0, float("nan"), "published", comparator=">"),
    ]
    subjects = [Subject("VT-0", ""), Subject("VT-1", ""), Subject("VT-2", "")]
    lines = [*lines_of(0, 10, laser, frames=frames), *lines_of(1, 11, water, frames=frames)]
    return View(subjects, readings, lines, {})


def test_the_map_is_what_its_run_read_however_many_other_spectra_there_are() -> None:
    """Of all PL only the newest hundred are drawn, and a series is soon not among them."""
    curves = figures.get("view_photostability").figure.curves
    assert all(each.method for each in curves)
    assert "data" in next(each for each in curves if each.method == "photostability").names


def drawn(kind: str, given: View, **options: str) -> Drawing:
    return figures.get(kind).draw(given, options)


def meant(drawing: Drawing, meta: str) -> list[dict[str, Any]]:
    return [trace for trace in drawing.data if trace.get("meta") == meta]


def test_the_map_is_over_wavelength_and_time_relative_to_the_first_maximum() -> None:
    (heat,) = meant(drawn("view_photostability", view()), "map")
    z = decoded(heat["z"])
    assert z.shape == (X_NM.size, 60)
    assert z[:, 0].max() == pytest.approx(1)
    assert z[:, -1].max() == pytest.approx(0.905, abs=0.01)
    assert decoded(heat["x"])[[0, -1]] == pytest.approx([0, 5000 / 3600])


def test_along_the_dose_5000_seconds_of_57_milliwatt_are_285_joule() -> None:
    drawing = drawn("view_photostability", view(), along="dose")
    (dots,) = meant(drawing, "retention")
    assert decoded(dots["x"])[-1] == pytest.approx(285.0)
    assert drawing.layout["xaxis"]["title"]["text"] == "Light dose (J cm⁻²)"
    assert np.nanmax(column(drawing, "light dose")) == pytest.approx(285.0)


def test_a_series_without_irradiance_has_no_dose_and_other_media_their_own_drawing() -> None:
    drawing = drawn("view_photostability", view(), along="dose", medium="water")
    assert drawing.notes == ["1 series is left out: the irradiance is not recorded."]
    assert drawing.empty.endswith("There are some under: light.")
    (dots,) = meant(drawn("view_photostability", view(), medium="water"), "retention")
    assert decoded(dots["x"])[-1] == pytest.approx(10_000)


def test_retention_and_shift_are_those_of_the_run() -> None:
    drawing = drawn("view_photostability", view())
    (fit,) = meant(drawing, "fit")
    assert decoded(fit["y"])[-1] == pytest.approx(90, abs=0.5)
    shift = decoded(meant(drawing, "shift")[0]["y"])
    assert shift[-5:].mean() == pytest.approx(0.8, abs=0.1)
    assert "VT-0: 90" in drawing.summary
    assert "peak moved by 0.7" in drawing.summary


def test_without_spectra_there_is_no_map_and_it_is_said() -> None:
    drawing = drawn("view_photostability", view(frames=False))
    assert not meant(drawing, "map")
    assert any("There is no map" in note for note in drawing.notes)
    assert len(meant(drawing, "retention")) == 1


def test_each_medium_has_a_panel_with_a_logarithmic_time() -> None:
    drawing = drawn("view_immersion", view())
    headings = [note["text"] for note in drawing.layout["annotations"]]
    assert headings == ["<b>Water</b>", "<b>Air</b>", "<b>Laser light</b>"]
    assert [drawing.layout[name]["type"] for name in ("xaxis", "xaxis2", "xaxis3")] == ["log"] * 3
    series_in_water, series_in_light = meant(drawing, "series")
    assert (series_in_water["xaxis"], series_in_light["xaxis"]) == ("x", "x3")
    assert decoded(series_in_water["x"]).min() > 0


def test_an_endurance_stands_at_its_hours_with_its_sigma_and_origin() -> None:
    marks = {(m["name"], m["xaxis"]): m for m in meant(drawn("view_immersion", view()), "endurance")}
    published = marks["VT-2", "x"]
    assert (published["x"], published["y"]) == ([10_000.0], [95.0])
    assert published["marker"]["symbol"] == "diamond-open"
    assert not published["error_x"]["visible"]
    assert "10 000\u202fh" in published["hovertext"][0].replace("\u202f000", " 000")
    measured = marks["VT-0", "x3"]
    assert measured["x"] == pytest.approx([5000 / 3600])
    assert measured["error_x"]["array"] == pytest.approx([40 / 3600])
    assert (measured["y"], measured["error_y"]["array"]) == (
        pytest.approx([90.0]),
        pytest.approx([0.4]),
    )
    assert marks["VT-2", "x2"]["x"] == pytest.approx([650 * 24])
    assert marks["VT-2", "x3"]["text"] == [">"]


def test_endurances_of_a_thousand_samples_are_as_many_traces_as_media_and_origins() -> None:
    subjects = [Subject(f"VT-{place}", "") for place in range(1000)]
    readings = [
        Reading(place, key, "", 10.0 + place, 1.0, "published" if place % 2 else "measured")
        for place in range(1000)
        for key in ("stability_water", "stability_ambient")
    ]
    marks = meant(drawn("view_immersion", View(subjects, readings, [], {})), "endurance")
    assert len(marks) == 4
    assert sorted(len(mark["x"]) for mark in marks) == [150] * 4
    first = marks[0]
    assert [float(x) for x in first["x"][:2]] == [1009.0, 1007.0]
    assert first["samples"][:2] == ["VT-999", "VT-997"]
    assert "VT-997" in first["hovertext"][1]
    notes = drawn("view_immersion", View(subjects, readings, [], {})).notes
    assert any(note.startswith("Water: the longest 300 of 1000 times are drawn") for note in notes)


def test_times_of_which_nobody_said_what_was_left_are_counted_in_a_note() -> None:
    assert (
        "3 times are drawn at 95 %: how much was left then is not recorded."
        in drawn("view_immersion", view()).notes
    )


def test_an_infinite_endurance_is_left_out() -> None:
    given = view()
    readings = [*given.readings, Reading(1, "stability_water", "", float("inf"), 1.0, "published")]
    drawing = drawn("view_immersion", View(given.subjects, readings, given.lines, {}))
    assert len(meant(drawing, "endurance")) == len(meant(drawn("view_immersion", given), "endurance"))


@pytest.mark.parametrize("kind", ["view_photostability", "view_immersion"])
def test_with_nothing_to_draw_it_says_so(kind: str) -> None:
    nothing = drawn(kind, View([Subject("VT-0", "")], [], [], {}))
    assert nothing.empty.endswith(".")
    assert figures.get(kind).figure.needs.endswith(".")


def test_solvents_beside_water_have_panels_of_their_own_while_they_are_few() -> None:
    hours = np.linspace(0, 100, 20)
    lines = []
    for place, solvent in enumerate(("hexane", "ethanol", "hexane", "hexane")):
        told = {"solvent": Condition(solvent)}
        lines += lines_of(0, place, series(1 - 0.001 * hours, hours, told, 0.0), frames=False)
    given = View([Subject("VT-A", "", {})], [], lines, {})
    assert [note["text"] for note in drawn("view_immersion", given).layout["annotations"]] == [
        "<b>Ethanol</b>",
        "<b>Hexane</b>",
    ]
    many = [replace(line, conditions={"solvent": f"oil {n}"}) for n, line in enumerate(lines)]
    (heading,) = drawn("view_immersion", replace(given, lines=many)).layout["annotations"]
    assert heading["text"] == "<b>Elsewhere</b>"


def test_the_legend_of_photostability_tells_what_is_left_and_after_how_long() -> None:
    (dots,) = meant(drawn("view_photostability", view()), "retention")
    code, told = dots["name"].split(": ")
    left, after = told.split(" % after ")
    assert code == "VT-0"
    assert float(left) == pytest.approx(90, abs=0.5)
    assert after == "1.39 h"
