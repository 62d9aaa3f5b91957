"""HTTP to a PACS that takes its time."""

from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hmar import contents
from hmar.adapters.dicomweb.sites import Site
from hmar.adapters.dicomweb.transport import SlowError, Transport
from hmar.errors import DiskFullError

LIMIT = contents.PIECE_BYTES + (1 << 19)
HEADS = ["Content-Length: 100\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", "\r\nx"]


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Answer one request with that, and no more until the context ends; give the address."""
    ended = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def run() -> None:
            connection, _ = server.accept()
            with closing(connection):
                connection.recv(1 << 16)
                connection.sendall(answer)
                ended.wait(60)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        thread.join()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("head", HEADS)
def test_an_answer_that_trickles_ends_with_its_time(head: str) -> None:
    times = iter([0.0, 2.0])
    with answering(f"HTTP/1.1 200 OK\r\n{head}".encode()) as url:
        site = Site("main", url, url, read_s=5.0, total_s=1.0)
        transport = Transport(site, clock=lambda: next(times))
        with closing(transport), pytest.raises(SlowError, match="takes longer than 1 s for one answer"):
            transport.send("GET", url, {}, 1 << 20)


def test_a_disk_that_is_full_for_the_last_piece_of_an_answer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "HELD_BYTES", 1000)
    size = LIMIT + 1000
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)) as url:
        transport = Transport(Site("main", url, url), tmp_path)
        with (
            closing(transport),
            largest_file(LIMIT),
            pytest.raises(DiskFullError, match="An answer of a PACS"),
        ):
            transport.send("GET", url, {}, 1 << 30)
