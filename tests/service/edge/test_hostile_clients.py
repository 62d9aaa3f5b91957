"""The real server process, and clients that are slow, silent, wrong or gone: each harms itself alone."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from service.edge.body import UNASKED_BYTES
from service.edge.server import MAX_HEAD_BYTES
from tests.service.conftest import build_archive, fill
from tests.service.test_serve import start

pytestmark = pytest.mark.slow

HEADER_S, TRANSFER_S, CONNECTIONS = 1.0, 1.5, 60
PATIENCE_S = 30.0
HOST = b"Host: localhost\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"Connection: close\r\n"


@dataclass
class Process:
    process: subprocess.Popen[str]
    port: int
    key: str

    def connect(self, *sent: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        for part in sent:
            connection.sendall(part)
        return connection

    def said(self, *sent: bytes) -> bytes:
        """Send, and return all that is answered until the connection ends."""
        with self.connect(*sent) as connection:
            return everything(connection)

    def healthy(self) -> bool:
        return self.said(HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(
            b"HTTP/1.1 200"
        )

    @property
    def authorised(self) -> bytes:
        return HOST + f"X-API-Key: {self.key}\r\n".encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    home = tmp_path_factory.mktemp("served")
    archive = fill(build_archive(home))
    archive.engine.close()
    process = start(
        home,
        HMAR_HEADER_SECONDS=str(HEADER_S),
        HMAR_TRANSFER_SECONDS=str(TRANSFER_S),
        HMAR_WEB_CONNECTIONS=str(CONNECTIONS),
        HMAR_MAX_UPLOAD_BYTES=str(4 << 20),
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    yield Process(process, int(line.rpartition(":")[2]), archive.key)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert "an answer failed" not in errors
    assert "the server's loop" not in errors
    assert "uvicorn" not in errors
    assert archive.key not in errors


@pytest.fixture(autouse=True)
def _still_serves(server: Process) -> Iterator[None]:
    yield
    assert server.process.poll() is None
    assert server.healthy()


def everything(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def answered_while_sending(connection: socket.socket, piece: bytes, pause_s: float) -> bytes:
    """Send a piece again and again until an answer comes, and return it."""
    connection.settimeout(pause_s)
    answer, begun = b"", time.monotonic()
    while not answer and time.monotonic() - begun < PATIENCE_S:
        connection.sendall(piece)
        try:
            answer = connection.recv(1 << 16)
        except TimeoutError:
            continue
    connection.settimeout(PATIENCE_S)
    return answer + everything(connection)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def statuses(answers: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def problem(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head, answer
    assert b"Connection: close" in head
    return str(json.loads(body)["type"])


def test_a_head_that_never_ends_is_answered_408_however_steadily_it_comes(server: Process) -> None:
    with server.connect(b"GET / HTTP/1.1\r\n") as connection:
        answer = answered_while_sending(connection, b"X-A: b\r\n", 0.2)
        assert (status(answer), problem(answer)) == (408, "/problems/request-too-slow")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n\r", b"GET"])
def test_a_client_that_stops_in_its_head_is_left(server: Process, sent: bytes) -> None:
    assert status(server.said(sent)) == (408 if sent else 0)


@pytest.mark.parametrize("size", [1000, UNASKED_BYTES + 1])
def test_a_body_that_does_not_come_is_answered_408(server: Process, size: int) -> None:
    head = b"POST /api/v1/render HTTP/1.1\r\n" + server.authorised
    answer = server.said(head + f"Content-Length: {size}\r\n\r\n".encode() + b"x" * 10)
    assert (status(answer), problem(answer)) == (408, "/problems/request-too-slow")


def test_a_body_that_drips_for_ever_is_answered_408(server: Process) -> None:
    head = b"POST /api/v1/render HTTP/1.1\r\n" + server.authorised + b"Transfer-Encoding: chunked\r\n\r\n"
    with server.connect(head) as connection:
        answer = answered_while_sending(connection, b"1\r\nx\r\n", 0.1)
        assert (status(answer), problem(answer)) == (408, "/problems/request-too-slow")


def test_a_body_that_never_ends_is_refused_at_the_limit(server: Process) -> None:
    head = b"POST /api/v1/render HTTP/1.1\r\n" + server.authorised + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
    with server.connect(head) as connection:
        for _ in range(80):
            connection.sendall(chunk)
        assert status(connection.recv(1 << 16)) == 413


def test_what_follows_a_body_that_is_longer_than_announced_is_another_request(server: Process) -> None:
    head = b"POST /api/v1/render HTTP/1.1\r\n" + server.authorised
    answer = server.said(head + b"Content-Length: 4\r\n\r\nxxxxx\r\n\r\n")
    assert statuses(answer) == [400, 400], "no form, and a surplus that is no HTTP"


def test_a_body_that_ends_early_is_left(server: Process) -> None:
    head = b"POST /api/v1/render HTTP/1.1\r\n" + server.authorised
    with server.connect(head + b"Content-Length: 1000\r\n\r\nxx") as connection:
        connection.shutdown(socket.SHUT_WR)
        assert everything(connection) == b""


def test_a_client_that_does_not_read_is_left(server: Process) -> None:
    request = b"GET /api/v1/openapi.yaml HTTP/1.1\r\n" + server.authorised + b"\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(PATIENCE_S)
        connection.connect(("127.0.0.1", server.port))
        # Not reading answers, it sends requests until nobody takes them any more, and the server ends it.
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_for_ever(connection, request * 100)


def send_for_ever(connection: socket.socket, data: bytes) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        connection.sendall(data)


def test_hundreds_of_connections_that_say_nothing_keep_nobody_out(server: Process) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(server.connect())
        for _ in range(10):
            assert server.healthy()
            closing = b"GET /api/v1/series HTTP/1.1\r\n" + LAST + server.authorised + b"\r\n"
            assert status(server.said(closing)) == 200


def test_where_every_connection_is_busy_health_is_answered_and_all_else_is_503(server: Process) -> None:
    head = b"POST /api/v1/render HTTP/1.1\r\n" + server.authorised + b"Content-Length: 1000\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(server.connect(head))
        answers = []
        end = time.monotonic() + TRANSFER_S
        while time.monotonic() < end and 503 not in answers:
            closing = b"GET /api/v1/series HTTP/1.1\r\n" + LAST + server.authorised + b"\r\n"
            answers.append(status(server.said(closing)))
            assert server.healthy()
        assert 503 in answers or 429 in answers


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", 400),
        (b"Content-Length: 4\r\nContent-Length: 5\r\n", 400),
        (b"Content-Length: 4, 5\r\n", 400),
        (b"Content-Length: +4\r\n", 400),
        (b"Content-Length: 4_0\r\n", 400),
        (b"Content-Length : 4\r\n", 400),
        (b"Transfer-Encoding: chunked, identity\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding:\x0bchunked\r\n", 400),
        (b"Host: other\r\n", 400),
        (b"X-A\x00: b\r\n", 400),
        (b" folded: b\r\n", 400),
        (b"X-Long: " + b"x" * 3 * MAX_HEAD_BYTES + b"\r\n", 400),
    ],
)
def test_a_request_that_two_servers_would_read_differently_is_refused(
    server: Process, headers: bytes, expected: int
) -> None:
    first = b"POST /api/v1/render HTTP/1.1\r\n"
    sent = first + headers + server.authorised + b"\r\n0\r\n\r\n" + HEALTH
    if headers.startswith(b"Host"):
        sent = first + server.authorised + headers + b"\r\n0\r\n\r\n" + HEALTH
    answer = server.said(sent)
    assert status(answer) == expected
    assert len(statuses(answer)) == 1, "nothing after it is taken for a request"
    assert b"Server:" not in answer


def test_a_header_with_an_underscore_is_not_the_one_with_a_hyphen(server: Process) -> None:
    sent = b"GET /api/v1/series HTTP/1.1\r\nConnection: close\r\n" + HOST
    assert status(server.said(sent + f"X_API_Key: {server.key}\r\n\r\n".encode())) == 401


def test_requests_sent_at_once_are_answered_in_order(server: Process) -> None:
    series = b"GET /api/v1/series HTTP/1.1\r\n" + server.authorised + b"\r\n"
    missing = b"GET /nowhere HTTP/1.1\r\n" + server.authorised + b"Connection: close\r\n\r\n"
    answer = server.said((series + HEALTH) * 10 + missing)
    assert statuses(answer) == [200] * 20 + [404]


def test_a_client_that_only_ended_its_sending_is_answered(server: Process) -> None:
    with server.connect(b"GET /api/v1/series HTTP/1.1\r\n" + server.authorised + b"\r\n") as connection:
        connection.shutdown(socket.SHUT_WR)
        assert status(everything(connection)) == 200


def test_http_1_0_is_answered_and_closed(server: Process) -> None:
    answer = server.said(b"GET /api/v1/series HTTP/1.0\r\n" + server.authorised + b"\r\n")
    assert status(answer) == 200
    assert b'"series"' in answer


def test_the_absolute_form_of_an_address_is_taken(server: Process) -> None:
    sent = (
        b"GET http://localhost/api/v1/series HTTP/1.1\r\nConnection: close\r\n" + server.authorised + b"\r\n"
    )
    assert status(server.said(sent)) == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"\x00\xff\xfe" * 50,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_answered_and_closed(server: Process, sent: bytes) -> None:
    answer = server.said(sent)
    assert status(answer) in (400, 501, 505)
    if b"text/plain" in answer:
        assert answer.endswith(b"\r\n\r\nInvalid HTTP request received."), (
            "uvicorn's own, without a quotation"
        )
    else:
        assert problem(answer) == "/problems/malformed-request"


def test_head_and_ranges_and_not_modified_work(server: Process) -> None:
    path = b" /static/js/main.js HTTP/1.1\r\nConnection: close\r\n" + HOST
    whole = server.said(b"GET" + path + b"\r\n")
    head = server.said(b"HEAD" + path + b"\r\n")
    assert (status(whole), status(head)) == (200, 200)
    body = whole.partition(b"\r\n\r\n")[2]
    assert head.endswith(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    part = server.said(b"GET" + path + b"Range: bytes=3-9\r\n\r\n")
    assert (status(part), part.partition(b"\r\n\r\n")[2]) == (206, body[3:10])
    etag = next(line for line in whole.split(b"\r\n") if line.startswith(b"ETag: ")).removeprefix(b"ETag: ")
    assert status(server.said(b"GET" + path + b"If-None-Match: " + etag + b"\r\n\r\n")) == 304
    assert server.said(
        b"HEAD" + HEALTH.removeprefix(b"GET").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    ).endswith(b"\r\n\r\n")
