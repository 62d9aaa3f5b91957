"""Rows become the figures that the product computes with, and curves and tables are drawn from these."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmark.sizing.gather import gathered, read_rows
from benchmark.sizing.plots import draw_curves
from benchmark.sizing.table import filled, tables
from hmar.config import Settings
from hmar.errors import ParameterError
from hmar.sizing.estimate import estimate
from hmar.sizing.figures import Figures, shipped_figures
from hmar.sizing.wanted import Wanted

PAGE = Path(__file__).parents[3] / "docs" / "scaling.md"
EXACT = "EmbeddedIndex.search_windows, 9 windows"
FAST = "EmbeddedIndex.search_fast"


def made_in(time: str = "2026-12-01", commit: str = "abc", data: bool = True) -> dict[str, Any]:
    machine = {"processor": "p", "cores": 2}
    return {"commit": commit, "time": time, "machine": machine, "config": {"data": data}}


MADE_IN = made_in()


def at(rate: float) -> dict[str, Any]:
    return {"frames_per_s": rate, "environment": MADE_IN}


def rows() -> list[dict[str, Any]]:
    asked = {"bits": 128, "query_windows": 9}
    size = {"frames": 1000, "windows": 650_000, "environment": MADE_IN}
    return [
        {**size, "part": "bytes", "name": "bytes of the database", "bytes": 15_000_000},
        {**size, "part": "bytes", "name": "bytes of a snapshot", "bytes": 13_000_000},
        {**size, "part": "starting", "name": "index all of the log", "processor_s": 0.2, "seconds": 9.0},
        {**size, "part": "scan", "name": "memory at rest, 1 process", "held_bytes": 5e6, "start_s": 0.02},
        {**size, "part": "scan", "name": EXACT, "threads": 2, **asked, "p50_ms": 2.0},
        {**size, "part": "indexing", "name": "one", "windows_mean": 650.0, "windows_quartiles": [600, 700]},
        {"part": "indexing", "processes": 1, "name": "alone", "frames_per_s_range": [19, 21], **at(20.0)},
        {"part": "indexing", "processes": 2, "name": "two", "frames_per_s_range": [29, 31], **at(30.0)},
        {
            "part": "pacs",
            "name": "pull",
            "peer_memory_mib": {"worker": 200, "web server": 300, "decoders": 80},
            "environment": MADE_IN,
        },
        {"part": "seen", "name": "POST, a new frame", "processor_ms": 29.0, "environment": MADE_IN},
        {"part": "kan", "name": "of another benchmark", "environment": MADE_IN},
    ]


def test_rows_become_figures(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows()), "utf-8")
    figures = gathered(read_rows([file]))
    assert Figures.from_dict(json.loads(json.dumps(figures.to_dict()))) == figures
    found = estimate(Wanted(1000), figures)
    assert found.database_gib.value * (1 << 30) == pytest.approx(15_000_000)
    assert found.rebuild_s.value == pytest.approx(0.2)
    assert found.search_ms.value == pytest.approx(31)
    assert found.index_h.value == pytest.approx(1000 / 30 / 3600)  # two cores index 15 a second each
    assert found.fast is None
    assert [source.commit for source in figures.sources] == ["abc"]


def fast_row(k: int, **changed: Any) -> dict[str, Any]:
    told = {
        "part": "scan",
        "name": f"{FAST}, k {k}, all frames",
        "k": k,
        "threads": 2,
        "bits": 128,
        "query_windows": 9,
    }
    size = {"frames": 1000, "windows": 650_000, "p50_ms": 0.5, "recall": 0.99, "made": "fast"}
    return {**told, **size, "environment": MADE_IN, **changed}


def test_fast_searches_become_figures_but_those_that_were_exact() -> None:
    fast = gathered([*rows(), fast_row(10), fast_row(100, recall=0.98, p50_ms=0.7)])
    assert [(one.hits, one.recall, one.scan.p50_ms.value) for one in fast.fast] == [
        (10, 0.99, 0.5),
        (100, 0.98, 0.7),
    ]
    assert gathered([*rows(), fast_row(10, made="exact"), fast_row(100, made="exact")]).fast == []


def test_searches_with_a_filter_are_none_of_all_frames() -> None:
    others = [
        {**rows()[4], "name": f"{EXACT}, a filter that half of the people pass", "p50_ms": 1.0},
        fast_row(10, name=f"{FAST}, k 10, one hit per patient"),
    ]
    figures = gathered([*rows(), *others])
    assert [scan.p50_ms.value for scan in figures.scans] == [2.0]
    assert figures.fast == []


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_of_rows_that_measured_the_same_counts_in_any_order(order: int) -> None:
    older = made_in("2026-11-26T10:00:00+00:00", "old")
    old = [{**row, "environment": older} for row in rows()]
    for row in old:
        row |= {
            key: 9 * row[key] for key in ("bytes", "p50_ms", "frames_per_s", "windows_mean") if key in row
        }
    assert gathered([*old, *rows()][::order]) == gathered(rows())


def test_rows_of_another_size_are_kept_whatever_their_age() -> None:
    older = {**rows()[0], "frames": 10, "windows": 6500, "environment": made_in("2026-11-26", "old")}
    figures = gathered([*rows(), older])
    assert len(figures.growing["database_bytes"]) == 2
    assert {source.commit for source in figures.sources} == {"abc", "old"}


def test_indexing_of_phantoms_does_not_count() -> None:
    phantoms = made_in("2026-12-02", data=False)
    newer = [
        {**row, "windows_mean": 1.0, "environment": phantoms} for row in rows() if row["part"] == "indexing"
    ]
    assert gathered([*rows(), *newer]) == gathered(rows())


@pytest.mark.parametrize(
    "name", ["bytes of a snapshot", "memory at rest, 1 process", EXACT, "one", "two", "pull"]
)
def test_a_figure_that_no_row_tells_is_named(name: str) -> None:
    left_out = {name, "alone"} if name == "two" else {name}
    kept = [row for row in rows() if row["name"] not in left_out]
    with pytest.raises(ParameterError, match="do not tell"):
        gathered(kept)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("no rows", "utf-8")
    with pytest.raises(ParameterError, match="holds no rows"):
        read_rows([tmp_path / "none"])


def test_tables_of_the_page_are_those_of_the_shipped_figures() -> None:
    page = PAGE.read_text("utf-8")
    assert filled(page, tables(shipped_figures(), Settings().fast_above)) == page


def test_tables_tell_sizes_and_where_one_machine_ends() -> None:
    fast = [fast_row(10), fast_row(100)]
    told = tables(gathered([*rows(), *fast]), 6_500_000_000)
    assert "| 10,000 | ≈ " in told
    assert f"| exact searches where nothing is said (`HMAR_FAST_ABOVE`) | {9_900_000:,} |" in told
    assert told.count("a fast search in 2 s") == 1
    assert "a fast search" not in tables(gathered(rows()), 6_500_000_000)
    assert filled("a page without marks", told) == "a page without marks"


def test_curves_are_drawn_the_same_every_time(tmp_path: Path) -> None:
    first, second = (_drawn(tmp_path / name) for name in ("a", "b"))
    assert first == second
    assert all(text.lstrip().startswith("<?xml") and "frames" in text for text in first)


def _drawn(folder: Path) -> Sequence[str]:
    return [path.read_text("utf-8") for path in draw_curves(shipped_figures(), folder)]
