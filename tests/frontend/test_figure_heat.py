"""A map travels once: what its table repeats, or shares with the figure, is not sent again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from django.test import RequestFactory

from frontend import figures
from frontend.figures import Map, Quantity
from frontend.plots import sent
from tests.frontend.views_by_hand import decoded

X_IS, Y_IS = Quantity("wavelength", "Wavelength", "nm"), Quantity("time", "Time", "s")
Z_IS = Quantity("counts", "Counts", "counts")


def map_of(rows: int, columns: int) -> Map:
    z = np.random.default_rng(2).poisson(50, (rows, columns)).astype(np.float64) + 1
    return Map(X_IS, Y_IS, Z_IS, np.linspace(600, 700, columns), np.linspace(0, 9, rows), z)


def answer(shown: Map, **options: str) -> bytes:
    drawing = figures.get("heat").draw(shown, options)
    content: bytes = sent(RequestFactory().get("/"), drawing, api="/api/").content
    return content


def test_the_table_of_a_map_holds_a_row_for_each_value() -> None:
    shown = map_of(3, 4)
    y, x, z = (np.asarray(column.values) for column in figures.get("heat").draw(shown, {}).table)
    assert y.tolist() == np.repeat(shown.y, 4).tolist()
    assert x.tolist() == np.tile(shown.x, 3).tolist()
    assert z.tolist() == shown.z.ravel().tolist()


def test_an_answer_is_hardly_larger_than_the_values_that_are_drawn() -> None:
    drawn_bytes = 400 * 500 * 4 * 4 / 3  # single precision, in base64
    assert len(answer(map_of(400, 500))) < 1.05 * drawn_bytes
    assert len(answer(map_of(400, 500), scale="log")) < 2.05 * drawn_bytes


def test_what_is_drawn_as_a_logarithm_stands_in_the_table_as_it_was() -> None:
    shown = map_of(2, 3)
    *_, linear = json.loads(answer(shown))["table"]
    assert linear["values"] == {"drawn": "z"}
    *_, values = json.loads(answer(shown, scale="log"))["table"]
    assert decoded(values["values"]["repeat"]) == pytest.approx(shown.z.ravel())


def test_a_micrograph_is_drawn_from_black_to_white_and_not_as_its_negative() -> None:
    um = Quantity("x", "x", "µm")
    side = np.arange(20.0)
    picture = Map(um, um, Quantity("intensity", "Intensity", ""), side, side, np.add.outer(side, side))
    (drawn,) = figures.get("heat").draw(picture, {}).data
    assert drawn["colorscale"] == "Greys"  # in Plotly.js it begins with black
    assert not drawn.get("reversescale")
