"""Steps of the wall clock are noticed once each, and the passing of time is none."""

from __future__ import annotations

from hmar.clocks import STEP_S, ClockSteps

DAY_S = 86_400.0


def test_a_step_is_seen_once_in_either_direction() -> None:
    wall, steady = [1000.0], [5.0]
    steps = ClockSteps(lambda: wall[0], lambda: steady[0])
    assert not steps.seen()
    wall[0] += 60
    steady[0] += 60
    assert not steps.seen()
    wall[0] += DAY_S
    assert steps.seen()
    assert not steps.seen()
    wall[0] -= 2 * DAY_S
    assert steps.seen()
    assert not steps.seen()


def test_a_clock_that_is_steered_slowly_makes_no_step() -> None:
    wall, steady = [1000.0], [5.0]
    steps = ClockSteps(lambda: wall[0], lambda: steady[0])
    for _ in range(10):
        wall[0] += 15 + STEP_S / 2
        steady[0] += 15
        assert not steps.seen()
