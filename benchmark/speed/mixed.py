"""Many clients that ask for all kinds of searches, while an index job runs and while none does."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from benchmark.speed.asking import TURN, Asked, ask_until, asking_health, figures
from benchmark.speed.phantom import SIDE
from benchmark.speed.product import COLLECTION, Product, index_phantoms, serving
from benchmark.speed.timing import Rounds, percentiles, ratio_interval
from benchmark.types import Progress
from hmar.config import Settings
from hmar.stages import STAGES
from hmar.values.identity import administrator
from hmar.wiring import build_engine

JOBS = 12
"""Index jobs that wait at the start of a half; more than the worker can do meanwhile."""
_ALL = "all routes"
_STAGE = re.compile(r'^hmar_search_stage_seconds_sum\{stage="(\w+)"\} (\S+)$', re.MULTILINE)
_WORKED = re.compile(r'^hmar_request_seconds_sum\{.*route="/api/v1/search.*\} (\S+)$', re.MULTILINE)
_PROCESSOR = re.compile(r"^process_cpu_seconds_total(?:\{.*\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Half:
    """The measurements of one half of a round."""

    asked: list[Asked]
    health_ms: list[float]
    seconds: float
    spent_s: Mapping[str, float] = field(default_factory=dict)
    indexed: int = 0

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return len(self.latencies(_ALL)) / self.seconds

    def latencies(self, route: str) -> list[float]:
        """Return milliseconds of the answers of one route, or of all."""
        return [one.ms for one in self.asked if one.status == 200 and route in (_ALL, one.kind)]


def measure_mixed(
    settings: Settings,
    frames: int,
    clients: int,
    seconds: float,
    rounds: Rounds,
    progress: Progress,
    side: int = SIDE,
) -> list[dict[str, object]]:
    """Ask for all kinds of searches without a pause, while files are indexed and while none are.

    The product starts anew for each half of a round, with its limits as they are by default, and each client
    has a key. Clients run in one further process on the same machine, and /healthz is asked every 20 ms, on
    new connections, by this one. The jobs index the same files into further collections.

    Parameters
    ----------
    settings : Settings
        ``home`` is written to.
    frames : int
        Phantom slices indexed, from 2.
    clients : int
        Concurrent ones.
    seconds : float
        Length of a half.
    rounds : Rounds
    progress : Progress
    side : int
        Rows and columns of the slices.

    Raises
    ------
    UnavailableError
        If the product does not start or index.
    """
    with serving(settings) as product:
        index_phantoms(product, frames, progress, side)
        keys = _keys(product, clients)
    halves: dict[bool, list[Half]] = {True: [], False: []}
    for number in range(rounds.total):
        for indexing in (True, False) if number % 2 == 0 else (False, True):
            with serving(settings) as product:
                half = _half(product, keys, frames, side, seconds, f"{number}" if indexing else "")
            halves[indexing].append(half)
        progress("mixed searches", number + 1, rounds.total)
    own, peer = halves[True][rounds.warm_up :], halves[False][rounds.warm_up :]
    details = {
        "repeats": rounds.repeats,
        "warm_up": rounds.warm_up,
        "setting": f"{frames} phantom slices of {side}x{side}, {clients} clients, {seconds:g} s a half",
        "threads": f"{settings.web_threads} web, {settings.encoder_threads} encoder; "
        f"{os.cpu_count()} cores in all, clients on them too",
    }
    answered = [kind for kind in sorted(set(TURN)) if all(half.latencies(kind) for half in (*own, *peer))]
    return [{**_row(route, own, peer), **details} for route in (_ALL, *answered)]


def _keys(product: Product, clients: int) -> list[str]:
    engine = build_engine(product.settings)
    return [engine.keys.create(administrator(f"client-{number}")) for number in range(clients)]


def _half(product: Product, keys: Sequence[str], frames: int, side: int, seconds: float, jobs: str) -> Half:
    """Ask for a while; ``jobs`` names the collections that are indexed into, none where it is empty."""
    with closing(product.client()) as client:
        client.call("GET", "/readyz")
        submitted = [
            client.call(
                "POST",
                "/api/v1/index-jobs",
                {"folder": COLLECTION, "collection": f"{COLLECTION}-{jobs}-{number}"},
            )["job_id"]
            for number in range(JOBS if jobs else 0)
        ]
        folder = product.settings.import_root / COLLECTION
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            # A first task that asks nothing: starting the process is no part of what is measured.
            pool.submit(os.getpid).result()
            before, health_ms = figures(product), list[float]()
            with asking_health(product, health_ms):
                asked = pool.submit(ask_until, product.url, keys, frames, side, str(folder), seconds).result()
            after = figures(product)
    # On a new connection: the one before has been idle for as long as a server keeps it.
    with closing(product.client()) as client:
        states = [client.call("GET", f"/api/v1/index-jobs/{job}") for job in submitted]
        for job in submitted:
            client.call("POST", f"/api/v1/index-jobs/{job}/cancel")
    return Half(
        asked, health_ms, seconds, _spent(before, after), sum(int(str(state["frames"])) for state in states)
    )


def _spent(before: str, after: str) -> dict[str, float]:
    """Return seconds: of each stage, of working on searches in all, and of the web server's processors."""

    def read(text: str) -> dict[str, float]:
        processor = sum(map(float, _PROCESSOR.findall(text)))
        stages = {name: float(value) for name, value in _STAGE.findall(text)}
        worked = sum(map(float, _WORKED.findall(text)))
        return stages | {"worked": worked, "processor": processor}

    began = read(before)
    return {name: value - began.get(name, 0.0) for name, value in read(after).items()}


def _row(route: str, own: Sequence[Half], peer: Sequence[Half]) -> dict[str, object]:
    own_ms, peer_ms = ([ms for half in halves for ms in half.latencies(route)] for halves in (own, peer))
    rates, peer_rates = (
        np.array([len(half.latencies(route)) / half.seconds for half in halves]) for halves in (own, peer)
    )
    ratio, low, high = ratio_interval(1 / rates, 1 / peer_rates)
    return {
        "protocol": "speed",
        "part": "mixed",
        "name": f"{route}, while a job indexes",
        "peer": "the same without a job",
        **percentiles(own_ms),
        **{f"peer_{name}": value for name, value in percentiles(peer_ms).items()},
        "ratio": round(ratio, 3),
        "ratio_ci95": [round(low, 3), round(high, 3)],
        "throughput_per_s": round(float(np.median(rates)), 1),
        "peer_throughput_per_s": round(float(np.median(peer_rates)), 1),
        "quality": quality(route, own, peer),
        **({} if route != _ALL else _load(own, "") | _load(peer, "peer_")),
    }


def quality(route: str, own: Sequence[Half], peer: Sequence[Half]) -> dict[str, object]:
    """Count what was answered otherwise than with hits."""

    def counted(halves: Sequence[Half]) -> str:
        statuses = Counter(one.status for half in halves for one in half.asked if route in (_ALL, one.kind))
        return ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))

    return {"answers": counted(own), "peer's answers": counted(peer)}


def _load(halves: Sequence[Half], prefix: str) -> dict[str, object]:
    """Return what else is known of whole halves: health, frames indexed, and where the time goes."""
    answered = sum(len(half.latencies(_ALL)) for half in halves)
    spent = {name: sum(half.spent_s[name] for half in halves) for name in (*STAGES, "worked", "processor")}
    health = np.concatenate([half.health_ms for half in halves])
    return {
        f"{prefix}health_p99_ms": round(float(np.percentile(health, 99)), 1),
        f"{prefix}indexed_per_s": round(sum(half.indexed / half.seconds for half in halves) / len(halves), 1),
        f"{prefix}processor_ms": round(1000 * spent.pop("processor") / answered, 1),
        f"{prefix}stages_ms": {name: round(1000 * value / answered, 1) for name, value in spent.items()},
    }
