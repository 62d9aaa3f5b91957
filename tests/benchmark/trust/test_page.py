"""The page holds what the records say, and the protocols that the parts' functions say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.trust.page import page_of, write_page
from benchmark.trust.parts import PARTS, Outcome, Part, Run, chosen_parts
from benchmark.trust.running import Record, run_parts, run_side_by_side
from hmar.errors import ParameterError

ENVIRONMENT = {
    "time": "2026-11-28T20:00:00+00:00",
    "commit": "abc",
    "machine": {"processor": "fast", "cores": 2, "system": "Linux"},
    "versions": {"python": "3.11"},
}


def record(part: str, tried: int, failures: list[str]) -> Record:
    return {
        "part": part,
        "title": "",
        "short": False,
        "seed": 7,
        "seconds": 12.0,
        "summary": {"tried": tried, "slope": 0.12345} | ({"survived": tried} if part == "kills" else {}),
        "rows": [{"process": "a|b", "tried": tried}],
        "failures": failures,
        "environment": ENVIRONMENT,
    }


def test_every_part_can_be_run_and_says_how() -> None:
    parts = chosen_parts(list(PARTS))
    assert [part.name for part in parts] == list(PARTS)
    for part in parts:
        assert (part.run.__doc__ or "").strip(), part.name
        assert part.title


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ParameterError, match="none-such"):
        chosen_parts(["kills", "none-such"])
    with pytest.raises(ParameterError):
        chosen_parts([])


def test_the_page_shows_the_newest_record_of_each_part() -> None:
    page = page_of([record("kills", 111, []), record("broker", 3, ["lost <b>"]), record("kills", 1222, [])])
    assert "1,222" in page
    assert "111" not in page
    assert "a\\|b" in page
    assert "lost &lt;b&gt;" in page
    assert "| Broker | tried: 3, slope: 0.1235 |  | 1 | full, 12 s |" in page
    assert "| Kills | 1,222 processes killed while they changed an archive |" in page
    assert "commit abc, seed 7, fast, 2 cores" in page
    assert "Not run yet." in page
    for part in chosen_parts(list(PARTS)):
        first = (part.run.__doc__ or "").strip().splitlines()[0]
        assert first in page


def test_the_page_is_written_from_a_file_of_lines(tmp_path: Path) -> None:
    lines, page = tmp_path / "trust.jsonl", tmp_path / "trust.md"
    lines.write_text("".join(f"{json.dumps(record(name, 5, []))}\n" for name in ("kills", "disk")))
    write_page(lines, page)
    assert page.read_text("utf-8") == page_of([record("kills", 5, []), record("disk", 5, [])])
    write_page(tmp_path / "absent.jsonl", page)
    assert page.read_text("utf-8") == page_of([])


def test_the_plot_of_a_part_is_shown_where_the_full_form_drew_it() -> None:
    full = record("load", 3, [])
    assert "![Load](trust-memory.svg)" in page_of([full])
    assert "trust-memory.svg" not in page_of([full | {"short": True}, record("kills", 3, [])])


def test_a_part_that_raises_has_failed_and_the_next_one_runs() -> None:
    folders = []

    def broken(_run: Run) -> Outcome:
        raise RuntimeError("out of order")

    def sound(run: Run) -> Outcome:
        folders.append(run.folder)
        (run.folder / "scratch").write_text("left")
        return Outcome([{"seed": run.seed}], {"short": str(run.short)})

    parts = [Part("one", "One", broken, "", ""), Part("two", "Two", sound, "", "")]
    first, second = run_parts(parts, short=True, seed=3, say=lambda _line: None)
    assert first["failures"] == ["RuntimeError: out of order (broken)"]
    assert (second["rows"], second["summary"], second["failures"]) == ([{"seed": 3}], {"short": "True"}, [])
    assert not folders[0].exists()


@pytest.mark.slow
def test_parts_side_by_side_have_their_cores_and_all_are_recorded() -> None:
    parts = chosen_parts(["files"])
    [found] = run_side_by_side(parts, short=True, seed=1, jobs=2)
    assert (found["part"], found["failures"]) == ("files", [])
    assert found["summary"]["files"] > 0
