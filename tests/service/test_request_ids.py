"""Every answer names its request, as problems and log lines do; over real sockets."""

from __future__ import annotations

import http.client
import io
import json
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hmar import request_ids
from hmar.logs import JsonLines
from service.app import METRICS
from service.edge.body import UNASKED_BYTES
from service.edge.bounds import Bounds
from service.server import make_server
from tests.service.conftest import Archive, build_archive

pytestmark = pytest.mark.slow
WAIT_S = 30.0


class Served:
    """An archive behind the server, of which a client without a key may ask once a minute."""

    def __init__(self, archive: Archive, bounds: Bounds) -> None:
        self.key = archive.key
        refused = archive.app.extensions[METRICS].count_refusal
        self.server = make_server(archive.app, "127.0.0.1", 0, bounds, refused)
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, **headers: str
    ) -> tuple[int, str, Any]:
        """Return status, request id, and the body if it is JSON."""
        port = self.server.port
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)) as connection:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            told = answer.read()
            [request_id] = answer.headers.get_all("X-Request-ID", [])
            return answer.status, request_id, json.loads(told) if b"{" in told[:1] else None

    def close(self) -> None:
        self.server.stop()
        self._thread.join(WAIT_S)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return build_archive(tmp_path)


@pytest.fixture
def served(archive: Archive) -> Iterator[Served]:
    served = Served(archive, Bounds(threads=2))
    yield served
    served.close()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the server logs of requests, as JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("hmar.service")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_the_id_that_a_client_gives_is_in_answer_and_log(served: Served, lines: io.StringIO) -> None:
    status, request_id, _ = served.ask("GET", "/api/v1/series", X_API_Key=served.key, X_Request_ID="ward-7")
    assert (status, request_id) == (200, "ward-7")
    [line] = map(json.loads, lines.getvalue().splitlines())
    assert line["request_id"] == "ward-7"
    assert line["message"].startswith("GET /api/v1/series 200 ")


@pytest.mark.parametrize("given", ["", "1.2.840.10008.1", "Doe^Jane", "x" * 65, "hmar_k3y"])
def test_what_cannot_be_an_id_is_replaced_and_not_repeated(
    served: Served, lines: io.StringIO, given: str
) -> None:
    headers = {"X_Request_ID": given} if given else {}
    status, request_id, problem = served.ask("GET", "/api/v1/series", **headers)
    assert status == 401
    assert problem["request_id"] == request_id != given
    assert request_ids.valid(request_id)
    assert not given or given not in lines.getvalue()


def test_requests_on_one_connection_and_beside_each_other_keep_their_own(served: Served) -> None:
    def ask(number: int) -> bool:
        with closing(
            http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=WAIT_S)
        ) as connection:
            for turn in range(5):
                given = f"client-{number}-{turn}"
                connection.request("GET", "/api/v1/nowhere", headers={"X-Request-ID": given})
                answer = connection.getresponse()
                told = json.loads(answer.read())
                if (answer.headers["X-Request-ID"], told["request_id"]) != (given, given):
                    return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(6)))


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_answers_of_health_which_many_share_have_an_id_for_each(served: Served, path: str) -> None:
    assert [served.ask("GET", path, X_Request_ID=f"probe-{n}")[1] for n in range(3)] == [
        "probe-0",
        "probe-1",
        "probe-2",
    ]


def test_what_is_refused_by_its_headers_has_an_id(served: Served, lines: io.StringIO) -> None:
    body = bytes(UNASKED_BYTES + 1)
    status, request_id, problem = served.ask("POST", "/api/v1/render", body=body, X_Request_ID="large")
    assert (status, request_id, problem["request_id"]) == (401, "large", "large")
    assert json.loads(lines.getvalue().splitlines()[-1])["request_id"] == "large"


def test_what_the_edge_refuses_has_an_id_and_is_counted(archive: Archive, lines: io.StringIO) -> None:
    served = Served(archive, Bounds(threads=2, requests_per_minute=1))
    try:
        served.ask("GET", "/openapi.json", X_API_Key=served.key)
        status, request_id, problem = served.ask("GET", "/openapi.json", X_Request_ID="again")
        assert (status, request_id, problem["request_id"]) == (429, "again", "again")
    finally:
        served.close()
    told = archive.app.extensions[METRICS].exposition().decode()
    assert 'hmar_refusals_total{status="429"} 1.0' in told
    [line] = [json.loads(line) for line in lines.getvalue().splitlines() if "before they reached" in line]
    assert "request_id" not in line


def test_a_head_that_does_not_come_has_an_id_too(archive: Archive) -> None:
    served = Served(archive, Bounds(threads=1, header_s=0.2))
    try:
        with socket.create_connection(("127.0.0.1", served.server.port), timeout=WAIT_S) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n")
            told = b"".join(iter(lambda: connection.recv(4096), b""))
    finally:
        served.close()
    head, _, body = told.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert f"X-Request-ID: {json.loads(body)['request_id']}".lower() in head.decode().lower()


def test_a_head_that_does_not_come_after_a_request_has_not_the_id_of_that(archive: Archive) -> None:
    served = Served(archive, Bounds(threads=1, header_s=0.2))
    begun = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-ID: first\r\n\r\nGET / HTTP/1.1\r\n"
    try:
        with socket.create_connection(("127.0.0.1", served.server.port), timeout=WAIT_S) as connection:
            connection.sendall(begun)
            told = b"".join(iter(lambda: connection.recv(4096), b""))
    finally:
        served.close()
    assert b"HTTP/1.1 408" in told
    assert told.lower().count(b"x-request-id: first") == 1
    assert json.loads(told.rpartition(b"\r\n\r\n")[2])["request_id"] != "first"
