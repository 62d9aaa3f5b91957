"""The benchmark of the page: what its rows mean, and one small run in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.page import Sizes, motion, run_page, times
from hmar.config import Settings
from hmar.errors import ParameterError
from tests.require import require_command

MOTIONS = {
    "scroll, 30 steps a second": 6,
    "scroll, one step a redraw": 6,
    "window drag, one change a redraw": 5,
}


def test_a_motion_is_told_by_the_gaps_between_redraws_and_by_what_was_not_drawn() -> None:
    row = motion("scroll", "3 slices", {"gaps_ms": [10.0, 10.0, 20.0], "wanted": [4.0], "skipped": [1.0]})
    assert (row["fps"], row["p50_ms"], row["p95_ms"]) == (75.0, 10.0, 19.0)
    assert (row["wanted"], row["skipped"]) == (4, 1)


def test_times_that_the_page_cannot_take_have_no_row() -> None:
    told = [{"card_ms": [1.0], "judged_ms": []}, {"card_ms": [3.0], "judged_ms": []}]
    row = times("first hit", "2 regions", told, "card_ms")
    assert row is not None
    assert (row["p50_ms"], row["repeats"]) == (2.0, 2)
    assert times("judged", "2 regions", told, "judged_ms") is None


@pytest.mark.parametrize("sizes", [{"slices": 1}, {"changes": 0}, {"searches": 0}])
def test_sizes_that_measure_nothing_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ParameterError):
        Sizes(**sizes)


@pytest.mark.slow
def test_a_small_run_measures_scrolling_windowing_searching_and_memory(tmp_path: Path) -> None:
    require_command("chromium")
    require_command("chromedriver")
    settings = Settings(home=tmp_path, model_dir="thumbnail")
    rows = run_page(settings, None, Sizes(4, 5, 2), gpu=False, progress=lambda *_: None)
    named = {str(row["name"]): row for row in rows}
    for name, wanted in MOTIONS.items():
        assert named[name]["wanted"] == wanted
        assert 0 <= int(str(named[name]["skipped"])) < wanted
        assert float(str(named[name]["p95_ms"])) > 0
    memory = named["memory of the tab"]
    assert memory["frames_mib"] == 4 * 0.5
    assert float(str(memory["held_mib"])) > 10
    assert named["region search, from Enter to first hit"]["repeats"] == 2
    assert {row["surface"] for row in rows} == {"2d"}
