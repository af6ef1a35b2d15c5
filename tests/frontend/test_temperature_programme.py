"""The drawing of a temperature programme: is it to scale, and does it say where it is not?"""

from __future__ import annotations

import pytest

from frontend.drawings.temperature_programme import Box, Log, Quench, Segment, draw, lay_out, parts, sentence

BOX = Box(left=0, top=0, width=600, height=100)


def width(line):
    return line.x1 - line.x0


def test_widths_are_proportional_to_minutes():
    pieces = parts([Segment(275, ramp_c_per_min=25, hold_min=30), Segment(25, ramp_c_per_min=10, hold_min=0)])
    assert [p.duration_min for p in pieces] == [10, 30, 25]
    drawn = lay_out(pieces, BOX)
    per_min = [width(line) / line.part.duration_min for line in drawn.lines]
    assert per_min == pytest.approx([600 / 65] * 3)
    assert drawn.lines[-1].x1 == pytest.approx(600)
    assert drawn.to_scale


def test_heights_are_proportional_to_temperature():
    drawn = lay_out(parts([Segment(275, 25, 30)]), BOX)
    ticks = dict(drawn.temperature_ticks)
    ramp = drawn.lines[0]
    per_degree = (ticks[0] - ticks[100]) / 100
    assert ramp.y0 - ramp.y1 == pytest.approx(250 * per_degree)
    assert min(ticks) <= 25
    assert max(ticks) >= 275


def test_a_ramp_is_a_magnitude_and_goes_down_as_well():
    up, down = parts([Segment(300, 20, 0), Segment(100, 5, 0)])
    assert (up.from_c, up.to_c) == (25, 300)
    assert (down.from_c, down.to_c, down.duration_min) == (300, 100, 40)


def test_a_hold_of_zero_minutes_is_a_turning_point_and_an_unknown_hold_is_not():
    assert [p.kind for p in parts([Segment(275, 20, 0)])] == ["ramp"]
    unknown = parts([Segment(275, 20, None)])
    assert [p.kind for p in unknown] == ["ramp", "hold"]
    assert unknown[1].duration_min is None


def test_behind_a_part_of_unknown_duration_no_clock_is_known():
    pieces = parts([Segment(200, None, 10), Segment(300, 20, 5)])
    assert pieces[0].start_min == 0
    assert all(piece.start_min is None for piece in pieces[1:])
    drawn = lay_out(pieces, BOX)
    assert not drawn.to_scale
    assert drawn.time_ticks == []
    known = [line for line in drawn.lines if line.part.duration_min is not None]
    assert len({round(width(line) / line.part.duration_min, 6) for line in known}) == 1


def test_what_is_not_recorded_is_said_and_dashed():
    svg = draw([Segment(275, None, None)])
    assert svg.count('class="ramp unknown"') == svg.count('class="hold unknown"') == 1
    assert "rate not recorded" in svg
    assert "hold not recorded" in svg
    assert "where recorded" in svg
    assert "not recorded" not in draw([Segment(275, 20, 30)])


def test_many_unknown_parts_stay_inside_the_box():
    drawn = lay_out(parts([Segment(100 + 20 * n, None, None) for n in range(12)]), BOX)
    assert drawn.lines[-1].x1 <= 600 + 1e-6
    mixed = lay_out(parts([Segment(100 + 20 * n, None, 10) for n in range(12)]), BOX)
    assert mixed.lines[-1].x1 == pytest.approx(600)


def test_the_quench_begins_where_the_furnace_ends():
    pieces = parts([Segment(275, 20, 10)], Quench("Liquid nitrogen", rate_c_per_min=500))
    assert (pieces[-1].kind, pieces[-1].from_c, pieces[-1].duration_min) == ("quench", 275, 0.5)
    assert pieces[-1].start_min == pytest.approx(22.5)


def test_time_ticks_stand_at_their_minute():
    drawn = lay_out(parts([Segment(275, 25, 50)]), BOX)
    assert [minutes for minutes, _ in drawn.time_ticks] == [0, 10, 20, 30, 40, 50, 60]
    assert dict(drawn.time_ticks)[30] == pytest.approx(300)


def test_the_programme_is_read_aloud():
    words = sentence([Segment(275, 20, 0), Segment(100, None, None)], Quench("Water"))
    assert words.replace("\u202f", " ") == (
        "to 275 °C (20 °C min⁻¹), hold 0 min; to 100 °C (rate not recorded), hold not recorded; "
        "then quench: water (rate not recorded)"
    )


def test_words_from_a_recipe_cannot_become_markup():
    svg = draw([Segment(275, 20, 10)], Quench('<script>"'))
    assert "<script>" not in svg


def test_no_segments_no_drawing():
    assert draw([]) == ""


@pytest.mark.parametrize("target_c", [-196.0, 25.0, 3000.0])
def test_extreme_temperatures_fit(target_c):
    drawn = lay_out(parts([Segment(target_c, 20, 10)], Quench("Air")), BOX)
    for line in drawn.lines:
        assert min(line.y0, line.y1) >= -1e-6
        assert max(line.y0, line.y1) <= 100 + 1e-6


def test_a_log_lies_over_the_programme_on_the_same_clock() -> None:
    log = Log([0.0, 12.5, 20.0], [25.0, 281.0, 281.0])
    programme = lay_out(parts([Segment(275, 20, 5)]), log=log)
    box = programme.box
    assert programme.known_min == 20.0  # the log is the longer of the two
    assert programme.logged[0][0] == box.left
    assert programme.logged[-1][0] == pytest.approx(box.right)
    top_of_ramp = programme.lines[0].x1
    assert programme.logged[1][0] == pytest.approx(top_of_ramp)
    assert programme.logged[1][1] < programme.lines[0].y1  # hotter than set, so higher up
    svg = draw([Segment(275, 20, 5)], log=log)
    assert 'class="logged"' in svg
    assert "logged 281\u202f°C at most" in svg


def test_without_a_clock_no_log_is_drawn() -> None:
    log = Log([0.0, 12.5], [25.0, 281.0])
    assert "logged" not in draw([Segment(275)], log=log)
