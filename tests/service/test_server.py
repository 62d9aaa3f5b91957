"""The web server over real sockets: who may send a large body, and what a refused one is answered."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import SPOOL
from service.edge.body import UNASKED_BYTES, Room
from service.edge.bounds import Bounds
from service.server import make_server
from tests.service.conftest import MAX_UPLOAD, Archive, build_archive

RENDER = "/api/v1/render"
LARGE_LIMIT = 2 * UNASKED_BYTES
WAIT_S = 30


class Served:
    """An archive behind the server, in a thread."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._server = make_server(archive.app, "127.0.0.1", 0, Bounds(threads=2))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._server.run()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", int(self._server.port)), timeout=WAIT_S)

    def close(self) -> None:
        self._server.stop()
        self._thread.join(WAIT_S)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    archive = build_archive(tmp_path)
    archive.app.config["MAX_CONTENT_LENGTH"] = LARGE_LIMIT
    served = Served(archive)
    yield served
    served.close()


def head(length: int | str, key: str = "", extra: str = "", path: str = RENDER) -> bytes:
    size = "Transfer-Encoding: chunked" if length == "chunked" else f"Content-Length: {length}"
    who = f"X-API-Key: {key}\r\n" if key else ""
    kind = "Content-Type: application/octet-stream"
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{who}{kind}\r\n{size}\r\n{extra}\r\n".encode()


def answer(connection: socket.socket) -> tuple[int, str, dict[str, str]]:
    """Read one answer that ends with the connection; return status, content type, and problem."""
    with connection, connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers = dict(line.decode().rstrip().split(": ", 1) for line in iter(stream.readline, b"\r\n"))
        return status, headers["Content-Type"], json.loads(stream.read(int(headers["Content-Length"])))


@pytest.mark.slow
@pytest.mark.parametrize("key", ["", "hmar_wrong"])
@pytest.mark.parametrize("path", [RENDER, "/api/v1/index-jobs", "/nowhere"])
def test_a_large_body_without_a_valid_key_is_refused_before_it_is_sent(
    served: Served, key: str, path: str
) -> None:
    connection = served.connect()
    connection.sendall(head(LARGE_LIMIT, key, "Expect: 100-continue\r\n", path))
    status, kind, problem = answer(connection)
    assert (status, kind) == (401, "application/problem+json")
    assert problem["type"] == "/problems/not-authorised"


def test_a_body_above_the_limit_is_refused_before_it_is_sent_and_the_setting_named(served: Served) -> None:
    connection = served.connect()
    connection.sendall(head(10**15, served.archive.key, "Expect: 100-continue\r\n"))
    status, kind, problem = answer(connection)
    assert (status, kind) == (413, "application/problem+json")
    assert str(LARGE_LIMIT) in problem["detail"]
    assert "HMAR_MAX_UPLOAD_BYTES" in problem["remedy"]


@pytest.mark.slow
@pytest.mark.parametrize(("valid", "expected"), [(True, 413), (False, 401)])
def test_a_client_that_sends_a_refused_body_at_once_still_hears_why(
    served: Served, valid: bool, expected: int
) -> None:
    size = 4 * LARGE_LIMIT
    connection = served.connect()
    connection.sendall(head(size, served.archive.key if valid else ""))
    connection.sendall(bytes(size))
    assert answer(connection)[0] == expected


@pytest.mark.slow
def test_a_chunked_body_needs_a_key_from_its_first_byte(served: Served) -> None:
    connection = served.connect()
    connection.sendall(head("chunked", extra="Expect: 100-continue\r\n"))
    assert answer(connection)[0] == 401


@pytest.mark.slow
def test_a_chunked_body_that_grows_above_the_limit_is_a_problem_too(served: Served) -> None:
    connection = served.connect()
    connection.sendall(head("chunked", served.archive.key))
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    connection.sendall(chunk * (LARGE_LIMIT // 0x10000) + b"1\r\nx\r\n")
    status, kind, problem = answer(connection)
    assert (status, kind, problem["type"]) == (413, "application/problem+json", "/problems/upload-too-large")


@pytest.mark.slow
def test_an_open_route_takes_no_large_body(served: Served) -> None:
    connection = served.connect()
    connection.sendall(head(LARGE_LIMIT, extra="Expect: 100-continue\r\n", path="/login"))
    status, _, problem = answer(connection)
    assert (status, problem["type"]) == (400, "/problems/malformed-request")


@pytest.mark.slow
@pytest.mark.parametrize("size", [MAX_UPLOAD, UNASKED_BYTES + 1, LARGE_LIMIT])
def test_a_body_within_the_limit_reaches_the_route_when_the_key_is_valid(served: Served, size: int) -> None:
    connection = served.connect()
    connection.sendall(head(size, served.archive.key, "Connection: close\r\n") + bytes(size))
    status, _, problem = answer(connection)
    assert (status, problem["type"]) == (400, "/problems/malformed-request")
    assert "parts named file" in problem["detail"]


def test_a_body_for_which_the_disk_has_no_room_is_not_taken(tmp_path: Path) -> None:
    archive = build_archive(tmp_path)
    archive.app.config["MAX_CONTENT_LENGTH"] = LARGE_LIMIT
    archive.app.extensions[SPOOL] = Room(tmp_path, 1 << 62)
    served = Served(archive)
    for size, status in ((UNASKED_BYTES, 400), (UNASKED_BYTES + 1, 503)):
        connection = served.connect()
        connection.sendall(head(size, archive.key, "Connection: close\r\n") + bytes(size))
        assert answer(connection)[0] == status
    served.close()
