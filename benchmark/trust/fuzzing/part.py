"""The part "fuzzing": every target in child processes, then native decoders behind their containment."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmark.trust.fuzzing.child import executed
from benchmark.trust.fuzzing.corpus import corpus_of, kept_crash
from benchmark.trust.fuzzing.native import fuzz_native
from benchmark.trust.fuzzing.target import TARGETS, load_target
from benchmark.trust.parts import Outcome, Part, Row, Run

EXECUTIONS = 1_080_000
SHORT_EXECUTIONS = 12_000
NATIVE, SHORT_NATIVE = 3_000, 60
_AT_ONCE = 2
_MOST_ENDS = 5
_LIMIT_S = {True: 300.0, False: 900.0}


def run(trial: Run) -> Outcome:
    """Feed every reader of foreign bytes with mutated inputs, guided by the coverage of its code (atheris).

    Each target runs in a process of its own. An execution is a crash if it ends in anything but a result or
    an error that the reader promises (a RecursionError is none), if a property of the result does not hold,
    if it takes longer than 2 s, or if the process comes to hold more than 1 GiB. Mutation starts from valid
    files and from the kept corpus. Native decoders are fed, without guidance, with damaged compressed
    streams behind their containment: there a decoder may end, and nothing else may.
    """
    weights = {name: load_target(name).weight for name in TARGETS}
    executions = SHORT_EXECUTIONS if trial.short else EXECUTIONS
    shares = {name: executions * weight // sum(weights.values()) + 1 for name, weight in weights.items()}
    rows: list[Row] = []
    failures: list[str] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # The slowest first: the others fill the time beside them.
        order = sorted(TARGETS, key=weights.__getitem__)
        for row, failed in pool.map(lambda name: _fuzz(trial, name, shares[name]), order):
            rows.append(row)
            failures += failed
            trial.say(f"{row['target']}: {row['executions']} executions, {row['crashes']} crashes")
    row, failed = fuzz_native(SHORT_NATIVE if trial.short else NATIVE, trial.seed)
    rows.append(row)
    failures += failed
    total = sum(int(row["executions"]) for row in rows)
    crashes = sum(int(row["crashes"]) for row in rows)
    return Outcome(rows, {"executions": total, "crashes": crashes}, failures)


def _fuzz(trial: Run, name: str, executions: int) -> tuple[Row, list[str]]:
    folder = trial.folder / name
    for part in ("corpus", "crashes", "ended"):
        (folder / part).mkdir(parents=True)
    for label, data in corpus_of(name).items():
        (folder / "corpus" / label).write_bytes(data)
    begun, ends, end = time.monotonic(), 0, time.monotonic() + _LIMIT_S[trial.short]
    failures: list[str] = []
    while (left := executions - executed(folder)) > 0 and ends < _MOST_ENDS and time.monotonic() < end:
        if not _ended_well(folder, name, left, trial.seed + ends, end - time.monotonic()):
            ends += 1
    found = list(_crashes(folder))
    failures += [f"{name}: {place}; the input is kept as {kept_crash(name, path)}" for place, path in found]
    if executed(folder) < executions:
        failures.append(f"{name}: {executed(folder)} of {executions} executions were done.")
    row: Row = {
        "target": name,
        "reads": TARGETS[name],
        "executions": executed(folder),
        "seconds": round(time.monotonic() - begun, 1),
        "corpus": len(list((folder / "corpus").iterdir())),
        "crashes": len(found),
    }
    return row, failures


def _ended_well(folder: Path, name: str, executions: int, seed: int, limit_s: float) -> bool:
    command = [sys.executable, "-m", "benchmark.trust.fuzzing.child", name, str(executions), str(seed)]
    with (folder / "log").open("ab") as log:
        try:
            done = subprocess.run(  # noqa: S603 - our own command
                [*command, str(folder)], stdout=log, stderr=log, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def _crashes(folder: Path) -> Iterator[tuple[str, Path]]:
    """Go through what went wrong: errors that were caught, and inputs on which the process ended."""
    for path in sorted((folder / "crashes").glob("*.bin")):
        yield json.loads(path.with_suffix(".json").read_text())["place"], path
    for path in sorted((folder / "ended").iterdir()):
        yield f"the process ended ({path.name.partition('-')[0]})", path


PART = Part(
    "fuzzing",
    "Fuzzing",
    run,
    "{executions} mutated inputs to every reader",
    "{crashes} crashes",
)
