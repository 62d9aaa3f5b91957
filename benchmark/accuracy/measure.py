"""One whole run of the accuracy benchmark: data set, frozen features, peers, rows."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.accuracy.features import FeatureStore
from benchmark.accuracy.lite0 import FrozenLite0, published_lite0, untrained_lite0
from benchmark.accuracy.protocols import check_protocols
from benchmark.accuracy.quick import NAME, shortened, write_quick
from benchmark.accuracy.run import Example, run_accuracy
from benchmark.datasets import load_dataset
from benchmark.peers import schedules, select_peers
from benchmark.peers.bits import check_length
from benchmark.provenance.results import environment
from benchmark.types import Dataset, Peer, Progress

QUICK_BITS, QUICK_SEEDS = (64,), 1


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured.

    Parameters
    ----------
    dataset : str
        Name of a layout, see :func:`benchmark.datasets.load_dataset`.
    root : Path
        Folder of the data set.
    bits : sequence of int
        Code lengths.
    peers : str
        As :func:`benchmark.peers.select_peers` takes them.
    seeds : int
        Of every peer that learns.
    protocols : sequence of str
        Of :data:`benchmark.accuracy.protocols.PROTOCOLS`.
    held_out : sequence of str
        Classes that the protocol "unseen" holds out.
    cache : Path
        Folder of the backbone, the features and the trials.
    threads : int
        Of torch in this process.
    quick : bool
        Whether the backbone is untrained and peers learn for a few steps only.
    """

    dataset: str
    root: Path
    bits: Sequence[int]
    peers: str
    seeds: int
    protocols: Sequence[str]
    held_out: Sequence[str]
    cache: Path
    threads: int
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run found.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    rows : list of dict
        Ready for JSON.
    examples : tuple of Example
        Queries with their first hits.
    problems, duplicates : tuple of str
        A line for each image that was left out, and for each protocol.
    environment : dict
        See :func:`benchmark.provenance.results.environment`.
    """

    dataset: str
    rows: list[dict[str, Any]]
    examples: tuple[Example, ...]
    problems: tuple[str, ...]
    duplicates: tuple[str, ...]
    environment: dict[str, Any]


def measure(request: Request, progress: Progress, say: Callable[[str], None]) -> Measured:
    """Measure peers on a data set.

    Parameters
    ----------
    request : Request
    progress : Progress
        Told how far each part is.
    say : callable
        Told in sentences what is fetched and which images are left out.

    Raises
    ------
    ParameterError
        If a name is unknown; before anything is fetched or computed.
    UnavailableError
        If the weights of the backbone cannot be downloaded.
    """
    backbone = _backbone(request, say)
    peers = _peers(request)
    dataset = load_dataset(request.dataset, request.root, progress)
    if request.quick:
        dataset = replace(dataset, name=NAME)
    check_protocols(request.protocols, dataset, request.held_out)
    made_in = environment(request.threads, _config(request, peers))
    store = FeatureStore(backbone(), request.cache)
    complete = store.complete(dataset, progress)
    for problem in complete.problems:
        say(problem)
    return _measured(request, complete, store, peers, made_in, progress)


@contextmanager
def quick_request(request: Request) -> Iterator[Request]:
    """Yield a request for small synthetic data, 64 bits and one seed, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="hmar-bench-") as scratch:
        root = Path(scratch)
        write_quick(root)
        yield replace(
            request,
            dataset="manifest",
            root=root,
            bits=QUICK_BITS,
            seeds=QUICK_SEEDS,
            cache=root / "cache",
            quick=True,
        )


def _backbone(request: Request, say: Callable[[str], None]) -> Callable[[], FrozenLite0]:
    """Return what loads the backbone, once, when it is first asked for."""

    @functools.cache
    def load() -> FrozenLite0:
        if request.quick:
            return untrained_lite0(request.threads)
        return published_lite0(request.cache, say, request.threads)

    return load


def _peers(request: Request) -> list[Peer]:
    peers = select_peers(request.peers)
    for peer in peers:
        for length in request.bits:
            check_length(peer, length)
    return [shortened(peer) for peer in peers] if request.quick else peers


def _config(request: Request, peers: Sequence[Peer]) -> dict[str, Any]:
    """Return the arguments of the run, as every row's environment holds them."""
    return {
        "command": "accuracy",
        "dataset": request.dataset,
        "bits": list(request.bits),
        "peers": [peer.name for peer in peers],
        "seeds": request.seeds,
        "protocols": list(request.protocols),
        "held_out": list(request.held_out),
        "quick": request.quick,
        "training": schedules(peers),
    }


def _measured(
    request: Request,
    dataset: Dataset,
    store: FeatureStore,
    peers: Sequence[Peer],
    made_in: dict[str, Any],
    progress: Progress,
) -> Measured:
    outcome = run_accuracy(
        dataset,
        store,
        peers,
        request.bits,
        request.seeds,
        request.protocols,
        request.cache / "trials",
        progress,
        request.held_out,
    )
    rows = [row.to_dict() for row in outcome.rows]
    return Measured(dataset.name, rows, outcome.examples, dataset.problems, outcome.duplicates, made_in)
