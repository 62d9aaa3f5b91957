"""``hmar bench accuracy``: every peer on the same features, bits and split, and the rows of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark.accuracy.features import FeatureStore
from benchmark.accuracy.protocols import METRICS, Task, make_task
from benchmark.accuracy.trial import Trial, Trials
from benchmark.metrics.figures import bootstrap, macro, micro, paired_bootstrap, per_class
from benchmark.provenance.results import QUOTED, Row
from benchmark.types import Dataset, Peer, Progress

REFERENCE = "linear"
QUOTED_FOR = "radimagenet-ct"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A query and its first hits, to be shown; ``right`` says which hits have its label."""

    name: str
    protocol: str
    bits: int
    query: Path
    label: str
    hits: tuple[Path, ...]
    labels: tuple[str, ...]
    distances: tuple[float, ...]
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found.

    Parameters
    ----------
    rows : tuple of Row
    examples : tuple of Example
        Of the first seed.
    duplicates : tuple of str
        One line for each protocol.
    """

    rows: tuple[Row, ...]
    examples: tuple[Example, ...]
    duplicates: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A peer at one code length (0 for floats), over its seeds."""

    peer: Peer
    bits: int
    trials: tuple[Trial, ...]

    @property
    def ap(self) -> FloatArray:
        """Each query's average precision, mean over seeds."""
        return _mean([trial.ap for trial in self.trials])


def run_accuracy(
    dataset: Dataset,
    store: FeatureStore,
    peers: Sequence[Peer],
    bits: Sequence[int],
    seeds: int,
    protocols: Sequence[str],
    work: Path,
    progress: Progress,
    held: Sequence[str] = (),
) -> Outcome:
    """Measure peers under protocols.

    Each trial (a peer, a code length, a seed) is fitted on train, chosen on val, and measured once on test.
    It is kept under ``work``, and an interrupted run goes on after the last trial. Peers that do not
    learn have one seed; those that describe by floats have one code length.

    Parameters
    ----------
    dataset : Dataset
        As :meth:`FeatureStore.complete` returned it.
    store : FeatureStore
    peers : sequence of Peer
    bits : sequence of int
    seeds : int
        Seeds 0 to ``seeds`` - 1.
    protocols : sequence of str
        Of :data:`benchmark.accuracy.protocols.PROTOCOLS`.
    work : Path
        Folder of the kept trials.
    progress : Progress
    held : sequence of str
        Classes that the protocol "unseen" holds out.

    Raises
    ------
    ParameterError
        If a protocol does not exist, or "unseen" cannot hold out those classes.
    """
    trials = Trials(work, store.fingerprint)
    rows: list[Row] = []
    examples: list[Example] = []
    duplicates: list[str] = []
    for protocol in protocols:
        task = make_task(protocol, dataset, store, held)
        duplicates.append(_duplicates(task))
        entries = _run(task, trials, peers, bits, seeds, progress)
        rows += _rows(task, entries, store.fingerprint)
        examples += [example for entry in entries for example in _examples(task, entry)]
    if dataset.name == QUOTED_FOR:
        rows += QUOTED
    return Outcome(tuple(rows), tuple(examples), tuple(duplicates))


def _run(
    task: Task, trials: Trials, peers: Sequence[Peer], bits: Sequence[int], seeds: int, progress: Progress
) -> list[_Entry]:
    total = sum(len(bits) * (seeds if peer.learns else 1) for peer in peers)
    done = 0
    entries: list[_Entry] = []
    for peer in peers:
        for length in bits:
            ran: list[Trial] = []
            for seed in range(seeds if peer.learns else 1):
                ran.append(trials.run(task, peer, length, seed))
                done += 1
                progress(f"{task.protocol}, {peer.name}, {length} bits, seed {seed}", done, total)
            floats = ran[0].facts["floats"] > 0
            entries.append(_Entry(peer, 0 if floats else length, tuple(ran)))
            if floats:
                total -= (len(bits) - 1) * len(ran)
                break
    return entries


def _duplicates(task: Task) -> str:
    found = task.duplicates
    return (
        f"{task.protocol}: {found.exact} of {found.queries} queries ({found.exact_share:.1%}) have an exact "
        f"duplicate in another split, {found.near} ({found.near_share:.1%}) a near one (dHash within 12 bits)"
    )


def _rows(task: Task, entries: Sequence[_Entry], features: str) -> list[Row]:
    references = {entry.bits: entry for entry in entries if entry.peer.name == REFERENCE}
    return [_row(task, entry, references, features) for entry in entries]


def _row(task: Task, entry: _Entry, references: Mapping[int, _Entry], features: str) -> Row:
    labels, groups = task.queries.labels, task.queries.groups
    ap = entry.ap
    interval = bootstrap(ap, labels, groups)
    trials = entry.trials
    macros = [macro(trial.ap, labels) for trial in trials]
    facts = {name: float(np.mean([trial.facts[name] for trial in trials])) for name in trials[0].facts}
    curve = _mean([trial.curve for trial in trials]).T.tolist()
    return Row(
        name=entry.peer.name,
        dataset=task.dataset,
        protocol=task.protocol,
        bits=entry.bits,
        metric=METRICS[task.protocol],
        macro_map=interval.mean,
        micro_map=micro(ap),
        p_at_1=micro(_mean([trial.precision_1 for trial in trials])),
        p_at_5=micro(_mean([trial.precision_5 for trial in trials])),
        p_at_10=micro(_mean([trial.precision_10 for trial in trials])),
        recall_at_10=micro(_mean([trial.recall_10 for trial in trials])),
        ci95=(interval.low, interval.high),
        sd=float(np.std(macros, ddof=1)) if len(macros) > 1 else None,
        difference_to_linear=_difference(entry, references, task),
        per_class={task.classes[label]: value for label, value in per_class(ap, labels).items()},
        balance=facts.get("balance"),
        worst_balance=facts.get("worst_balance"),
        correlation=facts.get("correlation"),
        effective_bits=facts.get("effective_bits"),
        distinct=facts.get("distinct"),
        precision_radius_2=facts.get("precision_radius_2"),
        recall_radius_2=facts.get("recall_radius_2"),
        pr_curve=tuple((recall, precision) for recall, precision in curve),
        queries=len(task.queries),
        gallery=len(task.gallery),
        without_relevant=int(np.isnan(ap).sum()),
        duplicates={"exact": task.duplicates.exact, "near": task.duplicates.near},
        seeds=len(trials),
        floats=int(facts["floats"]),
        fit_seconds=facts["seconds"],
        data=task.data,
        features=features,
    )


def _difference(
    entry: _Entry, references: Mapping[int, _Entry], task: Task
) -> tuple[float, float, float] | None:
    """Return the paired difference to the linear peer of the same code length, of the longest for floats."""
    reference = references.get(entry.bits or max(references, default=0))
    if reference is None or reference is entry:
        return None
    found = paired_bootstrap(entry.ap, reference.ap, task.queries.labels, task.queries.groups)
    return found.mean, found.low, found.high


def _examples(task: Task, entry: _Entry) -> Iterable[Example]:
    trial = entry.trials[0]
    for (query, *hits), apart in zip(trial.examples.tolist(), trial.example_distances.tolist(), strict=True):
        label = int(task.queries.labels[query])
        found = [int(task.gallery.labels[hit]) for hit in hits]
        yield Example(
            entry.peer.name,
            task.protocol,
            entry.bits,
            task.query_paths[query],
            task.classes[label],
            tuple(task.gallery_paths[hit] for hit in hits),
            tuple(task.classes[other] for other in found),
            tuple(apart),
            tuple(other == label for other in found),
        )


def _mean(arrays: Sequence[FloatArray]) -> FloatArray:
    mean: FloatArray = np.mean(arrays, axis=0)
    return mean
