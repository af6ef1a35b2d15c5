"""The colour views: chips of the halides, and the diagram with its locus, gamuts and samples."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.numerics import colour, gamuts
from frontend import figures
from frontend.demo import light
from frontend.figures import Line, Quantity, Reading, Subject, View
from tests.frontend.views_by_hand import column, decoded

HALIDES, DIAGRAM = figures.get("view_halides"), figures.get("view_chromaticity")
NAMES = ("CsPbCl3", "CsPbClBr2", "CsPbBr3", "CsPbBrI2", "CsPbI3")
NM, COUNTS = Quantity("wavelength", "Wavelength", "nm"), Quantity("intensity", "Intensity", "counts")


def series(names=NAMES, with_colours=True) -> View:
    """One demo spectrum a perovskite with its colour, as the loader would give them."""
    subjects, lines, readings = [], [], []
    for place, (name, code) in enumerate(zip(names, light.HALIDES, strict=False)):
        counts = light.halide_counts(code)
        subjects.append(
            Subject(code, f"({name})0.25(agZIF-62)0.75", {"perovskite": name, "halide": name[5:]})
        )
        lines.append(Line(place, place + 1, "data", light.HALIDE_NM, counts, NM, COUNTS))
        xy = colour.chromaticity(colour.tristimulus(light.HALIDE_NM, (counts - 60) / light.HALIDE_NM))
        if with_colours:
            readings += [
                Reading(place, key, "", float(value), 1e-4, "measured")
                for key, value in zip(("cie_x", "cie_y"), xy, strict=True)
            ]
    return View(subjects, readings, lines, {})


def traces(drawing, meta):
    return [trace for trace in drawing.data if trace.get("meta") == meta]


def test_each_perovskite_is_drawn_once_to_its_maximum_by_wavelength():
    drawing = HALIDES.draw(series(), {})
    spectra = traces(drawing, "spectrum")
    assert [trace["name"] for trace in spectra] == list(NAMES)
    for trace in spectra:
        assert decoded(trace["y"]).max() == pytest.approx(1.0, abs=0.04)
    assert "5 perovskites" in drawing.summary
    assert np.nanmax(column(drawing, "CIE x")) == pytest.approx(0.727, abs=0.01)


def test_chips_have_the_colour_of_the_light():
    (chips,) = traces(HALIDES.draw(series(), {}), "chips")
    blue, red = chips["marker"]["color"][0], chips["marker"]["color"][-1]
    assert int(blue[5:], 16) == 255
    assert int(red[1:3], 16) == 255
    assert red[3:] == "0000"


def test_a_halide_without_a_colour_is_grey_and_said_so():
    drawing = HALIDES.draw(series(with_colours=False), {})
    assert not decoded(traces(drawing, "chips")[0]["x"]).size
    assert any("No colour is known of CsPbCl3" in note for note in drawing.notes)


def test_of_many_spectra_of_one_perovskite_the_usual_recipe_stands_for_it():
    view = series(("CsPbI3",))
    usual = {"loading_mass_fraction": 0.25, "sintering_temperature_c": 275.0}
    view = View(
        [
            Subject("VT-A", "", {"perovskite": "CsPbI3"}),
            Subject("VT-B", "", {"perovskite": "CsPbI3"} | usual),
        ],
        view.readings,
        [view.lines[0], Line(1, 1, "data", light.HALIDE_NM, view.lines[0].y + 5, NM, COUNTS)],
        {},
    )
    drawing = HALIDES.draw(view, {"height": "absolute"})
    assert decoded(traces(drawing, "spectrum")[0]["y"]).min() == view.lines[1].y.min()
    assert any("1 more spectrum" in note for note in drawing.notes)


def test_spectra_of_unknown_perovskites_are_counted_and_without_any_the_view_says_so():
    view = series(("CsPbI3",))
    nameless = View([Subject("VT-A", "", {})], [], view.lines, {})
    drawing = HALIDES.draw(nameless, {})
    assert "whose perovskite is known" in drawing.empty
    assert any("1 spectrum is" in note for note in drawing.notes)
    assert HALIDES.draw(View([], [], [], {}), {}).empty


def test_the_diagram_holds_locus_whites_three_gamuts_and_the_samples():
    drawing = DIAGRAM.draw(series(), {})
    (locus,) = traces(drawing, "locus")
    y = decoded(locus["y"])
    assert y.max() == pytest.approx(0.8338, abs=5e-4)  # 520 nm
    assert [trace["name"] for trace in traces(drawing, "gamut")] == [
        "sRGB",
        "NTSC",
        "Rec. 2020",
        "gamut of these, measured",
    ]
    red = decoded(traces(drawing, "gamut")[0]["x"]).max()
    assert red == pytest.approx(0.64)
    (samples,) = traces(drawing, "samples")
    assert decoded(samples["x"]) == pytest.approx([r.value for r in series().values("cie_x")])
    assert [len(found.values) for found in drawing.table] == [5] * len(drawing.table)


def test_the_gamut_of_the_samples_is_told_against_the_standards():
    drawing = DIAGRAM.draw(series(), {})
    corners = gamuts.hull(
        [(x.value, y.value) for x, y in zip(*(series().values(k) for k in ("cie_x", "cie_y")), strict=True)]
    )
    share = 100 * gamuts.area(corners) / 0.1582
    assert f"{share:.0f} % of NTSC in area" in drawing.summary
    assert share > 120


def test_u_and_v_are_those_of_1976():
    drawing = DIAGRAM.draw(series(), {"space": "uv", "gamut": "none"})
    (samples,) = traces(drawing, "samples")
    assert decoded(samples["x"]) == pytest.approx(column(drawing, "u′"))
    x, y = column(drawing, "x")[0], column(drawing, "y")[0]
    assert column(drawing, "v′")[0] == pytest.approx(9 * y / (-2 * x + 12 * y + 3))
    assert [trace["name"] for trace in traces(drawing, "gamut")] == ["gamut of these, measured"]
    assert drawing.layout["xaxis"]["title"]["text"] == "CIE 1976 u′"


def test_two_samples_span_no_gamut_and_none_is_an_empty_diagram():
    assert any("Three samples" in note for note in DIAGRAM.draw(series(NAMES[:2]), {}).notes)
    assert DIAGRAM.draw(View([], [], [], {}), {}).empty == "No sample has a colour yet."


def test_coordinates_that_are_no_colour_are_left_out():
    half = [Reading(0, "cie_x", "", 0.4, 0.1, "measured"), Reading(0, "cie_y", "", np.nan, 0.1, "measured")]
    view = View([Subject("VT-A", "")], half, [], {})
    assert DIAGRAM.draw(view, {}).empty


def test_origins_keep_their_marks():
    view = series()
    published = [
        Reading(0, "cie_x", "", 0.3, 0.01, "published"),
        Reading(0, "cie_y", "", 0.3, 0.01, "published"),
    ]
    drawing = DIAGRAM.draw(View(view.subjects, [*view.readings, *published], [], {}), {})
    assert len(traces(drawing, "gamut")) == 4  # no polygon over two origins
    symbols = [trace["marker"]["symbol"] for trace in traces(drawing, "samples")]
    assert symbols == ["circle", "diamond-open"]
