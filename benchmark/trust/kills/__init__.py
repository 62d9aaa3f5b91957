"""The part ``kills``: SIGKILL of every process in every operation, at marked points and at random."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmark.trust.kills.deletions import try_deletions
from benchmark.trust.kills.operations import OPERATIONS
from benchmark.trust.kills.rounds import VICTIMS, try_rounds
from benchmark.trust.kills.supervised import try_supervised
from benchmark.trust.kills.tally import Tally
from benchmark.trust.kills.trials import Stage, set_stage, try_kills
from benchmark.trust.marks import unavailable
from benchmark.trust.oracle.album import album, write_album
from benchmark.trust.oracle.rows import Codes
from benchmark.trust.parts import Outcome, Part, Row, Run

MARKED, RANDOM = 34, 6
"""Kills of each operation, in the full form."""
SHORT_MARKED, SHORT_RANDOM = 1, 1
ROUNDS = {"worker": 30, "service": 20, "broker": 16, "decoder": 16, "fork server": 16}
SHORT_ROUNDS = {"worker": 1, "service": 1, "broker": 1, "decoder": 1, "fork server": 1}
SUPERVISED = ["supervisor"] * 5 + ["worker", "service"] * 2
SHORT_SUPERVISED = ["supervisor"]
DELETIONS, SHORT_DELETIONS = 8, 1
OPERATIONS_AT_ONCE, ROUNDS_AT_ONCE = 2, 3


def kills(run: Run) -> Outcome:
    """Kill processes with SIGKILL while they change an archive, start again, complete, and compare.

    Operations are done on a copy of a prepared archive by a process that is killed: at marked points, which
    are the moments before each system call that outlives a process (a write to the database, a sync, a
    rename, a link, a removal, a message; strace ends it there), or after a random time. Right afterwards the
    rows must be those of before or those of an undisturbed run, in part only where files are indexed one by
    one, and searches must answer as those rows say. Then the operation is asked for again. Parts of a running
    product are killed during a job each, and are started again. `hmar serve` is killed as a whole, and while
    it starts its parts again; its web server also while it deletes.

    A kill is survived if in the end every good frame is there once, with codes bit by bit those of an
    undisturbed run, no file holds a code of what was deleted, the log replayed gives the rows, SQLite finds
    its file intact, no job is open and no file given up, uploads are those that rows refer to, no draft is
    left, searches answer as loops over the rows do, and `hmar doctor` finds nothing failed. A file that was
    in a killed decoder fails with that reason, and is indexed when asked for again.
    """
    images = run.folder / "images"
    write_album(images, album(0))
    marked, randomly = (SHORT_MARKED, SHORT_RANDOM) if run.short else (MARKED, RANDOM)
    if run.short and unavailable() is None:
        randomly = 0

    def tried(name: str) -> tuple[Stage, Tally]:
        stage = set_stage(name, run.folder / name, images)
        return stage, try_kills(stage, marked, randomly, run.seed, run.say)

    with ThreadPoolExecutor(OPERATIONS_AT_ONCE) as pool:
        found = dict(zip(OPERATIONS, pool.map(tried, OPERATIONS), strict=True))
    codes = {key[1:]: code for key, code in found["index"][0].final.items()}
    tallies = {(stage.operation.process, stage.operation.name): tally for stage, tally in found.values()}
    tallies |= _parts(run, images, codes)
    supervised = SHORT_SUPERVISED if run.short else SUPERVISED
    for victim, tally in try_supervised(supervised, run.folder, images, codes, run.seed, run.say).items():
        tallies[f"{victim}, under hmar serve", "index jobs"] = tally
    deletions = SHORT_DELETIONS if run.short else DELETIONS
    tallies["service, under hmar serve", "deletions"] = try_deletions(
        deletions, run.folder, images, codes, run.seed, run.say
    )
    return _outcome(tallies)


def _parts(run: Run, images: Path, codes: dict[tuple[str, int], Codes]) -> dict[tuple[str, str], Tally]:
    rounds = SHORT_ROUNDS if run.short else ROUNDS

    def tried(victim: str) -> Tally:
        return try_rounds(victim, rounds[victim], run.folder, images, codes, run.seed, run.say)

    with ThreadPoolExecutor(ROUNDS_AT_ONCE) as pool:
        return {
            (victim, "index jobs"): tally
            for victim, tally in zip(VICTIMS, pool.map(tried, VICTIMS), strict=True)
        }


def _outcome(tallies: dict[tuple[str, str], Tally]) -> Outcome:
    rows: list[Row] = [
        {
            "process": process,
            "during": name,
            "at marked points": tally.marked,
            "at random": tally.random,
            "survived": tally.survived,
            "ended first": tally.ended_first,
        }
        for (process, name), tally in tallies.items()
    ]
    summary: Row = {
        "tried": sum(tally.tried for tally in tallies.values()),
        "survived": sum(tally.survived for tally in tallies.values()),
        "at marked points": sum(tally.marked for tally in tallies.values()),
        "marked points": unavailable() or "by strace",
    }
    return Outcome(rows, summary, [text for tally in tallies.values() for text in tally.failures])


PART = Part(
    "kills",
    "Kills",
    kills,
    "{tried} processes killed while they changed an archive",
    "{survived} archives were whole afterwards",
)
