"""What an archive needs follows from what was measured, and says when one machine is not enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hmar.errors import ConfigError, ParameterError
from hmar.sizing.estimate import estimate
from hmar.sizing.figures import FastScan, Figures, Scan, Source, shipped_figures
from hmar.sizing.fit import Point
from hmar.sizing.wanted import Wanted
from hmar.values.fast import FAST_FROM

MEASURED = Point(100_000, 65_000_000, 0.0)


def of(value: float) -> list[Point]:
    return [MEASURED._replace(value=value)]


FIGURES = Figures(
    constants={
        "windows": (650.0, 500.0, 800.0),
        "processes_mib": (1024.0, 1024.0, 2048.0),
        "indexed_per_core_s": (20.0, 10.0, 30.0),
        "query_ms": (20.0, 10.0, 30.0),
    },
    growing={
        "database_bytes": of(2.0 * (1 << 30)),
        "snapshot_bytes": of(1.0 * (1 << 30)),
        "held_bytes": of(1.5 * (1 << 30)),
        "start_s": of(0.1),
        "rebuild_s": of(60.0),
    },
    scans=[Scan(1, 128, 9, of(200.0)[0]), Scan(2, 128, 9, of(120.0)[0]), Scan(2, 64, 1, of(9.0)[0])],
    fast=[],
    sources=[Source("abc", "a processor, 2 threads", "2026-12-01T00:00:00+00:00")],
)


def test_a_measured_size_gives_what_was_measured() -> None:
    found = estimate(Wanted(100_000, queries_per_s=7.0), FIGURES)
    assert found.database_gib.value == pytest.approx(2)
    assert found.disk_gib.value == pytest.approx(4)  # the database and two snapshots
    assert found.memory_gib.value == pytest.approx(2.5)
    assert found.search_ms.value == pytest.approx(140)
    assert found.cores.value == pytest.approx(7 * 0.26 / 0.7)  # both threads work for 120 ms, one for 20
    assert found.index_h.value == pytest.approx(100_000 / 20 / 2 / 3600)
    assert (found.index_h.low, found.index_h.high) < (found.index_h.value, found.index_h.high)
    assert not any(value.extrapolated for _, value in found.intervals())


def test_windows_that_are_given_take_the_place_of_the_measured_ones() -> None:
    assert estimate(Wanted(100_000, windows=65), FIGURES).search_ms.value == pytest.approx(12 + 20)


def test_memory_holds_every_byte_of_the_codes_though_less_was_measured() -> None:
    less = replace(FIGURES, growing={**FIGURES.growing, "held_bytes": of(65_000_000 * 9.0)})
    found = estimate(Wanted(100_000), less).memory_gib
    assert found.value == pytest.approx(1 + 65_000_000 * 16 / (1 << 30))
    assert found.low <= found.value < found.high


def test_ten_times_as_much_is_ten_times_as_large_and_a_guess() -> None:
    found = estimate(Wanted(1_000_000), FIGURES)
    assert found.database_gib.value == pytest.approx(20)
    assert found.database_gib.extrapolated
    assert found.database_gib.beyond == pytest.approx(10)
    assert not found.windows.extrapolated


def test_threads_that_were_not_measured_are_a_guess() -> None:
    found = estimate(Wanted(100_000, threads=8), FIGURES)
    assert found.search_ms.value == pytest.approx(120 / 4 + 20)
    assert found.search_ms.extrapolated
    assert estimate(Wanted(100_000, threads=1), FIGURES).search_ms.value == pytest.approx(220)


def test_more_threads_keep_as_many_cores_busy_for_a_shorter_time() -> None:
    two, eight = (estimate(Wanted(100_000, threads=threads), FIGURES).cores for threads in (2, 8))
    assert eight.value == pytest.approx(two.value)


HALF = Point(50_000, 32_500_000, 0.0)
FAST = replace(
    FIGURES,
    fast=[
        FastScan(Scan(2, 128, 9, HALF._replace(value=16.0)), 10, 0.994),
        FastScan(Scan(2, 128, 9, of(26.0)[0]), 10, 0.998),
        FastScan(Scan(2, 128, 9, HALF._replace(value=20.0)), 100, 0.99),
        FastScan(Scan(2, 128, 9, of(30.0)[0]), 100, 0.997),
    ],
)


def test_fast_searches_are_told_beside_exact_ones() -> None:
    found = estimate(Wanted(100_000, queries_per_s=7.0), FAST)
    assert found.search_ms.value == pytest.approx(140)
    assert found.fast is not None
    assert found.fast.searching.search_ms.value == pytest.approx(26 + 20)
    assert found.fast.searching.cores.value == pytest.approx(7 * 0.072 / 0.7)
    assert (found.fast.recall_at_10.value, found.fast.recall_at_10.low) == (0.998, 0.994)
    assert found.fast.recall_at_100.value == 0.997
    assert set(found.to_dict()["fast"]) == {"search_ms", "recall_at_10", "recall_at_100", "cores"}


def test_a_search_has_a_time_of_its_own_whatever_the_archive() -> None:
    fast = estimate(Wanted(200_000), FAST).fast
    assert fast is not None
    assert fast.searching.search_ms.value == pytest.approx(6 + 40 + 20)  # 16 and 26 ms were measured
    assert fast.searching.search_ms.extrapolated
    assert fast.recall_at_10.extrapolated


def test_archives_smaller_than_those_of_fast_searches_have_none() -> None:
    found = estimate(Wanted(49_999), FAST)
    assert found.fast is None
    assert found.to_dict()["fast"] is None
    assert estimate(Wanted(50_000), FAST).fast is not None


def test_searches_are_fast_by_themselves_from_as_many_windows_as_are_set() -> None:
    wanted = Wanted(100_000, fast_above=65_000_000)
    assert estimate(wanted, FAST).made == "fast"
    assert estimate(replace(wanted, frames=99_999), FAST).made == "exact"
    assert estimate(replace(wanted, fast_above=0), FAST).made == "exact"
    assert estimate(wanted, FIGURES).made == "fast", "though none was measured"
    assert estimate(wanted, FAST).fast_from_frames == 100_000
    assert estimate(replace(wanted, windows=100), FAST).fast_from_frames == 650_000
    assert estimate(replace(wanted, fast_above=0), FAST).fast_from_frames is None


def test_among_few_windows_searches_are_exact_whatever_is_set() -> None:
    few = Wanted(FAST_FROM // 650, fast_above=1)
    assert (estimate(few, FAST).made, estimate(few, FAST).fast_from) == ("exact", FAST_FROM)
    assert estimate(replace(few, frames=few.frames + 1), FAST).made == "fast"
    assert estimate(few, FAST).fast_from_frames == few.frames + 1


def test_fast_figures_without_the_recall_of_a_hundred_are_refused() -> None:
    with pytest.raises(ParameterError, match="for 100 hits"):
        estimate(Wanted(100_000), replace(FAST, fast=FAST.fast[:2]))


def test_advice_is_of_searches_as_they_are_made() -> None:
    slow = Wanted(100_000, patience_s=0.1)
    [advice] = estimate(slow, FAST).advice
    assert "fast ones do not (HMAR_FAST_ABOVE)" in advice
    assert estimate(replace(slow, fast_above=1), FAST).advice == ()
    [advice] = estimate(replace(slow, patience_s=0.01), FAST).advice
    assert "several machines" in advice


def test_what_one_machine_holds_needs_no_advice() -> None:
    assert estimate(Wanted(100_000), FIGURES).advice == ()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(100_000, memory_gib=1.0), "Memory may exceed 1 GiB"),
        (Wanted(100_000, patience_s=0.1), "longer than 0.1 s"),
        (Wanted(100_000, queries_per_s=100.0), "cores are busy"),
        (
            Wanted(100_000_000, cores=1, memory_gib=1e9, patience_s=1e9, queries_per_s=0),
            "Indexing takes 58 days",
        ),
    ],
)
def test_advice_says_what_is_not_enough(wanted: Wanted, said: str) -> None:
    [advice] = estimate(wanted, FIGURES).advice
    assert said in advice


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 0},
        {"windows": 0},
        {"threads": 0},
        {"cores": 0},
        {"queries_per_s": float("nan")},
        {"fast_above": -1},
    ],
)
def test_what_makes_no_archive_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Wanted(**{"frames": 1, **wrong})


def test_figures_without_a_search_are_refused() -> None:
    with pytest.raises(ParameterError, match="No search"):
        estimate(Wanted(1), replace(FIGURES, scans=[]))


def test_figures_come_back_from_a_file_as_they_were() -> None:
    assert Figures.from_dict(FAST.to_dict()) == FAST


@pytest.mark.parametrize("told", [{}, {"format": 1}, {**FIGURES.to_dict(), "scans": [[1]]}])
def test_a_file_of_something_else_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="no measured figures"):
        Figures.from_dict(told)


def test_the_shipped_figures_size_every_archive_and_name_their_machines() -> None:
    figures = shipped_figures()
    small, large = (estimate(Wanted(frames), figures) for frames in (10_000, 10_000_000))
    for (name, less), (_, more) in zip(small.intervals(), large.intervals(), strict=True):
        assert 0 < less.low <= less.value <= less.high, name
        assert less.value <= more.value, name
    assert large.advice
    assert all(source.commit and source.processor for source in figures.sources)
