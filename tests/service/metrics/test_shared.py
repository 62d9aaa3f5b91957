"""Figures of several processes: sums of what they counted, also of one that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.metrics.shared import MAPPED_BYTES, SharedFigures, make_files, variables

COUNTING = """
import os, signal, sys
from pathlib import Path
from service.metrics.figures import Metrics, Tallies
from service.metrics.shared import SharedFigures
shared = SharedFigures(Path(sys.argv[1]), int(sys.argv[2]))
shared.enter()
metrics = Metrics(lambda: Tallies(2, 3, 1, 4), shared)
for _ in range(3):
    metrics.count_request("GET", "/a", 200, 0.02)
    metrics.count_refusal(429)
metrics.count_query(True, "exact")
metrics.count_tallies()
metrics.count_tallies()
if sys.argv[3] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdout.buffer.write(metrics.exposition())
"""


def counted(folder: Path, number: int, end: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", COUNTING, str(folder), str(number), end],
        cwd=Path(__file__).parents[3],
        env=os.environ | variables(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=end != "killed",
    )
    return ended.stdout


ALL_ROUTES = """
import sys
from pathlib import Path
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.wiring import build_engine
from service.app import create_app
from service.metrics.figures import Metrics, Tallies
from service.metrics.shared import SharedFigures
app = create_app(build_engine(Settings(database_url="memory:").checked(), ThumbnailEncoder()))
metrics = Metrics(lambda: Tallies(), SharedFigures(Path(sys.argv[1]), 0))
for rule in app.url_map.iter_rules():
    for method in rule.methods:
        for status in (200, 400, 401, 403, 404, 409, 413, 422, 500, 503):
            metrics.count_request(method, rule.rule, status, 0.02)
"""


def sizes(folder: Path, processes: int) -> dict[str, int]:
    names = [name.format(number) for number in range(processes) for name in MAPPED_BYTES]
    return {name: (folder / name).stat().st_size for name in names}


def made_sizes(processes: int) -> dict[str, int]:
    return {name.format(number): size for number in range(processes) for name, size in MAPPED_BYTES.items()}


@pytest.mark.slow
def test_files_have_room_for_every_route_method_and_status(tmp_path: Path) -> None:
    make_files(tmp_path, 1)
    environment = os.environ | variables(tmp_path)
    command = [sys.executable, "-c", ALL_ROUTES, str(tmp_path)]
    subprocess.run(command, cwd=Path(__file__).parents[3], env=environment, timeout=60, check=True)
    assert sizes(tmp_path, 1) == made_sizes(1)


@pytest.mark.slow
def test_counters_and_histograms_are_added_and_those_of_a_killed_process_stay(tmp_path: Path) -> None:
    make_files(tmp_path, 2)
    made = sorted(file.name for file in tmp_path.glob("*.db"))
    counted(tmp_path, 0, "killed")
    counted(tmp_path, 0, "ended")
    told = counted(tmp_path, 1, "ended")
    samples = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    route = {"method": "GET", "route": "/a", "status": "200"}.items()
    assert samples["hmar_request_seconds_count", frozenset(route)] == 9
    assert samples["hmar_request_seconds_sum", frozenset(route)] == pytest.approx(0.18)
    assert samples["hmar_request_seconds_bucket", frozenset([*route, ("le", "0.01")])] == 0
    assert samples["hmar_request_seconds_bucket", frozenset([*route, ("le", "0.025")])] == 9
    assert samples["hmar_refusals_total", frozenset({("status", "429")})] == 9
    assert (
        samples["hmar_queries_total", frozenset({("typicality", "out_of_distribution"), ("made", "exact")})]
        == 3
    )
    assert samples["hmar_decoders_replaced_total", frozenset()] == 6
    assert samples["hmar_audit_feed_rows_total", frozenset({("outcome", "sent")})] == 9
    assert samples["hmar_audit_feed_waiting", frozenset()] == 8
    files = list(tmp_path.glob("*.db"))
    assert sorted(file.name for file in files) == made, "each process uses the files of its number"
    assert sizes(tmp_path, 2) == made_sizes(2)
    labels = [dict(of) for name, of in samples if name == "process_resident_memory_bytes"]
    assert labels == [{"process": "2"}], "those that have ended have no memory"


def test_processes_are_known_by_their_numbers(tmp_path: Path) -> None:
    make_files(tmp_path, 3)
    for number in (2, 1, 2):
        SharedFigures(tmp_path, number).enter()
    assert SharedFigures(tmp_path, 0).process_ids() == {1: os.getpid(), 2: os.getpid()}
