"""The benchmark of the GPU works at a tiny size, without a GPU: in numba's simulator and by torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.gpu.timing import alternated, percentile, ratio

ROOT = Path(__file__).parents[3]
BARE = """
import sys
# What a machine with little besides torch, numba and ONNX Runtime does not have.
for name in ("faiss", "pydicom", "gdcm", "sqlalchemy", "celery", "flask", "pydantic"):
    sys.modules[name] = None
from hmar.index.gpu import resident
from hmar.index.gpu import scan as of_card
from benchmark.gpu import scan
of_card.FRAME_THREADS, of_card._FRAME_BLOCKS, resident._THREADS = 2, 2, 4
scan.BATCH, scan.CHECKED = 1, 1
from benchmark.cli.gpu import gpu
if __name__ == "__main__":
    gpu(prog_name="gpu")
"""


@pytest.mark.slow
def test_scan_and_encoder_are_measured_and_compared_on_a_bare_machine(tmp_path: Path) -> None:
    script, rows = tmp_path / "bare.py", tmp_path / "rows.jsonl"
    script.write_text(BARE)
    options = ["--frames", "6", "--windows", "1", "--repeats", "1", "--encoded", "2", "--processes", "1"]
    run = subprocess.run(
        [sys.executable, str(script), *options, "--device", "cpu", "--json", str(rows)],
        cwd=ROOT,
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    written = [json.loads(line) for line in rows.read_text().splitlines()]
    scans = [row for row in written if row["part"] == "scan"]
    assert [row["equal"] for row in scans] == ["1 of 1"] * 6
    assert all(row["device"] == "simulated card" for row in scans)
    (encoded,) = [row for row in written if row["part"] == "encode"]
    differing, _, bits = encoded["bits_differing"].partition(" of ")
    assert int(differing) * 10_000 <= int(bits)
    assert encoded["frames_per_s"] > 0
    assert "nine windows" in run.stdout


def test_calls_take_turns_and_only_counted_rounds_are_told() -> None:
    called: list[str] = []
    calls = {name: lambda number, name=name: called.append(f"{name}{number}") for name in "ab"}
    times = alternated(calls, 2, 1, "test", lambda *_: None)
    assert called == ["a0", "b0", "b1", "a1", "a2", "b2"]
    assert [len(values) for values in times.values()] == [2, 2]
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert ratio([1.0, 2.0], [4.0, 4.0]) == 3.0
