"""A furnace log gives back the programme planted in it: exact ones exactly, noisy ones within noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from measurements import furnace_log
from measurements.data import ReadError
from measurements.readers import delimited_text


def planted(*corners: tuple[float, float], every_min: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Readings of straight lines through (minute, °C) corners."""
    t, c = np.array(corners).T
    minutes = np.arange(0, t[-1] + 1e-9, every_min)
    return minutes, np.interp(minutes, t, c)


HELD = ((0, 25), (12.5, 275), (42.5, 275), (67.5, 25))  # 20 °C/min, 30 min, 10 °C/min


def test_an_exact_programme_with_a_hold_is_found_exactly() -> None:
    log = furnace_log.read(*planted(*HELD))
    assert log.peak_c == pytest.approx(275, abs=1e-9)
    assert log.hold_min == pytest.approx(30, abs=1e-9)
    assert log.ramp_c_per_min == pytest.approx(20, abs=1e-9)
    assert log.cooling_c_per_min == pytest.approx(10, abs=1e-9)
    assert log.near_peak_min == pytest.approx(30 + 5 / 20 + 5 / 10, abs=1e-9)
    assert log.sigma_c == 0
    assert [(round(s.target_c, 9), round(s.ramp_c_per_min or 0, 9)) for s in log.segments] == [
        (275, 20), (25, 10)
    ]  # fmt: skip


def test_25_to_450_at_20_per_minute_takes_21_25_minutes() -> None:
    log = furnace_log.read(*planted((0, 25), (21.25, 450), (42.5, 25), every_min=0.05))
    assert log.minutes[np.argmax(log.temperature_c)] == pytest.approx(21.25)
    assert (log.peak_c - 25) / (log.ramp_c_per_min or 0) == pytest.approx(21.25, abs=1e-9)
    assert log.hold_min == 0


def test_a_turning_point_between_two_readings_is_found_where_the_lines_meet() -> None:
    log = furnace_log.read(*planted((0, 25), (16.25, 350), (32.5, 25), every_min=1.0))
    assert log.highest_c < 346
    assert log.peak_c == pytest.approx(350, abs=1e-9)


def test_two_holds_are_two_segments() -> None:
    log = furnace_log.read(*planted((0, 25), (10, 125), (40, 125), (60, 325), (65, 325), (80, 25)))
    assert [s.target_c for s in log.segments] == pytest.approx([125, 325, 25])
    assert [s.hold_min for s in log.segments] == pytest.approx([30, 5, 0])
    assert [s.ramp_c_per_min for s in log.segments] == pytest.approx([10, 10, 20])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("sigma", [0.3, 1.5])
def test_noise_is_averaged_over_whole_pieces(seed: int, sigma: float) -> None:
    minutes, values = planted(*HELD, every_min=0.1)
    noisy = values + np.random.default_rng(seed).normal(0, sigma, values.size)
    log = furnace_log.read(minutes, noisy)
    assert log.sigma_c == pytest.approx(sigma, rel=0.2)
    assert log.peak_c == pytest.approx(275, abs=sigma / 2)  # one reading may be off by three sigma
    assert log.hold_min == pytest.approx(30, abs=0.5)
    assert log.ramp_c_per_min == pytest.approx(20, rel=0.02)
    assert log.cooling_c_per_min == pytest.approx(10, rel=0.03)


def test_a_quench_gives_its_rate_over_the_first_half_of_the_fall() -> None:
    minutes = np.arange(0, 4, 0.01)
    values = 25 + 250 * np.exp(-minutes / 0.5)  # Newton's cooling
    log = furnace_log.read(minutes, values)
    expected = (0.9 - 0.5) * 250 / (0.5 * np.log(0.9 / 0.5))
    assert log.cooling_c_per_min == pytest.approx(expected, rel=0.03)
    assert log.ramp_c_per_min is None


def test_a_log_that_ends_hot_has_no_cooling_rate() -> None:
    log = furnace_log.read(*planted((0, 25), (12.5, 275), (42.5, 275)))
    assert log.cooling_c_per_min is None
    assert log.hold_min == pytest.approx(30)


@pytest.mark.parametrize("name", ["Time (s)", "Time (min)", "Time (h)"])
def test_the_unit_of_time_is_read_from_its_title(tmp_path: Path, name: str) -> None:
    scale = {"Time (s)": 60, "Time (min)": 1, "Time (h)": 1 / 60}[name]
    minutes, values = planted(*HELD)
    rows = "\n".join(f"{m * scale:.6f}\t{v:.3f}\t{v + 3:.3f}" for m, v in zip(minutes, values, strict=True))
    path = tmp_path / "log.txt"
    path.write_text(f"{name}\tSetpoint (°C)\tTemperature (°C)\n{rows}\n")
    log = furnace_log.from_datasets(delimited_text.read(path))
    assert log.peak_c == pytest.approx(278, abs=0.01)
    assert log.hold_min == pytest.approx(30, abs=0.01)
    assert log.setpoint_c is not None
    assert log.setpoint_c.max() == pytest.approx(275)


@pytest.mark.parametrize(
    ("minutes", "values", "said"),
    [
        ([0, 1], [20, 30], "at least 4"),
        ([0, 1, 1, 2], [20, 30, 40, 50], "reading 3"),
        ([0, 1, 2, 3], [20, 1e9, 40, 50], "not of a furnace"),
        ([np.nan] * 5, [1.0] * 5, "at least 4"),
    ],
)
def test_what_is_no_log_is_refused_with_a_sentence(minutes: list, values: list, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        furnace_log.read(np.array(minutes, dtype=float), np.array(values, dtype=float))


def test_a_thinned_log_keeps_its_highest_reading() -> None:
    log = furnace_log.read(*planted(*HELD, every_min=0.001))
    minutes, values = furnace_log.preview(log)
    assert minutes.size <= 400
    assert values.max() == log.highest_c
    assert np.all(np.diff(minutes) > 0)


def test_a_furnace_that_lags_behind_still_shows_the_ramp_it_was_told() -> None:
    minutes, told = planted(*HELD, every_min=0.1)
    values = np.full_like(told, 25.0)
    for n in range(1, told.size):
        values[n] = values[n - 1] + (told[n - 1] - values[n - 1]) * 0.1 / 1.5  # 1.5 min behind
    log = furnace_log.read(minutes, values + np.random.default_rng(3).normal(0, 0.3, told.size))
    assert log.ramp_c_per_min == pytest.approx(20, rel=0.03)
    assert log.peak_c == pytest.approx(275, abs=1)
    assert len(log.segments) == 2


def test_a_programme_with_two_ramps_keeps_both() -> None:
    log = furnace_log.read(*planted((0, 25), (10, 225), (30, 325), (40, 325)))
    assert [s.target_c for s in log.segments] == pytest.approx([225, 325])
    assert [s.ramp_c_per_min for s in log.segments] == pytest.approx([20, 5])
    assert log.ramp_c_per_min == pytest.approx(5)


def test_two_logs_in_one_file_are_not_taken_for_the_first(tmp_path: Path) -> None:
    rows = "".join(f"{minute}\t{25 + 10 * minute}\n" for minute in range(40))
    path = tmp_path / "log"
    path.write_text(f"Time (min)\tTemperature (°C)\n{rows}second furnace\n{rows}")
    with pytest.raises(ReadError, match="several tables"):
        furnace_log.from_datasets(delimited_text.read(path))
