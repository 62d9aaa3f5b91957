"""The part ``faults``: a file is harmed; is it reported, is anything wrong believed, what mends it."""

from __future__ import annotations

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmark.trust.faults.kinds import Fault, faults
from benchmark.trust.faults.observation import nothing
from benchmark.trust.faults.trials import BY_NOTHING, Archives, Verdict, harmed
from benchmark.trust.nursery import begin
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.settings import environment_of
from hmar.encoder import shipped_bundle

AT_ONCE = 3
SETTINGS = "setting"
KNOWN_LIMITS = {
    "write-ahead log": (
        "Three things cannot be reported: damage in the very last commit, which looks like a power cut"
    ),
}
"""Kinds of files, and what docs/operations.md says of them: such a loss is counted, and is no failure.

SQLite itself takes a log whose checksums fail for one that ends there, as it must after a power failure.
"""
_TEMPLATES = "benchmark.trust.faults.templates"
_OBSERVE = "benchmark.trust.faults.observation:observe"


def harm_files(run: Run) -> Outcome:
    """Harm one file of a copy of an archive, use it as its programs do, and look for a remedy.

    The archive holds every kind of file that the product writes or reads. Each is harmed by a flipped bit,
    cut, emptied, zeroed, swapped with another archive's, removed, or replaced by a folder, and rows of the
    database are altered in ways that SQLite cannot notice. Permissions are not among the harms: root reads
    everything. Then the archive is started and searched, every frame is read again, and `hmar doctor`
    examines it.

    A fault is reported if there is an error on purpose, a line in the log, or a finding of doctor. It is
    believed if nothing is reported and an answer, a picture or its patient is not the oracle's: that is a
    failure, and so is an error that is not on purpose, and a fault that neither another start, nor indexing
    again, nor a copy of the file mends. Lost, not reported are the last commits, where a damaged write-ahead
    log alone held them, and nothing else is wrong: [operations](operations.md#damage) states this limit, so
    it is counted and no failure; the same of any other file is one. The rest had no effect.
    """
    archives = _archives(run)
    all_faults = _one_of_each(faults(), run.seed) if run.short else faults()

    def tried(numbered: tuple[int, Fault]) -> Verdict:
        number, fault = numbered
        folder = run.folder / f"fault-{number}"
        folder.mkdir()
        if number % 20 == 0:
            run.say(f"faults: {number} of {len(all_faults)}")
        return harmed(fault, archives, folder, run.seed)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = list(pool.map(tried, enumerate(all_faults)))
    return _outcome(list(zip(all_faults, verdicts, strict=True)))


def _archives(run: Run) -> Archives:
    """Make both archives; raises RuntimeError if anything is noticed of the one that was not harmed."""
    before, other = run.folder / "before", run.folder / "other"
    made = [_made(run, home, run.seed + number) for number, home in enumerate((before, other))]
    arguments = (str(before), str(before), made[0])
    seen = begin(run.folder, "look", environment_of(before), _OBSERVE, *arguments).value()
    if not nothing(seen):
        raise RuntimeError(f"the archive is not well before it is harmed: {seen}")
    for home, seed in ((before, run.seed), (other, run.seed + 1)):
        life = begin(
            run.folder, "wal", environment_of(home), f"{_TEMPLATES}:leave_write_ahead_log", str(home), seed
        )
        life.wait()
    return Archives(before, other, made[0])


def _made(run: Run, home: Path, seed: int) -> dict[str, str]:
    shutil.copytree(shipped_bundle(), home / "model")
    digests: dict[str, str] = begin(
        run.folder, "make", environment_of(home), f"{_TEMPLATES}:make", str(home), seed
    ).value()
    return digests


def _one_of_each(found: list[Fault], seed: int) -> list[Fault]:
    """Return one fault of each kind, another one with another seed."""
    by_kind: dict[str, list[Fault]] = {}
    for fault in found:
        by_kind.setdefault(fault.kind, []).append(fault)
    return [of_kind[seed % len(of_kind)] for of_kind in by_kind.values()]


def _outcome(tried: list[tuple[Fault, Verdict]]) -> Outcome:
    kinds = list(dict.fromkeys(fault.kind for fault, _ in tried))
    rows = [_row(kind, [verdict for fault, verdict in tried if fault.kind == kind]) for kind in kinds]
    failures = [text for fault, verdict in tried for text in _failures(fault, verdict)]
    verdicts = [verdict for _, verdict in tried]
    summary: Row = {
        "injected": len(verdicts),
        "reported": sum(verdict.reported for verdict in verdicts),
        "without effect": sum(_without_effect(verdict) for verdict in verdicts),
        "lost, not reported": sum(bool(verdict.lost) for verdict in verdicts),
        "believed": sum(bool(verdict.believed) for verdict in verdicts),
    }
    return Outcome(rows, summary, failures)


def _row(kind: str, verdicts: list[Verdict]) -> Row:
    mended = Counter(verdict.mended for verdict in verdicts)
    return {
        "file": kind,
        "injected": len(verdicts),
        "reported": sum(verdict.reported for verdict in verdicts),
        "without effect": sum(_without_effect(verdict) for verdict in verdicts),
        "lost, not reported": sum(bool(verdict.lost) for verdict in verdicts),
        "believed": sum(bool(verdict.believed) for verdict in verdicts),
        "mended by": ", ".join(f"{how} {count}" for how, count in mended.most_common()),
        "for example": next((verdict.words for verdict in verdicts if verdict.reported), ""),
    }


def _without_effect(verdict: Verdict) -> bool:
    return not (verdict.reported or verdict.believed or verdict.lost or verdict.crashed)


def _failures(fault: Fault, verdict: Verdict) -> list[str]:
    where = f"{fault.kind}, {fault.harm}"
    found = [f"{where}: believed: {text}" for text in verdict.believed]
    if fault.kind not in KNOWN_LIMITS:
        found += [f"{where}: lost, not reported: {text}" for text in verdict.lost]
    found += [f"{where}: crashed: {text}" for text in verdict.crashed]
    if verdict.mended == BY_NOTHING and fault.kind != SETTINGS:
        found.append(f"{where}: nothing mends it; it said: {verdict.words}")
    return found


PART = Part(
    "faults",
    "Faults in files",
    harm_files,
    "{injected} files damaged, one at a time",
    "{reported} reported, {without effect} without effect, {lost, not reported} lost and not reported, "
    "{believed} believed",
)
