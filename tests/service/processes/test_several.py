"""Two web processes behind one address: to clients they are one server, whatever happens to one of them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity, administrator
from hmar.wiring import build_engine
from tests.phantoms import series_uid, sop_uid
from tests.service.conftest import FRAMES, SLICES
from tests.service.processes.served import PROCESSES, Connection, Server, several, until
from tests.service.test_serve import start, wait_until_closed

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

SERIES, SEARCH = "/api/v1/series", "/api/v1/search/image"
QUERY = {"sop_instance_uid": sop_uid(1, 1), "k": 1000}
LISTED = {"method": "GET", "route": SERIES, "status": "200"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with several(tmp_path_factory.mktemp("several")) as running:
        yield running


def listed(connection: Connection) -> float:
    """Return how many lists of series the figures tell of."""
    labels = ",".join(f'{name}="{value}"' for name, value in LISTED.items())
    _, text = connection.call("GET", "/metrics")
    found = re.search(rf"^hmar_request_seconds_count\{{{labels}\}} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def hits(connection: Connection, **fields: object) -> list[str]:
    return [hit["sop_instance_uid"] for hit in connection.json("POST", SEARCH, QUERY | fields)["hits"]]


def test_both_answer_alike_and_figures_are_their_sums(server: Server) -> None:
    with server.one_to_each() as connections:
        assert len({connection.pid for connection in connections}) == PROCESSES
        before = listed(connections[0])
        for number, connection in enumerate(connections, 2):
            for _ in range(number):
                connection.json("GET", SERIES)
        assert [listed(connection) - before for connection in connections] == [5, 5]
        assert hits(connections[0]) == hits(connections[1])
        for connection in connections:
            _, text = connection.call("GET", "/metrics")
            assert re.findall(r"^hmar_index_frames (\S+)$", text, re.MULTILINE) == [f"{FRAMES}.0"]
            told = re.findall(r'^process_open_fds\{process="(\d)"\} ', text, re.MULTILINE)
            assert told == ["1", "2"]
            assert f'"{connection.pid}"' not in text


def test_a_login_at_one_holds_at_the_other_and_so_does_its_end(server: Server) -> None:
    token = server.archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with server.one_to_each() as (one, two):
        status, _ = one.call("POST", "/login", urlencode({"token": token}).encode(), key="", **form)
        assert status == 303
        cookie = {"Cookie": one.headers["Set-Cookie"].partition(";")[0]}
        assert two.call("GET", SERIES, key="", **cookie)[0] == 200
        page = {"X-HMAR-Page": "1", "Sec-Fetch-Site": "same-origin"}
        assert two.call("POST", "/logout", key="", **cookie, **page)[0] == 204
        assert one.call("GET", SERIES, key="", **cookie)[0] == 401


def test_a_search_goes_on_at_the_other(server: Server) -> None:
    with server.one_to_each() as (one, two):
        whole = hits(one)
        first = one.json("POST", SEARCH, QUERY | {"limit": 4})
        second = two.json("POST", SEARCH, QUERY | {"limit": 4, "cursor": first["next"]})
        found = [hit["sop_instance_uid"] for answer in (first, second) for hit in answer["hits"]]
        assert found == whole[:8]


def test_what_is_deleted_at_one_is_gone_at_the_other_at_once(server: Server) -> None:
    gone = {sop_uid(3, number) for number in range(1, SLICES + 1)}
    with server.one_to_each() as (one, two):
        assert gone <= set(hits(two))
        one.json("POST", "/api/v1/deletions", {"level": "series", "uid": series_uid(3)})
        assert gone.isdisjoint(hits(two))
        image = f"/api/v1/instances/{sop_uid(3, 1)}/frames/1/image"
        assert [connection.call("GET", image)[0] for connection in (one, two)] == [404, 404]


def test_limits_are_those_of_all_processes_together(tmp_path: Path) -> None:
    """A bucket gains a token a second while it is emptied, and each process may take the last one."""
    a_minute = 60
    limits = {"HMAR_REQUESTS_PER_MINUTE": str(a_minute), "HMAR_FAILURES_PER_MINUTE": "1"}
    with several(tmp_path, HMAR_KEY_CONCURRENCY="2", **limits) as server, server.one_to_each() as (one, two):
        begun = time.monotonic()
        assert one.call("GET", SERIES)[0] == 200
        assert one.call("GET", SERIES, key="wrong")[0] == 401
        assert two.call("GET", SERIES, key="wrong too")[0] == 429
        assert two.call("GET", SERIES)[0] == 200, "a key that has worked at the other one"
        with _in_hand(server), _in_hand(server):
            until(lambda: one.call("GET", SERIES)[0] == 429, server.log)
            assert [connection.call("GET", SERIES)[0] for connection in (one, two)] == [429, 429]
        until(lambda: two.call("GET", SERIES)[0] == 200, server.log)
        allowed = 0
        for number in range(2 * a_minute):
            allowed += (one, two)[number % 2].call("GET", SERIES)[0] == 200
        seconds = time.monotonic() - begun
        assert allowed <= a_minute + seconds + PROCESSES - 1


def _in_hand(server: Server) -> socket.socket:
    """Begin a request, and do not end it."""
    head = (
        f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {server.archive.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    connection.sendall(head.encode())
    return connection


class Client(threading.Thread):
    """A client that asks without a pause on connections that it keeps, and tells what failed and where."""

    def __init__(self, server: Server, actor: str) -> None:
        super().__init__()
        self.key = server.archive.engine.keys.create(administrator(actor))
        self.answered: Counter[int] = Counter()
        self.failed: Counter[int] = Counter()
        self.statuses: set[int] = set()
        self.ended = threading.Event()
        self._server = server
        self._connection = server.connect()

    def run(self) -> None:
        while not self.ended.is_set():
            at = self._connection.pid
            try:
                status, _ = self._connection.call("POST", SEARCH, QUERY, key=self.key)
            except OSError:
                self._fail(at)
            except Exception:  # http.client's own
                self._fail(at)
            else:
                self.answered[at] += 1
                self.statuses.add(status)
        self._connection.close()

    def _fail(self, at: int) -> None:
        self.failed[at] += 1
        self._connection.close()
        self._connection = self._server.connect()


def test_a_process_that_is_killed_under_load_takes_only_its_own_requests_with_it(tmp_path: Path) -> None:
    with several(tmp_path) as server:
        with server.one_to_each() as connections:
            killed, left = (connection.pid for connection in connections)
        clients: list[Client] = []
        while {client._connection.pid for client in clients} != {killed, left} or len(clients) < 6:
            clients.append(Client(server, f"client-{len(clients)}"))
        for client in clients:
            client.start()
        until(lambda: all(sum(client.answered.values()) >= 3 for client in clients), server.log)
        os.kill(killed, signal.SIGKILL)
        until(lambda: "was killed by SIGKILL; it is started again" in server.log(), server.log)
        until(lambda: len(server.pids()) == PROCESSES, server.log)
        with server.one_to_each() as connections:
            assert {connection.pid for connection in connections} == {left, *server.pids()}
            assert killed not in server.pids()
            until(lambda: all(sum(client.answered.values()) >= 6 for client in clients), server.log)
            for client in clients:
                client.ended.set()
            for client in clients:
                client.join()
            _, text = connections[0].call("GET", "/metrics")
        failed = sum((client.failed for client in clients), Counter[int]())
        answered = sum((client.answered for client in clients), Counter[int]())
        assert set(failed) == {killed}
        assert max(client.failed[killed] for client in clients) == 1
        assert set.union(*(client.statuses for client in clients)) == {200}
        [counted] = re.findall(
            rf'^hmar_request_seconds_count\{{.*"{SEARCH}",status="200"\}} (\S+)$', text, re.M
        )
        assert answered.total() <= float(counted) <= answered.total() + failed.total()
        assert server.stop() == 0
        _check_recorded(server, answered, killed)


def _check_recorded(server: Server, answered: Counter[int], killed: int) -> None:
    """All that the other processes answered is in one chain; of the killed one, 0.2 s may be missing."""
    log = server.archive.engine.audit_log
    verdict = log.verify()
    searches = sum(row.record.operation == "searchImage" for row in log.rows())
    assert (verdict.fault, verdict.rows) == ("", verdict.last_seq)
    assert searches >= answered.total() - answered[killed]
    head = json.loads((server.archive.engine.settings.home / "audit-head.json").read_text())
    assert head["seq"] == verdict.last_seq


def test_what_is_in_hand_at_the_end_is_answered_by_each_and_recorded_in_one_chain(tmp_path: Path) -> None:
    asked = 20
    with several(tmp_path) as server:
        with server.one_to_each() as connections:
            threads = [
                threading.Thread(target=lambda c=c: [c.json("GET", SERIES) for _ in range(asked)])  # type: ignore[misc]
                for c in connections
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        body = json.dumps(QUERY).encode()
        head = (
            f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {server.archive.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(6)]
        for connection in held:
            connection.sendall(head + body[:-1])
        # A connection that came later was taken by now, and so were they.
        with server.one_to_each():
            pass
        server.process.send_signal(signal.SIGTERM)
        wait_until_closed(server.port)
        for connection in held:
            connection.sendall(body[-1:])
        told = []
        for connection in held:
            with connection:
                told.append(b"".join(iter(lambda c=connection: c.recv(1 << 16), b""))[:12])  # type: ignore[misc]
        assert told == [b"HTTP/1.1 200"] * len(held)
        assert server.process.wait(60) == 0
        verdict = server.archive.engine.audit_log.verify()
        assert (verdict.fault, verdict.rows) == ("", PROCESSES * asked + len(held))
        reloaded = build_engine(server.archive.engine.settings, server.archive.engine.encoder)
        assert reloaded.index.stats().frames == FRAMES, "one of them has written the last snapshot"


def test_a_start_that_fails_in_each_process_is_given_up(tmp_path: Path) -> None:
    process = start(tmp_path, HMAR_WEB_PROCESSES="2", HMAR_MODEL_DIR=str(tmp_path / "none"))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "no web process could be started" in errors
    assert "Traceback" not in errors


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = start(tmp_path, HMAR_WEB_PROCESSES="2", HMAR_PORT=port)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be opened" in errors
    assert "Traceback" not in errors
