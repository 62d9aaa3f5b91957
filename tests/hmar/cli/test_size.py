"""``hmar size``: a table that teaches, and the same as JSON."""

from __future__ import annotations

import json
import re

from click.testing import CliRunner, Result

from hmar.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["size", *arguments])


def test_a_table_tells_figures_intervals_and_where_they_were_measured() -> None:
    result = run("--frames", "50000")
    assert result.exit_code == 0, result.output
    for word in ("database", "GiB", "memory", "region search, median", "from", "to", "Measured on: "):
        assert word in result.output
    assert "One machine with SQLite holds this." in result.output
    assert re.search(
        r"^Searches were timed on archives of [\d,]+ million windows, [\d,]+", result.output, re.M
    )


def test_what_was_never_measured_is_said_to_be_extrapolated_with_what_to_do() -> None:
    result = run("--frames", "10000000", "--qps", "5", "--memory", "64")
    assert "times what was measured" in result.output
    assert "Memory may exceed 64 GiB" in result.output
    assert "PostgreSQL" in result.output


def test_json_has_all_figures_and_their_sources() -> None:
    told = json.loads(run("--frames", "50000", "--windows", "220", "--json").output)
    assert told["frames"] == 50_000
    assert told["windows"] == {"value": 220.0, "low": 220.0, "high": 220.0, "extrapolated": False}
    assert told["search_ms"]["low"] < told["search_ms"]["value"] < told["search_ms"]["high"]
    assert {"commit", "processor", "time"} == set(told["measured"][0])


def test_windows_that_are_no_number_are_refused() -> None:
    result = run("--frames", "1", "--windows", "many")
    assert result.exit_code != 0
    assert "--windows is 'many'" in result.output
