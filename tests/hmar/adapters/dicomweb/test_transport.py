"""HTTP to a PACS that takes its time."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest

from hmar.adapters.dicomweb.sites import Site
from hmar.adapters.dicomweb.transport import SlowError, Transport

HEADS = ["Content-Length: 100\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", "\r\nx"]


@pytest.mark.parametrize("head", HEADS)
def test_an_answer_that_trickles_ends_with_its_time(head: str) -> None:
    told = threading.Event()
    times = iter([0.0, 2.0])
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with closing(connection):
                connection.recv(1 << 16)
                connection.sendall(f"HTTP/1.1 200 OK\r\n{head}".encode())
                told.wait(60)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        site = Site("main", url, url, read_s=5.0, total_s=1.0)
        with closing(Transport(site, clock=lambda: next(times))) as transport:
            with pytest.raises(SlowError, match="takes longer than 1 s for one answer"):
                transport.send("GET", url, {}, 1 << 20)
            told.set()
        thread.join()
