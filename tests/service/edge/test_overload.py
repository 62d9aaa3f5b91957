"""Beyond capacity: refused at once, health answered, all that was admitted answered."""

from __future__ import annotations

import http.client
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from service.edge.bounds import Bounds
from service.edge.server import Server
from service.server import make_server

pytestmark = pytest.mark.slow

THREADS, WAITING = 2, 4
CAPACITY = THREADS + WAITING
WAIT_S = 30


class Slow:
    """An application whose requests last until they are released."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.begun = threading.Semaphore(0)
        self.seen: list[str] = []
        self.app = Flask("slow")
        self.app.config["MAX_CONTENT_LENGTH"] = 1000
        self.app.add_url_rule("/healthz", view_func=lambda: "alive", endpoint="healthz")
        self.app.add_url_rule("/readyz", view_func=self._ready, endpoint="readyz")
        self.app.add_url_rule("/work/<name>", view_func=self._work, endpoint="work")
        self.readiness = 0

    def _ready(self) -> str:
        self.readiness += 1
        return "ready"

    def _work(self, name: str) -> str:
        self.seen.append(name)
        self.begun.release()
        assert self.release.wait(WAIT_S)
        return "done"


class Running:
    def __init__(self, bounds: Bounds) -> None:
        self.slow = Slow()
        self.server: Server = make_server(self.slow.app, "127.0.0.1", 0, bounds)
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()

    def get(self, path: str, **headers: str) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=WAIT_S)
        connection.request(
            "GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.headers["Retry-After"]

    def ended(self) -> bool:
        self._thread.join(WAIT_S)
        return not self._thread.is_alive()


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running(Bounds(threads=THREADS, waiting=WAITING))
    yield running
    running.slow.release.set()
    running.server.stop()
    assert running.ended()


def test_of_four_times_the_capacity_what_fits_is_answered_and_the_rest_refused_at_once(
    running: Running,
) -> None:
    refused = threading.Semaphore(0)

    def one(number: int) -> int:
        status, retry = running.get(f"/work/{number}")
        if status == 503:
            assert retry == "1"
            refused.release()
        return status

    with ThreadPoolExecutor(4 * CAPACITY) as pool:
        asked = [pool.submit(one, number) for number in range(4 * CAPACITY)]
        for _ in range(3 * CAPACITY):
            assert refused.acquire(timeout=WAIT_S), "refused while the others are still at work"
        for _ in range(20):
            assert running.get("/healthz") == (200, None)
            assert running.get("/readyz")[0] == 200
        assert not running.slow.release.is_set()
        running.slow.release.set()
        assert Counter(each.result() for each in asked) == {200: CAPACITY, 503: 3 * CAPACITY}
    assert running.slow.readiness < 40, "readiness is kept for a moment"
    assert running.get("/work/after")[0] == 200


def test_a_waiting_request_whose_client_left_is_not_begun(running: Running) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        first = [pool.submit(running.get, f"/work/first{number}") for number in range(THREADS)]
        for _ in range(THREADS):
            assert running.slow.begun.acquire(timeout=WAIT_S)
        gone = [sent(running, f"/work/gone{number}") for number in range(WAITING)]
        assert running.get("/work/probe")[0] == 503, "all places to wait are taken"
        for connection in gone:
            connection.close()
        # The event loop has seen the ends of the connections when it answers what came later.
        assert running.get("/healthz")[0] == 200
        running.slow.release.set()
        assert [each.result()[0] for each in first] == [200] * THREADS
    assert running.get("/work/last")[0] == 200
    assert not [name for name in running.slow.seen if name.startswith("gone")]


def sent(running: Running, path: str) -> socket.socket:
    """Send a request; return when the server has it, which it shows by an answer to what came later."""
    connection = socket.create_connection(("127.0.0.1", running.server.port), timeout=WAIT_S)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert running.get("/healthz")[0] == 200
    return connection


def test_one_key_does_not_take_what_all_need(running: Running) -> None:
    limited = Running(Bounds(threads=4, waiting=4, key_concurrency=2))
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(limited.get, f"/work/{number}", **{"X-API-Key": "one"}) for number in range(2)]
        for _ in range(2):
            assert limited.slow.begun.acquire(timeout=WAIT_S)
        status, retry = limited.get("/work/more", **{"X-API-Key": "one"})
        assert (status, retry) == (429, "1")
        limited.slow.release.set()
        assert limited.get("/work/other", **{"X-API-Key": "other"})[0] == 200
        assert [each.result()[0] for each in asked] == [200, 200]
    limited.server.stop()
    assert limited.ended()


def test_requests_in_hand_are_answered_when_the_server_stops_and_hanging_ones_do_not_keep_it() -> None:
    running = Running(Bounds(threads=2, stop_s=WAIT_S))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(running.get, "/work/one")
        assert running.slow.begun.acquire(timeout=WAIT_S)
        running.server.stop()
        running.slow.release.set()
        assert asked.result()[0] == 200
    assert running.ended()
    hanging = Running(Bounds(threads=1, stop_s=0))
    with socket.create_connection(("127.0.0.1", hanging.server.port)) as connection:
        connection.sendall(b"GET /work/hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert hanging.slow.begun.acquire(timeout=WAIT_S)
        hanging.server.stop()
        assert hanging.ended()
        assert connection.recv(100).startswith(b"HTTP/1.1 503 ")
    hanging.slow.release.set()
