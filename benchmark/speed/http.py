"""A region query from request to answer, over HTTP, by one client and by several at once."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmark.speed.phantom import SIDE, sop_uid
from benchmark.speed.product import COLLECTION, Client, Product, index_phantoms, serving
from benchmark.speed.timing import Rounds, percentiles, ratio_interval
from benchmark.types import Progress
from hmar.config import Settings
from hmar.search import Searcher
from hmar.values.frames import Frame
from hmar.values.geometry import Box
from hmar.values.selection import Selection
from hmar.wiring import Engine, build_engine

K = 10
PEER = "Searcher.region in process, one caller, frame decoded beforehand"
Answer = tuple[tuple[str, float], ...]
"""(SOP instance UID, distance in bits) of each hit, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class RegionQuery:
    """A box on an indexed slice; ``own`` is the slice's entry, which is excluded."""

    frame: Frame
    region: Box
    own: int

    @property
    def body(self) -> Mapping[str, object]:
        """The request's JSON."""
        return {
            "sop_instance_uid": self.frame.info.sop_instance_uid,
            "region": list(self.region),
            "k": K,
            "mode": "local",
            "collection": COLLECTION,
        }

    def in_process(self, searcher: Searcher) -> Answer:
        """Search in process."""
        selection = Selection(COLLECTION, frozenset({self.own}))
        hits = searcher.region(self.frame, self.region, K, "local", selection)
        return tuple((hit.entry.info.sop_instance_uid, round(hit.distance, 6)) for hit in hits)


@dataclass(frozen=True, slots=True, eq=False)
class Burst:
    """The measurements of one round: every latency and answer, and the seconds until the last answer."""

    latencies_ms: list[float]
    answers: list[tuple[int, Answer]]
    seconds: float


def measure_http(
    settings: Settings,
    frames: int,
    loads: Sequence[int],
    requests: int,
    rounds: Rounds,
    progress: Progress,
    side: int = SIDE,
) -> list[dict[str, object]]:
    """Query a running product at rising load.

    Every round goes through all loads, forwards or backwards, and through the same queries in process. Every
    answer is compared with the one in process. Clients run in this process, on the same machine, and use some
    of its processor time.

    Parameters
    ----------
    settings : Settings
        ``home`` is written to; model, web threads and encoder threads are as given.
    frames : int
        Phantom slices indexed.
    loads : sequence of int
        Concurrent clients; the throughput's ratio is to the first.
    requests : int
        Of each client in a round.
    rounds : Rounds
    progress : Progress
    side : int
        Rows and columns of the slices.

    Raises
    ------
    UnavailableError
        If the product does not start, index or answer.
    """
    with serving(settings) as product:
        index_phantoms(product, frames, progress, side)
        engine = build_engine(product.settings)
        queries = _queries(engine, frames, side)
        searcher = engine.searcher
        expected = [query.in_process(searcher) for query in queries]
        bursts: dict[int, list[Burst]] = {load: [] for load in loads}
        in_process: list[list[float]] = []
        for number in range(rounds.total):
            in_process.append([_timed(query, searcher) for query in queries[:requests]])
            for load in loads if number % 2 == 0 else reversed(loads):
                bursts[load].append(_burst(product, queries, load, requests))
            progress("http", number + 1, rounds.total)
    warm = rounds.warm_up
    archive = f"{frames} phantom slices of {side}x{side}"
    setting = f"{archive}, region query, k {K}, 128 bits, model {engine.encoder.name}"
    threads = f"{settings.web_threads} web, {settings.encoder_threads} encoder; {os.cpu_count()} cores in all"
    return [
        _row(
            load,
            bursts[load][warm:],
            bursts[loads[0]][warm:],
            in_process[warm:],
            expected,
            rounds,
            {"setting": setting, "threads": threads},
        )
        for load in loads
    ]


def _queries(engine: Engine, frames: int, side: int) -> list[RegionQuery]:
    """Return a query on every slice: the heart, or a lung."""
    heart, lung = Box(0.46, 0.46, 0.12, 0.12), Box(0.22, 0.4, 0.14, 0.14)
    queries = []
    for number in range(frames):
        [entry] = engine.catalogue.find(sop_uid(number), engine.encoder.fingerprint)
        region = Box(*(side * value for value in (lung if number % 2 else heart)))
        queries.append(RegionQuery(engine.frame(entry), region, entry.entry_id))
    return queries


def _timed(query: RegionQuery, searcher: Searcher) -> float:
    begun = time.perf_counter()
    query.in_process(searcher)
    return 1000 * (time.perf_counter() - begun)


def _burst(product: Product, queries: Sequence[RegionQuery], clients: int, requests: int) -> Burst:
    """Run clients concurrently, each with its own queries one after the other."""
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(product.client())) for _ in range(clients)]
        for connection in connections:
            connection.call("GET", "/readyz")
        pool = stack.enter_context(ThreadPoolExecutor(clients))
        begun = time.perf_counter()
        asked = [
            pool.submit(_ask, connection, queries, number * requests, requests)
            for number, connection in enumerate(connections)
        ]
        answered = [answer for future in asked for answer in future.result()]
        seconds = time.perf_counter() - begun
    return Burst([ms for ms, _, _ in answered], [(which, hits) for _, which, hits in answered], seconds)


def _ask(
    client: Client, queries: Sequence[RegionQuery], first: int, requests: int
) -> list[tuple[float, int, Answer]]:
    """Return (latency in ms, number of the query, answer) of each request."""
    answered = []
    for which in (number % len(queries) for number in range(first, first + requests)):
        begun = time.perf_counter()
        answer = client.call("POST", "/api/v1/search/region", queries[which].body)
        answered.append((1000 * (time.perf_counter() - begun), which, answer_of(answer)))
    return answered


def answer_of(answer: Mapping[str, Any]) -> Answer:
    """Return the hits of an answer's JSON."""
    return tuple((hit["sop_instance_uid"], round(hit["distance"], 6)) for hit in answer["hits"])


def _row(
    clients: int,
    bursts: Sequence[Burst],
    first: Sequence[Burst],
    in_process: Sequence[Sequence[float]],
    expected: Sequence[Answer],
    rounds: Rounds,
    details: Mapping[str, object],
) -> dict[str, object]:
    samples = [latency for burst in bursts for latency in burst.latencies_ms]
    peer = [latency for latencies in in_process for latency in latencies]
    answers = [(which, answer) for burst in bursts for which, answer in burst.answers]
    equal = sum(answer == expected[which] for which, answer in answers)
    ratio, low, high = ratio_interval(
        np.array([np.median(burst.latencies_ms) for burst in bursts]),
        np.array([np.median(latencies) for latencies in in_process]),
    )
    rate, first_rate = (_per_second(group) for group in (bursts, first))
    return {
        "protocol": "speed",
        "part": "http",
        "name": f"POST /api/v1/search/region, {clients} client{'s' if clients > 1 else ''}",
        "peer": PEER,
        **percentiles(samples),
        **{f"peer_{name}": value for name, value in percentiles(peer).items()},
        "ratio": round(ratio, 3),
        "ratio_ci95": [round(low, 3), round(high, 3)],
        "clients": clients,
        "throughput_per_s": round(rate, 2),
        "throughput_ratio": round(rate / first_rate, 3),
        "repeats": rounds.repeats,
        "warm_up": rounds.warm_up,
        "requests": len(samples),
        "quality": {"answers equal to those in process": f"{equal} of {len(answers)}"},
        **details,
    }


def _per_second(bursts: Sequence[Burst]) -> float:
    return sum(len(burst.latencies_ms) for burst in bursts) / sum(burst.seconds for burst in bursts)
