"""Answers in the making: sent as they are made, at the pace of who reads, and stopped when nobody does."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, Response, g, request, stream_with_context

from service.edge import guard
from service.edge.bounds import Bounds
from service.edge.listening import listen
from service.edge.wsgi import PAUSE_S, PIECE_BYTES, call, whole
from service.server import make_server

pytestmark = pytest.mark.slow

WAIT_S = 30
LARGE = 32 << 20


class Streaming:
    """An application whose streams stop half-way until they are released."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.closed = threading.Event()
        self.made = 0
        self.stop: Callable[[], None] = lambda: None
        self.app = Flask("streaming")
        self.app.config["MAX_CONTENT_LENGTH"] = 1000
        for path in ("healthz", "plain", "stream", "endless", "broken", "paced", "large"):
            view: Callable[[], object] = getattr(self, path, lambda: "here")
            self.app.add_url_rule(f"/{path}", view_func=view, endpoint=path)  # type: ignore[arg-type]

    def stream(self) -> Response:
        g.name = "kept"

        def parts() -> Iterator[str]:
            yield "first"
            assert self.release.wait(WAIT_S)
            yield f"second, {g.name}"

        return Response(stream_with_context(parts()))

    def endless(self) -> Response:
        def parts() -> Iterator[bytes]:
            try:
                while True:
                    self.made += 1
                    yield bytes(PIECE_BYTES)
            finally:
                self.closed.set()

        return Response(parts())

    def broken(self) -> Response:
        def parts() -> Iterator[str]:
            yield "first"
            raise RuntimeError("Mustermann")

        return Response(parts())

    def paced(self) -> Response:
        g.name = "kept"
        request.environ[PAUSE_S] = 0.01

        def parts() -> Iterator[str]:
            try:
                while not self.release.is_set():
                    self.made += 1
                    yield g.name
            finally:
                self.closed.set()

        return Response(stream_with_context(parts()))

    def large(self) -> Response:
        return Response(bytes(LARGE))


@contextmanager
def served(bounds: Bounds) -> Iterator[tuple[Streaming, int]]:
    streaming = Streaming()
    server = make_server(streaming.app, "127.0.0.1", 0, bounds)
    streaming.stop = server.stop
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield streaming, server.port
    streaming.release.set()
    server.stop()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def connect(port: int, path: str, *, buffer: int = 0) -> socket.socket:
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(WAIT_S)
    connection.connect(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_piece_is_sent_before_the_next_is_made_and_all_see_one_request() -> None:
    with served(Bounds(threads=2)) as (streaming, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
        connection.request("GET", "/stream")
        answer = connection.getresponse()
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.read(5) == b"first"
        assert not streaming.release.is_set()
        streaming.release.set()
        assert answer.read() == b"second, kept"
        connection.request("GET", "/plain")
        assert connection.getresponse().read() == b"here", "the connection goes on"
        connection.close()


def test_a_client_that_does_not_read_a_stream_holds_no_thread_and_is_left() -> None:
    with served(Bounds(threads=1, transfer_s=2.0)) as (streaming, port):
        with connect(port, "/endless", buffer=4096):
            assert get(port, "/plain") == b"here"
            assert streaming.closed.wait(WAIT_S)
        made = streaming.made
        assert get(port, "/plain") == b"here"
        assert streaming.made == made


def test_a_stream_whose_client_left_is_stopped() -> None:
    with served(Bounds(threads=1, transfer_s=600.0)) as (streaming, port):
        connection = connect(port, "/endless")
        assert connection.recv(1000)
        connection.close()
        assert streaming.closed.wait(WAIT_S)
        assert get(port, "/plain") == b"here"


def test_answers_with_pauses_hold_no_thread() -> None:
    with served(Bounds(threads=1)) as (streaming, port):
        clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S) for _ in range(4)]
        for client in clients:
            client.request("GET", "/paced")
        answers = [client.getresponse() for client in clients]
        for _ in range(3):
            assert [answer.read(4) for answer in answers] == [b"kept"] * 4
            assert get(port, "/plain") == b"here"
        streaming.release.set()
        assert all(answer.read().replace(b"kept", b"") == b"" for answer in answers)
        for client in clients:
            client.close()


@pytest.mark.parametrize("half", [True, False])
def test_an_answer_with_pauses_is_stopped_when_its_client_has_left(half: bool) -> None:
    with served(Bounds(threads=1)) as (streaming, port):
        connection = connect(port, "/paced")
        assert connection.recv(1000)
        if half:
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.close()
        assert streaming.closed.wait(WAIT_S)
        made = streaming.made
        assert get(port, "/plain") == b"here"
        assert streaming.made == made
        connection.close()


def test_an_answer_with_pauses_ends_whole_when_the_server_stops() -> None:
    with served(Bounds(threads=1, stop_s=WAIT_S)) as (streaming, port):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
        client.request("GET", "/paced")
        answer = client.getresponse()
        assert answer.read(4) == b"kept"
        streaming.stop()
        assert answer.read().replace(b"kept", b"") == b""
        assert streaming.closed.wait(WAIT_S)
        client.close()


def test_a_stream_that_fails_ends_the_connection_and_its_message_is_logged_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with served(Bounds(threads=1)) as (_, port):
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            get(port, "/broken")
        assert get(port, "/plain") == b"here"
    assert "an answer failed: RuntimeError" in caplog.text
    assert "Mustermann" not in caplog.text


def test_a_large_answer_that_nobody_reads_is_left_and_one_that_is_read_is_whole() -> None:
    with served(Bounds(threads=1, transfer_s=1.0)) as (_, port), connect(port, "/large", buffer=4096) as idle:
        assert get(port, "/large") == bytes(LARGE)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_slowly(idle)


def send_slowly(connection: socket.socket) -> None:
    pause = threading.Event()
    for _ in range(10 * WAIT_S):
        connection.sendall(b"x")
        pause.wait(0.1)


def test_an_idle_connection_outlives_the_deadline_of_a_head() -> None:
    with served(Bounds(threads=1, header_s=0.3)) as (_, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
        connection.request("GET", "/plain")
        kept = connection.sock
        assert connection.getresponse().read() == b"here"
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as silent:
            assert silent.recv(1) == b"", "this one's deadline begins later, and ends"
        connection.request("GET", "/plain")
        assert connection.getresponse().read() == b"here"
        assert connection.sock is kept
        connection.close()


def test_requests_that_came_before_the_client_ended_its_sending_are_all_answered() -> None:
    with served(Bounds(threads=1)) as (_, port):
        with connect(port, "/plain") as connection:
            connection.sendall(b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
            connection.shutdown(socket.SHUT_WR)
            answers = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        assert answers.count(b"HTTP/1.1 200 OK") == 3


def test_a_head_that_is_begun_behind_a_request_has_the_time_of_a_head() -> None:
    with served(Bounds(threads=1, header_s=0.3)) as (_, port):
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
            connection.sendall(b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\nGET /pl")
            answers = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        assert answers.count(b"HTTP/1.1 ") == 2
        assert answers.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 408 " in answers


@contextmanager
def refused(port: int) -> Iterator[socket.socket]:
    """Announce a body that is too large, and read the refusal."""
    head = b"POST /plain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
        connection.sendall(head)
        answer = connection.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 4")
        yield connection


def ended(connection: socket.socket) -> bool:
    """Read what is left of an answer; return whether the connection ends then."""
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def test_a_refused_body_that_stops_has_the_time_of_a_head() -> None:
    with served(Bounds(threads=1, header_s=0.3)) as (_, port), refused(port) as connection:
        assert ended(connection)


def test_a_refused_body_is_not_read_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_REFUSED_BYTES", 1 << 20)
    with (
        served(Bounds(threads=1, header_s=WAIT_S)) as (_, port),
        refused(port) as connection,
        pytest.raises((ConnectionResetError, BrokenPipeError)),
    ):
        connection.sendall(bytes(64 << 20))


def test_an_application_is_called_as_its_standard_says() -> None:
    closed: list[bool] = []

    class Parts(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def written(_environ: object, start: Callable[..., Callable[[bytes], object]]) -> Parts:
        start("200 OK", [("Content-Length", "6")])(b"ab")
        return Parts([b"", b"cd", b"ef"])

    def lazy(_environ: object, start: Callable[..., object]) -> Iterator[bytes]:
        start("404 Not Found", [])
        yield b"one"
        yield b"two"

    assert whole(written, {}).body == b"abcdef"
    assert closed == [True]
    answer = call(lazy, {})
    assert (answer.status, answer.body) == (404, b"one")
    assert answer.rest is not None
    assert (answer.rest.next(), answer.rest.next(), answer.rest.next()) == (b"two", b"", b"")
    assert whole(lazy, {}).body == b"onetwo"


def test_the_parts_of_an_answer_do_not_wait_for_each_other_in_the_network() -> None:
    [listening] = listen("127.0.0.1", 0)
    with listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
