from __future__ import annotations

import numpy as np
import pytest

from measurements.data import Array, Axis, Dataset, Signal
from measurements.overview import CURVE_POINTS, MAP_SIDE, extremes, overview, packed, unpacked


def dataset(values: Array, *names: str) -> Dataset:
    axes = tuple(
        Axis(name, "nm" if place else "°C", np.linspace(0, 1, size))
        for place, (name, size) in enumerate(zip(names, values.shape, strict=True))
    )
    return Dataset(Signal("y", "counts", values), axes)


def test_a_peak_of_one_point_in_a_million_is_kept_with_its_place() -> None:
    y = np.random.default_rng(1).normal(size=1_000_000)
    y[654_321] = 99
    shown = overview(dataset(y, "x"))
    assert shown is not None
    assert shown.values.size <= CURVE_POINTS
    assert shown.coordinates[0][shown.values.argmax()] == np.linspace(0, 1, y.size)[654_321]


@pytest.mark.parametrize("size", [1, 2, 399, 400, 401, 799, 800, 801, 1234, 10_007])
def test_extremes_are_those_of_a_slow_search(size: int) -> None:
    y = np.random.default_rng(size).normal(size=size)
    y[::7] = np.nan
    kept = extremes(y, 400)
    assert kept.size <= 400
    assert np.all(np.diff(kept) > 0)
    if size > 400 and np.isfinite(y).any():
        length = -(-size // 200)
        for start in range(0, size, length):
            piece = y[start : start + length]
            if np.isfinite(piece).any():
                inside = set(kept[(kept >= start) & (kept < start + length)] - start)
                assert inside == {int(np.nanargmin(piece)), int(np.nanargmax(piece))}


def test_a_large_map_is_averaged_to_blocks_that_keep_its_mean() -> None:
    values = np.random.default_rng(2).normal(size=(800, 1200))
    shown = overview(dataset(values, "Temperature", "2θ"))
    assert shown is not None
    assert shown.values.shape == (MAP_SIDE, MAP_SIDE)
    assert shown.values[0, 0] == pytest.approx(values[:2, :3].mean())
    assert shown.values.mean() == pytest.approx(values.mean())


def test_a_picture_keeps_its_proportions() -> None:
    numbers = np.random.default_rng(9).normal(size=(768, 1024))
    pixels = tuple(
        Axis(name, "nm", 5.58 * np.arange(size)) for name, size in zip("yx", numbers.shape, strict=True)
    )
    shown = overview(Dataset(Signal("Intensity", "1", numbers), pixels))
    assert shown is not None
    assert shown.values.shape == (384, 512)
    rows, columns = (np.diff(each) for each in shown.coordinates)
    np.testing.assert_allclose(rows, 2 * 5.58)
    np.testing.assert_allclose(columns, 2 * 5.58)
    assert shown.values[0, 0] == pytest.approx(numbers[:2, :2].mean())


def test_blanks_in_a_block_do_not_blank_the_block() -> None:
    values = np.full((800, 400), 5.0)
    values[0] = np.nan
    values[10:12] = np.nan
    shown = overview(dataset(values, "y", "x"))
    assert shown is not None
    assert shown.values[0, 0] == 5
    assert np.isnan(shown.values[5, 0])


def test_a_spectrum_image_shows_its_map_and_a_stack_its_picture() -> None:
    cube = np.random.default_rng(3).normal(size=(4, 5, 6))
    of_map, of_stack = overview(dataset(cube, "y", "x", "Energy")), overview(dataset(cube, "Tilt", "y", "x"))
    assert of_map is not None
    assert of_stack is not None
    assert (of_map.axes, of_stack.axes) == ((0, 1), (1, 2))
    np.testing.assert_allclose(of_map.values, cube.mean(axis=2))
    np.testing.assert_allclose(of_stack.values, cube.mean(axis=0))


@pytest.mark.parametrize("shape", [(50_000,), (7, 9)])
def test_an_overview_survives_its_packing(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(4).normal(size=shape)
    made = overview(dataset(values, *"yx"[: len(shape)]))
    assert made is not None
    back = unpacked(packed(made))
    assert back.axes == made.axes
    for ours, theirs in zip(back.coordinates, made.coordinates, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(back.values, made.values.astype(np.float32))
