"""The part "clients": clients that are slow, silent, do not read, or ask for more than the server can do."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPException
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from benchmark.trust.material.dicom import ROOT, dicom, stored_slice
from benchmark.trust.parts import Outcome, Part, Row, Run
from benchmark.trust.product import DEADLINE_S, Client, Product, product
from hmar.config import Settings
from hmar.values.identity import administrator
from hmar.wiring import build_engine

HEALTH_P99_MS = 100.0
SECONDS, SHORT_SECONDS = 15.0, 2.0
ATTACKERS, SHORT_ATTACKERS = 150, 40
OVERLOAD = 32
_PAUSE_S = 0.02
_START_S = 3.0
"""A process that has just been started is given so long to import what it needs."""
_INDEXED = 40
_SIDE = 128
_ADMITTED = frozenset({200})
_TURNED_AWAY = frozenset({429, 503})


class Watched(NamedTuple):
    """What well-behaved clients saw meanwhile: latencies in ms, and everything else than an answer."""

    health_ms: list[float]
    search_ms: list[float]
    wrong: list[str]


def run(trial: Run) -> Outcome:
    """Hold connections open in every way that is known, and ask for several times the server's capacity.

    Meanwhile one client asks /healthz every 20 ms, on a new connection each time, and another searches.
    Attackers: 150 connections that send their headers, or their body, a byte at a time; that send nothing;
    that ask and do not read the answer. Overload: 32 clients that search without a pause. Right is: the 99th
    percentile of /healthz stays below 100 ms, every search is answered 200 (under overload also 429 or 503,
    with Retry-After) within 60 s, and no process ends. The short form asks too seldom to judge a percentile.
    """
    seconds = SHORT_SECONDS if trial.short else SECONDS
    attackers = SHORT_ATTACKERS if trial.short else ATTACKERS
    rows: list[Row] = []
    failures: list[str] = []
    with product(trial.folder) as running:
        _fill(running)
        before = running.parts()
        attackers_key = _other_key(running)
        for name, attack in _ATTACKS.items():
            with ExitStack() as held:
                stop, data = threading.Event(), attack(running.place, attackers_key)
                sockets = [held.enter_context(_connected(running)) for _ in range(attackers)]
                thread = threading.Thread(target=_drive, args=(data, sockets, stop), daemon=True)
                thread.start()
                seen = _watch(running, seconds)
                stop.set()
                thread.join()
            rows.append(_row(name, attackers, seen, Counter()))
            failures += _judged(name, seen, timed=not trial.short)
            trial.say(f"{name}: p99 of /healthz {rows[-1]['health_p99_ms']} ms")
        answers, seen = _overload(running, seconds)
        rows.append(_row("overload", OVERLOAD, seen, answers))
        failures += _judged("overload", seen, timed=not trial.short)
        failures += [f"overload: answers of status {status}." for status in answers if _odd(status)]
        if running.parts() != before:
            failures.append(f"The parts were {before} and are {running.parts()}.")
    worst = max(float(row["health_p99_ms"]) for row in rows)
    summary: Row = {
        "connections": attackers,
        "ways": len(_ATTACKS),
        "overload": OVERLOAD,
        "worst_health_p99_ms": worst,
        "overload_health_p99_ms": rows[-1]["health_p99_ms"],
        "admitted": answers[200],
        "turned_away": sum(answers[status] for status in _TURNED_AWAY),
    }
    return Outcome(rows, summary, failures)


def _fill(running: Product) -> None:
    folder = running.home / "import" / "some"
    folder.mkdir(parents=True)
    for number in range(1, _INDEXED + 1):
        (folder / f"{number}.dcm").write_bytes(dicom(stored_slice(number, _SIDE), number=number))
    running.finished(running.index("some"))


def _other_key(running: Product) -> str:
    """Return another key: limits of one are not to be met by the well-behaved clients."""
    return str(build_engine(Settings(home=running.home).checked()).keys.create(administrator("attacker")))


def _connected(running: Product) -> socket.socket:
    host, _, port = running.place.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=DEADLINE_S)


def _slow_headers(_host: str, _key: str) -> bytes:
    return b"POST /api/v1/search/image HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"y" * 4000


def _slow_body(host: str, key: str) -> bytes:
    head = (
        f"POST /api/v1/search/image HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 4000\r\n\r\n"
    )
    return head.encode() + b" " * 4000


def _silent(_host: str, _key: str) -> bytes:
    return b""


def _unread(host: str, key: str) -> bytes:
    ask = f"GET /api/v1/openapi.yaml HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n"
    return ask.encode() * 200


_ATTACKS: dict[str, Callable[[str, str], bytes]] = {
    "slow headers": _slow_headers,
    "slow bodies": _slow_body,
    "silent": _silent,
    "unread answers": _unread,
}


def _drive(data: bytes, sockets: list[socket.socket], stop: threading.Event) -> None:
    """Send each connection its beginning, then a byte a second."""
    ask = data.find(b"\r\n\r\n") + 4 if b"Content-Length" in data else 0
    begin = len(data) if data.count(b"\r\n\r\n") > 1 else max(ask, 40)
    for one in sockets:
        one.setblocking(False)
        with suppress(OSError):
            one.send(data[:begin])
    at = begin
    while not stop.wait(1.0):
        for one in sockets:
            with suppress(OSError):
                one.send(data[at : at + 1])
        at += 1


def _watch(running: Product, seconds: float) -> Watched:
    """Be two well-behaved clients for a while."""
    end = time.monotonic() + seconds
    seen = Watched([], [], [])
    searching = threading.Thread(target=_search_until, args=(running, end, seen, Counter(), _PAUSE_S))
    searching.start()
    _ask_health(running, end, seen)
    searching.join()
    return seen


def _ask_health(running: Client, end: float, seen: Watched) -> None:
    while time.monotonic() < end:
        try:
            answer = running.get("/healthz")
        except (OSError, HTTPException) as error:
            seen.wrong.append(f"/healthz: {type(error).__name__}")
            continue
        seen.health_ms.append(1000 * answer.seconds)
        if answer.status != 200:
            seen.wrong.append(f"/healthz answered {answer.status}")
        time.sleep(_PAUSE_S)


def _search_until(
    running: Client, end: float, seen: Watched, answers: Counter[int], pause_s: float, rush: bool = False
) -> None:
    number = 0
    while time.monotonic() < end:
        number = number % _INDEXED + 1
        body = {"sop_instance_uid": f"{ROOT}.1.{number}", "region": [40, 40, 30, 30]}
        try:
            answer = running.ask(
                "POST", "/api/v1/search/region", json.dumps(body).encode(), "application/json"
            )
        except (OSError, HTTPException) as error:
            seen.wrong.append(f"a search: {type(error).__name__}")
            continue
        answers[answer.status] += 1
        if answer.status in _ADMITTED:
            seen.search_ms.append(1000 * answer.seconds)
        elif not rush:
            seen.wrong.append(f"a search was answered {answer.status}")
        elif answer.status in _TURNED_AWAY and "Retry-After" not in answer.headers:
            seen.wrong.append(f"{answer.status} without Retry-After")
        time.sleep(pause_s)


def _overload(running: Product, seconds: float) -> tuple[Counter[int], Watched]:
    """Search from many clients without a pause, in another process, and ask for the health in this one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        rush = pool.submit(_rush, running.place, running.key, seconds + _START_S)
        time.sleep(_START_S)
        seen = Watched([], [], [])
        _ask_health(running, time.monotonic() + seconds, seen)
        answers, search_ms, wrong = rush.result()
    return answers, Watched(seen.health_ms, search_ms, seen.wrong + wrong)


def _rush(place: str, key: str, seconds: float) -> tuple[Counter[int], list[float], list[str]]:
    """Be many clients without a pause; return answers by status, latencies and what was wrong."""
    running = Client(place, key)
    end = time.monotonic() + seconds
    counts, seen = [Counter[int]() for _ in range(OVERLOAD)], Watched([], [], [])
    with ThreadPoolExecutor(OVERLOAD) as pool:
        for count in counts:
            pool.submit(_search_until, running, end, seen, count, 0.0, True)
    return sum(counts, Counter[int]()), seen.search_ms, seen.wrong


def _odd(status: int) -> bool:
    return status not in _ADMITTED | _TURNED_AWAY


def _row(name: str, clients: int, seen: Watched, answers: Counter[int]) -> Row:
    return {
        "clients": f"{clients} x {name}",
        "health_asked": len(seen.health_ms),
        "health_p50_ms": _percentile(seen.health_ms, 50),
        "health_p99_ms": _percentile(seen.health_ms, 99),
        "searches": len(seen.search_ms),
        "search_p50_ms": _percentile(seen.search_ms, 50),
        "search_p99_ms": _percentile(seen.search_ms, 99),
        "turned_away": sum(answers[status] for status in _TURNED_AWAY),
        "wrong": len(seen.wrong),
    }


def _judged(name: str, seen: Watched, *, timed: bool) -> list[str]:
    found = [f"{name}: {what}, {count} times." for what, count in Counter(seen.wrong).items()]
    if not seen.health_ms or (timed and np.percentile(seen.health_ms, 99) >= HEALTH_P99_MS):
        found.append(f"{name}: the 99th percentile of /healthz is {_percentile(seen.health_ms, 99)} ms.")
    if not seen.search_ms:
        found.append(f"{name}: no search was answered.")
    return found


def _percentile(values: list[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 1) if values else 0.0


PART = Part(
    "clients",
    "Slow clients and overload",
    run,
    "{connections} connections held open in each of {ways} ways, then {overload} clients without a pause",
    "99 % of /healthz within {worst_health_p99_ms} ms; under overload {admitted} searches answered, "
    "{turned_away} turned away",
    alone=True,
)
