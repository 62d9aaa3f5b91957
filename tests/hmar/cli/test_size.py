"""``hmar size``: a table that teaches, and the same as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from hmar.cli import main
from hmar.cli.size_table import print_estimate
from hmar.sizing.estimate import estimate
from hmar.sizing.figures import FastScan, Scan, shipped_figures
from hmar.sizing.fit import Point
from hmar.sizing.wanted import Wanted


def run(*arguments: str, fast_above: str = "400000000") -> Result:
    return CliRunner(env={"HMAR_FAST_ABOVE": fast_above}).invoke(main, ["size", *arguments])


def test_a_table_tells_figures_intervals_and_where_they_were_measured() -> None:
    result = run("--frames", "50000")
    assert result.exit_code == 0, result.output
    for word in ("database", "GiB", "memory", "exact region search, median", "from", "to", "Measured on: "):
        assert word in result.output
    assert "One machine with SQLite holds this." in result.output
    assert (
        "Searches of this archive are exact unless a fast one is asked for; from 400 million" in result.output
    )
    assert re.search(
        r"^Searches were timed on archives of [\d,]+ to [\d,]+ million windows, [\d,]+ to [\d,]+ a frame",
        result.output,
        re.M,
    )


def test_what_was_never_measured_is_said_to_be_extrapolated_with_what_to_do() -> None:
    result = run("--frames", "10000000", "--qps", "5", "--memory", "64")
    assert "times what was measured" in result.output
    assert "Memory may exceed 64 GiB" in result.output
    assert "PostgreSQL" in result.output


def test_json_has_all_figures_and_their_sources() -> None:
    told = json.loads(run("--frames", "1", "--windows", "220", "--json", fast_above="1000").output)
    assert told["frames"] == 1
    assert told["fast"] is None
    assert told["windows"] == {"value": 220.0, "low": 220.0, "high": 220.0, "extrapolated": False}
    assert told["search_ms"]["low"] < told["search_ms"]["value"] < told["search_ms"]["high"]
    assert told["search"] == "exact"
    assert told["fast_above"] == 1000
    assert told["fast_from_frames"] == 45_455  # among fewer than ten million windows all are exact
    assert {"commit", "processor", "time"} == set(told["measured"][0])


def test_windows_that_are_no_number_are_refused() -> None:
    result = run("--frames", "1", "--windows", "many")
    assert result.exit_code != 0
    assert "--windows is 'many'" in result.output


def test_a_site_without_fast_searches_is_told_so() -> None:
    assert "(HMAR_FAST_ABOVE is 0)" in run("--frames", "50000", fast_above="0").output


def test_fast_searches_stand_beside_exact_ones(capsys: pytest.CaptureFixture[str]) -> None:
    shipped = shipped_figures()
    point = Point(100_000, 52_500_000, 12.0)
    fast = [FastScan(Scan(2, 128, 9, point), hits, recall) for hits, recall in ((10, 0.998), (100, 0.99969))]
    figures = replace(shipped, fast=fast)
    print_estimate(estimate(Wanted(1_000_000, windows=525, fast_above=400_000_000), figures), figures)
    told = capsys.readouterr().out
    assert re.search(r"^exact region search, median +[\d,]+ ms ", told, re.M)
    assert re.search(r"^fast region search, median +[\d,]+ ms ", told, re.M)
    assert re.search(r"^the 10 nearest that it finds +99\.8 % ", told, re.M)
    assert re.search(r"^the 100 nearest that it finds +99\.9 % ", told, re.M)
    assert re.search(r"^cores that fast searches keep busy +\d", told, re.M)
    assert "are fast unless an exact one is asked for; from 400 million windows" in told
    assert "here 761,905 frames" in told
