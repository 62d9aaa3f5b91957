"""Regions asked for by many clients at once, of a product with several web processes and of one with one."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from benchmark.speed.phantom import SIDE
from benchmark.speed.product import Product, index_phantoms, serving
from benchmark.speed.seen import Times, ask_all, compared, figures_of, region_of
from benchmark.speed.timing import Rounds
from benchmark.types import Progress
from hmar.config import Settings
from hmar.errors import UnavailableError

START_S = 120.0
POLL_S = 0.1


def measure_web_processes(
    settings: Settings,
    processes: int,
    frames: int,
    clients: int,
    requests: int,
    rounds: Rounds,
    progress: Progress,
    side: int = SIDE,
) -> list[dict[str, object]]:
    """Time the same requests with several web processes and with one.

    The product starts anew for each half of a round, over the same archive. All frames are asked about once
    before, then again with other regions, which is what is timed. Clients run in this process, on the same
    machine, and take some of its processor time.

    Parameters
    ----------
    settings : Settings
        ``home`` is written to.
    processes : int
        How many web processes are compared with one.
    frames : int
        Phantom slices indexed.
    clients : int
        Concurrent ones; each keeps its connection, hence its process.
    requests : int
        In a round.
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
    first = [region_of(number, side) for number in range(frames)]
    bodies = [region_of(number % frames, side, turn=1 + number // frames) for number in range(requests)]
    times = {count: Times() for count in (processes, 1)}
    for number in range(rounds.total):
        for count in (processes, 1) if number % 2 == 0 else (1, processes):
            with serving(replace(settings, web_processes=count)) as product:
                _await_all(product, count)
                ask_all(product, first, clients, Times())
                ask_all(product, bodies, clients, times[count])
        progress("web processes", number + 1, rounds.total)
    setting = f"{frames} phantom slices of {side}x{side}, region query, {clients} clients"
    return [_row(processes, times[processes], times[1], rounds, setting, settings)]


def _await_all(product: Product, count: int) -> None:
    """Wait until all web processes serve: the product is ready when the first one does."""
    end = time.monotonic() + START_S
    while len(figures_of(product, "process_cpu_seconds_total")) < count:
        if time.monotonic() > end:
            raise UnavailableError(f"Of {count} web processes not all serve.", "Run 'hmar doctor'.")
        time.sleep(POLL_S)


def _row(
    processes: int, own: Times, peer: Times, rounds: Rounds, setting: str, settings: Settings
) -> dict[str, object]:
    return {
        "protocol": "speed",
        "part": "processes",
        "name": f"POST /api/v1/search/region, {processes} web processes",
        "peer": "the same with one web process",
        **compared(own, peer, rounds),
        "setting": setting,
        "threads": f"{settings.web_threads} web a process; {os.cpu_count()} cores, clients on them too",
    }
