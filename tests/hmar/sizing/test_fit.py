"""A line goes through what was measured, holds all of it in its interval, and is a guess beyond."""

from __future__ import annotations

import pytest

from hmar.sizing.fit import LEAST_ERROR, Interval, Line, Point


def test_a_figure_of_frames_and_windows_is_told_apart() -> None:
    points = [
        Point(f, f * w, 1000.0 * f + 20.0 * f * w) for f, w in ((10_000, 650), (50_000, 650), (10**6, 40))
    ]
    line = Line.through(points)
    assert line.per_frame == pytest.approx(1000)
    assert line.per_window == pytest.approx(20)
    assert line.error == LEAST_ERROR
    assert line.at(300_000, 300_000 * 200).value == pytest.approx(300_000 * 5000)


def test_one_archive_tells_how_it_grows_with_windows() -> None:
    line = Line.through([Point(1000, 650_000, 13.0)])
    assert line.at(2000, 1_300_000).value == pytest.approx(26)


def test_archives_of_equally_many_windows_a_frame_are_enough() -> None:
    line = Line.through([Point(100, 1000, 2.0), Point(200, 2000, 4.0)])
    assert line.at(400, 4000).value == pytest.approx(8)


@pytest.mark.parametrize(
    "points",
    [
        [Point(10, 100, 5.0), Point(100, 4000, 9.0)],  # grows more slowly than windows
        [Point(10, 4000, 5.0), Point(100, 100, 90.0)],  # falls with windows
    ],
)
def test_no_part_of_a_figure_shrinks_an_archive(points: list[Point]) -> None:
    line = Line.through(points)
    assert line.per_frame >= 0
    assert line.per_window >= 0


def test_the_interval_holds_every_point() -> None:
    points = [Point(0, 170_000_000, 302.0), Point(0, 170_000_000, 151.0), Point(0, 195_000_000, 357.0)]
    line = Line.through(points)
    for point in points:
        found = line.at(point.frames, point.windows)
        assert found.low <= point.value * (1 + 1e-9)
        assert found.high >= point.value * (1 - 1e-9)


def test_beyond_what_was_measured_the_interval_grows_and_is_named() -> None:
    line = Line.through([Point(0, 1000, 10.0)])
    within, beyond = line.at(0, 1000), line.at(0, 100_000)
    assert not within.extrapolated
    assert beyond.extrapolated
    assert beyond.beyond == 100
    assert beyond.high / beyond.value > within.high / within.value
    assert beyond.to_dict() == {"value": 1000.0, "low": 625.0, "high": 1600.0, "extrapolated": True}


def test_frames_alone_may_be_beyond_what_was_measured() -> None:
    line = Line.through([Point(1000, 650_000, 13.0)])
    assert line.at(20_000, 600_000).beyond == 20


@pytest.mark.parametrize("points", [[], [Point(1, 0, 1.0)], [Point(1, 1, 0.0)]])
def test_no_line_goes_through_nothing(points: list[Point]) -> None:
    with pytest.raises(ValueError, match="no line"):
        Line.through(points)


def test_intervals_add_up_and_change_their_unit() -> None:
    total = Interval(2, 1, 4, 0.5).plus(Interval(10, 9, 12, 3.0)).times(0.5)
    assert total == Interval(6, 5, 8, 3.0)
