"""A listener of a test, in this process, on a free port of this machine, and what sends files."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.sop_class import CTImageStorage, Verification  # type: ignore[attr-defined]

from hmar.config import Settings
from hmar.listener.objects import Objects
from hmar.listener.server import listening
from hmar.spool import LISTENER, Spool, Spooled
from tests.require import require_command


class Listener(NamedTuple):
    """A running listener."""

    port: int
    settings: Settings
    spool: Spool

    def received(self) -> list[Spooled]:
        return list(self.spool.waiting(LISTENER))

    def contents(self) -> list[bytes]:
        return [file.path.read_bytes() for file in self.received()]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def dcmsend(port: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Send a folder's files by C-STORE as they are, whatever they are compressed with."""
    program = require_command("dcmsend", "dcmtk")
    arguments = [
        "--decompress-never",
        "--scan-directories",
        "-aec",
        "HMAR",
        "127.0.0.1",
        str(port),
        str(folder),
    ]
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def stow(address: str, authorization: str, contents: Iterable[bytes]) -> dict[str, Any]:
    """Send files by STOW-RS in one request that must succeed; return the answer."""
    head = b"--part\r\nContent-Type: application/dicom\r\n\r\n"
    body = b"".join(head + data + b"\r\n" for data in contents) + b"--part--"
    headers = {
        "Authorization": authorization,
        "Accept": "application/dicom+json",
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=part',
    }
    request = urllib.request.Request(address, body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=60) as response:
        assert response.status == 200, response.read()
        told: dict[str, Any] = json.load(response)
    return told


@contextmanager
def running_listener(
    home: Path, check_room: Callable[[], None] = lambda: None, **more: object
) -> Iterator[Listener]:
    """Run one on a data directory until the context ends."""
    settings = Settings(home=home, listen_port=free_port(), **more).checked()  # type: ignore[arg-type]
    spool = Spool(settings.spool_root)
    objects = Objects(
        lambda: spool.draft(LISTENER, settings.listen_collection, settings.max_file_bytes, check_room),
        settings.listen_collection,
    )
    server = listening(settings, objects)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Listener(settings.listen_port, settings, spool)
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def associated(listener: Listener, title: str = "PYNETDICOM", **tls: object) -> Iterator[Association]:
    """Ask a listener for an association by pynetdicom, and end it with the context."""
    opened: list[socket.socket] = []

    def remember(event: Event) -> None:
        connection = event.assoc.dul.socket
        assert connection is not None
        assert connection.socket is not None
        opened.append(connection.socket)

    entity = AE(title)
    entity.add_requested_context(CTImageStorage)
    entity.add_requested_context(Verification)
    handlers: list[Any] = [(evt.EVT_CONN_OPEN, remember)]
    association = entity.associate(
        "127.0.0.1",
        listener.port,
        ae_title="HMAR",
        evt_handlers=handlers,
        **tls,  # type: ignore[arg-type]
    )
    try:
        yield association
    finally:
        association.release()
        entity.shutdown()
        association.dul.kill_dul()
        association.dul.join()
        # Of a peer that is gone pynetdicom leaves the socket to the garbage collector.
        for connection in opened:
            connection.close()
