"""Regions of frames that many clients asked about before, and of others, with and without keeping frames."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from benchmark.speed.asking import SEEN, K, asking_health, drawn_region, figures
from benchmark.speed.http import Answer, answer_of
from benchmark.speed.phantom import SIDE, sop_uid
from benchmark.speed.product import COLLECTION, Product, index_phantoms, serving
from benchmark.speed.timing import Rounds, percentiles, ratio_interval
from benchmark.types import Progress
from hmar.config import Settings

_ROUTE = "/api/v1/search/region"
Body = Mapping[str, object]


@dataclass(slots=True)
class Times:
    """Of one kind of requests, by round, but for health and for the answers, which are those of the last one.

    ``processor_ms`` is the web server's, a request.
    """

    latencies_ms: list[list[float]] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)
    processor_ms: list[float] = field(default_factory=list)
    health_ms: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


def measure_seen(
    settings: Settings,
    frames: int,
    clients: int,
    requests: int,
    rounds: Rounds,
    progress: Progress,
    side: int = SIDE,
) -> list[dict[str, object]]:
    """Time regions of frames that were not asked about since the start, then of frames that were.

    The product starts anew for each half of a round, once keeping frames and once not, over the same archive.
    The same regions are asked for in both, and their answers compared. Meanwhile /healthz is asked every
    20 ms on new connections. Clients run in this process, on the same machine.

    Parameters
    ----------
    settings : Settings
        ``home`` is written to; ``kept_frames_mb`` is what the product keeps.
    frames : int
        Phantom slices indexed; each is asked about once as new, the first ``SEEN`` again as seen.
    clients : int
        Concurrent ones.
    requests : int
        For regions of seen frames, in a round.
    rounds : Rounds
    progress : Progress
    side : int
        Rows and columns of the slices.

    Raises
    ------
    UnavailableError
        If the product does not start, index or answer.
    """
    # One key asks for all clients.
    settings = replace(settings, key_concurrency=2 * clients, web_waiting=2 * clients)
    with serving(settings) as product:
        index_phantoms(product, frames, progress, side)
    seen = min(SEEN, frames)
    kinds: dict[str, list[Body]] = {
        "a new frame": [region_of(number, side) for number in range(frames)],
        "a seen frame": [
            region_of(number % seen, side, turn=1 + number // seen) for number in range(requests)
        ],
    }
    times = {(kind, kept): Times() for kind in kinds for kept in (True, False)}
    for number in range(rounds.total):
        for kept in (True, False) if number % 2 == 0 else (False, True):
            chosen = settings if kept else replace(settings, kept_frames_mb=0)
            with serving(chosen) as product:
                for kind, bodies in kinds.items():
                    ask_all(product, bodies, clients, times[kind, kept])
        progress("seen frames", number + 1, rounds.total)
    setting = f"{frames} phantom slices of {side}x{side}, region query, k {K}, {clients} clients"
    return [_row(kind, times, rounds, setting, settings) for kind in kinds]


def region_of(number: int, side: int, turn: int = 0) -> Body:
    """Return a request for a region of a slice, another one in each turn."""
    return {
        "sop_instance_uid": sop_uid(number),
        "region": drawn_region(number, side, turn),
        "k": K,
        "mode": "local",
        "collection": COLLECTION,
    }


def ask_all(product: Product, bodies: Sequence[Body], clients: int, times: Times) -> None:
    """Send requests by so many clients, each on a connection that it keeps, and note what they took."""
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(product.client())) for _ in range(clients)]
        for connection in connections:
            connection.call("GET", "/readyz")
        pool = stack.enter_context(ThreadPoolExecutor(clients))

        def ask(first: int) -> list[tuple[int, float, Answer]]:
            answered = []
            for which in range(first, len(bodies), clients):
                begun = time.perf_counter()
                answer = connections[first].call("POST", _ROUTE, bodies[which])
                answered.append((which, 1000 * (time.perf_counter() - begun), answer_of(answer)))
            return answered

        with asking_health(product, times.health_ms):
            used_s, begun = _processor_s(product), time.perf_counter()
            answered = [one for each in pool.map(ask, range(clients)) for one in each]
            seconds = time.perf_counter() - begun
            used_s = _processor_s(product) - used_s
    times.latencies_ms.append([ms for _, ms, _ in answered])
    times.per_s.append(len(answered) / seconds)
    times.processor_ms.append(1000 * used_s / len(answered))
    times.answers = [answer for _, _, answer in sorted(answered)]


def _processor_s(product: Product) -> float:
    """Return the processor time that the web server has used, without its decoders."""
    return sum(figures_of(product, "process_cpu_seconds_total"))


def figures_of(product: Product, name: str) -> list[float]:
    """Return the figures of a name, one for each set of labels."""
    told = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", figures(product), re.MULTILINE)
    return [float(value) for value in told]


def compared(own: Times, peer: Times, rounds: Rounds) -> dict[str, object]:
    """Return what a row says of two kinds of requests of the same rounds: times, rates, health, answers."""
    warm = rounds.warm_up
    ratio, low, high = ratio_interval(1 / np.array(own.per_s[warm:]), 1 / np.array(peer.per_s[warm:]))
    equal = sum(answer == other for answer, other in zip(own.answers, peer.answers, strict=True))
    own_ms, peer_ms = (list(chain(*one.latencies_ms[warm:])) for one in (own, peer))
    return {
        **percentiles(own_ms),
        **{f"peer_{name}": value for name, value in percentiles(peer_ms).items()},
        "ratio": round(ratio, 3),
        "ratio_ci95": [round(low, 3), round(high, 3)],
        "throughput_per_s": round(float(np.median(own.per_s[warm:])), 1),
        "peer_throughput_per_s": round(float(np.median(peer.per_s[warm:])), 1),
        "processor_ms": round(float(np.median(own.processor_ms[warm:])), 1),
        "peer_processor_ms": round(float(np.median(peer.processor_ms[warm:])), 1),
        "health_p99_ms": round(float(np.percentile(own.health_ms, 99)), 1),
        "peer_health_p99_ms": round(float(np.percentile(peer.health_ms, 99)), 1),
        "repeats": rounds.repeats,
        "warm_up": rounds.warm_up,
        "quality": {"answers equal to the peer's": f"{equal} of {len(own.answers)}"},
    }


def _row(
    kind: str, times: Mapping[tuple[str, bool], Times], rounds: Rounds, setting: str, settings: Settings
) -> dict[str, object]:
    return {
        "protocol": "speed",
        "part": "seen",
        "name": f"POST {_ROUTE}, {kind}, frames kept",
        "peer": "the same with HMAR_KEPT_FRAMES_MB=0",
        **compared(times[kind, True], times[kind, False], rounds),
        "setting": setting,
        "threads": f"{settings.web_threads} web, {settings.encoder_threads} encoder; "
        f"{os.cpu_count()} cores in all, clients on them too",
    }
